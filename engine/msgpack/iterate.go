package msgpack

import "iter"

// Elements returns the elements of an array, in order; none of other kinds.
// They borrow from array.
func Elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		count, pos := container(array, Array)
		for ; count > 0; count-- {
			end := pos + Skip(array[pos:])
			if !yield(array[pos:end:end]) {
				return
			}
			pos = end
		}
	}
}

// List is Elements as a slice. It allocates.
func List(array []byte) [][]byte {
	list := make([][]byte, 0, Count(array))
	for v := range Elements(array) {
		list = append(list, v)
	}
	return list
}

// Fields returns the fields of a map, in the order in which they were written:
// the text of a key, and its value. There are none in other kinds. Both borrow
// from m.
func Fields(m []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		count, pos := container(m, Map)
		for ; count > 0; count-- {
			key := Str(m[pos:])
			pos += Skip(m[pos:])
			end := pos + Skip(m[pos:])
			if !yield(key, m[pos:end:end]) {
				return
			}
			pos = end
		}
	}
}

// SortedFields is Fields in the order of the keys; equal keys stay in the order
// in which they were written. It allocates.
func SortedFields(m []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for _, p := range sortedPairs(m) {
			if !yield(p.key, p.value) {
				return
			}
		}
	}
}

// Values returns the values that b consists of, one after the other, as a
// cursor appends documents. They borrow from b.
func Values(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			n := Skip(b)
			if !yield(b[:n:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// Count returns how many elements an array or how many fields a map has; 0 for
// other kinds.
func Count(v []byte) int {
	count, _ := Container(v)
	return count
}

// container is Container of one kind. The iterators become part of the loops
// that use them, and this does not: inlined too, it makes the wasm 3 kB larger.
//
//go:noinline
func container(v []byte, kind Kind) (count, header int) {
	if KindOf(v) != kind {
		return 0, 0
	}
	return Container(v)
}
