package sql

import (
	"strings"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// condition turns e, whose kids are bound, into a filter if it asks about paths
// in the documents of one table. Any other e stays and is tested.
func (b *binder) condition(e *expr) (*expr, error) {
	switch e.op {
	case opNot, opAnd, opOr:
		return logic(e), nil
	case opCompare:
		return b.comparison(e)
	case opIsNull:
		return b.leaf(e, e.kids[0], func(p query.Path) (*query.Filter, error) {
			return query.Or(query.Not(query.Exists(p)), query.Eq(p, null)), nil
		})
	}
	values := e.kids[1:]
	for _, v := range values {
		switch {
		case v.isConst():
		case e.op == opIn || e.op == opBetween:
			return e, nil
		default:
			return nil, b.fault(e.kids[1], "expected a value or a parameter here, not a field")
		}
	}
	switch e.op {
	case opIn:
		return b.in(e, values)
	case opBetween:
		return b.leaf(e, e.kids[0], func(p query.Path) (*query.Filter, error) {
			if isNull(values[0].value) || isNull(values[1].value) {
				return query.False(), nil
			}
			return query.Between(p, values[0].value, values[1].value), nil
		})
	case opAsk:
		return b.ask(e, values)
	}
	return b.like(e, values)
}

// comparison makes a leaf of a comparison of a field with a value.
func (b *binder) comparison(e *expr) (*expr, error) {
	left, right, o := e.kids[0], e.kids[1], e.operator
	if left.isConst() && !right.isConst() {
		left, right, o = right, left, mirrored(o)
	}
	if !right.isConst() {
		return e, nil
	}
	v := right.value
	if isNull(v) && strings.EqualFold(b.x.text[right.start:right.end], "null") {
		is := "IS NULL"
		if o.Negates {
			is = "IS NOT NULL"
		}
		return nil, b.fault(right, "expected a value; nothing compares with NULL, so use "+is)
	}
	return b.leaf(e, left, func(p query.Path) (*query.Filter, error) {
		switch {
		case !isNull(v):
			return o.Of(p, query.Operands{Value: v})
		case o.Negates: // a parameter
			return query.True(), nil
		}
		return query.False(), nil
	})
}

// mirrored returns the operator that asks the same with the sides exchanged.
func mirrored(o *query.Operator) *query.Operator {
	switch o.Op {
	case query.OpGt:
		return query.OperatorOf(query.OpLt, false)
	case query.OpGte:
		return query.OperatorOf(query.OpLte, false)
	case query.OpLt:
		return query.OperatorOf(query.OpGt, false)
	case query.OpLte:
		return query.OperatorOf(query.OpGte, false)
	}
	return o
}

func (b *binder) in(e *expr, list []*expr) (*expr, error) {
	var values [][]byte
	if e.index == 1 { // one parameter that is the list
		v := list[0].value
		if msgpack.KindOf(v) != msgpack.Array {
			return nil, b.fault(list[0], "expected an array as the parameter after IN")
		}
		values = msgpack.List(v)
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

// ask makes a leaf of an operator that is a word.
func (b *binder) ask(e *expr, values []*expr) (*expr, error) {
	given := query.Operands{Yes: true, Type: e.kind}
	switch e.operator.Takes {
	case query.TakesValue:
		given.Value = values[0].value
	case query.TakesText, query.TakesPattern:
		if isNull(values[0].value) {
			return truth(e, false), nil
		}
		var err error
		if given.Text, err = b.text(values[0]); err != nil {
			return nil, err
		}
	case query.TakesSize:
		n, ok := intOf(values[0].value)
		if !ok || n < 0 || n > 1<<31-1 {
			return nil, b.fault(values[0], "expected a whole number of elements after "+strings.ToUpper(e.operator.Text))
		}
		given.Size = int(n)
	}
	return b.leaf(e, e.kids[0], func(p query.Path) (*query.Filter, error) {
		f, err := e.operator.Of(p, given)
		if err != nil {
			return nil, b.fault(values[0], err.Error())
		}
		return f, nil
	})
}

// text returns the text that a field is compared with.
func (b *binder) text(e *expr) (string, error) {
	if msgpack.KindOf(e.value) != msgpack.String {
		return "", b.fault(e, "expected text to compare with")
	}
	return string(msgpack.Str(e.value)), nil
}

// like makes a leaf of LIKE and ILIKE.
func (b *binder) like(e *expr, values []*expr) (*expr, error) {
	if isNull(values[0].value) {
		return truth(e, false), nil
	}
	pattern, err := b.text(values[0])
	if err != nil {
		return nil, err
	}
	escape := rune(-1)
	if len(values) > 1 {
		one, size := utf8.DecodeRune(msgpack.Str(values[1].value))
		if size == 0 || size != len(msgpack.Str(values[1].value)) {
			return nil, b.fault(values[1], "expected one character after ESCAPE")
		}
		escape = one
	}
	return b.leaf(e, e.kids[0], func(p query.Path) (*query.Filter, error) { return b.pattern(p, e, pattern, escape) })
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

// leaf makes a filter if of is a field, else a test of the value of of.
func (b *binder) leaf(e, of *expr, make func(query.Path) (*query.Filter, error)) (*expr, error) {
	path := query.Path{}
	if of.op == opField {
		path = of.path
	}
	f, err := make(path)
	if err != nil {
		return nil, err
	}
	bound := &expr{op: opFilter, start: e.start, end: e.end, filter: f.Stoppable(b.x.db.Spend), table: of.table}
	if of.op != opField {
		bound.op, bound.kids = opLeaf, []*expr{of}
		if of.isConst() {
			return truth(e, bound.test(&tuple{})), nil
		}
	}
	return bound, nil
}

// filterOf returns e as a filter; false if it is none.
func filterOf(e *expr) (*query.Filter, bool) {
	f, _, ok := tableFilter(e)
	return f, ok
}

// tableFilter returns e as a filter and the table that it is about; false if it
// is none.
func tableFilter(e *expr) (f *query.Filter, table int, ok bool) {
	switch {
	case e.op == opFilter:
		return e.filter, e.table, true
	case e.op == opField && !e.path.IsEmpty(): // a field as a condition holds where it is true
		return query.Eq(e.path, msgpack.AppendBool(nil, true)), e.table, true
	case e.isConst():
		if isTrue(e.value) {
			return query.True(), 0, true
		}
		return query.False(), 0, true
	}
	return nil, 0, false
}

// logic joins the filters on each table into one. Constants decide the whole or
// are left out, so a condition that reads no document asks none.
func logic(e *expr) *expr {
	if e.op == opNot {
		of := e.kids[0]
		if of.isConst() {
			return truth(e, !isTrue(of.value))
		}
		if f, table, ok := tableFilter(of); ok {
			return &expr{op: opFilter, start: e.start, end: e.end, filter: query.Not(f), table: table}
		}
		return e
	}
	// Filters on the same table become one kid; the others stay beside it.
	var kids []*expr
	byTable := map[int]*expr{}
	filters := map[int][]*query.Filter{}
	for _, kid := range e.kids {
		if kid.isConst() {
			if isTrue(kid.value) == (e.op == opOr) {
				return truth(e, e.op == opOr)
			}
			continue
		}
		f, table, ok := tableFilter(kid)
		if !ok {
			kids = append(kids, kid)
			continue
		}
		if byTable[table] == nil {
			byTable[table] = &expr{op: opFilter, start: kid.start, end: kid.end, table: table}
			kids = append(kids, byTable[table])
		}
		filters[table] = append(filters[table], f)
	}
	for table, of := range byTable {
		if e.op == opAnd {
			of.filter = query.And(filters[table]...)
		} else {
			of.filter = query.Or(filters[table]...)
		}
	}
	switch len(kids) {
	case 0:
		return truth(e, e.op == opAnd)
	case 1:
		if kids[0].isCondition() {
			return kids[0]
		}
	}
	return &expr{op: e.op, start: e.start, end: e.end, kids: kids}
}

// isTrue reports whether a value holds as a condition: true alone does.
func isTrue(v []byte) bool { return msgpack.KindOf(v) == msgpack.True }
