package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// sampleLog has five batches, or a snapshot of the first two and three batches;
// each puts a document of its own, and counts in another.
func sampleLog(t *testing.T, compacted bool) *storage.Memory {
	t.Helper()
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	for n := range 5 {
		put(t, s.DB(), "counter", n)
		put(t, s.DB(), fmt.Sprint("doc", n), n)
		flush(t, s, storage.Stored)
		if n == 1 && compacted {
			frame := storage.FrameBytes(2, true, bytes.Join(s.DB().Snapshot(), nil))
			if err := memory.Share().Compact(2, storage.Frame{frame}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return memory
}

func problems(report *storage.Report) string {
	var all []string
	for _, p := range report.Problems {
		all = append(all, fmt.Sprintf("%d %s %v", p.Seq, p.Code, p.IDs))
	}
	return strings.Join(all, ", ")
}

func TestVerify(t *testing.T) {
	for _, compacted := range []bool{false, true} {
		memory := sampleLog(t, compacted)
		log := faulty(memory)
		s := openSession(t, log, storage.SessionOptions{})
		report, err := s.Verify()
		want := storage.Report{Batches: 5, LastSeq: 5, Bytes: report.Bytes, Documents: 6}
		if compacted {
			want.Batches, want.SnapshotSeq = 4, 2
		}
		if err != nil || fmt.Sprint(*report) != fmt.Sprint(want) {
			t.Errorf("Verify returned %+v, %v, want %+v", report, err, want)
		}

		log.OnRecord = func(r *storage.Record) error {
			if r.Seq == 4 {
				r.Bytes[len(r.Bytes)-1] ^= 1
			}
			return nil
		}
		report, err = s.Verify()
		if err != nil || !strings.HasPrefix(problems(report), "4 corrupt") || strings.Contains(problems(report), ", 5") {
			t.Errorf("of a damaged record Verify says %s, %v", problems(report), err)
		}
		log.OnRecord = nil

		put(t, s.DB(), "pending", 1)
		if _, err := s.Verify(); !errors.Is(err, engine.CodeInvalid) {
			t.Errorf("with pending changes Verify returned %v", err)
		}
		flush(t, s, storage.Stored)
		other := openSession(t, memory.Share(), storage.SessionOptions{})
		put(t, other.DB(), "theirs", 1)
		flush(t, other, storage.Stored)
		if report, err := s.Verify(); err != nil || report.Problems != nil || report.Documents != 8 {
			t.Errorf("after another session has stored something Verify returned %+v, %v", report, err)
		}
	}

	// The log is sound, and leads to another state than the session's.
	memory := sampleLog(t, false)
	s := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	s.DB().Savepoint()
	put(t, s.DB(), "stray", 1)
	if err := s.DB().ReleaseSavepoint(); err != nil {
		t.Fatal(err)
	}
	s.DB().Cut(0)
	s.DB().Confirm()
	if report, err := s.Verify(); err != nil || problems(report) != "0 internal []" {
		t.Errorf("of another state Verify says %s, %v", problems(report), err)
	}
}

// TestRepair damages each record in turn, each of its bits or all of it, and
// compares what is left.
func TestRepair(t *testing.T) {
	for _, compacted := range []bool{false, true} {
		original := records(t, sampleLog(t, compacted).Share())
		for i := range original {
			for _, damage := range []func(b []byte) []byte{
				func(b []byte) []byte { b[len(b)-1] ^= 0x40; return b },
				func(b []byte) []byte { b[45] ^= 1; return b },
				func(b []byte) []byte { b[0] ^= 1; return b },
				func(b []byte) []byte { return b[:len(b)/2] },
				func(b []byte) []byte { return nil },
				func(b []byte) []byte { clear(b); return b },
			} {
				damaged := slices.Clone(original)
				damaged[i].Bytes = damage(bytes.Clone(original[i].Bytes))
				memory := memoryOf(t, damaged)
				if _, err := storage.Open(memory.Share(), storage.SessionOptions{}); !errors.Is(err, engine.CodeCorrupt) {
					t.Fatalf("record %d is damaged, and opening returned %v", i, err)
				}
				report, err := storage.Repair(memory.Share(), storage.SessionOptions{})
				if err != nil || len(report.Problems) != 1 || report.Problems[0].Seq != original[i].Seq || report.Batches != len(original)-1 {
					t.Fatalf("of record %d Repair returned %+v, %v", i, report, err)
				}
				want := expectedWithout(original, i)
				wantReplay(t, memory.Share(), want)
				// It is a sound database, and needs no repair.
				again := openSession(t, memory.Share(), storage.SessionOptions{})
				put(t, again.DB(), "new", 1)
				flush(t, again, storage.Stored)
				report, err = storage.Repair(memory.Share(), storage.SessionOptions{})
				if err != nil || report.Problems != nil {
					t.Fatalf("a second Repair returned %+v, %v", report, err)
				}
				wantReplay(t, memory.Share(), strings.TrimSpace(want+" new=1"))
			}
		}
	}
}

// expectedWithout returns the state of a log whose record i is damaged.
func expectedWithout(all []storage.Record, i int) string {
	var ids []string
	counts := map[string]int{}
	see := func(n int) {
		for _, id := range []string{"counter", fmt.Sprint("doc", n)} {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
			counts[id] = n
		}
	}
	for j, r := range all {
		if j == i {
			continue
		}
		if r.Snapshot {
			see(0)
		}
		see(int(r.Seq) - 1)
	}
	var out []string
	for _, id := range ids {
		out = append(out, fmt.Sprintf("%s=%d", id, counts[id]))
	}
	return strings.Join(out, " ")
}

// memoryOf returns a log that holds these records as they are.
func memoryOf(t *testing.T, all []storage.Record) *storage.Memory {
	t.Helper()
	var whole []storage.Record
	for _, r := range all {
		for len(whole) > 0 && whole[len(whole)-1].Seq+1 < r.Seq {
			whole = append(whole, storage.Record{Seq: whole[len(whole)-1].Seq + 1})
		}
		whole = append(whole, r)
	}
	memory := storage.MemoryOf(whole)
	return memory
}

func TestRepair_leavesAloneWhatItCannotRepair(t *testing.T) {
	original := records(t, sampleLog(t, true).Share())
	newer := slices.Clone(original)
	newer[1].Bytes = storage.FrameOfLaterVersion(original[1].Bytes)
	sealed := slices.Clone(original)
	sealed[1].Bytes = storage.Envelope(original[1].Bytes)
	for name, c := range map[string]struct {
		records []storage.Record
		want    engine.Code
	}{
		"a newer version": {newer, engine.CodeUnsupported},
		"encrypted":       {sealed, engine.CodeDecrypt},
		"nothing wrong":   {original, ""},
	} {
		memory := memoryOf(t, c.records)
		log := faulty(memory)
		log.BeforeAppend = func(uint64) error { t.Errorf("%s: something was stored", name); return nil }
		_, err := storage.Repair(log, storage.SessionOptions{})
		if c.want == "" && err != nil || c.want != "" && !errors.Is(err, c.want) {
			t.Errorf("%s: Repair returned %v, want %q", name, err, c.want)
		}
	}
}

// TestRepair_interrupted ends a repair at each of its steps; the next repair has the
// same result.
func TestRepair_interrupted(t *testing.T) {
	damaged := records(t, sampleLog(t, false).Share())
	damaged[2].Bytes[50] ^= 1
	for _, stage := range []string{"append", "after append", "compact"} {
		memory := memoryOf(t, damaged)
		log := faulty(memory)
		broken := &engine.Error{Code: engine.CodeStorage, Op: "x", Err: errors.New("gone")}
		switch stage {
		case "append":
			log.BeforeAppend = func(uint64) error { return broken }
		case "after append":
			log.AfterAppend = func(uint64, error) error { return broken }
		case "compact":
			log.BeforeCompact = func(uint64) error { return broken }
		}
		if _, err := storage.Repair(log, storage.SessionOptions{}); !errors.Is(err, engine.CodeStorage) {
			t.Errorf("%s: Repair returned %v", stage, err)
		}
		report, err := storage.Repair(memory.Share(), storage.SessionOptions{})
		if err != nil || len(report.Problems) != 1 || report.Problems[0].Seq != 3 {
			t.Errorf("%s: the second Repair returned %+v, %v", stage, report, err)
		}
		wantReplay(t, memory.Share(), expectedWithout(records(t, sampleLog(t, false).Share()), 2))
	}
}

// TestRepair_random flips bits anywhere in any records: the state that is left
// consists of changes of sound batches.
func TestRepair_random(t *testing.T) {
	random := newRandom(t)
	for range 300 {
		original := records(t, sampleLog(t, random.IntN(2) == 0).Share())
		flipped := map[uint64]bool{}
		for range 1 + random.IntN(3) {
			r := &original[random.IntN(len(original))]
			r.Bytes[random.IntN(len(r.Bytes))] ^= 1 << random.IntN(8)
			flipped[r.Seq] = true
		}
		memory := memoryOf(t, original)
		report, err := storage.Repair(memory.Share(), storage.SessionOptions{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		for _, p := range report.Problems {
			if !flipped[p.Seq] {
				t.Fatalf("%s was not damaged: %v", p, flipped)
			}
		}
		openSession(t, memory.Share(), storage.SessionOptions{})
	}
}

// TestVerify_ofWhatItCannotApply: Verify finds damage in batches of others, which
// the session cannot apply.
func TestVerify_ofWhatItCannotApply(t *testing.T) {
	all := records(t, sampleLog(t, false).Share())
	memory := storage.NewMemory()
	refill(t, memory, all[:3])
	s := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	all[3].Bytes[50] ^= 1
	refill(t, memory, all[3:])
	if report, err := s.Verify(); err != nil || len(report.Problems) != 1 || report.Problems[0].Seq != 4 || report.LastSeq != 5 {
		t.Errorf("Verify returned %+v, %v", report, err)
	}
}

// TestVerify_besideAnotherWriter: another session writes and compacts between
// Verify's steps.
func TestVerify_besideAnotherWriter(t *testing.T) {
	memory := sampleLog(t, false)
	other := openSession(t, deaf(memory.Share()), storage.SessionOptions{CompactAfter: 1})
	log := &readLog{Log: memory.Share()}
	s := openSession(t, log, storage.SessionOptions{})
	log.beforeRead = func() {
		put(t, other.DB(), "theirs", log.reads)
		if outcome, err := other.Flush(); err != nil || outcome != storage.Stored {
			t.Error(outcome, err)
		}
		settled(t, other)
		if log.reads > 7 {
			log.beforeRead = nil
		}
	}
	report, err := s.Verify()
	if err != nil || report.Problems != nil || report.SnapshotSeq == 0 {
		t.Errorf("beside a writer Verify returned %+v, %v", report, err)
	}
}

type readLog struct {
	storage.Log
	reads      int
	beforeRead func()
}

func (l *readLog) Read(after uint64, visit func(storage.Record) error) error {
	l.reads++
	if l.beforeRead != nil {
		l.beforeRead()
	}
	return l.Log.Read(after, visit)
}
