package storage

import (
	"sync"

	"github.com/atomicdb-go/atomicdb/engine"
)

// SessionOptions configure a Session. The zero value is ready to use.
type SessionOptions struct {
	// Engine configures the engine.
	Engine engine.Options

	// Durability is what every batch is stored with. The default is Relaxed.
	Durability Durability

	// Writer tells this session's batches from those of all others. Zero means
	// random bytes.
	Writer Writer

	// CompactAfter is how many bytes of batches the log may hold behind its
	// snapshot however little data there is; see FORMAT.md. 0 means 1 MiB.
	CompactAfter int64

	// OnProgress is called while Open replays the log, about every 256 KiB and
	// at the end, with the bytes done and, as far as the Log can tell, in all.
	OnProgress func(done, total int64)

	// OnRollback is called when everything unconfirmed has been undone, and
	// OnForeign when batches of others have been applied. Both run in the same
	// step as the change itself: nobody has seen the engine in between. They
	// must not call the session.
	OnRollback, OnForeign func()

	// OnPutOff is called when batches of others have not been applied because a
	// stretch of calls has begun (see engine.DB.Begin), which must not see the
	// ground move: CatchUp when it has ended. It must not call the session.
	OnPutOff func()
}

// Outcome is what has become of the pending changes after a Flush.
type Outcome uint8

const (
	// Stored means that the log holds them.
	Stored Outcome = iota
	// Conflict means that another session was faster: they are rolled back, what
	// the other wrote is applied, and the caller does its work again.
	Conflict
)

// A Session keeps one engine and one Log in step.
//
// The engine may be changed at any time by the goroutine that owns it, through
// DB, also while a Flush waits for the Log: such changes go into the next
// batch. In JavaScript the owner is the event loop, which runs nothing else
// until a call returns. A Go program with several goroutines uses View and
// Update instead, which take turns with everything the session does itself.
type Session struct {
	opts SessionOptions
	log  Log // nil: the database lives in memory only

	turn    sync.Mutex // held by whoever speaks to the log, and guards what follows
	db      *engine.DB
	head    uint64 // the newest batch that db has applied
	last    uint64 // that batch's checksum
	batches int    // since the newest snapshot
	tail    int64  // their bytes
	broken  error  // a panic on a goroutine of ours: what db holds is unknown
	closed  bool
	doubt   Frame // of a Commit that has failed, perhaps after it was stored

	stopWatching func()
}

// Open replays log into a new engine. A nil log makes a database that lives in
// memory only. The session closes log, also when Open fails. The error has
// CodeCorrupt if a record fails its checks, and names it; one that a crash has
// torn is cut off instead, see Cutter.
func Open(log Log, opts SessionOptions) (*Session, error) {
	if opts.CompactAfter == 0 {
		opts.CompactAfter = 1 << 20
	}
	if opts.Writer == (Writer{}) {
		opts.Writer = randomWriter()
	}
	db, err := engine.New(opts.Engine)
	if err != nil {
		if log != nil {
			log.Close()
		}
		return nil, err
	}
	s := &Session{opts: opts, log: log, db: db}
	if log == nil {
		return s, nil
	}
	if err := s.replay(); err != nil {
		log.Close()
		return nil, err
	}
	if w, ok := log.(Watcher); ok {
		s.stopWatching = w.Watch(func(seq uint64, bytes []byte) {
			s.background(func() { s.heard(seq, bytes) })
		})
	}
	return s, nil
}

// DB returns the engine. It is another one after a CatchUp that found a
// snapshot, so callers ask for it each time.
func (s *Session) DB() *engine.DB { return s.db }

// InMemory reports whether the session has no log: Flush then waits for
// nothing.
func (s *Session) InMemory() bool { return s.log == nil }

// Head returns the seq of the newest batch that is applied.
func (s *Session) Head() uint64 { return s.head }

// Flush stores what is pending as one batch.
//
// On an error everything unconfirmed is rolled back: the changes of this batch
// have failed, those made while it waited have not been tried and are done
// again by the caller. An error other than CodeQuota leaves open whether the
// storage has kept the batch after all; if so, it arrives like a batch of
// another session.
//
// When the log has outgrown the data, Flush also starts a compaction, which
// the next Flush waits for.
func (s *Session) Flush() (Outcome, error) { return s.takeTurn(s.flush) }

// Commit is Flush for who cannot do the work again: on an error the changes
// stay pending, for the next Commit. If another session was faster the error
// is CodeConflict, and remains so: there is no telling how the two go together.
//
// A session that is never flushed keeps what changes replace or remove until
// the next Commit.
func (s *Session) Commit() error {
	_, err := s.takeTurn(s.commit)
	return err
}

// takeTurn runs store, which returns the compaction that is due after it, if
// any.
func (s *Session) takeTurn(store func() (Outcome, func(), error)) (outcome Outcome, err error) {
	s.turn.Lock()
	var compaction func()
	finished := false
	defer func() {
		if !finished { // a panic, which the caller recovers: the next call must not wait for this one
			s.broken = engine.Fail(engine.CodeInternal, "flush", "", "an earlier flush has panicked; open the database again")
		}
		s.endTurn(compaction)
	}()
	outcome, compaction, err = store()
	finished = true
	return outcome, err
}

// Close waits for what is under way and closes the log. What has not been
// flushed is lost.
func (s *Session) Close() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.stopWatching != nil {
		s.stopWatching()
	}
	if s.log == nil {
		return nil
	}
	return s.log.Close()
}

func (s *Session) flush() (Outcome, func(), error) {
	if err := s.usable("flush"); err != nil {
		s.rollback()
		return Stored, nil, err
	}
	frame, compaction, err := s.append("flush")
	switch {
	case err == nil:
		return Stored, compaction, nil
	case frame == nil:
		return Stored, nil, err
	case engine.CodeOf(err) == engine.CodeConflict:
		outcome, err := s.settleConflict(s.head+1, frame)
		return outcome, nil, err
	default:
		s.rollback()
		return Stored, nil, err
	}
}

func (s *Session) commit() (Outcome, func(), error) {
	if err := s.usable("commit"); err != nil {
		return Stored, nil, err
	}
	if err := s.settleDoubt(); err != nil {
		return Stored, nil, err
	}
	frame, compaction, err := s.append("commit")
	if err == nil || frame == nil {
		return Stored, compaction, err
	}
	switch engine.CodeOf(err) {
	case engine.CodeConflict:
		s.db.Uncut()
		err = engine.Fail(engine.CodeConflict, "commit", batchName(s.head+1), "another writer has stored something since this database was opened or committed; what is here stays, uncommitted")
	case engine.CodeQuota:
		s.db.Uncut()
	default:
		s.doubt = frame
	}
	return Stored, nil, err
}

// settleDoubt finds out whether the log has kept a batch of which it said that
// it could not be stored.
func (s *Session) settleDoubt() error {
	if s.doubt == nil {
		return nil
	}
	entries, err := s.collect()
	if err != nil {
		return err
	}
	if len(entries) > 0 && s.doubt.equal(entries[0].bytes) {
		s.confirm(s.head+1, s.doubt)
	} else {
		s.db.Uncut()
	}
	s.doubt = nil
	return nil
}

// append cuts what is pending and appends it as the next batch. If that fails,
// it returns the frame, unconfirmed.
func (s *Session) append(op string) (frame Frame, compaction func(), err error) {
	if s.db.HasSavepoint() {
		return nil, nil, engine.Fail(engine.CodeInvalid, op, "", "a stretch of calls has begun and not ended")
	}
	if !s.db.HasChanges() {
		return nil, nil, nil
	}
	payload := s.db.Cut()
	if s.log == nil {
		s.db.Confirm()
		return nil, nil, nil
	}
	seq := s.head + 1
	frame = newFrame(header{kind: kindBatch, seq: seq, writer: s.opts.Writer}, payload)
	compaction = s.dueCompaction(seq, int64(frame.Len()))
	if err := s.log.Append(seq, frame, s.opts.Durability); err != nil {
		return frame, nil, err
	}
	s.confirm(seq, frame)
	return nil, compaction, nil
}

// confirm notes that frame is stored as number seq.
func (s *Session) confirm(seq uint64, frame Frame) {
	s.db.Confirm()
	s.head, s.last = seq, frame.checksum()
	s.batches++
	s.tail += int64(frame.Len())
}

func (s *Session) rollback() {
	s.db.Rollback()
	if s.opts.OnRollback != nil {
		s.opts.OnRollback()
	}
}

func (s *Session) usable(op string) error {
	if s.closed {
		return engine.Fail(engine.CodeClosed, op, "", "the database has been closed")
	}
	return s.broken
}

// endTurn lets the next one speak to the log: at once, or when compaction,
// which runs on a goroutine of its own, is done.
func (s *Session) endTurn(compaction func()) {
	if compaction == nil {
		s.turn.Unlock()
		return
	}
	s.background(func() {
		defer s.turn.Unlock()
		compaction()
	})
}

// background runs work on a goroutine. No caller could recover a panic there,
// and it would end the process or, in a page, every open database.
func (s *Session) background(work func()) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				s.turn.Lock()
				defer s.turn.Unlock()
				s.broken = engine.Fail(engine.CodeInternal, "session", "", engine.PanicText(p))
			}
		}()
		work()
	}()
}
