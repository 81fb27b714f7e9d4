package engine_test

import (
	"errors"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// TestSetAside: what is set aside is gone for readers, comes back as it was,
// and goes into the batch as if nothing had happened. TestModel does the same
// at random.
func TestSetAside(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"a": 1})
	db.Savepoint()
	insert(t, db, M{"a": 2}, M{"a": 3})
	changes := db.Version()
	if err := db.SuspendSavepoint(); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, idsOf(find(t, db, engine.Query{})), 1)
	if !db.IsSuspended() || db.Version() == changes {
		t.Error("nobody can tell that something is set aside")
	}
	if err := db.ResumeSavepoint(); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, insert(t, db, M{"a": 4}), 4)
	if err := db.ReleaseSavepoint(); err != nil {
		t.Fatal(err)
	}

	replica := newDB(t, engine.Options{})
	if err := replica.Apply(join(db.Cut())); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, idsOf(find(t, replica, engine.Query{})), 1, 2, 3, 4)
}

func TestSetAside_undone(t *testing.T) {
	for name, undo := range map[string]func(*engine.DB) error{
		"by Undo":     (*engine.DB).RollbackToSavepoint,
		"by Rollback": func(db *engine.DB) error { db.Rollback(); return nil },
	} {
		db := newDB(t, engine.Options{})
		db.Savepoint()
		insert(t, db, M{"a": 1})
		if err := db.SuspendSavepoint(); err != nil {
			t.Fatal(err)
		}
		if err := undo(db); err != nil {
			t.Fatal(name, err)
		}
		if db.IsSuspended() || db.HasSavepoint() || db.HasChanges() {
			t.Error(name, "leaves something behind")
		}
		wantIDs(t, insert(t, db, M{}), 1)
	}
}

func TestSetAside_refused(t *testing.T) {
	db := newDB(t, engine.Options{})
	wantInvalid := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, engine.CodeInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantInvalid("without Begin", db.SuspendSavepoint())
	wantInvalid("nothing to bring back", db.ResumeSavepoint())
	db.Savepoint()
	insert(t, db, M{})
	if err := db.SuspendSavepoint(); err != nil {
		t.Fatal(err)
	}
	wantInvalid("set aside twice", db.SuspendSavepoint())
	wantInvalid("ended while set aside", db.ReleaseSavepoint())
	insert(t, db, M{})
	wantInvalid("changed meanwhile", db.ResumeSavepoint())
}
