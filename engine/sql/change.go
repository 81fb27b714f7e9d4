package sql

import (
	"errors"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

func (s *insertBody) run(x *execution) (Rows, error) {
	docs, err := s.documents(x)
	if err != nil {
		return nil, err
	}
	a, err := x.answering(&s.into, s.returning)
	if err != nil {
		return nil, err
	}
	if s.conflict == nil {
		return a.rows, x.whole(func() error {
			var all []byte
			for _, doc := range docs {
				all = append(all, doc...)
			}
			ids, err := x.db.Insert(s.into.collection, all, false)
			if err != nil {
				return err
			}
			for id := range msgpack.Elements(ids) {
				a.add(x.db.Get(s.into.collection, id))
			}
			return nil
		})
	}
	return a.rows, x.whole(func() error { return s.conflict.insert(x, &s.into, docs, a) })
}

// documents returns what is to be inserted.
func (s *insertBody) documents(x *execution) (docs [][]byte, err error) {
	b := &binder{x: x}
	add := func(columns int, value func(i int) []byte) error {
		root := &tree{}
		for i := range columns {
			if !root.put(query.SplitPath(s.columns[i].text), orNull(value(i))) {
				return invalid(b.fault(s.columns[i], "expected each field once, and none inside another"))
			}
		}
		doc := root.append(nil)
		x.db.Hold(len(doc) + 24)
		docs = append(docs, doc)
		return nil
	}
	if s.query != nil {
		rows, err := s.query.run(x)
		if err != nil {
			return nil, err
		}
		for _, row := range x.all(rows) {
			x.db.Spend(1)
			if s.columns == nil {
				docs = append(docs, row)
				continue
			}
			if err := add(len(s.columns), func(i int) []byte { return columnAt(row, i) }); err != nil {
				return nil, err
			}
		}
		return docs, nil
	}
	for i, row := range s.rows {
		values, err := b.all(row)
		if err != nil {
			return nil, invalid(err)
		}
		if s.columns != nil {
			if err := add(len(s.columns), func(i int) []byte { return values[i].eval(&tuple{}) }); err != nil {
				return nil, err
			}
			continue
		}
		v := values[0].eval(&tuple{})
		if msgpack.KindOf(v) != msgpack.Map {
			return nil, invalid(at(x.text, s.pos[i], "expected a document, as a parameter or as {name: value}; single values need their field names before VALUES"))
		}
		docs = append(docs, v)
	}
	return docs, nil
}

// insert inserts documents one after the other, and does with each that another
// forbids what c says.
func (c *conflict) insert(x *execution, into *table, docs [][]byte, a *changed) error {
	// The new document is a table without rows, so that a name alone is one of the old.
	excluded := table{alias: "excluded", body: &queryBody{}}
	b := &binder{x: x, tables: []table{*into, excluded}}
	sets, err := b.sets(c.sets)
	if err != nil {
		return err
	}
	where := truthAt(&expr{}, yes)
	if c.where != nil {
		if where, err = b.bind(c.where); err != nil {
			return invalid(err)
		}
	}
	paths := texts(c.on)
	for _, doc := range docs {
		x.db.Spend(1)
		id, err := x.db.Conflict(into.collection, doc, paths)
		for err == nil && id != nil && c.replace {
			if _, err = x.db.Remove(into.collection, ofID(id)); err == nil {
				id, err = x.db.Conflict(into.collection, doc, paths)
			}
		}
		switch {
		case err != nil:
			if c.on != nil && errors.Is(err, engine.CodeNotFound) {
				return invalid(at(x.text, c.pos, "expected _id or the fields of a unique index after ON CONFLICT"))
			}
			return err
		case id == nil:
			ids, err := x.db.Insert(into.collection, doc, false)
			if err != nil {
				return err
			}
			id = msgpack.List(ids)[0]
		case c.sets == nil:
			continue
		default:
			t := &tuple{docs: [][]byte{x.db.Get(into.collection, id), doc}}
			if !where.test(t) {
				continue
			}
			pair := append(msgpack.AppendArray(msgpack.AppendArray(nil, 1), 2), id...)
			if _, err := x.db.UpdateEach(into.collection, append(pair, sets.change(t)...), 0); err != nil {
				return err
			}
		}
		a.add(x.db.Get(into.collection, id))
	}
	return nil
}

func ofID(id []byte) *query.Filter { return query.Eq(query.ParsePath("_id"), id) }

// whole runs work, and undoes what it has done if it fails.
func (x *execution) whole(work func() error) error {
	mark, isDone := x.db.Mark(), false
	defer func() {
		if !isDone {
			x.db.UndoTo(mark)
		}
	}()
	err := work()
	isDone = err == nil
	return err
}

// changed makes the answer of a statement that changes documents: a row of each
// with its _id, or with what RETURNING asks for.
type changed struct {
	x          *execution
	projection *projection // nil: the _id
	tables     int
	rows       *list
}

// answering prepares the answer of a statement that changes a table.
func (x *execution) answering(of *table, returning []column) (*changed, error) {
	a := &changed{x: x, rows: &list{}}
	if returning == nil {
		return a, nil
	}
	var err error
	if a.projection, err = (&binder{x: x, tables: []table{*of}}).project(returning); err != nil {
		return nil, invalid(err)
	}
	return a, nil
}

// add adds a document.
func (a *changed) add(doc []byte) {
	start := len(a.rows.rows)
	if a.projection == nil {
		a.rows.rows = appendFields(a.rows.rows, []field{{"_id", msgpack.Lookup(doc, "_id")}})
	} else {
		a.x.db.Spend(a.projection.cost)
		a.rows.rows = a.projection.append(a.rows.rows, &tuple{docs: [][]byte{doc}})
	}
	a.rows.end()
	a.x.db.Hold(len(a.rows.rows) - start + 8)
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
		b = t.kids[i].append(appendText(b, name))
	}
	return b
}

// boundSets are what SET says, bound.
type boundSets struct {
	paths  []string
	values []*expr
}

func (b *binder) sets(sets []set) (*boundSets, error) {
	of := &boundSets{}
	for _, set := range sets {
		// The path is one of the first table.
		path, err := (&binder{x: b.x, tables: b.tables[:1]}).field(set.path)
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
		of.paths, of.values = append(of.paths, path.path.String()), append(of.values, value)
	}
	return of, nil
}

// change returns the update that a tuple gets.
func (s *boundSets) change(t *tuple) []byte {
	fields := make([]field, len(s.values))
	for i, v := range s.values {
		fields[i] = field{s.paths[i], orNull(v.eval(t))}
	}
	return appendFields(nil, []field{{"$set", appendFields(nil, fields)}})
}

// matching binds the condition of a statement that changes documents.
func matching(x *execution, where *expr, tables ...table) (*selection, error) {
	return (&selectBody{columns: []column{{star: true}}, tables: tables, where: where}).bind(x, nil)
}

func (s *updateBody) run(x *execution) (Rows, error) {
	q, err := matching(x, s.where, s.tables...)
	if err != nil {
		return nil, err
	}
	sets, err := q.binder.plain().sets(s.sets)
	if err != nil {
		return nil, err
	}
	collection := s.tables[0].collection
	if len(q.rest) == 0 && len(s.tables) == 1 && s.returning == nil && !x.slowly && !slices.ContainsFunc(sets.values, func(v *expr) bool { return !v.isConst() }) {
		n, err := x.db.Update(collection, sets.change(&tuple{}), q.filters[0])
		return updated(n, nil, err)
	}
	a, err := x.answering(&s.tables[0], s.returning)
	if err != nil {
		return nil, err
	}
	found, err := q.tuples()
	if err != nil {
		return nil, err
	}
	var ids [][]byte
	var pairs []byte
	known := map[string]bool{}
	for i := range found {
		id := msgpack.Lookup(found[i].docs[0], "_id")
		if len(s.tables) > 1 { // a document with several partners gets what the first says
			if k := keyOfValue(orNull(id)); id == nil || known[k] {
				continue
			} else {
				known[k] = true
			}
		}
		ids = append(ids, id)
		start := len(pairs)
		pairs = append(msgpack.AppendArray(pairs, 2), id...)
		pairs = append(pairs, sets.change(&found[i])...)
		x.db.Spend(1)
		x.db.Hold(len(pairs) - start + 24)
	}
	n := 0
	err = x.whole(func() error {
		var err error
		if n, err = x.db.UpdateEach(collection, append(msgpack.AppendArray(nil, len(ids)), pairs...), 0); err != nil || s.returning == nil {
			return err
		}
		for _, id := range ids {
			a.add(x.db.Get(collection, id))
		}
		return nil
	})
	if s.returning != nil {
		return updated(n, a.rows, err)
	}
	return updated(n, nil, err)
}

func updated(n int, rows *list, err error) (Rows, error) {
	switch {
	case err != nil:
		return nil, err
	case rows != nil:
		return rows, nil
	}
	return one(field{"updated", number(n)}), nil
}

func (s *deleteBody) run(x *execution) (Rows, error) {
	q, err := matching(x, s.where, s.table)
	if err != nil {
		return nil, err
	}
	a, err := x.answering(&s.table, s.returning)
	if err != nil {
		return nil, err
	}
	where := q.filters[0]
	if len(q.rest) > 0 || s.returning != nil {
		found, err := q.tuples()
		if err != nil {
			return nil, err
		}
		var ids [][]byte
		for _, t := range found {
			if ids = append(ids, msgpack.Lookup(t.docs[0], "_id")); s.returning != nil {
				a.add(t.docs[0])
			}
		}
		where = query.In(query.ParsePath("_id"), ids)
	}
	if where == nil {
		where = query.True()
	}
	n, err := x.db.Remove(s.table.collection, where)
	switch {
	case err != nil:
		return nil, err
	case s.returning != nil:
		return a.rows, nil
	}
	return one(field{"removed", number(n)}), nil
}

func (s *createTableBody) run(x *execution) (Rows, error) {
	if slices.Contains(x.db.Collections(), s.name.text) {
		if s.ifNotExists {
			return &list{}, nil
		}
		return nil, invalid(at(x.text, s.name.pos, "expected another name: the collection exists; CREATE TABLE IF NOT EXISTS leaves it as it is"))
	}
	return &list{}, x.whole(func() error {
		if err := x.db.CreateCollection(s.name.text); err != nil {
			return err
		}
		for _, paths := range s.unique {
			if len(paths) == 1 && paths[0] == "_id" {
				continue
			}
			if err := x.db.CreateIndex(s.name.text, paths, engine.IndexOptions{Unique: true}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *dropTableBody) run(x *execution) (Rows, error) {
	if !slices.Contains(x.db.Collections(), s.name.text) && !s.ifExists {
		return nil, engine.Fail(engine.CodeNotFound, "sql", s.name.text, "there is no such collection")
	}
	return &list{}, x.db.DropCollection(s.name.text)
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
