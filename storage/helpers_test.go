package storage_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

// openSession opens a session that is checked when the test ends.
func openSession(t *testing.T, log storage.Log, opts storage.SessionOptions) *storage.Session {
	t.Helper()
	if (opts.Identity == storage.Identity{}) {
		opts.Identity = storage.TestIdentity // that of FrameBytes
	}
	s, err := storage.Open(log, opts)
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

// deaf hides that a log can watch: its session notices other writers by conflicts
// only, when the test decides.
func deaf(log storage.Log) storage.Log { return struct{ storage.Log }{log} }

// put stores {_id: id, n: n} in a collection.
func put(t *testing.T, db *engine.DB, id string, n int) {
	t.Helper()
	doc := msgpack.AppendMap(nil, 2)
	doc = msgpack.AppendString(doc, "_id")
	doc = msgpack.AppendString(doc, id)
	doc = msgpack.AppendString(doc, "n")
	doc = msgpack.AppendInt(doc, int64(n))
	if _, err := db.Insert("docs", doc, true); err != nil {
		t.Fatal(err)
	}
}

// putLarge stores {_id: id, pad: size bytes}.
func putLarge(t *testing.T, db *engine.DB, id string, size int) {
	t.Helper()
	doc := msgpack.AppendMap(nil, 2)
	doc = msgpack.AppendString(doc, "_id")
	doc = msgpack.AppendString(doc, id)
	doc = msgpack.AppendString(doc, "pad")
	doc = msgpack.AppendString(doc, strings.Repeat("x", size))
	if _, err := db.Insert("docs", doc, true); err != nil {
		t.Fatal(err)
	}
}

// add adds one to every document's n.
func add(t *testing.T, db *engine.DB) {
	t.Helper()
	change := msgpack.AppendMap(nil, 1)
	change = msgpack.AppendString(change, "$inc")
	change = msgpack.AppendMap(change, 1)
	change = msgpack.AppendString(change, "n")
	change = msgpack.AppendInt(change, 1)
	if _, err := db.Update("docs", change, nil); err != nil {
		t.Fatal(err)
	}
}

// contents writes the documents of db as "a=1 b=2", in insertion order.
func contents(t *testing.T, db *engine.DB) string {
	t.Helper()
	found, err := db.Find("docs", engine.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for found.Len() > 0 {
		doc, _, _ := found.Next(nil, 1)
		n, isNumber := msgpack.Int(msgpack.Lookup(doc, "n"))
		text := string(msgpack.Str(msgpack.Lookup(doc, "_id")))
		if isNumber {
			text += fmt.Sprint("=", n)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

func wantContents(t *testing.T, s *storage.Session, want string) {
	t.Helper()
	if got := contents(t, s.DB()); got != want {
		t.Errorf("the session holds %q, want %q", got, want)
	}
}

// wantReplay opens the log anew and compares its documents.
func wantReplay(t *testing.T, log storage.Log, want string) {
	t.Helper()
	wantContents(t, openSession(t, log, storage.SessionOptions{}), want)
}

func flush(t *testing.T, s *storage.Session, want storage.Outcome) {
	t.Helper()
	outcome, err := s.Flush()
	if err != nil {
		t.Fatal(err)
	}
	if outcome != want {
		t.Fatalf("Flush returned outcome %d, want %d", outcome, want)
	}
}

// settled waits for a compaction.
func settled(t *testing.T, s *storage.Session) {
	t.Helper()
	if err := s.View(func(*engine.DB) error { return nil }); err != nil {
		t.Fatal(err)
	}
}

func records(t *testing.T, log storage.Log) (all []storage.Record) {
	t.Helper()
	err := log.Read(0, func(r storage.Record) error {
		r.Bytes = bytes.Clone(r.Bytes)
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var errFull = &engine.Error{Code: engine.CodeQuota, Op: "append", Err: errors.New("the disk is full")}

func faulty(memory *storage.Memory) *storagetest.FaultyLog {
	return &storagetest.FaultyLog{Log: memory.Share()}
}

func short(b []byte) string { return hex.EncodeToString(b[:min(len(b), 48)]) }
