package engine_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

func filter(t *testing.T, f M) *query.Filter {
	t.Helper()
	parsed, err := query.Parse(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestUpdateWith_upsert: what an upsert adds where nothing matches.
func TestUpdateWith_upsert(t *testing.T) {
	for _, tt := range []struct {
		name          string
		where, update M
		added         M // nil: refused
		fault         string
	}{
		{name: "the equalities", where: M{"a": 1, "b.c": "x"}, update: M{"d": true}, added: M{"a": 1, "b": M{"c": "x"}, "d": true, "_id": 1}},
		{name: "of $eq and $and, not of others", where: M{"a": M{"$eq": 1}, "$and": []any{M{"b": 2}, M{"$and": []any{M{"c": 3}}}}, "$or": []any{M{"d": 1}, M{"e": 1}}, "f": M{"$gt": 1}, "$nor": []any{M{"g": 1}}},
			update: M{"$inc": M{"n": 1}}, added: M{"a": 1, "b": 2, "c": 3, "n": 1, "_id": 1}},
		{name: "the update over them", where: M{"a": 1, "b": []any{1}}, update: M{"$inc": M{"a": 5}, "$push": M{"b": 2}}, added: M{"a": 6, "b": []any{1, 2}, "_id": 1}},
		{name: "null, which finds missing fields too", where: M{"a": nil, "b": M{"$in": []any{nil, 1}}}, update: M{"c": 1}, added: M{"a": nil, "c": 1, "_id": 1}},
		{name: "a name with a dot", where: M{"a\\.b": 1}, update: M{"$inc": M{"a\\.b": 1}, "$set": M{"c.d\\.e": 2}}, added: M{"a.b": 2, "c": M{"d.e": 2}, "_id": 1}},
		{name: "$setOnInsert", where: M{"a": 1}, update: M{"$set": M{"b": 2}, "$setOnInsert": M{"c": 3}}, added: M{"a": 1, "b": 2, "c": 3, "_id": 1}},
		{name: "the _id of the condition", where: M{"_id": "x"}, update: M{"a": 1}, added: M{"_id": "x", "a": 1}},
		{name: "the _id of the update", where: M{"a": 1}, update: M{"$setOnInsert": M{"_id": "y"}}, added: M{"_id": "y", "a": 1}},
		{name: "one value twice", where: M{"$and": []any{M{"a": 1}, M{"a": 1.0}}}, update: M{}, added: M{"a": 1, "_id": 1}},
		{name: "two values", where: M{"$and": []any{M{"a": 1}, M{"a": 2}}}, update: M{}, fault: "wants two values for a"},
		{name: "a value and one inside it", where: M{"a": M{"b": 1}, "a.c": 2}, update: M{}, fault: "wants values for a and for a.c"},
		{name: "another _id", where: M{"_id": "x"}, update: M{"_id": "y"}, fault: "the _id of a document cannot change"},
		{name: "a bad _id", where: M{"_id": true}, update: M{}, fault: "_id must be a string or a safe integer"},
		{name: "a bad $setOnInsert", where: M{"a": 1}, update: M{"$setOnInsert": M{"$b": 1}}, fault: "names that begin with $ are operators"},
		{name: "what does not fit", where: M{"a": 1}, update: M{"$push": M{"a": 2}}, fault: "holds 1, not an array"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := newDB(t, engine.Options{})
			done, err := db.UpdateWith("users", encode(t, tt.update), filter(t, tt.where), engine.UpdateOptions{Upsert: true, Return: engine.ReturnAfter})
			if tt.fault != "" {
				if !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), tt.fault) || len(db.Collections()) > 0 {
					t.Errorf("%v, want invalid with %q; collections %v", err, tt.fault, db.Collections())
				}
				return
			}
			if err != nil || done.Changed != 1 || done.Added == nil {
				t.Fatalf("%+v, %v", done, err)
			}
			want := decode(t, encode(t, []any{tt.added}))[0]
			if got := decode(t, done.Documents)[0]; !reflect.DeepEqual(got, want) {
				t.Errorf("added %v, want %v", got, want)
			}
			if got := find(t, db, engine.Query{}); !reflect.DeepEqual(got, want) {
				t.Errorf("holds %v, want %v", got, want)
			}
			again, err := db.UpdateWith("users", encode(t, M{"$setOnInsert": M{"z": 1}}), filter(t, M{}), engine.UpdateOptions{Upsert: true})
			if err != nil || again.Changed != 0 || again.Added != nil {
				t.Errorf("where one matches: %+v, %v", again, err)
			}
		})
	}
}

func TestUpdateWith_currentDate(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"n": 1})
	o := engine.UpdateOptions{Now: 1_714_557_600_123}
	if _, err := db.UpdateWith("users", encode(t, M{"$currentDate": M{"at": true, "by.at": M{"$type": "date"}}}), nil, o); err != nil {
		t.Fatal(err)
	}
	doc := db.Get("users", msgpack.AppendInt(nil, 1))
	want := msgpack.AppendDate(nil, int64(o.Now))
	if at, by := msgpack.Lookup(doc, "at"), msgpack.Lookup(msgpack.Lookup(doc, "by"), "at"); !msgpack.Equal(at, want) || !msgpack.Equal(by, want) {
		t.Errorf("set %x and %x, want %v", at, by, time.UnixMilli(int64(o.Now)))
	}
}

// TestUpdateWith_first: the first in an order, and what comes back.
func TestUpdateWith_first(t *testing.T) {
	for _, tt := range []struct {
		name      string
		options   engine.UpdateOptions
		returned  []any
		changed   int
		documents []any // n afterwards
	}{
		{"all", engine.UpdateOptions{}, nil, 3, []any{12, 11, 13}},
		{"one", engine.UpdateOptions{One: true}, nil, 1, []any{12, 1, 3}},
		{"the least, as it was", engine.UpdateOptions{One: true, Sort: []engine.SortKey{{Path: query.ParsePath("n")}}, Return: engine.ReturnBefore}, []any{1}, 1, []any{2, 11, 3}},
		{"the greatest, as it is", engine.UpdateOptions{One: true, Sort: []engine.SortKey{{Path: query.ParsePath("n"), Descending: true}}, Return: engine.ReturnAfter}, []any{13}, 1, []any{2, 1, 13}},
		{"all in an order", engine.UpdateOptions{Sort: []engine.SortKey{{Path: query.ParsePath("n")}}, Return: engine.ReturnAfter}, []any{11, 12, 13}, 3, []any{12, 11, 13}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := newDB(t, engine.Options{})
			insert(t, db, M{"n": 2}, M{"n": 1}, M{"n": 3})
			done, err := db.UpdateWith("users", encode(t, M{"$inc": M{"n": 10}}), nil, tt.options)
			if err != nil || done.Changed != tt.changed {
				t.Fatalf("%+v, %v", done, err)
			}
			numbers := func(docs any) (numbers []any) {
				for _, d := range docs.([]any) {
					numbers = append(numbers, int(d.(M)["n"].(int64)))
				}
				return numbers
			}
			if got := numbers(find(t, db, engine.Query{})); !reflect.DeepEqual(got, tt.documents) {
				t.Errorf("now %v, want %v", got, tt.documents)
			}
			if tt.returned == nil {
				if done.Documents != nil {
					t.Errorf("returned %v", decode(t, done.Documents))
				}
			} else if got := numbers(decode(t, done.Documents)[0]); !reflect.DeepEqual(got, tt.returned) {
				t.Errorf("returned %v, want %v", got, tt.returned)
			}
		})
	}
}

func TestUpdateWith_replace(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"a": 1, "b": 2}, M{"a": 1})
	replace := func(doc, where M, upsert bool) (engine.Updated, error) {
		return db.UpdateWith("users", encode(t, doc), filter(t, where), engine.UpdateOptions{One: true, Replace: true, Upsert: upsert})
	}
	for _, tt := range []struct {
		doc, where M
		upsert     bool
		now        []any
	}{
		{M{"c": 3}, M{"a": 1}, false, []any{M{"_id": 1, "c": 3}, M{"_id": 2, "a": 1}}},
		{M{"c": 4, "_id": 1.0}, M{"c": 3}, false, []any{M{"_id": 1, "c": 4}, M{"_id": 2, "a": 1}}},
		{M{"d": 1}, M{"none": 1}, false, []any{M{"_id": 1, "c": 4}, M{"_id": 2, "a": 1}}},
		{M{"d": 1}, M{"none": 1, "_id": "x"}, true, []any{M{"_id": 1, "c": 4}, M{"_id": 2, "a": 1}, M{"_id": "x", "d": 1}}},
		{M{"d": 2}, M{"none": 1}, true, []any{M{"_id": 1, "c": 4}, M{"_id": 2, "a": 1}, M{"_id": "x", "d": 1}, M{"_id": 3, "d": 2}}},
	} {
		if _, err := replace(tt.doc, tt.where, tt.upsert); err != nil {
			t.Fatalf("replace %v by %v: %v", tt.where, tt.doc, err)
		}
		if got, want := find(t, db, engine.Query{}), decode(t, encode(t, tt.now))[0]; !reflect.DeepEqual(got, want) {
			t.Fatalf("replace %v by %v: now %v, want %v", tt.where, tt.doc, got, want)
		}
	}
	for fault, doc := range map[string]M{"the _id of a document cannot change": {"_id": 9}, "not operators such as $set": {"$set": M{}}} {
		if _, err := replace(doc, M{}, true); !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), fault) {
			t.Errorf("replace by %v: %v, want %q", doc, err, fault)
		}
	}
	if _, err := db.UpdateWith("users", encode(t, []any{}), nil, engine.UpdateOptions{Replace: true}); !errors.Is(err, engine.CodeInvalid) {
		t.Errorf("replace by an array: %v", err)
	}
}

// TestUpdateWith_schema: what an upsert adds and what replaces gets defaults, and must fit.
func TestUpdateWith_schema(t *testing.T) {
	db := newDB(t, engine.Options{})
	schema := encode(t, M{"properties": M{"k": M{"default": 7}, "n": M{"type": "integer"}}, "required": []any{"k"}})
	if err := db.CreateCollectionWith("users", schema, engine.SchemaOptions{Defaults: true}); err != nil {
		t.Fatal(err)
	}
	upsert := func(change M, o engine.UpdateOptions) error {
		o.Upsert = true
		_, err := db.UpdateWith("users", encode(t, change), filter(t, M{"a": 1}), o)
		return err
	}
	if err := upsert(M{"n": "x"}, engine.UpdateOptions{}); !errors.Is(err, engine.CodeSchema) {
		t.Errorf("added what does not fit: %v", err)
	}
	if err := upsert(M{"n": 1}, engine.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := upsert(M{"n": 2, "a": 1}, engine.UpdateOptions{Replace: true}); err != nil {
		t.Fatal(err)
	}
	if got, want := find(t, db, engine.Query{}), decode(t, encode(t, []any{M{"_id": 1, "n": 2, "a": 1, "k": 7}}))[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("now %v, want %v", got, want)
	}
}

// TestUpdateWith_undone: an upsert that a rollback undoes leaves nothing, and one that a unique index refuses too.
func TestUpdateWith_undone(t *testing.T) {
	db := withUnique(t)
	before := db.Dump()
	o := engine.UpdateOptions{Upsert: true}
	if _, err := db.UpdateWith("users", encode(t, M{"n": 2}), filter(t, M{"a": 1}), o); !errors.Is(err, engine.CodeUnique) {
		t.Errorf("added a value that is there: %v", err)
	}
	db.Savepoint()
	if _, err := db.UpdateWith("users", encode(t, M{"n": 9}), filter(t, M{"a": 1}), o); err != nil {
		t.Fatal(err)
	}
	if err := db.RollbackToSavepoint(); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(db.Dump(), before) {
		t.Errorf("now %v", db.Dump())
	}
}
