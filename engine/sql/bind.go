package sql

import (
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A binder resolves names and parameters, and turns conditions into filters
// where a filter can say them.
type binder struct {
	x       *execution
	tables  []table
	groups  *groups          // nil unless the expression is about groups
	windows *windows         // nil where no window function may stand
	scope   *scope           // nil: no query is around
	element bool             // inside ANY (…): paths start at the element
	columns []column         // in HAVING: what names may stand for
	aliases []column         // in WHERE, GROUP BY and ORDER BY: what names may stand for that are no fields
	byAlias map[string]*expr // of aliases, once it was asked for
}

// fault is an error at the place of e.
//
//go:noinline
func (b *binder) fault(e *expr, message string) error { return at(b.x.text, e.start, message) }

// bind returns e with its names and parameters resolved.
func (b *binder) bind(e *expr) (*expr, error) {
	if b.groups != nil {
		if slot, err := b.groups.slot(b, e); slot != nil || err != nil {
			return slot, err
		}
	}
	switch e.op {
	case opConst:
		return e, nil
	case opParam:
		return constant(e, b.x.params[e.index]), nil
	case opPath:
		if of := b.aliased(e); of != nil {
			return (&binder{x: b.x, tables: b.tables, groups: b.groups, windows: b.windows, scope: b.scope}).bind(of)
		}
		return b.field(e)
	case opAggregate:
		return nil, b.fault(e, "expected a condition on documents; conditions on aggregates go in HAVING")
	case opRow:
		return nil, b.fault(e, "expected one value; several in parentheses are compared with as many")
	case opAny:
		return b.any(e)
	case opSubquery:
		return b.subquery(e)
	case opWindow:
		return b.window(e)
	}
	bound := *e
	bound.kids = make([]*expr, len(e.kids))
	for i, kid := range e.kids {
		var err error
		if bound.kids[i], err = b.bind(kid); err != nil {
			return nil, err
		}
	}
	switch e.op {
	case opConcat, opLike, opILike, opGlob, opCall:
		if e.op != opCall || e.function.takes != takesAny {
			for i, kid := range bound.kids {
				if e.kids[i].isCondition() || kid.isCondition() {
					bound.kids[i] = asNumber(kid)
				}
			}
		}
	}
	switch e.op {
	case opCall:
		if err := b.checkTime(&bound); err != nil {
			return nil, err
		}
		return folded(&bound), nil
	case opChain, opConcat, opNegate, opComplement, opCast:
		return folded(&bound), nil
	}
	if !e.isCondition() {
		return &bound, nil
	}
	return b.condition(&bound, e)
}

// checkTime refuses what the functions of time cannot know.
func (b *binder) checkTime(e *expr) error {
	if e.function.takes != takesTime {
		return nil
	}
	times := e.kids
	if e.function.name == "strftime" {
		times = times[1:]
	}
	isNow := len(times) == 0
	for _, kid := range times {
		if !kid.isConst() {
			continue
		}
		switch word := string(msgpack.Str(kid.value)); {
		case token.SameWord(word, "now"):
			isNow = true
		case token.SameWord(word, "localtime"), token.SameWord(word, "utc"):
			return b.fault(kid, "expected a time in UTC; the database knows no time zones")
		}
	}
	if isNow {
		return b.fault(e, "expected a time; the database has no clock, so pass the time as a parameter, as in date(?)")
	}
	return nil
}

// folded returns e as a constant if it consists of constants, else e itself.
func folded(e *expr) *expr {
	for _, kid := range e.kids {
		if !kid.isConst() {
			return e
		}
	}
	return constant(e, e.eval(&tuple{}))
}

// aliased returns the column that the name e stands for, as it was written; nil if
// e is a field.
func (b *binder) aliased(e *expr) *expr {
	if len(b.aliases) == 0 {
		return nil
	}
	if b.byAlias == nil {
		b.byAlias = make(map[string]*expr, len(b.aliases))
		for _, c := range b.aliases {
			if c.alias && b.byAlias[c.name] == nil && !(c.expr.op == opPath && c.expr.text == c.name) {
				b.byAlias[c.name] = c.expr
			}
		}
	}
	if of := b.byAlias[e.text]; of != nil && !b.isField(e) {
		return of
	}
	return nil
}

// any binds a condition on elements. It must be one that a filter can say.
func (b *binder) any(e *expr) (*expr, error) {
	of, err := b.bind(e.kids[0])
	if err != nil {
		return nil, err
	}
	inner := binder{x: b.x, element: true}
	element, err := inner.bind(e.kids[1])
	if err != nil {
		return nil, err
	}
	s, _, ok := tableFilter(element)
	if !ok {
		return nil, b.fault(e.kids[1], "expected comparisons of the element's fields with values inside ANY (…)")
	}
	return b.leaf(e, of, func(p query.Path) (sides, error) { return ofKnown(p, query.Any(p, s.holds)), nil })
}

// all binds several expressions.
func (b *binder) all(exprs []*expr) (bound []*expr, err error) {
	for _, e := range exprs {
		f, err := b.bind(e)
		if err != nil {
			return nil, err
		}
		bound = append(bound, f)
	}
	return bound, nil
}

// where binds a condition, or nil, and splits it: into a filter on the
// documents of each table, and into conditions that must be tested on them
// together.
func (b *binder) where(e *expr) (filters []*query.Filter, rest []*expr, err error) {
	filters = make([]*query.Filter, len(b.tables))
	if e == nil {
		return filters, nil, nil
	}
	bound, err := b.bind(e)
	if err != nil {
		return nil, nil, err
	}
	parts := []*expr{bound}
	if bound.op == opAnd {
		parts = bound.kids
	}
	byTable := make([][]*query.Filter, len(b.tables))
	for _, part := range parts {
		s, table, ok := tableFilter(part)
		switch {
		case !ok || len(b.tables) == 0:
			rest = append(rest, part)
			if f, table, ok := part.narrowed(); ok && !b.x.slowly {
				byTable[table] = append(byTable[table], f)
			}
		case b.x.slowly && !part.isConst():
			rest = append(rest, filterAt(part, s, table))
		default:
			byTable[table] = append(byTable[table], s.holds)
		}
	}
	for table, kids := range byTable {
		if len(kids) > 0 {
			filters[table] = query.And(kids...)
		}
	}
	return filters, rest, nil
}

// count evaluates LIMIT or OFFSET. Without one, e is nil and the count is missing, and so
// it is below 0.
func (b *binder) count(e *expr, what string, missing int) (int, error) {
	if e == nil {
		return missing, nil
	}
	bound, err := (&binder{x: b.x}).bind(e)
	if err != nil {
		return 0, err
	}
	n, ok := intOf(bound.eval(&tuple{}))
	if !ok {
		return 0, b.fault(e, "expected a whole number of rows after "+what)
	}
	if n < 0 {
		return missing, nil
	}
	return int(min(n, 1<<31-1)), nil
}

var emptyMap = msgpack.AppendMap(nil, 0)
