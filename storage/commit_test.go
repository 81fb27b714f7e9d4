package storage_test

import (
	"errors"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

func commit(t *testing.T, s *storage.Session, want engine.Code) {
	t.Helper()
	err := s.Commit()
	if want == "" && err != nil || want != "" && !errors.Is(err, want) {
		t.Fatalf("Commit returned %v, want %q", err, want)
	}
}

func TestCommit_storesEverythingSinceTheLast(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	commit(t, s, "")
	put(t, s.DB(), "a", 1)
	put(t, s.DB(), "b", 1)
	add(t, s.DB())
	wantReplay(t, memory.Share(), "")
	commit(t, s, "")
	wantReplay(t, memory.Share(), "a=2 b=2")
	put(t, s.DB(), "c", 1)
	commit(t, s, "")
	wantReplay(t, memory.Share(), "a=2 b=2 c=1")
	if n := len(records(t, memory.Share())); n != 2 {
		t.Errorf("the log holds %d batches, want 2", n)
	}
}

// TestCommit_losesNothingThatCannotBeStored: the next Commit stores the changes of
// one that failed, whether or not the log has kept its batch.
func TestCommit_losesNothingThatCannotBeStored(t *testing.T) {
	broken := &engine.Error{Code: engine.CodeStorage, Op: "append", Err: errors.New("the cable is out")}
	for name, fail := range map[string]func(*failing){
		"full":                      func(f *failing) { f.before = errFull },
		"failed":                    func(f *failing) { f.before = broken },
		"failed after it was kept":  func(f *failing) { f.after = broken },
		"failed, and reading fails": func(f *failing) { f.before, f.read = broken, broken },
		"kept, and reading fails":   func(f *failing) { f.after, f.read = broken, broken },
	} {
		t.Run(name, func(t *testing.T) {
			memory := storage.NewMemory()
			log, f := faulty(memory), &failing{}
			log.BeforeAppend = func(uint64) error { return f.before }
			log.AfterAppend = func(_ uint64, err error) error { return errors.Join(err, f.after) }
			log.OnRecord = func(*storage.Record) error { return f.read }
			s := openSession(t, log, storage.SessionOptions{})
			put(t, s.DB(), "first", 1)
			commit(t, s, "")

			put(t, s.DB(), "a", 1)
			fail(f)
			want := engine.CodeStorage
			if name == "full" {
				want = engine.CodeQuota
			}
			commit(t, s, want)
			wantContents(t, s, "first=1 a=1")
			put(t, s.DB(), "b", 1)
			add(t, s.DB())
			if f.after != nil && f.read != nil {
				commit(t, s, want) // it cannot find out
				put(t, s.DB(), "c", 1)
			}
			*f = failing{}
			if err := s.CatchUp(); err != nil {
				t.Fatal(err)
			}
			commit(t, s, "")
			all := "first=2 a=2 b=2"
			if name == "kept, and reading fails" {
				all = "first=2 a=2 b=2 c=1"
			}
			wantContents(t, s, all)
			wantReplay(t, memory.Share(), all)
		})
	}
}

// failing says how a FaultyLog fails now.
type failing struct{ before, after, read error }

func TestCommit_doesNotMixWithWhatOthersStored(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	other := openSession(t, memory.Share(), storage.SessionOptions{})
	put(t, other.DB(), "theirs", 1)
	flush(t, other, storage.Stored)
	if err := s.CatchUp(); err != nil { // without pending changes it applies theirs
		t.Fatal(err)
	}
	wantContents(t, s, "theirs=1")

	put(t, s.DB(), "mine", 1)
	put(t, other.DB(), "theirs", 2)
	flush(t, other, storage.Stored)
	for range 2 {
		commit(t, s, engine.CodeConflict)
		wantContents(t, s, "theirs=1 mine=1")
	}
	wantReplay(t, memory.Share(), "theirs=2")
}
