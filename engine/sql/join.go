package sql

import (
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

// naturalized returns tables with the fields that a NATURAL JOIN compares: those that
// documents of both sides have, but for _id, which every document has.
func (x *execution) naturalized(tables []table) []table {
	isNatural := false
	for i := range tables {
		isNatural = isNatural || tables[i].natural
	}
	if !isNatural {
		return tables
	}
	tables = append([]table(nil), tables...)
	before := map[string]bool{"_id": false}
	for i := range tables {
		t := &tables[i]
		names := t.columns
		if names == nil {
			names = x.fields(t)
		}
		for _, n := range names {
			if t.natural && before[n] {
				t.using = append(t.using, name{n, t.pos})
			}
			before[n] = n != "_id"
		}
	}
	return tables
}

// fields returns the names of the fields that documents of t have.
func (x *execution) fields(t *table) (names []string) {
	docs, _ := (&selection{x: x, tables: []table{*t}}).documents(0, nil)
	known := map[string]bool{}
	for _, doc := range docs {
		x.db.Spend(1)
		for n := range msgpack.Fields(doc) {
			if !known[string(n)] {
				known[string(n)] = true
				names = append(names, string(n))
			}
		}
	}
	return names
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
	if s, table, ok := tableFilter(part); ok && (table == i || part.isConst()) && !j.kind.keepsRight() && !slowly {
		f := s.holds
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

// A joining makes tuples of the documents of all tables: one document after the
// other of the first, with its partners in the second, and so on, so that nothing
// grows with the product of the tables.
type joining struct {
	*selection
	steps []joinStep        // by table
	one   tuple             // that is being made
	emit  func(*tuple) bool // returns false if no more are asked for
	cost  int
}

// A joinStep is a table that is joined.
type joinStep struct {
	docs     [][]byte
	all      []int32            // the documents by their numbers, if no equality says which
	partners map[string][]int32 // else by their values
	taken    []bool             // which have had a partner
}

func (r *joining) run() error {
	if len(r.tables) == 0 {
		r.extend(0)
		return nil
	}
	r.steps = make([]joinStep, len(r.tables))
	for i := range r.tables {
		if err := r.prepare(i); err != nil {
			return err
		}
	}
	isWanted := true
	first := func(doc []byte) bool {
		r.one.docs[0] = doc
		isWanted = r.extend(1)
		return isWanted
	}
	if err := r.lazily(first); err != nil {
		return err
	}
	for _, doc := range r.steps[0].docs {
		if !first(doc) {
			break
		}
	}
	for i := range r.joins {
		if !isWanted {
			return nil
		}
		s := &r.steps[i+1]
		if !r.joins[i].kind.keepsRight() {
			continue
		}
		clear(r.one.docs)
		for n, doc := range s.docs {
			r.x.db.Spend(1)
			if r.one.docs[i+1] = doc; !s.taken[n] && !r.add(i+1) {
				return nil
			}
		}
	}
	return nil
}

// lazily calls first with the documents of the first table, if they are taken one by one.
func (r *joining) lazily(first func([]byte) bool) error {
	t := &r.tables[0]
	if t.lazy == nil {
		return nil
	}
	isWanted := true
	where := r.filters[0]
	l := &list{}
	err := t.lazy.each(func(row []byte) bool {
		r.x.db.Spend(1)
		start := len(l.rows)
		l.copy(r.x, row)
		if doc := l.rows[start:]; where == nil || !r.applies(0) || where.Match(doc) {
			isWanted = first(doc)
		}
		return isWanted
	})
	if t.isKept && isWanted && err == nil {
		r.x.tables[t.body] = l.from(0)
	}
	return err
}

// prepare finds the documents of table i.
func (r *joining) prepare(i int) (err error) {
	s := &r.steps[i]
	var filters []*query.Filter
	add := func(f *query.Filter) {
		if f != nil {
			filters = append(filters, f)
		}
	}
	if r.applies(i) { // what WHERE says of it may be asked before joining
		add(r.filters[i])
	}
	if i == 0 {
		s.docs, err = r.documents(0, query.And(filters...))
		return err
	}
	j := &r.joins[i-1]
	add(j.filter)
	if len(j.inner) > 0 && !j.kind.keepsRight() && !r.x.slowly {
		add(r.probes(j))
	}
	docs, err := r.documents(i, query.And(filters...))
	if err != nil {
		return err
	}
	s.docs, s.taken = docs, make([]bool, len(docs))
	if r.x.db.Hold(8 * len(docs)); len(j.inner) == 0 {
		for n := range docs {
			s.all = append(s.all, int32(n))
		}
		return nil
	}
	s.partners = map[string][]int32{}
	one := tuple{docs: make([][]byte, len(r.tables))}
	for n, doc := range docs {
		r.x.db.Spend(1)
		one.docs[i] = doc
		if k, ok := keyOf(j.inner, &one); ok {
			r.x.db.Hold(len(k) + partnerBytes)
			s.partners[k] = append(s.partners[k], int32(n))
		}
	}
	return nil
}

// extend joins table i and those after it to the tuple. It returns false if no more
// tuples are asked for.
func (r *joining) extend(i int) bool {
	if i == len(r.tables) {
		if r.x.db.Spend(r.cost); r.passes(&r.one) {
			return r.emit(&r.one)
		}
		return true
	}
	j, s := &r.joins[i-1], &r.steps[i]
	hasPartner, with := false, s.all
	r.one.docs[i] = nil
	if len(j.inner) > 0 {
		k, _ := keyOf(j.outer, &r.one)
		with = s.partners[k] // none of "", which no key is
	}
	for _, n := range with {
		r.x.db.Spend(1 + j.cost)
		if r.one.docs[i] = s.docs[n]; j.holds(&r.one) {
			hasPartner, s.taken[n] = true, true
			if !r.add(i) {
				return false
			}
		}
	}
	if r.one.docs[i] = nil; !hasPartner && j.kind.keepsLeft() {
		return r.add(i)
	}
	return true
}

// add goes on with a tuple whose document of table i is chosen.
func (r *joining) add(i int) bool {
	for _, e := range r.joins[i-1].after {
		if !e.test(&r.one) {
			return true
		}
	}
	return r.extend(i + 1)
}

func (j *join) holds(t *tuple) bool {
	for _, e := range j.further {
		if !e.test(t) {
			return false
		}
	}
	return true
}

// probes is the condition that a document has one of the values that it may be
// joined to; nil if those are too many, or not of one table.
func (r *joining) probes(j *join) *query.Filter {
	outer := j.outer[0]
	table := outer.lastTable()
	for i := range table {
		if outer.reads(i) {
			return nil
		}
	}
	of := [][]byte{nil}
	if table == 0 && r.tables[0].lazy != nil {
		return nil
	}
	if table >= 0 {
		of = r.steps[table].docs
	}
	seen := map[string]bool{}
	var values [][]byte
	one := tuple{docs: make([][]byte, len(r.tables))}
	for _, doc := range of {
		if table >= 0 {
			one.docs[table] = doc
		}
		v := outer.eval(&one)
		if isNull(v) {
			continue
		}
		k := keyOfValue(v)
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
		b = appendPart(b, v)
	}
	return string(b), true
}

// keyOfValue returns bytes that are the same for equal values.
//
//go:noinline
func keyOfValue(v []byte) string { return string(query.AppendKey(nil, v)) }

// appendPart appends a part of a key of several values.
//
//go:noinline
func appendPart(b, v []byte) []byte {
	k := query.AppendKey(nil, v)
	return append(msgpack.AppendInt(b, int64(len(k))), k...)
}
