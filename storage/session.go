package storage

import (
	"github.com/atomicdb-go/atomicdb/engine"
)

// SessionOptions configure a Session. The zero value is ready to use.
type SessionOptions struct {
	// Engine configures the engine.
	Engine engine.Options

	// Durability is what every batch is stored with. The default is Relaxed.
	Durability Durability

	// Writer marks this session's batches, so that it knows them again. Zero
	// means random bytes.
	Writer Writer

	// Group makes the batches of several sessions Local to each other, see Change:
	// their Writers begin with it. Zero: this session alone. A Writer that is given
	// is not changed.
	Group Group

	// Identity is what the database gets if it has none yet: if nothing is stored,
	// or if an AtomicDB before version 2 of the format has stored it. Zero means
	// the identity of an Identified log, or else random bytes.
	Identity Identity

	// CompactAfter is how many bytes of batches the log may hold after its
	// snapshot, however little data there is; see FORMAT.md. 0 means 1 MiB.
	CompactAfter int64

	// Now is the clock whose time goes into every batch, in milliseconds since
	// 1970; see engine.Metadata. nil means the clock of the host.
	Now func() uint64

	// DataVersion is the latest version of the data that the program knows, as
	// Migrate counts them. When another program has migrated the data to a later
	// one, every write fails with CodeUnsupported. 0: any version.
	DataVersion int

	// OnProgress is called while Open replays the log, about every 256 KiB and
	// at the end. done is the bytes replayed, total the bytes of the log as far
	// as the Log can tell.
	OnProgress func(done, total int64)

	// OnRollback is called when everything unconfirmed has been undone, and
	// OnForeign when batches of other sessions have been applied. Both run in the
	// same step as the change itself, so no other call sees the engine in
	// between. They must not call the session.
	OnRollback, OnForeign func()

	// OnPutOff is called when batches of other sessions have not been applied
	// because a savepoint is open: the calls since then must see one state. Call
	// CatchUp when the savepoint is released. OnPutOff must not call the session.
	OnPutOff func()

	// OnStored is called when there is something for a Feed to take. It must not
	// call the session.
	OnStored func()
}

// Outcome says what a Flush did with the pending changes.
type Outcome uint8

const (
	// Stored means that the log holds them.
	Stored Outcome = iota
	// Conflict means that another session was faster. The changes are rolled
	// back, the other session's are applied, and the caller does its work again.
	Conflict
)

// A Session keeps one engine and one Log in step.
//
// The goroutine that owns the engine may change it at any time, through DB.
// While a Flush waits for the Log too: such changes go into the next batch. In
// JavaScript the owner is the event loop, which runs nothing else until a call
// returns. A Go program with several goroutines uses View and Update instead,
// which hold the session's lock.
type Session struct {
	opts SessionOptions
	log  Log // nil: the database lives in memory only

	lock sessionLock // held by the call that uses log, and guards what follows
	state
	begun     *begunFlush // by BeginFlush, which holds lock
	broken    error       // what every call returns: after a panic on a goroutine of ours, or when the log was deleted
	closed    bool
	unsettled Frame // of a Commit that failed; the log may hold it

	stopWatching func()
	feeds        feeds
}

// state is an engine, and what is known of the log that has led to it.
type state struct {
	db       *engine.DB
	head     uint64   // the newest batch that db has applied
	last     uint64   // that batch's checksum
	identity Identity // of the records; zero until one has it
	isOld    bool     // the log holds records of version 1
	batches  int      // since the newest snapshot
	tail     int64    // their bytes
	size     LogSize
}

// A LogSize is what a log takes.
type LogSize struct {
	Records int   // batches, and the snapshot if there is one
	Bytes   int64 // of their frames, before a storage compresses or encrypts them
}

// Open replays log into a new engine. A nil log makes a database that lives in
// memory only. The session closes log, also when Open fails. If a record fails
// its checks, the error has CodeCorrupt and names the record. A record that a
// crash has torn is cut off instead; see TornTail.
func Open(log Log, opts SessionOptions) (*Session, error) {
	if opts.CompactAfter == 0 {
		opts.CompactAfter = 1 << 20
	}
	if opts.Writer == (Writer{}) {
		opts.Writer = randomWriter()
		if opts.Group != (Group{}) {
			copy(opts.Writer[:], opts.Group[:])
		}
	}
	if opts.Now == nil {
		opts.Now = hostTime
	}
	db, err := engine.New(opts.Engine)
	if err != nil {
		if log != nil {
			log.Close()
		}
		return nil, err
	}
	s := &Session{opts: opts, log: log, state: state{db: db}}
	s.feeds.tell, s.feeds.isOnly = opts.OnStored, log == nil
	if log == nil {
		return s, nil
	}
	if err := s.replay(); err != nil {
		log.Close()
		return nil, err
	}
	if w, ok := log.(Watcher); ok {
		s.stopWatching = w.Watch(func(seq uint64, bytes []byte) {
			s.background(func() { s.noticeAppend(seq, bytes) })
		})
	}
	return s, nil
}

// DB returns the engine. Do not keep it: after a CatchUp that found a snapshot,
// the session has another engine.
func (s *Session) DB() *engine.DB { return s.db }

// InMemory reports whether the session has no log: Flush then waits for
// nothing.
func (s *Session) InMemory() bool { return s.log == nil }

// Now returns the time by Options.Now: what $currentDate sets.
func (s *Session) Now() uint64 { return s.opts.Now() }

// Head returns the seq of the newest batch that the engine holds.
func (s *Session) Head() uint64 { return s.head }

// LogSize returns what the log takes, as far as the session knows: when another
// session has compacted the log, it is an estimate until this one reads the
// snapshot. Without a log it is zero.
func (s *Session) LogSize() LogSize { return s.size }

// Flush stores what is pending as one batch.
//
// After an error everything unconfirmed is rolled back. The changes of this
// batch have failed. The caller repeats the changes made while Flush waited:
// they have not been tried. After an error other than CodeQuota the storage may
// hold the batch after all; then it arrives like a batch of another session.
//
// When the log is much longer than the data, Flush also starts a compaction,
// which the next Flush waits for.
func (s *Session) Flush() (Outcome, error) {
	if s.begun != nil {
		return s.release(s.resume)
	}
	return s.withLock(s.flush)
}

// Commit is Flush for callers that cannot do the work again: after an error the
// changes stay pending, for the next Commit. If another session was faster, the
// error has CodeConflict, now and in every later Commit: nothing says how to
// merge the two.
//
// Between two Commits the engine keeps the documents that changes replace or
// remove.
func (s *Session) Commit() error {
	_, err := s.withLock(s.commit)
	return err
}

// withLock runs store, which returns the compaction that is due after it, or
// nil.
func (s *Session) withLock(store func() (Outcome, func(), error)) (Outcome, error) {
	s.lock.Lock()
	return s.release(store)
}

// release is withLock for a caller that has the lock.
func (s *Session) release(store func() (Outcome, func(), error)) (outcome Outcome, err error) {
	var compaction func()
	finished := false
	defer func() {
		if !finished { // it panicked, and the caller recovers: the next call must not wait for ever
			s.broken = errPanicked()
		}
		s.unlock(compaction)
	}()
	outcome, compaction, err = store()
	finished = true
	return outcome, err
}

// Close waits for the call that is running, and closes the log. Changes that
// have not been flushed are lost.
func (s *Session) Close() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.feeds.close()
	if s.stopWatching != nil {
		s.stopWatching()
	}
	if s.log == nil {
		return nil
	}
	return s.log.Close()
}

func errPanicked() error {
	return engine.Fail(engine.CodeInternal, "flush", "", "an earlier flush panicked; open the database again")
}

func (s *Session) flush() (Outcome, func(), error) {
	if err := s.usable("flush"); err != nil {
		s.rollback()
		return Stored, nil, err
	}
	return s.settle(s.append("flush"))
}

// settle is the end of a Flush, with what append has returned.
func (s *Session) settle(frame Frame, compaction func(), err error) (Outcome, func(), error) {
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
	if err := s.settleCommit(); err != nil {
		return Stored, nil, err
	}
	frame, compaction, err := s.append("commit")
	if err == nil || frame == nil {
		return Stored, compaction, err
	}
	switch engine.CodeOf(err) {
	case engine.CodeConflict:
		s.db.Uncut()
		entries, readErr := s.collect()
		if readErr == nil && len(entries) == 0 && s.head > 0 {
			s.broken = s.deletedError(s.head + 1)
			return Stored, nil, s.broken
		}
		if readErr == nil && len(entries) > 0 {
			if other := s.checkIdentity(entries[0].header); other != nil {
				return Stored, nil, s.asReplaced(other)
			}
		}
		err = engine.Fail(engine.CodeConflict, "commit", batchName(s.head+1), "another writer has stored a batch since this database was opened or committed; the changes here stay uncommitted")
	case engine.CodeQuota:
		s.db.Uncut()
	default:
		s.unsettled = frame
	}
	return Stored, nil, err
}

// settleCommit finds out whether the log holds the batch whose Append failed in
// the last Commit.
func (s *Session) settleCommit() error {
	if s.unsettled == nil {
		return nil
	}
	entries, err := s.collect()
	if err != nil {
		return err
	}
	if len(entries) > 0 && s.unsettled.equal(entries[0].bytes) {
		s.confirm(s.head+1, s.unsettled)
	} else {
		s.db.Uncut()
	}
	s.unsettled = nil
	return nil
}

// append appends the pending changes as the next batch. If that fails, it
// returns the frame, unconfirmed.
func (s *Session) append(op string) (frame Frame, compaction func(), err error) {
	if s.db.HasSavepoint() {
		return nil, nil, engine.Fail(engine.CodeInvalid, op, "", "a savepoint is open; release it or roll it back first")
	}
	if !s.db.HasChanges() {
		return nil, nil, nil
	}
	if s.log == nil {
		s.db.Cut(s.opts.Now())
		s.head++
		s.confirmCut(s.head)
		return nil, nil, nil
	}
	return s.appendFrame(s.cutFrame())
}

// cutFrame cuts the pending changes as the frame of the next batch.
func (s *Session) cutFrame() (frame Frame, compaction func()) {
	payload := s.db.Cut(s.opts.Now())
	h := s.nextHeader()
	frame = newFrame(h, payload)
	return frame, s.dueCompaction(h, int64(frame.Len()))
}

// appendFrame appends what cutFrame has returned, as append does.
func (s *Session) appendFrame(frame Frame, compaction func()) (Frame, func(), error) {
	seq := s.head + 1
	if err := s.log.Append(seq, frame, s.opts.Durability); err != nil {
		return frame, nil, err
	}
	s.confirm(seq, frame)
	return nil, compaction, nil
}

// confirm notes that frame is stored as number seq.
func (s *Session) confirm(seq uint64, frame Frame) {
	s.confirmCut(seq)
	s.head, s.last, s.identity = seq, frame.checksum(), IdentityOf(frame[0])
	s.addBatch(int64(frame.Len()))
}

// confirmCut confirms the oldest batch that was cut, and tells of its changes.
func (s *Session) confirmCut(seq uint64) {
	_ = s.feeds.apply(seq, true, func(visit func(engine.DocumentChange)) error {
		if visit != nil {
			s.db.CutChanges(visit)
		}
		s.db.Confirm()
		return nil
	})
}

// addBatch notes that the log holds another batch of so many bytes.
func (s *state) addBatch(bytes int64) {
	s.batches++
	s.tail += bytes
	s.size.Records++
	s.size.Bytes += bytes
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

// unlock lets the next call use the log: at once, or after compaction, which
// runs on a goroutine of its own.
func (s *Session) unlock(compaction func()) {
	if compaction == nil {
		s.lock.Unlock()
		return
	}
	s.background(func() {
		defer s.lock.Unlock()
		compaction()
	})
}

// background runs work on a goroutine and recovers its panic: no caller could,
// and the panic would end the process, or in a page every open database.
func (s *Session) background(work func()) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				s.lock.Lock()
				defer s.lock.Unlock()
				s.broken = engine.Fail(engine.CodeInternal, "session", "", engine.PanicText(p))
			}
		}()
		work()
	}()
}
