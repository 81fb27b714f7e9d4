package engine

import (
	"encoding/binary"
	"math"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A key is a value squeezed into a word. Without their lowest bit, keys compare
// as the values do, or are equal where the word is too short to tell. The lowest
// bit is a flag that says so. Sorting and searching look at documents only for
// values that have the same key.
//
// From the top: 4 bits of kind; then, by kind, 59 bits of a float64 made
// sortable, the first 7 bytes and 3 bits of length of a string, or the key of an
// array's first element; the flag.
type key uint64

const inexact key = 1

// keyOf returns the key of v. A missing value, nil, has the first key.
func keyOf(v []byte) key {
	kind := msgpack.KindOf(v)
	k := key(kind) << 60
	switch kind {
	case msgpack.Number:
		x := msgpack.Float(v)
		bits, short := sortable(x)
		k |= bits
		if short || msgpack.IsInt(v) && math.Abs(x) >= 1<<53 { // Float may have rounded
			k |= inexact
		}
	case msgpack.Date:
		bits, short := sortable(msgpack.DateMillis(v))
		k |= bits
		if _, nanos := msgpack.Time(v); short || nanos%1e6 != 0 || math.Abs(msgpack.DateMillis(v)) >= 1<<53 {
			k |= inexact
		}
	case msgpack.String:
		k |= textKey(msgpack.Str(v))
	case msgpack.Bytes:
		k |= textKey(msgpack.Bin(v))
	case msgpack.Array: // by its first element, without 5 bits of that key; an empty array comes first
		if count, header := msgpack.Container(v); count > 0 {
			first := v[header:]
			k |= keyOf(first[:msgpack.Skip(first)]) >> 5 << 1
		}
		k |= inexact
	case msgpack.Map:
		k |= inexact
	}
	return k
}

// sortable returns the upper 59 bits of x, at their place in a key and ordered as
// numbers are, with NaN first. short means that lower bits were lost.
func sortable(x float64) (bits key, short bool) {
	if math.IsNaN(x) {
		return 0, false
	}
	b := sortableBits(x)
	// In an exact negative number, the lost bits are ones.
	exact := uint64(0)
	if b>>63 == 0 {
		exact = lostBits
	}
	return key(b>>5) << 1, b&lostBits != exact
}

// lostBits are the bits of a sortable float64 that a key has no room for.
const lostBits = 31

// sortableBits returns a word that is ordered as numbers are; x is not NaN.
func sortableBits(x float64) uint64 {
	b := math.Float64bits(x + 0) // -0 + 0 is 0
	if b>>63 == 1 {
		return ^b
	}
	return b | 1<<63
}

// tailOf returns what comes after the key of v: the bits of a number that the
// key lost, or the next bytes of a text. Where the keys of two values agree and
// do not tell, tails compare as the values do; they have a flag of their own. A
// value with an exact key has a tail too, because its key may agree with an
// inexact one.
func tailOf(v []byte) key {
	switch msgpack.KindOf(v) {
	case msgpack.Number:
		x := msgpack.Float(v)
		if math.IsNaN(x) {
			return 0
		}
		tail := key(sortableBits(x)&lostBits) << 1
		if msgpack.IsInt(v) && math.Abs(x) >= 1<<53 {
			tail |= inexact
		}
		return tail
	case msgpack.String:
		return textTail(msgpack.Str(v))
	case msgpack.Bytes:
		return textTail(msgpack.Bin(v))
	}
	return inexact
}

func textTail(s []byte) key { return textKey(s[min(inKey, len(s)):]) }

// inKey is how many bytes of a text its key holds.
const inKey = 7

func textKey(s []byte) key {
	var head [8]byte
	n := copy(head[:inKey], s)
	k := key(binary.BigEndian.Uint64(head[:]))>>4 | key(n)<<1
	if len(s) > inKey {
		k |= inexact
	}
	return k
}

// compareKeys compares two keys. If sure is false, the values must be compared.
func compareKeys(a, b key) (c int, sure bool) {
	switch {
	case a>>1 < b>>1:
		return -1, true
	case a>>1 > b>>1:
		return 1, true
	}
	return 0, (a|b)&inexact == 0
}
