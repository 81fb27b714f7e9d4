package sql

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A boundQuery is a query whose names are resolved.
type boundQuery interface {
	rows() (Rows, error)
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
		if q.recursive > 0 && i >= q.recursive {
			break // bound for each step
		}
		bound, err := part.boundPart(x, in)
		if err != nil {
			return nil, err
		}
		c.bound = append(c.bound, bound)
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

// combined are several parts whose rows become one answer.
type combined struct {
	*queryBody
	x     *execution
	scope *scope
	bound []boundQuery
}

func (c *combined) rows() (Rows, error) {
	all := &union{x: c.x, names: c.names(), l: &list{}}
	for i, part := range c.bound {
		rows, err := part.rows()
		if err != nil {
			return nil, err
		}
		op := opUnionAll
		if i > 0 {
			op = c.ops[i-1]
		}
		all.combine(op, rows)
	}
	if c.recursive > 0 {
		return all.l, c.recur(all)
	}
	return all.l, nil
}

// recur adds the rows that the recursive parts make of the rows before, and of
// those that they make, until there are no more.
func (c *combined) recur(all *union) error {
	if c.ops[c.recursive-1] == opUnion {
		all.keep(func(string) bool { return true })
	}
	before := c.x.steps[c.of]
	defer func() { c.x.steps[c.of] = before }()
	for done := 0; done < len(all.l.ends); {
		step := all.l.from(done)
		done = len(all.l.ends)
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
	return nil
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
		u.x.db.Hold(len(row) + 8)
		u.l.rows = append(u.l.rows, row...)
		u.l.end()
		return
	}
	fields := make([]field, 0, len(u.names))
	for _, v := range msgpack.Fields(row) {
		fields = append(fields, field{u.names[len(fields)], v})
	}
	u.l.add(u.x, fields)
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
		rows, err := bound.rows()
		if err != nil {
			return nil, err
		}
		t.docs = x.all(rows)
		x.db.Hold(24 * len(t.docs))
		if len(of.refs) == asked && !t.body.readsSelf {
			x.tables[t.body] = t.docs
		}
	}
	if tables == nil {
		return s.tables, nil
	}
	return tables, nil
}
