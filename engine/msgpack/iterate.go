package msgpack

import "iter"

// Elements returns the elements of an array, in order; none of other kinds.
// They borrow from array.
func Elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if KindOf(array) != Array {
			return
		}
		count, pos := Container(array)
		for ; count > 0; count-- {
			end := pos + Skip(array[pos:])
			if !yield(array[pos:end:end]) {
				return
			}
			pos = end
		}
	}
}

// Fields returns the fields of a map, in the order in which they were written:
// the text of a key, and its value. There are none in other kinds. Both borrow
// from m.
func Fields(m []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		if KindOf(m) != Map {
			return
		}
		count, pos := Container(m)
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
