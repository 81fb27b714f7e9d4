package query_test

import (
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/query"
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
