package engine

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// catalogName is the collection whose documents declare what the others have: each
// is the declarations of one collection, and each kind of declaration is a field.
//
//	{_id: "users", indexes: [{paths: ["address.city", "age"], unique: false, sparse: false}],
//	 schema: {type: "object"}, schemaOptions: {strict: false, defaults: true, schemas: [{$id: "…"}]}}
//
// An index may also have a name. A schema is as it was given, and its options are
// there if one is not as usual; see SchemaOptions. These documents are stored like all others, in
// the same batches, and what they declare follows from them; see declare.
const catalogName = "_catalog"

// maxIndexes is how many indexes a collection may have. Each new one writes the
// declaration of all: a file of 200 kB that declares 10,000 indexes took 27 s and
// 2 GB to import.
const maxIndexes = 64

// IndexOptions say what else an index does. With the zero value, it only makes
// queries faster.
type IndexOptions struct {
	// Unique refuses a document whose values another document has already. It
	// never refuses a document that lacks one of the paths.
	Unique bool
	// Sparse leaves out documents that lack one of the paths.
	Sparse bool
	// Name is what DropIndexNamed finds the index by. Two indexes of a collection
	// cannot have the same name. Empty: none.
	Name string
}

// CreateCollection creates an empty collection. It does nothing if the collection
// exists.
func (db *DB) CreateCollection(name string) error {
	if err := db.checkEnsure("createCollection", name); err != nil {
		return err
	}
	db.ensure(name)
	return nil
}

// DropCollection removes a collection with its documents, indexes and
// relationships, if it exists. It returns CodeRelationship if one of these keeps a
// document.
func (db *DB) DropCollection(name string) error {
	if err := checkName("dropCollection", name); err != nil {
		return err
	}
	c := db.collections[name]
	if c == nil {
		return nil
	}
	return db.whole(func() error {
		if db.isParent(name) {
			if err := db.removeSlots("dropCollection", c, c.match(nil), true); err != nil {
				return err
			}
		}
		if catalog := db.collections[catalogName]; catalog != nil {
			if slot, ok := catalog.slotOf(msgpack.AppendString(nil, name)); ok {
				db.removeSlot(catalog, slot)
			}
		}
		db.drop(c)
		return db.forgetRelations(name)
	})
}

// forgetRelations removes the relationships of a collection that is dropped. Those
// that it is From of went with its catalog document.
func (db *DB) forgetRelations(name string) error {
	before := db.relations
	for _, rel := range before {
		if rel.To == name && rel.From != name {
			if err := db.withoutRelation("dropCollection", rel); err != nil {
				return err
			}
		}
	}
	if len(before) > 0 {
		db.declareAll()
	}
	return nil
}

func (db *DB) drop(c *collection) {
	db.note(change{kind: dropped, c: c})
	delete(db.collections, c.name)
}

// CreateIndex declares an index on one or several paths, and creates the
// collection if there is none. An index on the same paths with the same options
// stays as it is, and keeps its name.
//
// Errors: invalid (there is no path, or one is there twice; an index on these
// paths has other options; another index has this name; there are 64 indexes),
// unique (two documents have the same values of a unique index).
func (db *DB) CreateIndex(name string, paths []string, opts IndexOptions) error {
	const op = "createIndex"
	if err := db.checkEnsure(op, name); err != nil {
		return err
	}
	for _, path := range paths { // not in newIndexSpec: what is stored stays readable
		if why := query.CheckPath(path); why != "" {
			return Fail(CodeInvalid, op, name, why)
		}
	}
	s, err := newIndexSpec(op, name, paths, opts)
	if err != nil {
		return err
	}
	return db.whole(func() error {
		c := db.ensure(name)
		for _, ix := range c.indexes {
			if !ix.samePaths(paths) || ix.ofRelation {
				continue
			}
			if ix.unique != s.unique || ix.sparse != s.sparse {
				return Fail(CodeInvalid, op, name, "an index on "+s.title()+" exists with other options; drop it first")
			}
			return nil
		}
		if other := c.indexNamed(s.name); other != nil {
			return Fail(CodeInvalid, op, name, "the index on "+other.title()+" is named "+s.name+" already")
		}
		if len(c.indexes) >= maxIndexes {
			return Fail(CodeInvalid, op, name, "it has "+strconv.Itoa(maxIndexes)+" indexes, and cannot have more; drop one first")
		}
		ix := newIndex(s, c.content)
		ix.debt = math.MaxInt // build it at first use: who creates an index will use it
		if s.unique {
			for a, b := range ix.duplicatePairs() {
				return Fail(CodeUnique, op, name, "documents "+describe(idOf(c.doc(a)))+" and "+describe(idOf(c.doc(b)))+" have the same "+s.title())
			}
		}
		// It takes the place of the index of a relationship.
		others := slices.DeleteFunc(slices.Clone(c.indexes), func(ix *index) bool { return ix.ofRelation && ix.samePaths(paths) })
		c.indexes = append(others, ix)
		return db.writeCatalog(c)
	})
}

// DropIndex removes the index on exactly these paths. It returns CodeNotFound if
// there is none.
func (db *DB) DropIndex(name string, paths []string) error {
	if err := checkName("dropIndex", name); err != nil {
		return err
	}
	if c := db.collections[name]; c != nil {
		for _, ix := range c.indexes {
			if ix.samePaths(paths) && ix.ofRelation {
				return Fail(CodeRelationship, "dropIndex", name, "the index on "+ix.title()+" belongs to a relationship; remove that first")
			}
			if ix.samePaths(paths) {
				return db.removeIndex(c, ix)
			}
		}
	}
	return Fail(CodeNotFound, "dropIndex", name, "there is no index on "+strings.Join(paths, ", "))
}

// DropIndexNamed removes the index that was created with a name. It returns
// CodeNotFound if there is none.
func (db *DB) DropIndexNamed(collection, name string) error {
	if err := checkName("dropIndex", collection); err != nil {
		return err
	}
	if c := db.collections[collection]; c != nil {
		if ix := c.indexNamed(name); ix != nil {
			return db.removeIndex(c, ix)
		}
	}
	return Fail(CodeNotFound, "dropIndex", collection, "there is no index named "+strconv.Quote(name))
}

func (db *DB) removeIndex(c *collection, ix *index) error {
	kept := make([]*index, 0, len(c.indexes))
	for _, other := range c.indexes {
		if other != ix {
			kept = append(kept, other)
		}
	}
	c.indexes = kept
	c.indexKeys()
	return db.writeCatalog(c)
}

// indexNamed returns the index that was created with a name; nil if there is none.
func (c *content) indexNamed(name string) *index {
	for _, ix := range c.indexes {
		if name != "" && ix.name == name {
			return ix
		}
	}
	return nil
}

func newIndexSpec(op, name string, paths []string, opts IndexOptions) (indexSpec, error) {
	s := indexSpec{name: opts.Name, unique: opts.Unique, sparse: opts.Sparse}
	if len(paths) == 0 {
		return s, Fail(CodeInvalid, op, name, "an index needs at least one path")
	}
	if len(paths) > maxIndexPaths {
		return s, Fail(CodeInvalid, op, name, "an index has at most "+strconv.Itoa(maxIndexPaths)+" paths")
	}
	for i, text := range paths {
		if text == "" || slices.Contains(paths[:i], text) {
			return s, Fail(CodeInvalid, op, name, "path "+strconv.Itoa(i+1)+" of the index is empty or there twice")
		}
		s.paths = append(s.paths, query.ParsePath(text))
	}
	return s, nil
}

const maxIndexPaths = 16

// writeCatalog stores the declaration of c's indexes.
func (db *DB) writeCatalog(c *collection) error {
	declared := slices.DeleteFunc(slices.Clone(c.indexes), func(ix *index) bool { return ix.ofRelation })
	list := msgpack.AppendArray(nil, len(declared))
	for _, ix := range declared {
		named := ix.name != ""
		if named {
			list = msgpack.AppendMap(list, 4)
		} else {
			list = msgpack.AppendMap(list, 3)
		}
		list = msgpack.AppendString(list, "paths")
		list = msgpack.AppendArray(list, len(ix.paths))
		for _, p := range ix.pathTexts() {
			list = msgpack.AppendString(list, p)
		}
		list = msgpack.AppendBool(msgpack.AppendString(list, "unique"), ix.unique)
		list = msgpack.AppendBool(msgpack.AppendString(list, "sparse"), ix.sparse)
		if named {
			list = msgpack.AppendString(msgpack.AppendString(list, "name"), ix.name)
		}
	}
	return db.declare("createIndex", c, "indexes", list)
}

// declare stores a field of c's catalog document, or removes it if value is nil.
// It keeps the other fields, also those that only a later version knows.
func (db *DB) declare(op string, c *collection, field string, value []byte) error {
	if value == nil && db.declared(c.name, field) == nil {
		return nil
	}
	catalog := db.ensure(catalogName)
	id := msgpack.AppendString(nil, c.name)
	slot, exists := catalog.slotOf(id)
	kept, count := []byte(nil), 1
	if exists {
		for name, v := range msgpack.Fields(catalog.doc(slot)) {
			if text := string(name); text != "_id" && text != field {
				kept = append(msgpack.AppendString(kept, name), v...)
				count++
			}
		}
	}
	if value != nil {
		kept = append(msgpack.AppendString(kept, field), value...)
		count++
	}
	doc := append(msgpack.AppendMap(nil, count), idKey...)
	doc = append(append(doc, id...), kept...)
	if exists {
		return db.put(catalog, slot, doc)
	}
	_, err := db.insertOne(op, catalog, doc, false, nil)
	return err
}

// declared returns a field of c's catalog document, borrowed; nil if it has none.
func (db *DB) declared(name, field string) []byte {
	if catalog := db.collections[catalogName]; catalog != nil {
		if slot, ok := catalog.slotOf(msgpack.AppendString(nil, name)); ok {
			return msgpack.Lookup(catalog.doc(slot), field)
		}
	}
	return nil
}

// declareAll makes the relationships and the version that the catalog declares, and
// gives every collection the indexes and the schema that it declares for it. It
// keeps the ones that it has.
func (db *DB) declareAll() {
	db.relations, db.dataVersion = db.readRelations(), db.readDataVersion()
	for _, c := range db.collections {
		db.declareSchema(c)
		specs := readIndexSpecs(db.declared(c.name, "indexes"))
		orders := make([]*index, 0, len(specs))
		for _, s := range specs {
			have := slices.IndexFunc(c.indexes, func(ix *index) bool {
				return ix.samePaths(s.pathTexts()) && ix.name == s.name && ix.unique == s.unique && ix.sparse == s.sparse
			})
			if have >= 0 {
				orders = append(orders, c.indexes[have])
			} else {
				orders = append(orders, newIndex(s, c.content))
			}
		}
		ofRelations := slices.DeleteFunc(slices.Clone(c.indexes), func(ix *index) bool { return !ix.ofRelation })
		c.indexes = orders
		db.holdRelations(c)
		for i, ix := range c.indexes {
			for _, have := range ofRelations {
				if ix.ofRelation && ix.samePaths(have.pathTexts()) {
					c.indexes[i] = have
				}
			}
		}
	}
}

// readIndexSpecs reads the indexes that a catalog document declares. It passes over
// what is not one: a later version may have written it.
func readIndexSpecs(list []byte) (specs []indexSpec) {
	for v := range msgpack.Elements(list) {
		var paths []string
		for path := range msgpack.Elements(msgpack.Lookup(v, "paths")) {
			paths = append(paths, string(msgpack.Str(path)))
		}
		s, err := newIndexSpec("apply", "", paths, IndexOptions{
			Unique: msgpack.KindOf(msgpack.Lookup(v, "unique")) == msgpack.True,
			Sparse: msgpack.KindOf(msgpack.Lookup(v, "sparse")) == msgpack.True,
			Name:   string(msgpack.Str(msgpack.Lookup(v, "name"))),
		})
		if err == nil {
			specs = append(specs, s)
		}
	}
	return specs
}
