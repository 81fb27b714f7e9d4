package engine

// A stretch is the calls from a Begin on, which Undo takes back as one. It is
// what a transaction is made of: while it is set aside, readers see the state
// before it, and nothing of it has to be done again by whoever asked for it.

// Begin starts a stretch of calls that Undo can take back as one. Stretches
// nest; none may be open when Cut, Confirm or Apply is called.
func (db *DB) Begin() { db.begun = append(db.begun, db.mark()) }

// Begun reports whether a stretch is open.
func (db *DB) Begun() bool { return len(db.begun) > 0 }

// End keeps what was done since the innermost Begin. It returns CodeInvalid
// if there is none, or if it is set aside.
func (db *DB) End() error {
	if err := db.needBegun("end"); err != nil {
		return err
	}
	if db.isAside {
		return fail(CodeInvalid, "end", "", "the stretch is set aside")
	}
	db.begun = db.begun[:len(db.begun)-1]
	return nil
}

// Undo takes back everything since the innermost Begin, set aside or not. It
// returns CodeInvalid if there is none.
func (db *DB) Undo() error {
	if err := db.needBegun("undo"); err != nil {
		return err
	}
	last := len(db.begun) - 1
	db.rollbackTo(db.begun[last])
	db.begun = db.begun[:last]
	db.forgetAside()
	return nil
}

// SetAside takes back everything since the innermost Begin until BringBack
// does it again. It costs about as much as the changes did and copies no
// document. Meanwhile nothing may be changed. It returns CodeInvalid if nothing
// has begun or something is set aside already.
func (db *DB) SetAside() error {
	if err := db.needBegun("setAside"); err != nil {
		return err
	}
	if db.isAside {
		return fail(CodeInvalid, "setAside", "", "it is set aside already")
	}
	mark := db.begun[len(db.begun)-1]
	db.undoTo(mark)
	db.aside = append(db.aside, db.journal[mark:]...)
	clear(db.journal[mark:])
	db.cutJournal(mark)
	db.isAside = true
	return nil
}

// IsAside reports whether a stretch is set aside.
func (db *DB) IsAside() bool { return db.isAside }

// BringBack does again what SetAside took back. It returns CodeInvalid if
// nothing is set aside, or if something has been changed since.
func (db *DB) BringBack() error {
	switch {
	case !db.isAside:
		return fail(CodeInvalid, "bringBack", "", "nothing is set aside")
	case len(db.journal) != db.begun[len(db.begun)-1]:
		return fail(CodeInvalid, "bringBack", "", "something has been changed meanwhile")
	}
	catalogChanged := false
	for i := range db.aside {
		db.changes++
		catalogChanged = catalogChanged || db.aside[i].c.name == catalogName
		db.redo(&db.aside[i])
	}
	db.history.forget(db.changes)
	db.journal = append(db.journal, db.aside...)
	db.sealed = len(db.journal)
	db.forgetAside()
	if catalogChanged {
		db.declareAll()
	}
	return nil
}

func (db *DB) forgetAside() {
	db.aside, db.isAside = nil, false
}

func (db *DB) needBegun(op string) error {
	if len(db.begun) == 0 {
		return fail(CodeInvalid, op, "", "nothing has begun")
	}
	return nil
}
