package filelog

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage/logfile"
)

// sample returns the bytes of a file, and where its records start.
func sample(snapshot uint64, frames ...string) (file []byte, starts []int64) {
	file = logfile.Header{Identity: [16]byte{1, 2, 3}, Snapshot: snapshot}.Encode()
	seq := max(snapshot, 1)
	for i, frame := range frames {
		starts = append(starts, int64(len(file)))
		h := logfile.RecordHeader{Seq: seq, Snapshot: snapshot != 0 && i == 0, Length: int64(len(frame))}
		file = append(append(file, h.Encode()...), frame...)
		seq++
	}
	return file, starts
}

func scanAll(s *scanner) (found []record, err error) {
	for {
		r, err := s.next()
		if err != nil {
			return found, err
		}
		found = append(found, r)
	}
}

func TestScanner_readsEveryByteOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var frames []string
	for range 2000 {
		frames = append(frames, string(make([]byte, random.IntN(2000))))
	}
	frames = append(frames, string(make([]byte, 3*readAhead)))
	file, _ := sample(0, frames...)
	counted := &countingReader{ReaderAt: bytes.NewReader(file)}
	s := newScanner(counted, int64(len(file)), 0)
	largest := 0
	for n := 0; ; n++ {
		r, err := s.next()
		if err == io.EOF {
			if n != len(frames) {
				t.Errorf("found %d records, want %d", n, len(frames))
			}
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if b, err := s.frame(r); err != nil || string(b) != frames[n] {
			t.Fatalf("record %d has %d bytes (%v), want %d", r.seq, len(b), err, len(frames[n]))
		}
		largest = max(largest, cap(s.window))
	}
	// A record that begins at the end of a window is read with the next one.
	if most := len(file) + len(file)/20; counted.bytes > most {
		t.Errorf("read %d bytes of a file of %d", counted.bytes, len(file))
	}
	if largest > 5*readAhead {
		t.Errorf("held %d bytes, the longest record has %d", largest, 3*readAhead)
	}
}

type countingReader struct {
	io.ReaderAt
	bytes int
}

func (r *countingReader) ReadAt(b []byte, at int64) (int, error) {
	n, err := r.ReaderAt.ReadAt(b, at)
	r.bytes += n
	return n, err
}

// TestScanner_findsWhatFollowsDamage: the records are on both sides of a border
// between two reads.
func TestScanner_findsWhatFollowsDamage(t *testing.T) {
	for shift := range 2 * logfile.RecordHeaderSize {
		file, starts := sample(0, "first", string(make([]byte, readAhead-2*logfile.RecordHeaderSize-5+shift)), "third")
		file[starts[1]] ^= 1
		_, err := scanAll(newScanner(bytes.NewReader(file), int64(len(file)), 0))
		if !errors.Is(err, engine.CodeCorrupt) {
			t.Fatalf("with %d bytes more, the scan ended with %v, want corrupt: batch 3 would be cut off", shift, err)
		}
	}
}

func TestScanner_continuesOnlyAtARecord(t *testing.T) {
	file, starts := sample(7, "snapshot", "eight", "nine")
	s := newScanner(bytes.NewReader(file), int64(len(file)), 7)
	for i, start := range starts {
		if !s.continueAt(mark{seq: uint64(7 + i), start: start}) {
			t.Fatalf("did not continue at record %d", 7+i)
		}
		if found, err := scanAll(s); err != io.EOF || len(found) != len(starts)-i {
			t.Errorf("from record %d on it found %v, %v", 7+i, found, err)
		}
	}
	for _, m := range []mark{{}, {seq: 8, start: starts[2]}, {seq: 8, start: starts[1] + 1}, {seq: 10, start: int64(len(file))}, {seq: 7, start: 0}, {seq: 7, start: -1}} {
		if s.continueAt(m) {
			t.Errorf("continued at %+v", m)
		}
	}
	short := newScanner(bytes.NewReader(file), int64(len(file))-1, 7)
	if short.continueAt(mark{seq: 9, start: starts[2]}) {
		t.Error("continued at a torn record")
	}
}

func FuzzScanner(f *testing.F) {
	for _, snapshot := range []uint64{0, 5} {
		file, starts := sample(snapshot, "first", "", "the third, which is a little longer")
		f.Add(file)
		f.Add(file[:len(file)-1])
		f.Add(file[:starts[2]+logfile.RecordHeaderSize-1])
		f.Add(file[:starts[1]])
		zeros := bytes.Clone(file)
		clear(zeros[starts[2]:])
		f.Add(zeros)
		damaged := bytes.Clone(file)
		damaged[starts[1]+8]++
		f.Add(damaged)
	}
	f.Add(logfile.Header{}.Encode()[:logfile.HeaderSize-1])
	f.Fuzz(func(t *testing.T, file []byte) {
		logfile.IsUnfinished(file)
		h, err := logfile.DecodeHeader(file)
		if err != nil {
			if code := engine.CodeOf(err); code != engine.CodeCorrupt && code != engine.CodeUnsupported {
				t.Fatalf("the header failed with %v", err)
			}
			if len(file) < logfile.HeaderSize {
				return
			}
			h = logfile.Header{} // and see what the rest is taken for
		}
		size := int64(len(file))
		s := newScanner(bytes.NewReader(file), size, h.Snapshot)
		found, err := scanAll(s)
		if err != io.EOF && engine.CodeOf(err) != engine.CodeCorrupt {
			t.Fatalf("the scan ended with %v", err)
		}
		at := int64(logfile.HeaderSize)
		for i, r := range found {
			isFirst := i == 0 && h.Snapshot != 0
			if r.start != at || r.end <= at || r.end > size || r.snapshot != isFirst || r.torn && (i != len(found)-1 || isFirst || err != io.EOF) {
				t.Fatalf("record %d is %+v, the one before ends at %d of %d; then %v", i, r, at, size, err)
			}
			if i > 0 && r.seq != found[i-1].seq+1 || i == 0 && r.seq != max(h.Snapshot, 1) {
				t.Fatalf("record %d is numbered %d", i, r.seq)
			}
			b, frameErr := s.frame(r)
			if frameErr != nil || !bytes.HasSuffix(file[:r.end], b) || len(b) > int(r.end-r.start) {
				t.Fatalf("record %d has %d bytes of %d, %v", i, len(b), r.end-r.start, frameErr)
			}
			at = r.end
		}
		if err == io.EOF && at != max(size, logfile.HeaderSize) {
			t.Fatalf("the scan ended at %d of %d", at, size)
		}
	})
}
