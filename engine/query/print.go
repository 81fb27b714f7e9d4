package query

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/query/token"
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
		return token.AppendValue(append(b, " = "...), f.Value)
	case OpGt:
		return token.AppendValue(append(b, " > "...), f.Value)
	case OpGte:
		return token.AppendValue(append(b, " >= "...), f.Value)
	case OpLt:
		return token.AppendValue(append(b, " < "...), f.Value)
	case OpLte:
		return token.AppendValue(append(b, " <= "...), f.Value)
	case OpBetween:
		b = token.AppendValue(append(b, " between "...), f.Value)
		return token.AppendValue(append(b, " and "...), f.High)
	case OpIn:
		return f.appendList(append(b, " in ("...))
	case OpMatches:
		return token.AppendText(append(b, " matches "...), f.Pattern)
	case OpStartsWith:
		return token.AppendValue(append(b, " startsWith "...), f.Value)
	case OpContains:
		return token.AppendValue(append(b, " contains "...), f.Value)
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
		return token.AppendValue(append(appendPath(b, f.Path), " != "...), f.Value)
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
		b = token.AppendValue(b, v)
	}
	return append(b, ')')
}

func appendPath(b []byte, p Path) []byte {
	if p.IsEmpty() {
		return append(b, "this"...)
	}
	plain := !token.IsWord(p.text, reserved) && !token.SameWord(p.parts[0].name, "this")
	for i, part := range p.parts {
		plain = plain && token.IsIdentifier(part.name, i == 0)
	}
	if plain {
		return append(b, p.text...)
	}
	b = append(b, '`')
	b = append(b, strings.ReplaceAll(p.text, "`", "``")...)
	return append(b, '`')
}
