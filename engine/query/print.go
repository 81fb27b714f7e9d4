package query

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// String writes the condition as text, which ParseText reads back as the same
// Filter. Outside Any the empty path, which no parser yields there, has no
// text that can be read.
func (f *Filter) String() string { return string(f.appendText(nil)) }

func (f *Filter) appendText(b []byte) []byte {
	switch f.Op {
	case OpTrue, OpFalse:
		return append(b, f.Op.String()...)
	case OpAnd, OpOr:
		for i, kid := range f.Kids {
			if i > 0 {
				b = append(append(append(b, ' '), f.Op.String()...), ' ')
			}
			if f.Op == OpAnd && kid.Op == OpOr {
				b = kid.appendParenthesis(b)
			} else {
				b = kid.appendText(b)
			}
		}
		return b
	case OpNot:
		return f.Kids[0].appendNot(b)
	}
	b = appendPath(b, f.Path)
	switch f.Op {
	case OpEq:
		return appendValue(append(b, " = "...), f.Value)
	case OpGt:
		return appendValue(append(b, " > "...), f.Value)
	case OpGte:
		return appendValue(append(b, " >= "...), f.Value)
	case OpLt:
		return appendValue(append(b, " < "...), f.Value)
	case OpLte:
		return appendValue(append(b, " <= "...), f.Value)
	case OpBetween:
		b = appendValue(append(b, " between "...), f.Value)
		return appendValue(append(b, " and "...), f.High)
	case OpIn:
		return f.appendList(append(b, " in ("...))
	case OpMatches:
		return appendText(append(b, " matches "...), f.Pattern)
	case OpStartsWith:
		return appendValue(append(b, " startsWith "...), f.Value)
	case OpContains:
		return appendValue(append(b, " contains "...), f.Value)
	case OpExists:
		return append(b, " exists"...)
	case OpType:
		return append(append(b, " type "...), f.Type.String()...)
	case OpSize:
		return strconv.AppendInt(append(b, " size "...), int64(f.Size), 10)
	case OpAny:
		return f.Kids[0].appendParenthesis(append(b, " any "...))
	}
	return b
}

func (f *Filter) appendParenthesis(b []byte) []byte {
	return append(f.appendText(append(b, '(')), ')')
}

// appendNot writes the complement of f, as people do.
func (f *Filter) appendNot(b []byte) []byte {
	switch f.Op {
	case OpEq:
		return appendValue(append(appendPath(b, f.Path), " != "...), f.Value)
	case OpIn:
		return f.appendList(append(appendPath(b, f.Path), " not in ("...))
	}
	return f.appendParenthesis(append(b, "not "...))
}

// appendList writes Values and the parenthesis that closes them.
func (f *Filter) appendList(b []byte) []byte {
	for i, v := range f.Values {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = appendValue(b, v)
	}
	return append(b, ')')
}

func appendPath(b []byte, p Path) []byte {
	if p.IsEmpty() {
		return append(b, "this"...)
	}
	plain := !isReserved(p.text) && !sameWord(p.parts[0].name, "this")
	for i, part := range p.parts {
		plain = plain && isIdentifier(part.name, i == 0)
	}
	if plain {
		return append(b, p.text...)
	}
	b = append(b, '`')
	b = append(b, strings.ReplaceAll(p.text, "`", "``")...)
	return append(b, '`')
}

// isIdentifier reports whether name needs no quotes.
func isIdentifier(name string, first bool) bool {
	for i, r := range name {
		if i == 0 && first && !startsName(r) || !continuesName(r) {
			return false
		}
	}
	return name != ""
}

func appendValue(b, v []byte) []byte {
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
		return appendText(b, string(msgpack.Str(v)))
	case msgpack.Bytes:
		b = base64.StdEncoding.AppendEncode(append(b, "bytes('"...), msgpack.Bin(v))
		return append(b, "')"...)
	case msgpack.Date:
		b = append(append(b, "date('"...), instantOf(v).String()...)
		return append(b, "')"...)
	case msgpack.Array:
		b = append(b, '[')
		count, pos := msgpack.Container(v)
		for i := range count {
			if i > 0 {
				b = append(b, ", "...)
			}
			n := msgpack.Skip(v[pos:])
			b = appendValue(b, v[pos:pos+n])
			pos += n
		}
		return append(b, ']')
	case msgpack.Map:
		b = append(b, '{')
		for i, f := range fieldsOf(v) {
			if i > 0 {
				b = append(b, ", "...)
			}
			if isIdentifier(f.name, true) {
				b = append(b, f.name...)
			} else {
				b = appendText(b, f.name)
			}
			b = appendValue(append(b, ": "...), f.value)
		}
		return append(b, '}')
	}
	return b
}

func appendDecimal(b, v []byte) []byte {
	if n, ok := msgpack.Int(v); ok {
		return strconv.AppendInt(b, n, 10)
	}
	if msgpack.IsInt(v) {
		return strconv.AppendUint(b, bigUint(v), 10)
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

// appendText writes s in quotes, on one line: what cannot be seen as \uXXXX.
func appendText(b []byte, s string) []byte {
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
