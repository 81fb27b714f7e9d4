package engine_test

import (
	"errors"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

func TestSavepoint(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"a": 1})
	db.Savepoint()
	insert(t, db, M{"a": 2}) // beside the first one in memory, but no part of its change
	db.Savepoint()
	insert(t, db, M{"a": 3})
	if err := db.RollbackToSavepoint(); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, idsOf(find(t, db, engine.Query{})), 1, 2)
	if err := db.RollbackToSavepoint(); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, idsOf(find(t, db, engine.Query{})), 1)
	db.Savepoint()
	wantIDs(t, insert(t, db, M{}), 2)
	if err := db.ReleaseSavepoint(); err != nil {
		t.Fatal(err)
	}
	for _, f := range []func() error{db.ReleaseSavepoint, db.RollbackToSavepoint} {
		if err := f(); !errors.Is(err, engine.CodeInvalid) {
			t.Errorf("without a savepoint: %v", err)
		}
	}
}

// TestSavepoint_suspend: suspended changes are gone for readers, come back as they
// were, and go into the batch as if nothing had happened. TestModel does the same at
// random.
func TestSavepoint_suspend(t *testing.T) {
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
		t.Error("nothing tells that a savepoint is suspended")
	}
	if err := db.ResumeSavepoint(); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, insert(t, db, M{"a": 4}), 4)
	if err := db.ReleaseSavepoint(); err != nil {
		t.Fatal(err)
	}

	replica := newDB(t, engine.Options{})
	if err := replica.Apply(join(db.Cut(0))); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, idsOf(find(t, replica, engine.Query{})), 1, 2, 3, 4)
}

func TestSavepoint_undoSuspended(t *testing.T) {
	for name, undo := range map[string]func(*engine.DB) error{
		"by RollbackToSavepoint": (*engine.DB).RollbackToSavepoint,
		"by Rollback":            func(db *engine.DB) error { db.Rollback(); return nil },
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

func TestSavepoint_refuses(t *testing.T) {
	db := newDB(t, engine.Options{})
	wantInvalid := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, engine.CodeInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	wantInvalid("without a savepoint", db.SuspendSavepoint())
	wantInvalid("nothing to resume", db.ResumeSavepoint())
	db.Savepoint()
	insert(t, db, M{})
	if err := db.SuspendSavepoint(); err != nil {
		t.Fatal(err)
	}
	wantInvalid("suspended twice", db.SuspendSavepoint())
	wantInvalid("released while suspended", db.ReleaseSavepoint())
	insert(t, db, M{})
	wantInvalid("changed while suspended", db.ResumeSavepoint())
}
