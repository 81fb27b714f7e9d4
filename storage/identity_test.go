package storage_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// another is the identity of another database.
var another = storage.Identity{'o', 't', 'h', 'e', 'r'}

// openAs opens a session that gives a new database an identity.
func openAs(t *testing.T, log storage.Log, identity storage.Identity) *storage.Session {
	t.Helper()
	return openSession(t, log, storage.SessionOptions{Identity: identity})
}

// filled returns a log that a database of that identity has written: n batches,
// which set "id" to 1, 2, …
func filled(t *testing.T, identity storage.Identity, id string, n int) *storage.Memory {
	t.Helper()
	memory := storage.NewMemory()
	fill(t, memory, identity, id, n)
	return memory
}

func fill(t *testing.T, log *storage.Memory, identity storage.Identity, id string, n int) {
	t.Helper()
	s := openAs(t, log.Share(), identity)
	for i := range n {
		put(t, s.DB(), id, i+1)
		flush(t, s, storage.Stored)
	}
}

func asVersion1(all []storage.Record) []storage.Record {
	for i := range all {
		all[i].Bytes = storage.FrameOfVersion1(all[i].Bytes)
	}
	return all
}

// TestIdentity_ofEachRecord: all records of a log have the identity of the first.
func TestIdentity_ofEachRecord(t *testing.T) {
	memory := filled(t, another, "a", 3)
	s := openSession(t, deaf(memory.Share()), storage.SessionOptions{CompactAfter: 300})
	for i := range 9 {
		putAndFlush(t, s, "b", i)
	}
	settled(t, s)
	all := records(t, memory.Share())
	if !all[0].Snapshot {
		t.Fatal("it was not compacted")
	}
	for _, r := range all {
		if storage.IdentityOf(r.Bytes) != another {
			t.Errorf("%d has the identity %x", r.Seq, storage.IdentityOf(r.Bytes))
		}
	}
}

// TestIdentity_isChosenOnce: without an argument it is random, and an Identified
// log has its own.
func TestIdentity_isChosenOnce(t *testing.T) {
	seen := map[storage.Identity]bool{{}: true}
	for range 3 {
		memory := storage.NewMemory()
		s, err := storage.Open(memory.Share(), storage.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			put(t, s.DB(), "a", i)
			flush(t, s, storage.Stored)
		}
		all := records(t, memory.Share())
		if id := storage.IdentityOf(all[0].Bytes); seen[id] || id != storage.IdentityOf(all[1].Bytes) {
			t.Errorf("batch 1 has the identity %x, batch 2 %x", id, storage.IdentityOf(all[1].Bytes))
		} else {
			seen[id] = true
		}
	}
	log := identified{storage.NewMemory()}
	s, err := storage.Open(log, storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, s.DB(), "a", 1)
	flush(t, s, storage.Stored)
	if id := storage.IdentityOf(records(t, log.Memory)[0].Bytes); id != another {
		t.Errorf("in a log with an identity the database has %x", id)
	}
}

type identified struct{ *storage.Memory }

func (identified) Identity() storage.Identity { return another }

// shouting is a log whose watcher the test tells what it likes. It says when it is
// read.
type shouting struct {
	*storage.Memory
	shout func(seq uint64, bytes []byte)
	reads chan bool
}

func newShouting(memory *storage.Memory) *shouting {
	return &shouting{Memory: memory, reads: make(chan bool, 100)}
}

func (s *shouting) Watch(listener func(uint64, []byte)) (stop func()) {
	s.shout = listener
	return func() {}
}

func (s *shouting) Read(after uint64, visit func(storage.Record) error) error {
	s.reads <- true
	return s.Memory.Read(after, visit)
}

// TestIdentity_messages: a frame of another database that comes over the channel is
// ignored, and the log is read instead; so is one without an identity, and every
// frame before the session knows the identity.
func TestIdentity_messages(t *testing.T) {
	for n := range 3 {
		memory := filled(t, storage.TestIdentity, "a", n)
		log := newShouting(memory.Share())
		applied := make(chan bool, 10)
		s := openSession(t, log, storage.SessionOptions{OnForeign: func() { applied <- true }})
		<-log.reads
		foreign := records(t, filled(t, another, "foreign", n+1))[n].Bytes
		for _, frame := range [][]byte{foreign, storage.FrameOfVersion1(foreign)} {
			log.shout(uint64(n+1), frame)
			select {
			case <-log.reads:
			case <-applied:
				t.Fatalf("after %d batches, %x was applied", n, frame)
			}
			settled(t, s)
			if s.Head() != uint64(n) || strings.Contains(contents(t, s.DB()), "foreign") {
				t.Errorf("after %d batches: the session has %d, and %q", n, s.Head(), contents(t, s.DB()))
			}
		}
		put(t, s.DB(), "own", 1)
		flush(t, s, storage.Stored)
		wantReplay(t, memory.Share(), contents(t, s.DB()))
	}
	// One of this database is applied.
	memory := filled(t, another, "a", 2)
	log := newShouting(storage.MemoryOf(records(t, memory)[:1]))
	heard := make(chan bool)
	s := openSession(t, log, storage.SessionOptions{OnForeign: func() { heard <- true }})
	log.shout(2, records(t, memory)[1].Bytes)
	<-heard
	settled(t, s)
	if s.Head() != 2 {
		t.Errorf("the session has %d batches, want 2", s.Head())
	}
}

// TestIdentity_foreignRecord: a record of another database in the log is corrupt.
// The session that meets it goes on, Verify names it, and after a Repair the
// session writes again.
func TestIdentity_foreignRecord(t *testing.T) {
	foreign := records(t, filled(t, another, "foreign", 4))
	memory := filled(t, storage.TestIdentity, "a", 3)
	s := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	memory.Put(append(records(t, memory), foreign[3]))
	for range 2 {
		put(t, s.DB(), "b", 1)
		_, err := s.Flush()
		if !errors.Is(err, engine.CodeCorrupt) || err.Error() != "read batch 4: it is of another database" {
			t.Errorf("Flush returned %v", err)
		}
		wantContents(t, s, "a=3")
	}
	wantCode(t, s.CatchUp(), engine.CodeCorrupt)
	report, err := s.Verify()
	if err != nil || problems(report) != "4 corrupt []" || !strings.Contains(report.Problems[0].Why, "of another database") {
		t.Errorf("Verify says %s, %v", problems(report), err)
	}
	_, err = storage.Open(memory.Share(), storage.SessionOptions{})
	wantCode(t, err, engine.CodeCorrupt)
	report = mustRepair(t, memory.Share())
	if problems(report) != "4 corrupt []" || !strings.Contains(report.Problems[0].Why, "of another database") {
		t.Errorf("Repair says %s", problems(report))
	}
	if err := s.CatchUp(); err != nil {
		t.Fatal(err)
	}
	put(t, s.DB(), "b", 1)
	flush(t, s, storage.Stored)
	wantReplay(t, memory.Share(), "a=3 b=1")
}

// TestIdentity_foreignRecordAnywhere: whichever record is of another database, the
// log is corrupt, and a repair keeps the database that most records are of.
func TestIdentity_foreignRecordAnywhere(t *testing.T) {
	for _, compacted := range []bool{false, true} {
		own := records(t, sampleLog(t, compacted).Share())
		for i, r := range own {
			all := append([]storage.Record(nil), own...)
			all[i].Bytes = storage.WithIdentity(r.Bytes, another)
			memory := storage.MemoryOf(all)
			_, err := storage.Open(memory.Share(), storage.SessionOptions{})
			if !errors.Is(err, engine.CodeCorrupt) || !strings.Contains(err.Error(), "of another database") {
				t.Errorf("record %d: Open returned %v", r.Seq, err)
			}
			report := mustRepair(t, memory.Share())
			if len(report.Problems) != 1 || report.Problems[0].Seq != r.Seq || report.Problems[0].IDs != nil {
				t.Errorf("record %d: Repair says %s", r.Seq, problems(report))
			}
			wantReplay(t, memory.Share(), expectedWithout(own, i))
			if id := storage.IdentityOf(records(t, memory.Share())[0].Bytes); id != storage.IdentityOf(own[0].Bytes) {
				t.Errorf("record %d: the repaired log has the identity %x", r.Seq, id)
			}
		}
	}
}

// TestIdentity_recreated: the log was deleted and created anew while a session was
// not told. Its next append is refused, whatever the new log holds, and it ends.
func TestIdentity_recreated(t *testing.T) {
	for n := range 6 {
		for _, how := range []string{"flush", "commit", "catch up", "by version 1"} {
			memory := filled(t, storage.TestIdentity, "a", 3)
			s := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
			memory.Put(nil)
			fill(t, memory, another, "new", n)
			if how == "by version 1" {
				if n == 3 {
					continue // it has no identity to be known by
				}
				memory.Put(asVersion1(records(t, memory)))
			}
			before := texts(records(t, memory))
			put(t, s.DB(), "a", 4)
			var err error
			switch how {
			case "commit":
				err = s.Commit()
			case "catch up":
				if n > 3 {
					s.DB().Rollback()
					err = s.CatchUp()
					break
				}
				fallthrough
			default:
				_, err = s.Flush()
			}
			if !errors.Is(err, engine.CodeClosed) || !strings.Contains(err.Error(), "open the database again") {
				t.Errorf("%s over %d batches: %v", how, n, err)
			}
			if _, again := s.Flush(); !errors.Is(again, engine.CodeClosed) {
				t.Errorf("%s over %d batches: the next Flush returned %v", how, n, again)
			}
			if got := texts(records(t, memory)); got != before {
				t.Errorf("%s over %d batches: the log is %s, want %s", how, n, got, before)
			}
		}
	}
}

// TestIdentity_version1: a log without identities gets one with the next batch, and
// that batch's session replaces the others by a snapshot.
func TestIdentity_version1(t *testing.T) {
	for _, compacted := range []bool{false, true} {
		old := asVersion1(records(t, sampleLog(t, compacted).Share()))
		memory := storage.MemoryOf(old)
		first := openAs(t, deaf(memory.Share()), another)
		second := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
		want := contents(t, first.DB())
		if report, err := first.Verify(); err != nil || report.Problems != nil {
			t.Errorf("Verify says %s, %v", problems(report), err)
		}
		if got := texts(records(t, memory)); got != texts(old) {
			t.Error("opening it has changed the log")
		}
		put(t, first.DB(), "first", 1)
		put(t, second.DB(), "second", 2)
		flush(t, first, storage.Stored)
		settled(t, first)
		wantShape(t, memory.Share(), "s6")
		flush(t, second, storage.Conflict)
		put(t, second.DB(), "second", 2)
		flush(t, second, storage.Stored)
		settled(t, second)
		wantShape(t, memory.Share(), "s6 7") // the second session knows that it is done
		for _, r := range records(t, memory) {
			if storage.IdentityOf(r.Bytes) != another {
				t.Errorf("record %d has the identity %x", r.Seq, storage.IdentityOf(r.Bytes))
			}
		}
		wantReplay(t, memory.Share(), want+" first=1 second=2")
	}
}

// TestIdentity_version1FailsToCompact: the log is sound between the two steps, and
// the next session compacts it.
func TestIdentity_version1FailsToCompact(t *testing.T) {
	memory := storage.MemoryOf(asVersion1(records(t, sampleLog(t, false).Share())))
	log := faulty(memory)
	log.BeforeCompact = func(uint64) error { return errFull }
	s := openSession(t, log, storage.SessionOptions{})
	putAndFlush(t, s, "b", 1)
	settled(t, s)
	putAndFlush(t, s, "b", 2)
	settled(t, s)
	wantShape(t, memory.Share(), "1 2 3 4 5 6 7")
	again := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	if report, err := again.Verify(); err != nil || report.Problems != nil {
		t.Errorf("Verify says %s, %v", problems(report), err)
	}
	putAndFlush(t, again, "b", 3)
	settled(t, again)
	wantShape(t, memory.Share(), "s8")
}

// TestIdentity_mixedVersions: a record without identity cannot follow one with, and
// a batch with an identity follows others only if it says so.
func TestIdentity_mixedVersions(t *testing.T) {
	own := records(t, sampleLog(t, false).Share())
	old := asVersion1(records(t, storage.MemoryOf(own)))
	for name, all := range map[string][]storage.Record{
		"version 1 at the end":             {own[0], own[1], old[2]},
		"version 1 in the middle":          {own[0], old[1], own[2]},
		"version 2 without saying so":      {old[0], own[1]},
		"version 2 that continues nothing": {{Seq: 1, Bytes: continuing(t)}},
	} {
		_, err := storage.Open(storage.MemoryOf(all), storage.SessionOptions{})
		if !errors.Is(err, engine.CodeCorrupt) || !strings.Contains(err.Error(), "of another database") {
			t.Errorf("%s: Open returned %v", name, err)
		}
	}
}

// continuing returns a batch that continues a log of version 1, as batch 1.
func continuing(t *testing.T) []byte {
	t.Helper()
	memory := storage.MemoryOf(asVersion1(records(t, filled(t, another, "a", 1))))
	log := faulty(memory)
	log.BeforeCompact = func(uint64) error { return errFull }
	s := openSession(t, log, storage.SessionOptions{})
	putAndFlush(t, s, "a", 2)
	settled(t, s)
	return storage.AsNumber(records(t, memory)[1].Bytes, 1)
}

// TestWithIdentities changes records of the log's own database alone, and mends
// none that is damaged.
func TestWithIdentities(t *testing.T) {
	all := records(t, sampleLog(t, true).Share())
	damaged := len(all) - 1
	all[damaged].Bytes[60] ^= 1
	third := storage.Identity{3}
	all = append(all, storage.Record{Seq: all[damaged].Seq + 1, Bytes: storage.FrameOf(third, all[damaged].Seq+1, false, nil)})
	before := storage.MemoryOf(all)
	copied := records(t, before)
	storage.WithIdentities(copied, another)
	for i, r := range copied {
		want := another
		if i > damaged {
			want = third
		}
		if storage.IdentityOf(r.Bytes) != want || len(r.Bytes) != len(all[i].Bytes) {
			t.Errorf("record %d has the identity %x, want %x", r.Seq, storage.IdentityOf(r.Bytes), want)
		}
	}
	if _, err := storage.Open(storage.MemoryOf(copied[:damaged+1]), storage.SessionOptions{}); !errors.Is(err, engine.CodeCorrupt) {
		t.Errorf("a damaged record is as good as new: Open returned %v", err)
	}
	s, err := storage.Open(storage.MemoryOf(copied[:damaged]), storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	original := openSession(t, storage.MemoryOf(all[:damaged]), storage.SessionOptions{})
	wantContents(t, s, contents(t, original.DB()))
}

// TestRestore_foreign: a record that a Log refuses is stored as a damaged one.
func TestRestore_foreign(t *testing.T) {
	own := records(t, sampleLog(t, false).Share())
	for i, r := range own {
		all := append([]storage.Record(nil), own...)
		all[i].Bytes = storage.WithIdentity(r.Bytes, another)
		memory := storage.NewMemory()
		if err := storage.Restore(memory.Share(), all); err != nil {
			t.Fatalf("record %d: %v", r.Seq, err)
		}
		if report := mustRepair(t, memory.Share()); len(report.Problems) != 1 || report.Problems[0].Seq != r.Seq {
			t.Errorf("record %d: Repair says %s", r.Seq, problems(report))
		}
		wantReplay(t, memory.Share(), expectedWithout(own, i))
	}
}
