package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

// damage flips a bit of the record seq where it is stored.
func damage(t *testing.T, memory *storage.Memory, seq uint64) *storage.Memory {
	t.Helper()
	all := records(t, memory.Share())
	i := slices.IndexFunc(all, func(r storage.Record) bool { return r.Seq == seq })
	all[i].Bytes[len(all[i].Bytes)-1] ^= 1
	return memoryOf(t, all)
}

func mustRepair(t *testing.T, log storage.Log) *storage.Report {
	t.Helper()
	report, err := storage.Repair(log, storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestRepair_keepsWhatANewerVersionWrote: a batch with a right checksum and an
// unknown effect is not damaged.
func TestRepair_keepsWhatANewerVersionWrote(t *testing.T) {
	all := records(t, sampleLog(t, false).Share())
	all[2].Bytes = storage.FrameBytes(3, false, []byte("\x01\x04docs\x63more"))
	memory := memoryOf(t, all)
	all = records(t, memory.Share())
	for name, open := range map[string]func(storage.Log) error{
		"Open":   func(log storage.Log) error { _, err := storage.Open(log, storage.SessionOptions{}); return err },
		"Repair": func(log storage.Log) error { _, err := storage.Repair(log, storage.SessionOptions{}); return err },
	} {
		if err := open(memory.Share()); !errors.Is(err, engine.CodeUnsupported) || !strings.Contains(err.Error(), "newer") {
			t.Errorf("%s returned %v, want unsupported", name, err)
		}
	}
	if got := records(t, memory.Share()); fmt.Sprint(got) != fmt.Sprint(all) {
		t.Error("Repair has changed something")
	}
}

// TestRepair_leavesATornTailAlone: every reader cuts it off, so it is no damage.
func TestRepair_leavesATornTailAlone(t *testing.T) {
	log := &storagetest.TornLog{FaultyLog: *faulty(sampleLog(t, false)), Tear: 20}
	if err := log.Append(6, storage.Frame{make([]byte, 100)}, storage.Relaxed); err == nil {
		t.Fatal("the append was not torn")
	}
	log.BeforeAppend = func(uint64) error { t.Error("something was stored"); return nil }
	if report := mustRepair(t, log); report.Problems != nil || report.LastSeq != 5 {
		t.Errorf("of a torn tail Repair returned %+v", report)
	}
}

// TestRepair_ofAGap: any number of missing records in a row is one problem.
func TestRepair_ofAGap(t *testing.T) {
	all := records(t, sampleLog(t, false).Share())
	for name, c := range map[string]struct {
		change func(*storage.Record)
		want   string
	}{
		"one":  {func(r *storage.Record) { r.Seq++ }, "batch 5 is missing"},
		"many": {func(r *storage.Record) { r.Seq = 1 << 52 }, "batches 5 to 4503599627370495 are missing"},
	} {
		log := faulty(memoryOf(t, all))
		log.OnRecord = func(r *storage.Record) error {
			if r.Seq == 5 {
				c.change(r)
				r.Bytes = storage.FrameBytes(r.Seq, false, r.Bytes[48:])
			}
			return nil
		}
		log.BeforeAppend = func(uint64) error { return errFull }
		report, err := storage.Repair(log, storage.SessionOptions{})
		if !errors.Is(err, engine.CodeQuota) || len(report.Problems) != 1 || !strings.Contains(report.Problems[0].Why, c.want) {
			t.Errorf("%s: Repair returned %+v, %v, want %s", name, report, err, c.want)
		}
	}
}

// TestRepair_underALiveSession: a session that stays open gets the repaired state,
// at whatever time it reads the log.
func TestRepair_underALiveSession(t *testing.T) {
	for _, hears := range []bool{false, true} {
		for _, at := range []string{"after", "between"} {
			memory := sampleLog(t, false)
			var log storage.Log = memory.Share()
			if !hears {
				log = deaf(log)
			}
			live := openSession(t, log, storage.SessionOptions{})
			broken := records(t, memory.Share())
			if err := memory.Share().Destroy(); err != nil {
				t.Fatal(err)
			}
			broken[4].Bytes[50] ^= 1
			refill(t, memory, broken)

			repairing := faulty(memory)
			writes := func() {
				put(t, live.DB(), "live", 1)
				outcome, err := live.Flush()
				if err == nil && outcome == storage.Conflict {
					put(t, live.DB(), "live", 1)
					_, err = live.Flush()
				}
				if at == "after" && err != nil {
					t.Error(err)
				}
			}
			if at == "between" {
				repairing.BeforeCompact = func(uint64) error { writes(); return nil }
			}
			mustRepair(t, repairing)
			if at == "after" {
				writes()
			}
			if err := live.CatchUp(); err != nil {
				t.Error(err)
			}
			if report, err := live.Verify(); err != nil || report.Problems != nil {
				t.Errorf("hears %t, %s: the live session holds something else: %+v, %v", hears, at, report, err)
			}
		}
	}
}

// refill appends records as they are; they are batches from 1 on.
func refill(t *testing.T, memory *storage.Memory, all []storage.Record) {
	t.Helper()
	log := memory.Share()
	for _, r := range all {
		if err := log.Append(r.Seq, storage.Frame{r.Bytes}, storage.Relaxed); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRepair_tellsOfRemovals: documents that a damaged batch removed are there
// again, and the report names them.
func TestRepair_tellsOfRemovals(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	for n := range 4 {
		put(t, s.DB(), fmt.Sprint("d", n), n)
	}
	flush(t, s, storage.Stored)
	where, err := query.ParseText("n = 2")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.DB().Remove("docs", where); err != nil {
		t.Fatal(err)
	}
	put(t, s.DB(), "d9", 9)
	flush(t, s, storage.Stored)
	damaged := damage(t, memory, 2)
	if report := mustRepair(t, damaged.Share()); problems(report) != "2 corrupt [docs/d2 docs/d9]" {
		t.Errorf("Repair says %s", problems(report))
	}
	wantReplay(t, damaged.Share(), "d0=0 d1=1 d2=2 d3=3")
}

// TestRepair_tellsOfValuesThatAreNotUnique: a document whose removal is lost may
// share a unique value with a newer one.
func TestRepair_tellsOfValuesThatAreNotUnique(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	if err := s.DB().CreateIndex("docs", []string{"n"}, engine.IndexOptions{Unique: true}); err != nil {
		t.Fatal(err)
	}
	put(t, s.DB(), "old", 7)
	flush(t, s, storage.Stored)
	if err := s.DB().Clear("docs"); err != nil {
		t.Fatal(err)
	}
	flush(t, s, storage.Stored)
	put(t, s.DB(), "new", 7)
	put(t, s.DB(), "other", 8)
	flush(t, s, storage.Stored)

	damaged := damage(t, memory, 2)
	report := mustRepair(t, damaged.Share())
	if len(report.Problems) != 2 || report.Problems[1].Code != engine.CodeUnique || fmt.Sprint(report.Problems[1].IDs) != "[docs/old docs/new]" {
		t.Errorf("Repair says %s", problems(report))
	}
	again := openSession(t, damaged.Share(), storage.SessionOptions{})
	wantContents(t, again, "old=7 new=7 other=8")
	// The index refuses a third document, and is sound once one of the two is gone.
	if _, err := again.DB().Insert("docs", document("third", 7), false); !errors.Is(err, engine.CodeUnique) {
		t.Errorf("a third was taken: %v", err)
	}
	if report, err := again.Verify(); err != nil || problems(report) != "0 unique [docs/old docs/new]" {
		t.Errorf("Verify says %s, %v", problems(report), err)
	}
}

// document is {_id: id, n: n}.
func document(id string, n int) []byte {
	doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 2), "_id"), id)
	return msgpack.AppendInt(msgpack.AppendString(doc, "n"), int64(n))
}

// TestRepair_everyBit flips each bit of each record. Open says that it is corrupt,
// and which batch it is; a repair keeps exactly the changes of the other batches.
func TestRepair_everyBit(t *testing.T) {
	for _, compacted := range []bool{false, true} {
		original := records(t, sampleLog(t, compacted).Share())
		for i, r := range original {
			want := expectedWithout(original, i)
			for bit := range 8 * len(r.Bytes) {
				damaged := slices.Clone(original)
				damaged[i].Bytes = bytes.Clone(r.Bytes)
				damaged[i].Bytes[bit/8] ^= 1 << (bit % 8)
				memory := memoryOf(t, damaged)
				_, err := storage.Open(memory.Share(), storage.SessionOptions{})
				if !errors.Is(err, engine.CodeCorrupt) || !strings.Contains(err.Error(), fmt.Sprint("batch ", r.Seq)) {
					t.Fatalf("bit %d of record %d: Open returned %v", bit, r.Seq, err)
				}
				if report := mustRepair(t, memory.Share()); len(report.Problems) != 1 || report.Problems[0].Seq != r.Seq {
					t.Fatalf("bit %d of record %d: Repair says %s", bit, r.Seq, problems(report))
				}
				s, err := storage.Open(memory.Share(), storage.SessionOptions{})
				if err != nil || contents(t, s.DB()) != want {
					t.Fatalf("bit %d of record %d: a repair leaves %v, want %s", bit, r.Seq, err, want)
				}
				s.Close()
			}
		}
	}
}
