package sql

import (
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A join adds the documents of one more table to tuples: those whose values
// at some paths equal values of the tuple, if an equality says which, and for which
// the other conditions hold.
type join struct {
	kind    joinKind
	inner   []*expr       // fields of the joined table …
	outer   []*expr       // … and what they equal, of the tables before it
	filter  *query.Filter // what else ON says of the joined table alone
	further []*expr       // and of all together
	after   []*expr       // conditions of WHERE on the tuples that it makes
	cost    int           // how many expressions further and after are made of
}

// maxProbes is how many different values are looked up in the joined table,
// by its id or index if it has one there, rather than reading all of it.
const maxProbes = 1000

// pinned returns the last table that a RIGHT or FULL JOIN joins; -1 if there is none.
// WHERE decides nothing about the tables up to there before they are joined, because
// a row without a partner stays, and what has a partner would not be known.
func pinned(tables []table) int {
	last := -1
	for i, t := range tables {
		if t.kind.keepsRight() {
			last = i
		}
	}
	return last
}

func (b *binder) joins() (joins []join, err error) {
	for i := 1; i < len(b.tables); i++ {
		j := join{kind: b.tables[i].kind}
		over := &binder{x: b.x, tables: b.tables[:i+1], scope: b.scope}
		if on := b.tables[i].on; on != nil {
			bound, err := over.bind(on)
			if err != nil {
				return nil, err
			}
			parts := []*expr{bound}
			if bound.op == opAnd {
				parts = bound.kids
			}
			for _, part := range parts {
				j.add(part, i, b.x.slowly)
			}
		}
		for _, n := range b.tables[i].using {
			e := &expr{op: opPath, text: n.text, start: n.pos, end: n.pos + len(n.text)}
			left, err := (&binder{x: b.x, tables: b.tables[:i], scope: b.scope}).field(e)
			if err != nil {
				return nil, err
			}
			right := b.tables[i].field(e, i, n.text)
			if right == nil {
				return nil, b.fault(e, "expected a field that both tables have")
			}
			j.add(&expr{op: opCompare, operator: equals, start: e.start, end: e.end, kids: []*expr{left, right}}, i, b.x.slowly)
		}
		joins = append(joins, j)
	}
	return joins, nil
}

// add adds a condition on the tables up to i.
func (j *join) add(part *expr, i int, slowly bool) {
	if part.op == opCompare && part.operator == equals && !slowly {
		a, c := part.kids[0], part.kids[1]
		if !(a.op == opField && a.table == i) {
			a, c = c, a
		}
		if a.op == opField && a.table == i && !c.reads(i) {
			j.inner, j.outer = append(j.inner, a), append(j.outer, c)
			return
		}
	}
	if f, table, ok := tableFilter(part); ok && (table == i || part.isConst()) && !j.kind.keepsRight() && !slowly {
		if j.filter != nil {
			f = query.And(j.filter, f)
		}
		j.filter = f
		return
	}
	j.further = append(j.further, part)
	j.cost += part.size()
}

// spread gives each condition of WHERE to the first join after which it can be tested.
func (q *selection) spread() {
	var rest []*expr
	for _, e := range q.rest {
		i := e.lastTable()
		switch {
		case i < 1 || i <= q.pinned:
			rest = append(rest, e)
		case q.joins[i-1].kind == innerJoin:
			q.joins[i-1].add(e, i, q.x.slowly)
		default:
			q.joins[i-1].after = append(q.joins[i-1].after, e)
			q.joins[i-1].cost += e.size()
		}
	}
	q.rest = rest
}

// reads reports whether e looks at documents of a table.
func (e *expr) reads(table int) (yes bool) {
	e.walk(func(part *expr) { yes = yes || part.isOfTable() && part.table == table })
	return yes
}

// lastTable returns the last table that e looks at; -1 if it looks at none.
func (e *expr) lastTable() int {
	last := -1
	e.walk(func(part *expr) {
		if part.isOfTable() {
			last = max(last, part.table)
		}
	})
	return last
}

func (e *expr) isOfTable() bool { return e.op == opField || e.op == opFilter || e.op == opColumn }

// join adds table i to the tuples. probes is what its documents meet if they have a
// partner; nil: that is not known.
func (q *selection) join(i int, tuples tuplesOf, probes *query.Filter) (tuplesOf, error) {
	j := &q.joins[i-1]
	filters := []*query.Filter{j.filter, probes}
	// What WHERE says of an inner join's table may be asked before joining.
	if q.applies(i) {
		filters = append(filters, q.filters[i])
	}
	filters = slices.DeleteFunc(filters, func(f *query.Filter) bool { return f == nil })
	var where *query.Filter
	if len(filters) > 0 {
		where = query.And(filters...)
	}
	found, err := q.documents(i, where)
	if err != nil {
		return nil, err
	}
	var docs [][]byte
	var all []int32                  // the documents by their numbers, if no equality says which
	partners := map[string][]int32{} // else by their values
	one := tuple{docs: make([][]byte, len(q.tables))}
	for doc := range found {
		q.x.db.Spend(1)
		q.x.db.Hold(32)
		one.docs[i] = doc
		if len(j.inner) == 0 {
			all = append(all, int32(len(docs)))
		} else if k, ok := keyOf(j.inner, &one); ok {
			q.x.db.Hold(len(k) + partnerBytes)
			partners[k] = append(partners[k], int32(len(docs)))
		} else if !j.kind.keepsRight() {
			continue
		}
		docs = append(docs, doc)
	}
	return func(yield func(*tuple) bool) {
		taken := make([]bool, len(docs))
		add := func(t *tuple) bool {
			for _, e := range j.after {
				if !e.test(t) {
					return true
				}
			}
			return yield(t)
		}
		for t := range tuples {
			hasPartner, with := false, all
			if len(j.inner) > 0 {
				k, _ := keyOf(j.outer, t)
				with = partners[k] // none of "", which no key is
			}
			copy(one.docs, t.docs)
			for _, n := range with {
				q.x.db.Spend(1 + j.cost)
				one.docs[i] = docs[n]
				if j.holds(&one) {
					hasPartner, taken[n] = true, true
					if !add(&one) {
						return
					}
				}
			}
			if one.docs[i] = nil; !hasPartner && j.kind.keepsLeft() && !add(&one) {
				return
			}
		}
		if !j.kind.keepsRight() {
			return
		}
		clear(one.docs)
		for n, doc := range docs {
			q.x.db.Spend(1)
			if one.docs[i] = doc; !taken[n] && !add(&one) {
				return
			}
		}
	}, nil
}

func (j *join) holds(t *tuple) bool {
	for _, e := range j.further {
		if !e.test(t) {
			return false
		}
	}
	return true
}

// probes is the condition that a document has one of the values that the tuples
// ask for; nil if those are too many.
func (j *join) probes(tuples []tuple) *query.Filter {
	seen := map[string]bool{}
	var values [][]byte
	for i := range tuples {
		v := j.outer[0].eval(&tuples[i])
		if isNull(v) {
			continue
		}
		k := string(query.AppendKey(nil, v))
		if seen[k] {
			continue
		}
		if len(values) == maxProbes {
			return nil
		}
		seen[k] = true
		values = append(values, v)
	}
	// A path that crosses arrays reaches more values than the first, which is
	// the one that a join compares. So this condition only narrows the search.
	return query.In(j.inner[0].path, values)
}

// partnerBytes is what a document takes that others may be joined to, about.
const partnerBytes = 96

// tupleBytes is what a tuple of documents of n tables takes.
func tupleBytes(n int) int { return 48 + 24*n }

// keyOf returns bytes that are the same for tuples whose values are equal;
// false if one is null, which equals nothing.
func keyOf(exprs []*expr, t *tuple) (string, bool) {
	var b []byte
	for _, e := range exprs {
		v := e.eval(t)
		if isNull(v) {
			return "", false
		}
		k := query.AppendKey(nil, v)
		b = append(msgpack.AppendInt(b, int64(len(k))), k...)
	}
	return string(b), true
}
