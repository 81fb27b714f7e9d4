package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// undone commits work, and returns its changes.
func undone(t *testing.T, db *engine.DB, work func()) (changes []engine.DocumentChange) {
	t.Helper()
	work()
	db.Cut(0)
	db.CutChanges(func(d engine.DocumentChange) { changes = append(changes, d) })
	db.Confirm()
	var b []byte
	for i := range changes {
		b = changes[i].AppendTo(b)
	}
	changes, err := engine.ReadChanges("undo", b)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func change(t *testing.T, db *engine.DB, change M) {
	t.Helper()
	_, err := db.Update("users", encode(t, change), nil)
	succeed(t, err)
}

func remove(t *testing.T, db *engine.DB, condition string) {
	t.Helper()
	_, err := db.Remove("users", where(t, condition))
	succeed(t, err)
}

func succeed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// documents returns all documents as text, in insertion order.
func documents(t *testing.T, db *engine.DB) string {
	t.Helper()
	return strings.Trim(fmt.Sprint(find(t, db, engine.Query{})), "[]")
}

// TestRevert: what is undone is as it was, and undoing that is doing it again.
func TestRevert(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"_id": "a", "n": 1}, M{"_id": "b", "n": 2}, M{"_id": "c", "n": 3})
	if err := db.CreateIndex("users", []string{"n"}, engine.IndexOptions{Unique: true}); err != nil {
		t.Fatal(err)
	}
	db.Cut(0)
	db.Confirm()
	before := documents(t, db)
	for name, work := range map[string]func(){
		"insert":        func() { insert(t, db, M{"_id": "d", "n": 4}) },
		"update":        func() { change(t, db, M{"m": 1}) },
		"move":          func() { change(t, db, M{"$inc": M{"n": 1}}) },
		"twice":         func() { change(t, db, M{"m": 1}); change(t, db, M{"m": 2}) },
		"there and off": func() { insert(t, db, M{"_id": "d", "n": 4}); remove(t, db, "_id = 'd'") },
		"clear":         func() { succeed(t, db.Clear("users")) },
		"take its value": func() {
			remove(t, db, "_id = 'c'")
			insert(t, db, M{"_id": "d", "n": 3})
		},
	} {
		changes := undone(t, db, work)
		after := documents(t, db)
		var redo []engine.DocumentChange
		redo = undone(t, db, func() {
			if _, err := db.Revert("undo", changes); err != nil {
				t.Fatal(name, err)
			}
		})
		if now := documents(t, db); now != before {
			t.Errorf("%s: undone it is %s, want %s", name, now, before)
		}
		if _, err := db.Revert("redo", redo); err != nil {
			t.Fatal(name, err)
		}
		if now := documents(t, db); now != after {
			t.Errorf("%s: done again it is %s, want %s", name, now, after)
		}
		db.Rollback()
		if err := db.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestRevert_refuses(t *testing.T) {
	db := newDB(t, engine.Options{})
	changes := undone(t, db, func() {
		for _, id := range strings.Split("abcdefg", "") {
			insert(t, db, M{"_id": id, "n": 1})
		}
	})
	change(t, db, M{"n": 2})
	before := documents(t, db)
	if _, err := db.Revert("undo", changes); !errors.Is(err, engine.CodeConflict) || !strings.Contains(err.Error(), "users/a, users/b, users/c, users/d, users/e and 2 more") {
		t.Error(err)
	}
	if now := documents(t, db); now != before {
		t.Errorf("it is %s, want %s", now, before)
	}

	removed := undone(t, db, func() { succeed(t, db.Clear("users")) })
	succeed(t, db.CreateIndex("users", []string{"n"}, engine.IndexOptions{Unique: true}))
	if _, err := db.Revert("undo", removed); !errors.Is(err, engine.CodeUnique) {
		t.Error(err)
	}
	if now := documents(t, db); now != "" {
		t.Errorf("it is %s", now)
	}
	for _, bad := range []any{1, []any{"users", 0, "a", nil, nil}, []any{"_catalog", 0, "a", M{"_id": "a"}, nil}, []any{"users", 0, "a", M{"_id": "b"}, nil}, []any{"users", 0, "a", M{"n": 1}, nil}} {
		if _, err := engine.ReadChanges("undo", encode(t, bad)); !errors.Is(err, engine.CodeInvalid) {
			t.Error(bad, err)
		}
	}
}
