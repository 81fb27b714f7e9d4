package engine_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

func TestInsert_refuses(t *testing.T) {
	deep := any(1)
	for range 5 {
		deep = []any{deep}
	}
	for _, tt := range []struct {
		name       string
		collection string
		docs       []byte
		code       engine.Code
		words      string
	}{
		{"an id that exists", "users", encode(t, M{"_id": 1}), engine.CodeDuplicateID, "insert users/1"},
		{"an id twice", "users", append(encode(t, M{"_id": "x"}), encode(t, M{"_id": "x"})...), engine.CodeDuplicateID, "users/x"},
		{"a fraction as id", "users", encode(t, M{"_id": 1.5}), engine.CodeInvalid, "_id must be a string or a safe integer, not 1.5"},
		{"an unsafe integer as id", "users", encode(t, M{"_id": int64(1 << 53)}), engine.CodeInvalid, "not 9007199254740992"},
		{"null as id", "users", encode(t, M{"_id": nil}), engine.CodeInvalid, "not null"},
		{"an array", "users", encode(t, []any{1}), engine.CodeInvalid, "a document must be an object"},
		{"half a document", "users", encode(t, M{"a": "xyz"})[:4], engine.CodeInvalid, "ends in the middle"},
		{"a document too large", "users", encode(t, M{"a": strings.Repeat("x", 1000)}), engine.CodeInvalid, "the limit is 1000"},
		{"a document too deep", "users", encode(t, M{"a": deep}), engine.CodeInvalid, "the limit is 5 levels"},
		{"a second document too large", "users", append(encode(t, M{"a": 1}), encode(t, M{"a": strings.Repeat("x", 1000)})...), engine.CodeInvalid, "1000"},
		{"no name", "", encode(t, M{}), engine.CodeInvalid, "the name is empty"},
		{"a reserved name", "_catalog", encode(t, M{}), engine.CodeInvalid, "reserved"},
		{"a long name", strings.Repeat("n", 256), encode(t, M{}), engine.CodeInvalid, "255"},
		{"a name that is no text", "a\xff", encode(t, M{}), engine.CodeInvalid, "Unicode"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := newDB(t, engine.Options{MaxDepth: 5, MaxDocumentBytes: 1000})
			insert(t, db, M{"a": 1})
			before := db.Dump()
			_, err := db.Insert(tt.collection, tt.docs, false)
			if !errors.Is(err, tt.code) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("error %v, want %s with %q", err, tt.code, tt.words)
			}
			if !reflect.DeepEqual(db.Dump(), before) {
				t.Error("a part of it was stored")
			}
		})
	}
}

func TestInsert_ids(t *testing.T) {
	db := newDB(t, engine.Options{})
	wantIDs(t, insert(t, db, M{"a": 1}, M{"_id": 10}, M{"a": 2}, M{"_id": "x"}, M{"_id": -3}, M{"a": 3}), 1, 10, 11, "x", -3, 12)
	if _, err := db.Remove("users", where(t, "_id = 12")); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, insert(t, db, M{}), 13) // an id is never given twice
	if err := db.Clear("users"); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, insert(t, db, M{}), 14)
	docs := find(t, db, engine.Query{})
	if len(docs) != 1 {
		t.Fatal(docs)
	}
	insert(t, db, M{"_id": 1<<53 - 1})
	if _, err := db.Insert("users", encode(t, M{}), false); !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), "used up") {
		t.Errorf("after the last id: %v", err)
	}
}

// TestInsert_idFirst: a stored document starts with its _id, wherever it was
// written and however its name was encoded.
func TestInsert_idFirst(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"a": 1, "_id": "x", "Z": 2}) // sorted: Z, _id, a
	longName := append([]byte{0x81, 0xd9, 3}, "_id\x07"...)
	if _, err := db.Insert("users", longName, false); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, idsOf(find(t, db, engine.Query{})), "x", 7)
	if got, want := decode(t, db.Get("users", encode(t, "x")))[0], decode(t, encode(t, M{"_id": "x", "a": 1, "Z": 2}))[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("stored %v, want %v", got, want)
	}
}

func TestUpsert(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"a": 1}, M{"a": 2}, M{"a": 3})
	ids, err := db.Insert("users", append(encode(t, M{"_id": 2, "b": 9}), encode(t, M{"_id": "new"})...), true)
	if err != nil {
		t.Fatal(err)
	}
	wantIDs(t, decode(t, ids)[0].([]any), 2, "new")
	want := decode(t, encode(t, []any{M{"_id": 1, "a": 1}, M{"_id": 2, "b": 9}, M{"_id": 3, "a": 3}, M{"_id": "new"}}))[0]
	if got := find(t, db, engine.Query{}); !reflect.DeepEqual(got, want) {
		t.Errorf("now %v, want %v", got, want)
	}
	if _, err := db.Insert("users", encode(t, M{"b": 9}), true); !errors.Is(err, engine.CodeInvalid) {
		t.Errorf("upsert without _id: %v", err)
	}
}

func TestUnique(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"mail": "a"}, M{"mail": "b"}, M{}, M{"other": 1})
	if err := db.CreateIndex("users", []string{"mail"}, engine.IndexOptions{Unique: true}); err != nil {
		t.Fatal(err)
	}
	before := db.Dump()
	for name, write := range map[string]func() error{
		"insert": func() error { _, err := db.Insert("users", encode(t, M{"mail": "a"}), false); return err },
		"insert twice": func() error {
			_, err := db.Insert("users", append(encode(t, M{"mail": "c"}), encode(t, M{"mail": "c"})...), false)
			return err
		},
		"upsert":  func() error { _, err := db.Insert("users", encode(t, M{"_id": 1, "mail": "b"}), true); return err },
		"update":  func() error { _, err := db.Update("users", encode(t, M{"mail": "z"}), nil); return err },
		"element": func() error { _, err := db.Insert("users", encode(t, M{"mail": []any{"q", "b"}}), false); return err },
	} {
		if err := write(); !errors.Is(err, engine.CodeUnique) || !strings.Contains(err.Error(), "mail") {
			t.Errorf("%s: %v, want unique that names the path", name, err)
		}
		if !reflect.DeepEqual(db.Dump(), before) {
			t.Errorf("%s: a part of it was stored", name)
		}
	}
	if _, err := db.Update("users", encode(t, M{"mail": "a", "more": 1}), where(t, "mail = 'a'")); err != nil {
		t.Errorf("a document may keep its own value: %v", err)
	}
	insert(t, db, M{"name": "no mail"}) // lacking the path is no conflict
	if err := db.CreateIndex("users", []string{"more"}, engine.IndexOptions{Unique: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Update("users", encode(t, M{"x": 1}), nil); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateIndex("users", []string{"x"}, engine.IndexOptions{Unique: true}); !errors.Is(err, engine.CodeUnique) {
		t.Errorf("unique index over equal values: %v", err)
	}
}

func TestCreateIndex_refuses(t *testing.T) {
	db := newDB(t, engine.Options{})
	if err := db.CreateIndex("users", []string{"a"}, engine.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateIndex("users", []string{"a"}, engine.IndexOptions{}); err != nil {
		t.Errorf("the same again: %v", err)
	}
	for name, paths := range map[string][]string{"no path": {}, "an empty path": {"b", ""}, "a path twice": {"b", "b"}, "too many": strings.Split(strings.Repeat("p ", 17), " ")[:17]} {
		if err := db.CreateIndex("users", paths, engine.IndexOptions{}); !errors.Is(err, engine.CodeInvalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	if err := db.CreateIndex("users", []string{"a"}, engine.IndexOptions{Unique: true}); !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), "other options") {
		t.Errorf("other options: %v", err)
	}
	if err := db.DropIndex("users", []string{"b"}); !errors.Is(err, engine.CodeNotFound) {
		t.Errorf("drop of none: %v", err)
	}
}

func TestCollections(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{})
	if err := db.CreateCollection("empty"); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateIndex("indexed", []string{"a"}, engine.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := db.Collections(); !reflect.DeepEqual(got, []string{"empty", "indexed", "users"}) {
		t.Errorf("Collections() = %v", got)
	}
	if err := db.DropCollection("indexed"); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateCollection("indexed"); err != nil {
		t.Fatal(err)
	}
	if err := db.DropIndex("indexed", []string{"a"}); !errors.Is(err, engine.CodeNotFound) {
		t.Errorf("the index outlived its collection: %v", err)
	}
	if err := db.DropCollection("never"); err != nil {
		t.Errorf("dropping what is not there: %v", err)
	}
	// Reading, updating and removing create nothing.
	_, _ = db.Update("none", encode(t, M{"a": 1}), nil)
	_, _ = db.Remove("none", nil)
	_ = db.Clear("none")
	if got := db.Collections(); !reflect.DeepEqual(got, []string{"empty", "indexed", "users"}) {
		t.Errorf("Collections() = %v", got)
	}
}

// TestTidy: the memory of documents that were replaced or removed is given back.
func TestTidy(t *testing.T) {
	db := newDB(t, engine.Options{})
	for i := range 2000 {
		insert(t, db, M{"_id": i, "text": strings.Repeat("x", 500)})
	}
	if err := db.CreateIndex("users", []string{"n"}, engine.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	for round := range 20 {
		if _, err := db.Update("users", encode(t, M{"n": round}), where(t, "_id < 1000")); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Count("users", where(t, "n = 3"), 0); err != nil {
			t.Fatal(err)
		}
		db.Cut(0)
		db.Confirm()
		if err := db.Check(); err != nil {
			t.Fatal(err)
		}
	}
	if got, most := db.ArenaBytes(), 4*int(db.Size()); got > most {
		t.Errorf("holds %d bytes for %d of documents", got, db.Size())
	}
	if n, _ := db.Count("users", where(t, "n = 19"), 0); n != 1000 {
		t.Errorf("%d documents are updated, want 1000", n)
	}
}

func TestOptions_refused(t *testing.T) {
	for _, opts := range []engine.Options{{MaxDepth: -1}, {MaxDepth: 1001}, {MaxDocumentBytes: -1}, {MaxDocumentBytes: 1<<30 + 1}} {
		if _, err := engine.New(opts); !errors.Is(err, engine.CodeInvalid) {
			t.Errorf("New(%+v) = %v, want invalid", opts, err)
		}
	}
}

// TestLargeDocuments: documents larger than a chunk of the arena beside small ones.
func TestLargeDocuments(t *testing.T) {
	db := newDB(t, engine.Options{})
	for i := range 5 {
		insert(t, db, M{"n": i, "text": strings.Repeat("x", 3<<20)}, M{"n": i})
	}
	other := newDB(t, engine.Options{})
	if err := other.Apply(join(db.Snapshot())); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(other.Dump(), db.Dump()) {
		t.Error("a replica differs")
	}
	if doc := db.Get("users", msgpack.AppendInt(nil, 9)); len(doc) < 3<<20 {
		t.Errorf("document 9 has %d bytes", len(doc))
	}
}
