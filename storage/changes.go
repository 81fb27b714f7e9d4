package storage

import (
	"iter"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A ChangeType says what became of a document.
type ChangeType uint8

const (
	// Insert: there was no document of this id.
	Insert ChangeType = iota
	// Update: the document is another than before.
	Update
	// Remove: there is no document of this id any more.
	Remove
)

// String returns the name that JavaScript uses: "insert", "update" or "remove".
func (t ChangeType) String() string { return [...]string{"insert", "update", "remove"}[t] }

// A Change is what one batch did to one document.
//
// The changes of a batch come one after the other, in the order in which they were
// made; a document may be there several times. To clear or drop a collection is to
// remove each of its documents. Schemas, indexes and relationships are no
// documents, and so no changes.
type Change struct {
	Seq        uint64 // of the batch
	Collection string
	Type       ChangeType
	ID         []byte // MessagePack, as Document and Before; they may be kept, and must not be changed
	Document   []byte // as it is now; nil after Remove
	Before     []byte // as it was; nil before Insert

	// Local says that this session has written it. It is false in a snapshot.
	Local bool

	// Last says that the batch has no more changes. A program that notes how far it
	// has come notes Seq then, and not before: the next time it asks for the changes
	// after that number.
	Last bool
}

// ChangesOf iterates over the changes of a log after a batch, up to the end of the
// log, in the order of the log. 0 means all that the log has: the documents of its
// snapshot are then inserts of the snapshot's number. An error ends the iteration.
//
// Errors: not_found if the log has no batch of that number any more, or not yet;
// its text says which numbers it has. corrupt; what the Log returns.
//
// It keeps an engine of its own, with the state that the changes have led to, until
// the iteration ends.
func ChangesOf(log Log, since uint64) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		r := replayer{op: "changes", log: log, after: since}
		for {
			batches, err := r.read(maxSeq, historyBytes)
			for _, b := range batches {
				if !b.yieldTo(yield) {
					return
				}
			}
			if err != nil {
				yield(Change{}, err)
				return
			}
			if len(batches) == 0 {
				return
			}
		}
	}
}

// Changes iterates over the changes after a batch up to what the session holds now,
// also those of other sessions: as ChangesOf, but it takes the changes of the latest
// batches, those since it began, from the session's engine.
func (s *Session) Changes(since uint64) iter.Seq2[Change, error] { return s.changes(since, nil) }

// Follow is Changes that goes on with what is stored later, until done is closed or
// the session is: then it ends without an error. A program that takes the changes
// more slowly than they are made reads them from the log, so they do not gather in
// memory. If another session compacts the log meanwhile, their net effect comes as
// changes of the snapshot's number.
func (s *Session) Follow(since uint64, done <-chan struct{}) iter.Seq2[Change, error] {
	if done == nil {
		done = make(chan struct{})
	}
	return s.changes(since, done)
}

func (s *Session) changes(since uint64, done <-chan struct{}) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		f := s.NewFeed(since)
		defer f.Close()
		for {
			more := f.more() // before the look, so that nothing between the two is missed
			b, ok, err := f.takeAll()
			switch {
			case err != nil && done != nil && engine.CodeOf(err) == engine.CodeClosed:
				return
			case err != nil:
				yield(Change{}, err)
				return
			case ok:
				if !b.yieldTo(yield) {
					return
				}
				continue
			case done == nil:
				return
			}
			select {
			case <-more:
			case <-done:
				return
			}
		}
	}
}

// A toldBatch is a batch, or a part of one, whose changes are told.
type toldBatch struct {
	seq     uint64
	local   bool
	isPart  bool // more of the batch follows
	changes []engine.DocumentChange
	size    int
}

func (b *toldBatch) add(d engine.DocumentChange) {
	b.changes = append(b.changes, d)
	b.size += d.Size()
}

// yieldTo yields the changes, and reports whether the caller wants more.
func (b *toldBatch) yieldTo(yield func(Change, error) bool) bool {
	for i := range b.changes {
		if !yield(b.change(i), nil) {
			return false
		}
	}
	return true
}

func (b *toldBatch) change(i int) Change {
	d := &b.changes[i]
	c := Change{Seq: b.seq, Collection: d.Collection, Type: Update, ID: d.ID, Document: d.After, Before: d.Before, Local: b.local}
	switch {
	case d.Before == nil:
		c.Type = Insert
	case d.After == nil:
		c.Type = Remove
	}
	c.Last = !b.isPart && i == len(b.changes)-1
	return c
}

// errGone is the error of a batch that the log does not have. has says which
// numbers it has.
func errGone(op string, seq uint64, has string) error {
	return engine.Fail(engine.CodeNotFound, op, batchName(seq), has)
}

func number(seq uint64) string { return strconv.FormatUint(seq, 10) }
