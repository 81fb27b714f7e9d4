package query_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// TestModel asks random conditions of random documents, and expects of Match
// what plain Go over plain values says. The complement must say the opposite.
func TestModel(t *testing.T) {
	r := random{newRand(t)}
	held := 0
	const rounds = 3000
	for range rounds {
		doc := r.document(3)
		packed := encode(doc)
		for range 10 {
			c := r.twin(t, 2, false)
			got, want := c.filter.Match(packed), c.holds(doc)
			if got != want {
				t.Fatalf("%s\nis %t, want %t, of\n%v", c.filter, got, want, doc)
			}
			if query.Not(c.filter).Match(packed) == got {
				t.Fatalf("%s\nand its complement are both %t of\n%v", c.filter, got, doc)
			}
			if got {
				held++
			}
		}
	}
	if share := float64(held) / (10 * rounds); share < 0.1 || share > 0.9 {
		t.Errorf("%.0f%% of the conditions held: the test proves little", 100*share)
	}
}

// TestRoundTrip prints random conditions and reads them back: the same Filter.
func TestRoundTrip(t *testing.T) {
	r := random{newRand(t)}
	for range 20_000 {
		f := r.twin(t, 4, false).filter
		again, err := query.ParseText(f.String())
		if err != nil {
			t.Fatalf("%s\ncannot be read: %v", f, err)
		}
		if !same(f, again) {
			t.Fatalf("%s\nis read as\n%s", f, again)
		}
	}
}

// TestMerged: a condition of many is the same one merged, of random documents.
func TestMerged(t *testing.T) {
	r := random{newRand(t)}
	merged := 0
	for range 2000 {
		kids := make([]*query.Filter, 8+r.IntN(8))
		for i := range kids {
			path := query.ParsePath(pick(r, "a", "b", "a.b"))
			switch r.IntN(4) {
			case 0:
				kids[i] = query.In(path, [][]byte{encode(r.value(1)), encode(r.value(1))})
			case 1:
				kids[i] = r.twin(t, 1, false).filter
			default:
				kids[i] = query.Eq(path, encode(r.value(1)))
			}
			if r.IntN(2) == 0 {
				kids[i] = query.Not(kids[i])
			}
		}
		f := query.And(kids...)
		if r.IntN(2) == 0 {
			f = query.Or(kids...)
		}
		if r.IntN(2) == 0 {
			f = query.Not(f)
		}
		few := f.Merged()
		if few != f {
			merged++
		}
		for range 20 {
			doc := r.document(3)
			if few.Match(encode(doc)) != f.Match(encode(doc)) {
				t.Fatalf("%s\nmerged is\n%s\nwhich says the opposite of\n%v", f, few, doc)
			}
		}
		if again := few.Merged(); !same(again, few) {
			t.Fatalf("%s\nmerged again is\n%s", few, again)
		}
	}
	if merged < 500 {
		t.Errorf("%d conditions were merged: the test proves little", merged)
	}
}

func TestMergedOfMany(t *testing.T) {
	for _, tt := range []struct{ text, merged string }{
		{"a = 1 or a = 2", "a = 1 or a = 2"}, // few stay as they are
		{"a = 1 or a = 2 or a in (3, 4) or b > 1 or a = 1 or c = 1 or a = 5 or b = 2 or b = 3", "a in (1, 2, 3, 4, 5) or b > 1 or c = 1 or b in (2, 3)"},
		{"a != 1 and a != 2 and a not in (3, 4) and b > 1 and a = 9 and a = 9 and a = 9 and a = 9", "a not in (1, 2, 3, 4) and b > 1 and a = 9 and a = 9 and a = 9 and a = 9"},
		{"not (a = 1 or a = 2 or a = 3 or a = 4 or a = 5 or a = 6 or a = 7 or a = 8)", "a not in (1, 2, 3, 4, 5, 6, 7, 8)"},
	} {
		f, err := query.ParseText(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Merged().String(); got != tt.merged {
			t.Errorf("%s\nis merged to %s\nexpected     %s", tt.text, got, tt.merged)
		}
	}
}

func TestTooManyTerms(t *testing.T) {
	many := func(n int, text, by string) string {
		return strings.Repeat(text+by, n-1) + text
	}
	for name, parse := range map[string]func(n int) error{
		"text": func(n int) error {
			_, err := query.ParseText(many(n, "a<1", " or "))
			return err
		},
		"tree": func(n int) error {
			one := encode([]any{"lt", "a", int64(1)})
			tree := msgpack.AppendString(msgpack.AppendArray(nil, n), "or")
			for range n - 1 { // the or itself is one
				tree = append(tree, one...)
			}
			_, err := query.Parse(tree)
			return err
		},
		"fields of a filter": func(n int) error {
			filter := msgpack.AppendMap(nil, n-1)
			for i := range n - 1 {
				filter = msgpack.AppendInt(msgpack.AppendString(filter, "f"+strconv.Itoa(i)), 1)
			}
			_, err := query.Parse(filter)
			return err
		},
		"texts in a tree": func(n int) error {
			tree := msgpack.AppendString(msgpack.AppendArray(nil, 3), "or")
			tree = append(tree, encode(many(n-4, "a<1", " or "))...) // a text is a condition, and so is the or
			_, err := query.Parse(append(tree, encode("a<1")...))
			return err
		},
	} {
		if err := parse(token.MaxTerms); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := parse(token.MaxTerms + 1); err == nil || !strings.Contains(err.Error(), "expected at most 250000 conditions") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if _, err := query.ParseText(strings.Repeat(" ", token.MaxTextBytes) + "a = 1"); err == nil || !strings.Contains(err.Error(), "expected at most 16777216 bytes of text") {
		t.Errorf("the error is %v", err)
	}
}
