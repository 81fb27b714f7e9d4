package engine

// A savepoint is the state that a failed part of the work is undone to. A
// transaction is the calls between a savepoint and its release. While it is
// suspended, readers see the state before it. Resuming it runs none of its calls
// again.

// Savepoint marks the state that RollbackToSavepoint restores. Savepoints
// nest. None may be open when Cut, Confirm or Apply is called.
func (db *DB) Savepoint() { db.savepoints = append(db.savepoints, db.mark()) }

// HasSavepoint reports whether a savepoint is open.
func (db *DB) HasSavepoint() bool { return len(db.savepoints) > 0 }

// ReleaseSavepoint forgets the innermost savepoint and keeps what was done
// since. It returns CodeInvalid if there is none, or if it is suspended. If it is
// the only one, it returns CodeUnique if updates since have left two documents
// with the same values of a unique index; the savepoint is open then as before.
func (db *DB) ReleaseSavepoint() error {
	if err := db.checkSavepoint("release"); err != nil {
		return err
	}
	if db.isSuspended {
		return Fail(CodeInvalid, "release", "", "the savepoint is suspended")
	}
	if len(db.savepoints) == 1 {
		if err := db.checkDoubts(); err != nil {
			return err
		}
		db.cutDoubts(0)
	}
	db.savepoints = db.savepoints[:len(db.savepoints)-1]
	return nil
}

// RollbackToSavepoint undoes everything since the innermost savepoint,
// suspended or not, and forgets the savepoint. It returns CodeInvalid if there
// is none.
func (db *DB) RollbackToSavepoint() error {
	if err := db.checkSavepoint("rollback"); err != nil {
		return err
	}
	last := len(db.savepoints) - 1
	db.rollbackTo(db.savepoints[last])
	db.savepoints = db.savepoints[:last]
	if last == 0 {
		db.cutDoubts(0)
	}
	db.forgetSuspended()
	return nil
}

// SuspendSavepoint undoes the changes since the innermost savepoint until
// ResumeSavepoint makes them again. It takes about as long as the changes did and
// copies no document. Nothing may change in between. It returns CodeInvalid if
// there is no savepoint or one is suspended already.
func (db *DB) SuspendSavepoint() error {
	if err := db.checkSavepoint("suspend"); err != nil {
		return err
	}
	if db.isSuspended {
		return Fail(CodeInvalid, "suspend", "", "the savepoint is suspended already")
	}
	mark := db.savepoints[len(db.savepoints)-1]
	db.undoTo(mark)
	db.suspended = append(db.suspended, db.journal[mark:]...)
	clear(db.journal[mark:])
	db.cutJournal(mark)
	db.isSuspended = true
	return nil
}

// IsSuspended reports whether a savepoint is suspended.
func (db *DB) IsSuspended() bool { return db.isSuspended }

// ResumeSavepoint makes the changes again that SuspendSavepoint undid. It returns
// CodeInvalid if nothing is suspended, or if something was changed in between.
func (db *DB) ResumeSavepoint() error {
	switch {
	case !db.isSuspended:
		return Fail(CodeInvalid, "resume", "", "no savepoint is suspended")
	case len(db.journal) != db.savepoints[len(db.savepoints)-1]:
		return Fail(CodeInvalid, "resume", "", "something was changed while the savepoint was suspended")
	}
	catalogChanged := db.redoEach(db.suspended)
	db.journal = append(db.journal, db.suspended...)
	db.sealed = len(db.journal)
	db.forgetSuspended()
	if catalogChanged {
		db.declareAll()
	}
	return nil
}

// redoEach makes changes again that are undone, in their order. It reports whether the
// catalog is among what they change: then declareAll has to follow.
func (db *DB) redoEach(changes []change) (catalogChanged bool) {
	for i := range changes {
		db.version++
		catalogChanged = catalogChanged || changes[i].c.name == catalogName
		db.redo(&changes[i])
	}
	db.history.forget(db.version)
	return catalogChanged
}

func (db *DB) forgetSuspended() {
	db.suspended, db.isSuspended = nil, false
}

func (db *DB) checkSavepoint(op string) error {
	if len(db.savepoints) == 0 {
		return Fail(CodeInvalid, op, "", "there is no savepoint")
	}
	return nil
}
