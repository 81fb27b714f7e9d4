//go:build darwin || linux

package filelog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
	"github.com/atomicdb-go/atomicdb/storage/logfile"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestCrashes(t *testing.T) { storagetest.TestCrashes(t, newFile) }

func TestCrashes_atEachCall(t *testing.T) { storagetest.TestCalls(t, newFile) }

// TestCrashes_tornWrite cuts a file off after each of its bytes, as a crash in the
// middle of a write does. The rest is missing or zeros, or the rest of that record
// is garbage. Exactly the batches that end before are there.
func TestCrashes_tornWrite(t *testing.T) {
	points, random := storagetest.Points(t, 500)
	var tally storagetest.Tally
	for tally.Points < points {
		file, ends := randomFile(t, random)
		tally.Operations += len(ends)
		tally.Acknowledged += len(ends)
		path := filepath.Join(t.TempDir(), "torn.atomicdb")
		for at := range file {
			torn := append([]byte(nil), file...)
			switch random.IntN(3) {
			case 0:
				torn = torn[:at]
			case 1:
				clear(torn[at:])
			case 2:
				for _, end := range slices.Backward(ends) {
					if end > at {
						torn = torn[:end]
					}
				}
				for i := range torn[at:] {
					torn[at+i] = byte(random.Uint32())
				}
			}
			for at < len(torn) && torn[at] == file[at] { // by chance
				at++
			}
			want := 0
			for want < len(ends) && ends[want] <= at {
				want++
			}
			if at < 40 && len(torn) > 40 {
				continue // the header is on disk before there is anything behind it
			}
			if err := os.WriteFile(path, torn, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := batchesIn(path); err != nil || got != want {
				t.Fatalf("of %d bytes %d are left, and %d of %d batches, %v; want %d", len(file), at, got, len(ends), err, want)
			}
			tally.Points++
		}
	}
	t.Log(&tally)
}

// TestCrashes_compaction ends a compaction after each byte of the file that it
// writes, before the rename, and after it.
func TestCrashes_compaction(t *testing.T) {
	points, random := storagetest.Points(t, 100)
	var tally storagetest.Tally
	for tally.Points < points {
		file, ends := randomFile(t, random)
		tally.Operations += len(ends)
		tally.Acknowledged += len(ends)
		path := filepath.Join(t.TempDir(), "whole.atomicdb")
		compacted := compactedFile(t, path, file)
		try := func(file, part []byte, compacts bool) {
			t.Helper()
			if err := errors.Join(os.WriteFile(path, file, 0o600), os.WriteFile(filelog.PartOf(path), part, 0o600)); err != nil {
				t.Fatal(err)
			}
			if got, err := batchesIn(path); err != nil || got != len(ends) {
				t.Fatalf("with %d of %d bytes written there are %d of %d batches, %v", len(part), len(compacted), got, len(ends), err)
			}
			if compacts { // a compaction syncs
				// A collection that was changed in another millisecond than the one before it has its time in 7 bytes.
				if got := len(compactedFile(t, path, file)); got != len(compacted) && got != len(compacted)-7 && got != len(compacted)+7 {
					t.Fatalf("with %d bytes left of another, a compaction leaves %d bytes, want %d", len(part), got, len(compacted))
				}
			}
			tally.Points++
		}
		for n := range compacted {
			try(file, compacted[:n], random.IntN(50) == 0)
		}
		try(compacted, nil, false)
	}
	t.Log(&tally)
}

// compactedFile compacts the file at path up to its last batch, and returns its bytes.
func compactedFile(t *testing.T, path string, file []byte) []byte {
	t.Helper()
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(open(t, path), storage.SessionOptions{CompactAfter: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(db *engine.DB) error { // more than the live data
		doc := msgpack.AppendString(msgpack.AppendMap(nil, 2), "_id")
		doc = msgpack.AppendString(msgpack.AppendString(msgpack.AppendInt(doc, 1), "pad"), strings.Repeat("x", 20_000))
		_, err := db.Insert("long", doc, false)
		return errors.Join(err, db.Clear("long"))
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	compacted := contents(t, path)
	if header, err := logfile.DecodeHeader(compacted); err != nil || header.Snapshot == 0 {
		t.Fatalf("it was not compacted: %+v, %v", header, err)
	}
	return compacted
}

// randomFile returns a database of some batches, and where each of them ends.
func randomFile(t *testing.T, random *rand.Rand) (file []byte, ends []int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "whole.atomicdb")
	s, err := storage.Open(open(t, path), storage.SessionOptions{CompactAfter: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 1 + random.IntN(6) {
		if err := s.Update(func(db *engine.DB) error {
			doc := msgpack.AppendInt(msgpack.AppendString(msgpack.AppendMap(nil, 2), "_id"), int64(n))
			doc = msgpack.AppendString(msgpack.AppendString(doc, "text"), fmt.Sprintf("%0*d", random.IntN(200), n))
			_, err := db.Insert("batches", doc, false)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if file, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, len(file))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return file, ends
}

// batchesIn opens a file twice, writing in between, and returns how many batches it had.
func batchesIn(path string) (n int, err error) {
	for round := range 2 {
		log, err := filelog.Open(path)
		if err != nil {
			return 0, err
		}
		s, err := storage.Open(log, storage.SessionOptions{})
		if err != nil {
			return 0, err
		}
		if n, err = s.DB().Count("batches", nil, 0); err != nil {
			return 0, err
		}
		if round == 0 {
			err = s.Update(func(db *engine.DB) error { return db.CreateCollection("more") })
		}
		if closeErr := s.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}
