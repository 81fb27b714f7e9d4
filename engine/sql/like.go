package sql

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// like makes a leaf of LIKE, ILIKE and GLOB with a pattern that is known.
func (b *binder) like(e *expr) (*expr, error) {
	of := e.kids[0]
	if of.op != opField {
		of = folded(&expr{op: opText, start: of.start, end: of.end, kids: []*expr{of}})
	}
	for _, kid := range e.kids[1:] {
		switch {
		case kid.isConst() && isNull(kid.value):
			return truthAt(e, unknown), nil
		case !kid.isConst() && e.op == opILike:
			return nil, b.fault(kid, "expected a value or a parameter here, not a field; LIKE and GLOB take fields")
		case !kid.isConst():
			e.kids[0] = of
			return e, nil
		}
	}
	escape, ok := escapeOf(e, &tuple{})
	if !ok {
		return nil, b.fault(e.kids[2], "expected one character after ESCAPE")
	}
	pattern, ok := textOf(e.kids[1].value)
	if !ok {
		return nil, b.fault(e.kids[1], "expected text to compare with")
	}
	return b.leaf(e, of, func(p query.Path) (sides, error) {
		f, err := patternFilter(p, e.op, pattern, escape)
		if err != nil {
			return sides{}, b.fault(e.kids[1], err.Error())
		}
		return ofKnown(p, f), nil
	})
}

// escapeOf returns the escape character of a LIKE, -1 if it has none; false if it is
// something else.
func escapeOf(e *expr, t *tuple) (escape rune, ok bool) {
	if len(e.kids) < 3 {
		return -1, true
	}
	text := msgpack.Str(e.kids[2].eval(t))
	one, size := utf8.DecodeRune(text)
	return one, size > 0 && size == len(text)
}

// isLike evaluates LIKE and GLOB with a pattern that each row has its own of. One that is
// no pattern matches nothing.
func (e *expr) isLike(t *tuple) truth {
	text, ok := textOf(e.kids[0].eval(t))
	if !ok {
		return unknown
	}
	pattern, ok := textOf(e.kids[1].eval(t))
	if !ok {
		return unknown
	}
	escape, ok := escapeOf(e, t)
	if !ok {
		return unknown
	}
	w, err := wildcard(e.op, pattern, escape)
	return truthIf(err == nil && w.Match([]byte(text), nil))
}

func wildcard(o op, pattern string, escape rune) (*query.Wildcard, error) {
	if o == opGlob {
		return query.ParseGlob(pattern)
	}
	return query.ParseLike(pattern, escape)
}

func patternFilter(p query.Path, o op, pattern string, escape rune) (*query.Filter, error) {
	if o == opILike {
		return inAnyScript(p, pattern, escape)
	}
	w, err := wildcard(o, pattern, escape)
	if err != nil {
		return nil, err
	}
	return query.Like(p, w), nil
}

// inAnyScript is the filter of ILIKE, which takes the letters of every script in any case.
func inAnyScript(p query.Path, pattern string, escape rune) (*query.Filter, error) {
	var b strings.Builder
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped, r != '%' && r != '_' && r != escape:
			if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
			escaped = false
		case r == escape:
			escaped = true
		case r == '%':
			b.WriteString(".*")
		default:
			b.WriteString(".")
		}
	}
	if escaped {
		return nil, errors.New("expected a character after the last escape character")
	}
	return query.Matches(p, "(?is)^"+b.String()+"$")
}
