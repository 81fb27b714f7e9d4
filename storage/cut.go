package storage

import "github.com/atomicdb-go/atomicdb/engine"

// The functions below are for a caller that talks to the log itself, because
// none of its calls may wait for what another call has begun: in a stateless
// Cloudflare Worker, a request that does so is ended as hung, and one that is
// cut off would leave the session locked. None of them waits, and between them
// the engine holds exactly what is stored.

// Cut appends the pending changes to out, as the frame of the next batch, and
// rolls them back. Give the frame to Apply once it is stored. If nothing is
// pending, Cut returns out.
func (s *Session) Cut(out []byte) ([]byte, error) {
	if err := s.begin("cut"); err != nil {
		return out, err
	}
	defer s.lock.Unlock()
	if !s.db.HasChanges() {
		return out, nil
	}
	for _, part := range newFrame(s.nextHeader(), s.db.Cut(s.opts.Now())) {
		out = append(out, part...)
	}
	s.db.Rollback()
	return out, nil
}

// Apply applies a record that the log holds, unless the engine has it already.
// Nothing may be pending.
func (s *Session) Apply(r Record) error {
	if err := s.begin("apply"); err != nil {
		return err
	}
	defer s.lock.Unlock()
	if r.Seq <= s.head {
		return nil
	}
	e, err := verify(r)
	switch {
	case err != nil:
		return err
	case s.db.HasChanges():
		return engine.Fail(engine.CodeInvalid, "apply", "", "changes are pending")
	case e.writer == s.opts.Writer:
		return s.apply(e)
	}
	return s.applyForeign([]entry{e})
}

// Snapshot appends a snapshot of everything stored to out, as a frame, if the
// log is so long that a compaction is due. Otherwise it returns out.
func (s *Session) Snapshot(out []byte) ([]byte, error) {
	if err := s.begin("snapshot"); err != nil {
		return out, err
	}
	defer s.lock.Unlock()
	// A batch of version 1 stays until one of version 2 follows it, which keeps
	// sessions of an older AtomicDB from appending.
	if (s.identity == Identity{}) || !s.isOld && !s.isLong(s.batches, s.tail) {
		return out, nil
	}
	h := header{kind: kindSnapshot, seq: s.head, identity: s.identity, writer: s.opts.Writer}
	frame := newFrame(h, s.db.Snapshot())
	s.batches, s.tail, s.size, s.isOld = 0, 0, LogSize{1, int64(frame.Len())}, false
	for _, part := range frame {
		out = append(out, part...)
	}
	return out, nil
}

// begin takes the lock without waiting for it.
func (s *Session) begin(op string) error {
	if !s.lock.TryLock() {
		return engine.Fail(engine.CodeInvalid, op, "", "another call of the session is running")
	}
	err := s.usable(op)
	if err == nil && s.log == nil {
		err = engine.Fail(engine.CodeInvalid, op, "", "the database has no storage")
	}
	if err == nil && s.db.HasSavepoint() {
		err = engine.Fail(engine.CodeInvalid, op, "", "a savepoint is open; release it or roll it back first")
	}
	if err != nil {
		s.lock.Unlock()
	}
	return err
}
