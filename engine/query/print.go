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
	case OpExpr:
		return token.AppendValue(append(b, "expr "...), f.Value)
	}
	return f.appendLeaf(b, OperatorOf(f.Op, false))
}

// appendLeaf writes the leaf f, or its opposite if o negates.
func (f *Filter) appendLeaf(b []byte, o *Operator) []byte {
	b = append(append(append(appendPath(b, f.Path), ' '), o.Text...), ' ')
	switch o.Takes {
	case TakesValue, TakesText:
		return token.AppendValue(b, f.Value)
	case TakesEnds:
		b = append(token.AppendValue(b, f.Value), " and "...)
		return token.AppendValue(b, f.High)
	case TakesList:
		b = append(b, '(')
		for i, v := range f.Values {
			if i > 0 {
				b = append(b, ", "...)
			}
			if len(v) == 0 {
				b = append(b, missing...)
			} else {
				b = token.AppendValue(b, v)
			}
		}
		return append(b, ')')
	case TakesPattern:
		return token.AppendText(b, f.Pattern)
	case TakesType:
		return append(b, f.Type.String()...)
	case TakesSize:
		return strconv.AppendInt(b, int64(f.Size), 10)
	case TakesCondition:
		return f.Kids[0].appendParenthesis(b)
	}
	return b[:len(b)-1] // TakesYes
}

func (f *Filter) appendParenthesis(b []byte) []byte {
	return append(f.appendText(append(b, '(')), ')')
}

// appendNot writes the complement of f, as people do.
func (f *Filter) appendNot(b []byte) []byte {
	if f.Op >= OpEq {
		if o := OperatorOf(f.Op, true); o != nil {
			return f.appendLeaf(b, o)
		}
	}
	return f.appendParenthesis(append(b, "not "...))
}

func appendPath(b []byte, p Path) []byte {
	if p.text == "" {
		return append(b, "this"...)
	}
	plain := p.collation.Strength == 0 && !token.IsWord(p.text, reserved) && !token.SameWord(p.parts[0].name, "this")
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
