package typed

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A hub keeps the answers of live queries. The engine tells how all of them have
// changed at once, so whichever of them looks first tells the others.
type hub struct {
	mu      sync.Mutex
	changed chan struct{} // closed when the database has changed; nil: nobody waits

	answers map[int]*liveAnswer // by the ID of the engine's query; guarded by the session's lock
}

// A liveAnswer is the answer of one live query.
type liveAnswer struct {
	docs  [][]byte
	err   error
	isNew bool // it has not been yielded yet
	ask   func(*engine.DB) ([][]byte, error)
}

// wake wakes all live queries.
func (h *hub) wake() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changed != nil {
		close(h.changed)
		h.changed = nil
	}
}

// next returns what is closed at the next change.
func (h *hub) next() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.changed == nil {
		h.changed = make(chan struct{})
	}
	return h.changed
}

// look brings every answer up to date.
func (h *hub) look(db *engine.DB) {
	for _, update := range db.LiveChanges() {
		a := h.answers[update.Query.ID()]
		if a == nil {
			continue
		}
		a.isNew = true
		if update.Again {
			a.docs, a.err = a.ask(db)
			continue
		}
		for _, edit := range update.Edits {
			edit.Document = bytes.Clone(edit.Document)
			a.docs = edit.Apply(a.docs)
		}
	}
}

// Live yields the documents that Find returns, at once and again after each change of
// them, until the context ends or the database is closed: then the loop ends without an
// error. A loop that takes answers more slowly than they change passes over some; the
// newest comes. Changes of other processes come with CatchUp or [CatchUpEvery].
//
// Errors: those of Find, and invalid in a transaction.
func (c *Collection[T]) Live(ctx context.Context, where any, options ...FindOption) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		q, err := queryOf("live", c.name, where, options)
		db, isDB := c.scope.(*DB)
		if err == nil && !isDB {
			err = engine.Fail(engine.CodeInvalid, "live", c.name, "a transaction has no live queries; use the DB")
		}
		if err != nil {
			yield(nil, err)
			return
		}
		id, err := db.follow(ctx, c.name, q)
		if err != nil {
			if ctx.Err() == nil {
				yield(nil, err)
			}
			return
		}
		defer db.unfollow(id)
		for {
			changed := db.live.next() // before the look, so that nothing between the two is missed
			docs, isNew, err := db.look(ctx, id)
			var values []T
			if err == nil && isNew {
				values, err = decodeAll[T](c.name, docs)
			}
			switch {
			case err != nil && (ctx.Err() != nil || engine.CodeOf(err) == engine.CodeClosed):
				return
			case err != nil:
				yield(nil, err)
				return
			case isNew && !yield(values, nil):
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			case <-db.closed:
				return
			}
		}
	}
}

func decodeAll[T any](collection string, docs [][]byte) ([]T, error) {
	values := make([]T, len(docs))
	for i, b := range docs {
		if err := decode("live", nameOf(collection, b), b, &values[i]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// follow begins a live query, and returns its ID.
func (db *DB) follow(ctx context.Context, collection string, q engine.Query) (id int, err error) {
	a := &liveAnswer{isNew: true}
	a.ask = func(e *engine.DB) ([][]byte, error) {
		result, err := e.Find(collection, q)
		if err != nil {
			return nil, err
		}
		var docs [][]byte
		for len := result.Len(); len > 0; {
			var doc []byte
			doc, _, len = result.Next(nil, 1)
			docs = append(docs, doc)
		}
		return docs, nil
	}
	err = db.view(ctx, "live", func(tx *Tx) error {
		query, err := tx.engine.LiveFind(collection, q)
		if err != nil {
			return err
		}
		if a.docs, err = a.ask(tx.engine); err != nil {
			query.Close()
			return err
		}
		id = query.ID()
		if db.live.answers == nil {
			db.live.answers = map[int]*liveAnswer{}
		}
		db.live.answers[id] = a
		return nil
	})
	return id, err
}

// look returns the answer of a live query, and whether it has changed since the last
// look.
func (db *DB) look(ctx context.Context, id int) (docs [][]byte, isNew bool, err error) {
	err = db.view(ctx, "live", func(tx *Tx) error {
		db.live.look(tx.engine)
		a := db.live.answers[id]
		docs, isNew, a.isNew = slices.Clone(a.docs), a.isNew, false
		return a.err
	})
	return docs, isNew, err
}

// unfollow ends a live query.
func (db *DB) unfollow(id int) {
	_ = db.view(context.Background(), "live", func(tx *Tx) error { // a closed database has none
		if query := tx.engine.LiveQuery(id); query != nil {
			query.Close()
		}
		delete(db.live.answers, id)
		return nil
	})
}
