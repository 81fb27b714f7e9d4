package storage

import (
	"encoding/binary"
	"math"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A Feed hands out the changes of a session, batch by batch, to a caller that takes
// them when it likes. It is for one goroutine at a time. Close it.
//
// It takes the latest batches from the session's engine, and older ones from the
// log; while it is behind them, it keeps an engine of its own.
type Feed struct {
	s      *Session
	next   int    // which batch of feeds.recent comes next; -1: it is behind them
	after  uint64 // the batch that it has come to
	log    replayer
	queue  []toldBatch
	closed bool
}

// NewFeed returns a feed of the changes after a batch, as Follow has them. It reads
// nothing yet.
func (s *Session) NewFeed(since uint64) *Feed {
	f := s.NewLiveFeed()
	s.feeds.mu.Lock()
	defer s.feeds.mu.Unlock()
	f.after, f.next = since, -1
	if since > 0 {
		f.next = s.feeds.placeAfter(since)
	}
	return f
}

// NewLiveFeed returns a feed of the changes from now on.
func (s *Session) NewLiveFeed() *Feed {
	all := &s.feeds
	all.mu.Lock()
	defer all.mu.Unlock()
	if len(all.open) == 0 {
		all.open, all.base = map[*Feed]bool{}, all.head
	}
	f := &Feed{s: s, next: all.first + len(all.recent), after: all.head}
	all.open[f] = true
	return f
}

// Close ends the feed. Closing twice is closing once.
func (f *Feed) Close() {
	all := &f.s.feeds
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.open, f)
	f.queue, f.log, f.closed = nil, replayer{}, true
	all.forgetTaken()
}

// more returns a channel that is closed when there is more to take.
func (f *Feed) more() <-chan struct{} {
	all := &f.s.feeds
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.wake == nil {
		all.wake = make(chan struct{})
		if all.isClosed {
			close(all.wake)
		}
	}
	return all.wake
}

// take returns the changes of the next batch, or a part of them with at least so
// many bytes; false if there are none at present.
func (f *Feed) take(bytes int) (toldBatch, bool, error) {
	for hasRead := false; len(f.queue) == 0; {
		isBehind, err := f.takeRecent()
		switch {
		case err != nil:
			return toldBatch{}, false, err
		case len(f.queue) > 0:
		case !isBehind || hasRead: // hasRead: the session has not applied yet what comes next
			return toldBatch{}, false, nil
		default:
			if err := f.readLog(); err != nil {
				return toldBatch{}, false, err
			}
			hasRead = true
		}
	}
	b := f.queue[0]
	n := 0
	for size := 0; n < len(b.changes) && size < bytes; n++ {
		size += b.changes[n].Size()
	}
	if n < len(b.changes) {
		f.queue[0].changes = b.changes[n:]
		b.changes, b.isPart = b.changes[:n], true
		return b, true, nil
	}
	f.queue[0] = toldBatch{}
	f.queue = f.queue[1:]
	return b, true, nil
}

// Next appends the changes that come next to out, in parts, until it has so many
// bytes or there are no more at present. Each part is of one batch:
//
//	u32      length of the changes
//	u32      how many they are
//	float64  the number of the batch
//	u8       1: the session has written it; 2: the batch has no more changes
//	changes  each as engine.DocumentChange.AppendTo writes it
//
// Numbers are little-endian.
func (f *Feed) Next(out []byte, bytes int) ([]byte, error) {
	for len(out) < bytes {
		b, ok, err := f.take(bytes - len(out))
		if !ok || err != nil {
			if len(out) > 0 {
				err = nil // it comes again
			}
			return out, err
		}
		out = b.appendTo(out)
	}
	return out, nil
}

func (b *toldBatch) appendTo(out []byte) []byte {
	const header = 17
	at := len(out)
	out = append(out, make([]byte, header)...)
	for i := range b.changes {
		out = b.changes[i].AppendTo(out)
	}
	binary.LittleEndian.PutUint32(out[at:], uint32(len(out)-at-header))
	binary.LittleEndian.PutUint32(out[at+4:], uint32(len(b.changes)))
	binary.LittleEndian.PutUint64(out[at+8:], math.Float64bits(float64(b.seq)))
	if b.local {
		out[at+16] |= 1
	}
	if !b.isPart {
		out[at+16] |= 2
	}
	return out
}

// After returns the number of the batch after which the next changes come.
func (f *Feed) After() uint64 { return f.after }

// takeAll is take for a whole batch.
func (f *Feed) takeAll() (toldBatch, bool, error) { return f.take(math.MaxInt) }

// takeRecent queues the next of the latest batches that has changes. isBehind says
// that the feed is behind the latest batches.
func (f *Feed) takeRecent() (isBehind bool, err error) {
	all := &f.s.feeds
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.isClosed || f.closed {
		return false, engine.Fail(engine.CodeClosed, "changes", "", "the database or the feed has been closed")
	}
	if f.next >= 0 && f.next < all.first {
		f.next = -1
	}
	if f.next < 0 && (f.after > 0 || f.log.db != nil) {
		f.next = all.placeAfter(f.after)
	}
	if f.next < 0 {
		return true, nil
	}
	f.log = replayer{} // with its engine
	for ; f.next < all.first+len(all.recent) && len(f.queue) == 0; f.next++ {
		b := all.recent[f.next-all.first]
		f.after = b.seq
		if len(b.changes) > 0 {
			f.queue = append(f.queue, b)
		}
	}
	all.forgetTaken()
	return false, nil
}

// readLog queues the next batches of the log, up to what the session holds.
func (f *Feed) readLog() error {
	s := f.s
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := s.usable("changes"); err != nil {
		return err
	}
	if s.log == nil {
		return f.takeState()
	}
	if err := s.catchUp(); err != nil {
		return err
	}
	if f.log.db == nil {
		f.log = replayer{op: "changes", log: s.log, opts: s.opts.Engine, identity: s.identity, isLocal: s.isLocal, after: f.after}
	}
	batches, err := f.log.read(s.head, historyBytes)
	f.queue = append(f.queue, batches...)
	f.after = f.log.after
	if len(batches) > 0 {
		return nil // an error comes again
	}
	return err
}

// takeState queues what a session without a log holds, as a snapshot.
func (f *Feed) takeState() error {
	s := f.s
	if f.after > 0 {
		return errGone("changes", f.after, "the database lives in memory alone, and keeps only the latest batches for those who follow them; ask for the changes since 0 for all that it holds")
	}
	empty, err := engine.New(s.opts.Engine)
	if err != nil {
		return err
	}
	b := toldBatch{seq: s.head}
	s.db.WithoutPending(func() { engine.VisitDifference(empty, s.db, b.add) })
	if len(b.changes) > 0 {
		f.queue = append(f.queue, b)
	}
	f.after, f.log.db = s.head, empty
	return nil
}

// isLocal reports whether batches of a writer are this session's, or of its group.
func (s *Session) isLocal(w Writer) bool {
	if s.opts.Group != (Group{}) {
		return Group(w[:len(s.opts.Group)]) == s.opts.Group
	}
	return w == s.opts.Writer
}
