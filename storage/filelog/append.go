package filelog

import (
	"bufio"
	"bytes"
	"io"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

// Append implements storage.Log. Strict is an fsync. If the disk is full
// (CodeQuota), the file stays as it was.
func (l *Log) Append(seq uint64, frame storage.Frame, d storage.Durability) error {
	size, err := l.lock("append", true)
	if err != nil {
		return err
	}
	defer unlockFile(l.file.File)
	end, err := l.end(size)
	if err != nil {
		return failed("append", l.path, err)
	}
	if seq != end.seq+1 {
		return storage.ConflictError(seq)
	}
	if end.start < size {
		if err := l.file.Truncate(end.start); err != nil {
			return failed("append", l.path, err)
		}
	}
	err = l.write(end, frame)
	if err == nil && d == storage.Strict {
		err = l.file.sync(l.path)
	}
	if err != nil {
		return l.undo(end.start, d, err)
	}
	l.file.last = end
	return nil
}

// CutTail implements storage.TornTail.
func (l *Log) CutTail(seq uint64, torn []byte) error {
	size, err := l.lock("cut", true)
	if err != nil {
		return err
	}
	defer unlockFile(l.file.File)
	s := l.scanner(size)
	var last record
	for {
		r, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return failed("cut", l.path, err)
		}
		last = r
	}
	if last.seq != seq || last.snapshot {
		return nil
	}
	b, err := s.frame(last)
	if err == nil && !bytes.Equal(b, torn) {
		return nil
	}
	if err == nil {
		err = l.file.Truncate(last.start)
	}
	if err != nil {
		return failed("cut", l.path, err)
	}
	l.file.last = mark{}
	return nil
}

// scanner returns a scanner that finds the last record and what is after it. It
// starts at the newest record that the Log knows, or at the first.
func (l *Log) scanner(size int64) *scanner {
	s := newScanner(l.file, size, l.file.header.Snapshot)
	s.ahead = logfile.RecordHeaderSize // mostly nothing is after the record that it knows
	if !s.continueAt(l.file.last) {
		s.ahead = readAhead
	}
	return s
}

// end returns where the next record goes, and the number before its own. After
// that place there is nothing, or a torn record.
func (l *Log) end(size int64) (mark, error) {
	s := l.scanner(size)
	end := mark{start: logfile.HeaderSize}
	for {
		r, err := s.next()
		if err == io.EOF || err == nil && r.torn {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		l.file.last = r.mark
		end = mark{seq: r.seq, start: r.end}
	}
}

// write appends a record at end.
func (l *Log) write(end mark, frame storage.Frame) error {
	w := bufio.NewWriterSize(io.NewOffsetWriter(l.file, end.start), 64<<10)
	writeRecord(w, logfile.RecordHeader{Seq: end.seq + 1, Length: int64(frame.Len())}, frame)
	return w.Flush()
}

// writeRecord reports no error: w's Flush does.
func writeRecord(w *bufio.Writer, h logfile.RecordHeader, frame storage.Frame) {
	w.Write(h.Encode())
	for _, part := range frame {
		w.Write(part)
	}
}

// undo removes the bytes of an Append that failed with cause. CodeQuota promises
// that the batch is not stored, also after a power cut, which can bring removed
// bytes back. If undo cannot make sure of that, the code is CodeStorage.
func (l *Log) undo(size int64, d storage.Durability, cause error) error {
	err := l.file.Truncate(size)
	if err == nil && d == storage.Strict {
		err = syncFile(l.file.File)
	}
	if err != nil {
		return &engine.Error{Code: engine.CodeStorage, Op: "append", Target: l.path, Err: cause}
	}
	return failed("append", l.path, cause)
}
