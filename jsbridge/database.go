package jsbridge

import (
	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/sql"
	"github.com/atomicdb-go/atomicdb/storage"
)

// A database is one open database: a session, and what JavaScript's calls on
// it leave behind.
type database struct {
	session *storage.Session
	cursor  cursor // what more continues; nil: nothing
	broken  error  // taking back a failed call has failed: memory may be wrong

	// See version.
	last, base uint64
	seen       *engine.DB
}

// A cursor holds the documents or rows that a call has found, to be taken in
// pieces until the next write.
type cursor = sql.Rows

var _, _ cursor = (*engine.Result)(nil), (*engine.Rows)(nil)

// version numbers the states of the database: it is the same number only while
// every answer is. 0 is for a database that is not usable.
func (d *database) version() uint64 {
	if d.usable() != nil {
		return 0
	}
	// A session changes to another engine when it loads a snapshot. From all of
	// that one's states, a state before is further away than it has changes.
	db := d.session.DB()
	if db != d.seen {
		d.seen, d.base = db, d.last+1
	}
	d.last = d.base + db.Version()
	return d.last
}

// usable returns why no call can be answered, if so.
func (d *database) usable() error { return d.broken }

// attempt runs a call, and when it panics takes back what it changed. The
// caller of a write sees all of it or nothing even when AtomicDB itself is wrong.
func (d *database) attempt(c *call) (err error) {
	op, db := c.op.name, d.session.DB()
	if db.IsSuspended() {
		return engine.Fail(engine.CodeInvalid, op, "", "a savepoint is suspended: only reads are answered")
	}
	d.cursor = nil
	db.Savepoint()
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		err = panicked(op, p)
		defer func() {
			if p := recover(); p != nil {
				d.broken = engine.Fail(engine.CodeInternal, op, "",
					"a failed call could not be undone; open the database again: "+engine.PanicText(p))
				err = d.broken
			}
		}()
		if undoErr := db.RollbackToSavepoint(); undoErr != nil {
			panic(undoErr)
		}
	}()
	err = c.op.run(c)
	if endErr := db.ReleaseSavepoint(); endErr != nil {
		panic(endErr)
	}
	return err
}

// panicked is the error of an op that has panicked: always a bug of AtomicDB.
func panicked(op string, p any) error {
	return engine.Fail(engine.CodeInternal, op, "", engine.PanicText(p))
}
