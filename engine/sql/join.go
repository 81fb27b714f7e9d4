package sql

import (
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A join adds the documents of one more table to tuples: those whose values
// at some paths equal values of the tuple.
type join struct {
	left    bool
	inner   []*expr       // fields of the joined table …
	outer   []*expr       // … and what they equal, of the tables before it
	filter  *query.Filter // what else ON says of the joined table alone
	further []*expr       // and of all together
	cost    int           // how many expressions further is made of
}

// maxProbes is how many different values are looked up in the joined table,
// by its id or index if it has one there, rather than reading all of it.
const maxProbes = 1000

func (b *binder) joins() (joins []join, err error) {
	for i := 1; i < len(b.tables); i++ {
		on := b.tables[i].on
		j := join{left: b.tables[i].left}
		parts := []*expr{on}
		if on.op == opAnd {
			parts = on.kids
		}
		var filters []*query.Filter
		for _, part := range parts {
			part, err := (&binder{x: b.x, tables: b.tables[:i+1]}).bind(part)
			if err != nil {
				return nil, err
			}
			if part.op == opCompare && part.operator == equals {
				a, c := part.kids[0], part.kids[1]
				if !(a.op == opField && a.table == i) {
					a, c = c, a
				}
				if a.op == opField && a.table == i && !c.reads(i) {
					j.inner, j.outer = append(j.inner, a), append(j.outer, c)
					continue
				}
			}
			if s, table, ok := tableFilter(part); ok && table == i && !b.x.slowly {
				filters = append(filters, s.holds)
				continue
			}
			j.further = append(j.further, part)
			j.cost += part.size()
		}
		if len(filters) > 0 {
			j.filter = query.And(filters...)
		}
		if len(j.inner) == 0 {
			return nil, b.fault(on, "expected an equality after ON, as in "+b.tables[0].alias+"._id = "+b.tables[i].alias+".field")
		}
		joins = append(joins, j)
	}
	return joins, nil
}

// reads reports whether e looks at documents of a table.
func (e *expr) reads(table int) (yes bool) {
	e.walk(func(part *expr) { yes = yes || (part.op == opField || part.op == opFilter) && part.table == table })
	return yes
}

// join adds table i to the tuples.
func (q *selection) join(i int, tuples []tuple) ([]tuple, error) {
	j := &q.joins[i-1]
	where := j.filter
	// What WHERE says of an inner join's table may be asked before joining.
	if f := q.filters[i]; f != nil && !j.left {
		if where != nil {
			f = query.And(where, f)
		}
		where = f
	}
	if !q.x.slowly {
		if probes, ok := j.probes(tuples); ok {
			if where != nil {
				probes = query.And(where, probes)
			}
			where = probes
		}
	}
	result, err := q.find(i, where)
	if err != nil {
		return nil, err
	}
	partners := map[string][][]byte{}
	t := tuple{docs: make([][]byte, i+1)}
	for doc := range result.Documents() {
		q.x.db.Spend(1)
		t.docs[i] = doc
		if k, ok := keyOf(j.inner, &t); ok {
			q.x.db.Hold(len(k) + partnerBytes)
			partners[k] = append(partners[k], doc)
		}
	}
	var joined []tuple
	for _, t := range tuples {
		found := false
		if k, ok := keyOf(j.outer, &t); ok {
			for _, doc := range partners[k] {
				q.x.db.Spend(1 + j.cost)
				q.x.db.Hold(tupleBytes(len(t.docs)))
				docs := append([][]byte(nil), t.docs...)
				docs[i] = doc
				with := tuple{docs: docs}
				if j.holds(&with) {
					joined, found = append(joined, with), true
				}
			}
		}
		if !found && j.left {
			joined = append(joined, t)
		}
	}
	return joined, nil
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
// ask for; false if those are too many.
func (j *join) probes(tuples []tuple) (*query.Filter, bool) {
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
			return nil, false
		}
		seen[k] = true
		values = append(values, v)
	}
	// A path that crosses arrays reaches more values than the first, which is
	// the one that a join compares. So this condition only narrows the search.
	return query.In(j.inner[0].path, values), true
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
