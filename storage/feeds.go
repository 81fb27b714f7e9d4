package storage

import (
	"bytes"
	"sync"

	"github.com/atomicdb-go/atomicdb/engine"
)

// maxRecent is how many bytes of changes a session keeps for feeds that have not
// taken them. The newest batch is kept, however large it is. A feed that is further
// behind reads the log.
var maxRecent = 8 << 20 // tests change it

// smallBatch is how many bytes of changes are copied. A slice of a document keeps a
// whole chunk of the engine's memory from being collected, so many small batches
// would keep much. A large batch fills its chunks itself.
const smallBatch = 1 << 20

// feeds holds the changes of the latest batches, for the feeds of a session. While
// there is no feed, it costs a session the counting of batches.
type feeds struct {
	mu     sync.Mutex
	head   uint64 // the newest batch that was told
	open   map[*Feed]bool
	recent []toldBatch   // the latest batches, in order; those without changes too
	first  int           // which batch recent[0] is, counted since ever
	base   uint64        // the number of the batch before recent[0]
	size   int           // bytes of recent
	wake   chan struct{} // closed when there is more, or nothing any more; nil: nobody waits
	tell   func()        // SessionOptions.OnStored

	isOnly   bool // no log has the batches that are forgotten
	isSilent bool // nobody is told what is applied
	isClosed bool
}

// apply runs do, which brings the engine to batch seq. If somebody follows, do gets
// the function to visit the changes with; else nil.
func (f *feeds) apply(seq uint64, local bool, do func(visit func(engine.DocumentChange)) error) error {
	f.mu.Lock()
	if len(f.open) == 0 || f.isSilent {
		defer f.mu.Unlock()
		err := do(nil)
		if err == nil {
			f.head = seq
		}
		return err
	}
	b := toldBatch{seq: seq, local: local}
	err := do(b.add)
	if err == nil {
		f.head = seq
		f.keep(b)
	}
	f.mu.Unlock()
	if err == nil && f.tell != nil {
		f.tell()
	}
	return err
}

// keep adds a batch to the latest ones, and forgets the oldest if they are too many.
func (f *feeds) keep(b toldBatch) {
	if b.size <= smallBatch {
		for i := range b.changes {
			d := &b.changes[i]
			d.ID, d.Before, d.After = bytes.Clone(d.ID), bytes.Clone(d.Before), bytes.Clone(d.After)
		}
	}
	f.recent = append(f.recent, b)
	f.size += b.size + batchOverhead
	for f.size > maxRecent && len(f.recent) > 1 {
		f.forget(1)
	}
	f.wakeAll()
}

// batchOverhead is what a batch without changes counts.
const batchOverhead = 64

// forget forgets the n oldest of the latest batches.
func (f *feeds) forget(n int) {
	for i := range f.recent[:n] {
		f.size -= f.recent[i].size + batchOverhead
		f.base = f.recent[i].seq
		f.recent[i] = toldBatch{}
	}
	f.recent = f.recent[n:]
	f.first += n
}

// forgetTaken forgets the batches that every feed has taken, unless there is no log
// from which a later feed could read them.
func (f *feeds) forgetTaken() {
	if f.isOnly && len(f.open) > 0 {
		return
	}
	end := f.first + len(f.recent)
	for feed := range f.open {
		if feed.next >= 0 {
			end = min(end, feed.next)
		}
	}
	if end > f.first {
		f.forget(end - f.first)
	}
}

func (f *feeds) wakeAll() {
	if f.wake != nil {
		close(f.wake)
		f.wake = nil
	}
}

// close ends all feeds.
func (f *feeds) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.isClosed, f.recent, f.size = true, nil, 0
	f.wakeAll()
}

// silence says whether nobody is told what is applied, which is up to batch head.
func (f *feeds) silence(yes bool, head uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.isSilent, f.head = yes, head
}

// placeAfter returns which of the latest batches comes after batch seq; -1 if they
// do not tell.
func (f *feeds) placeAfter(seq uint64) int {
	for i := len(f.recent); i > 0; i-- {
		if f.recent[i-1].seq == seq {
			return f.first + i
		}
	}
	if f.base == seq {
		return f.first
	}
	return -1
}
