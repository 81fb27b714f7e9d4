package sql

import (
	"slices"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A selection is a SELECT that is bound.
type selection struct {
	*selectBody
	x           *execution
	binder      *binder
	tables      []table         // with the rows of those that are queries
	pinned      int             // the last table that a RIGHT or FULL JOIN joins; -1: none
	filters     []*query.Filter // by table; nil: all documents
	rest        []*expr         // conditions that no filter says
	order       []int           // in which tables are joined
	isReordered bool            // it is not that of the statement
	joins       []join          // of the second table in that order, and later
	groups      *groups         // nil: rows are of documents
	having      *expr
	windows     windows
	projection  *projection
	keys        []sortKey
	skip        int
	limit       int // -1: all
}

// A sortKey is a bound term of ORDER BY.
type sortKey struct {
	expr       *expr
	descending bool
}

func (s *selectBody) run(x *execution) (Rows, error) {
	return x.checked(func(x *execution) (Rows, error) {
		q, err := s.bind(x, nil)
		if err != nil {
			return nil, err
		}
		return q.rows()
	})
}

// checked returns what answer does. Builds with the tag invariants compare it with
// its definition.
func (x *execution) checked(answer func(*execution) (Rows, error)) (Rows, error) {
	rows, err := answer(x)
	if err != nil || !invariants || x.slowly {
		return rows, err
	}
	slow := newExecution(x.db, x.text)
	slow.params, slow.slowly = x.params, true
	got := taken(rows)
	var want []byte
	x.db.Uncounted(func() {
		var rows Rows
		if rows, err = answer(slow); err == nil {
			want = taken(rows)
		}
	})
	if err != nil {
		return nil, err
	}
	// Comparing has taken all rows, so the answer is made once more.
	if !slices.Equal(got, want) {
		panic("sql: " + x.text + " answered otherwise than its definition")
	}
	return answer(x)
}

func taken(rows Rows) []byte {
	var all []byte
	for rows.Len() > 0 {
		all, _, _ = rows.Next(all, 0)
	}
	return all
}

func (q *selection) rows() (Rows, error) {
	if rows, err := q.streamed(); rows != nil || err != nil {
		return rows, err
	}
	l := &list{}
	return l, q.each(func(row []byte) bool {
		l.copy(q.x, row)
		return true
	})
}

// each works out the rows: it removes duplicates if they must be DISTINCT, and applies
// OFFSET and LIMIT.
func (q *selection) each(yield func([]byte) bool) error {
	seen := map[string]bool{}
	skip, left := q.skip, q.limit
	var row []byte
	emit := func(t *tuple) bool {
		if left == 0 {
			return false
		}
		q.x.db.Spend(q.projection.cost)
		row = q.projection.append(row[:0], t)
		if q.distinct {
			k := keyOfValue(row)
			if seen[k] {
				return true
			}
			q.x.db.Hold(len(k) + 32)
			seen[k] = true
		}
		if skip > 0 {
			skip--
			return true
		}
		left--
		return yield(row) && left != 0
	}
	if q.groups == nil && len(q.keys) == 0 && q.windows.bound == nil {
		if left == 0 {
			return nil
		}
		return q.join(emit)
	}
	tuples, err := q.worked()
	if err != nil {
		return err
	}
	for i := range tuples {
		if !emit(&tuples[i]) {
			break
		}
	}
	return nil
}

// worked returns the tuples, or those of the groups, in their order.
func (q *selection) worked() (tuples []tuple, err error) {
	if q.groups == nil || !q.direct() {
		if tuples, err = q.tuples(); err != nil {
			return nil, err
		}
	}
	if q.groups != nil {
		if tuples, err = q.groups.of(q, tuples); err != nil {
			return nil, err
		}
		if q.having != nil {
			tuples = slices.DeleteFunc(tuples, func(t tuple) bool { return !q.having.test(&t) })
		}
	}
	if err := q.windows.fill(q, tuples); err != nil || len(q.keys) == 0 {
		return tuples, err
	}
	// One row may stand for null and for a missing field, and a missing partner for null.
	in := make([]tuple, len(tuples))
	for i, row := range q.sorted(tuples, q.keys, q.distinct || len(q.tables) > 1) {
		in[i] = tuples[row.at]
	}
	return in, nil
}

// bind resolves all names and parameters.
func (s *selectBody) bind(x *execution, in *scope) (*selection, error) {
	tables, err := s.bindTables(x, in)
	if err != nil {
		return nil, err
	}
	q, err := s.bindNames(x, tables, in)
	if err != nil {
		return nil, invalid(err)
	}
	return q, nil
}

func (s *selectBody) bindNames(x *execution, tables []table, in *scope) (*selection, error) {
	tables = x.naturalized(tables)
	b := &binder{x: x, tables: tables, scope: in}
	q := &selection{selectBody: s, x: x, binder: b, tables: tables, pinned: pinned(tables)}
	var err error
	if err = b.checkTables(); err != nil {
		return nil, err
	}
	if q.joins, err = b.joins(); err != nil {
		return nil, err
	}
	b.aliases = s.columns
	if q.filters, q.rest, err = b.where(s.where); err != nil {
		return nil, err
	}
	q.spread()
	if err = q.bindGroups(); err != nil {
		return nil, err
	}
	q.windows = windows{of: s}
	over := &binder{x: x, tables: tables, groups: q.groups, windows: &q.windows, columns: s.columns, scope: in}
	if q.projection, err = over.project(s.columns); err == nil && s.distinct {
		err = over.allUncollated(q.projection)
	}
	if err != nil {
		return nil, err
	}
	if s.having != nil {
		over.windows = nil
		if q.having, err = over.bind(s.having); err != nil {
			return nil, err
		}
		over.windows = &q.windows
	}
	over.aliases = s.columns
	for _, t := range s.orderBy {
		e, err := over.term(t.expr, s.columns, true)
		if err != nil {
			return nil, err
		}
		if e, err = over.bind(e); err != nil {
			return nil, err
		}
		q.keys = append(q.keys, t.keys(e)...)
	}
	q.windows.place(q.groups)
	if q.limit, err = b.count(s.limit, "LIMIT", -1); err != nil {
		return nil, err
	}
	q.skip, err = b.count(s.offset, "OFFSET", 0)
	return q, err
}

// first is where a column stands.
func (c *column) first() *expr {
	if c.expr != nil {
		return c.expr
	}
	return &expr{start: c.pos}
}

func (b *binder) checkTables() error {
	for i, s := range b.tables {
		for _, other := range b.tables[:i] {
			if other.alias == s.alias {
				return at(b.x.text, s.pos, "expected another name: "+s.alias+" is taken; give this one a name with AS")
			}
		}
	}
	return nil
}

// documents returns the documents of a table that meet a filter.
func (q *selection) documents(table int, where *query.Filter) (docs [][]byte, err error) {
	t := &q.tables[table]
	if t.body != nil {
		for _, row := range t.docs {
			q.x.db.Spend(1)
			if where == nil || where.Match(row) {
				docs = append(docs, row)
			}
		}
	} else {
		result, err := q.x.db.Find(t.collection, engine.Query{Where: where})
		if err != nil {
			return nil, err
		}
		for doc := range result.Documents() {
			q.x.db.Spend(1)
			docs = append(docs, doc)
		}
	}
	q.x.db.Hold(24 * len(docs))
	return docs, nil
}

// streamed answers a SELECT that the engine can find, sort and cut by itself;
// nil for any other.
func (q *selection) streamed() (Rows, error) {
	if q.x.slowly || len(q.tables) != 1 || q.tables[0].body != nil || len(q.rest) > 0 || q.groups != nil || q.distinct || q.windows.bound != nil || q.projection.asks {
		return nil, nil
	}
	find := engine.Query{Where: q.filters[0], Skip: q.skip, Limit: q.limit}
	for _, k := range q.keys {
		if k.expr.op != opField || k.expr.path.IsEmpty() {
			return nil, nil
		}
		find.Sort = append(find.Sort, engine.SortKey{Path: k.expr.path, Descending: k.descending})
	}
	if q.limit == 0 {
		find.Where = query.False()
	}
	result, err := q.x.db.Find(q.tables[0].collection, find)
	if err != nil || q.projection.whole() {
		return result, err
	}
	return &stream{result: result, projection: q.projection, tuple: tuple{docs: make([][]byte, 1)}}, nil
}

// tuples returns what FROM, JOIN and WHERE leave, in the insertion order of the
// first table, then of the second, and so on.
//
//go:noinline
func (q *selection) tuples() (found []tuple, err error) {
	var docs [][]byte
	err = q.join(func(t *tuple) bool {
		q.x.db.Hold(tupleBytes(len(t.docs)))
		start := len(docs)
		if start+len(t.docs) > cap(docs) { // many tuples share an array
			docs, start = make([][]byte, 0, len(t.docs)*min(max(2*len(found), 1), 1024)), 0
		}
		docs = append(docs, t.docs...)
		found = append(found, tuple{docs: docs[start:len(docs):len(docs)]})
		return true
	})
	return found, err
}

// join calls emit with the tuples, one after the other, until it returns false. A tuple is
// borrowed.
func (q *selection) join(emit func(*tuple) bool) error {
	r := &joining{selection: q, cost: 1 + q.cost(), emit: emit, one: tuple{docs: make([][]byte, len(q.tables))}}
	return r.run()
}

// cost is how many expressions passes tests.
func (q *selection) cost() int {
	cost := 0
	for _, e := range q.rest {
		cost += e.size()
	}
	return cost
}

// passes tests what the engine has not.
func (q *selection) passes(t *tuple) bool {
	for _, e := range q.rest {
		if !e.test(t) {
			return false
		}
	}
	// The filter on a table must also be tested on the missing partner of an outer join.
	for i, f := range q.filters {
		if f != nil && !q.applies(i) && !f.Match(orEmpty(t.docs[i])) {
			return false
		}
	}
	return true
}

// applies reports whether the filter on a table has decided which of its documents
// are joined. Where a join keeps rows without a partner, it decides only of the rows.
func (q *selection) applies(table int) bool {
	return table > q.pinned && !q.tables[table].kind.keepsLeft()
}

//go:noinline
func orEmpty(doc []byte) []byte {
	if doc == nil {
		return emptyMap
	}
	return doc
}

// A sortedTuple is the place of a tuple among others, and what it is sorted by.
type sortedTuple struct {
	at   int
	keys [][]byte
	row  []byte // of a recursive query
}

// sorted returns tuples in the order of keys. asNull takes a missing value for null.
func (q *selection) sorted(tuples []tuple, keys []sortKey, asNull bool) []*sortedTuple {
	cost := 0
	for _, k := range keys {
		cost += k.expr.size()
	}
	all := make([]*sortedTuple, len(tuples))
	for i := range tuples {
		row := &sortedTuple{at: i}
		all[i] = row
		q.x.db.Spend(1 + cost)
		q.x.db.Hold(64 + 24*len(keys))
		for _, k := range keys {
			v := k.expr.eval(&tuples[i])
			if asNull && isNull(v) {
				v = null
			}
			if k.expr.op != opField && k.expr.op != opSlot {
				q.x.db.Hold(len(v)) // it was worked out
			}
			row.keys = append(row.keys, v)
		}
	}
	if len(keys) > 0 {
		slices.SortStableFunc(all, func(a, b *sortedTuple) int {
			q.x.db.Spend(1)
			return compareKeys(keys, a.keys, b.keys)
		})
	}
	return all
}

func compareKeys(keys []sortKey, a, b [][]byte) int {
	for i, k := range keys {
		if c := msgpack.Compare(a[i], b[i]); c != 0 {
			if k.descending {
				return -c
			}
			return c
		}
	}
	return 0
}
