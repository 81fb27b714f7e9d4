// Package storagetest holds the contract that every storage.Log passes, and a
// Log that fails on purpose.
package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// Share returns another Log on the same stored data, as another page or process
// would open it.
type Share func(*testing.T) storage.Log

// TestLog runs the contract. create makes new, empty stored data for each of
// its tests.
func TestLog(t *testing.T, create func(*testing.T) Share) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, share Share)
	}{
		{"reads back in order, byte for byte", readsBack},
		{"reads only what comes after a seq", readsAfter},
		{"reads a thousand records", readsManyRecords},
		{"estimates how much is still to be read", estimatesRest},
		{"stops reading when visit fails", stopsReading},
		{"refuses a seq that is taken", refusesTakenSeq},
		{"refuses a seq whose predecessor is missing", refusesGap},
		{"stores one of two that race for a seq", storesOneOfTwo},
		{"keeps its own copy", keepsOwnCopy},
		{"replaces everything up to a snapshot", compacts},
		{"appends after a snapshot only", appendsAfterSnapshot},
		{"keeps the newer of two snapshots", keepsNewerSnapshot},
		{"compacts again", compactsAgain},
		{"reads in order while another compacts", readsDuringCompaction},
		{"keeps everything for a Log that is opened later", keepsAfterClose},
		{"refuses every call once closed", refusesWhenClosed},
		{"destroys what is stored", destroys},
		{"tells others what was appended", tells},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, create(t)) })
	}
}

// TestRecreation ends a session whose data was deleted and created anew, with as
// many batches or more. Its batch does not come into the other database. Every Log
// of this module passes it; a storage that somebody has written in JavaScript need
// not.
func TestRecreation(t *testing.T, create func(*testing.T) Share) {
	share := create(t)
	for _, batches := range []int{3, 4} {
		for _, compactAfter := range []int64{1 << 20, 1} {
			stale := openSession(t, share(t), 1)
			insert(t, stale, 3)
			if _, err := stale.Verify(); err != nil { // it waits for the compaction
				t.Fatal(err)
			}
			if err := share(t).Destroy(); err != nil {
				t.Fatal(err)
			}
			fresh := openSession(t, share(t), compactAfter)
			insert(t, fresh, batches)
			if _, err := fresh.Verify(); err != nil {
				t.Fatal(err)
			}
			before := recordsOf(t, share(t))
			for range 2 {
				err := stale.Update(insertOne)
				if engine.CodeOf(err) != engine.CodeClosed {
					t.Errorf("over %d batches: Update returned %v, want code closed", batches, err)
				}
			}
			if after := recordsOf(t, share(t)); after != before {
				t.Errorf("over %d batches: the log held\n%s\nand holds\n%s", batches, before, after)
			}
			stale.Close()
			if err := fresh.Close(); err != nil {
				t.Error(err)
			}
			if err := share(t).Destroy(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestForeign is for Logs that keep databases apart by the identities in records:
// nothing of one database comes behind, or in the place of, a record of another.
// It includes TestRecreation.
func TestForeign(t *testing.T, create func(*testing.T) Share) {
	TestRecreation(t, create)
	log := create(t)(t)
	a, b := frameOf(1), frameOf(2)
	none := storage.Frame{[]byte("without an identity")}
	for i, step := range []struct {
		frame storage.Frame
		taken bool
	}{{a, true}, {b, false}, {a, true}, {none, true}, {b, true}, {a, false}, {storage.Frame{}, true}, {a, true}} {
		err := log.Append(uint64(len(readAll(t, log))+1), step.frame, storage.Relaxed)
		if step.taken && err != nil || !step.taken && engine.CodeOf(err) != engine.CodeConflict {
			t.Errorf("step %d: Append returned %v", i, err)
		}
	}
	before := readAll(t, log)
	last := uint64(len(before))
	if err := log.Compact(last, b); err != nil || !slices.Equal(readAll(t, log), before) {
		t.Errorf("Compact to a snapshot of another database returned %v, and leaves %q", err, readAll(t, log))
	}
	if err := log.Compact(last, a); err != nil || len(readAll(t, log)) != 1 {
		t.Errorf("Compact returned %v, and leaves %q", err, readAll(t, log))
	}
	if err := log.Append(last+1, b, storage.Relaxed); engine.CodeOf(err) != engine.CodeConflict {
		t.Errorf("after a snapshot of another database, Append returned %v", err)
	}
}

// frameOf returns what has the identity n, in two parts.
func frameOf(n byte) storage.Frame {
	header := append([]byte("AtDB\x02"), make([]byte, 43)...)
	header[16] = n
	return storage.Frame{header, []byte("payload")}
}

func readAll(t *testing.T, log storage.Log) (all []string) {
	t.Helper()
	mustRead(t, log, 0, func(r storage.Record) error {
		all = append(all, fmt.Sprintf("%d %t %x", r.Seq, r.Snapshot, r.Bytes))
		return nil
	})
	return all
}

func openSession(t *testing.T, log storage.Log, compactAfter int64) *storage.Session {
	t.Helper()
	s, err := storage.Open(log, storage.SessionOptions{CompactAfter: compactAfter})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// insert stores a number of batches.
func insert(t *testing.T, s *storage.Session, batches int) {
	t.Helper()
	for range batches {
		if err := s.Update(insertOne); err != nil {
			t.Fatal(err)
		}
	}
}

func insertOne(db *engine.DB) error {
	_, err := db.Insert("docs", []byte{0x80}, false)
	return err
}

// recordsOf returns a log as text, and closes it.
func recordsOf(t *testing.T, log storage.Log) string {
	t.Helper()
	all := readAll(t, log)
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	return strings.Join(all, "\n")
}

func readsBack(t *testing.T, share Share) {
	log := share(t)
	long := strings.Repeat("0123456789abcdef", 200_000) // 3.2 MB
	frames := []storage.Frame{
		{[]byte("one part")},
		{[]byte("in "), {}, []byte("several"), []byte(" parts")},
		{{0, 0xff, 0x80, '\n'}},
		{[]byte(long[:100]), []byte(long[100:])},
	}
	var want []string
	for i, frame := range frames {
		if err := log.Append(uint64(i+1), frame, storage.Durability(i%2)); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("%d %s", i+1, bytes.Join(frame, nil)))
	}
	expect(t, log, 0, want...)
}

func readsAfter(t *testing.T, share Share) {
	log := share(t)
	expect(t, log, 0)
	appendAll(t, log, 1, "a", "b", "c")
	expect(t, log, 0, "1 a", "2 b", "3 c")
	expect(t, log, 1, "2 b", "3 c")
	expect(t, log, 3)
	expect(t, log, 9)
}

func readsManyRecords(t *testing.T, share Share) {
	log := share(t)
	var want []string
	for seq := uint64(1); seq <= 1000; seq++ {
		// Sizes from nothing to 8 kB, so that pieces of any size are cut somewhere.
		text := strings.Repeat(fmt.Sprint(seq, " "), int(seq*7919%2000))
		appendAll(t, log, seq, text)
		want = append(want, fmt.Sprintf("%d %s", seq, text))
	}
	expect(t, log, 0, want...)
	expect(t, log, 985, want[985:]...)
}

func estimatesRest(t *testing.T, share Share) {
	log := share(t)
	texts := make([]string, 100)
	for i := range texts {
		texts[i] = strings.Repeat("x", 1000)
	}
	appendAll(t, log, 1, texts...)
	var rests []int64
	mustRead(t, log, 0, func(r storage.Record) error {
		rests = append(rests, r.Rest)
		return nil
	})
	if last := rests[len(rests)-1]; last != 0 {
		t.Errorf("after the last record %d bytes are left", last)
	}
	if rests[0] < 50_000 || rests[0] > 200_000 {
		t.Errorf("after the first of 100 records of 1,000 bytes, %d bytes are left", rests[0])
	}
}

func stopsReading(t *testing.T, share Share) {
	log := share(t)
	appendAll(t, log, 1, "a", "b", "c")
	enough, visits := errors.New("enough"), 0
	err := log.Read(0, func(storage.Record) error {
		visits++
		return enough
	})
	if err != enough || visits != 1 {
		t.Errorf("Read returned %v after %d visits, want visit's error after 1", err, visits)
	}
	expect(t, log, 0, "1 a", "2 b", "3 c")
}

func refusesTakenSeq(t *testing.T, share Share) {
	log := share(t)
	appendAll(t, log, 1, "first")
	refuses(t, log, 1, "second")
	appendAll(t, log, 2, "third")
	refuses(t, log, 1, "fourth")
	refuses(t, log, 2, "fourth")
	expect(t, log, 0, "1 first", "2 third")
}

func refusesGap(t *testing.T, share Share) {
	log := share(t)
	refuses(t, log, 2, "too early")
	appendAll(t, log, 1, "first")
	refuses(t, log, 3, "too early")
	expect(t, log, 0, "1 first")
}

func storesOneOfTwo(t *testing.T, share Share) {
	logs := []storage.Log{share(t), share(t)}
	for seq := uint64(1); seq <= 20; seq++ {
		errs := make([]error, len(logs))
		var both sync.WaitGroup
		for i, log := range logs {
			both.Go(func() { errs[i] = log.Append(seq, storage.Frame{[]byte(fmt.Sprint("writer ", i))}, storage.Relaxed) })
		}
		both.Wait()

		winner := slices.Index(errs, nil)
		if winner < 0 || !errors.Is(errs[1-winner], engine.CodeConflict) {
			t.Fatalf("seq %d: the writers got %v and %v, want one stored and one conflict", seq, errs[0], errs[1])
		}
		for _, log := range logs {
			expect(t, log, seq-1, fmt.Sprintf("%d writer %d", seq, winner))
		}
	}
}

func keepsOwnCopy(t *testing.T, share Share) {
	log := share(t)
	frame := storage.Frame{[]byte("kept "), []byte("bytes")}
	snapshot := storage.Frame{[]byte("kept "), []byte("snapshot")}
	mustAppend(t, log, 1, frame)
	mustAppend(t, log, 2, frame)
	if err := log.Compact(1, snapshot); err != nil {
		t.Fatal(err)
	}
	for _, part := range append(frame, snapshot...) {
		scribble(part)
	}
	expect(t, log, 0, "snapshot 1 kept snapshot", "2 kept bytes")
}

func compacts(t *testing.T, share Share) {
	log, other := share(t), share(t)
	appendAll(t, log, 1, "a", "b", "c", "d")
	if err := log.Compact(3, storage.Frame{[]byte("a to "), []byte("c")}); err != nil {
		t.Fatal(err)
	}
	for _, log := range []storage.Log{log, other} {
		expect(t, log, 0, "snapshot 3 a to c", "4 d")
		expect(t, log, 1, "snapshot 3 a to c", "4 d")
		expect(t, log, 2, "snapshot 3 a to c", "4 d")
		expect(t, log, 3, "4 d")
		expect(t, log, 4)
	}
}

func appendsAfterSnapshot(t *testing.T, share Share) {
	log := share(t)
	appendAll(t, log, 1, "a", "b", "c")
	if err := log.Compact(3, storage.Frame{[]byte("a to c")}); err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= 3; seq++ {
		refuses(t, log, seq, "too late")
	}
	refuses(t, log, 5, "too early")
	appendAll(t, log, 4, "d")
	refuses(t, log, 1, "too late")
	expect(t, log, 0, "snapshot 3 a to c", "4 d")
}

func keepsNewerSnapshot(t *testing.T, share Share) {
	log, slow := share(t), share(t)
	appendAll(t, log, 1, "a", "b", "c")
	if err := log.Compact(3, storage.Frame{[]byte("a to c")}); err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq < 3; seq++ {
		if err := slow.Compact(seq, storage.Frame{[]byte("older")}); err != nil {
			t.Errorf("an outdated Compact failed: %v", err)
		}
	}
	expect(t, log, 0, "snapshot 3 a to c")
}

func compactsAgain(t *testing.T, share Share) {
	log := share(t)
	appendAll(t, log, 1, "a")
	for seq := uint64(1); seq <= 5; seq++ {
		if err := log.Compact(seq, storage.Frame{[]byte(fmt.Sprint("all ", seq))}); err != nil {
			t.Fatal(err)
		}
		expect(t, log, 0, fmt.Sprintf("snapshot %d all %d", seq, seq))
		appendAll(t, log, seq+1, "more")
	}
	expect(t, log, 0, "snapshot 5 all 5", "6 more")
}

func readsDuringCompaction(t *testing.T, share Share) {
	const last = 300
	log, other := share(t), share(t)
	for seq := uint64(1); seq <= last; seq++ {
		appendAll(t, log, seq, "batch")
	}
	at := uint64(0)
	mustRead(t, log, 0, func(r storage.Record) error {
		if r.Seq != at+1 && !(r.Snapshot && r.Seq > at) {
			t.Fatalf("record %d (snapshot: %t) came after %d", r.Seq, r.Snapshot, at)
		}
		at = r.Seq
		if at == 1 {
			return other.Compact(last-50, storage.Frame{[]byte("snapshot")})
		}
		return nil
	})
	if at != last {
		t.Errorf("the last record was %d, want %d", at, last)
	}
}

func keepsAfterClose(t *testing.T, share Share) {
	log := share(t)
	appendAll(t, log, 1, "a", "b")
	if err := log.Compact(1, storage.Frame{[]byte("just a")}); err != nil {
		t.Fatal(err)
	}
	later := share(t)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, later, 0, "snapshot 1 just a", "2 b")
	appendAll(t, later, 3, "c")
	expect(t, later, 1, "2 b", "3 c")
}

func refusesWhenClosed(t *testing.T, share Share) {
	log := share(t)
	appendAll(t, log, 1, "a")
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	frame := storage.Frame{[]byte("late")}
	for name, err := range map[string]error{
		"Read":    log.Read(0, func(storage.Record) error { return nil }),
		"Append":  log.Append(2, frame, storage.Relaxed),
		"Compact": log.Compact(1, frame),
	} {
		if !errors.Is(err, engine.CodeClosed) {
			t.Errorf("%s after Close returned %v, want closed", name, err)
		}
	}
}

func destroys(t *testing.T, share Share) {
	log := share(t)
	appendAll(t, log, 1, "a", "b")
	if err := log.Destroy(); err != nil {
		t.Fatal(err)
	}
	if err := log.Append(3, storage.Frame{[]byte("late")}, storage.Relaxed); !errors.Is(err, engine.CodeClosed) {
		t.Errorf("Append after Destroy returned %v, want closed", err)
	}
	empty := share(t)
	expect(t, empty, 0)
	appendAll(t, empty, 1, "anew")
	expect(t, empty, 0, "1 anew")
}

func tells(t *testing.T, share Share) {
	type news struct {
		seq   uint64
		bytes []byte
	}
	log, other := share(t), share(t)
	watcher, watches := other.(storage.Watcher)
	if !watches {
		t.Skip("this Log does not watch")
	}
	heard := make(chan news, 10)
	stop := watcher.Watch(func(seq uint64, bytes []byte) { heard <- news{seq, bytes} })
	appendAll(t, log, 1, "a")
	if got := <-heard; got.seq > 1 || got.bytes != nil && string(got.bytes) != "a" {
		t.Errorf("heard of %d %q, want 1 %q", got.seq, got.bytes, "a")
	}

	// The listener must not get the Log's own records, nor records after stop: the
	// next message would be of one of these.
	mustAppend(t, other, 2, storage.Frame{[]byte("own")})
	appendAll(t, log, 3, "c")
	if got := <-heard; got.seq != 0 && got.seq != 3 {
		t.Errorf("heard of %d, which it has appended itself", got.seq)
	}
	stop()
	heardAfter := make(chan news, 10)
	stop = watcher.Watch(func(seq uint64, bytes []byte) { heardAfter <- news{seq, bytes} })
	defer stop()
	appendAll(t, log, 4, "d")
	<-heardAfter
	if len(heard) > 0 {
		t.Error("was told of a record after stop")
	}
}

func refuses(t *testing.T, log storage.Log, seq uint64, text string) {
	t.Helper()
	if err := log.Append(seq, storage.Frame{[]byte(text)}, storage.Relaxed); !errors.Is(err, engine.CodeConflict) {
		t.Errorf("Append as number %d returned %v, want conflict", seq, err)
	}
}

// appendAll appends texts, numbered from first on.
func appendAll(t *testing.T, log storage.Log, first uint64, texts ...string) {
	t.Helper()
	for i, text := range texts {
		mustAppend(t, log, first+uint64(i), storage.Frame{[]byte(text)})
	}
}

func mustAppend(t *testing.T, log storage.Log, seq uint64, frame storage.Frame) {
	t.Helper()
	if err := log.Append(seq, frame, storage.Relaxed); err != nil {
		t.Fatal(err)
	}
}

func mustRead(t *testing.T, log storage.Log, after uint64, visit func(storage.Record) error) {
	t.Helper()
	if err := log.Read(after, visit); err != nil {
		t.Fatal(err)
	}
}

// expect compares what log holds after a seq with records written as "4 text"
// or "snapshot 3 text".
func expect(t *testing.T, log storage.Log, after uint64, want ...string) {
	t.Helper()
	var got []string
	mustRead(t, log, after, func(r storage.Record) error {
		kind := ""
		if r.Snapshot {
			kind = "snapshot "
		}
		got = append(got, fmt.Sprintf("%s%d %s", kind, r.Seq, r.Bytes))
		return nil
	})
	if !slices.Equal(got, want) {
		t.Errorf("after %d the log holds %.200q, want %.200q", after, got, want)
	}
}

// scribble overwrites borrowed bytes, so that keeping them shows.
func scribble(b []byte) {
	for i := range b {
		b[i] = 0xcc
	}
}
