package sql

import (
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A scope is where the parts of a query find names that none of their own tables
// has: in the query around it, of one of whose tuples it is asked.
type scope struct {
	outer *binder // of the query around; nil: there is none
	level int     // of the query; see queryBody
	tuple *tuple  // nil: names are resolved, and no tuple is there yet
	refs  []*expr // what the query asks of the tuple
}

// around returns the scope of a query that stands in the parts of s, or that WITH
// named further out.
func (s *scope) around(q *queryBody) *scope {
	for s != nil && s.level > q.level {
		if s.outer == nil {
			return nil
		}
		s = s.outer.scope
	}
	return s
}

// plain returns a binder of the same tables that knows no columns and no groups.
func (b *binder) plain() *binder { return &binder{x: b.x, tables: b.tables, scope: b.scope} }

// field finds the table that a path leads into.
func (b *binder) field(e *expr) (*expr, error) {
	if b.element {
		f := &expr{op: opField, start: e.start, end: e.end, path: query.ParsePath(e.text)}
		if first, rest, _ := query.CutPath(e.text); token.SameWord(first, "this") && !e.quoted {
			f.path = query.ParsePath(rest)
		}
		return f, nil
	}
	isInside := b.scope != nil && b.scope.outer != nil
	f, found, err := b.own(e, isInside)
	switch {
	case err != nil || found:
		return f, err
	case isInside && (f == nil || b.scope.outer.knows(e)):
		return b.outer(e)
	case f == nil && len(b.tables) == 0:
		return nil, b.fault(e, "expected a value; without FROM no document has the field "+token.Clipped(e.text))
	case f == nil:
		return nil, b.fault(e, "expected a column of "+b.tables[0].alias+", found "+token.Clipped(e.text)+"; its columns are "+strings.Join(b.tables[0].columns, ", "))
	}
	return f, nil
}

// outer returns the value that e has in the query around. While only names are
// resolved, that is null.
func (b *binder) outer(e *expr) (*expr, error) {
	bound, err := b.scope.outer.bind(e)
	if err != nil {
		return nil, err
	}
	b.scope.refs = append(b.scope.refs, bound)
	if b.scope.tuple == nil {
		return constant(e, null), nil
	}
	return constant(e, orNull(bound.eval(b.scope.tuple))), nil
}

// knows reports whether e is a name of b's tables, or of those around.
func (b *binder) knows(e *expr) bool {
	if _, found, err := b.own(e, true); found || err != nil {
		return true
	}
	return b.scope != nil && b.scope.outer != nil && b.scope.outer.knows(e)
}

// isField reports whether a document has the field e. A field wins over a column
// of the same name.
func (b *binder) isField(e *expr) bool {
	if b.element {
		return false
	}
	f, found, err := b.own(e, true)
	return err != nil || found && !(f.op == opField && f.path.IsEmpty())
}

// own returns the field of b's own tables that e is. It reports whether e is
// certainly one: by the name of its table, or because a document has it. If ask is
// false, what can only be a field of the one table is taken as found. A field that
// is nil cannot be there.
func (b *binder) own(e *expr, ask bool) (f *expr, found bool, err error) {
	first, rest, nested := query.CutPath(e.text)
	for i := range b.tables {
		t := &b.tables[i]
		if t.alias != first || e.quoted && !(nested && len(b.tables) > 1) {
			continue
		}
		switch {
		case nested || t.columns == nil && (len(b.tables) > 1 || t.alias != t.collection):
			if f = t.field(e, i, rest); f == nil {
				err = b.fault(e, "expected a column of "+t.alias+", found "+token.Clipped(rest)+"; its columns are "+strings.Join(t.columns, ", "))
			}
			return f, err == nil, err
		case len(b.tables) > 1 && !slices.Contains(t.columns, first):
			return t.field(e, i, ""), true, nil
		}
	}
	if using, err := b.used(e, first); using != nil || err != nil {
		return using, err == nil, err
	}
	count := 0
	var owner string
	for i := range b.tables {
		t := &b.tables[i]
		of := t.field(e, i, e.text)
		if of == nil {
			continue
		}
		if f == nil {
			f = of
		}
		if len(b.tables) == 1 && !ask || !b.has(t, of) {
			if len(b.tables) == 1 && !ask {
				count++
			}
			continue
		}
		if count++; count > 1 {
			return nil, false, b.fault(e, "expected the name of a collection before the field, as in "+owner+"."+token.Clipped(e.text)+": "+t.alias+" has it too")
		}
		f, owner = of, t.alias
	}
	return f, count > 0, nil
}

// field returns the field at a path in t, which is table i; nil if t is a query
// without such a column.
func (t *table) field(e *expr, i int, path string) *expr {
	f := &expr{op: opField, start: e.start, end: e.end, table: i}
	if t.columns != nil && path != "" {
		first, _, nested := query.CutPath(path)
		if at := slices.Index(t.columns, path); at >= 0 && nested {
			f.op, f.index = opColumn, at
			return f
		} else if at < 0 && !slices.Contains(t.columns, first) {
			return nil
		}
	}
	f.path = query.ParsePath(path)
	return f
}

// has reports whether a row of t has the field f.
func (b *binder) has(t *table, f *expr) bool {
	switch {
	case t.columns != nil || f.path.IsEmpty():
		return true
	case t.body != nil:
		for _, row := range t.docs {
			b.x.db.Spend(1)
			if f.path.First(row) != nil {
				return true
			}
		}
		return false
	}
	name := t.collection + " " + f.path.String()
	is, known := b.x.isField[name]
	if !known {
		n, err := b.x.db.Count(t.collection, query.Exists(f.path), 1)
		is = err == nil && n > 0
		b.x.isField[name] = is
	}
	return is
}

// used returns the field that USING names of several tables, if e is one: the first
// of their values that is there. Only a RIGHT or FULL JOIN makes it another than the
// first.
func (b *binder) used(e *expr, first string) (*expr, error) {
	var of []*expr
	keepsRight := false
	for i := range b.tables {
		t := &b.tables[i]
		if !slices.ContainsFunc(t.using, func(n name) bool { return n.text == first }) {
			continue
		}
		if of == nil {
			before := *b
			before.tables = b.tables[:i]
			f, err := before.field(e)
			if err != nil {
				return nil, err
			}
			of = append(of, f)
		}
		keepsRight = keepsRight || t.kind.keepsRight()
		if f := t.field(e, i, e.text); f != nil {
			of = append(of, f)
		}
	}
	switch {
	case of == nil:
		return nil, nil
	case !keepsRight:
		return of[0], nil
	}
	return &expr{op: opCall, function: functionNamed("coalesce"), start: e.start, end: e.end, kids: of}, nil
}

// columnAt returns the value of a column in the row of a query.
func columnAt(row []byte, at int) []byte {
	for _, v := range msgpack.Fields(orEmpty(row)) {
		if at == 0 {
			return v
		}
		at--
	}
	return nil
}
