package token

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// IsIdentifier reports whether name needs no quotes.
func IsIdentifier(name string, first bool) bool {
	for i, r := range name {
		if i == 0 && first && !startsName(r) || !continuesName(r) {
			return false
		}
	}
	return name != ""
}

// AppendValue writes a MessagePack value as a literal.
func AppendValue(b, v []byte) []byte {
	switch msgpack.KindOf(v) {
	case msgpack.Null:
		return append(b, "null"...)
	case msgpack.False:
		return append(b, "false"...)
	case msgpack.True:
		return append(b, "true"...)
	case msgpack.Number:
		return appendDecimal(b, v)
	case msgpack.String:
		return AppendText(b, string(msgpack.Str(v)))
	case msgpack.Bytes:
		b = base64.StdEncoding.AppendEncode(append(b, "bytes('"...), msgpack.Bin(v))
		return append(b, "')"...)
	case msgpack.Date:
		b = append(append(b, "date('"...), InstantOf(v).String()...)
		return append(b, "')"...)
	case msgpack.Array:
		b = append(b, '[')
		separator := ""
		for element := range msgpack.Elements(v) {
			b = AppendValue(append(b, separator...), element)
			separator = ", "
		}
		return append(b, ']')
	case msgpack.Map:
		b = append(b, '{')
		separator := ""
		for key, value := range msgpack.Fields(v) {
			b = append(b, separator...)
			if name := string(key); IsIdentifier(name, true) {
				b = append(b, name...)
			} else {
				b = AppendText(b, name)
			}
			b = AppendValue(append(b, ": "...), value)
			separator = ", "
		}
		return append(b, '}')
	}
	return b
}

func appendDecimal(b, v []byte) []byte {
	if n, ok := msgpack.Int(v); ok {
		return strconv.AppendInt(b, n, 10)
	}
	if n, ok := msgpack.Uint(v); ok {
		return strconv.AppendUint(b, n, 10)
	}
	switch x := msgpack.Float(v); {
	case math.IsNaN(x):
		return append(b, "nan"...)
	case math.IsInf(x, 1):
		return append(b, "inf"...)
	case math.IsInf(x, -1):
		return append(b, "-inf"...)
	default:
		return strconv.AppendFloat(b, x, 'g', -1, 64)
	}
}

// AppendText writes s in quotes, on one line: what cannot be seen as \uXXXX.
func AppendText(b []byte, s string) []byte {
	b = append(b, '\'')
	for _, r := range s {
		switch {
		case r == '\'' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r <= 0xffff && !unicode.IsPrint(r):
			b = append(b, `\u`...)
			for shift := 12; shift >= 0; shift -= 4 {
				b = append(b, "0123456789abcdef"[r>>shift&0xf])
			}
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '\'')
}
