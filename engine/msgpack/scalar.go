package msgpack

import (
	"encoding/binary"
	"unicode/utf8"
)

// scalar checks the value that b starts with, which is no container, and
// returns its length, or why it is refused.
func scalar(b []byte) (n int, reason string) {
	if len(b) == 0 {
		return 0, cut
	}
	c := b[0]
	switch kinds[c] {
	case Null, False, True:
		return 1, ""
	case Number:
		if n = layouts[c].size(); n <= len(b) {
			return n, ""
		}
		return 0, cut
	case String:
		start, end := 1, 1+int(c&maxFixedStr)
		if c >= codeStr8 {
			start, end = span(b, codeStr8)
		}
		if end > len(b) {
			return 0, cut
		}
		if text := b[start:end]; !isASCII(text) && !utf8.Valid(text) {
			return 0, badText
		}
		return end, ""
	case Bytes:
		if _, end := span(b, codeBin8); end <= len(b) {
			return end, ""
		}
		return 0, cut
	case Date:
		return date(b)
	}
	if c == codeNever {
		return 0, neverStarts
	}
	return 0, extension
}

// span returns where the content of a string or of bytes starts and ends. Its
// length is in the 1, 2 or 4 bytes after the first; the end is beyond b if the
// value is cut. c8 is the code for 1 byte; those for 2 and 4 follow it.
func span(b []byte, c8 byte) (start, end int) {
	start = 1 + 1<<(b[0]-c8)
	if start > len(b) {
		return start, start
	}
	n := 0
	for _, digit := range b[1:start] {
		n = n<<8 | int(digit)
	}
	return start, start + n
}

// checkedHeader returns the count and the length of a container's header; 0, 0
// if b ends in it. So it does for a count that the remaining bytes cannot hold:
// hostile counts cost nothing.
func checkedHeader(b []byte) (n, size int) {
	c := b[0]
	if c <= fixedArrayHigh {
		n, size = int(c&0x0f), 1
	} else if size = 3 + 2*int(c&1); size <= len(b) { // the codes of 16 bits are even
		n, size = Container(b)
	}
	if n > len(b)-size {
		return 0, 0
	}
	return n, size
}

// date checks a timestamp extension in one of its three lengths.
func date(b []byte) (n int, reason string) {
	kind := 1
	if b[0] == codeExt8 {
		kind = 2
	}
	if len(b) <= kind {
		return 0, cut
	}
	if b[kind] != timestamp || kind == 2 && b[1] != 12 {
		return 0, extension
	}
	if n = Skip(b); n > len(b) {
		return 0, cut
	}
	nanos := uint32(0)
	switch n {
	case 10:
		nanos = binary.BigEndian.Uint32(b[2:]) >> 2
	case 15:
		nanos = binary.BigEndian.Uint32(b[3:])
	}
	if nanos > 999_999_999 {
		return 0, badDate
	}
	return n, ""
}

// isASCII reports whether all of s is ASCII, eight bytes at a time; the last
// words overlap, so that no byte is left to look at alone.
func isASCII(s []byte) bool {
	n := len(s)
	switch {
	case n >= 8:
		high := binary.LittleEndian.Uint64(s[n-8:])
		for ; len(s) >= 8; s = s[8:] {
			high |= binary.LittleEndian.Uint64(s)
		}
		return high&0x8080808080808080 == 0
	case n >= 4:
		return (binary.LittleEndian.Uint32(s)|binary.LittleEndian.Uint32(s[n-4:]))&0x80808080 == 0
	case n > 0:
		return s[0]|s[n/2]|s[n-1] < 0x80
	}
	return true
}
