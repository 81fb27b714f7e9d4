package docfile

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/jsontext"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A value that JSON cannot hold is an object with one key, as in MongoDB's
// Extended JSON, version 2:
//
//	{"$date": "2026-11-23T18:00:00Z"}                  a date
//	{"$binary": {"base64": "AAE=", "subType": "00"}}   bytes
//	{"$numberDouble": "NaN"}                           also Infinity and -Infinity
//	{"$literal": {"$date": "tomorrow"}}                an object that looks like one of these; AtomicDB's own
//
// {"$date": {"$numberLong": "1764000000000"}}, in milliseconds, is read too. Whole numbers are integers, and floats have a point or an exponent.
const (
	dateKey    = "$date"
	binaryKey  = "$binary"
	doubleKey  = "$numberDouble"
	longKey    = "$numberLong"
	literalKey = "$literal"
)

func isSpecial(key string) bool {
	return key == dateKey || key == binaryKey || key == doubleKey || key == literalKey
}

// appendJSON appends the MessagePack value v as JSON.
func appendJSON(dst, v []byte) []byte {
	switch kind := msgpack.KindOf(v); kind {
	case msgpack.Null:
		return append(dst, "null"...)
	case msgpack.False:
		return append(dst, "false"...)
	case msgpack.True:
		return append(dst, "true"...)
	case msgpack.Number:
		return appendNumber(dst, v)
	case msgpack.String:
		return appendText(dst, msgpack.Str(v))
	case msgpack.Bytes:
		dst = append(dst, `{"$binary": {"base64": "`...)
		dst = base64.StdEncoding.AppendEncode(dst, msgpack.Bin(v))
		return append(dst, `", "subType": "00"}}`...)
	case msgpack.Date:
		dst = append(dst, `{"$date": `...)
		return append(appendText(dst, []byte(token.InstantOf(v).String())), '}')
	case msgpack.Array:
		return appendArray(dst, v)
	case msgpack.Map:
		return appendObject(dst, v)
	default:
		panic("no JSON of " + kind.String())
	}
}

func appendNumber(dst, v []byte) []byte {
	if n, ok := msgpack.Int(v); ok {
		return strconv.AppendInt(dst, n, 10)
	}
	if n, ok := msgpack.Uint(v); ok {
		return strconv.AppendUint(dst, n, 10)
	}
	x := msgpack.Float(v)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		dst = append(dst, `{"$numberDouble": "`...)
		switch {
		case math.IsNaN(x):
			dst = append(dst, "NaN"...)
		case x > 0:
			dst = append(dst, "Infinity"...)
		default:
			dst = append(dst, "-Infinity"...)
		}
		return append(dst, `"}`...)
	}
	start := len(dst)
	format := byte('f')
	if abs := math.Abs(x); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	dst = strconv.AppendFloat(dst, x, format, -1, 64)
	for _, c := range dst[start:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, ".0"...) // as Python writes it
}

func appendArray(dst, v []byte) []byte {
	dst = append(dst, '[')
	separator := ""
	for element := range msgpack.Elements(v) {
		dst = appendJSON(append(dst, separator...), element)
		separator = ", "
	}
	return append(dst, ']')
}

func appendObject(dst, v []byte) []byte {
	literal := false
	for first := range msgpack.Fields(v) {
		literal = isSpecial(string(first)) // also if more keys follow, because a reader decides after the first key
		break
	}
	if literal {
		dst = append(dst, `{"$literal": `...)
	}
	dst = append(dst, '{')
	separator := ""
	for key, value := range msgpack.Fields(v) {
		dst = append(appendText(append(dst, separator...), key), ": "...)
		dst = appendJSON(dst, value)
		separator = ", "
	}
	dst = append(dst, '}')
	if literal {
		dst = append(dst, '}')
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendText appends a string, with the escapes of JSON.
func appendText(dst, s []byte) []byte {
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(dst, '"')
}

// AppendJSON appends a MessagePack value, which has been validated, as the JSON that a
// file has.
func AppendJSON(dst, v []byte) []byte { return appendJSON(dst, v) }

// SpecialOf returns the value that an object with one key stands for, of which content is
// the value, as MessagePack; nil if it stands for none. special says whether the key is
// one of those that JSON needs. "$literal" stands for its content.
func SpecialOf(key string, content []byte) (value []byte, special bool) {
	switch key {
	case literalKey:
		return content, true
	case dateKey:
		return dateOf(content), true
	case binaryKey:
		return bytesOf(content), true
	case doubleKey:
		return doubleOf(content), true
	}
	return nil, false
}

// parseJSON returns a text of JSON as MessagePack.
func parseJSON(text []byte, maxDepth int) ([]byte, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // some editors on Windows write it first
	value, at, wrong := jsontext.Parse(text, maxDepth, &jsontext.Extension{ValueOf: SpecialOf, Literal: literalKey})
	if wrong != "" {
		line := 1 + bytes.Count(text[:at], []byte("\n"))
		column := at - bytes.LastIndexByte(text[:at], '\n')
		return nil, invalid("line " + strconv.Itoa(line) + " column " + strconv.Itoa(column) + ": " + wrong)
	}
	return value, nil
}

func dateOf(content []byte) []byte {
	switch msgpack.KindOf(content) {
	case msgpack.String:
		if t, wrong := token.ParseDate(string(msgpack.Str(content))); wrong == "" {
			return token.AppendTime(nil, t)
		}
	case msgpack.Map:
		if long := textOf(content, longKey); long != "" {
			if millis, err := strconv.ParseInt(long, 10, 64); err == nil {
				return msgpack.AppendDate(nil, millis)
			}
		}
	}
	return nil
}

func bytesOf(content []byte) []byte {
	if msgpack.KindOf(content) != msgpack.Map || msgpack.Lookup(content, "base64") == nil {
		return nil
	}
	decoded, err := base64.StdEncoding.DecodeString(textOf(content, "base64"))
	if err != nil {
		return nil
	}
	return msgpack.AppendBin(nil, decoded)
}

func doubleOf(content []byte) []byte {
	if msgpack.KindOf(content) != msgpack.String {
		return nil
	}
	x, err := strconv.ParseFloat(string(msgpack.Str(content)), 64)
	if err != nil {
		return nil
	}
	return msgpack.AppendFloat(nil, x)
}

// textOf returns the string at a key of a map, "" if there is none.
func textOf(m []byte, key string) string {
	if v := msgpack.Lookup(m, key); v != nil && msgpack.KindOf(v) == msgpack.String {
		return string(msgpack.Str(v))
	}
	return ""
}
