package msgpack

import (
	"encoding/binary"
	"math"
)

// Container returns how many elements an array or how many pairs a map has,
// and the length of the header that its body follows; 0, 0 for other kinds.
func Container(v []byte) (count, header int) {
	if len(v) == 0 {
		return 0, 0
	}
	switch c := v[0]; {
	case c&0xe0 == fixedMapLow: // or fixedArrayLow, its neighbour
		return int(c & 0x0f), 1
	case c == codeArray16, c == codeMap16:
		return int(binary.BigEndian.Uint16(v[1:])), 3
	case c == codeArray32, c == codeMap32:
		return int(binary.BigEndian.Uint32(v[1:])), 5
	}
	return 0, 0
}

// Lookup returns the value of key in the map doc; nil if doc is no map or has
// no such key. Of equal keys, which no JavaScript object has, the first counts.
func Lookup(doc []byte, key string) []byte {
	if KindOf(doc) != Map {
		return nil
	}
	// Nearly every other key differs from this one in its first or last byte,
	// and comparing whole texts is a call.
	first, last := byte(0), byte(0) // 0 starts no key: long keys never match here
	if n := len(key); n <= maxFixedStr {
		first = fixedStrLow | byte(n)
		last = first
		if n > 0 {
			last = key[n-1]
		}
	}
	count, pos := Container(doc)
	for ; count > 0; count-- {
		c := doc[pos]
		start := pos
		l := layouts[c]
		pos += l.size()
		if l == 0 {
			pos += Skip(doc[pos:])
			if string(Str(doc[start:])) == key {
				return value(doc, pos)
			}
		} else if c == first && doc[pos-1] == last && string(doc[start+1:pos]) == key {
			return value(doc, pos)
		}
		if l = layouts[doc[pos]]; l.isWhole() {
			pos += l.size()
		} else {
			pos += Skip(doc[pos:])
		}
	}
	return nil
}

// value returns the value at pos, which an append to it does not overwrite.
func value(b []byte, pos int) []byte {
	end := pos + Skip(b[pos:])
	return b[pos:end:end]
}

// Str returns the bytes of a string value, which b starts with; nil for other kinds.
func Str(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	switch c := b[0]; {
	case c&0xe0 == fixedStrLow:
		return b[1 : 1+int(c&0x1f)]
	case c == codeStr8:
		return b[2 : 2+int(b[1])]
	case c == codeStr16:
		return b[3 : 3+int(binary.BigEndian.Uint16(b[1:]))]
	case c == codeStr32:
		return b[5 : 5+int(binary.BigEndian.Uint32(b[1:]))]
	}
	return nil
}

// Bin returns the content of a bytes value, which b starts with; nil for other kinds.
func Bin(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	switch b[0] {
	case codeBin8:
		return b[2 : 2+int(b[1])]
	case codeBin16:
		return b[3 : 3+int(binary.BigEndian.Uint16(b[1:]))]
	case codeBin32:
		return b[5 : 5+int(binary.BigEndian.Uint32(b[1:]))]
	}
	return nil
}

// IsInt reports whether v is a number in one of the integer encodings.
func IsInt(v []byte) bool {
	return KindOf(v) == Number && v[0] != codeFloat && v[0] != codeDouble
}

// Int returns the integer v; false if v is no integer or above the int64 range.
func Int(v []byte) (int64, bool) {
	n, big, isInt := integer(v)
	return n, isInt && !big
}

// integer returns v as an int64; big means that it is a uint64 above the
// int64 range, whose bits n then holds.
func integer(v []byte) (n int64, big, isInt bool) {
	if len(v) == 0 {
		return 0, false, false
	}
	c := v[0]
	if int8(c) >= -32 {
		return int64(int8(c)), false, true
	}
	switch c {
	case codeUint8:
		return int64(v[1]), false, true
	case codeUint16:
		return int64(binary.BigEndian.Uint16(v[1:])), false, true
	case codeUint32:
		return int64(binary.BigEndian.Uint32(v[1:])), false, true
	case codeUint64:
		u := binary.BigEndian.Uint64(v[1:])
		return int64(u), u > math.MaxInt64, true
	case codeInt8:
		return int64(int8(v[1])), false, true
	case codeInt16:
		return int64(int16(binary.BigEndian.Uint16(v[1:]))), false, true
	case codeInt32:
		return int64(int32(binary.BigEndian.Uint32(v[1:]))), false, true
	case codeInt64:
		return int64(binary.BigEndian.Uint64(v[1:])), false, true
	}
	return 0, false, false
}

// Float returns the number v, rounded to the nearest float64 where it is an
// integer beyond 2^53; NaN for other kinds.
func Float(v []byte) float64 {
	if n, big, isInt := integer(v); isInt {
		if big {
			return float64(uint64(n))
		}
		return float64(n)
	}
	if len(v) > 0 {
		switch v[0] {
		case codeFloat:
			return float64(math.Float32frombits(binary.BigEndian.Uint32(v[1:])))
		case codeDouble:
			return math.Float64frombits(binary.BigEndian.Uint64(v[1:]))
		}
	}
	return math.NaN()
}

// Time returns the instant of a date value as seconds since 1970 and
// nanoseconds after them.
func Time(v []byte) (seconds int64, nanos uint32) {
	if len(v) == 0 {
		return 0, 0
	}
	switch v[0] {
	case codeFixExt4:
		return int64(binary.BigEndian.Uint32(v[2:])), 0
	case codeFixExt8:
		x := binary.BigEndian.Uint64(v[2:])
		return int64(x & (1<<34 - 1)), uint32(x >> 34)
	case codeExt8:
		return int64(binary.BigEndian.Uint64(v[7:])), binary.BigEndian.Uint32(v[3:])
	}
	return 0, 0
}

// DateMillis returns the instant of a date value in milliseconds since 1970,
// as JavaScript's Date counts.
func DateMillis(v []byte) float64 {
	seconds, nanos := Time(v)
	return float64(seconds)*1000 + float64(nanos)/1e6
}
