package filelog

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

// Compact implements storage.Log. It holds the lock while it writes the new
// file, which is on disk before it gets the old one's name. A crash leaves at
// most a file that the next compaction removes.
func (l *Log) Compact(seq uint64, snapshot storage.Frame) error {
	size, err := l.lock("compact", true)
	if err != nil {
		return err
	}
	from, end, err := l.after(seq, size)
	if err != nil || from == 0 {
		unlockFile(l.file.File)
	}
	if err != nil {
		return failed("compact", l.path, err)
	}
	if from == 0 {
		return nil
	}
	return l.replace("compact", seq, snapshot, io.NewSectionReader(l.file, from, end-from))
}

// replace replaces l's file by one of the snapshot and the later records, and ends
// the lock of the old one.
func (l *Log) replace(op string, seq uint64, snapshot storage.Frame, later *io.SectionReader) error {
	old := l.file
	defer func() {
		unlockFile(old.File)
		if l.file != old {
			old.Close()
		}
	}()
	replaced, err := l.writeCompacted(seq, snapshot, later)
	if err == nil {
		err = l.replaceBy(replaced)
	}
	if err != nil {
		return failed(op, l.path, err)
	}
	return nil
}

// after returns where the records after seq start and end, or 0 if there is no
// record of that number. A torn record after them is left out.
func (l *Log) after(seq uint64, size int64) (from, end int64, err error) {
	s := newScanner(l.file, size, l.file.header.Snapshot)
	if l.file.last.seq <= seq {
		s.continueAt(l.file.last)
	}
	for {
		r, err := s.next()
		if err == io.EOF || err == nil && r.torn {
			return from, end, nil
		}
		if err != nil {
			return 0, 0, err
		}
		if r.seq == seq {
			from = r.end
		}
		end = r.end
	}
}

// writeCompacted returns a new file that holds the snapshot and the later records.
// It is beside the old one, and on disk.
func (l *Log) writeCompacted(seq uint64, snapshot storage.Frame, later *io.SectionReader) (o *opened, err error) {
	info, err := l.file.Stat()
	if err != nil {
		return nil, err
	}
	part := partOf(l.path)
	if err := removeAll(part); err != nil { // a crash has left it: only the holder of the lock writes one
		return nil, err
	}
	file, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(part))
		}
	}()
	o = &opened{File: file, header: logfile.Header{Identity: l.file.header.Identity, Snapshot: seq}}
	o.last = mark{seq: seq, start: logfile.HeaderSize}

	w := bufio.NewWriterSize(file, 64<<10)
	w.Write(o.header.Encode())
	writeRecord(w, logfile.RecordHeader{Seq: seq, Snapshot: true, Length: int64(snapshot.Len())}, snapshot)
	if _, err := io.Copy(w, later); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	if err := file.Chmod(info.Mode().Perm()); err != nil {
		return nil, err
	}
	return o, syncFile(file)
}

// replaceBy gives o the name of l's file, and makes it the file of l.
func (l *Log) replaceBy(o *opened) error {
	if err := os.Rename(partOf(l.path), l.path); err != nil {
		return errors.Join(err, o.Close(), os.Remove(partOf(l.path)))
	}
	l.file = o
	return o.sync(l.path)
}

// partOf is the name of the file that a compaction is writing.
func partOf(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".atomicdb-part")
}

// removeAll removes those of the files that exist.
func removeAll(paths ...string) error {
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
