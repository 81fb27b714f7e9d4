package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
)

// shape writes a log as "s7 8 9": a snapshot numbered 7 and two batches.
func shape(t *testing.T, log storage.Log) string {
	t.Helper()
	text := ""
	for i, r := range records(t, log) {
		if i > 0 {
			text += " "
		}
		if r.Snapshot {
			text += "s"
		}
		text += fmt.Sprint(r.Seq)
	}
	return text
}

func wantShape(t *testing.T, log storage.Log, want string) {
	t.Helper()
	if got := shape(t, log); got != want {
		t.Errorf("the log is %q, want %q", got, want)
	}
}

func putAndFlush(t *testing.T, s *storage.Session, id string, n int) {
	t.Helper()
	put(t, s.DB(), id, n)
	flush(t, s, storage.Stored)
}

func TestCompaction_keepsTheLogInProportion(t *testing.T) {
	const limit = 4000
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{CompactAfter: limit})
	longest, compactions := 0, 0
	for i := range 1000 {
		putAndFlush(t, s, "one document", i)
		settled(t, s)
		length := 0
		all := records(t, memory.Share())
		for _, r := range all {
			length += len(r.Bytes)
		}
		if all[0].Snapshot && len(all) == 1 {
			compactions++
		}
		longest = max(longest, length)
	}
	if longest > limit+200 {
		t.Errorf("the log grew to %d bytes, want at most %d and one record", longest, limit)
	}
	if compactions < 10 || compactions > 30 {
		t.Errorf("%d compactions for 1,000 batches of about 70 bytes and a limit of %d", compactions, limit)
	}
	wantReplay(t, memory.Share(), "one document=999")
}

func TestCompaction_waitsForTwiceTheData(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{CompactAfter: 100})
	putLarge(t, s.DB(), "large", 10_000)
	flush(t, s, storage.Stored)
	putLarge(t, s.DB(), "large", 9_000)
	flush(t, s, storage.Stored)
	settled(t, s)
	wantShape(t, memory.Share(), "s2") // 19,000 bytes of batches for 9,000 of data
	putLarge(t, s.DB(), "large", 10_000)
	flush(t, s, storage.Stored)
	settled(t, s)
	wantShape(t, memory.Share(), "s2 3")
	putLarge(t, s.DB(), "another", 10_000)
	flush(t, s, storage.Stored)
	settled(t, s)
	wantShape(t, memory.Share(), "s2 3 4")
}

func TestCompaction_countsWhatIsInTheLogAlready(t *testing.T) {
	memory := storage.NewMemory()
	for i := range 20 {
		s := openSession(t, deaf(memory.Share()), storage.SessionOptions{CompactAfter: 600})
		putAndFlush(t, s, "a", i)
		settled(t, s)
	}
	if n := len(records(t, memory.Share())); n > 12 {
		t.Errorf("the log holds %d batches, though each of the sessions that wrote one should have compacted about 10", n)
	}
	wantReplay(t, memory.Share(), "a=19")
}

// TestCompaction_holdsOnlyWhatIsStored has changes made while their
// predecessors are being stored: the snapshot must not hold them.
func TestCompaction_holdsOnlyWhatIsStored(t *testing.T) {
	memory := storage.NewMemory()
	log := faulty(memory)
	s := openSession(t, log, storage.SessionOptions{CompactAfter: 1})
	log.BeforeAppend = func(uint64) error { add(t, s.DB()); put(t, s.DB(), "meanwhile", 1); return nil }
	log.BeforeCompact = func(uint64) error { add(t, s.DB()); return nil }
	putAndFlush(t, s, "a", 1)
	settled(t, s)
	putAndFlush(t, s, "b", 1)
	settled(t, s)
	log.BeforeAppend, log.BeforeCompact = nil, nil
	if got := shape(t, memory.Share()); got != "s2" {
		t.Fatalf("the log is %q: the test tests nothing", got)
	}
	wantReplay(t, memory.Share(), "a=3 meanwhile=2 b=1")
}

func TestCompaction_failureIsNotTheWrites(t *testing.T) {
	memory := storage.NewMemory()
	log := faulty(memory)
	attempts := 0
	log.BeforeCompact = func(uint64) error { attempts++; return errors.New("no room for a copy") }
	s := openSession(t, log, storage.SessionOptions{CompactAfter: 500})
	for i := range 30 {
		putAndFlush(t, s, "a", i)
	}
	settled(t, s)
	wantContents(t, s, "a=29")
	if attempts < 2 || attempts > 5 {
		t.Errorf("%d attempts for 30 batches, want one for each 500 bytes", attempts)
	}
	log.BeforeCompact = nil
	for i := range 10 {
		putAndFlush(t, s, "a", i)
	}
	settled(t, s)
	if n := len(records(t, memory.Share())); n > 10 {
		t.Errorf("the log holds %d records once compactions succeed again", n)
	}
	wantReplay(t, memory.Share(), "a=9")
}

func TestCompaction_leavesWhatOthersAppendMeanwhile(t *testing.T) {
	memory := storage.NewMemory()
	log := faulty(memory)
	other := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	s := openSession(t, deaf(log), storage.SessionOptions{CompactAfter: 1})
	log.BeforeCompact = func(uint64) error {
		log.BeforeCompact = nil
		if err := other.CatchUp(); err != nil {
			return err
		}
		putAndFlush(t, other, "other", 1)
		putAndFlush(t, other, "other", 2)
		return nil
	}
	putAndFlush(t, s, "a", 1)
	settled(t, s)
	wantShape(t, memory.Share(), "s1 2 3")
	if err := s.CatchUp(); err != nil {
		t.Fatal(err)
	}
	wantContents(t, s, "a=1 other=2")
	wantReplay(t, memory.Share(), "a=1 other=2")
}

func TestCompaction_tooLate(t *testing.T) {
	memory := storage.NewMemory()
	log := faulty(memory)
	other := openSession(t, deaf(memory.Share()), storage.SessionOptions{CompactAfter: 1})
	s := openSession(t, deaf(log), storage.SessionOptions{CompactAfter: 1})
	log.BeforeCompact = func(uint64) error {
		if err := other.CatchUp(); err != nil {
			return err
		}
		putAndFlush(t, other, "other", 1)
		settled(t, other) // it has compacted more than s will
		return nil
	}
	putAndFlush(t, s, "a", 1)
	settled(t, s)
	wantShape(t, memory.Share(), "s2")
	wantReplay(t, memory.Share(), "a=1 other=1")
}

// TestCompaction_isDoneByOne: every session counts the same bytes. Only the one
// that stored the last batch compacts, though the others know of that batch
// before.
func TestCompaction_isDoneByOne(t *testing.T) {
	memory := storage.NewMemory()
	compactions := 0
	sessions := make([]*storage.Session, 3)
	catchUp := func(except *storage.Session) {
		for _, s := range sessions {
			if s == except {
				continue
			}
			if err := s.CatchUp(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range sessions {
		log := faulty(memory)
		log.BeforeCompact = func(uint64) error {
			compactions++
			catchUp(sessions[i])
			return nil
		}
		sessions[i] = openSession(t, deaf(log), storage.SessionOptions{CompactAfter: 600})
	}
	for i := range 30 {
		s := sessions[i%len(sessions)]
		putAndFlush(t, s, "a", i)
		settled(t, s)
		catchUp(s)
	}
	if compactions < 2 || compactions > 3 {
		t.Errorf("%d compactions, want one for each 600 of about 1,800 bytes", compactions)
	}
}

func TestCompaction_countsFromTheSnapshot(t *testing.T) {
	memory := storage.NewMemory()
	writer := openSession(t, deaf(memory.Share()), storage.SessionOptions{CompactAfter: 640})
	behind := openSession(t, deaf(memory.Share()), storage.SessionOptions{CompactAfter: 640})
	for i := range 8 { // at about 75 bytes each
		putAndFlush(t, writer, "a", i)
	}
	if err := behind.CatchUp(); err != nil {
		t.Fatal(err)
	}
	putAndFlush(t, writer, "a", 8)
	settled(t, writer)
	wantShape(t, memory.Share(), "s9")
	if err := behind.CatchUp(); err != nil {
		t.Fatal(err)
	}
	putAndFlush(t, behind, "a", 9)
	putAndFlush(t, behind, "a", 10)
	settled(t, behind)
	wantShape(t, memory.Share(), "s9 10 11")
}

// TestSnapshot_replacesWhatASessionHolds: what was removed before the snapshot
// must go, although the snapshot does not mention it.
func TestSnapshot_replacesWhatASessionHolds(t *testing.T) {
	for _, pending := range []bool{false, true} {
		memory := storage.NewMemory()
		writer := openSession(t, deaf(memory.Share()), storage.SessionOptions{CompactAfter: 1})
		behind := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
		putAndFlush(t, writer, "a", 1)
		putAndFlush(t, writer, "b", 1)
		if err := behind.CatchUp(); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.DB().Remove("docs", nil); err != nil {
			t.Fatal(err)
		}
		putAndFlush(t, writer, "c", 1)
		settled(t, writer)
		wantShape(t, memory.Share(), "s3")

		if pending {
			put(t, behind.DB(), "lost the race", 1)
			flush(t, behind, storage.Conflict)
		} else if err := behind.CatchUp(); err != nil {
			t.Fatal(err)
		}
		wantContents(t, behind, "c=1")
		putAndFlush(t, behind, "d", 1)
		wantReplay(t, memory.Share(), "c=1 d=1")
		if doc := behind.DB().Get("docs", msgpack.AppendString(nil, "a")); doc != nil {
			t.Errorf("a removed document is still there: %x", doc)
		}
	}
}

// TestSnapshot_betweenBatches: a log is compacted while it is read in pieces, and
// the snapshot follows.
func TestSnapshot_betweenBatches(t *testing.T) {
	memory, compacted := storage.NewMemory(), storage.NewMemory()
	writer := openSession(t, memory.Share(), storage.SessionOptions{})
	for i, id := range []string{"a", "b", "c", "d"} {
		putAndFlush(t, writer, id, i)
	}
	for _, r := range records(t, memory.Share())[:3] {
		if err := compacted.Append(r.Seq, storage.Frame{r.Bytes}, storage.Relaxed); err != nil {
			t.Fatal(err)
		}
	}
	snapshot := storage.FrameBytes(3, true, bytes.Join(openSession(t, compacted.Share(), storage.SessionOptions{}).DB().Snapshot(), nil))

	log := faulty(memory)
	log.OnRecord = func(r *storage.Record) error {
		if r.Seq == 3 {
			r.Snapshot, r.Bytes = true, bytes.Clone(snapshot)
		}
		return nil
	}
	wantReplay(t, log, "a=0 b=1 c=2 d=3")
}

// countedLog has a CompactionHint of few batches.
type countedLog struct{ storage.Log }

func (countedLog) CompactEvery() int { return 3 }

func TestCompact_afterAsManyBatchesAsTheLogWants(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, countedLog{memory.Share()}, storage.SessionOptions{})
	var got []string
	for n := range 9 {
		put(t, s.DB(), "a", n)
		flush(t, s, storage.Stored)
		settled(t, s)
		all := records(t, memory.Share())
		got = append(got, fmt.Sprint(len(all), all[0].Snapshot))
	}
	want := "1 false, 2 false, 1 true, 2 true, 3 true, 1 true, 2 true, 3 true, 1 true"
	if strings.Join(got, ", ") != want {
		t.Errorf("the log held %s, want %s", strings.Join(got, ", "), want)
	}
}

func TestCompact_now(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	if err := s.Compact(); err != nil {
		t.Fatal("an empty log:", err)
	}
	wantShape(t, memory.Share(), "")
	for i := range 3 {
		putAndFlush(t, s, fmt.Sprint(i), i)
	}
	put(t, s.DB(), "pending", 3)
	if err := s.Compact(); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("with pending changes: %v", err)
	}
	wantShape(t, memory.Share(), "1 2 3")
	flush(t, s, storage.Stored)
	for range 2 { // the second time there is nothing to do
		if err := s.Compact(); err != nil {
			t.Fatal(err)
		}
		wantShape(t, memory.Share(), "s4")
	}
	if size := s.LogSize(); size.Records != 1 {
		t.Errorf("the size of the log is %+v", size)
	}
	putAndFlush(t, s, "after", 5)
	wantShape(t, memory.Share(), "s4 5")
	again := openSession(t, memory.Share(), storage.SessionOptions{})
	if n := again.DB().Size(); n != s.DB().Size() {
		t.Errorf("opened again, it has %d bytes of documents, want %d", n, s.DB().Size())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(); engine.CodeOf(err) != engine.CodeClosed {
		t.Errorf("closed: %v", err)
	}
}
