package sql

import (
	"slices"
	"sort"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A boundQuery is a query whose names are resolved.
type boundQuery interface {
	rows() (Rows, error)
	// each calls yield with one row after the other, as they are made, until it returns
	// false. The row is borrowed.
	each(yield func(row []byte) bool) error
}

func (q *queryBody) run(x *execution) (Rows, error) {
	return x.checked(func(x *execution) (Rows, error) {
		bound, err := q.bind(x, nil)
		if err != nil {
			return nil, err
		}
		return bound.rows()
	})
}

// bind resolves the names of all parts.
func (q *queryBody) bind(x *execution, in *scope) (boundQuery, error) {
	if in == nil {
		in = &scope{level: q.level}
	}
	if len(q.parts) == 1 && q.parts[0].values == nil && q.columns == nil {
		s, err := q.parts[0].bind(x, in)
		if err != nil { // not s, which would be a boundQuery that is not nil
			return nil, err
		}
		return s, nil
	}
	c := &combined{queryBody: q, x: x, scope: in}
	for i, part := range q.parts {
		isStep := q.recursive > 0 && i >= q.recursive // bound for each step
		if isStep && in.outer == nil {
			break
		}
		bound, err := part.boundPart(x, in) // of a step, only for what it asks of the query around
		if err != nil {
			return nil, err
		}
		if !isStep {
			c.bound = append(c.bound, bound)
		}
	}
	return c, nil
}

// boundPart binds a SELECT, or the rows of VALUES.
func (s *selectBody) boundPart(x *execution, in *scope) (boundQuery, error) {
	if s.values == nil {
		q, err := s.bind(x, in)
		if err != nil {
			return nil, err
		}
		return q, nil
	}
	v := &boundValues{x: x}
	b := &binder{x: x, scope: in}
	for _, row := range s.values {
		bound, err := b.all(row)
		if err != nil {
			return nil, invalid(err)
		}
		v.values = append(v.values, bound)
	}
	return v, nil
}

// boundValues are the rows of VALUES.
type boundValues struct {
	x      *execution
	values [][]*expr
}

func (v *boundValues) rows() (Rows, error) {
	l := &list{}
	for _, row := range v.values {
		fields := make([]field, len(row))
		for i, e := range row {
			fields[i] = field{"column" + strconv.Itoa(i+1), orNull(e.eval(&tuple{}))}
		}
		l.add(v.x, fields)
	}
	return l, nil
}

func (v *boundValues) each(yield func([]byte) bool) error { return eachOf(v, yield) }

// eachOf calls yield with the rows of a query that makes all of them at once.
func eachOf(q boundQuery, yield func([]byte) bool) error {
	rows, err := q.rows()
	if err != nil {
		return err
	}
	var row []byte
	for rows.Len() > 0 {
		if row, _, _ = rows.Next(row[:0], 0); !yield(row) {
			break
		}
	}
	return nil
}

// combined are several parts whose rows become one answer.
type combined struct {
	*queryBody
	x     *execution
	scope *scope
	bound []boundQuery
}

func (c *combined) rows() (Rows, error) {
	all := c.union()
	if c.recursive > 0 {
		l := &list{}
		return l, c.recur(all, func(row []byte) bool {
			l.copy(c.x, row)
			return true
		})
	}
	return all.l, c.combine(all)
}

func (c *combined) union() *union { return &union{x: c.x, names: c.names(), l: &list{}} }

// combine puts the rows of the bound parts together.
func (c *combined) combine(all *union) error {
	for i, part := range c.bound {
		rows, err := part.rows()
		if err != nil {
			return err
		}
		op := opUnionAll
		if i > 0 {
			op = c.ops[i-1]
		}
		all.combine(op, rows)
	}
	return nil
}

func (c *combined) each(yield func([]byte) bool) (err error) {
	all := c.union()
	switch {
	case c.recursive > 0:
		return c.recur(all, yield)
	case !c.isEndless || slices.ContainsFunc(c.ops, func(o setOp) bool { return o != opUnionAll }):
		return eachOf(c, yield)
	}
	isWanted := true
	for _, part := range c.bound {
		if isWanted && err == nil {
			err = part.each(func(row []byte) bool {
				all.l = &list{}
				all.add(row)
				isWanted = yield(all.l.rows)
				return isWanted
			})
		}
	}
	return err
}

// recur yields the rows of the first parts, those that the recursive parts make of them,
// and those that they make of these, until there are no more. With an ORDER BY, the least
// of the rows that are there comes next. Then, and for several recursive parts, it alone is
// what the next rows are made of.
func (c *combined) recur(all *union, yield func([]byte) bool) error {
	if err := c.combine(all); err != nil {
		return err
	}
	if c.ops[c.recursive-1] == opUnion {
		all.keep(func(string) bool { return true })
	}
	cut := &selection{x: c.x, limit: -1}
	if c.cut != nil {
		of := table{alias: c.cut.tables[0].alias, body: c.queryBody, columns: c.names()}
		var err error
		if cut, err = c.cut.bindNames(c.x, []table{of}, c.scope); err != nil {
			return err
		}
	}
	left := cut.limit
	before := c.x.steps[c.of]
	defer func() { c.x.steps[c.of] = before }()
	var waiting []*sortedTuple
	isByRow := len(cut.keys) > 0 || len(c.parts) > c.recursive+1
	for done := 0; ; {
		step := all.l.from(done)
		done = len(all.l.ends)
		if isByRow {
			tuples := make([]tuple, len(step))
			for i, row := range step {
				tuples[i].docs = [][]byte{row}
			}
			for _, next := range cut.sorted(tuples, cut.keys, true) {
				next.row = step[next.at]
				at := sort.Search(len(waiting), func(n int) bool { return compareKeys(cut.keys, waiting[n].keys, next.keys) > 0 })
				waiting = append(waiting, nil)
				copy(waiting[at+1:], waiting[at:])
				waiting[at] = next
			}
			if step = nil; len(waiting) > 0 {
				step, waiting = [][]byte{waiting[0].row}, waiting[1:]
			}
		}
		for _, row := range step {
			if left == 0 {
				return nil
			}
			if cut.skip > 0 {
				cut.skip--
				continue
			}
			if left--; !yield(row) {
				return nil
			}
		}
		if len(step) == 0 || left == 0 {
			return nil
		}
		c.x.steps[c.of] = step
		for i, part := range c.parts[c.recursive:] {
			bound, err := part.boundPart(c.x, c.scope)
			if err != nil {
				return err
			}
			rows, err := bound.rows()
			if err != nil {
				return err
			}
			all.combine(c.ops[c.recursive+i-1], rows)
		}
	}
}

// A union is the rows of the parts so far, under the names of the first.
type union struct {
	x     *execution
	names []string // nil: rows are documents
	l     *list
	seen  map[string]bool // the rows so far, once they must be different
}

// combine adds rows, or takes away.
func (u *union) combine(op setOp, rows Rows) {
	if op == opUnion || op == opUnionAll {
		if op == opUnion && u.seen == nil {
			u.keep(func(string) bool { return true })
		} else if op == opUnionAll {
			u.seen = nil
		}
		for _, row := range u.x.all(rows) {
			if op == opUnion && !u.isNew(u.key(row)) {
				continue
			}
			u.add(row)
		}
		return
	}
	other := map[string]bool{}
	for _, row := range u.x.all(rows) {
		k := u.key(row)
		u.x.db.Spend(1)
		u.x.db.Hold(len(k) + 32)
		other[k] = true
	}
	u.keep(func(k string) bool { return other[k] == (op == opIntersect) })
}

// keep leaves each different row once, if it is to be kept.
func (u *union) keep(isKept func(key string) bool) {
	before := u.l
	u.l, u.seen = &list{}, map[string]bool{}
	for _, row := range before.from(0) {
		if k := u.key(row); isKept(k) && u.isNew(k) {
			u.add(row)
		}
	}
}

func (u *union) isNew(key string) bool {
	u.x.db.Spend(1)
	if u.seen[key] {
		return false
	}
	u.x.db.Hold(len(key) + 32)
	u.seen[key] = true
	return true
}

// key returns bytes that are the same for rows with the same values.
func (u *union) key(row []byte) string {
	if u.names == nil {
		return keyOfValue(row)
	}
	var key []byte
	for _, v := range msgpack.Fields(row) {
		key = appendPart(key, v)
	}
	return string(key)
}

// add adds a row, under the names of the first part.
func (u *union) add(row []byte) {
	u.x.db.Spend(1)
	if u.names == nil {
		u.l.copy(u.x, row)
		return
	}
	fields := make([]field, 0, len(u.names))
	for _, v := range msgpack.Fields(row) {
		fields = append(fields, field{u.names[len(fields)], v})
	}
	u.l.add(u.x, fields)
}

// copy adds a row.
func (l *list) copy(x *execution, row []byte) {
	x.db.Hold(len(row) + 8)
	l.rows = append(l.rows, row...)
	l.end()
}

// add adds a row of fields.
func (l *list) add(x *execution, fields []field) {
	start := len(l.rows)
	l.rows = appendFields(l.rows, fields)
	l.end()
	x.db.Hold(len(l.rows) - start + 8)
}

// from returns the rows from a number on. Rows that are added later leave them as they are.
func (l *list) from(first int) [][]byte {
	rows := make([][]byte, 0, len(l.ends)-first)
	for i := first; i < len(l.ends); i++ {
		start := 0
		if i > 0 {
			start = l.ends[i-1]
		}
		rows = append(rows, l.rows[start:l.ends[i]:l.ends[i]])
	}
	return rows
}

// all returns all rows, which stay valid when the DB changes.
func (x *execution) all(rows Rows) [][]byte { return x.copied(rows).from(0) }

// bindTables returns the tables of s with the rows of those that are queries.
func (s *selectBody) bindTables(x *execution, in *scope) ([]table, error) {
	var tables []table
	for i := range s.tables {
		t := &s.tables[i]
		if t.body == nil {
			continue
		}
		if tables == nil {
			tables = append(tables, s.tables...)
		}
		t = &tables[i]
		if t.json != nil {
			if err := t.bindJSON(x, tables[:i], in); err != nil {
				return nil, invalid(err)
			}
			continue
		}
		if t.self {
			t.docs, t.columns = x.steps[t.cte], t.cte.body.names()
			continue
		}
		t.columns = t.body.names()
		if kept, known := x.tables[t.body]; known {
			t.docs = kept
			continue
		}
		of := in
		if t.cte != nil {
			of = in.around(t.body)
		}
		if of == nil {
			of = &scope{}
		}
		// Names that it asks of the query around are asked by the whole of s.
		asked := len(of.refs)
		bound, err := t.body.bind(x, of)
		if err != nil {
			return nil, err
		}
		if len(of.refs) > asked && of.tuple == nil {
			continue // only names are resolved now
		}
		isKept := len(of.refs) == asked && !t.body.readsSelf
		if t.body.isEndless && (i == 0 || pinned(tables) < 0) {
			t.lazy, t.isKept = bound, isKept
			continue
		}
		rows, err := bound.rows()
		if err != nil {
			return nil, err
		}
		t.docs = x.all(rows)
		x.db.Hold(24 * len(t.docs))
		if isKept {
			x.tables[t.body] = t.docs
		}
	}
	if tables == nil {
		return s.tables, nil
	}
	return tables, nil
}

// bindJSON binds json_each or json_tree after the tables before it. If it asks nothing of
// them, its rows are made now.
func (t *table) bindJSON(x *execution, before []table, in *scope) (err error) {
	t.columns = jsonColumns
	of := *t.json
	t.json = &of
	if of.bound, err = (&binder{x: x, tables: before, scope: in}).all(of.args); err != nil {
		return err
	}
	for _, e := range of.bound {
		if e.lastTable() >= 0 {
			if t.kind.keepsRight() {
				return at(x.text, t.pos, "expected JOIN, LEFT JOIN or a comma before a function that reads the tables before it")
			}
			return nil
		}
	}
	t.json = nil
	of.rows(x, &tuple{}, nil, func(row []byte) bool {
		t.docs = append(t.docs, row)
		return true
	})
	x.db.Hold(24 * len(t.docs))
	return nil
}
