package typed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
)

// A DB is an open database. Several goroutines may use it.
type DB struct {
	session *storage.Session
	turn    chan struct{}   // has one value while a call runs
	ctx     context.Context // of the call that runs; guarded by the session's lock
	live    hub
	closed  chan struct{}
	close   func() error
}

// A Scope is where calls run: a *DB, each in a transaction of its own, or a *Tx, all
// in this transaction.
type Scope interface {
	view(ctx context.Context, op string, read func(*Tx) error) error
	update(ctx context.Context, op string, work func(*Tx) error) error
	database() *DB
}

var (
	_ Scope = (*DB)(nil)
	_ Scope = (*Tx)(nil)
)

// Open opens the database in the file at path, and makes it if there is none. Close it.
//
// Errors: corrupt, unsupported (a newer AtomicDB wrote it), storage, and what options
// return.
func Open(path string, options ...Option) (*DB, error) {
	s := settings{open: func(path string) (storage.Log, error) { return filelog.Open(path) }}
	for _, option := range options {
		option(&s)
	}
	if s.every < 0 {
		return nil, engine.Fail(engine.CodeInvalid, "open", "CatchUpEvery", "the interval is below 0")
	}
	log, err := s.open(path)
	if err != nil {
		return nil, err
	}
	if s.wrap != nil && log != nil {
		if log, err = s.wrap(log); err != nil {
			return nil, err
		}
	}
	db := &DB{turn: make(chan struct{}, 1), closed: make(chan struct{})}
	s.session.Engine.Interrupted = db.interrupted(s.session.Engine.Interrupted)
	onForeign := s.session.OnForeign
	s.session.OnForeign = func() {
		if onForeign != nil {
			onForeign()
		}
		db.live.wake()
	}
	if db.session, err = storage.Open(log, s.session); err != nil {
		return nil, err
	}
	db.close = sync.OnceValue(db.closeOnce)
	if s.every > 0 {
		go db.catchUpEvery(s.every)
	}
	return db, nil
}

// interrupted makes the engine ask the context of the call that runs.
func (db *DB) interrupted(also func(first bool) error) func(first bool) error {
	return func(first bool) error {
		if db.ctx != nil && db.ctx.Err() != nil {
			return ended(db.ctx, "call")
		}
		if also != nil {
			return also(first)
		}
		return nil
	}
}

// ended is the error of a call whose context has ended.
func ended(ctx context.Context, op string) error {
	return &engine.Error{Code: engine.CodeTimeout, Op: op, Err: context.Cause(ctx)}
}

// Close waits for the call that runs, and closes the database with its log. Live
// queries end. Closing twice is closing once; every other call returns CodeClosed then.
func (db *DB) Close() error { return db.close() }

func (db *DB) closeOnce() error {
	db.turn <- struct{}{}
	defer func() { <-db.turn }()
	close(db.closed)
	return db.session.Close()
}

// Session returns what the database is made of, for all that this package has no call
// for: verifying, migrating, changes. What is changed through it reaches live queries
// with the next change through DB.
func (db *DB) Session() *storage.Session { return db.session }

// CatchUp applies what other processes have stored.
func (db *DB) CatchUp(ctx context.Context) error {
	return db.inTurn(ctx, "catch up", db.session.CatchUp)
}

func (db *DB) catchUpEvery(interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = db.CatchUp(context.Background()) // the next call meets the same log
		case <-db.closed:
			return
		}
	}
}

// View calls read with a transaction that reads. It sees one state, whatever other
// goroutines do. View returns read's error.
func (db *DB) View(ctx context.Context, read func(*Tx) error) error {
	return db.view(ctx, "view", read)
}

// Update calls work with a transaction, and stores what it has changed as one batch.
// If work returns an error or panics, nothing has changed. While other processes are
// faster, Update calls work again, so work should do nothing that it cannot do twice;
// what Insert has written into documents is taken back before.
func (db *DB) Update(ctx context.Context, work func(*Tx) error) error {
	return db.update(ctx, "update", work)
}

func (db *DB) view(ctx context.Context, op string, read func(*Tx) error) error {
	return db.inTurn(ctx, op, func() error {
		return db.session.View(func(e *engine.DB) error {
			return db.run(ctx, &Tx{db: db, engine: e, isReadOnly: true}, op, read)
		})
	})
}

func (db *DB) update(ctx context.Context, op string, work func(*Tx) error) error {
	return db.inTurn(ctx, op, func() error {
		var tx *Tx
		isStored := false
		defer func() { // also after a panic
			if !isStored && tx != nil {
				tx.takeBack()
			}
		}()
		err := db.session.Update(func(e *engine.DB) error {
			if tx != nil {
				tx.takeBack()
			}
			tx = &Tx{db: db, engine: e}
			return db.run(ctx, tx, op, work)
		})
		if isStored = err == nil; isStored {
			db.live.wake()
		}
		return err
	})
}

// inTurn calls do while no other call runs.
func (db *DB) inTurn(ctx context.Context, op string, do func() error) error {
	if ctx.Err() != nil {
		return ended(ctx, op)
	}
	select {
	case db.turn <- struct{}{}:
	case <-ctx.Done():
		return ended(ctx, op)
	}
	defer func() { <-db.turn }()
	return do()
}

// run calls do with tx, and returns what goes beyond the engine's bounds as an error.
// The caller holds the session's lock.
func (db *DB) run(ctx context.Context, tx *Tx, op string, do func(*Tx) error) (err error) {
	if ctx.Err() != nil { // waiting for the session's lock may have taken a while
		return ended(ctx, op)
	}
	db.ctx = ctx
	defer func() {
		db.ctx, tx.engine = nil, nil
		if p := recover(); p != nil {
			if err = engine.AsError(p); err == nil {
				panic(p)
			}
		}
	}()
	return do(tx)
}

func (db *DB) database() *DB { return db }

// String says what the database is, for a debugger.
func (db *DB) String() string { return fmt.Sprintf("typed.DB at batch %d", db.session.Head()) }
