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

// TestStoppable: a search of a long text spends its work and can be stopped, and finds
// what one that cannot be stopped finds.
func TestStoppable(t *testing.T) {
	path := query.ParsePath("a")
	for _, pattern := range []string{"(a?){50}b$", "^(a|é)*$", "(?i)É\\b|x", "\\Ba{20}$", "(?m)^a$", "[^a]$"} {
		plain, err := query.Matches(path, pattern)
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("a", (1<<20)/plain.Parts()+1)
		for _, filter := range []*query.Filter{plain, query.Not(plain), query.And(query.Exists(path), query.Or(plain, query.Eq(path, encode("b"))))} {
			spent := 0
			stoppable := filter.Stoppable(func(units int) { spent += units })
			for _, end := range []string{"", "b", "é", "\n", "\xff", "\na"} {
				doc := encode(object{{"a", long + end}})
				if got, want := stoppable.Match(doc), filter.Match(doc); got != want {
					t.Errorf("%s of a text that ends in %q: %v, expected %v", filter, end, got, want)
				}
			}
			if spent < len(long) {
				t.Errorf("%s spent %d", filter, spent)
			}
			type enough struct{}
			func() {
				defer func() {
					if p := recover(); p != (enough{}) {
						t.Errorf("%s was not stopped: %v", filter, p)
					}
				}()
				filter.Stoppable(func(int) { panic(enough{}) }).Match(encode(object{{"a", long}}))
			}()
		}
	}
	literal, err := query.Matches(path, "^a$")
	if err != nil {
		t.Fatal(err)
	}
	for _, filter := range []*query.Filter{literal, query.And(literal, query.Exists(path))} {
		if filter.Stoppable(nil) != filter {
			t.Errorf("%s needs no stop", filter)
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
