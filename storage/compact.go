package storage

import "github.com/atomicdb-go/atomicdb/engine"

// tailLimit is how many bytes of batches the log may hold after its snapshot. A
// small log is quick to read, however little of it is live data. With a limit of
// twice the live data, a log is at most about three times as long as it has to
// be, and compactions add at most half to the bytes written.
func (s *Session) tailLimit() int64 { return max(s.opts.CompactAfter, 2*s.db.Size()) }

// A CompactionHint is a Log that costs by the number of its batches more than by
// their size, for example because each batch is a request to a server.
type CompactionHint interface {
	// CompactEvery returns after how many batches a session replaces them by a
	// snapshot; 0 is no limit.
	CompactEvery() int
}

// isLong reports whether a log needs a compaction that has so many batches, of so
// many bytes, after its snapshot.
func (s *Session) isLong(batches int, bytes int64) bool {
	if c, ok := s.log.(CompactionHint); ok && c.CompactEvery() > 0 && batches >= c.CompactEvery() {
		return true
	}
	return bytes > s.tailLimit()
}

// dueCompaction returns the compaction to run once the batch of h, of size bytes,
// is stored, or nil if the log is short enough and all of version 2. It takes the
// snapshot now, while the engine holds exactly the batches up to h's. Others may
// append meanwhile: later batches stay.
func (s *Session) dueCompaction(h header, size int64) func() {
	if !s.isOld && !s.isLong(s.batches+1, s.tail+size) {
		return nil
	}
	snapshot := newFrame(h.snapshot(), s.db.Snapshot())
	return func() {
		// The batch is stored even if this fails. A failure leaves the log long,
		// and the next attempt waits until it has grown by as much again.
		s.batches, s.tail, s.isOld = 0, 0, false
		if s.log.Compact(h.seq, snapshot) == nil {
			s.size = LogSize{1, int64(snapshot.Len())}
		}
	}
}

// Compact replaces the batches of the log by a snapshot, however few they are, and
// returns when it is stored. Nothing may be pending. It is for a caller that has time,
// and wants the next Open to be quick.
func (s *Session) Compact() error {
	_, err := s.withLock(func() (Outcome, func(), error) { return Stored, nil, s.compact() })
	return err
}

func (s *Session) compact() error {
	if err := s.usable("compact"); err != nil {
		return err
	}
	if s.db.HasSavepoint() || s.db.HasChanges() {
		return engine.Fail(engine.CodeInvalid, "compact", "", "changes are pending")
	}
	// A batch of version 1 stays; see Snapshot.
	if s.log == nil || s.batches == 0 || (s.identity == Identity{}) {
		return nil
	}
	h := header{kind: kindSnapshot, seq: s.head, identity: s.identity, writer: s.opts.Writer}
	frame := newFrame(h, s.db.Snapshot())
	if err := s.log.Compact(s.head, frame); err != nil {
		return err
	}
	s.batches, s.tail, s.size, s.isOld = 0, 0, LogSize{1, int64(frame.Len())}, false
	return nil
}
