package jsbridge

import (
	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/sql"
	"github.com/atomicdb-go/atomicdb/storage"
)

// A database is one open database: a session, and the state between JavaScript's
// calls on it.
type database struct {
	session *storage.Session
	cursor  cursor // the rows that the op more returns; may be nil
	broken  error  // set when a failed call could not be undone, so the engine's state is unknown

	// The feeds that JavaScript has opened, by number.
	feeds    map[int]*storage.Feed
	lastFeed int

	// See version.
	last, base uint64
	seen       *engine.DB
}

// A cursor holds the documents or rows that a call has found. JavaScript takes
// them in pieces, until the next write.
type cursor = sql.Rows

var _, _, _ cursor = (*engine.Result)(nil), (*engine.Rows)(nil), (*engine.Matching)(nil)

// version returns the number of the database's state: while it is the same, every
// result is the same. It is 0 if the database is not usable.
func (d *database) version() uint64 {
	if d.usable() != nil {
		return 0
	}
	// A session has another engine after it has read a snapshot. The versions of the
	// new one start after all versions of the old one, so no result of before looks
	// valid.
	db := d.session.DB()
	if db != d.seen {
		d.seen, d.base = db, d.last+1
	}
	d.last = d.base + db.Version()
	return d.last
}

// usable returns an error if the database cannot run calls.
func (d *database) usable() error { return d.broken }

// attempt runs a call, and undoes its changes if it panics. So a write is done as
// a whole or not at all, even if AtomicDB has a bug.
func (d *database) attempt(c *call) (err error) {
	op, db := c.op.name, d.session.DB()
	if db.IsSuspended() {
		return engine.Fail(engine.CodeInvalid, op, "", "a savepoint is suspended, so nothing can be written")
	}
	if err := d.session.CheckVersion(op); err != nil {
		return err
	}
	d.cursor = nil
	before := db.Mark()
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
		db.UndoTo(before)
	}()
	return c.op.run(c)
}

// panicked returns the error of an op that has panicked, which is a bug of AtomicDB.
// One that a bound made is none.
func panicked(op string, p any) error {
	if err := engine.AsError(p); err != nil {
		return err
	}
	return engine.Fail(engine.CodeInternal, op, "", engine.PanicText(p))
}
