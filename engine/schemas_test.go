package engine_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/schema"
)

func createWith(t *testing.T, db *engine.DB, name string, source M, options engine.SchemaOptions) {
	t.Helper()
	if err := db.CreateCollectionWith(name, encode(t, source), options); err != nil {
		t.Fatal(err)
	}
}

var adults = M{"properties": M{"age": M{"type": "integer", "minimum": 18}}, "required": []any{"name"}}

// refused checks the code, and returns the faults.
func refused(t *testing.T, err error, code engine.Code, contains string) []schema.Fault {
	t.Helper()
	if !errors.Is(err, code) || !strings.Contains(err.Error(), contains) {
		t.Errorf("have %v, want %s: …%s…", err, code, contains)
	}
	var f *schema.Faults
	if errors.As(err, &f) {
		return f.List
	}
	return nil
}

// TestSchema: every way in is checked, and what is refused leaves nothing.
func TestSchema(t *testing.T) {
	db := newDB(t, engine.Options{})
	createWith(t, db, "users", adults, engine.SchemaOptions{})
	insert2 := func(docs ...M) error {
		var all []byte
		for _, d := range docs {
			all = append(all, encode(t, d)...)
		}
		_, err := db.Insert("users", all, false)
		return err
	}
	if err := insert2(M{"name": "Ada", "age": 36}, M{"_id": "b", "name": "Bo"}); err != nil {
		t.Fatal(err)
	}
	before := db.Dump()
	same := func(what string) {
		t.Helper()
		if have := db.Dump(); strings.Join(have["users"], "|") != strings.Join(before["users"], "|") || len(have) != len(before) {
			t.Errorf("%s has left something: %q", what, have)
		}
		if err := db.Check(); err != nil {
			t.Error(err)
		}
	}
	faults := refused(t, insert2(M{"name": "Cy", "age": 20}, M{"age": 3}), engine.CodeSchema, `insert users/3: age: must be at least 18, is 3; name: is required`)
	if len(faults) != 2 || faults[1] != (schema.Fault{Path: "name", Keyword: "required", Message: "is required"}) {
		t.Errorf("faults %v", faults)
	}
	same("insert")
	_, err := db.Insert("users", encode(t, M{"_id": "b", "name": "Bo", "age": "x"}), true)
	refused(t, err, engine.CodeSchema, `upsert users/b: age: must be a whole number, is "x"`)
	same("upsert")
	_, err = db.Update("users", encode(t, M{"$inc": M{"age": -20}}), where(t, "age > 0"))
	refused(t, err, engine.CodeSchema, `update users/1: age: must be at least 18, is 16`)
	same("update")
	_, err = db.Update("users", encode(t, M{"$unset": M{"name": 1}}), nil)
	refused(t, err, engine.CodeSchema, `update users/1: name: is required`)
	same("update of the first")
	_, err = db.UpdateEach("users", encode(t, []any{[]any{1, M{"age": 40}}, []any{"b", M{"age": 1}}}), 0)
	refused(t, err, engine.CodeSchema, `update users/b: age: must be at least 18, is 1`)
	same("updateEach")
}

// TestSchema_handedOver: the schemas that a schema refers to are kept with it, wherever
// the database goes.
func TestSchema_handedOver(t *testing.T) {
	name := encode(t, M{"$id": "https://x.org/name", "minLength": 2})
	source := encode(t, M{"properties": M{"name": M{"$ref": "https://x.org/name"}}})
	with := engine.SchemaOptions{Schemas: [][]byte{name}}
	db := newDB(t, engine.Options{})
	refused(t, db.CreateCollectionWith("users", source, engine.SchemaOptions{}), engine.CodeInvalid, `createCollection users: properties.name.$ref leads to "https://x.org/name", which is not there`)
	given := bytes.Clone(name)
	if err := db.CreateCollectionWith("users", source, engine.SchemaOptions{Schemas: [][]byte{given}}); err != nil {
		t.Fatal(err)
	}
	clear(given) // it is the caller's
	if err := db.CreateCollectionWith("users", source, with); err != nil {
		t.Error(err)
	}
	refused(t, db.CreateCollectionWith("users", source, engine.SchemaOptions{Schemas: [][]byte{encode(t, M{"$id": "https://x.org/name"})}}), engine.CodeInvalid, "another schema")
	check := func(what string, db *engine.DB) {
		t.Helper()
		_, err := db.Insert("users", encode(t, M{"name": "A"}), false)
		refused(t, err, engine.CodeSchema, "name: must have at least 2 characters, has 1")
		if _, o, err := db.Schema("users"); err != nil || len(o.Schemas) != 1 || !bytes.Equal(o.Schemas[0], name) {
			t.Errorf("%s has the options %v: %v", what, o, err)
		}
		if err := db.Check(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	check("the database", db)
	batch := join(db.Cut(0))
	db.Confirm()
	replica, fresh := newDB(t, engine.Options{}), newDB(t, engine.Options{})
	if err := replica.Apply(batch); err != nil {
		t.Fatal(err)
	}
	check("the replica", replica)
	replica.Rollback()
	if err := fresh.Apply(join(replica.Snapshot())); err != nil {
		t.Fatal(err)
	}
	check("the snapshot", fresh)
	refused(t, db.SetSchema("users", source, engine.SchemaOptions{}, nil), engine.CodeInvalid, "setSchema users: properties.name.$ref leads to")
	if unfit, err := db.Unfit("users", source, with); err != nil || unfit.Len() != 0 {
		t.Errorf("%v, %v", unfit, err)
	}
	if err := db.SetSchema("users", nil, engine.SchemaOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, o, err := db.Schema("users"); err != nil || o.Schemas != nil {
		t.Errorf("without a schema, the options are %v: %v", o, err)
	}
	db.Rollback()
	check("the database after a rollback", db)
}

// TestSchema_replay: what is stored is not checked again, and declares the schema.
func TestSchema_replay(t *testing.T) {
	db, replica := newDB(t, engine.Options{}), newDB(t, engine.Options{})
	createWith(t, db, "users", adults, engine.SchemaOptions{Defaults: true})
	batch := join(db.Cut(0))
	db.Confirm()
	if err := replica.Apply(batch); err != nil {
		t.Fatal(err)
	}
	_, err := replica.Insert("users", encode(t, M{"age": 3}), false)
	refused(t, err, engine.CodeSchema, "age")
	replica.Rollback()
	source, options, err := replica.Schema("users")
	if err != nil || string(source) != string(encode(t, adults)) || !options.Defaults || options.Lenient {
		t.Errorf("the replica has %q, %v, %v", source, options, err)
	}
	fresh := newDB(t, engine.Options{})
	if err := fresh.Apply(join(db.Snapshot())); err != nil {
		t.Fatal(err)
	}
	if source, _, _ := fresh.Schema("users"); string(source) != string(encode(t, adults)) {
		t.Errorf("the snapshot has the schema %q", source)
	}
	// Of a later version: keywords that this one does not know, and what it cannot read.
	for later, code := range map[string]engine.Code{`minimumOf`: "", `pattern`: engine.CodeUnsupported} {
		doc := encode(t, M{"_id": "users", "schema": M{later: "(?=a)"}, "schemaOptions": M{"strict": false}})
		payload := append(append([]byte{1, 8}, "_catalog"...), 2, 1, byte(len(doc)))
		if err := replica.Apply(append(payload, doc...)); err != nil {
			t.Fatal(err)
		}
		if _, err := replica.Insert("users", encode(t, M{"age": 3}), false); engine.CodeOf(err) != code && (err != nil || code != "") {
			t.Errorf("%s: %v", later, err)
		}
		replica.Rollback()
	}
}

// TestSchema_undo: a rollback, a savepoint and a failed call take the schema with them.
func TestSchema_undo(t *testing.T) {
	db := newDB(t, engine.Options{})
	has := func(want bool, when string) {
		t.Helper()
		source, _, err := db.Schema("users")
		_, insertErr := db.Insert("users", encode(t, M{"_id": "probe"}), true)
		if (source != nil) != want || (insertErr != nil) != want || err != nil {
			t.Errorf("%s: schema %q, insert %v", when, source, insertErr)
		}
	}
	createWith(t, db, "users", adults, engine.SchemaOptions{})
	has(true, "created")
	db.Rollback()
	has(false, "rolled back")
	db.Rollback()

	createWith(t, db, "users", adults, engine.SchemaOptions{})
	db.Cut(0)
	db.Confirm()
	db.Savepoint()
	if err := db.SetSchema("users", nil, engine.SchemaOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	has(false, "removed")
	if err := db.SuspendSavepoint(); err != nil {
		t.Fatal(err)
	}
	if source, _, _ := db.Schema("users"); source == nil {
		t.Error("suspended, but the schema is gone")
	}
	if err := db.ResumeSavepoint(); err != nil {
		t.Fatal(err)
	}
	has(false, "resumed")
	if err := db.RollbackToSavepoint(); err != nil {
		t.Fatal(err)
	}
	has(true, "rolled back to the savepoint")
	if err := db.DropCollection("users"); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateCollection("users"); err != nil {
		t.Fatal(err)
	}
	has(false, "dropped and created")
	db.Rollback()
	has(true, "the drop is undone")
	if err := db.Clear("users"); err != nil {
		t.Fatal(err)
	}
	has(true, "cleared")
	if err := db.CreateIndex("users", []string{"age"}, engine.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	has(true, "indexed")
}

func TestSchema_create(t *testing.T) {
	db := newDB(t, engine.Options{})
	source := encode(t, adults)
	refused(t, db.CreateCollectionWith("users", encode(t, M{"requird": []any{}}), engine.SchemaOptions{}), engine.CodeInvalid, "createCollection users: requird is no keyword of JSON Schema")
	if len(db.Collections()) > 0 {
		t.Error("a refused schema has made a collection")
	}
	createWith(t, db, "users", M{"requird": []any{}}, engine.SchemaOptions{Lenient: true})
	refused(t, db.CreateCollectionWith("users", source, engine.SchemaOptions{}), engine.CodeInvalid, "the collection has another schema; setSchema changes it")
	createWith(t, db, "users", M{"requird": []any{}}, engine.SchemaOptions{Lenient: true})
	if err := db.CreateCollection("users"); err != nil {
		t.Error(err)
	}
	refused(t, db.SetSchema("nobody", source, engine.SchemaOptions{}, nil), engine.CodeNotFound, "no collection")
	refused(t, db.CreateCollectionWith("_users", source, engine.SchemaOptions{}), engine.CodeInvalid, "reserved")
	// One that has documents, but no schema.
	insert(t, db, M{"name": "Ada"}, M{"age": 5})
	refused(t, db.CreateCollectionWith("users", source, engine.SchemaOptions{}), engine.CodeInvalid, "another schema")
}

// TestSetSchema: documents that do not fit are named, or mended in the same step.
func TestSetSchema(t *testing.T) {
	db := newDB(t, engine.Options{})
	var all []byte
	for i := range 15 {
		all = append(all, encode(t, M{"_id": i, "age": i + 10, "label": "x"})...)
	}
	if _, err := db.Insert("users", all, false); err != nil {
		t.Fatal(err)
	}
	db.Cut(0)
	db.Confirm()
	source := encode(t, M{"properties": M{"age": M{"minimum": 18}}})
	none := engine.SchemaOptions{}
	faults := refused(t, db.SetSchema("users", source, none, nil), engine.CodeSchema, "setSchema users: 8 documents do not fit: 0, 1, 2, 3, 4, 5, 6, 7; age: document 0: must be at least 18, is 10; ")
	if len(faults) != 8 {
		t.Errorf("%d faults", len(faults))
	}
	if s, _, _ := db.Schema("users"); s != nil || db.HasChanges() {
		t.Error("a refused schema is there")
	}
	refused(t, db.SetSchema("users", source, none, encode(t, M{"$inc": M{"age": 5}})), engine.CodeSchema, "update users/0: age: must be at least 18, is 15")
	refused(t, db.SetSchema("users", source, none, encode(t, M{"label": "x"})), engine.CodeSchema, "setSchema users/0: age")
	refused(t, db.SetSchema("users", source, none, encode(t, M{"$wrong": 1})), engine.CodeInvalid, "$wrong")
	if db.HasChanges() {
		t.Error("what was refused has changed something")
	}
	unfit, err := db.Unfit("users", source, none)
	if err != nil || unfit.Len() != 8 {
		t.Errorf("%v do not fit: %v", unfit.Len(), err)
	}
	if err := db.SetSchema("users", source, none, encode(t, M{"age": 18})); err != nil {
		t.Fatal(err)
	}
	if n, _ := db.Count("users", where(t, "age = 18"), -1); n != 9 {
		t.Errorf("%d documents are mended or were so", n)
	}
	db.Rollback()
	pairs := []any{}
	for i := range 8 {
		pairs = append(pairs, []any{i, M{"age": 30 + i}})
	}
	refused(t, db.SetSchema("users", source, none, encode(t, pairs[1:])), engine.CodeSchema, "a document does not fit: 0; age: document 0")
	if err := db.SetSchema("users", source, none, encode(t, pairs)); err != nil {
		t.Fatal(err)
	}
	if n, _ := db.Count("users", where(t, "age >= 30"), -1); n != 8 {
		t.Errorf("%d documents are mended", n)
	}
	if err := db.Check(); err != nil {
		t.Error(err)
	}
}

func TestSchema_defaults(t *testing.T) {
	db := newDB(t, engine.Options{MaxDepth: 4})
	createWith(t, db, "users", M{"properties": M{"role": M{"default": "user", "type": "string"}, "_id": M{"default": "x"}}}, engine.SchemaOptions{Defaults: true})
	if _, err := db.Insert("users", append(encode(t, M{"a": 1}), encode(t, M{"_id": 7, "role": "admin"})...), false); err != nil {
		t.Fatal(err)
	}
	if n, _ := db.Count("users", where(t, "_id = 'x' and role = 'user' or _id = 7 and role = 'admin'"), -1); n != 2 {
		t.Errorf("%q", db.Dump()["users"])
	}
	createWith(t, db, "deep", M{"properties": M{"a": M{"default": []any{[]any{[]any{[]any{1}}}}}}}, engine.SchemaOptions{Defaults: true})
	_, err := db.Insert("deep", encode(t, M{}), false)
	refused(t, err, engine.CodeInvalid, "nested too deep")
}
