package storage

import (
	"bytes"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage/docfile"
)

// A DocumentFile stands between the frames that a session reads and appends
// and one file of documents, which is written anew for each batch: it holds
// what is in the file. Who has it numbers the batches, and reads and writes
// the file itself.
type DocumentFile struct {
	kind docfile.Type
	db   *engine.DB
}

// The limits of an engine that takes whatever another was given.
const (
	anyDocumentBytes = 1 << 30
	anyDepth         = 1000
)

// NewDocumentFile returns a DocumentFile that holds nothing.
func NewDocumentFile(kind docfile.Type) (*DocumentFile, error) {
	f := &DocumentFile{kind: kind}
	return f, f.Load(nil)
}

// Load takes in what a file holds; nil is a file that is not there. The error
// has CodeCorrupt, and what f held stays.
func (f *DocumentFile) Load(file []byte) error {
	db, err := engine.New(engine.Options{MaxDocumentBytes: anyDocumentBytes, MaxDepth: anyDepth})
	if err != nil {
		return err
	}
	if file != nil {
		parsed, err := docfile.Parse(file, f.kind, anyDepth)
		if err == nil {
			err = parsed.Store(db)
		}
		if err != nil {
			return &engine.Error{Code: engine.CodeCorrupt, Op: "read", Target: "file", Err: err}
		}
		db.Cut()
		db.Confirm()
	}
	f.db = db
	return nil
}

// Snapshot returns the frame of all there is, as number seq.
func (f *DocumentFile) Snapshot(seq uint64) Frame {
	return newFrame(header{kind: kindSnapshot, seq: seq}, f.db.Snapshot())
}

// Apply applies the frame of batch seq and returns the file as it has to be
// then. If that cannot be written, Load takes in the old one again.
func (f *DocumentFile) Apply(seq uint64, frame []byte) ([]byte, error) {
	e, err := verify(Record{Seq: seq, Bytes: bytes.Clone(frame)})
	if err != nil {
		return nil, err
	}
	if err := f.db.Apply(e.payload); err != nil {
		return nil, err
	}
	return docfile.Write(f.db, f.kind)
}
