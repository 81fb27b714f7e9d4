package sql

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A join adds the documents of one more table to tuples: those whose values
// at some paths equal values of the tuple, if an equality says which, and for which
// the other conditions hold.
type join struct {
	table   int
	kind    joinKind
	on      []*expr       // what ON and USING say
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
		j := join{table: i, kind: b.tables[i].kind}
		over := &binder{x: b.x, tables: b.tables[:i+1], scope: b.scope}
		if on := b.tables[i].on; on != nil {
			bound, err := over.bind(on)
			if err != nil {
				return nil, err
			}
			if j.on = []*expr{bound}; bound.op == opAnd {
				j.on = slices.Clone(bound.kids)
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
			j.on = append(j.on, &expr{op: opCompare, operator: equals, start: e.start, end: e.end, kids: []*expr{left, right}})
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

// add adds a condition on the joined table and those before it.
func (j *join) add(part *expr, slowly bool) {
	i := j.table
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

// spread decides in which order the tables are joined, and gives each condition to the
// first join after which it can be tested.
func (q *selection) spread() {
	q.inOrder()
	place := make([]int, len(q.tables)) // of each table
	for at, table := range q.order {
		place[table] = at
	}
	lastPlace := func(e *expr) int {
		last := -1
		e.walk(func(part *expr) {
			if part.isOfTable() {
				last = max(last, place[part.table])
			}
		})
		return last
	}
	for i := range q.joins {
		for _, part := range q.joins[i].on {
			at := i + 1
			if q.isReordered {
				at = max(lastPlace(part), 1)
			}
			q.joins[at-1].add(part, q.x.slowly || q.isAsked(at))
		}
	}
	var rest []*expr
	for _, e := range q.rest {
		at := lastPlace(e)
		switch {
		case at < 1 || at <= q.pinned:
			rest = append(rest, e)
		case q.joins[at-1].kind == innerJoin:
			q.joins[at-1].add(e, q.x.slowly || q.isAsked(at))
		default:
			q.joins[at-1].after = append(q.joins[at-1].after, e)
			q.joins[at-1].cost += e.size()
		}
	}
	q.rest = rest
}

// isAsked reports whether the table at a place of the order has rows only for each tuple of
// those before it.
func (q *selection) isAsked(at int) bool { return q.tables[q.order[at]].json != nil }

// inOrder sets the order in which tables are joined: that of the statement, unless a table
// would be joined to all before it though an equality with a later one says which. The
// tuples are sorted then, so nobody sees another order.
func (q *selection) inOrder() {
	for table := range q.tables {
		q.order = append(q.order, table)
	}
	if len(q.tables) < 3 || !q.isInner() || q.x.slowly {
		return
	}
	var equal [][2]*expr
	for _, e := range q.equalities() {
		equal = append(equal, [2]*expr{e.kids[0], e.kids[1]}, [2]*expr{e.kids[1], e.kids[0]})
	}
	order, left := []int{0}, slices.Clone(q.order[1:])
	for len(left) > 0 {
		next := slices.IndexFunc(left, func(table int) bool {
			return slices.ContainsFunc(equal, func(sides [2]*expr) bool {
				return sides[0].op == opField && sides[0].table == table && sides[1].lastTable() >= 0 && !slices.ContainsFunc(left, sides[1].reads)
			})
		})
		next = max(next, 0)
		order, left = append(order, left[next]), slices.Delete(left, next, next+1)
	}
	if q.isReordered = !slices.Equal(order, q.order); q.isReordered {
		q.order = order
		joins := q.joins
		q.joins = nil
		for _, table := range order[1:] {
			q.joins = append(q.joins, join{table: table, on: joins[table-1].on})
		}
	}
}

// isInner reports whether all tables are joined by what holds alone.
func (q *selection) isInner() bool {
	for i := range q.tables {
		if t := &q.tables[i]; i > 0 && t.kind != innerJoin || t.lazy != nil || t.json != nil {
			return false
		}
	}
	return true
}

// equalities returns the conditions on two tables that are equalities.
func (q *selection) equalities() (all []*expr) {
	add := func(parts []*expr) {
		for _, e := range parts {
			if e.op == opCompare && e.operator == equals {
				all = append(all, e)
			}
		}
	}
	for i := range q.joins {
		add(q.joins[i].on)
	}
	add(q.rest)
	return all
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

	err     error           // of documents that are taken one by one
	key     []byte          // is overwritten
	numbers []int32         // of the documents of one, by table, if tables are reordered
	found   []numberedTuple // which are sorted before they are emitted
}

// A numberedTuple is a tuple and the numbers of its documents.
type numberedTuple struct {
	docs    [][]byte
	numbers []int32
}

// A joinStep is a table that is joined.
type joinStep struct {
	isReady bool          // its documents have been found
	where   *query.Filter // by which
	isLazy  bool          // they are taken one by one, and nobody has asked for them yet
	docs    [][]byte
	first   map[string]int32 // by what an equality asks: the number of the first document …
	next    []int32          // … and of each, that of the next one of the same; 0: none
	taken   []bool           // which have had a partner
}

func (r *joining) run() error {
	if len(r.tables) == 0 {
		r.extend(0)
		return nil
	}
	r.steps = make([]joinStep, len(r.tables))
	for _, table := range r.preparations() {
		if err := r.prepare(table); err != nil {
			return err
		}
	}
	if r.isReordered {
		r.numbers = make([]int32, len(r.tables))
	}
	isWanted := true
	first := func(n int, doc []byte) bool {
		r.choose(r.order[0], n, doc)
		isWanted = r.extend(1)
		return isWanted
	}
	if err := r.lazily(r.order[0], func(doc []byte) bool { return first(0, doc) }); err != nil || r.err != nil {
		return cmp.Or(err, r.err)
	}
	for n, doc := range r.steps[r.order[0]].docs {
		if !first(n, doc) {
			break
		}
	}
	if r.err != nil {
		return r.err
	}
	if r.isReordered {
		r.emitFound()
		return nil
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
			if r.one.docs[i+1] = doc; !s.taken[n] && !r.addTo(i+1) {
				return nil
			}
		}
	}
	return nil
}

// lazily calls visit with the documents of a table, if they are taken one by one.
func (r *joining) lazily(table int, visit func([]byte) bool) error {
	t := &r.tables[table]
	if t.lazy == nil {
		return nil
	}
	isWanted := true
	where := r.filters[table]
	l := &list{}
	err := t.lazy.each(func(row []byte) bool {
		r.x.db.Spend(1)
		start := len(l.rows)
		l.copy(r.x, row)
		if doc := l.rows[start:len(l.rows):len(l.rows)]; where == nil || !r.applies(table) || where.Match(doc) {
			isWanted = visit(doc)
		}
		return isWanted
	})
	if t.isKept && isWanted && err == nil {
		r.x.tables[t.body] = l.from(0)
	}
	return err
}

// drain joins the documents of a table that are taken one by one, and keeps them: for the
// first tuple that asks for them, a LIMIT may end what has no end.
func (r *joining) drain(at int, s *joinStep, with func(n int) bool) (isWanted bool) {
	j := &r.joins[at-1]
	asked, hasKey := appendKeyOf(nil, j.outer, &r.one)
	if !hasKey {
		return true // null equals nothing
	}
	isWanted, s.isLazy = true, false
	var key []byte
	r.err = r.lazily(j.table, func(doc []byte) bool {
		if j.filter != nil && !j.filter.Match(doc) {
			return true
		}
		s.docs, s.taken = append(s.docs, doc), append(s.taken, false)
		r.one.docs[j.table] = doc
		k, ok := appendKeyOf(key[:0], j.inner, &r.one)
		if key = k; !ok || !bytes.Equal(key, asked) {
			return true
		}
		isWanted = with(len(s.docs) - 1)
		return isWanted
	})
	if isWanted = isWanted && r.err == nil; isWanted {
		r.hash(j, s)
	}
	return isWanted
}

// preparations is the order in which the documents of the tables are found: as they are
// joined, but if the first table has many, those of which a filter may leave few come
// before it, so that it is searched for their partners alone.
func (r *joining) preparations() []int {
	if len(r.tables) < 2 || r.x.slowly || !r.isInner() || r.isFew(r.order[0]) {
		return r.order
	}
	var few, others []int
	for at, table := range r.order {
		if isFiltered := r.filters[table] != nil || at > 0 && r.joins[at-1].filter != nil; isFiltered || r.tables[table].body != nil {
			few = append(few, table)
		} else {
			others = append(others, table)
		}
	}
	return append(few, others...)
}

// isFew reports whether the documents of a table are few enough to be looked up.
func (r *joining) isFew(table int) bool {
	t := &r.tables[table]
	if t.body != nil {
		return len(t.docs) <= maxProbes
	}
	n, err := r.x.db.Count(t.collection, r.filters[table], maxProbes+1)
	return err == nil && n <= maxProbes
}

// prepare finds the documents of a table.
func (r *joining) prepare(table int) (err error) {
	s := &r.steps[table]
	if s.isLazy = r.tables[table].lazy != nil; s.isLazy {
		return nil
	}
	var filters []*query.Filter
	add := func(f *query.Filter) {
		if f != nil {
			filters = append(filters, f)
		}
	}
	if r.applies(table) { // what WHERE says of it may be asked before joining
		add(r.filters[table])
	}
	j := r.joinOf(table)
	if j != nil {
		add(j.filter)
	}
	if !r.x.slowly {
		if j != nil && len(j.inner) > 0 && !j.kind.keepsRight() {
			add(r.probes(j.inner[0], j.outer[0]))
		}
		for i := range r.joins {
			if of := &r.joins[i]; len(of.inner) > 0 && r.steps[of.table].isReady && of.outer[0].op == opField && of.outer[0].table == table && !of.outer[0].path.IsEmpty() && r.isInner() {
				add(r.probes(of.outer[0], of.inner[0]))
			}
		}
	}
	s.where = query.And(filters...)
	if r.tables[table].json != nil {
		return nil
	}
	s.isReady = true
	docs, err := r.documents(table, s.where)
	if s.docs = docs; err != nil || j == nil {
		return err
	}
	s.taken = make([]bool, len(docs))
	r.hash(j, s)
	return nil
}

// hash makes the table in which documents are found by what an equality asks.
func (r *joining) hash(j *join, s *joinStep) {
	docs := s.docs
	r.x.db.Hold(8 * len(docs))
	if len(j.inner) == 0 {
		return
	}
	s.first, s.next = make(map[string]int32, len(docs)), make([]int32, len(docs)+1)
	one := tuple{docs: make([][]byte, len(r.tables))}
	var key []byte
	for n := len(docs); n > 0; n-- {
		r.x.db.Spend(1)
		one.docs[j.table] = docs[n-1]
		k, ok := appendKeyOf(key[:0], j.inner, &one)
		if key = k; ok {
			r.x.db.Hold(len(k) + partnerBytes)
			s.next[n] = s.first[string(k)]
			s.first[string(k)] = int32(n)
		}
	}
}

// joinOf returns the join that adds a table; nil for the first one.
func (r *joining) joinOf(table int) *join {
	for i := range r.joins {
		if r.joins[i].table == table {
			return &r.joins[i]
		}
	}
	return nil
}

// choose puts a document into the tuple.
func (r *joining) choose(table, n int, doc []byte) {
	if r.one.docs[table] = doc; r.numbers != nil {
		r.numbers[table] = int32(n)
	}
}

// extend joins the table at a place of the order, and those after it, to the tuple. It
// returns false if no more tuples are asked for.
func (r *joining) extend(at int) bool {
	if at == len(r.tables) {
		return r.add()
	}
	j := &r.joins[at-1]
	s := &r.steps[j.table]
	hasPartner := false
	r.one.docs[j.table] = nil
	with := func(n int) bool {
		r.x.db.Spend(1 + j.cost)
		if r.choose(j.table, n, s.docs[n]); !j.holds(&r.one) {
			return true
		}
		hasPartner, s.taken[n] = true, true
		return r.addTo(at)
	}
	if of := r.tables[j.table].json; of != nil {
		isWanted := true
		s.docs, s.taken = make([][]byte, 1), make([]bool, 1)
		of.rows(r.x, &r.one, s.where, func(row []byte) bool {
			s.docs[0] = row
			isWanted = with(0)
			return isWanted
		})
		if !isWanted {
			return false
		}
	} else if s.isLazy {
		if !r.drain(at, s, with) {
			return false
		}
	} else if len(j.inner) == 0 {
		for n := range s.docs {
			if !with(n) {
				return false
			}
		}
	} else if k, ok := appendKeyOf(r.key[:0], j.outer, &r.one); ok {
		r.key = k
		for n := s.first[string(k)]; n > 0; n = s.next[n] {
			if !with(int(n) - 1) {
				return false
			}
		}
	}
	if r.one.docs[j.table] = nil; !hasPartner && j.kind.keepsLeft() {
		return r.addTo(at)
	}
	return true
}

// add takes the tuple, which has its documents.
func (r *joining) add() bool {
	if r.x.db.Spend(r.cost); !r.passes(&r.one) {
		return true
	}
	if !r.isReordered {
		return r.emit(&r.one)
	}
	r.x.db.Hold(tupleBytes(len(r.tables)) + 4*len(r.numbers))
	r.found = append(r.found, numberedTuple{slices.Clone(r.one.docs), slices.Clone(r.numbers)})
	return true
}

// emitFound emits the tuples that were found, in the order of the statement.
func (r *joining) emitFound() {
	slices.SortFunc(r.found, func(a, b numberedTuple) int {
		r.x.db.Spend(1)
		return slices.Compare(a.numbers, b.numbers)
	})
	for i := range r.found {
		if r.one.docs = r.found[i].docs; !r.emit(&r.one) {
			return
		}
	}
}

// addTo goes on with a tuple whose document of the table at a place is chosen.
func (r *joining) addTo(at int) bool {
	for _, e := range r.joins[at-1].after {
		if !e.test(&r.one) {
			return true
		}
	}
	return r.extend(at + 1)
}

func (j *join) holds(t *tuple) bool {
	for _, e := range j.further {
		if !e.test(t) {
			return false
		}
	}
	return true
}

// probes is the condition that a document has, at the path of a field, one of the values
// that it may be joined to; nil if those are too many, or not of one table whose documents
// are known.
func (r *joining) probes(field, partner *expr) *query.Filter {
	table := partner.lastTable()
	for i := range r.tables {
		if i != table && partner.reads(i) {
			return nil
		}
	}
	of := [][]byte{nil}
	if table >= 0 {
		if !r.steps[table].isReady {
			return nil
		}
		of = r.steps[table].docs
	}
	seen := map[string]bool{}
	var values [][]byte
	one := tuple{docs: make([][]byte, len(r.tables))}
	for _, doc := range of {
		if table >= 0 {
			one.docs[table] = doc
		}
		v := partner.eval(&one)
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
	return query.In(field.path, values)
}

// partnerBytes is what a document takes that others may be joined to, about.
const partnerBytes = 96

// tupleBytes is what a tuple of documents of n tables takes.
func tupleBytes(n int) int { return 48 + 24*n }

// appendKeyOf appends bytes that are the same for tuples whose values are equal; false if
// one is null, which equals nothing.
func appendKeyOf(b []byte, exprs []*expr, t *tuple) ([]byte, bool) {
	for _, e := range exprs {
		v := e.eval(t)
		if isNull(v) {
			return b, false
		}
		if len(exprs) == 1 {
			return query.AppendKey(b, v), true
		}
		b = appendPart(b, v)
	}
	return b, true
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
