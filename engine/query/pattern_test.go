package query_test

import (
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

func TestFilter_Prefix(t *testing.T) {
	for pattern, want := range map[string]string{
		"^Jan":          "Jan",
		"^Jan$":         "Jan",
		"^Jan(e|et)$":   "Jan",
		"^a.*b":         "a",
		"Jan":           "",
		"(?i)^Jan":      "",
		"(?m)^Jan":      "", // the start of any line
		"^(Jan|Feb)":    "",
		"^Ja?n":         "J",
		"^J*":           "",
		"^Jan|^Feb":     "",
		"^\\Qa.b\\E.*x": "a.b",
	} {
		f, err := query.Matches(query.ParsePath("a"), pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Prefix(); got != want {
			t.Errorf("Prefix of %s = %q, want %q", pattern, got, want)
		}
	}
}

func TestPatternSize(t *testing.T) {
	for _, pattern := range []string{strings.Repeat("x", query.MaxPatternBytes), "(abcdefghij){1000}", strings.Repeat("a?", 1000)} {
		if _, err := query.Matches(query.ParsePath("a"), pattern); err != nil {
			t.Error(err)
		}
	}
	for pattern, want := range map[string]string{
		strings.Repeat("x", query.MaxPatternBytes+1): "it has 32769 bytes, and 32768 are allowed",
		strings.Repeat("(abcdefghij){1000}", 6):      "parts, and 50000 are allowed",
	} {
		if _, err := query.Matches(query.ParsePath("a"), pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v", err)
		}
	}
}
