package filelog

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

// A mark is a number and where its record starts. The record there may change: a
// torn one is cut off, and another of its number takes its place.
type mark struct {
	seq   uint64
	start int64
}

// A record is one that a scanner has found.
type record struct {
	mark
	snapshot bool
	torn     bool // it is the rest of the file, and not whole
	end      int64
}

// errShrunk means that another Log has cut off a torn record meanwhile. It cannot
// happen to the holder of the lock.
var errShrunk = errors.New("the file has become shorter")

// readAhead is how many bytes a scanner reads at once, if records are shorter.
const readAhead = 256 << 10

// A scanner goes from record to record. It keeps one window of the file in memory,
// and skips frames that are not asked for without reading them.
type scanner struct {
	file     io.ReaderAt
	size     int64 // of the part of the file that it looks at
	snapshot uint64
	ahead    int

	at  int64
	seq uint64 // of the record before at

	window   []byte
	windowAt int64
}

// newScanner returns a scanner at the first record.
func newScanner(file io.ReaderAt, size int64, snapshot uint64) *scanner {
	return &scanner{file: file, size: size, snapshot: snapshot, ahead: readAhead, at: logfile.HeaderSize}
}

// continueAt makes s continue at m instead, if the record m.seq is there.
func (s *scanner) continueAt(m mark) bool {
	if m.seq == 0 || m.start < logfile.HeaderSize || m.start > s.size-logfile.RecordHeaderSize {
		return false
	}
	b, err := s.bytes(m.start, logfile.RecordHeaderSize)
	if err != nil {
		return false
	}
	h, ok := logfile.DecodeRecordHeader(b)
	if !ok || h.Seq != m.seq || h.Length > s.size-m.start-logfile.RecordHeaderSize {
		return false
	}
	s.at, s.seq = m.start, m.seq-1
	return true
}

// next returns the next record, or io.EOF. A record that is not whole is torn at
// the end of the file, and CodeCorrupt anywhere else.
func (s *scanner) next() (record, error) {
	if s.at >= s.size {
		if s.at == logfile.HeaderSize && s.snapshot != 0 {
			return record{}, corrupt(s.snapshot, "the snapshot is missing")
		}
		return record{}, io.EOF
	}
	r := record{mark: mark{seq: s.seq + 1, start: s.at}, end: s.size}
	if s.at == logfile.HeaderSize && s.snapshot != 0 {
		r.seq, r.snapshot = s.snapshot, true
	}
	b, err := s.bytes(s.at, int(min(logfile.RecordHeaderSize, s.size-s.at)))
	if err != nil {
		return r, err
	}
	h, ok := logfile.DecodeRecordHeader(b)
	r.torn = !ok || h.Length > s.size-s.at-logfile.RecordHeaderSize
	switch {
	case ok && (h.Seq != r.seq || h.Snapshot != r.snapshot):
		return r, corrupt(r.seq, "another record is in its place")
	case r.torn && r.snapshot:
		return r, corrupt(r.seq, "the snapshot is damaged")
	case r.torn && !ok:
		if err := s.mustBeLast(r.seq); err != nil {
			return r, err
		}
	case !r.torn:
		r.end = s.at + logfile.RecordHeaderSize + h.Length
	}
	s.at, s.seq = r.end, r.seq
	return r, nil
}

// frame returns the frame of r, borrowed until the next call to s. Of a torn
// record it returns all bytes, with the header, so that they are no frame.
func (s *scanner) frame(r record) ([]byte, error) {
	start := r.start + logfile.RecordHeaderSize
	if r.torn {
		start = r.start
	}
	return s.bytes(start, int(r.end-start))
}

// mustBeLast returns CodeCorrupt if the header of a later record follows the
// damaged one at s.at.
func (s *scanner) mustBeLast(seq uint64) error {
	for at := s.at + 1; at+logfile.RecordHeaderSize <= s.size; {
		b, err := s.bytes(at, int(min(readAhead, s.size-at)))
		if err != nil {
			return err
		}
		for i := 0; ; i++ {
			found := bytes.Index(b[i:], []byte(logfile.RecordMagic))
			if found < 0 {
				break
			}
			i += found
			if h, ok := logfile.DecodeRecordHeader(b[i:]); ok && h.Seq > seq {
				return corrupt(seq, "its header is damaged, and batch "+strconv.FormatUint(h.Seq, 10)+" follows")
			}
		}
		at += int64(len(b)) - (logfile.RecordHeaderSize - 1) // one may lie across the border
	}
	return nil
}

// bytes returns n bytes of the file, borrowed until the next call.
func (s *scanner) bytes(at int64, n int) ([]byte, error) {
	if at < s.windowAt || at+int64(n) > s.windowAt+int64(len(s.window)) {
		want := int(min(int64(max(n, s.ahead)), s.size-at))
		s.window = slices.Grow(s.window[:0], want)[:want]
		got, err := s.file.ReadAt(s.window, at)
		s.window, s.windowAt = s.window[:got], at
		if got < n {
			if err == io.EOF {
				return nil, errShrunk
			}
			return nil, err
		}
	}
	from := int(at - s.windowAt)
	return s.window[from : from+n : from+n], nil
}

func corrupt(seq uint64, why string) error {
	return engine.Fail(engine.CodeCorrupt, "read", "batch "+strconv.FormatUint(seq, 10), why)
}
