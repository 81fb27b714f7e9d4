package msgpack_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// many returns n different values, so many that their container has a longer header.
func many(n int) [][]byte {
	values := make([][]byte, n)
	for i := range values {
		values[i] = list(integer(int64(i)), str("x"))
	}
	return values
}

func TestElements(t *testing.T) {
	for _, want := range [][][]byte{
		nil,
		{str("a")},
		{integer(1), list(integer(2), integer(3)), object("k", list())},
		many(15), many(16), many(1 << 16),
	} {
		array := list(want...)
		// What follows the value is none of its elements.
		if got := slices.Collect(msgpack.Elements(append(array, 0x01))); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("of %d elements, Elements returns %d: %x", len(want), len(got), got)
		}
		if got := msgpack.List(array); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("of %d elements, List returns %d: %x", len(want), len(got), got)
		}
		if got := msgpack.Count(array); got != len(want) {
			t.Errorf("Count of %d elements is %d", len(want), got)
		}
	}
}

func TestFields(t *testing.T) {
	for _, count := range []int{0, 1, 15, 16, 1 << 16} {
		var keys []string
		var written []any
		values := many(count)
		for i, v := range values {
			keys = append(keys, "key"+string(rune('a'+i%26)))
			written = append(written, keys[i], v)
		}
		m := object(written...)
		i := 0
		for key, value := range msgpack.Fields(append(m, 0x01)) {
			if string(key) != keys[i] || !bytes.Equal(value, values[i]) {
				t.Fatalf("field %d of %d is %q: %x, want %q: %x", i, count, key, value, keys[i], values[i])
			}
			i++
		}
		if i != count || msgpack.Count(m) != count {
			t.Errorf("of %d fields, Fields returns %d and Count %d", count, i, msgpack.Count(m))
		}
	}
}

func TestSortedFields(t *testing.T) {
	m := object("b", integer(1), "", integer(2), "aa", integer(3), "b", integer(4), "a", list())
	var got []string
	for key, value := range msgpack.SortedFields(m) {
		got = append(got, string(key)+string(value))
		if len(got) == 5 {
			break
		}
	}
	if want := []string{"\x02", "a\x90", "aa\x03", "b\x01", "b\x04"}; !slices.Equal(got, want) {
		t.Errorf("SortedFields returns %q, want %q", got, want)
	}
}

func TestValues(t *testing.T) {
	for _, want := range [][][]byte{nil, {str("a")}, {object("k", integer(1)), integer(1), list(list())}, many(100)} {
		if got := slices.Collect(msgpack.Values(bytes.Join(want, nil))); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("of %d values, Values returns %d: %x", len(want), len(got), got)
		}
	}
}

// TestIterators_otherKinds: what is no array has no elements, and what is no map
// has no fields.
func TestIterators_otherKinds(t *testing.T) {
	array, m := list(integer(1)), object("a", integer(1))
	for _, v := range [][]byte{nil, bin("c0"), integer(5), str("ab"), bin("c4 01 61"), bin("d6 ff 00000001"), array, m} {
		kind := msgpack.KindOf(v)
		for range msgpack.Elements(v) {
			if kind != msgpack.Array {
				t.Errorf("%x, of kind %s, has an element", v, kind)
			}
		}
		for range msgpack.Fields(v) {
			if kind != msgpack.Map {
				t.Errorf("%x, of kind %s, has a field", v, kind)
			}
		}
		if got := msgpack.Count(v); kind < msgpack.Array && got != 0 {
			t.Errorf("Count(%x) = %d", v, got)
		}
	}
}

func TestIterators_stop(t *testing.T) {
	two := list(integer(1), integer(2))
	for v := range msgpack.Elements(two) {
		if !bytes.Equal(v, integer(1)) {
			t.Errorf("Elements goes on to %x", v)
		}
		break
	}
	for key := range msgpack.Fields(object("a", integer(1), "b", integer(2))) {
		if string(key) != "a" {
			t.Errorf("Fields goes on to %q", key)
		}
		break
	}
	for v := range msgpack.Values(two[1:]) {
		if !bytes.Equal(v, integer(1)) {
			t.Errorf("Values goes on to %x", v)
		}
		break
	}
}

// TestIterators_appendCopies: what is appended to a borrowed value does not
// overwrite its neighbour.
func TestIterators_appendCopies(t *testing.T) {
	array, m := list(integer(1), integer(2)), object("a", integer(1), "b", integer(2))
	check := func(name string, whole, v []byte) {
		before := bytes.Clone(whole)
		if _ = append(v, 0xc1); !bytes.Equal(whole, before) {
			t.Errorf("%s: append to %x changed %x to %x", name, v, before, whole)
		}
	}
	for v := range msgpack.Elements(array) {
		check("Elements", array, v)
	}
	for _, v := range msgpack.Fields(m) {
		check("Fields", m, v)
	}
	for v := range msgpack.Values(array[1:]) {
		check("Values", array, v)
	}
}

func TestIterators_allocateNothing(t *testing.T) {
	doc, found := person(), 0
	if allocs := testing.AllocsPerRun(100, func() {
		for _, value := range msgpack.Fields(doc) {
			for range msgpack.Elements(value) {
				found++
			}
		}
		for range msgpack.Values(doc) {
			found++
		}
	}); allocs > 0 || found == 0 {
		t.Errorf("%g allocations, %d values found", allocs, found)
	}
}

// BenchmarkFields visits the fields of one document, and the loop beside it does
// the same by hand.
func BenchmarkFields(b *testing.B) {
	for _, d := range benchmarkDocuments {
		b.Run(d.name+"/iterator", func(b *testing.B) {
			for b.Loop() {
				size := 0
				for key, value := range msgpack.Fields(d.doc) {
					size += len(key) + len(value)
				}
				if size == 0 {
					b.Fatal("no fields")
				}
			}
		})
		b.Run(d.name+"/loop", func(b *testing.B) {
			for b.Loop() {
				size := 0
				count, pos := msgpack.Container(d.doc)
				for ; count > 0; count-- {
					size += len(msgpack.Str(d.doc[pos:]))
					pos += msgpack.Skip(d.doc[pos:])
					n := msgpack.Skip(d.doc[pos:])
					size += n
					pos += n
				}
				if size == 0 {
					b.Fatal("no fields")
				}
			}
		})
	}
}

// BenchmarkElements looks for the last of 10 integers.
func BenchmarkElements(b *testing.B) {
	var values [][]byte
	for i := range int64(10) {
		values = append(values, integer(1000*i))
	}
	array, want := list(values...), values[9]
	b.Run("iterator", func(b *testing.B) {
		for b.Loop() {
			found := false
			for v := range msgpack.Elements(array) {
				if bytes.Equal(v, want) {
					found = true
					break
				}
			}
			if !found {
				b.Fatal("not found")
			}
		}
	})
	b.Run("loop", func(b *testing.B) {
		for b.Loop() {
			found := false
			count, pos := msgpack.Container(array)
			for ; count > 0; count-- {
				n := msgpack.Skip(array[pos:])
				if bytes.Equal(array[pos:pos+n], want) {
					found = true
					break
				}
				pos += n
			}
			if !found {
				b.Fatal("not found")
			}
		}
	})
}
