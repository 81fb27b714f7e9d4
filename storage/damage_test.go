package storage_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

var seed = flag.Uint64("seed", 0, "replay one failing run of a random test; 0 picks a new seed")

// newRandom returns a source of randomness whose seed is printed if the test
// fails.
func newRandom(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: go test ./storage -run '^%s$' -seed %d", t.Name(), s)
		}
	})
	return rand.New(rand.NewPCG(s, 0))
}

// stored returns a log of a snapshot, numbered 2, and the batches 3 to 5.
func stored(t *testing.T) *storage.Memory {
	t.Helper()
	memory := storage.NewMemory()
	for i, id := range []string{"a", "b", "c", "d", "e"} {
		opts := storage.SessionOptions{}
		if id == "b" {
			opts.CompactAfter = 1
		}
		s := openSession(t, deaf(memory.Share()), opts)
		put(t, s.DB(), id, i)
		flush(t, s, storage.Stored)
		settled(t, s)
	}
	all := records(t, memory.Share())
	if len(all) != 4 || !all[0].Snapshot || all[0].Seq != 2 {
		t.Fatalf("the log starts with record %d of %d (snapshot: %t): the test tests nothing", all[0].Seq, len(all), all[0].Snapshot)
	}
	return memory
}

func TestOpen_refusesFlippedBits(t *testing.T) {
	random := newRandom(t)
	for _, damaged := range records(t, stored(t)) {
		for range 50 {
			bit := random.IntN(len(damaged.Bytes) * 8)
			log := faulty(stored(t))
			log.OnRecord = func(r *storage.Record) error {
				if r.Seq == damaged.Seq {
					r.Bytes[bit/8] ^= 1 << (bit % 8)
				}
				return nil
			}
			_, err := storage.Open(log, storage.SessionOptions{})
			wantCode(t, err, engine.CodeCorrupt)
			if name := fmt.Sprint("batch ", damaged.Seq); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("bit %d of byte %d: the error %v does not name %s", bit%8, bit/8, err, name)
			}
		}
	}
}

func TestOpen_refusesWrongRecords(t *testing.T) {
	memory := stored(t)
	others := records(t, memory)
	instead := func(r *storage.Record, other storage.Record) {
		*r = other
		r.Bytes = bytes.Clone(other.Bytes)
	}
	for _, tt := range []struct {
		name   string
		change func(r *storage.Record)
	}{
		{"the bytes of the one before", func(r *storage.Record) {
			if r.Seq == 5 {
				r.Bytes = bytes.Clone(others[2].Bytes)
			}
		}},
		{"a number left out", func(r *storage.Record) {
			if r.Seq == 4 {
				instead(r, others[3])
			}
		}},
		{"an older batch again", func(r *storage.Record) {
			if r.Seq == 5 {
				instead(r, others[1])
			}
		}},
		{"an older snapshot again", func(r *storage.Record) {
			if r.Seq == 5 {
				instead(r, others[0])
			}
		}},
		{"a batch for a snapshot", func(r *storage.Record) { r.Snapshot = true }},
		{"a snapshot for a batch", func(r *storage.Record) { r.Snapshot = false }},
		{"no bytes", func(r *storage.Record) { r.Bytes = nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := faulty(memory)
			log.OnRecord = func(r *storage.Record) error { tt.change(r); return nil }
			_, err := storage.Open(log, storage.SessionOptions{})
			wantCode(t, err, engine.CodeCorrupt)
		})
	}
}

// TestOpen_refusesAPayloadThatIsNoBatch: the frame around it passes its checks.
func TestOpen_refusesAPayloadThatIsNoBatch(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	put(t, s.DB(), "a", 1)
	flush(t, s, storage.Stored)
	for _, snapshot := range []bool{false, true} {
		log := faulty(memory)
		log.OnRecord = func(r *storage.Record) error {
			r.Snapshot = snapshot
			r.Bytes = storage.FrameBytes(r.Seq, snapshot, []byte("no batch"))
			return nil
		}
		_, err := storage.Open(log, storage.SessionOptions{})
		wantCode(t, err, engine.CodeCorrupt)
		if err == nil || !strings.Contains(err.Error(), "batch 1") {
			t.Errorf("the error %v does not name the batch", err)
		}
	}
}

func TestOpen_countsARepeatedRecordOnce(t *testing.T) {
	memory := stored(t)
	log := faulty(memory)
	log.Repeat = true
	s := openSession(t, deaf(log), storage.SessionOptions{})
	wantContents(t, s, "a=0 b=1 c=2 d=3 e=4")

	other := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	for range 3 {
		add(t, other.DB())
		flush(t, other, storage.Stored)
	}
	if err := s.CatchUp(); err != nil {
		t.Fatal(err)
	}
	wantContents(t, s, "a=3 b=4 c=5 d=6 e=7")
}

// TestOpen_cutsATornTail: the power fails at every byte of an append.
func TestOpen_cutsATornTail(t *testing.T) {
	whole := len(records(t, stored(t))[3].Bytes)
	for n := 1; n < whole; n++ {
		memory := stored(t)
		log := &storagetest.TornLog{FaultyLog: storagetest.FaultyLog{Log: memory.Share()}}
		s := openSession(t, deaf(log), storage.SessionOptions{})
		log.Tear = n
		put(t, s.DB(), "f", 5)
		_, err := s.Flush()
		wantCode(t, err, engine.CodeStorage)

		again := openSession(t, log, storage.SessionOptions{})
		wantContents(t, again, "a=0 b=1 c=2 d=3 e=4")
		put(t, again.DB(), "g", 6)
		flush(t, again, storage.Stored)
		wantReplay(t, memory.Share(), "a=0 b=1 c=2 d=3 e=4 g=6")

		// The session whose append was torn goes on too, and finds the other's batch.
		put(t, s.DB(), "f", 5)
		flush(t, s, storage.Conflict)
		put(t, s.DB(), "f", 5)
		flush(t, s, storage.Stored)
		wantReplay(t, memory.Share(), "a=0 b=1 c=2 d=3 e=4 g=6 f=5")
	}
}

func TestOpen_cutsNothingElse(t *testing.T) {
	for _, tt := range []struct {
		name    string
		canTear bool
		damaged uint64
		alone   bool // no record behind it
	}{
		{"a log that stores records whole", false, 5, true},
		{"a batch with another behind it", true, 4, false},
		{"a snapshot", true, 2, false},
		{"a snapshot with nothing behind it", true, 5, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			memory := stored(t)
			if tt.canTear && tt.alone {
				if err := memory.Share().Compact(5, storage.Frame{storage.FrameBytes(5, true, nil)}); err != nil {
					t.Fatal(err)
				}
			}
			torn := &storagetest.TornLog{FaultyLog: *faulty(memory)}
			torn.OnRecord = func(r *storage.Record) error {
				if r.Seq == tt.damaged {
					r.Bytes = r.Bytes[:len(r.Bytes)-1]
				}
				return nil
			}
			log := storage.Log(torn)
			if !tt.canTear {
				log = deaf(torn)
			}
			_, err := storage.Open(log, storage.SessionOptions{})
			wantCode(t, err, engine.CodeCorrupt)
			if err == nil || !strings.Contains(err.Error(), fmt.Sprint("batch ", tt.damaged)) {
				t.Errorf("the error %v does not name the batch", err)
			}
		})
	}
}

func TestOpen_failsIfATornTailCannotBeCut(t *testing.T) {
	log := &uncuttable{storagetest.TornLog{FaultyLog: *faulty(stored(t))}}
	log.Tear = 10
	if err := log.Append(6, storage.Frame{make([]byte, 100)}, storage.Relaxed); err == nil {
		t.Fatal("the append was not torn")
	}
	_, err := storage.Open(log, storage.SessionOptions{})
	if !errors.Is(err, errReadOnly) {
		t.Errorf("Open returned %v, want %v", err, errReadOnly)
	}
}

var errReadOnly = &engine.Error{Code: engine.CodeStorage, Op: "cut", Err: errors.New("the file is read-only")}

type uncuttable struct{ storagetest.TornLog }

func (*uncuttable) CutTail(uint64, []byte) error { return errReadOnly }

func TestOpen_reportsProgress(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	for i := range 20 {
		putLarge(t, s.DB(), fmt.Sprint(i), 100_000)
		flush(t, s, storage.Stored)
	}
	settled(t, s)
	total := int64(0)
	for _, r := range records(t, memory.Share()) {
		total += int64(len(r.Bytes))
	}
	var reports, last int64
	openSession(t, memory.Share(), storage.SessionOptions{OnProgress: func(done, all int64) {
		reports++
		if done <= last || done > all || all != total {
			t.Errorf("progress %d of %d after %d, the log holds %d", done, all, last, total)
		}
		last = done
	}})
	if last != total || reports < 4 || reports > 10 {
		t.Errorf("%d reports, the last of %d bytes; the log holds %d", reports, last, total)
	}
	openSession(t, storage.NewMemory(), storage.SessionOptions{OnProgress: func(done, all int64) {
		t.Errorf("an empty log reports %d of %d", done, all)
	}})
}
