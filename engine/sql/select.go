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
	x          *execution
	binder     *binder
	filters    []*query.Filter // by table; nil: all documents
	rest       []*expr         // conditions that no filter says
	joins      []join          // of the second table and later
	groups     *groups         // nil: rows are of documents
	having     *expr
	projection *projection
	keys       []sortKey
	skip       int
	limit      int // -1: all
}

// A sortKey is a bound term of ORDER BY.
type sortKey struct {
	expr       *expr
	descending bool
}

func (s *selectBody) run(x *execution) (Rows, error) {
	rows, err := s.rows(x)
	if err != nil {
		return nil, err
	}
	if invariants && !x.slowly {
		slow := *x
		slow.slowly = true
		got := taken(rows)
		var want []byte
		x.db.Uncounted(func() {
			var rows Rows
			if rows, err = s.rows(&slow); err == nil {
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
		return s.rows(x)
	}
	return rows, nil
}

func taken(rows Rows) []byte {
	var all []byte
	for rows.Len() > 0 {
		all, _, _ = rows.Next(all, 0)
	}
	return all
}

func (s *selectBody) rows(x *execution) (Rows, error) {
	q, err := s.bind(x)
	if err != nil {
		return nil, invalid(err)
	}
	if rows, err := q.streamed(); rows != nil || err != nil {
		return rows, err
	}
	tuples, err := q.tuples()
	if err != nil {
		return nil, err
	}
	if q.groups != nil {
		if tuples, err = q.groups.of(q, tuples); err != nil {
			return nil, err
		}
		if q.having != nil {
			tuples = slices.DeleteFunc(tuples, func(t tuple) bool { return !q.having.test(&t) })
		}
	}
	return q.list(tuples), nil
}

// bind resolves all names and parameters.
func (s *selectBody) bind(x *execution) (*selection, error) {
	b := &binder{x: x, tables: s.tables}
	q := &selection{selectBody: s, x: x, binder: b}
	var err error
	if err = b.checkTables(); err != nil {
		return nil, err
	}
	if len(s.tables) == 0 && (s.where != nil || s.groupBy != nil) {
		return nil, b.fault(s.columns[0].first(), "expected FROM and a collection; without them there are no documents to filter or group")
	}
	if q.joins, err = b.joins(); err != nil {
		return nil, err
	}
	b.aliases = s.columns
	if q.filters, q.rest, err = b.where(s.where); err != nil {
		return nil, err
	}
	if err = q.bindGroups(); err != nil {
		return nil, err
	}
	over := &binder{x: x, tables: s.tables, groups: q.groups, columns: s.columns}
	if q.projection, err = over.project(s.columns); err == nil && s.distinct {
		err = over.allUncollated(q.projection)
	}
	if err != nil {
		return nil, err
	}
	if s.having != nil {
		if q.having, err = over.bind(s.having); err != nil {
			return nil, err
		}
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

// find is the engine's query for the documents of a table.
func (q *selection) find(table int, where *query.Filter) (*engine.Result, error) {
	return q.x.db.Find(q.tables[table].collection, engine.Query{Where: where})
}

// streamed answers a SELECT that the engine can find, sort and cut by itself;
// nil for any other.
func (q *selection) streamed() (Rows, error) {
	if q.x.slowly || len(q.tables) != 1 || len(q.rest) > 0 || q.groups != nil || q.distinct {
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
func (q *selection) tuples() ([]tuple, error) {
	if len(q.tables) == 0 {
		return []tuple{{}}, nil
	}
	result, err := q.find(0, q.filters[0])
	if err != nil {
		return nil, err
	}
	var tuples []tuple
	for doc := range result.Documents() {
		q.x.db.Spend(1)
		q.x.db.Hold(tupleBytes(len(q.tables)))
		docs := make([][]byte, len(q.tables))
		docs[0] = doc
		tuples = append(tuples, tuple{docs: docs})
	}
	for i := range q.joins {
		if tuples, err = q.join(i+1, tuples); err != nil {
			return nil, err
		}
	}
	cost := 1
	for _, e := range q.rest {
		cost += e.size()
	}
	return slices.DeleteFunc(tuples, func(t tuple) bool {
		q.x.db.Spend(cost)
		return !q.passes(&t)
	}), nil
}

// passes tests what the engine has not.
func (q *selection) passes(t *tuple) bool {
	for _, e := range q.rest {
		if !e.test(t) {
			return false
		}
	}
	// The engine has applied the filter on the first table. The filter on a
	// later table must also be tested on the missing partner of a left join.
	for i, f := range q.filters {
		if i > 0 && f != nil && !f.Match(orEmpty(t.docs[i])) {
			return false
		}
	}
	return true
}

//go:noinline
func orEmpty(doc []byte) []byte {
	if doc == nil {
		return emptyMap
	}
	return doc
}

// list sorts the rows, removes duplicates if they must be DISTINCT, and applies
// OFFSET and LIMIT.
func (q *selection) list(tuples []tuple) *list {
	if len(q.keys) > 0 {
		cost := 0
		for _, k := range q.keys {
			cost += k.expr.size()
		}
		type sorted struct {
			tuple
			keys [][]byte
		}
		all := make([]sorted, len(tuples))
		for i, t := range tuples {
			all[i].tuple = t
			q.x.db.Spend(1 + cost)
			q.x.db.Hold(64 + 24*len(q.keys))
			for _, k := range q.keys {
				v := k.expr.eval(&t)
				if q.distinct && isNull(v) { // one row may stand for null and for a missing field
					v = null
				}
				if k.expr.op != opField && k.expr.op != opSlot {
					q.x.db.Hold(len(v)) // it was worked out
				}
				all[i].keys = append(all[i].keys, v)
			}
		}
		slices.SortStableFunc(all, func(a, b sorted) int {
			q.x.db.Spend(1)
			for i, k := range q.keys {
				if c := msgpack.Compare(a.keys[i], b.keys[i]); c != 0 {
					if k.descending {
						return -c
					}
					return c
				}
			}
			return 0
		})
		for i := range all {
			tuples[i] = all[i].tuple
		}
	}
	l := &list{}
	seen := map[string]bool{}
	skip := q.skip
	for i := range tuples {
		if len(l.ends) == q.limit {
			break
		}
		start := len(l.rows)
		q.x.db.Spend(q.projection.cost)
		l.rows = q.projection.append(l.rows, &tuples[i])
		q.x.db.Hold(len(l.rows) - start + 8)
		if q.distinct {
			k := string(query.AppendKey(nil, l.rows[start:]))
			if seen[k] {
				l.rows = l.rows[:start]
				continue
			}
			q.x.db.Hold(len(k) + 32)
			seen[k] = true
		}
		if skip > 0 {
			skip--
			l.rows = l.rows[:start]
			continue
		}
		l.end()
	}
	return l
}
