package storagetest

import (
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
)

// OpenPath opens the Log whose data is at a path, and makes it if there is none.
type OpenPath func(path string) (storage.Log, error)

// TestSession writes through a session, closes it, and opens the data again and
// again, with compactions in between.
func TestSession(t *testing.T, create func(*testing.T) Share) {
	share := create(t)
	for n := int64(1); n <= 20; n++ {
		s, err := storage.Open(share(t), storage.SessionOptions{CompactAfter: 1, Durability: storage.Durability(n % 2)})
		if err != nil {
			t.Fatal(err)
		}
		if got := numberOf(s, n-1); n > 1 && got != n-1 {
			t.Fatalf("after %d sessions, the last one's number is %d", n-1, got)
		}
		if err := s.Update(func(db *engine.DB) error { return putNumber(db, n, n, 1000) }); err != nil {
			t.Fatal(err)
		}
		if err := s.Update(func(db *engine.DB) error { return putNumber(db, 0, n, 2_000_000) }); err != nil {
			t.Fatal(err)
		}
		if err := s.DB().Check(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	log := share(t)
	defer log.Close()
	records, snapshots := 0, 0
	mustRead(t, log, 0, func(r storage.Record) error {
		records++
		if r.Snapshot {
			snapshots++
		}
		return nil
	})
	if snapshots != 1 || records > 20 {
		t.Errorf("after 40 batches of 20 MB the log holds %d records, %d of them snapshots: it was not compacted", records, snapshots)
	}
}

// openPath opens a session that is checked and closed when the test ends.
func openPath(t *testing.T, open OpenPath, path string) *storage.Session {
	t.Helper()
	log, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(log, storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.DB().Check(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// putNumber stores {_id: id, n: n, pad: size bytes}.
func putNumber(db *engine.DB, id, n int64, size int) error {
	doc := msgpack.AppendMap(nil, 3)
	doc = msgpack.AppendInt(msgpack.AppendString(doc, "_id"), id)
	doc = msgpack.AppendInt(msgpack.AppendString(doc, "n"), n)
	doc = msgpack.AppendString(msgpack.AppendString(doc, "pad"), strings.Repeat("x", size))
	_, err := db.Insert("numbers", doc, true)
	return err
}

// numberIn returns the n of a document, or 0 if there is none.
func numberIn(db *engine.DB, id int64) int64 {
	doc := db.Get("numbers", msgpack.AppendInt(nil, id))
	if doc == nil {
		return 0
	}
	n, _ := msgpack.Int(msgpack.Lookup(doc, "n"))
	return n
}

func numberOf(s *storage.Session, id int64) (n int64) {
	_ = s.View(func(db *engine.DB) error {
		n = numberIn(db, id)
		return nil
	})
	return n
}
