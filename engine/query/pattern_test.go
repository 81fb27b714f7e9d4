package query_test

import (
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
