package storage_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestSession_keepsWhatItStored(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	put(t, s.DB(), "a", 1)
	flush(t, s, storage.Stored)
	put(t, s.DB(), "b", 1)
	put(t, s.DB(), "c", 1)
	flush(t, s, storage.Stored)
	add(t, s.DB())
	if err := s.DB().CreateCollection("empty"); err != nil {
		t.Fatal(err)
	}
	flush(t, s, storage.Stored)
	put(t, s.DB(), "never flushed", 1)

	again := openSession(t, memory.Share(), storage.SessionOptions{})
	wantContents(t, again, "a=2 b=2 c=2")
	if got := again.DB().Collections(); !slices.Equal(got, []string{"docs", "empty"}) {
		t.Errorf("collections are %v", got)
	}
	if again.Head() != 3 {
		t.Errorf("the head is %d, want 3", again.Head())
	}
}

func TestSession_storesAllPendingChangesAsOneBatch(t *testing.T) {
	memory := storage.NewMemory()
	log := faulty(memory)
	s := openSession(t, log, storage.SessionOptions{})
	flush(t, s, storage.Stored) // without pending changes it stores no batch

	log.BeforeAppend = func(seq uint64) error {
		if seq == 1 { // a page goes on working while its storage does
			put(t, s.DB(), "meanwhile", 1)
			add(t, s.DB())
		}
		return nil
	}
	put(t, s.DB(), "a", 1)
	put(t, s.DB(), "b", 1)
	flush(t, s, storage.Stored)
	wantContents(t, s, "a=2 b=2 meanwhile=2")
	wantReplay(t, memory.Share(), "a=1 b=1")

	flush(t, s, storage.Stored)
	flush(t, s, storage.Stored)
	wantReplay(t, memory.Share(), "a=2 b=2 meanwhile=2")
	if n := len(records(t, memory.Share())); n != 2 {
		t.Errorf("the log holds %d batches, want 2", n)
	}
}

func TestSession_undoesWhatCannotBeStored(t *testing.T) {
	for nth := 1; nth <= 4; nth++ {
		memory := storage.NewMemory()
		log := faulty(memory)
		log.BeforeAppend = storagetest.Nth(nth, errFull)
		rollbacks := 0
		s := openSession(t, log, storage.SessionOptions{OnRollback: func() { rollbacks++ }})

		want := []string{}
		for i, id := range []string{"a", "b", "c", "d", "e"} {
			if i+1 == nth {
				previous := log.BeforeAppend
				log.BeforeAppend = func(seq uint64) error {
					put(t, s.DB(), "meanwhile", 1) // after changes that will fail
					return previous(seq)
				}
			}
			before := contents(t, s.DB())
			put(t, s.DB(), id, i)
			_, err := s.Flush()
			if i+1 == nth {
				wantCode(t, err, engine.CodeQuota)
				wantContents(t, s, before)
				log.BeforeAppend = nil
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, id+"="+string('0'+byte(i)))
		}
		wantContents(t, s, strings.Join(want, " "))
		wantReplay(t, memory.Share(), strings.Join(want, " "))
		if rollbacks != 1 {
			t.Errorf("was told of %d rollbacks, want 1", rollbacks)
		}
	}
}

func TestSession_withoutLog(t *testing.T) {
	s := openSession(t, nil, storage.SessionOptions{})
	for range 3 {
		put(t, s.DB(), "a", 1)
		flush(t, s, storage.Stored)
		if err := s.CatchUp(); err != nil {
			t.Fatal(err)
		}
	}
	wantContents(t, s, "a=1")
}

func TestSession_LogSize(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory, storage.SessionOptions{})
	for n, id := range []string{"a", "b", "c"} {
		store(t, s, id, 1)
		want := storage.LogSize{Records: n + 1}
		for _, r := range records(t, memory) {
			want.Bytes += int64(len(r.Bytes))
		}
		if got := s.LogSize(); got != want {
			t.Errorf("after %d batches the size is %+v, want %+v", n+1, got, want)
		}
	}
}

func TestSession_passesDurability(t *testing.T) {
	for _, want := range []storage.Durability{storage.Relaxed, storage.Strict} {
		log := &durabilityLog{Log: storage.NewMemory()}
		s := openSession(t, log, storage.SessionOptions{Durability: want})
		put(t, s.DB(), "a", 1)
		flush(t, s, storage.Stored)
		if !slices.Equal(log.asked, []storage.Durability{want}) {
			t.Errorf("Append was asked for %v, want %v", log.asked, want)
		}
	}
}

type durabilityLog struct {
	storage.Log
	asked []storage.Durability
}

func (l *durabilityLog) Append(seq uint64, frame storage.Frame, d storage.Durability) error {
	l.asked = append(l.asked, d)
	return l.Log.Append(seq, frame, d)
}

func TestSession_writersDiffer(t *testing.T) {
	memory := storage.NewMemory()
	a := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	b := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	// Two writers append the same batch. If their frames were equal, the second
	// would take the first one's for its own, and one increment would be lost.
	put(t, a.DB(), "a", 0)
	flush(t, a, storage.Stored)
	if err := b.CatchUp(); err != nil {
		t.Fatal(err)
	}
	add(t, a.DB())
	add(t, b.DB())
	flush(t, a, storage.Stored)
	flush(t, b, storage.Conflict)
	add(t, b.DB())
	flush(t, b, storage.Stored)
	wantReplay(t, memory.Share(), "a=2")

	given := storage.Writer{1, 2, 3, 4, 5, 6, 7, 8}
	c := openSession(t, memory.Share(), storage.SessionOptions{Writer: given})
	add(t, c.DB())
	flush(t, c, storage.Stored)
	all := records(t, memory.Share())
	if last := all[len(all)-1].Bytes; !bytes.Contains(last, given[:]) {
		t.Errorf("the frame %s does not name its writer", short(last))
	}
}

func TestSession_closed(t *testing.T) {
	memory := storage.NewMemory()
	s, err := storage.Open(memory.Share(), storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, s.DB(), "a", 1)
	flush(t, s, storage.Stored)
	put(t, s.DB(), "b", 1)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.Flush()
	wantCode(t, err, engine.CodeClosed)
	wantContents(t, s, "a=1")
	wantCode(t, s.CatchUp(), engine.CodeClosed)
	wantCode(t, s.View(func(*engine.DB) error { return nil }), engine.CodeClosed)
	wantCode(t, s.Update(func(*engine.DB) error { return nil }), engine.CodeClosed)

	// A closed session must not get messages.
	other := openSession(t, memory.Share(), storage.SessionOptions{})
	put(t, other.DB(), "c", 1)
	flush(t, other, storage.Stored)
	wantContents(t, s, "a=1")
}

func TestSession_openFails(t *testing.T) {
	_, err := storage.Open(storage.NewMemory(), storage.SessionOptions{Engine: engine.Options{MaxDepth: -1}})
	wantCode(t, err, engine.CodeInvalid)

	log := faulty(storage.NewMemory())
	s := openSession(t, log.Log.(*storage.Memory).Share(), storage.SessionOptions{})
	put(t, s.DB(), "a", 1)
	flush(t, s, storage.Stored)
	unreadable := &engine.Error{Code: engine.CodeStorage, Op: "read"}
	log.OnRecord = func(*storage.Record) error { return unreadable }
	_, err = storage.Open(log, storage.SessionOptions{})
	if !errors.Is(err, unreadable) {
		t.Errorf("Open returned %v, want the log's error", err)
	}
	if err := log.Append(2, nil, storage.Relaxed); !errors.Is(err, engine.CodeClosed) {
		t.Errorf("the log that could not be opened is still open: %v", err)
	}
}

func TestUpdate(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	update := func(work func(*engine.DB) error) error { return s.Update(work) }
	if err := update(func(db *engine.DB) error { put(t, db, "a", 1); return nil }); err != nil {
		t.Fatal(err)
	}

	enough := errors.New("enough")
	if err := update(func(db *engine.DB) error { put(t, db, "b", 1); return enough }); err != enough {
		t.Errorf("Update returned %v, want the work's error", err)
	}
	wantContents(t, s, "a=1")

	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic was swallowed")
			}
		}()
		_ = update(func(db *engine.DB) error { put(t, db, "c", 1); panic("a bug in the work") })
	}()
	wantContents(t, s, "a=1")
	if err := update(func(db *engine.DB) error { put(t, db, "d", 1); return nil }); err != nil {
		t.Fatal(err)
	}
	wantReplay(t, memory.Share(), "a=1 d=1")
}

func TestUpdate_givesUp(t *testing.T) {
	memory := storage.NewMemory()
	log := faulty(memory)
	rival := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	log.BeforeAppend = func(seq uint64) error { // another writer that is always faster
		return rival.Update(func(db *engine.DB) error { put(t, db, "rival", int(seq)); return nil })
	}
	s := openSession(t, deaf(log), storage.SessionOptions{})
	runs := 0
	err := s.Update(func(db *engine.DB) error { runs++; put(t, db, "slow", 1); return nil })
	wantCode(t, err, engine.CodeConflict)
	if runs != 1000 {
		t.Errorf("the work ran %d times, want 1000", runs)
	}
	wantContents(t, s, "rival=1000")
}

// TestUpdate_concurrently is for the race detector as much as for the sum.
func TestUpdate_concurrently(t *testing.T) {
	const sessions, updates = 4, 100
	memory := storage.NewMemory()
	first := openSession(t, memory.Share(), storage.SessionOptions{})
	if err := first.Update(func(db *engine.DB) error { put(t, db, "sum", 0); return nil }); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range sessions {
		s := openSession(t, memory.Share(), storage.SessionOptions{CompactAfter: 2000})
		for range 2 { // two goroutines share each session
			all.Go(func() {
				for range updates / 2 {
					if err := s.Update(func(db *engine.DB) error { add(t, db); return nil }); err != nil {
						t.Error(err)
					}
					seen := s.View(func(db *engine.DB) error { contents(t, db); return nil })
					if seen != nil {
						t.Error(seen)
					}
				}
			})
		}
	}
	all.Wait()
	wantReplay(t, memory.Share(), "sum=400")
	if err := first.CatchUp(); err != nil {
		t.Fatal(err)
	}
	if got := msgpack.Lookup(first.DB().Get("docs", msgpack.AppendString(nil, "sum")), "n"); !msgpack.Equal(got, msgpack.AppendInt(nil, 400)) {
		t.Errorf("the first session has %x after CatchUp, want 400", got)
	}
}

func wantCode(t *testing.T, err error, want engine.Code) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want code %s", err, want)
	}
}

// TestFlush_panic: after a panic in Append, which the bridge recovers, the session
// refuses every call and can be closed.
func TestFlush_panic(t *testing.T) {
	log := faulty(storage.NewMemory())
	s := openSession(t, log, storage.SessionOptions{})
	log.BeforeAppend = func(uint64) error { panic("planted") }
	put(t, s.DB(), "a", 1)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = s.Flush()
	}()
	_, err := s.Flush()
	wantCode(t, err, engine.CodeInternal)
	wantCode(t, s.CatchUp(), engine.CodeInternal)
}
