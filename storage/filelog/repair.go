package filelog

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

var (
	_ storage.Salvager = (*Log)(nil)
	_ storage.Replacer = (*Log)(nil)
)

// Repair is storage.Repair for the file at path. If the file's header is damaged,
// so that Open refuses it, Repair writes the header anew, if the file has a record
// at all. Nothing else in the file changes until the repaired file takes its name.
func Repair(path string, opts storage.SessionOptions) (*storage.Report, error) {
	log, err := Open(path)
	var lost error
	if errors.Is(err, engine.CodeCorrupt) {
		lost = err
		if err := renewHeader(path); err != nil {
			return nil, err
		}
		log, err = Open(path)
	}
	if err != nil {
		return nil, err
	}
	report, err := storage.Repair(log, opts)
	if lost != nil && report != nil {
		report.Problems = append(report.Problems, storage.Problem{Code: engine.CodeCorrupt, Why: lost.Error()})
	}
	return report, err
}

// renewHeader writes a header for the records after it. To a Log that has the file
// open, it is another database then.
func renewHeader(path string) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return failed("repair", path, err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return failed("repair", path, err)
	}
	defer file.Close()
	if err := lockFile(file, true); err != nil {
		return failed("repair", path, err)
	}
	defer unlockFile(file)
	content, err := io.ReadAll(file)
	if err != nil {
		return failed("repair", path, err)
	}
	at := min(logfile.HeaderSize, len(content))
	first, found := recordFrom(content, at, 0)
	if !found {
		return engine.Fail(engine.CodeCorrupt, "repair", path, "the file holds no record of a database")
	}
	header := logfile.Header{}
	if rand.Read(header.Identity[:]); first.Snapshot {
		header.Snapshot = first.Seq
	}
	if _, err = file.WriteAt(header.Encode(), 0); err == nil {
		err = syncFile(file)
	}
	if err != nil {
		return failed("repair", path, err)
	}
	return nil
}

// Salvage implements storage.Salvager. A record with a damaged header extends to
// the next record that can be found.
func (l *Log) Salvage(visit func(storage.Record) error) error {
	size, err := l.lock("salvage", false)
	if err != nil {
		return err
	}
	content := make([]byte, size)
	_, err = l.file.ReadAt(content, 0)
	unlockFile(l.file.File)
	if err != nil && err != io.EOF {
		return failed("salvage", l.path, err)
	}
	l.salvaged = size
	r := storage.Record{Seq: 1}
	if l.file.header.Snapshot != 0 {
		r.Seq, r.Snapshot = l.file.header.Snapshot, true
	}
	for at := logfile.HeaderSize; at < len(content); {
		end := len(content)
		h, start, ok := recordAt(content, at)
		if ok && h.Seq >= r.Seq {
			r.Seq, r.Snapshot = h.Seq, h.Snapshot
			end = start + int(h.Length)
		} else if next, found := recordFrom(content, at+1, r.Seq); found {
			start, end = at, next.at
		} else if next, found := tornFrom(content, at+1, r.Seq); found {
			start, end = at, next
		} else {
			start = at
		}
		r.Bytes = content[start:end:end]
		if err := visit(r); err != nil {
			return err
		}
		at, r = end, storage.Record{Seq: r.Seq + 1}
	}
	return nil
}

// A found is a record in a file that is damaged elsewhere.
type found struct {
	logfile.RecordHeader
	at int
}

// recordAt returns the header of the record that starts at a place, if it is
// whole, and where its frame starts.
func recordAt(content []byte, at int) (h logfile.RecordHeader, start int, ok bool) {
	h, ok = logfile.DecodeRecordHeader(content[at:])
	start = at + logfile.RecordHeaderSize
	return h, start, ok && h.Length <= int64(len(content)-start)
}

// recordFrom returns the first record in content[from:] that is numbered after seq
// and is one of the file's own. Documents may hold files like this one, but their
// records end within the damaged record. So the file's own record is the one from
// which the chain of records is longest.
func recordFrom(content []byte, from int, seq uint64) (best found, ok bool) {
	furthest := 0
	for at := from; ; at++ {
		next := bytes.Index(content[at:], []byte(logfile.RecordMagic))
		if next < 0 {
			return best, ok
		}
		at += next
		h, _, whole := recordAt(content, at)
		if !whole || h.Seq <= seq {
			continue
		}
		end := chainEnd(content, at)
		if end > furthest {
			best, furthest, ok = found{h, at}, end, true
		}
		if end == len(content) {
			return best, ok
		}
	}
}

// tornFrom returns where in content[from:] a header numbered after seq is whose record
// is torn. A reader that finds it calls the file damaged and not torn, and so must
// Salvage: a power cut can take an unsynced record and leave half of the next.
func tornFrom(content []byte, from int, seq uint64) (at int, ok bool) {
	for at = from; ; at++ {
		next := bytes.Index(content[at:], []byte(logfile.RecordMagic))
		if next < 0 {
			return 0, false
		}
		at += next
		if h, ok := logfile.DecodeRecordHeader(content[at:]); ok && h.Seq > seq {
			return at, true
		}
	}
}

// chainEnd returns where the chain of records ends that starts at at.
func chainEnd(content []byte, at int) int {
	for seq := uint64(0); at < len(content); {
		h, start, ok := recordAt(content, at)
		if !ok || seq != 0 && h.Seq != seq+1 {
			break
		}
		at, seq = start+int(h.Length), h.Seq
	}
	return at
}

// Replace implements storage.Replacer.
func (l *Log) Replace(seq uint64, snapshot storage.Frame) error {
	size, err := l.lock("replace", true)
	if err != nil {
		return err
	}
	if size != l.salvaged {
		unlockFile(l.file.File)
		return storage.ConflictError(seq)
	}
	return l.replace("replace", seq, snapshot, io.NewSectionReader(l.file, 0, 0))
}
