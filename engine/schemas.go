package engine

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/schema"
)

// SchemaOptions say how a collection uses its schema.
type SchemaOptions struct {
	// Lenient takes keywords and formats that JSON Schema does not have for annotations.
	// Otherwise only keywords that begin with x- are.
	Lenient bool
	// Defaults puts the default of each property that an inserted document lacks into
	// it, for properties of the document and of the objects in it.
	Defaults bool
	// Schemas are those that a $ref of the schema may lead to by their $id, as
	// MessagePack. They are kept with the schema.
	Schemas [][]byte
}

func (o SchemaOptions) clone() SchemaOptions {
	kept := make([][]byte, len(o.Schemas))
	for i, s := range o.Schemas {
		kept[i] = bytes.Clone(s)
	}
	o.Schemas = kept
	return o
}

// A declaredSchema is the schema of a collection. It is compiled when it is first
// used: opening a database is not the time.
type declaredSchema struct {
	source   []byte // as it was declared
	options  SchemaOptions
	compiled *schema.Schema
	err      error // why it cannot be compiled
}

func (s *declaredSchema) equals(source []byte, options SchemaOptions) bool {
	return s != nil && s.options.Lenient == options.Lenient && s.options.Defaults == options.Defaults &&
		slices.EqualFunc(s.options.Schemas, options.Schemas, bytes.Equal) && bytes.Equal(s.source, source)
}

func (s *declaredSchema) compile() error {
	if s.compiled == nil && s.err == nil {
		s.compiled, s.err = schema.Compile(s.source, schema.Options{Lenient: s.options.Lenient, Schemas: s.options.Schemas})
	}
	return s.err
}

// Schema returns the schema of a collection, borrowed until the DB's next change, and
// how it is used; nil if it has none.
func (db *DB) Schema(name string) ([]byte, SchemaOptions, error) {
	if err := checkName("schema", name); err != nil {
		return nil, SchemaOptions{}, err
	}
	c := db.collections[name]
	if c == nil || c.schema == nil {
		return nil, SchemaOptions{}, nil
	}
	return c.schema.source, c.schema.options, nil
}

// CreateCollectionWith creates a collection whose documents must fit a JSON Schema, as
// a MessagePack map or boolean. A collection that has this schema stays as it is. One
// that has none gets it, as by SetSchema.
//
// Errors: invalid (the schema is none, or the collection has another), schema.
func (db *DB) CreateCollectionWith(name string, source []byte, options SchemaOptions) error {
	const op = "createCollection"
	if err := db.checkEnsure(op, name); err != nil {
		return err
	}
	if c := db.collections[name]; c != nil && c.schema != nil {
		if c.schema.equals(source, options) {
			return nil
		}
		return Fail(CodeInvalid, op, name, "the collection has another schema; setSchema changes it")
	}
	return db.whole(func() error { return db.useSchema(op, db.ensure(name), source, options, nil) })
}

// SetSchema gives a collection another schema, or none if source is nil. All its
// documents must fit it. migrate may mend those that do not: as an update for each of
// them (see ParseUpdate), or as pairs of id and update (see UpdateEach); nil changes
// none. Without a migrate, the error names the first documents that do not fit. It is
// done whole or not at all.
//
// Errors: not_found (there is no collection of this name), invalid, schema, unique.
func (db *DB) SetSchema(name string, source []byte, options SchemaOptions, migrate []byte) error {
	const op = "setSchema"
	if err := checkName(op, name); err != nil {
		return err
	}
	c := db.collections[name]
	if c == nil {
		return Fail(CodeNotFound, op, name, "there is no collection of this name; createCollection makes one with a schema")
	}
	return db.whole(func() error { return db.useSchema(op, c, source, options, migrate) })
}

// useSchema declares a schema and holds the documents of c against it.
func (db *DB) useSchema(op string, c *collection, source []byte, options SchemaOptions, migrate []byte) error {
	if source == nil {
		if c.schema == nil {
			return nil
		}
		c.schema = nil
		if err := db.declare(op, c, "schemaOptions", nil); err != nil {
			return err
		}
		return db.declare(op, c, "schema", nil)
	}
	s := &declaredSchema{source: bytes.Clone(source), options: options.clone()}
	if err := s.compile(); err != nil {
		return &Error{Code: CodeInvalid, Op: op, Target: c.name, Err: err}
	}
	if err := db.declare(op, c, "schema", s.source); err != nil {
		return err
	}
	declared := s.options.Pack()
	if msgpack.Count(declared) == 0 {
		declared = nil
	}
	if err := db.declare(op, c, "schemaOptions", declared); err != nil {
		return err
	}
	c.schema = s
	if msgpack.KindOf(migrate) == msgpack.Array {
		if _, err := db.UpdateEach(c.name, migrate, 0); err != nil {
			return err
		}
		migrate = nil
	}
	return db.conform(op, c, migrate)
}

// conform applies an update, if there is one, to the documents that do not fit the
// schema, and returns which still do not.
func (db *DB) conform(op string, c *collection, migrate []byte) (err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	var u *Update
	if migrate != nil {
		if u, err = ParseUpdate(migrate, UpdateContext{}); err != nil {
			return &Error{Code: CodeInvalid, Op: op, Target: c.name, Err: err}
		}
	}
	unfit := unfitDocuments{}
	changed := 0
	for slot := range c.refs {
		doc := c.doc(uint32(slot))
		if doc == nil {
			continue
		}
		err := c.schema.compiled.CheckDocument(doc)
		switch {
		case err == nil:
		case u != nil:
			if err := db.updateSlot(c, uint32(slot), u, &changed); err != nil {
				return err
			}
			if c.schema.compiled.CheckDocument(c.doc(uint32(slot))) != nil { // the update leaves it as it is
				return c.checkSchema(op, c.doc(uint32(slot)))
			}
		default:
			unfit.add(idText(idOf(doc)), err)
		}
	}
	if unfit.count == 0 {
		return nil
	}
	return &Error{Code: CodeSchema, Op: op, Target: c.name, Err: &unfit}
}

// unfitDocuments are those that do not fit a new schema, with all that is wrong with
// the first ones.
type unfitDocuments struct {
	count  int
	ids    []string // of the first ten
	faults schema.Faults
}

func (u *unfitDocuments) add(id string, err error) {
	const maxIDs = 10
	u.count++
	faults, ok := err.(*schema.Faults)
	if !ok || len(u.ids) == maxIDs {
		return
	}
	u.ids = append(u.ids, id)
	for _, f := range faults.List {
		if len(u.faults.List) < schema.MaxFaults {
			f.Message = "document " + id + ": " + f.Message
			u.faults.List = append(u.faults.List, f)
		}
	}
}

// Error reads "2 documents do not fit: 1, 5; age: document 1: must be …".
func (u *unfitDocuments) Error() string {
	text := strconv.Itoa(u.count) + " documents do not fit: "
	if u.count == 1 {
		text = "a document does not fit: "
	}
	text += strings.Join(u.ids, ", ")
	if u.count > len(u.ids) {
		text += " and others"
	}
	return text + "; " + u.faults.Error()
}

// Unwrap returns the faults.
func (u *unfitDocuments) Unwrap() error { return &u.faults }

// Unfit returns the documents of a collection that would not fit a schema.
//
// Errors: invalid.
func (db *DB) Unfit(name string, source []byte, options SchemaOptions) (*Result, error) {
	const op = "setSchema"
	if err := checkName(op, name); err != nil {
		return nil, err
	}
	s := &declaredSchema{source: source, options: options}
	if err := s.compile(); err != nil {
		return nil, &Error{Code: CodeInvalid, Op: op, Target: name, Err: err}
	}
	c := db.collections[name]
	if c == nil {
		return &Result{}, nil
	}
	var slots []uint32
	for slot := range c.refs {
		if doc := c.doc(uint32(slot)); doc != nil && s.compiled.CheckDocument(doc) != nil {
			slots = append(slots, uint32(slot))
		}
	}
	return &Result{c: c.content, slots: slots, fields: newProjection(nil, nil)}, nil
}

// checkSchema returns CodeSchema if a document, whose first field is its _id, does not
// fit the schema of c. A schema that this version cannot read refuses all.
func (c *collection) checkSchema(op string, doc []byte) error {
	if c.schema == nil {
		return nil
	}
	if err := c.schema.compile(); err != nil {
		return Fail(CodeUnsupported, op, c.name, "a newer AtomicDB has written the schema: "+err.Error())
	}
	if err := c.schema.compiled.CheckDocument(doc); err != nil {
		return &Error{Code: CodeSchema, Op: op, Target: target(c, idOf(doc)), Err: err}
	}
	return nil
}

// withDefaults returns doc, a valid document, with the defaults that it lacks.
func (db *DB) withDefaults(op string, c *collection, doc []byte) ([]byte, error) {
	if c.schema == nil || !c.schema.options.Defaults || c.schema.compile() != nil {
		return doc, nil
	}
	doc = c.schema.compiled.Fill(doc)
	_, err := db.checkDocument(op, c.name, doc) // defaults may be large and deep
	return doc, err
}

// Pack is the inverse of SchemaOptionsOf. It writes what is not as usual alone.
func (o SchemaOptions) Pack() []byte {
	var fields []byte
	count := 0
	if o.Lenient {
		fields = msgpack.AppendBool(msgpack.AppendString(fields, "strict"), false)
		count++
	}
	if o.Defaults {
		fields = msgpack.AppendBool(msgpack.AppendString(fields, "defaults"), true)
		count++
	}
	if len(o.Schemas) > 0 {
		fields = msgpack.AppendArray(msgpack.AppendString(fields, "schemas"), len(o.Schemas))
		for _, s := range o.Schemas {
			fields = append(fields, s...)
		}
		count++
	}
	return append(msgpack.AppendMap(nil, count), fields...)
}

// declareSchema gives c the schema that the catalog declares for it. It keeps a
// compiled one.
func (db *DB) declareSchema(c *collection) {
	source, o := db.declared(c.name, "schema"), db.declared(c.name, "schemaOptions")
	if source == nil {
		c.schema = nil
		return
	}
	options := SchemaOptionsOf(o)
	if !c.schema.equals(source, options) {
		c.schema = &declaredSchema{source: bytes.Clone(source), options: options.clone()}
	}
}

// SchemaOptionsOf returns the options that the catalog declares, as {strict, defaults,
// schemas}. The schemas are borrowed from it.
func SchemaOptionsOf(declared []byte) SchemaOptions {
	return SchemaOptions{
		Lenient:  msgpack.KindOf(msgpack.Lookup(declared, "strict")) == msgpack.False,
		Defaults: msgpack.KindOf(msgpack.Lookup(declared, "defaults")) == msgpack.True,
		Schemas:  msgpack.List(msgpack.Lookup(declared, "schemas")),
	}
}
