package engine_test

import (
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// FuzzApply: any payload is replayed or refused. A refused one changes nothing.
// After a replay, the DB passes its check and its snapshot restores it.
func FuzzApply(f *testing.F) {
	seedDB := newDB(f, engine.Options{})
	insert(f, seedDB, M{"a": 1}, M{"_id": "x", "tags": []any{"y"}})
	if err := seedDB.CreateIndex("users", []string{"tags"}, engine.IndexOptions{Unique: true}); err != nil {
		f.Fatal(err)
	}
	f.Add(join(seedDB.Snapshot()))
	if _, err := seedDB.Remove("users", where(f, "a = 1")); err != nil {
		f.Fatal(err)
	}
	if err := seedDB.Clear("users"); err != nil {
		f.Fatal(err)
	}
	if err := seedDB.DropCollection("users"); err != nil {
		f.Fatal(err)
	}
	f.Add(join(seedDB.Cut(0)))
	f.Add([]byte{1, 1, 'u', 2, 1, 6, 0x81, 0xa3, '_', 'i', 'd', 1, 6, 9})
	f.Fuzz(func(t *testing.T, payload []byte) {
		if names := engine.SalvageIDs(payload, 3); len(names) > 3 {
			t.Fatalf("salvages %q", names)
		}
		db := newDB(t, engine.Options{})
		insert(t, db, M{"a": 1}, M{"_id": "x"})
		db.Cut(0)
		db.Confirm()
		before := db.Dump()
		if err := db.Apply(payload); err != nil {
			if !errors.Is(err, engine.CodeCorrupt) && !errors.Is(err, engine.CodeUnsupported) {
				t.Fatalf("refused with %v", err)
			}
			if !reflect.DeepEqual(db.Dump(), before) {
				t.Fatal("a refused payload changed something")
			}
			return
		}
		again := newDB(t, engine.Options{})
		if err := again.Apply(join(db.Snapshot())); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(again.Dump(), db.Dump()) {
			t.Fatal("its snapshot does not restore it")
		}
	})
}

// TestApply_twice: replaying a batch again changes nothing.
func TestApply_twice(t *testing.T) {
	db, replica := newDB(t, engine.Options{}), newDB(t, engine.Options{})
	insert(t, db, M{"a": 1}, M{"a": 2})
	if _, err := db.Remove("users", where(t, "a = 1")); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Update("users", encode(t, M{"a": 3}), nil); err != nil {
		t.Fatal(err)
	}
	payload := join(db.Cut(0))
	for range 2 {
		if err := replica.Apply(payload); err != nil {
			t.Fatal(err)
		}
		if got, want := find(t, replica, engine.Query{}), find(t, db, engine.Query{}); !reflect.DeepEqual(got, want) {
			t.Fatalf("replica has %v, want %v", got, want)
		}
	}
}

// TestApply_lastID: the ids that the engine gives end with the last safe integer, after
// which the next would be 2^53. No batch may say more.
func TestApply_lastID(t *testing.T) {
	batch := func(next uint64) []byte { return binary.AppendUvarint([]byte{1, 5, 'u', 's', 'e', 'r', 's', 6}, next) }
	db := newDB(t, engine.Options{})
	if err := db.Apply(batch(1<<53 + 1)); engine.CodeOf(err) != engine.CodeCorrupt {
		t.Errorf("a next id of 2^53 + 1 gives %v, want corrupt", err)
	}
	if err := db.Apply(batch(1 << 53)); err != nil {
		t.Error(err)
	}
	if _, err := db.Insert("users", encode(t, M{}), false); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("an insert after the last id gives %v, want invalid", err)
	}
}

// TestSalvageIDs: it names all documents of a whole batch, and only some of these
// for one that was cut short.
func TestSalvageIDs(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"a": 1}, M{"_id": "x/y"}, M{"a": 3})
	if _, err := db.Remove("users", where(t, "a = 1")); err != nil {
		t.Fatal(err)
	}
	if err := db.Clear("users"); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateIndex("users", []string{"a"}, engine.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	payload, want := join(db.Cut(0)), []string{"users/1", "users/x/y", "users/2", "users/*"}
	if got := engine.SalvageIDs(payload, 100); !reflect.DeepEqual(got, want) {
		t.Errorf("it names %q, want %q", got, want)
	}
	for n := range payload {
		for i, name := range engine.SalvageIDs(payload[:n], 100) {
			if name != want[i] {
				t.Errorf("of %d bytes it names %q", n, name)
			}
		}
	}
	if got := engine.SalvageIDs(payload, 2); len(got) != 2 {
		t.Errorf("with a limit of 2 it names %q", got)
	}
}

// A later version may declare more of a collection than this one knows. It stays
// when an index is created or dropped.
func TestApply_otherDeclarations(t *testing.T) {
	db := newDB(t, engine.Options{})
	declared := encode(t, M{"_id": "users", "later": M{"a": 1}, "indexes": []any{}})
	batch := append([]byte{1, 8}, "_catalog"...)
	batch = append(batch, 2, 1, byte(len(declared)))
	if err := db.Apply(append(batch, declared...)); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateIndex("users", []string{"name"}, engine.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := db.DropIndex("users", []string{"name"}); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Count("_catalog", where(t, "later.a = 1 and indexes = []"), -1); n != 1 || err != nil {
		t.Errorf("%d documents declare what they did before, %v: %q", n, err, db.Dump()["_catalog"])
	}
}
