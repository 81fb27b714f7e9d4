package engine_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// withUnique returns a DB of documents with n: 1, 2 and 3, which is unique.
func withUnique(t *testing.T) *engine.DB {
	t.Helper()
	db := newDB(t, engine.Options{})
	insert(t, db, M{"n": 1}, M{"n": 2}, M{"n": 3})
	if err := db.CreateIndex("users", []string{"n"}, engine.IndexOptions{Unique: true}); err != nil {
		t.Fatal(err)
	}
	return db
}

// TestUnique_statement: a unique index holds for the state after a statement,
// whatever the order in which its documents change.
func TestUnique_statement(t *testing.T) {
	update := func(change M, condition string) func(*testing.T, *engine.DB) error {
		return func(t *testing.T, db *engine.DB) error {
			_, err := db.Update("users", encode(t, change), where(t, condition))
			return err
		}
	}
	each := func(pairs ...any) func(*testing.T, *engine.DB) error {
		return func(t *testing.T, db *engine.DB) error {
			_, err := db.UpdateEach("users", encode(t, pairs), 0)
			return err
		}
	}
	upsert := func(docs ...any) func(*testing.T, *engine.DB) error {
		return func(t *testing.T, db *engine.DB) error {
			var all []byte
			for _, d := range docs {
				all = append(all, encode(t, d)...)
			}
			_, err := db.Insert("users", all, true)
			return err
		}
	}
	for _, tt := range []struct {
		name  string
		write func(*testing.T, *engine.DB) error
		now   []any // nil: refused
	}{
		{"all upwards", update(M{"$inc": M{"n": 1}}, "true"), []any{2, 3, 4}},
		{"all downwards", update(M{"$inc": M{"n": -1}}, "true"), []any{0, 1, 2}},
		{"to one value", update(M{"n": 9}, "true"), nil},
		{"onto another", update(M{"$inc": M{"n": 1}}, "n = 1"), nil},
		{"an exchange", each([]any{1, M{"n": 2}}, []any{2, M{"n": 1}}), []any{2, 1, 3}},
		{"around", each([]any{1, M{"n": 2}}, []any{2, M{"n": 3}}, []any{3, M{"n": 1}}), []any{2, 3, 1}},
		{"onto another and away", each([]any{1, M{"n": 2}}, []any{1, M{"n": 7}}), []any{7, 2, 3}},
		{"half an exchange", each([]any{1, M{"n": 2}}, []any{2, M{"n": 3}}), nil},
		{"an exchange by upsert", upsert(M{"_id": 1, "n": 2}, M{"_id": 2, "n": 1}), []any{2, 1, 3}},
		{"a new document in place of another", upsert(M{"_id": 9, "n": 1}, M{"_id": 1, "n": 5}), []any{5, 2, 3, 1}},
		{"a new document beside its like", upsert(M{"_id": 9, "n": 1}), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, inSavepoint := range []bool{false, true} {
				db := withUnique(t)
				before := db.Dump()
				if inSavepoint {
					db.Savepoint()
				}
				err := tt.write(t, db)
				if inSavepoint {
					if err != nil {
						t.Fatalf("refused before the end of the savepoint: %v", err)
					}
					if err = db.ReleaseSavepoint(); err != nil {
						if !db.HasSavepoint() {
							t.Fatal("a savepoint that cannot be released is gone")
						}
						if err := db.RollbackToSavepoint(); err != nil {
							t.Fatal(err)
						}
					}
				}
				if tt.now == nil {
					if !errors.Is(err, engine.CodeUnique) || !strings.Contains(err.Error(), "the unique index on n has these values already, in document") {
						t.Errorf("error %v, want unique", err)
					}
					if !reflect.DeepEqual(db.Dump(), before) {
						t.Error("a refused write left something behind")
					}
				} else if err != nil {
					t.Error(err)
				} else if got := values(t, db, "n"); !reflect.DeepEqual(got, decode(t, encode(t, tt.now))[0]) {
					t.Errorf("now %v, want %v", got, tt.now)
				}
				if err := db.Check(); err != nil {
					t.Error(err)
				}
				if _, err := db.Insert("users", encode(t, M{"n": 100}), false); err != nil {
					t.Errorf("an old doubt forbids another document: %v", err)
				}
			}
		})
	}
}

// TestUnique_savepoint: what was in doubt before an inner savepoint is in doubt
// when the savepoint is undone, though it was none in between.
func TestUnique_savepoint(t *testing.T) {
	db := withUnique(t)
	db.Savepoint()
	update := func(id int, change M) {
		t.Helper()
		if _, err := db.UpdateEach("users", encode(t, []any{[]any{id, change}}), 0); err != nil {
			t.Fatal(err)
		}
	}
	update(1, M{"n": 2})
	db.Savepoint()
	update(2, M{"n": 1})
	if err := db.RollbackToSavepoint(); err != nil {
		t.Fatal(err)
	}
	if err := db.ReleaseSavepoint(); !errors.Is(err, engine.CodeUnique) {
		t.Fatalf("released with two documents of one value: %v", err)
	}
	update(1, M{"n": 8})
	if err := db.ReleaseSavepoint(); err != nil {
		t.Fatal(err)
	}

	// An insert is refused at once, so that its caller can go on with another.
	db.Savepoint()
	if _, err := db.Insert("users", encode(t, M{"n": 8}), false); !errors.Is(err, engine.CodeUnique) {
		t.Errorf("inserted beside its like: %v", err)
	}
	// A document in doubt may go, with its collection or its index.
	update(1, M{"n": 2})
	if err := db.DropIndex("users", []string{"n"}); err != nil {
		t.Fatal(err)
	}
	if err := db.ReleaseSavepoint(); err != nil {
		t.Error(err)
	}
	for _, gone := range []func(*engine.DB) error{
		func(db *engine.DB) error { return db.Clear("users") },
		func(db *engine.DB) error { return db.DropCollection("users") },
		func(db *engine.DB) error { _, err := db.Remove("users", where(t, "_id = 1")); return err },
		func(db *engine.DB) error { _, err := db.Remove("users", where(t, "_id = 2")); return err },
	} {
		db := withUnique(t)
		db.Savepoint()
		if _, err := db.Update("users", encode(t, M{"n": 2}), where(t, "_id = 1")); err != nil {
			t.Fatal(err)
		}
		if err := gone(db); err != nil {
			t.Fatal(err)
		}
		if err := db.ReleaseSavepoint(); err != nil {
			t.Error(err)
		}
	}
}

// values returns the values of a field, in insertion order.
func values(t *testing.T, db *engine.DB, field string) (all []any) {
	t.Helper()
	for _, d := range find(t, db, engine.Query{}) {
		all = append(all, d.(map[string]any)[field])
	}
	return all
}
