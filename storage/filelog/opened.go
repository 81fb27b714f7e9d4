package filelog

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

// An opened is one file that a Log has open. A compaction by any Log replaces it.
type opened struct {
	*os.File
	header logfile.Header

	last mark // a whole record, from which the search for the end can start

	// namedSafely means that the directory is on disk with the file's name in it. A
	// file on disk without a name there is lost.
	namedSafely bool
}

// openOrCreate opens the file at path, and makes it if there is none.
func openOrCreate(path string) (*opened, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		o := &opened{File: file}
		there, err := o.prepare(path)
		if err != nil {
			file.Close()
			return nil, err
		}
		if there {
			return o, nil
		}
		file.Close()
	}
}

// prepare reads the header, or writes it if the file is new. It returns false if
// another process has replaced or deleted the file meanwhile.
func (o *opened) prepare(path string) (there bool, err error) {
	if info, err := o.Stat(); err != nil || !info.Mode().IsRegular() {
		return false, errors.Join(err, engine.Fail(engine.CodeInvalid, "open", path, "it is no regular file"))
	}
	if err := lockFile(o.File, true); err != nil {
		return false, err
	}
	defer unlockFile(o.File)
	_, there, err = o.isAt(path)
	if err != nil || !there {
		return false, err
	}
	start, err := o.readStart()
	if err != nil {
		return false, err
	}
	if logfile.IsUnfinished(start) {
		return true, o.create(path)
	}
	o.header, err = logfile.DecodeHeader(start)
	return true, err
}

// readStart returns the bytes of a header, and one more if there are more.
func (o *opened) readStart() ([]byte, error) {
	info, err := o.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(info.Size(), logfile.HeaderSize+1))
	_, err = o.ReadAt(b, 0)
	return b, err
}

// create writes the header and waits until it is on disk, so a crash never leaves
// records after a damaged header.
func (o *opened) create(path string) error {
	rand.Read(o.header.Identity[:])
	if _, err := o.WriteAt(o.header.Encode(), 0); err != nil {
		return errors.Join(err, o.Truncate(0))
	}
	if err := syncFile(o.File); err != nil {
		return err
	}
	o.namedSafely = true
	return syncDirectory(path)
}

// isAt reports whether the file is the one at path, and not one that a
// compaction or a Destroy has removed from there. It also returns its size.
func (o *opened) isAt(path string) (size int64, there bool, err error) {
	here, err := o.Stat()
	if err != nil {
		return 0, false, err
	}
	atPath, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	return here.Size(), err == nil && os.SameFile(here, atPath), err
}

// syncFile is a variable so that a test can see what is synced, and when.
var syncFile = (*os.File).Sync

// sync returns when the written bytes, and the names that lead to them, are on disk.
func (o *opened) sync(path string) error {
	if err := syncFile(o.File); err != nil {
		return err
	}
	if o.namedSafely {
		return nil
	}
	if err := syncDirectory(path); err != nil {
		return err
	}
	o.namedSafely = true
	return nil
}

// syncDirectory writes the name of the file at path to the disk.
func syncDirectory(path string) error {
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(syncFile(directory), directory.Close())
}
