package msgpack

import (
	"encoding/binary"
	"strconv"
	"unicode/utf8"
)

// A Fault says why Validate refused a value, and where in it.
type Fault struct {
	Path   string // "tags.2"; empty for the value itself
	Reason string // "is nested deeper than 100 levels"
}

func (f *Fault) Error() string {
	if f.Path == "" {
		return "the value " + f.Reason
	}
	return f.Path + " " + f.Reason
}

// TooDeep is the reason of a fault about maxDepth.
const TooDeep = "is nested too deep"

const cut = "ends in the middle of a value"

// Validate checks the first value in b and returns its length. It accepts
// what a document may hold: well-formed values, string keys (none of them
// "__proto__", which JavaScript objects cannot carry safely), UTF-8 strings,
// timestamps as the only extension, and containers at most maxDepth deep. The
// error is a *[Fault].
func Validate(b []byte, maxDepth int) (int, error) {
	if n := measure(b, maxDepth); n > 0 {
		return n, nil
	}
	v := validator{b: b}
	if !v.value(maxDepth) {
		return 0, &Fault{Path: v.path, Reason: v.reason}
	}
	return v.pos, nil
}

type validator struct {
	b      []byte
	pos    int
	reason string
	path   string // built while a failure unwinds, so success costs nothing
}

func (v *validator) fail(reason string) bool {
	v.reason = reason
	return false
}

// within puts one more path component in front of a failure's path.
func (v *validator) within(component string) bool {
	if v.path == "" {
		v.path = component
	} else {
		v.path = component + "." + v.path
	}
	return false
}

func (v *validator) value(depth int) bool {
	if v.pos >= len(v.b) {
		return v.fail(cut)
	}
	c := v.b[v.pos]
	switch kinds[c] {
	case Null, False, True:
		v.pos++
		return true
	case Number:
		return v.take(layouts[c].size())
	case String:
		_, ok := v.text()
		return ok
	case Bytes:
		_, ok := v.sized(codeBin8)
		return ok
	case Date:
		return v.date()
	case Array:
		n, ok := v.header(depth)
		for i := 0; ok && i < n; i++ {
			if !v.value(depth - 1) {
				return v.within(strconv.Itoa(i))
			}
		}
		return ok
	case Map:
		n, ok := v.header(depth)
		for ; ok && n > 0; n-- {
			at := v.pos
			if !v.key() {
				return false
			}
			if !v.value(depth - 1) {
				return v.within(string(Str(v.b[at:])))
			}
		}
		return ok
	}
	return v.unknown(c)
}

// key checks a key.
func (v *validator) key() bool {
	key, ok := v.text()
	if ok && string(key) == "__proto__" {
		return v.fail("has a field named __proto__")
	}
	return ok
}

// unknown words the refusal of a first byte that starts no document value.
func (v *validator) unknown(c byte) bool {
	if isExt(c) {
		return v.fail("holds a MessagePack extension other than a timestamp")
	}
	return v.fail("holds the byte 0xc1, which is no MessagePack")
}

func (v *validator) take(n int) bool {
	if n > len(v.b)-v.pos {
		return v.fail(cut)
	}
	v.pos += n
	return true
}

// text reads a string.
func (v *validator) text() ([]byte, bool) {
	if v.pos >= len(v.b) {
		return nil, v.fail(cut)
	}
	var s []byte
	ok := true
	if c := v.b[v.pos]; c&0xe0 == fixedStrLow {
		start := v.pos + 1
		if ok = v.take(1 + int(c&0x1f)); ok {
			s = v.b[start:v.pos]
		}
	} else if kinds[c] != String {
		return nil, v.fail("has a field name that is not a string")
	} else {
		s, ok = v.sized(codeStr8)
	}
	if !ok {
		return nil, false
	}
	if !utf8.Valid(s) {
		return nil, v.fail("holds text that is not well-formed Unicode (a lone surrogate?)")
	}
	return s, true
}

// sized reads a string or bytes whose length takes 1, 2 or 4 bytes; c8 is the
// code of the first of these three encodings.
func (v *validator) sized(c8 byte) ([]byte, bool) {
	width := 1 << (v.b[v.pos] - c8)
	start := v.pos + 1 + width
	if start > len(v.b) {
		return nil, v.fail(cut)
	}
	n := 0
	for _, digit := range v.b[v.pos+1 : start] {
		n = n<<8 | int(digit)
	}
	if n > len(v.b)-start {
		return nil, v.fail(cut)
	}
	v.pos = start + n
	return v.b[start:v.pos], true
}

// header reads the header of a container. A count that the remaining bytes
// cannot hold is refused here, so that hostile counts cost nothing.
func (v *validator) header(depth int) (int, bool) {
	c := v.b[v.pos]
	if depth <= 0 {
		return 0, v.fail(TooDeep)
	}
	width := 0
	switch c {
	case codeArray16, codeMap16:
		width = 2
	case codeArray32, codeMap32:
		width = 4
	}
	if width >= len(v.b)-v.pos {
		return 0, v.fail(cut)
	}
	n, header := Container(v.b[v.pos:])
	v.pos += header
	if n > len(v.b)-v.pos {
		return 0, v.fail(cut)
	}
	return n, true
}

// date reads a timestamp extension in one of its three lengths.
func (v *validator) date() bool {
	start := v.pos
	if len(v.b)-start < 3 {
		return v.fail(cut)
	}
	kind := v.b[start+1]
	if v.b[start] == codeExt8 {
		if v.b[start+1] != 12 {
			return v.fail("holds a MessagePack extension other than a timestamp")
		}
		kind = v.b[start+2]
	}
	if kind != 0xff {
		return v.fail("holds a MessagePack extension other than a timestamp")
	}
	if !v.take(Skip(v.b[start:])) {
		return false
	}
	nanos := uint32(0)
	switch v.b[start] {
	case codeFixExt8:
		nanos = uint32(binary.BigEndian.Uint64(v.b[start+2:]) >> 34)
	case codeExt8:
		nanos = binary.BigEndian.Uint32(v.b[start+3:])
	}
	if nanos > 999_999_999 {
		return v.fail("holds an invalid date")
	}
	return true
}

func isExt(c byte) bool {
	return c >= codeFixExt1 && c <= codeFixExt16 || c >= codeExt8 && c <= codeExt32
}
