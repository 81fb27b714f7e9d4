package sql

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A projection makes rows of tuples.
type projection struct {
	asks    bool // a query, which cannot be done while rows are taken
	columns []output
	tables  []table
	stars   bool
	cost    int // how many expressions the columns are made of
	most    int // bytes that a row may have
}

// output is a column whose expression is bound.
type output struct {
	name string
	expr *expr
	star bool
	of   int // star: the table whose fields; -1: all tables, each under its name
}

// project binds the columns of a SELECT.
func (b *binder) project(columns []column) (*projection, error) {
	p := &projection{tables: b.tables, most: b.x.db.MaxQueryMemory()}
	labels := labels(columns)
	for i, c := range columns {
		if c.star {
			of, err := b.starred(c)
			if err != nil {
				return nil, err
			}
			p.columns = append(p.columns, output{star: true, of: of})
			p.stars = true
			continue
		}
		e, err := b.bind(c.expr)
		if err != nil {
			return nil, err
		}
		p.cost += e.size()
		p.asks = p.asks || e.hasSubquery()
		p.columns = append(p.columns, output{name: labels[i], expr: e})
	}
	return p, nil
}

func (b *binder) starred(c column) (of int, err error) {
	switch {
	case b.groups != nil:
		return 0, at(b.x.text, c.pos, "expected columns; * has no meaning for groups")
	case len(b.tables) == 0:
		return 0, at(b.x.text, c.pos, "expected columns; without FROM there are no fields")
	case c.of == "" && len(b.tables) > 1:
		return -1, nil
	case c.of == "":
		return 0, nil
	}
	for i, s := range b.tables {
		if s.alias == c.of {
			return i, nil
		}
	}
	return 0, at(b.x.text, c.pos, "expected the name of a collection before .*, found "+token.Clipped(c.of))
}

// whole reports whether rows are just the documents of the only table.
func (p *projection) whole() bool {
	return len(p.columns) == 1 && p.columns[0].star && p.columns[0].of == 0 && len(p.tables) == 1
}

// append appends the row of a tuple.
func (p *projection) append(b []byte, t *tuple) []byte {
	if p.whole() {
		return append(b, t.docs[0]...)
	}
	if p.stars {
		return appendFields(b, p.fields(t))
	}
	b = msgpack.AppendMap(b, len(p.columns))
	room := p.most
	for _, c := range p.columns {
		v := orNull(c.expr.eval(t))
		room = engine.CheckRoom(room, len(c.name)+len(v), p.most)
		b = append(appendText(b, c.name), v...)
	}
	return b
}

// fields lists the fields of a row with stars. A later one takes the place of
// an earlier one of its name.
func (p *projection) fields(t *tuple) (fields []field) {
	room := p.most
	places := map[string]int{}
	put := func(f field) {
		room = engine.CheckRoom(room, len(f.name)+len(f.value), p.most)
		if i, known := places[f.name]; known {
			fields[i].value = f.value
			return
		}
		places[f.name] = len(fields)
		fields = append(fields, f)
	}
	for _, c := range p.columns {
		switch {
		case !c.star:
			put(field{c.name, orNull(c.expr.eval(t))})
		case c.of < 0:
			for i, table := range p.tables {
				put(field{table.alias, orNull(t.docs[i])})
			}
		case t.docs[c.of] != nil:
			for name, value := range msgpack.Fields(t.docs[c.of]) {
				put(field{string(name), value})
			}
		}
	}
	return fields
}

//go:noinline
func appendFields(b []byte, fields []field) []byte {
	b = msgpack.AppendMap(b, len(fields))
	for _, f := range fields {
		b = append(appendText(b, f.name), f.value...)
	}
	return b
}

func orNull(v []byte) []byte {
	if v == nil {
		return null
	}
	return v
}

// labels returns the names of columns in a row. With a star among them, a later field
// takes the place of an earlier one of its name, so each keeps its own.
func labels(columns []column) []string {
	all := make([]string, len(columns))
	stars := false
	for i, c := range columns {
		all[i] = c.name
		stars = stars || c.star
	}
	if stars {
		return all
	}
	last, isOrdered := -1, true
	for i, c := range columns {
		n, isNumber := indexOf(c.name)
		if isNumber && !(isOrdered && n > last) && !c.alias {
			all[i] = "(" + c.name + ")"
			continue
		}
		last, isOrdered = n, isOrdered && isNumber
	}
	return uniqueNames(all)
}

// indexOf returns the number that a name is if JavaScript lists such names of an
// object before all others, in the order of their numbers.
func indexOf(name string) (n int, ok bool) {
	if len(name) == 0 || len(name) > 10 || name[0] == '0' && len(name) > 1 {
		return 0, false
	}
	for _, c := range []byte(name) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n < 1<<32-1
}

// uniqueNames gives a name that is there already a number, as SQLite does: x, x:1.
func uniqueNames(names []string) []string {
	unique := make([]string, len(names))
	taken := make(map[string]int, len(names)) // how often each was asked for
	for _, name := range names {
		taken[name] = 0
	}
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		unique[i] = name
		for seen[unique[i]] {
			taken[name]++
			next := name + ":" + strconv.Itoa(taken[name])
			if _, known := taken[next]; !known || !seen[next] {
				unique[i] = next
			}
		}
		seen[unique[i]] = true
	}
	return unique
}

// names returns the names of the columns of s; nil if they are fields of documents,
// which differ.
func (s *selectBody) names() []string {
	var all []string
	for _, c := range s.columns {
		if c.star {
			if len(s.columns) > 1 || len(s.tables) != 1 || s.tables[0].body == nil {
				return nil
			}
			return s.tables[0].body.names()
		}
	}
	all = labels(s.columns)
	return all
}

// term returns the expression that a term of ORDER BY or GROUP BY means: the
// column of that number or name, else itself. ORDER BY is about rows, so a column
// wins over a field there, also under a name that no AS gave.
func (b *binder) term(e *expr, columns []column, ofRows bool) (*expr, error) {
	if e.op == opConst {
		n, ok := intOf(e.value)
		if len(columns) == 1 && columns[0].star && len(b.tables) == 1 && ok && n >= 1 && n <= int64(len(b.tables[0].columns)) {
			return &expr{op: opColumn, start: e.start, end: e.end, index: int(n - 1)}, nil
		}
		if !ok || n < 1 || n > int64(len(columns)) || columns[n-1].star {
			return nil, b.fault(e, "expected an expression, or the number of a column from 1 to "+strconv.Itoa(len(columns)))
		}
		return columns[n-1].expr, nil
	}
	if e.op == opPath {
		for _, c := range columns {
			if (c.alias || ofRows) && !c.star && c.name == e.text && (ofRows || !b.isField(e)) {
				return c.expr, nil
			}
		}
	}
	return e, nil
}
