package sql

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// sides are a condition as two filters: where it holds, and where it is false. It is
// unknown of all other documents.
type sides struct{ holds, denied *query.Filter }

func (s sides) not() sides { return sides{s.denied, s.holds} }

// ofKnown are the sides of a question about a value, which is unknown where there is
// none.
//
//go:noinline
func ofKnown(p query.Path, f *query.Filter) sides {
	return sides{f, query.And(query.Exists(p), query.Not(query.Eq(p, null)), query.Not(f))}
}

// exactly are the sides of a question that always has an answer.
//
//go:noinline
func exactly(f *query.Filter) sides { return sides{f, query.Not(f)} }

// neverKnown are the sides of a comparison with null.
var neverKnown = sides{query.False(), query.False()}

//go:noinline
func isNullAt(p query.Path) *query.Filter {
	return query.Or(query.Not(query.Exists(p)), query.Eq(p, null))
}

// asCondition are the sides of a field that is a condition by itself; see truthOf.
//
//go:noinline
func asCondition(p query.Path) sides {
	zero := number(0)
	return ofKnown(p, query.Or(query.Eq(p, msgpack.AppendBool(nil, true)), query.Gt(p, zero), query.Lt(p, zero)))
}

// condition turns e, whose kids are bound, into a filter if it asks about paths
// in the documents of one table. Any other e stays and is tested. from is e as it was
// parsed.
func (b *binder) condition(e, from *expr) (*expr, error) {
	switch e.op {
	case opNot, opAnd, opOr:
		return logic(e), nil
	case opCompare:
		return b.comparison(e, from)
	case opIs:
		return b.identity(e, from)
	case opIsTrue:
		return isTrue(e), nil
	case opIn:
		return b.in(e, from)
	case opBetween:
		return b.between(e, from)
	case opAsk:
		return b.question(e, e.kids[1:])
	}
	return b.like(e)
}

// comparison makes a leaf of a comparison of a field with a value.
func (b *binder) comparison(e, from *expr) (*expr, error) {
	numbered(e, from)
	c := collated(e, from)
	left, right, o := e.kids[0], e.kids[1], e.operator
	if left.isConst() && (!right.isConst() || left.date != nil) {
		left, right, o = right, left, mirrored(o)
	}
	if c == collateNoCase && o.Op == query.OpEq && left.op == opField && right.isConst() && msgpack.KindOf(right.value) == msgpack.String {
		return b.leaf(e, left, func(p query.Path) (sides, error) {
			s := ofKnown(p, query.Like(p, query.TextInAnyCase(string(msgpack.Str(right.value)))))
			if o.Negates {
				return s.not(), nil
			}
			return s, nil
		})
	}
	left, right = keyed(left, c), keyed(right, c)
	if !right.isConst() {
		e.operator, e.kids = o, []*expr{left, right}
		return e, nil
	}
	return b.leaf(e, left, func(p query.Path) (sides, error) { return compared(p, o, right), nil })
}

//go:noinline
func compared(p query.Path, o *query.Operator, with *expr) sides {
	if isNull(with.value) {
		return neverKnown
	}
	f, _ := query.OperatorOf(o.Op, false).Of(p, query.Operands{Value: with.value})
	if with.date != nil {
		date, _ := query.OperatorOf(o.Op, false).Of(p, query.Operands{Value: with.date})
		f = query.Or(f, date)
	}
	s := ofKnown(p, f)
	if o.Negates {
		return s.not()
	}
	return s
}

// numbered makes e, which is bound, take conditions as 1 and 0 where it compares them
// with values, as in (a > 5) = 1.
func numbered(e, from *expr) {
	some := false
	for i, kid := range from.kids {
		some = some || kid.mayBeTruth() || e.kids[i].isCondition() // a name may stand for one
	}
	if !some {
		return
	}
	for i, kid := range e.kids {
		e.kids[i] = asNumber(kid)
	}
}

// keyKids makes e, which is bound, compare by the COLLATE of a kid.
func keyKids(e, from *expr) {
	c := collated(e, from)
	for i, kid := range e.kids {
		e.kids[i] = keyed(kid, c)
	}
}

// asNumber returns e with 1 for true and 0 for false.
func asNumber(e *expr) *expr {
	return folded(&expr{op: opNumber, start: e.start, end: e.end, kids: []*expr{e}})
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

// identity makes a leaf of IS with a value.
func (b *binder) identity(e, from *expr) (*expr, error) {
	numbered(e, from)
	keyKids(e, from)
	left, right := e.kids[0], e.kids[1]
	if left.isConst() && (!right.isConst() || left.date != nil) {
		left, right = right, left
	}
	if !right.isConst() {
		return e, nil
	}
	return b.leaf(e, left, func(p query.Path) (sides, error) {
		if isNull(right.value) {
			return exactly(isNullAt(p)), nil
		}
		return exactly(query.In(p, right.values())), nil
	})
}

// isTrue makes a filter of IS TRUE and IS FALSE.
//
//go:noinline
func isTrue(e *expr) *expr {
	s, table, ok := tableFilter(e.kids[0])
	switch {
	case e.kids[0].isConst():
		return truthAt(e, e.ask(&tuple{}))
	case !ok:
		return e
	case e.want == no:
		s = s.not()
	}
	return filterAt(e, exactly(s.holds), table)
}

// values are what a constant is equal to.
func (e *expr) values() [][]byte {
	if e.date != nil {
		return [][]byte{e.value, e.date}
	}
	return [][]byte{e.value}
}

func (b *binder) in(e, from *expr) (*expr, error) {
	numbered(e, from)
	keyKids(e, from)
	list := e.kids[1:]
	var values [][]byte
	switch {
	case e.index == 1 && !list[0].isConst():
		return e, nil
	case e.index == 1: // one parameter that is the list
		v := list[0].value
		if msgpack.KindOf(v) != msgpack.Array {
			return nil, b.fault(list[0], "expected an array as the parameter after IN")
		}
		values = msgpack.List(v)
	default:
		for _, item := range list {
			if !item.isConst() {
				return e, nil
			}
			values = append(values, item.values()...)
		}
	}
	kept, nulls := values[:0], false
	for _, v := range values {
		if nulls = nulls || isNull(v); !isNull(v) {
			kept = append(kept, v)
		}
	}
	return b.leaf(e, e.kids[0], func(p query.Path) (sides, error) {
		switch f := query.In(p, kept); {
		case len(values) == 0: // nothing is in no values, not even null
			return exactly(f), nil
		case nulls: // what is in no other value may be in this one
			return sides{f, query.False()}, nil
		default:
			return ofKnown(p, f), nil
		}
	})
}

func (b *binder) between(e, from *expr) (*expr, error) {
	numbered(e, from)
	keyKids(e, from)
	low, high := e.kids[1], e.kids[2]
	if !low.isConst() || !high.isConst() {
		return e, nil
	}
	return b.leaf(e, e.kids[0], func(p query.Path) (sides, error) {
		if isNull(low.value) || isNull(high.value) {
			from, to := compared(p, atLeast, low), compared(p, atMost, high)
			return sides{query.False(), query.Or(from.denied, to.denied)}, nil
		}
		f := query.Between(p, low.value, high.value)
		if low.date != nil || high.date != nil {
			f = query.Or(f, query.Between(p, low.ofKind(msgpack.Date), high.ofKind(msgpack.Date)))
		}
		return ofKnown(p, f), nil
	})
}

// question makes a leaf of an operator that is a word.
func (b *binder) question(e *expr, values []*expr) (*expr, error) {
	given := query.Operands{Yes: true, Type: e.kind}
	if len(values) > 0 {
		if !values[0].isConst() {
			return nil, b.fault(values[0], "expected a value or a parameter here, not a field")
		}
		if isNull(values[0].value) {
			return truthAt(e, unknown), nil
		}
	}
	switch e.operator.Takes {
	case query.TakesValue:
		given.Value = values[0].value
	case query.TakesText, query.TakesPattern:
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
	return b.leaf(e, e.kids[0], func(p query.Path) (sides, error) {
		f, err := e.operator.Of(p, given)
		if e.operator.Takes == query.TakesValue && values[0].date != nil && err == nil {
			also, _ := e.operator.Of(p, query.Operands{Value: values[0].date})
			f = query.Or(f, also)
		}
		switch {
		case err != nil:
			return sides{}, b.fault(values[0], err.Error())
		case e.operator.Takes == query.TakesYes, e.operator.Takes == query.TakesType:
			return exactly(f), nil
		}
		return ofKnown(p, f), nil
	})
}

// text returns the text that a field is compared with.
func (b *binder) text(e *expr) (string, error) {
	if msgpack.KindOf(e.value) != msgpack.String {
		return "", b.fault(e, "expected text to compare with")
	}
	return string(msgpack.Str(e.value)), nil
}

// leaf makes a filter if of is a field, else a test of the value of of.
func (b *binder) leaf(e, of *expr, make func(query.Path) (sides, error)) (*expr, error) {
	path := query.Path{}
	if of.op == opField {
		path = of.path
	}
	s, err := make(path)
	if err != nil {
		return nil, err
	}
	s = sides{s.holds.Stoppable(b.x.db.Spend), s.denied.Stoppable(b.x.db.Spend)}
	bound := filterAt(e, s, of.table)
	if of.op != opField {
		bound.op, bound.kids = opLeaf, []*expr{of}
		if of.isConst() {
			return truthAt(e, bound.ask(&tuple{})), nil
		}
	}
	return bound, nil
}

// filterAt is the condition of those sides that stands where e does.
//
//go:noinline
func filterAt(e *expr, s sides, table int) *expr {
	return &expr{op: opFilter, start: e.start, end: e.end, filter: s.holds, denied: s.denied, table: table}
}

// tableFilter returns the sides of e and the table that it is about; false if filters
// do not say it.
func tableFilter(e *expr) (s sides, table int, ok bool) {
	switch {
	case e.op == opFilter:
		return sides{e.filter, e.denied}, e.table, true
	case e.op == opField && !e.path.IsEmpty():
		return asCondition(e.path), e.table, true
	case e.isConst():
		switch truthOf(e.value) {
		case yes:
			return exactly(query.True()), 0, true
		case no:
			return exactly(query.False()), 0, true
		}
		return neverKnown, 0, true
	}
	return s, 0, false
}

// logic joins the filters on each table into one. Constants decide the whole or
// are left out, so a condition that reads no document asks none.
func logic(e *expr) *expr {
	if e.op == opNot {
		of := e.kids[0]
		if of.isConst() {
			return truthAt(e, yes-truthOf(of.value))
		}
		if s, table, ok := tableFilter(of); ok {
			return filterAt(e, s.not(), table)
		}
		return e
	}
	neutral, deciding := yes, no
	if e.op == opOr {
		neutral, deciding = no, yes
	}
	// Filters on the same table become one kid; the others stay beside it.
	var kids []*expr
	byTable := map[int]*expr{}
	filters := map[int][]sides{}
	isUnknown := false
	for _, kid := range e.kids {
		if kid.isConst() {
			switch truthOf(kid.value) {
			case deciding:
				return truthAt(e, deciding)
			case unknown:
				isUnknown = true
			}
			continue
		}
		s, table, ok := tableFilter(kid)
		if !ok {
			kids = append(kids, kid)
			continue
		}
		if byTable[table] == nil {
			byTable[table] = &expr{op: opFilter, start: kid.start, end: kid.end, table: table}
			kids = append(kids, byTable[table])
		}
		filters[table] = append(filters[table], s)
	}
	switch {
	case !isUnknown:
	case len(kids) == 1 && kids[0].op == opFilter:
		filters[kids[0].table] = append(filters[kids[0].table], neverKnown)
	case len(kids) == 0:
		return truthAt(e, unknown)
	default:
		kids = append(kids, truthAt(e, unknown))
	}
	for table, of := range byTable {
		var holds, denied []*query.Filter
		for _, s := range filters[table] {
			holds, denied = append(holds, s.holds), append(denied, s.denied)
		}
		if e.op == opAnd {
			of.filter, of.denied = query.And(holds...), query.Or(denied...)
		} else {
			of.filter, of.denied = query.Or(holds...), query.And(denied...)
		}
	}
	switch len(kids) {
	case 0:
		return truthAt(e, neutral)
	case 1:
		if kids[0].isCondition() {
			return kids[0]
		}
	}
	return &expr{op: e.op, start: e.start, end: e.end, kids: kids}
}
