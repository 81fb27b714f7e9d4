package sql

import (
	"math"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// numericOf returns v as a number: of text and bytes the number at the front, else 0, and
// of a boolean 1 or 0. nil for what is no number at all.
func numericOf(v []byte) []byte {
	switch msgpack.KindOf(v) {
	case msgpack.Number:
		return v
	case msgpack.True, msgpack.False:
		return asNumberValue(v)
	case msgpack.String:
		n, _ := numberAtFront(string(msgpack.Str(v)))
		return n
	case msgpack.Bytes:
		n, _ := numberAtFront(string(msgpack.Bin(v)))
		return n
	}
	return nil
}

// numberAtFront reads the number that a text begins with, 0 if there is none. all tells
// that nothing else stands in the text but space.
func numberAtFront(text string) (n []byte, all bool) {
	start := 0
	for start < len(text) && isSpace(text[start]) {
		start++
	}
	at := start
	if at < len(text) && (text[at] == '-' || text[at] == '+') {
		at++
	}
	digits := func() bool {
		before := at
		for at < len(text) && text[at] >= '0' && text[at] <= '9' {
			at++
		}
		return at > before
	}
	some, whole := digits(), true
	if at < len(text) && text[at] == '.' {
		at++
		fraction := digits()
		if !some && !fraction {
			return number(0), false
		}
		some, whole = true, false
	}
	if !some {
		return number(0), false
	}
	if end := at; at < len(text) && text[at]|0x20 == 'e' {
		if at++; at < len(text) && (text[at] == '-' || text[at] == '+') {
			at++
		}
		if digits() {
			whole = false
		} else {
			at = end
		}
	}
	end := at
	for end < len(text) && isSpace(text[end]) {
		end++
	}
	if whole {
		if i, err := strconv.ParseInt(text[start:at], 10, 64); err == nil {
			return number(int(i)), end == len(text)
		}
	}
	x, _ := strconv.ParseFloat(text[start:at], 64) // infinite if it is too large
	return floatValue(x), end == len(text)
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// integerOf returns v as an integer, of a text the one that it begins with, so that '1e3'
// is 1; 0 if it is nothing of the kind.
func integerOf(v []byte) int64 {
	var text string
	switch msgpack.KindOf(v) {
	case msgpack.String:
		text = string(msgpack.Str(v))
	case msgpack.Bytes:
		text = string(msgpack.Bin(v))
	default:
		if n := numericOf(v); n != nil {
			return wholePart(n)
		}
		return 0
	}
	text = strings.TrimLeftFunc(text, func(r rune) bool { return r < 0x80 && isSpace(byte(r)) })
	end := 0
	for end < len(text) && (text[end] >= '0' && text[end] <= '9' || end == 0 && (text[end] == '-' || text[end] == '+')) {
		end++
	}
	n, _ := strconv.ParseInt(text[:end], 10, 64) // the nearest one if it is too large
	return n
}

// wholePart returns v, a number, as an integer: without its fraction, and the nearest one
// if there is none as large.
func wholePart(v []byte) int64 {
	if n, ok := msgpack.Int(v); ok {
		return n
	}
	switch x := msgpack.Float(v); {
	case x != x:
		return 0
	case x >= 1<<63:
		return math.MaxInt64
	case x < -1<<63:
		return math.MinInt64
	default:
		return int64(x)
	}
}

// negated returns -v of a number.
func negated(v []byte) []byte {
	if n, ok := msgpack.WholeOf(v); ok {
		if n, ok = n.Negated(); ok {
			return n.Append(nil)
		}
	}
	return floatValue(-msgpack.Float(v))
}

// arithmetic returns a sign b. Integers give an integer, exact as long as MessagePack has
// one that is large enough, and all else a float. Dividing by 0 gives null.
//
//go:noinline
func arithmetic(sign byte, a, b []byte) []byte {
	i, j := a, b // as they were given
	if a, b = numericOf(a), numericOf(b); a == nil || b == nil {
		return null
	}
	switch sign {
	case '&', '|', shiftLeft, shiftRight:
		return msgpack.AppendInt(nil, bitwise(sign, integerOf(i), integerOf(j)))
	case '%':
		return modulo(a, b, integerOf(i), integerOf(j))
	}
	m, ok1 := msgpack.WholeOf(a)
	n, ok2 := msgpack.WholeOf(b)
	x, y := msgpack.Float(a), msgpack.Float(b)
	if sign == '/' && y == 0 {
		return null
	}
	if ok1 && ok2 {
		if whole, ok := wholeArithmetic(sign, m, n); ok {
			return whole.Append(nil)
		}
	}
	switch sign {
	case '+':
		x += y
	case '-':
		x -= y
	case '*':
		x *= y
	default:
		x /= y
	}
	if x != x { // inf - inf
		return null
	}
	return floatValue(x)
}

func wholeArithmetic(sign byte, m, n msgpack.Whole) (msgpack.Whole, bool) {
	switch sign {
	case '+':
		return m.Plus(n)
	case '-':
		return m.Minus(n)
	case '*':
		return m.Times(n)
	}
	return m.Over(n)
}

// modulo returns what a leaves after division by b, of both without their fractions: x and
// y, unless both are integers.
func modulo(a, b []byte, x, y int64) []byte {
	m, ok1 := msgpack.WholeOf(a)
	n, ok2 := msgpack.WholeOf(b)
	if ok1 && ok2 {
		if rest, ok := m.Modulo(n); ok {
			return rest.Append(nil)
		}
		return null
	}
	switch y {
	case 0:
		return null
	case -1:
		return floatValue(0)
	}
	return floatValue(float64(x % y))
}

// bitwise returns a sign b. A shift by less than 0 shifts the other way.
func bitwise(sign byte, a, b int64) int64 {
	switch sign {
	case '&':
		return a & b
	case '|':
		return a | b
	}
	left := sign == shiftLeft
	if b < 0 {
		left = !left
		b = -max(b, -64)
	}
	b = min(b, 64)
	if left {
		return a << b
	}
	return a >> b
}
