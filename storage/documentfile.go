package storage

import (
	"bytes"
	"errors"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage/docfile"
)

// A DocumentFile holds the documents of one file, which is written anew for each
// batch. It turns the file into the frame that a session reads, and each frame
// that a session appends into the new file. The caller numbers the batches, and
// reads and writes the file.
type DocumentFile struct {
	kind     docfile.Type
	db       *engine.DB
	identity Identity // of its frames: a file of documents has none
}

// fileIdentity is in the frames that are made of a file. If a session creates the
// file, its own identity is in them from then on.
var fileIdentity = Identity([]byte("AtomicDB's files"))

// The limits of an engine that takes every document of any other engine.
const (
	anyDocumentBytes = 1 << 30
	anyDepth         = 1000
)

// NewDocumentFile returns a DocumentFile that holds nothing.
func NewDocumentFile(kind docfile.Type) (*DocumentFile, error) {
	f := &DocumentFile{kind: kind}
	return f, f.Load(nil)
}

// Load reads a file; nil is a file that does not exist. Its error has
// CodeCorrupt, and leaves f as it was.
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
			var e *engine.Error
			if errors.As(err, &e) && e.Err != nil {
				err = e.Err
			}
			return &engine.Error{Code: engine.CodeCorrupt, Op: "read", Target: "file", Err: err}
		}
		db.Cut(0)
		db.Confirm()
	} else {
		f.identity = fileIdentity
	}
	f.db = db
	return nil
}

// Snapshot returns a frame with all documents, as number seq.
func (f *DocumentFile) Snapshot(seq uint64) Frame {
	return newFrame(header{kind: kindSnapshot, seq: seq, identity: f.identity}, f.db.Snapshot())
}

// Apply applies the frame of batch seq and returns the new file. If the caller
// cannot write it, Load with the old file takes the batch back.
func (f *DocumentFile) Apply(seq uint64, frame []byte) ([]byte, error) {
	e, err := verify(Record{Seq: seq, Bytes: bytes.Clone(frame)})
	if err != nil {
		return nil, err
	}
	if err := f.db.Apply(e.payload); err != nil {
		return nil, err
	}
	if seq == 1 { // it creates the file
		f.identity = e.identity
	}
	return docfile.Write(f.db, f.kind)
}
