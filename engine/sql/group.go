package sql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// groups are what GROUP BY and the aggregates ask for. A row of a group has a
// slot for each: first the expressions to group by, then the aggregates.
type groups struct {
	by         []*expr // bound
	aggregates []aggregated
	known      map[string]int // the aggregates by their keys
}

// aggregated is an aggregate whose argument is bound; of is nil in COUNT(*).
type aggregated struct {
	aggregate aggregate
	distinct  bool
	of        *expr
	separator string // GROUP_CONCAT
}

// bindGroups decides whether the rows are groups, and binds what they are
// grouped by.
func (q *selection) bindGroups() error {
	grouped := len(q.groupBy) > 0 || q.selectBody.having != nil
	for _, c := range q.columns {
		grouped = grouped || c.expr != nil && c.expr.hasAggregate()
	}
	for _, t := range q.orderBy {
		grouped = grouped || t.expr.hasAggregate()
	}
	for _, w := range q.selectBody.windows {
		w.walk(func(part *expr) { grouped = grouped || part.op == opAggregate })
	}
	if !grouped {
		return nil
	}
	g := &groups{}
	for _, e := range q.groupBy {
		term, err := q.binder.term(e, q.columns, false)
		if err != nil {
			return err
		}
		if term.hasAggregate() {
			return q.binder.fault(e, "expected a value of each document, found an aggregate; GROUP BY comes before those")
		}
		bound, err := q.binder.bind(term)
		if err == nil {
			err = q.binder.uncollated(bound)
		}
		if err != nil {
			return err
		}
		g.by = append(g.by, bound)
	}
	q.groups = g
	return nil
}

// slot returns the slot of e in the row of a group; nil if it has none, and its
// parts must be looked at.
func (g *groups) slot(b *binder, e *expr) (*expr, error) {
	plain := b.plain()
	if e.op == opAggregate {
		a := aggregated{aggregate: e.aggregate, distinct: e.distinct}
		if len(e.kids) > 0 {
			if e.kids[0].hasAggregate() {
				return nil, b.fault(e.kids[0], "expected a value of each document; aggregates do not nest")
			}
			var err error
			if a.of, err = plain.bind(e.kids[0]); err == nil {
				err = b.uncollated(a.of)
			}
			if err != nil {
				return nil, err
			}
			if a.of.op != opField && (e.aggregate == aggSum || e.aggregate == aggAvg || e.aggregate == aggTotal) {
				a.of = asNumber(a.of) // SUM(a > 5) counts
			}
			if a.separator, err = plain.separator(e); err != nil {
				return nil, err
			}
		}
		if len(g.aggregates) > maxAggregates {
			return nil, b.fault(e, "expected at most "+strconv.Itoa(maxAggregates)+" different aggregates")
		}
		return g.slotOf(e, a), nil
	}
	if e.op == opConst || e.op == opParam || e.hasAggregate() || e.hasWindow() {
		return nil, nil
	}
	if e.hasSubquery() && !slices.ContainsFunc(g.by, (*expr).hasSubquery) {
		return nil, nil // to bind a query twice at each of its levels would take too long
	}
	bound, err := plain.bind(e)
	for i, by := range g.by {
		if err == nil && same(by, bound) {
			return &expr{op: opSlot, start: e.start, end: e.end, index: i}, nil
		}
	}
	if e.op == opPath {
		for _, c := range b.columns {
			if c.alias && c.name == e.text { // a column by its name, whose expression may use that name for a field
				return (&binder{x: b.x, tables: b.tables, groups: g, windows: b.windows, scope: b.scope}).bind(c.expr)
			}
		}
		if err != nil {
			return nil, err
		}
		return nil, b.fault(e, "expected this field in GROUP BY or in an aggregate: a group has many values of it")
	}
	return nil, nil
}

func (g *groups) slotOf(e *expr, a aggregated) *expr {
	key := strconv.Itoa(int(a.aggregate))
	if a.distinct {
		key += " distinct"
	}
	key += a.separator
	if a.of != nil {
		key = string(a.of.appendKey(append([]byte(key), ' ')))
	}
	at, known := g.known[key]
	if !known {
		at = len(g.aggregates)
		g.aggregates = append(g.aggregates, a)
		if g.known == nil {
			g.known = map[string]int{}
		}
		g.known[key] = at
	}
	return &expr{op: opSlot, start: e.start, end: e.end, index: len(g.by) + at}
}

// direct reports whether the engine can group the documents themselves.
func (q *selection) direct() bool {
	if q.x.slowly || len(q.tables) != 1 || q.tables[0].body != nil || len(q.rest) > 0 {
		return false
	}
	isField := func(e *expr) bool { return e.op == opField && !e.path.IsEmpty() }
	for i, e := range q.groups.by {
		if !isField(e) {
			return false
		}
		for _, other := range q.groups.by[:i] { // no row of the engine's can hold both a and a.b
			if strings.HasPrefix(e.path.String()+".", other.path.String()+".") || strings.HasPrefix(other.path.String()+".", e.path.String()+".") {
				return false
			}
		}
	}
	return !slices.ContainsFunc(q.groups.aggregates, func(a aggregated) bool {
		return a.aggregate.collects() || a.of != nil && !isField(a.of)
	})
}

// of returns a tuple with the slots of each group.
func (g *groups) of(q *selection, tuples []tuple) ([]tuple, error) {
	db, collection, where := q.x.db, "", (*query.Filter)(nil)
	a := engine.Aggregate{}
	paths := make([]query.Path, len(g.aggregates))
	if q.direct() {
		collection, where = q.tables[0].collection, q.filters[0]
		for _, e := range g.by {
			a.GroupBy = append(a.GroupBy, e.path)
		}
		for i, agg := range g.aggregates {
			if agg.of != nil {
				paths[i] = agg.of.path
			}
		}
	} else {
		// The values of the expressions become documents of their own, which
		// the engine groups, so that an aggregate has one definition.
		var err error
		if db, err = g.scratch(db, tuples); err != nil {
			return nil, err
		}
		collection = scratchName
		for i := range g.by {
			a.GroupBy = append(a.GroupBy, query.ParsePath(scratchField("g", i)))
		}
		for i, agg := range g.aggregates {
			if agg.of != nil {
				paths[i] = query.ParsePath(scratchField("a", i))
			}
		}
	}
	a.Where = where
	for i, p := range a.GroupBy {
		a.Select = append(a.Select, engine.Output{Name: slotName(i), Op: engine.AggFirst, Path: p})
	}
	for i, agg := range g.aggregates {
		a.Select = append(a.Select, engine.Output{Name: slotName(len(g.by) + i), Op: agg.op(), Path: paths[i]})
	}
	rows, err := db.Aggregate(collection, a)
	if err != nil {
		return nil, err
	}
	var grouped []tuple
	for row := range rows.All() {
		q.x.db.Hold(tupleBytes(len(g.by) + len(g.aggregates)))
		grouped = append(grouped, tuple{slots: g.slots(row)})
	}
	for i := range g.aggregates {
		if g.aggregates[i].aggregate.collects() {
			g.collect(q.x.db, i, tuples, grouped)
		}
	}
	return grouped, nil
}

// slotName is a name that no path of a user can start with.
func slotName(i int) string { return "\x00" + strconv.Itoa(i) }

const scratchName = "groups"

func scratchField(kind string, i int) string { return kind + strconv.Itoa(i) }

// scratch returns a DB of one document for each tuple.
func (g *groups) scratch(outer *engine.DB, tuples []tuple) (*engine.DB, error) {
	db, err := outer.Scratch()
	if err != nil {
		return nil, err
	}
	var docs []byte
	for i := range tuples {
		outer.Spend(1 + len(g.by) + len(g.aggregates))
		start := len(docs)
		var fields []field
		put := func(kind string, n int, e *expr) {
			if v := e.eval(&tuples[i]); v != nil {
				fields = append(fields, field{scratchField(kind, n), v})
			}
		}
		for n, e := range g.by {
			put("g", n, e)
		}
		for n, a := range g.aggregates {
			if a.of != nil && !a.aggregate.collects() {
				put("a", n, a.of)
			}
		}
		docs = appendFields(docs, fields)
		outer.Hold(3 * (len(docs) - start + 64)) // here, and in the DB
	}
	_, err = db.Insert(scratchName, docs, false)
	return db, err
}

// op is the operator of the engine. For DISTINCT the engine lists the values,
// and ofDistinct does the rest.
func (a *aggregated) op() engine.AggregateOp {
	if a.distinct && !a.aggregate.collects() {
		return engine.AggDistinct
	}
	return aggregates[a.aggregate].op
}

// slots reads the slots of a group from its row.
func (g *groups) slots(row []byte) (slots [][]byte) {
	values := make([][]byte, 0, len(g.by)+len(g.aggregates))
	for name, v := range msgpack.Fields(row) {
		if len(name) > 0 && name[0] == 0 { // they come in the order of their numbers
			values = append(values, v)
		}
	}
	for i, v := range values {
		if i >= len(g.by) {
			a := &g.aggregates[i-len(g.by)]
			if a.distinct && !a.aggregate.collects() {
				v = a.ofDistinct(v)
			}
			if a.aggregate == aggTotal { // always a float
				v = floatValue(msgpack.Float(orZero(v)))
			}
		}
		slots = append(slots, v)
	}
	return slots
}

func orZero(v []byte) []byte {
	if isNull(v) {
		return number(0)
	}
	return v
}

// ofDistinct returns the aggregate of the different values in list, which is
// sorted. Null is not counted.
func (a *aggregated) ofDistinct(list []byte) []byte {
	var values [][]byte
	for v := range msgpack.Elements(list) {
		if !isNull(v) {
			values = append(values, v)
		}
	}
	switch {
	case a.aggregate == aggCount:
		return number(len(values))
	case len(values) == 0:
		return null
	case a.aggregate == aggMin || a.aggregate == aggFirst:
		return values[0]
	case a.aggregate == aggMax || a.aggregate == aggLast:
		return values[len(values)-1]
	}
	sum, n := number(0), 0
	for _, v := range values {
		if msgpack.KindOf(v) == msgpack.Number {
			sum = arithmetic('+', sum, v)
			n++
		}
	}
	switch {
	case n == 0:
		return null
	case a.aggregate == aggAvg:
		return floatValue(msgpack.Float(sum) / float64(n))
	}
	return sum
}
