package engine

import (
	"bytes"
	"testing"
)

// Chunks that are allocated together must not overlap, and every place must stay a place.
func TestArenaSlabs(t *testing.T) {
	var a arena
	refs := []ref{}
	doc := func(n int) []byte { return bytes.Repeat([]byte{byte(n), byte(n >> 8)}, 100_000+n) }
	const count = 600
	for n := range count {
		r, ok := a.put(doc(n))
		if !ok {
			t.Fatal("it is full")
		}
		refs = append(refs, r)
	}
	for n, r := range refs {
		if want := doc(n); !bytes.Equal(a.get(r, len(want)), want) {
			t.Fatalf("document %d has changed", n)
		}
	}
	for i, chunk := range a.chunks {
		if cap(chunk) != chunkBytes && i > 0 {
			t.Errorf("chunk %d has room for %d bytes", i, cap(chunk))
		}
	}
	if len(a.spare) >= maxSlab*chunkBytes {
		t.Errorf("%d bytes are spare", len(a.spare))
	}
}
