package typed

import (
	"context"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A Tx is a transaction. It is valid until the function returns that was called with
// it, and is for one goroutine at a time.
//
// A call that returns an error has changed nothing, and the transaction may go on.
type Tx struct {
	db         *DB
	engine     *engine.DB // nil: the transaction has ended
	isReadOnly bool
	taken      []func() // take back what was written into documents of the caller
}

// Engine returns the engine, for all that this package has no call for: schemas,
// relationships, aggregates. Documents that it returns are valid until the next change.
// In a View, do not change it. It is nil when the transaction has ended.
func (tx *Tx) Engine() *engine.DB { return tx.engine }

func (tx *Tx) view(ctx context.Context, op string, read func(*Tx) error) error {
	if tx.engine == nil {
		return engine.Fail(engine.CodeClosed, op, "", "the transaction has ended")
	}
	if ctx.Err() != nil {
		return ended(ctx, op)
	}
	outer := tx.db.ctx
	tx.db.ctx = ctx
	defer func() { tx.db.ctx = outer }()
	return read(tx)
}

func (tx *Tx) update(ctx context.Context, op string, work func(*Tx) error) error {
	if tx.engine != nil && tx.isReadOnly {
		return engine.Fail(engine.CodeInvalid, op, "", "the transaction only reads; use DB.Update")
	}
	return tx.view(ctx, op, work)
}

// takeBack undoes what Insert has written into documents, the latest first.
func (tx *Tx) takeBack() {
	for i := len(tx.taken) - 1; i >= 0; i-- {
		tx.taken[i]()
	}
	tx.taken = nil
}

func (tx *Tx) database() *DB { return tx.db }
