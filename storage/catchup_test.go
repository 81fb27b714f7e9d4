package storage_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

func TestConflict_rollsBackAndCatchesUp(t *testing.T) {
	memory := storage.NewMemory()
	a := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	var told []string
	var b *storage.Session
	log := faulty(memory)
	b = openSession(t, deaf(log), storage.SessionOptions{
		// The callback must see the new state, and no step before it.
		OnRollback: func() { told = append(told, "rollback "+contents(t, b.DB())) },
		OnForeign:  func() { told = append(told, "foreign "+contents(t, b.DB())) },
	})
	put(t, a.DB(), "a", 1)
	flush(t, a, storage.Stored)
	put(t, a.DB(), "b", 1)
	flush(t, a, storage.Stored)

	put(t, b.DB(), "c", 1)
	log.BeforeAppend = func(uint64) error {
		log.BeforeAppend = nil
		put(t, b.DB(), "meanwhile", 1)
		return nil
	}
	flush(t, b, storage.Conflict)
	wantContents(t, b, "a=1 b=1")
	if want := []string{"foreign a=1 b=1", "rollback a=1 b=1"}; !equalTexts(told, want) {
		t.Errorf("was told %q, want %q", told, want)
	}

	put(t, b.DB(), "c", 1)
	put(t, b.DB(), "meanwhile", 1)
	flush(t, b, storage.Stored)
	wantReplay(t, memory.Share(), "a=1 b=1 c=1 meanwhile=1")
}

func equalTexts(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestConflict_withItself(t *testing.T) {
	for _, meanwhile := range []bool{false, true} {
		memory := storage.NewMemory()
		other := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
		log := faulty(memory)
		rollbacks := 0
		s := openSession(t, deaf(log), storage.SessionOptions{OnRollback: func() { rollbacks++ }})
		put(t, s.DB(), "a", 0)
		flush(t, s, storage.Stored)

		log.AfterAppend = func(seq uint64, err error) error {
			log.AfterAppend = nil
			if err != nil {
				t.Fatal(err)
			}
			if err := other.CatchUp(); err != nil { // it then appends after it
				t.Fatal(err)
			}
			put(t, other.DB(), "other", 1)
			flush(t, other, storage.Stored)
			if meanwhile {
				put(t, s.DB(), "meanwhile", 1)
			}
			return storage.ConflictError(seq) // what a retry by the adapter would get
		}
		add(t, s.DB())
		flush(t, s, storage.Stored)
		if rollbacks != 0 {
			t.Error("rolled back what was stored")
		}
		if !meanwhile {
			wantContents(t, s, "a=1 other=1")
			continue
		}
		wantContents(t, s, "a=1 meanwhile=1")
		flush(t, s, storage.Conflict)
		put(t, s.DB(), "meanwhile", 1)
		flush(t, s, storage.Stored)
		wantReplay(t, memory.Share(), "a=1 other=1 meanwhile=1")
	}
}

func TestConflict_afterAnErrorOfAStoredBatch(t *testing.T) {
	memory := storage.NewMemory()
	log := faulty(memory)
	s := openSession(t, deaf(log), storage.SessionOptions{})
	lost := &engine.Error{Code: engine.CodeStorage, Op: "append", Err: errors.New("the line is dead")}
	log.AfterAppend = func(uint64, error) error { log.AfterAppend = nil; return lost }
	put(t, s.DB(), "a", 1)
	_, err := s.Flush()
	if !errors.Is(err, lost) {
		t.Fatalf("Flush returned %v, want the log's error", err)
	}
	wantContents(t, s, "")

	put(t, s.DB(), "b", 1)
	flush(t, s, storage.Conflict)
	wantContents(t, s, "a=1")
	put(t, s.DB(), "b", 1)
	flush(t, s, storage.Stored)
	wantReplay(t, memory.Share(), "a=1 b=1")
}

func TestConflict_whenTheLogCannotBeRead(t *testing.T) {
	memory := storage.NewMemory()
	other := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	put(t, other.DB(), "other", 1)
	flush(t, other, storage.Stored)

	log := faulty(memory)
	log.OnRecord = func(r *storage.Record) error { return nil }
	s := openSession(t, deaf(log), storage.SessionOptions{})
	add(t, other.DB())
	flush(t, other, storage.Stored)

	broken := &engine.Error{Code: engine.CodeStorage, Op: "read"}
	log.OnRecord = func(*storage.Record) error { return broken }
	put(t, s.DB(), "a", 1)
	if _, err := s.Flush(); !errors.Is(err, broken) {
		t.Fatalf("Flush returned %v, want the log's error", err)
	}
	wantContents(t, s, "other=1")
	if err := s.CatchUp(); !errors.Is(err, broken) {
		t.Fatalf("CatchUp returned %v, want the log's error", err)
	}
	log.OnRecord = nil
	if err := s.CatchUp(); err != nil {
		t.Fatal(err)
	}
	wantContents(t, s, "other=2")
}

// TestConflict_withALogThatWasCleared: there is a conflict and no record of
// another session. To try again would never end.
func TestConflict_withALogThatWasCleared(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	for range 3 {
		put(t, s.DB(), "a", int(s.Head()))
		flush(t, s, storage.Stored)
	}
	if err := memory.Share().Destroy(); err != nil {
		t.Fatal(err)
	}
	put(t, s.DB(), "b", 1)
	_, err := s.Flush()
	wantCode(t, err, engine.CodeClosed)
	wantContents(t, s, "a=2")
	err = s.Update(func(db *engine.DB) error { put(t, db, "b", 1); return nil })
	wantCode(t, err, engine.CodeClosed)
	put(t, s.DB(), "b", 1)
	wantCode(t, s.Commit(), engine.CodeClosed)
}

func TestCatchUp_leavesPendingChangesAlone(t *testing.T) {
	memory := storage.NewMemory()
	a := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	log := faulty(memory)
	b := openSession(t, deaf(log), storage.SessionOptions{})
	put(t, a.DB(), "a", 1)
	flush(t, a, storage.Stored)

	put(t, b.DB(), "pending", 1)
	if err := b.CatchUp(); err != nil {
		t.Fatal(err)
	}
	wantContents(t, b, "pending=1")
	flush(t, b, storage.Conflict)

	// The change comes while CatchUp waits for the log.
	put(t, a.DB(), "b", 1)
	if outcome, err := a.Flush(); err != nil || outcome != storage.Stored {
		t.Fatal(outcome, err)
	}
	log.OnRecord = func(*storage.Record) error { put(t, b.DB(), "pending", 1); return nil }
	if err := b.CatchUp(); err != nil {
		t.Fatal(err)
	}
	log.OnRecord = nil
	wantContents(t, b, "a=1 pending=1")
	flush(t, b, storage.Conflict)
	wantContents(t, b, "a=1 b=1")
}

// TestCatchUp_waitsForASavepoint: calls between a savepoint and its release see
// one state, even if others store batches, and OnPutOff says that there are some.
func TestCatchUp_waitsForASavepoint(t *testing.T) {
	memory := storage.NewMemory()
	other := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	putOff := 0
	log := faulty(memory)
	s := openSession(t, deaf(log), storage.SessionOptions{OnPutOff: func() { putOff++ }})
	put(t, other.DB(), "a", 1)
	flush(t, other, storage.Stored)

	s.DB().Savepoint()
	if err := s.CatchUp(); err != nil {
		t.Fatal(err)
	}
	wantContents(t, s, "")
	if _, err := s.Flush(); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("Flush with an open savepoint returned %v, want invalid", err)
	}
	if err := s.DB().ReleaseSavepoint(); err != nil || putOff != 1 {
		t.Fatalf("release returned %v, and OnPutOff was called %d times", err, putOff)
	}

	// The savepoint is opened while CatchUp waits for the log.
	log.OnRecord = func(*storage.Record) error { s.DB().Savepoint(); return nil }
	if err := s.CatchUp(); err != nil {
		t.Fatal(err)
	}
	wantContents(t, s, "")
	if err := s.DB().RollbackToSavepoint(); err != nil || putOff != 2 {
		t.Fatalf("rollback returned %v, and OnPutOff was called %d times", err, putOff)
	}
	log.OnRecord = nil
	if err := s.CatchUp(); err != nil {
		t.Fatal(err)
	}
	wantContents(t, s, "a=1")
}

func TestCatchUp_callsOnForeignOnlyForNewBatches(t *testing.T) {
	memory := storage.NewMemory()
	told := 0
	s := openSession(t, deaf(memory.Share()), storage.SessionOptions{OnForeign: func() { told++ }})
	other := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	put(t, s.DB(), "own", 1)
	flush(t, s, storage.Stored)
	for range 2 {
		if err := s.CatchUp(); err != nil || told != 0 {
			t.Fatalf("CatchUp returned %v and told %d times of nothing new", err, told)
		}
	}
	// One new batch counts even if the one after it cannot be read.
	if err := other.CatchUp(); err != nil {
		t.Fatal(err)
	}
	put(t, other.DB(), "other", 1)
	flush(t, other, storage.Stored)
	if err := memory.Share().Append(3, storage.Frame{storage.FrameBytes(3, false, []byte("no batch"))}, storage.Relaxed); err != nil {
		t.Fatal(err)
	}
	wantCode(t, s.CatchUp(), engine.CodeCorrupt)
	wantContents(t, s, "own=1 other=1")
	if told != 1 {
		t.Errorf("was told %d times, want once", told)
	}
}

// watched is a session on a log that counts its reads, and that watches.
type watched struct {
	*storage.Session
	reads int
	news  chan string
}

func openWatched(t *testing.T, log storage.Log) *watched {
	t.Helper()
	w := &watched{news: make(chan string, 100)}
	counting := faulty(storage.NewMemory())
	counting.Log = log
	counting.OnRecord = func(*storage.Record) error { w.reads++; return nil }
	w.Session = openSession(t, counting, storage.SessionOptions{OnForeign: func() { w.news <- contents(t, w.DB()) }})
	w.reads = 0
	return w
}

func TestWatch_appliesTheNextBatchWithoutReading(t *testing.T) {
	memory := storage.NewMemory()
	a := openSession(t, memory.Share(), storage.SessionOptions{})
	put(t, a.DB(), "a", 0)
	flush(t, a, storage.Stored) // the first tells b the identity of the database
	b := openWatched(t, memory.Share())
	add(t, a.DB())
	flush(t, a, storage.Stored)
	if got := <-b.news; got != "a=1" {
		t.Errorf("heard %q", got)
	}
	add(t, a.DB())
	flush(t, a, storage.Stored)
	if got := <-b.news; got != "a=2" {
		t.Errorf("heard %q", got)
	}
	settled(t, b.Session)
	if b.reads != 0 {
		t.Errorf("read %d records, want none", b.reads)
	}

	// The batch counts as if it had been read, so the next append fits.
	put(t, b.DB(), "b", 1)
	flush(t, b.Session, storage.Stored)
	wantReplay(t, memory.Share(), "a=2 b=1")
}

// toldLog tells its watcher what the test says.
type toldLog struct {
	storage.Log
	tell    func(seq uint64, bytes []byte)
	stopped bool
}

func (l *toldLog) Watch(listener func(seq uint64, bytes []byte)) func() {
	l.tell = listener
	return func() { l.stopped = true }
}

func TestWatch_readsTheLogIfTheMessageDoesNotFit(t *testing.T) {
	for _, tt := range []struct {
		name string
		tell func(l *toldLog, second []byte)
	}{
		{"no bytes", func(l *toldLog, second []byte) { l.tell(2, nil) }},
		{"no number", func(l *toldLog, second []byte) { l.tell(0, nil) }},
		{"a batch was missed", func(l *toldLog, second []byte) { l.tell(2, second) }},
		{"damaged bytes", func(l *toldLog, second []byte) {
			bad := bytes.Clone(second)
			bad[len(bad)-1] ^= 1
			l.tell(2, bad)
		}},
		{"another number", func(l *toldLog, second []byte) { l.tell(1, second) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			memory := storage.NewMemory()
			told := &toldLog{Log: memory.Share()}
			s := openWatched(t, told)
			writer := openSession(t, memory.Share(), storage.SessionOptions{})
			put(t, writer.DB(), "a", 1)
			flush(t, writer, storage.Stored)
			add(t, writer.DB())
			flush(t, writer, storage.Stored)
			tt.tell(told, records(t, memory.Share())[1].Bytes)
			if got := <-s.news; got != "a=2" {
				t.Errorf("heard %q, want everything", got)
			}
		})
	}
}

func TestWatch_ignoresOldMessagesAndWaitsForPendingChanges(t *testing.T) {
	memory := storage.NewMemory()
	told := &toldLog{Log: memory.Share()}
	s := openWatched(t, told)
	writer := openSession(t, memory.Share(), storage.SessionOptions{})
	put(t, writer.DB(), "a", 1)
	flush(t, writer, storage.Stored)
	first := records(t, memory.Share())[0].Bytes
	told.tell(1, bytes.Clone(first))
	<-s.news
	told.tell(1, bytes.Clone(first))

	add(t, writer.DB())
	flush(t, writer, storage.Stored)
	if err := s.View(func(db *engine.DB) error { put(t, db, "pending", 1); return nil }); err != nil {
		t.Fatal(err)
	}
	told.tell(2, records(t, memory.Share())[1].Bytes)
	flush(t, s.Session, storage.Conflict)
	if got := <-s.news; got != "a=2" || len(s.news) != 0 {
		t.Errorf("heard %q, and %d more", got, len(s.news))
	}
}

func TestWatch_survivesAPanic(t *testing.T) {
	memory := storage.NewMemory()
	told := &toldLog{Log: memory.Share()}
	panicked := make(chan bool)
	s, err := storage.Open(told, storage.SessionOptions{OnForeign: func() { close(panicked); panic("a bug in the listener") }})
	if err != nil {
		t.Fatal(err)
	}
	writer := openSession(t, memory.Share(), storage.SessionOptions{})
	put(t, writer.DB(), "a", 1)
	flush(t, writer, storage.Stored)
	told.tell(1, nil)
	<-panicked
	for err == nil { // until the goroutine has panicked
		err = s.View(func(*engine.DB) error { return nil })
	}
	wantCode(t, err, engine.CodeInternal)
	_, err = s.Flush()
	wantCode(t, err, engine.CodeInternal)
	if err := s.Close(); err != nil || !told.stopped {
		t.Errorf("Close returned %v; stopped watching: %t", err, told.stopped)
	}
}

// A revocable is a Log whose host may take back what it has stored: the test puts
// another Log into it.
type revocable struct{ storage.Log }

func (*revocable) MayRevoke() bool { return true }

// TestConflict_afterTheHostTookBatchesBack: the session reads the log again, and
// the caller does its work once more. Where a log should not lose anything, the
// loss is an error.
func TestConflict_afterTheHostTookBatchesBack(t *testing.T) {
	before := storage.NewMemory()
	first := openSession(t, deaf(before), storage.SessionOptions{})
	put(t, first.DB(), "a", 1)
	flush(t, first, storage.Stored)

	log, strictLog := &revocable{storage.NewMemory()}, &struct{ storage.Log }{storage.NewMemory()}
	s, strict := openSession(t, log, storage.SessionOptions{}), openSession(t, strictLog, storage.SessionOptions{})
	for _, session := range []*storage.Session{s, strict} {
		for _, id := range []string{"a", "b", "c"} {
			put(t, session.DB(), id, 1)
			flush(t, session, storage.Stored)
		}
	}
	log.Log, strictLog.Log = before.Share(), before.Share()

	put(t, s.DB(), "d", 1)
	flush(t, s, storage.Conflict)
	wantContents(t, s, "a=1")
	put(t, s.DB(), "d", 1)
	flush(t, s, storage.Stored)
	wantReplay(t, before.Share(), "a=1 d=1")

	put(t, strict.DB(), "e", 1)
	if _, err := strict.Flush(); engine.CodeOf(err) != engine.CodeClosed {
		t.Errorf("Flush returned %v, want closed", err)
	}
}

// TestVerify_afterTheHostTookBatchesBack: the session reads the log again.
func TestVerify_afterTheHostTookBatchesBack(t *testing.T) {
	log := &revocable{storage.NewMemory()}
	s := openSession(t, log, storage.SessionOptions{})
	put(t, s.DB(), "a", 1)
	flush(t, s, storage.Stored)
	log.Log = storage.NewMemory()
	report, err := s.Verify()
	if err != nil || len(report.Problems) > 0 {
		t.Fatalf("Verify returned %v, %v", report, err)
	}
	wantContents(t, s, "")
}
