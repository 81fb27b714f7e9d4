package msgpack

import "encoding/binary"

// The functions below find values inside a value. They check no bounds, as Validate has
// accepted the bytes, and they allocate nothing: queries call them for each document.

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
// no such key. If a key is there twice, as in no JavaScript object, the first
// counts.
func Lookup(doc []byte, key string) []byte {
	start, end := Find(doc, key)
	if end == 0 {
		return nil
	}
	return doc[start:end:end]
}

// Find is Lookup that returns where in doc the value lies; end is 0 if there is
// none.
func Find(doc []byte, key string) (start, end int) {
	if KindOf(doc) != Map {
		return 0, 0
	}
	count, pos := int(doc[0]&0x0f), 1
	if doc[0] >= codeMap16 {
		count, pos = Container(doc)
	}
	// Nearly every other key differs from this one in its first byte, which
	// holds its length, or in its last, and comparing whole texts is a call.
	first, last := fixedStrLow|byte(len(key)), byte(fixedStrLow)
	if len(key) > 0 {
		last = key[len(key)-1]
	}
	for ; ; count-- {
		if count == 0 {
			return 0, 0
		}
		at, c := pos, doc[pos]
		if c >= codeStr8 {
			pos += Skip(doc[pos:])
			if string(Str(doc[at:])) == key {
				break
			}
		} else {
			pos += 1 + int(c&maxFixedStr)
			if c == first && doc[pos-1] == last && string(doc[at+1:pos]) == key {
				break
			}
		}
		if l := layouts[doc[pos]]; l.isWhole() {
			pos += l.size()
		} else {
			pos += Skip(doc[pos:])
		}
	}
	l := layouts[doc[pos]]
	if l.isWhole() {
		return pos, pos + l.size()
	}
	return pos, pos + Skip(doc[pos:])
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
