package sql

import (
	"errors"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

func (s *insertBody) run(x *execution) (Rows, error) {
	b := &binder{x: x}
	var docs []byte
	for i, row := range s.rows {
		values, err := b.all(row)
		if err != nil {
			return nil, invalid(err)
		}
		if s.columns == nil {
			if v := values[0].eval(&tuple{}); msgpack.KindOf(v) == msgpack.Map {
				docs = append(docs, v...)
				continue
			}
			return nil, invalid(at(x.text, s.pos[i], "expected a document, as a parameter or as {name: value}; single values need their field names before VALUES"))
		}
		root := &tree{}
		for n, c := range s.columns {
			if !root.put(strings.Split(c.text, "."), orNull(values[n].eval(&tuple{}))) {
				return nil, invalid(b.fault(c, "expected each field once, and none inside another"))
			}
		}
		docs = root.append(docs)
	}
	ids, err := x.db.Insert(s.into.text, docs, false)
	if err != nil {
		return nil, err
	}
	l := &list{}
	for id := range msgpack.Elements(ids) {
		l.rows = appendFields(l.rows, []field{{"_id", id}})
		l.end()
	}
	return l, nil
}

// A tree is a document that is being put together from paths.
type tree struct {
	names []string
	kids  []*tree
	known map[string]int // names, if there are many
	value []byte         // of a tree without kids
}

// put adds a value at a path; false if one is there, or if one path is inside
// the other.
func (t *tree) put(path []string, value []byte) bool {
	if t.value != nil {
		return false
	}
	if len(path) == 0 {
		t.value = value
		return len(t.kids) == 0
	}
	const many = 16
	if t.known != nil {
		if i, known := t.known[path[0]]; known {
			return t.kids[i].put(path[1:], value)
		}
	} else if i := slices.Index(t.names, path[0]); i >= 0 {
		return t.kids[i].put(path[1:], value)
	}
	switch {
	case t.known != nil:
		t.known[path[0]] = len(t.names)
	case len(t.names) == many:
		t.known = map[string]int{path[0]: many}
		for i, name := range t.names {
			t.known[name] = i
		}
	}
	kid := &tree{}
	t.names, t.kids = append(t.names, path[0]), append(t.kids, kid)
	return kid.put(path[1:], value)
}

func (t *tree) append(b []byte) []byte {
	if t.value != nil {
		return append(b, t.value...)
	}
	b = msgpack.AppendMap(b, len(t.names))
	for i, name := range t.names {
		b = t.kids[i].append(msgpack.AppendString(b, name))
	}
	return b
}

func (s *updateBody) run(x *execution) (Rows, error) {
	b := &binder{x: x, tables: []table{s.table}}
	filters, rest, err := b.where(s.where)
	if err != nil {
		return nil, invalid(err)
	}
	var paths []string
	var values []*expr
	fixed := len(rest) == 0
	for _, set := range s.sets {
		path, err := b.field(set.path)
		if err == nil && path.path.IsEmpty() {
			err = b.fault(set.path, "expected a field to set")
		}
		if err != nil {
			return nil, invalid(err)
		}
		value, err := b.bind(set.value)
		if err != nil {
			return nil, invalid(err)
		}
		paths, values = append(paths, path.path.String()), append(values, value)
		fixed = fixed && value.isConst()
	}
	change := func(t *tuple) []byte {
		var fields []field
		for i, v := range values {
			fields = append(fields, field{paths[i], orNull(v.eval(t))})
		}
		return appendFields(nil, []field{{"$set", appendFields(nil, fields)}})
	}
	collection := s.table.collection
	if fixed && !x.slowly {
		return updated(x.db.Update(collection, change(&tuple{}), filters[0]))
	}
	found, err := x.matching(collection, filters[0], rest)
	if err != nil {
		return nil, err
	}
	pairs := msgpack.AppendArray(nil, len(found))
	for i := range found {
		pairs = append(msgpack.AppendArray(pairs, 2), msgpack.Lookup(found[i].docs[0], "_id")...)
		start := len(pairs)
		pairs = append(pairs, change(&found[i])...)
		x.db.Spend(1)
		x.db.Hold(len(pairs) - start)
	}
	return updated(x.db.UpdateEach(collection, pairs))
}

func updated(n int, err error) (Rows, error) {
	if err != nil {
		return nil, err
	}
	return one(field{"updated", number(n)}), nil
}

// matching returns the documents of a collection that meet a filter and further
// conditions.
func (x *execution) matching(collection string, where *query.Filter, rest []*expr) (found []tuple, err error) {
	result, err := x.db.Find(collection, engine.Query{Where: where})
	if err != nil {
		return nil, err
	}
	q := selection{rest: rest}
	cost := 1
	for _, e := range rest {
		cost += e.size()
	}
	for doc := range result.Documents() {
		x.db.Spend(cost)
		x.db.Hold(tupleBytes(1))
		if t := (tuple{docs: [][]byte{doc}}); q.passes(&t) {
			found = append(found, t)
		}
	}
	return found, nil
}

func (s *deleteBody) run(x *execution) (Rows, error) {
	b := &binder{x: x, tables: []table{s.table}}
	filters, rest, err := b.where(s.where)
	if err != nil {
		return nil, invalid(err)
	}
	where := filters[0]
	if len(rest) > 0 {
		found, err := x.matching(s.table.collection, where, rest)
		if err != nil {
			return nil, err
		}
		var ids [][]byte
		for _, t := range found {
			ids = append(ids, msgpack.Lookup(t.docs[0], "_id"))
		}
		where = query.In(query.ParsePath("_id"), ids)
	}
	if where == nil {
		where = query.True()
	}
	n, err := x.db.Remove(s.table.collection, where)
	if err != nil {
		return nil, err
	}
	return one(field{"removed", number(n)}), nil
}

func (s *createBody) run(x *execution) (Rows, error) {
	err := x.db.CreateIndex(s.on.text, texts(s.paths), engine.IndexOptions{Unique: s.unique, Sparse: s.sparse, Name: s.name})
	if err != nil {
		return nil, err
	}
	return &list{}, nil
}

func (s *dropBody) run(x *execution) (Rows, error) {
	var err error
	switch {
	case s.name == "":
		err = x.db.DropIndex(s.on.text, texts(s.paths))
	case s.on.text != "":
		err = x.db.DropIndexNamed(s.on.text, s.name)
	default:
		err = x.dropNamed(s.name)
	}
	if err != nil && !(s.ifExists && errors.Is(err, engine.CodeNotFound)) {
		return nil, err
	}
	return &list{}, nil
}

// dropNamed drops the index of that name in the first collection that has one.
func (x *execution) dropNamed(name string) error {
	for _, collection := range x.db.Collections() {
		if err := x.db.DropIndexNamed(collection, name); !errors.Is(err, engine.CodeNotFound) {
			return err
		}
	}
	return engine.Fail(engine.CodeNotFound, "sql", name, "no collection has an index of this name")
}

func texts(paths []*expr) []string {
	all := make([]string, len(paths))
	for i, p := range paths {
		all[i] = p.text
	}
	return all
}
