// Package docfile reads and writes a whole database as one file of documents,
// as the Python library of the same name did: a map of collections, each an
// array of documents, as JSON or as MessagePack.
//
//	{"default": [{"_id": 1, "name": "Ada"}], "users": []}
//
// Values that JSON cannot hold are written as in MongoDB's Extended JSON (see
// json.go). The collection "_catalog" declares the indexes and schemas of the others.
package docfile

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/jsontext"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// Type is how a file is written.
type Type string

const (
	// JSON is text that people can read.
	JSON Type = "json"
	// MessagePack is smaller, and keeps every type.
	MessagePack Type = "msgpack"
)

// catalog is the collection that declares the indexes and schemas of the others.
const catalog = "_catalog"

// A Section is a part of a collection's documents.
type Section struct {
	Collection string
	// Upsert is true if all documents have an _id, and false if none has one.
	Upsert bool
	// Documents are MessagePack maps, one after the other. Only their _id has been
	// checked.
	Documents []byte
}

// An Index is one that a file declares.
type Index struct {
	Collection string
	Paths      []string
	Options    engine.IndexOptions
}

// A Schema is one that a file declares.
type Schema struct {
	Collection string
	Source     []byte
	Options    engine.SchemaOptions
}

// A File is the content of a file, in the order in which to store it.
type File struct {
	Sections      []Section
	Schemas       []Schema
	Indexes       []Index
	Relationships []engine.Relationship
	DataVersion   int // see engine.DB.DataVersion; 0: the file says none
}

// Parse reads a file. Documents may nest maxDepth levels deep. The error has
// CodeInvalid, and says what is wrong and where.
func Parse(file []byte, t Type, maxDepth int) (*File, error) {
	switch t {
	case JSON:
		root, err := parseJSON(file, maxDepth+2)
		if err != nil {
			return nil, err
		}
		return fileOf(root, maxDepth)
	case MessagePack:
		n, err := msgpack.Validate(file, maxDepth+2)
		if err != nil {
			return nil, &engine.Error{Code: engine.CodeInvalid, Op: "import", Err: err}
		}
		if n != len(file) {
			return nil, invalid(strconv.Itoa(len(file)-n) + " bytes follow the documents")
		}
		return fileOf(file, maxDepth)
	}
	return nil, invalid("there is no type of file named " + strconv.Quote(string(t)))
}

// fileOf reads the outer levels of a map of arrays of maps.
func fileOf(root []byte, maxDepth int) (*File, error) {
	if msgpack.KindOf(root) != msgpack.Map {
		return nil, invalid("expected an object of collections, each an array of documents, not " + msgpack.KindOf(root).String())
	}
	if name := jsontext.Twice(root); name != nil {
		return nil, invalid("the name " + strconv.Quote(string(name)) + " stands twice in one object")
	}
	var f File
	for key, docs := range msgpack.Fields(root) {
		name := string(key)
		if msgpack.KindOf(docs) != msgpack.Array {
			return nil, invalid("collection " + strconv.Quote(name) + ": expected an array of documents, not " + msgpack.KindOf(docs).String())
		}
		if err := f.addCollection(name, docs); err != nil {
			return nil, err
		}
	}
	return &f, nil
}

// addCollection sorts the documents of a collection: those that have an _id
// come first, so that no other is given the same one.
func (f *File) addCollection(name string, docs []byte) error {
	var named, nameless []byte
	seen := ids{}
	n := 0
	for doc := range msgpack.Elements(docs) {
		n++
		if msgpack.KindOf(doc) != msgpack.Map {
			return invalid("collection " + strconv.Quote(name) + ", document " + strconv.Itoa(n) + ": expected an object, not " + msgpack.KindOf(doc).String())
		}
		if id := msgpack.Lookup(doc, "_id"); id != nil {
			if seen.add(id) {
				return invalid("collection " + strconv.Quote(name) + ": two documents have the _id " + idText(id))
			}
			named = append(named, doc...)
		} else {
			nameless = append(nameless, doc...)
		}
		if name == catalog {
			if err := f.addDeclarations(doc); err != nil {
				return err
			}
		}
	}
	if name == catalog {
		return nil
	}
	if named != nil || nameless == nil { // an empty collection is one, too
		f.Sections = append(f.Sections, Section{name, true, named})
	}
	if nameless != nil {
		f.Sections = append(f.Sections, Section{name, false, nameless})
	}
	return nil
}

// addDeclarations reads a document of the catalog, in which anything but the _id may
// be missing:
//
//	{_id: "users", indexes: [{paths: ["age"], unique: false, sparse: false, name: "by_age"}],
//	 relationships: [{name: "posts", type: "one_to_many", to: "posts", foreignKey: "user_id", onDelete: "none", enforce: false}],
//	 schema: {…}, schemaOptions: {strict: false, defaults: true, schemas: [{…}]}}
func (f *File) addDeclarations(doc []byte) error {
	wrong := invalid("collection \"_catalog\": expected {_id, indexes: [{paths, unique, sparse}], relationships: [{name, type, to, foreignKey}], schema}")
	id, indexes, schema := msgpack.Lookup(doc, "_id"), msgpack.Lookup(doc, "indexes"), msgpack.Lookup(doc, "schema")
	relationships := msgpack.Lookup(doc, "relationships")
	if n, ok := msgpack.Int(msgpack.Lookup(doc, "version")); ok && string(msgpack.Str(id)) == "_database" {
		f.DataVersion = int(min(max(n, 0), 1<<31-1))
		return nil
	}
	if msgpack.KindOf(id) != msgpack.String {
		return wrong
	}
	for _, list := range [][]byte{indexes, relationships} {
		if list != nil && msgpack.KindOf(list) != msgpack.Array {
			return wrong
		}
	}
	if schema != nil {
		f.Schemas = append(f.Schemas, Schema{string(msgpack.Str(id)), schema, engine.SchemaOptionsOf(msgpack.Lookup(doc, "schemaOptions"))})
	}
	for v := range msgpack.Elements(relationships) {
		if msgpack.KindOf(v) != msgpack.Map {
			return wrong
		}
		f.Relationships = append(f.Relationships, engine.ReadRelationship(string(msgpack.Str(id)), v))
	}
	for index := range msgpack.Elements(indexes) {
		if msgpack.KindOf(index) != msgpack.Map {
			return wrong
		}
		paths := msgpack.Lookup(index, "paths")
		if paths == nil || msgpack.KindOf(paths) != msgpack.Array {
			return wrong
		}
		i := Index{Collection: string(msgpack.Str(id))}
		for path := range msgpack.Elements(paths) {
			if msgpack.KindOf(path) != msgpack.String {
				return wrong
			}
			i.Paths = append(i.Paths, string(msgpack.Str(path)))
		}
		i.Options.Unique = isTrue(msgpack.Lookup(index, "unique"))
		i.Options.Sparse = isTrue(msgpack.Lookup(index, "sparse"))
		if name := msgpack.Lookup(index, "name"); name != nil && msgpack.KindOf(name) == msgpack.String {
			i.Options.Name = string(msgpack.Str(name))
		}
		f.Indexes = append(f.Indexes, i)
	}
	return nil
}

// Store adds the content of the file to db, all of it or, after an error, nothing.
// A document replaces one with the same _id.
func (f *File) Store(db *engine.DB) error {
	db.Savepoint()
	err := f.store(db)
	if err == nil {
		err = db.ReleaseSavepoint() // which a unique index may forbid
	}
	if err != nil {
		_ = db.RollbackToSavepoint() // it has begun above
	}
	return err
}

func (f *File) store(db *engine.DB) error {
	// What is there already keeps its version: the file only adds documents.
	if f.DataVersion > 0 && db.DataVersion() == 0 && len(db.Collections()) == 0 {
		if err := db.SetDataVersion(f.DataVersion); err != nil {
			return err
		}
	}
	for _, s := range f.Sections {
		if _, err := db.Insert(s.Collection, s.Documents, s.Upsert); err != nil {
			return err
		}
	}
	for _, s := range f.Schemas {
		if err := db.CreateCollection(s.Collection); err != nil {
			return err
		}
		if err := db.SetSchema(s.Collection, s.Source, s.Options, nil); err != nil {
			return err
		}
	}
	for _, i := range f.Indexes {
		if err := db.CreateIndex(i.Collection, i.Paths, i.Options); err != nil {
			return err
		}
	}
	for _, r := range f.Relationships {
		if err := db.AddRelationship(r); err != nil {
			return err
		}
	}
	return nil
}

// Write returns everything in db as a file.
func Write(db *engine.DB, t Type) ([]byte, error) {
	w := writer{isJSON: t == JSON}
	names := db.Collections()
	if count, err := db.Count(catalog, nil, 1); err == nil && count > 0 {
		names = append(names, catalog)
	}
	w.open(len(names))
	for n, name := range names {
		result, err := db.Find(name, engine.Query{})
		if err != nil {
			return nil, err
		}
		w.collection(n, name, result)
	}
	w.close()
	return w.file, nil
}

func isTrue(v []byte) bool { return msgpack.KindOf(v) == msgpack.True }

//go:noinline
func invalid(why string) error {
	return engine.Fail(engine.CodeInvalid, "import", "", why)
}
