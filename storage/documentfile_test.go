package storage_test

import (
	"bytes"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/docfile"
)

// fileLog is a Log of one file, as npm/src/storage/document-file.ts has one.
type fileLog struct {
	*storage.DocumentFile
	file []byte
	seq  uint64
}

func (l *fileLog) Read(after uint64, visit func(storage.Record) error) error {
	if after >= l.seq {
		return nil
	}
	return visit(storage.Record{Seq: l.seq, Snapshot: true, Bytes: bytes.Join(l.Snapshot(l.seq), nil)})
}

func (l *fileLog) Append(seq uint64, frame storage.Frame, _ storage.Durability) error {
	if seq != l.seq+1 {
		return storage.ConflictError(seq)
	}
	file, err := l.Apply(seq, bytes.Join(frame, nil))
	if err == nil {
		l.file, l.seq = file, seq
	}
	return err
}

func (l *fileLog) Compact(uint64, storage.Frame) error { return nil }
func (l *fileLog) Close() error                        { return nil }
func (l *fileLog) Destroy() error                      { return nil }

func newFileLog(t *testing.T, kind docfile.Type) *fileLog {
	t.Helper()
	f, err := storage.NewDocumentFile(kind)
	if err != nil {
		t.Fatal(err)
	}
	return &fileLog{DocumentFile: f}
}

func TestDocumentFile(t *testing.T) {
	for _, kind := range []docfile.Type{docfile.JSON, docfile.MessagePack} {
		log := newFileLog(t, kind)
		s := openSession(t, log, storage.SessionOptions{})
		put(t, s.DB(), "a", 1)
		if err := s.DB().CreateIndex("docs", []string{"n"}, engine.IndexOptions{Unique: true}); err != nil {
			t.Fatal(err)
		}
		flush(t, s, storage.Stored)
		put(t, s.DB(), "b", 2)
		flush(t, s, storage.Stored)

		// Another process reads nothing but the file.
		other := newFileLog(t, kind)
		if err := other.Load(log.file); err != nil {
			t.Fatal(err)
		}
		other.seq = 1
		again := openSession(t, other, storage.SessionOptions{})
		if n, err := again.DB().Count("docs", nil, 0); n != 2 || err != nil {
			t.Errorf("%s: %d documents, %v; want 2", kind, n, err)
		}
		if err := again.DB().CreateIndex("docs", []string{"n"}, engine.IndexOptions{}); engine.CodeOf(err) != engine.CodeInvalid {
			t.Errorf("%s: the index is lost: %v", kind, err)
		}

		// A session that is behind reads the whole file.
		late := openSession(t, log, storage.SessionOptions{})
		put(t, s.DB(), "c", 3)
		flush(t, s, storage.Stored)
		put(t, late.DB(), "d", 4)
		flush(t, late, storage.Conflict)
		if n, _ := late.DB().Count("docs", nil, 0); n != 3 {
			t.Errorf("%s: %d documents after the conflict, want 3", kind, n)
		}
	}
}

// TestDocumentFile_time: a file does not tell when its collections were changed.
func TestDocumentFile_time(t *testing.T) {
	log := newFileLog(t, docfile.JSON)
	if err := log.Load([]byte(`{"docs": [{"_id": "a"}]}`)); err != nil {
		t.Fatal(err)
	}
	log.seq = 1
	metadata, err := openSession(t, log, storage.SessionOptions{}).DB().Metadata("docs")
	if err != nil || metadata.Updated != 0 {
		t.Errorf("the collection was changed at %d, %v; want 0, not known", metadata.Updated, err)
	}
}

func TestDocumentFile_damaged(t *testing.T) {
	log := newFileLog(t, docfile.JSON)
	if err := log.Load([]byte(`{"docs": [{"_id": "a"}]}`)); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"", "{", `{"docs": [{"_id": true}]}`, `{"docs": [{"_id": 1}], "_catalog": [{"_id": "docs", "indexes": [{"paths": []}]}]}`} {
		if err := log.Load([]byte(file)); engine.CodeOf(err) != engine.CodeCorrupt {
			t.Errorf("%q is loaded with %v, want corrupt", file, err)
		}
	}
	if _, err := log.Apply(1, []byte("no frame")); engine.CodeOf(err) != engine.CodeCorrupt {
		t.Errorf("applied with %v, want corrupt", err)
	}
	log.seq = 1
	s := openSession(t, log, storage.SessionOptions{})
	if n, _ := s.DB().Count("docs", nil, 0); n != 1 {
		t.Errorf("%d documents are left of 1", n)
	}
}
