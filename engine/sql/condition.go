package sql

import (
	"strings"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// condition makes a filter of e, whose kids are bound, if it asks one source's
// documents about their paths; else e stays to be tested.
func (b *binder) condition(e *expr) (*expr, error) {
	kids := e.kids
	constKids := true
	for _, kid := range kids[min(1, len(kids)):] {
		constKids = constKids && kid.isConst()
	}
	switch e.op {
	case opNot, opAnd, opOr:
		return logic(e), nil
	case opCompare:
		return b.comparison(e)
	case opIsNull:
		return b.leaf(e, kids[0], func(p query.Path) (*query.Filter, error) {
			return query.Or(query.Not(query.Exists(p)), query.Eq(p, null)), nil
		})
	case opExists:
		return b.leaf(e, kids[0], func(p query.Path) (*query.Filter, error) { return query.Exists(p), nil })
	case opType:
		return b.leaf(e, kids[0], func(p query.Path) (*query.Filter, error) { return query.IsType(p, e.kind), nil })
	}
	if !constKids {
		if e.op == opIn || e.op == opBetween {
			return e, nil
		}
		return nil, b.fault(kids[1], "expected a value or a parameter here, not a field")
	}
	value := kids[1:]
	switch e.op {
	case opIn:
		return b.in(e, value)
	case opBetween:
		return b.leaf(e, kids[0], func(p query.Path) (*query.Filter, error) {
			if isNull(value[0].value) || isNull(value[1].value) {
				return query.False(), nil
			}
			return query.Between(p, value[0].value, value[1].value), nil
		})
	case opContains:
		return b.leaf(e, kids[0], func(p query.Path) (*query.Filter, error) { return query.Contains(p, value[0].value), nil })
	case opSize:
		n, ok := intOf(value[0].value)
		if !ok || n < 0 || n > 1<<31-1 {
			return nil, b.fault(value[0], "expected a whole number of elements after SIZE")
		}
		return b.leaf(e, kids[0], func(p query.Path) (*query.Filter, error) { return query.HasSize(p, int(n)), nil })
	}
	return b.pattern(e, value)
}

// comparison makes a leaf of a comparison of a field with a value.
func (b *binder) comparison(e *expr) (*expr, error) {
	left, right, sign := e.kids[0], e.kids[1], e.text
	if left.isConst() && !right.isConst() {
		left, right, sign = right, left, mirrored[sign]
	}
	if !right.isConst() {
		return e, nil
	}
	v := right.value
	if msgpack.KindOf(v) == msgpack.Null && string(b.x.text[right.start:right.end]) != "" && strings.EqualFold(b.x.text[right.start:right.end], "null") {
		is := map[string]string{"!=": "IS NOT NULL"}[sign]
		if is == "" {
			is = "IS NULL"
		}
		return nil, b.fault(right, "expected a value; nothing compares with NULL, so use "+is)
	}
	return b.leaf(e, left, func(p query.Path) (*query.Filter, error) {
		if isNull(v) { // a parameter
			if sign == "!=" {
				return query.True(), nil
			}
			return query.False(), nil
		}
		switch sign {
		case "=":
			return query.Eq(p, v), nil
		case "!=":
			return query.Not(query.Eq(p, v)), nil
		case "<":
			return query.Lt(p, v), nil
		case "<=":
			return query.Lte(p, v), nil
		case ">":
			return query.Gt(p, v), nil
		}
		return query.Gte(p, v), nil
	})
}

// mirrored signs are those with the sides exchanged.
var mirrored = map[string]string{"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func (b *binder) in(e *expr, list []*expr) (*expr, error) {
	var values [][]byte
	if e.index == 1 { // one parameter that is the list
		v := list[0].value
		if msgpack.KindOf(v) != msgpack.Array {
			return nil, b.fault(list[0], "expected an array as the parameter after IN")
		}
		count, pos := msgpack.Container(v)
		for ; count > 0; count-- {
			n := msgpack.Skip(v[pos:])
			values = append(values, v[pos:pos+n])
			pos += n
		}
	} else {
		for _, item := range list {
			values = append(values, item.value)
		}
	}
	kept := values[:0]
	for _, v := range values {
		if !isNull(v) {
			kept = append(kept, v)
		}
	}
	return b.leaf(e, e.kids[0], func(p query.Path) (*query.Filter, error) { return query.In(p, kept), nil })
}

// pattern makes a leaf of LIKE, ILIKE, MATCHES and STARTSWITH.
func (b *binder) pattern(e *expr, value []*expr) (*expr, error) {
	if msgpack.KindOf(value[0].value) != msgpack.String {
		if isNull(value[0].value) {
			return truth(e, false), nil
		}
		return nil, b.fault(value[0], "expected text to compare with")
	}
	text := string(msgpack.Str(value[0].value))
	escape := rune(-1)
	if len(value) > 1 {
		one, size := utf8.DecodeRune(msgpack.Str(value[1].value))
		if size == 0 || size != len(msgpack.Str(value[1].value)) {
			return nil, b.fault(value[1], "expected one character after ESCAPE")
		}
		escape = one
	}
	return b.leaf(e, e.kids[0], func(p query.Path) (*query.Filter, error) {
		switch e.op {
		case opStartsWith:
			return query.StartsWith(p, text), nil
		case opMatches:
			f, err := query.Matches(p, text)
			if err != nil {
				return nil, b.fault(value[0], err.Error())
			}
			return f, nil
		}
		return b.like(p, e, text, escape)
	})
}

// like takes a pattern apart: text alone is an equality, text before a last %
// a prefix, and all others a regular expression.
func (b *binder) like(p query.Path, e *expr, pattern string, escape rune) (*query.Filter, error) {
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

// leaf makes a filter of what is asked of a field, or a test of the value of
// another expression.
func (b *binder) leaf(e, of *expr, make func(query.Path) (*query.Filter, error)) (*expr, error) {
	path := query.Path{}
	if of.op == opField {
		path = of.path
	}
	f, err := make(path)
	if err != nil {
		return nil, err
	}
	bound := &expr{op: opFilter, start: e.start, end: e.end, filter: f, source: of.source}
	if of.op != opField {
		bound.op, bound.kids = opLeaf, []*expr{of}
		if of.isConst() {
			return truth(e, bound.test(&tuple{})), nil
		}
	}
	return bound, nil
}

// filterOf returns the filter that e is, of whichever source.
func filterOf(e *expr) (*query.Filter, bool) {
	f, _, ok := sourceFilter(e)
	return f, ok
}

// sourceFilter returns the filter that e is, and of which source.
func sourceFilter(e *expr) (f *query.Filter, source int, ok bool) {
	switch {
	case e.op == opFilter:
		return e.filter, e.source, true
	case e.op == opField && !e.path.IsEmpty(): // a field as a condition holds where it is true
		return query.Eq(e.path, msgpack.AppendBool(nil, true)), e.source, true
	case e.isConst():
		if isTrue(e.value) {
			return query.True(), 0, true
		}
		return query.False(), 0, true
	}
	return nil, 0, false
}

// logic joins filters of one source into one.
func logic(e *expr) *expr {
	if e.op == opNot {
		if f, source, ok := sourceFilter(e.kids[0]); ok {
			return &expr{op: opFilter, start: e.start, end: e.end, filter: query.Not(f), source: source}
		}
		return e
	}
	// Kids of the same source come together; what is left stays beside them.
	var kids []*expr
	bySource := map[int]*expr{}
	for _, kid := range e.kids {
		f, source, ok := sourceFilter(kid)
		switch {
		case !ok:
			kids = append(kids, kid)
		case bySource[source] == nil:
			bySource[source] = &expr{op: opFilter, start: kid.start, end: kid.end, filter: f, source: source}
			kids = append(kids, bySource[source])
		case e.op == opAnd:
			bySource[source].filter = query.And(bySource[source].filter, f)
		default:
			bySource[source].filter = query.Or(bySource[source].filter, f)
		}
	}
	if len(kids) == 1 {
		return kids[0]
	}
	return &expr{op: e.op, start: e.start, end: e.end, kids: kids}
}

// isTrue reports whether a value holds as a condition: true alone does.
func isTrue(v []byte) bool { return msgpack.KindOf(v) == msgpack.True }
