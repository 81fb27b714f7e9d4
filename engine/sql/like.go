package sql

import (
	"strings"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// like makes a leaf of LIKE, ILIKE and GLOB with a pattern that is known.
func (b *binder) like(e *expr) (*expr, error) {
	for _, kid := range e.kids[1:] {
		if !kid.isConst() {
			return nil, b.fault(e.kids[1], "expected a value or a parameter here, not a field")
		}
		if isNull(kid.value) {
			return truthAt(e, unknown), nil
		}
	}
	pattern, err := b.text(e.kids[1])
	if err != nil {
		return nil, err
	}
	escape := rune(-1)
	if len(e.kids) > 2 {
		one, size := utf8.DecodeRune(msgpack.Str(e.kids[2].value))
		if size == 0 || size != len(msgpack.Str(e.kids[2].value)) {
			return nil, b.fault(e.kids[2], "expected one character after ESCAPE")
		}
		escape = one
	}
	return b.leaf(e, e.kids[0], func(p query.Path) (sides, error) {
		f, err := b.pattern(p, e, pattern, escape)
		if err != nil {
			return sides{}, err
		}
		return ofKnown(p, f), nil
	})
}

// pattern takes the pattern of a LIKE apart: text alone is an equality, text
// before a last % a prefix, and all others a regular expression.
func (b *binder) pattern(p query.Path, e *expr, pattern string, escape rune) (*query.Filter, error) {
	var regexp, plain strings.Builder
	wild, trailing, escaped := 0, false, false
	for _, r := range pattern {
		trailing = false
		switch {
		case escaped, r != '%' && r != '_' && r != escape:
			plain.WriteRune(r)
			writeQuoted(&regexp, r)
			escaped = false
		case r == escape:
			escaped = true
		case r == '%':
			regexp.WriteString(".*")
			wild++
			trailing = true
		default:
			regexp.WriteString(".")
			wild++
		}
	}
	switch {
	case escaped:
		return nil, b.fault(e.kids[1], "expected a character after the last escape character")
	case e.op == opLike && wild == 0:
		return query.Eq(p, msgpack.AppendString(nil, plain.String())), nil
	case e.op == opLike && wild == 1 && trailing:
		return query.StartsWith(p, plain.String()), nil
	}
	flags := "(?s)"
	if e.op == opILike {
		flags = "(?is)"
	}
	return query.Matches(p, flags+"^"+regexp.String()+"$")
}

func writeQuoted(b *strings.Builder, r rune) {
	if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
		b.WriteByte('\\')
	}
	b.WriteRune(r)
}
