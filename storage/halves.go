package storage

import (
	"sync"
	"sync/atomic"

	"github.com/atomicdb-go/atomicdb/engine"
)

// BeginFlush and EndFlush are a Flush in halves, for a caller that appends the
// frame itself, between them. Neither waits for anything. In JavaScript, a Flush
// that calls the storage takes ten times as long as a storage that answers at once:
// a goroutine, a Promise and several callbacks.

// A begunFlush is what BeginFlush has cut.
type begunFlush struct {
	frame      Frame
	compaction func()
}

// BeginFlush cuts the pending changes as the frame of batch seq. If nothing is
// pending, seq is 0. The frame is borrowed.
//
// If the log has answered the append with true, the caller calls EndFlush next. In
// any other case, and to have the session append the frame, it calls Flush, which
// goes on with this frame. Until one of them, other calls of the session wait.
//
// If ok is false, nothing has happened, and only Flush can be called: something is
// wrong, another call is using the log, or there is none.
func (s *Session) BeginFlush() (seq uint64, frame Frame, ok bool) {
	if s.log == nil || !s.lock.TryLock() {
		return 0, nil, false
	}
	finished := false
	defer func() {
		if !finished {
			s.broken = errPanicked()
		}
		if s.begun == nil {
			s.lock.Unlock()
		}
	}()
	seq, frame, ok = s.beginFlush()
	finished = true
	return seq, frame, ok
}

func (s *Session) beginFlush() (seq uint64, frame Frame, ok bool) {
	if s.usable("flush") != nil || s.db.HasSavepoint() {
		return 0, nil, false
	}
	if !s.db.HasChanges() {
		return 0, nil, true
	}
	frame, compaction := s.cutFrame()
	s.begun = &begunFlush{frame, compaction}
	return s.head + 1, frame, true
}

// EndFlush says that the frame of BeginFlush is stored. If wake is true, goroutines
// have something to do, which in JavaScript they do in the next event.
func (s *Session) EndFlush() (wake bool, err error) {
	if s.begun == nil {
		return false, engine.Fail(engine.CodeInvalid, "flush", "", "no flush has begun")
	}
	_, err = s.release(func() (Outcome, func(), error) {
		begun := s.takeBegun()
		s.confirm(s.head+1, begun.frame)
		wake = begun.compaction != nil
		return Stored, begun.compaction, nil
	})
	return wake || s.lock.waiting.Load() > 0, err
}

// resume is flush for what BeginFlush has cut.
func (s *Session) resume() (Outcome, func(), error) {
	begun := s.takeBegun()
	return s.settle(s.appendFrame(begun.frame, begun.compaction))
}

func (s *Session) takeBegun() *begunFlush {
	begun := s.begun
	s.begun = nil
	return begun
}

// A sessionLock is a Mutex that counts the goroutines that wait for it.
type sessionLock struct {
	sync.Mutex
	waiting atomic.Int32
}

// Lock waits for the lock.
func (l *sessionLock) Lock() {
	l.waiting.Add(1)
	l.Mutex.Lock()
	l.waiting.Add(-1)
}
