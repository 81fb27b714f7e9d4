package filelog

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

// A Log is a storage.Log in a file. Open makes one.
type Log struct {
	path   string
	file   *opened
	closed bool

	salvaged int64 // the size of the file when Salvage read it
}

var (
	_ storage.Log        = (*Log)(nil)
	_ storage.TornTail   = (*Log)(nil)
	_ storage.Identified = (*Log)(nil)
)

// Open opens the file at path, and makes one if there is none, which only the user
// can read. Its folder has to exist. The error has CodeCorrupt for a file that is
// no log, CodeUnsupported on systems without flock, else CodeStorage or CodeQuota.
func Open(path string) (*Log, error) {
	if !canLock {
		return nil, engine.Fail(engine.CodeUnsupported, "open", path, "this system has no flock; use storage/sqlitelog")
	}
	// Two Logs must mean the same file after the working directory changes, and
	// after a compaction that would replace a link by a file.
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, failed("open", path, err)
	}
	file, err := openOrCreate(path)
	if err != nil {
		return nil, failed("open", path, err)
	}
	path, err = filepath.EvalSymlinks(path)
	if err != nil {
		file.Close()
		return nil, failed("open", path, err)
	}
	return &Log{path: path, file: file}, nil
}

// Read implements storage.Log. A compaction meanwhile does not change what it
// reads, which is the old file.
func (l *Log) Read(after uint64, visit func(storage.Record) error) error {
	size, err := l.lock("read", false)
	if err != nil {
		return err
	}
	// No process is writing in these bytes, so a torn record there was torn by a
	// crash. Nothing else in them changes.
	file := l.file
	unlockFile(file.File)

	s := newScanner(file, size, file.header.Snapshot)
	if file.last.seq <= after {
		s.continueAt(file.last)
	}
	for {
		r, err := s.next()
		switch {
		case err == io.EOF || err == errShrunk:
			return nil
		case err != nil:
			return failed("read", l.path, err)
		case !r.torn:
			file.last = r.mark
		}
		if r.seq <= after {
			continue
		}
		b, err := s.frame(r)
		if err == errShrunk {
			return nil
		}
		if err != nil {
			return failed("read", l.path, err)
		}
		err = visit(storage.Record{Seq: r.seq, Snapshot: r.snapshot, Bytes: b, Rest: size - r.end})
		if err != nil {
			return err
		}
	}
}

// Identity implements storage.Identified, with the identity in the file's header.
func (l *Log) Identity() storage.Identity { return l.file.header.Identity }

// Close implements storage.Log.
func (l *Log) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	if err := l.file.Close(); err != nil {
		return failed("close", l.path, err)
	}
	return nil
}

// Destroy implements storage.Log. It deletes the file. A Log that still has it
// open returns CodeClosed.
func (l *Log) Destroy() error {
	_, err := l.lock("destroy", true)
	if errors.Is(err, errDeleted) {
		return l.Close()
	}
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := removeAll(l.path, partOf(l.path)); err != nil {
		unlockFile(l.file.File)
		return failed("destroy", l.path, err)
	}
	err = syncDirectory(l.path)
	if closeErr := l.Close(); closeErr != nil { // it ends the lock too
		return closeErr
	}
	if err != nil {
		return failed("destroy", l.path, err)
	}
	return nil
}

// lock waits for the lock of the file that is at the Log's path now, and
// returns its size.
func (l *Log) lock(op string, alone bool) (size int64, err error) {
	if l.closed {
		return 0, storage.ClosedError(op)
	}
	for {
		if err := lockFile(l.file.File, alone); err != nil {
			return 0, failed(op, l.path, err)
		}
		size, there, err := l.file.isAt(l.path)
		if err == nil && there {
			return size, nil
		}
		unlockFile(l.file.File)
		if err == nil {
			err = l.reopen()
		}
		if err != nil {
			return 0, failed(op, l.path, err)
		}
	}
}

var errDeleted = engine.Fail(engine.CodeClosed, "open", "", "the file was deleted; open the database again")

// reopen opens the file by which a compaction has replaced l's. A file of another
// identity was made after a Destroy, and its numbers mean other batches.
func (l *Log) reopen() error {
	file, err := os.OpenFile(l.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return errDeleted
	}
	if err != nil {
		return err
	}
	o := &opened{File: file}
	start, err := o.readStart()
	if err == nil {
		o.header, err = logfile.DecodeHeader(start)
	}
	if err == nil && o.header.Identity != l.file.header.Identity {
		err = engine.Fail(engine.CodeClosed, "open", l.path, "the file was replaced by another database; open it again")
	}
	if err != nil {
		file.Close()
		return err
	}
	l.file.Close()
	l.file = o
	return nil
}
