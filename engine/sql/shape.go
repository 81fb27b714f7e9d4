package sql

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A shape makes rows of tuples.
type shape struct {
	columns []shaped
	sources []source
	stars   bool
}

// shaped is a column whose expression is bound.
type shaped struct {
	name string
	expr *expr
	star bool
	of   int // star: the source whose fields; -1: all sources, each under its name
}

// newShape binds the columns of a SELECT and refuses two of one name.
func (b *binder) newShape(columns []column) (*shape, error) {
	s := &shape{sources: b.sources}
	for _, c := range columns {
		if c.star {
			of, err := b.starred(c)
			if err != nil {
				return nil, err
			}
			s.columns = append(s.columns, shaped{star: true, of: of})
			s.stars = true
			continue
		}
		e, err := b.bind(c.expr)
		if err != nil {
			return nil, err
		}
		for _, other := range s.columns {
			if !other.star && other.name == c.name {
				return nil, at(b.x.text, c.pos, "expected columns of different names, found two named "+token.Clipped(c.name)+"; give one another name with AS")
			}
		}
		s.columns = append(s.columns, shaped{name: c.name, expr: e})
	}
	return s, nil
}

func (b *binder) starred(c column) (of int, err error) {
	switch {
	case b.groups != nil:
		return 0, at(b.x.text, c.pos, "expected columns; * has no meaning for groups")
	case len(b.sources) == 0:
		return 0, at(b.x.text, c.pos, "expected columns; without FROM there are no fields")
	case c.of == "" && len(b.sources) > 1:
		return -1, nil
	case c.of == "":
		return 0, nil
	}
	for i, s := range b.sources {
		if s.alias == c.of {
			return i, nil
		}
	}
	return 0, at(b.x.text, c.pos, "expected the name of a collection before .*, found "+token.Clipped(c.of))
}

// whole reports whether rows are just the documents of the only source.
func (s *shape) whole() bool {
	return len(s.columns) == 1 && s.columns[0].star && s.columns[0].of == 0 && len(s.sources) == 1
}

// append appends the row of a tuple.
func (s *shape) append(b []byte, t *tuple) []byte {
	if s.whole() {
		return append(b, t.docs[0]...)
	}
	if s.stars {
		return appendFields(b, s.fields(t))
	}
	b = msgpack.AppendMap(b, len(s.columns))
	for _, c := range s.columns {
		b = append(msgpack.AppendString(b, c.name), orNull(c.expr.eval(t))...)
	}
	return b
}

// fields lists the fields of a row with stars. A later one takes the place of
// an earlier one of its name.
func (s *shape) fields(t *tuple) (fields []field) {
	put := func(f field) {
		for i := range fields {
			if fields[i].name == f.name {
				fields[i].value = f.value
				return
			}
		}
		fields = append(fields, f)
	}
	for _, c := range s.columns {
		switch {
		case !c.star:
			put(field{c.name, orNull(c.expr.eval(t))})
		case c.of < 0:
			for i, source := range s.sources {
				put(field{source.alias, orNull(t.docs[i])})
			}
		case t.docs[c.of] != nil:
			eachField(t.docs[c.of], put)
		}
	}
	return fields
}

func appendFields(b []byte, fields []field) []byte {
	b = msgpack.AppendMap(b, len(fields))
	for _, f := range fields {
		b = append(msgpack.AppendString(b, f.name), f.value...)
	}
	return b
}

// eachField visits the fields of a document.
func eachField(doc []byte, visit func(field)) {
	count, pos := msgpack.Container(doc)
	for ; count > 0; count-- {
		name := string(msgpack.Str(doc[pos:]))
		pos += msgpack.Skip(doc[pos:])
		n := msgpack.Skip(doc[pos:])
		visit(field{name, doc[pos : pos+n]})
		pos += n
	}
}

func orNull(v []byte) []byte {
	if v == nil {
		return null
	}
	return v
}

// term returns the expression that a term of ORDER BY or GROUP BY means: the
// column of that number or name, else itself. A name that no AS gave counts only
// for ORDER BY, which is about rows.
func (b *binder) term(e *expr, columns []column, ofRows bool) (*expr, error) {
	if e.op == opConst {
		n, ok := intOf(e.value)
		if !ok || n < 1 || n > int64(len(columns)) || columns[n-1].star {
			return nil, b.fault(e, "expected an expression, or the number of a column from 1 to "+strconv.Itoa(len(columns)))
		}
		return columns[n-1].expr, nil
	}
	if e.op == opPath {
		for _, c := range columns {
			if (c.alias || ofRows) && !c.star && c.name == e.text {
				return c.expr, nil
			}
		}
	}
	return e, nil
}
