package msgpack

import "encoding/binary"

// A layout is what a value's first byte tells of its length. A table of them
// replaces a tree of comparisons: in wasm as Go compiles it, every branch
// taken costs more than a load.
type layout uint16

// size is the length of the value without its elements; 0 if the first byte
// alone does not tell.
func (l layout) size() int { return int(l & 0xff) }

// elements is how many values follow as its elements: two for a pair of a map.
func (l layout) elements() int { return int(l >> 8) }

// isWhole reports whether size is the length of the whole value.
func (l layout) isWhole() bool { return l-1 < 0xff }

var layouts = func() (t [256]layout) {
	fill := func(first, last, size int) {
		for c := first; c <= last; c++ {
			t[c] = layout(size)
		}
	}
	fill(0, posFixedNumHigh, 1)
	for n := range 16 {
		t[fixedMapLow+n] = layout(1 | 2*n<<8)
		t[fixedArrayLow+n] = layout(1 | n<<8)
	}
	for n := range maxFixedStr + 1 {
		t[fixedStrLow+n] = layout(1 + n)
	}
	t[codeNil], t[codeFalse], t[codeTrue] = 1, 1, 1
	t[codeUint8], t[codeUint16], t[codeUint32], t[codeUint64] = 2, 3, 5, 9
	t[codeInt8], t[codeInt16], t[codeInt32], t[codeInt64] = 2, 3, 5, 9
	t[codeFloat], t[codeDouble] = 5, 9
	t[codeFixExt4], t[codeFixExt8] = 6, 10
	fill(negFixedNumLow, 0xff, 1)
	return t
}()

// SizeBy returns the length of a value that begins with c; 0 if c does not tell it.
func SizeBy(c byte) int {
	if l := layouts[c]; l.isWhole() {
		return l.size()
	}
	return 0
}

// sized returns what layouts leaves open: the length, without elements, and
// the number of elements of a value that says them after its first byte.
func sized(b []byte) (size, elements int) {
	switch b[0] {
	case codeStr8, codeBin8:
		return 2 + int(b[1]), 0
	case codeStr16, codeBin16:
		return 3 + int(binary.BigEndian.Uint16(b[1:])), 0
	case codeStr32, codeBin32:
		return 5 + int(binary.BigEndian.Uint32(b[1:])), 0
	case codeExt8:
		return 3 + int(b[1]), 0
	case codeArray16:
		return 3, int(binary.BigEndian.Uint16(b[1:]))
	case codeArray32:
		return 5, int(binary.BigEndian.Uint32(b[1:]))
	case codeMap16:
		return 3, 2 * int(binary.BigEndian.Uint16(b[1:]))
	case codeMap32:
		return 5, 2 * int(binary.BigEndian.Uint32(b[1:]))
	}
	panic("msgpack: not a value")
}

// Skip returns the length of the first value in b.
func Skip(b []byte) int {
	pos := 0
	for left := 1; left > 0; left-- {
		l := layouts[b[pos]]
		size, elements := l.size(), l.elements()
		if size == 0 {
			size, elements = sized(b[pos:])
		}
		pos += size
		left += elements
	}
	return pos
}
