package sql

import (
	"math"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// textValue and floatValue are the values of a text and of a float. They are called from
// many places, and inlining them would cost bytes.
//
//go:noinline
func textValue[S string | []byte](s S) []byte { return msgpack.AppendString(nil, s) }

//go:noinline
func floatValue(x float64) []byte { return msgpack.AppendFloat(nil, x) }

// spaced appends c as often as n says.
func spaced(b []byte, c byte, n int) []byte {
	for ; n > 0; n-- {
		b = append(b, c)
	}
	return b
}

// textOf returns v as text, as || and the functions of text take it; false if it has
// none.
func textOf(v []byte) (string, bool) {
	switch msgpack.KindOf(v) {
	case msgpack.String:
		return string(msgpack.Str(v)), true
	case msgpack.Number:
		if n, ok := msgpack.Int(v); ok {
			return strconv.FormatInt(n, 10), true
		}
		if n, ok := msgpack.Uint(v); ok {
			return strconv.FormatUint(n, 10), true
		}
		x := msgpack.Float(v)
		return floatText(x), x == x
	case msgpack.Bytes:
		return string([]rune(string(msgpack.Bin(v)))), true // a byte that is no UTF-8 becomes U+FFFD
	case msgpack.True:
		return "true", true
	case msgpack.False:
		return "false", true
	}
	return "", false
}

// floatText writes a float as SQLite does, with 15 digits, or as many more as tell it from
// others, and a point, so that it reads back as a float.
func floatText(x float64) string {
	switch {
	case x == 0: // also -0
		return "0.0"
	case math.IsInf(x, 1):
		return "Inf"
	case math.IsInf(x, -1):
		return "-Inf"
	}
	if size := math.Abs(x); size >= 1e15 && size < 1e17 {
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	text := ""
	for digits := 15; digits <= 17; digits++ {
		text = strconv.FormatFloat(x, 'g', digits, 64)
		if back, _ := strconv.ParseFloat(text, 64); back == x {
			break
		}
	}
	if strings.Contains(text, ".") {
		return text
	}
	if mantissa, exponent, ok := strings.Cut(text, "e"); ok {
		return mantissa + ".0e" + exponent
	}
	return text + ".0"
}

// asText returns v as text if it is a number, as LIKE takes what is worked out.
func asText(v []byte) []byte {
	if msgpack.KindOf(v) != msgpack.Number {
		return v
	}
	text, _ := textOf(v)
	return textValue(text)
}
