package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
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

// TestRevert_model commits random batches, and walks through them by undo and redo:
// each step leads to the documents that were there.
func TestRevert_model(t *testing.T) {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: go test ./engine -run '^%s$' -seed=%d", t.Name(), s)
		}
	})
	rng := rand.New(rand.NewPCG(s, 0))
	for range 200 {
		db := newDB(t, engine.Options{})
		succeed(t, db.CreateIndex("users", []string{"n"}, engine.IndexOptions{}))
		db.Cut(0)
		db.Confirm()
		states := []string{sorted(t, db)}
		var done, undoneSteps [][]engine.DocumentChange
		for range 30 {
			switch rng.IntN(3) {
			case 0:
				if len(done) == 0 {
					continue
				}
				last := done[len(done)-1]
				done = done[:len(done)-1]
				undoneSteps = append(undoneSteps, undone(t, db, func() { revert(t, db, last) }))
			case 1:
				if len(undoneSteps) == 0 {
					continue
				}
				last := undoneSteps[len(undoneSteps)-1]
				undoneSteps = undoneSteps[:len(undoneSteps)-1]
				done = append(done, undone(t, db, func() { revert(t, db, last) }))
			default:
				changes := undone(t, db, func() {
					for range 1 + rng.IntN(4) {
						randomWork(t, db, rng)
					}
				})
				done, undoneSteps = append(done, changes), nil
				states = append(states[:len(done)], sorted(t, db))
			}
			if now := sorted(t, db); now != states[len(done)] {
				t.Fatalf("after %d steps it is %s, want %s", len(done), now, states[len(done)])
			}
		}
	}
}

func revert(t *testing.T, db *engine.DB, changes []engine.DocumentChange) {
	t.Helper()
	_, err := db.Revert("undo", changes)
	succeed(t, err)
}

// sorted returns the documents by id: what was removed comes back at the end.
func sorted(t *testing.T, db *engine.DB) string {
	t.Helper()
	return fmt.Sprint(find(t, db, engine.Query{Sort: []engine.SortKey{{Path: path("_id")}}}))
}

func randomWork(t *testing.T, db *engine.DB, rng *rand.Rand) {
	t.Helper()
	id := rng.IntN(5)
	switch rng.IntN(8) {
	case 0:
		succeed(t, db.Clear("users"))
	case 1:
		succeed(t, db.DropCollection("users"))
	case 2:
		remove(t, db, fmt.Sprint("_id >= ", id))
	case 3:
		change(t, db, M{"m": rng.IntN(3)})
	default:
		_, err := db.Insert("users", encode(t, M{"_id": id, "n": rng.IntN(3)}), true)
		succeed(t, err)
	}
}
