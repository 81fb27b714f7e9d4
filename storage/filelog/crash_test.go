//go:build darwin || linux

package filelog_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestCrashes(t *testing.T) { storagetest.TestCrashes(t, newFile) }

// TestCrashes_tornWrite cuts a file off after each of its bytes, as a crash in the
// middle of a write does, with nothing or zeros in place of the rest, or with
// garbage in place of the rest of that record. Every batch that ends before is
// there, and no other.
func TestCrashes_tornWrite(t *testing.T) {
	points, random := storagetest.Points(t, 2_000)
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
	t.Log(tally)
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
