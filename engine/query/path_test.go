package query_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

func TestPath_Visit(t *testing.T) {
	doc := pack(t, `{"a": [{"b": 1, "0": 2}, [{"b": 3}], {"b": [4, 5]}], "c": {"1": {"d": 6}}, "e": []}`)
	for path, want := range map[string]string{
		"a.b":     "1 [4, 5]",
		"a.0":     "{b: 1, '0': 2} 2",
		"a.0.b":   "1",
		"a.1.b":   "3",
		"a.1.0.b": "3",
		"a.2.b.1": "5",
		"a.2.b":   "[4, 5]",
		"a.3":     "",
		"a.00":    "",
		"a.-0":    "",
		"c.1.d":   "6",
		"c.d":     "",
		"e":       "[]",
		"e.0":     "",
		"a.b.c":   "",
		"x":       "",
	} {
		p := query.ParsePath(path)
		var got []string
		collect := func(v []byte, _ bool) bool {
			got = append(got, strings.TrimPrefix(query.Eq(query.ParsePath("v"), v).String(), "v = "))
			return true
		}
		if !p.Visit(doc, collect) || strings.Join(got, " ") != want {
			t.Errorf("%s reaches %q, want %q", path, got, want)
		}
		if v, plain := p.Lookup(doc); plain {
			got = nil
			if v != nil {
				collect(v, false)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("Lookup(%s) finds %q, want %q", path, got, want)
			}
		} else if !strings.HasPrefix(path, "a.") && path != "e.0" {
			t.Errorf("Lookup(%s) crosses an array", path)
		}
	}
}

func TestPath_Visit_stops(t *testing.T) {
	visits := 0
	done := query.ParsePath("a.b").Visit(pack(t, `{"a": [{"b": 1}, {"b": 2}, {"b": 3}]}`), func([]byte, bool) bool {
		visits++
		return visits < 2
	})
	if visits != 2 || done {
		t.Errorf("visited %d values, done %t; want 2, false", visits, done)
	}
}

// TestPath_Visit_hostile: each number of a path may be a position or a name,
// so arrays of maps named by numbers could be walked in 2^45 ways.
func TestPath_Visit_hostile(t *testing.T) {
	doc := "7"
	for range 45 {
		doc = `{"0": [` + doc + `]}`
	}
	visits := 0
	query.ParsePath(strings.Repeat("0.", 49)+"0").Visit(pack(t, doc), func([]byte, bool) bool {
		visits++
		return true
	})
	if visits == 0 || visits > 1<<16 {
		t.Errorf("visited %d values, want some, at most 2^16", visits)
	}
}

func TestParsePath(t *testing.T) {
	p := query.ParsePath("a.10.b c")
	if got := strings.Join(p.Names(), "|"); got != "a|10|b c" || p.String() != "a.10.b c" || p.IsEmpty() {
		t.Errorf("names are %s, text is %s", got, p)
	}
	if p := query.ParsePath(""); !p.IsEmpty() || len(p.Names()) != 0 {
		t.Error("the empty text is not the empty path")
	}
}

// TestSplitPath: a backslash before a dot makes it a part of the name.
func TestSplitPath(t *testing.T) {
	for text, want := range map[string][]string{
		`a.b`: {"a", "b"}, `a\.b.c`: {"a.b", "c"}, `ssh\.a@b\.com`: {"ssh.a@b.com"}, `\.`: {"."}, `a\\.b`: {`a\`, "b"}, `a\b.c`: {`a\b`, "c"}, `a\`: {`a\`}, `a\..b`: {"a.", "b"}, `a..b`: {"a", "", "b"}, ``: {""},
	} {
		if got := query.SplitPath(text); !slices.Equal(got, want) {
			t.Errorf("%s has the names %q, want %q", text, got, want)
		}
		first, rest, nested := query.CutPath(text)
		if got := append([]string{first}, query.SplitPath(rest)...); first != want[0] || nested != (len(want) > 1) || nested && !slices.Equal(got, want) {
			t.Errorf("%s is cut into %q and %q, %t, want %q", text, first, rest, nested, want)
		}
		if bad := query.BadPath(text) != ""; bad != slices.Contains(want, "") {
			t.Errorf("%s is refused: %t", text, bad)
		}
	}
	doc := pack(t, `{"ssh.a@b.com": {"port": 22}, "c.": 1, "d\\": {"e": 1}}`)
	for _, text := range []string{"`ssh\\.a@b\\.com` exists", "`ssh\\.a@b\\.com.port` = 22", "`c\\.` = 1", "`d\\\\.e` = 1"} {
		f, err := query.ParseText(text)
		if err != nil || f.String() != text || !f.Match(doc) {
			t.Errorf("%s is printed as %v, %v, and does not match", text, f, err)
		}
	}
}
