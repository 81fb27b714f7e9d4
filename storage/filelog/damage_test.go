//go:build darwin || linux

package filelog_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
)

// written returns the bytes of a file with a document per batch, the first two
// in a snapshot if compacted, and where the last record starts.
func written(t *testing.T, documents string, compacted bool) (file []byte, lastStart int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "written")
	for i, id := range strings.Fields(documents) {
		opts := storage.SessionOptions{}
		if compacted && i == 1 {
			opts.CompactAfter = 1
		}
		if info, err := os.Stat(path); err == nil {
			lastStart = int(info.Size())
		}
		session(t, path, opts, id)
	}
	return contents(t, path), lastStart
}

// session adds one document to the file at path.
func session(t *testing.T, path string, opts storage.SessionOptions, id string) {
	t.Helper()
	s, err := storage.Open(open(t, path), opts)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, id)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s *storage.Session, id string) {
	t.Helper()
	doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 1), "_id"), id)
	err := s.Update(func(db *engine.DB) error {
		_, err := db.Insert("docs", doc, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// stored returns the ids that a session finds in a file.
func stored(t *testing.T, path string) (ids string, err error) {
	t.Helper()
	s, err := storage.Open(open(t, path), storage.SessionOptions{})
	if err != nil {
		return "", err
	}
	defer s.Close()
	return idsOf(t, s), nil
}

func idsOf(t *testing.T, s *storage.Session) string {
	t.Helper()
	found, err := s.DB().Find("docs", engine.Query{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for found.Len() > 0 {
		doc, _, _ := found.Next(nil, 1)
		ids = append(ids, string(msgpack.Str(msgpack.Lookup(doc, "_id"))))
	}
	return strings.Join(ids, " ")
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fileOf(t *testing.T, b []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "damaged")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOpen_cutsATornTail tears the last record at every byte: cut short there,
// with zeros from there on, and with other bytes from there on.
func TestOpen_cutsATornTail(t *testing.T) {
	for _, compacted := range []bool{false, true} {
		whole, lastStart := written(t, "a b c d", compacted)
		for at := lastStart; at < len(whole); at++ {
			short := whole[:at]
			zeros := append(bytes.Clone(short), make([]byte, len(whole)-at)...)
			other := bytes.Clone(whole)
			for i := at; i < len(whole); i++ {
				other[i] ^= 0xff
			}
			for how, torn := range map[string][]byte{"cut short": short, "zeros": zeros, "other bytes": other} {
				if bytes.Equal(torn, whole) {
					continue // the record ends with zeros
				}
				path := fileOf(t, torn)
				if got, err := stored(t, path); err != nil || got != "a b c" {
					t.Fatalf("%s from byte %d on: found %q, %v", how, at-lastStart, got, err)
				}
				if got := contents(t, path); !bytes.Equal(got, whole[:lastStart]) {
					t.Fatalf("%s from byte %d on: %d bytes are left, want %d", how, at-lastStart, len(got), lastStart)
				}
				session(t, path, storage.SessionOptions{}, "e")
				if got, err := stored(t, path); err != nil || got != "a b c e" {
					t.Fatalf("%s from byte %d on, and written again: found %q, %v", how, at-lastStart, got, err)
				}
			}
		}
	}
}

// TestSession_goesOnAfterATornAppend: the session was open when another process died
// in the middle of an append.
func TestSession_goesOnAfterATornAppend(t *testing.T) {
	whole, lastStart := written(t, "a b c", true)
	for at := lastStart + 1; at < len(whole); at++ {
		path := fileOf(t, whole[:lastStart])
		s, err := storage.Open(open(t, path), storage.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, whole[:at], 0); err != nil {
			t.Fatal(err)
		}
		compacts := open(t, path)
		if at%2 == 0 {
			if err := compacts.Compact(2, storage.Frame{frameOf(t, compacts, 2)}); err != nil {
				t.Fatal(err)
			}
		}
		put(t, s, "d")
		s.Close()
		if got, err := stored(t, path); err != nil || got != "a b d" {
			t.Fatalf("torn at byte %d: found %q, %v", at-lastStart, got, err)
		}
	}
}

// frameOf returns the bytes of the record seq.
func frameOf(t *testing.T, log storage.Log, seq uint64) (b []byte) {
	t.Helper()
	err := log.Read(0, func(r storage.Record) error {
		if r.Seq == seq {
			b = bytes.Clone(r.Bytes)
		}
		return nil
	})
	if err != nil || b == nil {
		t.Fatalf("there is no record %d: %v", seq, err)
	}
	return b
}

// TestOpen_cutsNothingElse flips a bit in every byte that is not the last
// record's, and in every one of a snapshot that is the last record.
func TestOpen_cutsNothingElse(t *testing.T) {
	long, longEnd := written(t, "a b c d", false)
	compacted, compactedEnd := written(t, "a b c d", true)
	snapshot, _ := written(t, "a b", true)
	for name, c := range map[string]struct {
		file []byte
		end  int
	}{"batches": {long, longEnd}, "a snapshot and batches": {compacted, compactedEnd}, "a snapshot": {snapshot, len(snapshot)}} {
		for at := range c.end {
			bit := at % 8
			damaged := bytes.Clone(c.file)
			damaged[at] ^= 1 << bit
			path := fileOf(t, damaged)
			got, err := openAndRead(t, path)
			if !errors.Is(err, engine.CodeCorrupt) {
				t.Fatalf("%s, bit %d of byte %d: found %q, %v, want corrupt", name, bit, at, got, err)
			}
			if !bytes.Equal(contents(t, path), damaged) {
				t.Fatalf("%s, bit %d of byte %d: the file was changed", name, bit, at)
			}
		}
	}
}

// TestLog_writesOverATornTail: a process died in the middle of a long record.
func TestLog_writesOverATornTail(t *testing.T) {
	path := fileOf(t, nil)
	log := open(t, path)
	for seq, size := range []int{10, 20, 5000} {
		if err := log.Append(uint64(seq+1), storage.Frame{bytes.Repeat([]byte("x"), size)}, storage.Relaxed); err != nil {
			t.Fatal(err)
		}
	}
	whole := contents(t, path)
	whole, torn := whole[:len(whole)-filelog.RecordHeaderSize-5000], whole[:len(whole)-1]
	short := storage.Frame{[]byte("y")}

	path = fileOf(t, torn)
	log = open(t, path)
	if err := log.Compact(3, short); err != nil || !bytes.Equal(contents(t, path), torn) {
		t.Errorf("Compact up to a torn record: %v, or it changed the file", err)
	}
	if err := log.Append(4, short, storage.Relaxed); !errors.Is(err, engine.CodeConflict) {
		t.Errorf("Append behind a torn record returned %v, want conflict", err)
	}
	if err := log.Append(3, short, storage.Relaxed); err != nil {
		t.Fatal(err)
	}
	want := len(whole) + filelog.RecordHeaderSize + 1
	if got := contents(t, path); len(got) != want || !bytes.HasPrefix(got, whole) {
		t.Errorf("Append over a torn record left %d bytes, want %d", len(got), want)
	}

	path = fileOf(t, torn)
	if err := open(t, path).Compact(2, short); err != nil {
		t.Fatal(err)
	}
	want = filelog.FileHeaderSize + filelog.RecordHeaderSize + 1
	if got := contents(t, path); len(got) != want {
		t.Errorf("Compact before a torn record left %d bytes, want %d", len(got), want)
	}
}

// TestAppend_cutsNothingDamaged: the Logs write without reading before.
func TestAppend_cutsNothingDamaged(t *testing.T) {
	whole, _ := written(t, "a b c d", true)
	snapshot, _ := written(t, "a b", true)
	for i := range 2 * filelog.RecordHeaderSize {
		at := filelog.FileHeaderSize + i/2
		damaged := bytes.Clone([][]byte{whole, snapshot}[i%2])
		damaged[at] ^= 1
		path := fileOf(t, damaged)
		frame := storage.Frame{[]byte("new")}
		log := open(t, path)
		for name, err := range map[string]error{
			"Append": log.Append(5, frame, storage.Strict), "Append as first": log.Append(1, frame, storage.Strict),
			"Compact": log.Compact(2, frame), "CutTail": log.CutTail(2, damaged[filelog.FileHeaderSize:]),
		} {
			if !errors.Is(err, engine.CodeCorrupt) {
				t.Errorf("byte %d: %s returned %v, want corrupt", at, name, err)
			}
		}
		if !bytes.Equal(contents(t, path), damaged) {
			t.Errorf("byte %d: the file was changed", at)
		}
	}
}

func openAndRead(t *testing.T, path string) (string, error) {
	t.Helper()
	log, err := filelog.Open(path)
	if err != nil {
		return "", err
	}
	s, err := storage.Open(log, storage.SessionOptions{})
	if err != nil {
		return "", err
	}
	defer s.Close()
	return idsOf(t, s), nil
}

// TestCutTail_leavesOtherRecords: another Log has cut the tail off already, and
// appended in its place.
func TestCutTail_leavesOtherRecords(t *testing.T) {
	whole, lastStart := written(t, "a b c", false)
	path := fileOf(t, whole)
	log := open(t, path)
	last := frameOf(t, log, 3)
	for _, c := range []struct {
		seq  uint64
		torn []byte
	}{{3, last[1:]}, {3, nil}, {3, append(bytes.Clone(last), 0)}, {2, last}, {4, last}, {4, nil}, {2, frameOf(t, log, 2)}} {
		if err := log.CutTail(c.seq, c.torn); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(contents(t, path), whole) {
			t.Fatalf("Cut of %d with %d bytes changed the file", c.seq, len(c.torn))
		}
	}
	if err := log.CutTail(3, last); err != nil || !bytes.Equal(contents(t, path), whole[:lastStart]) {
		t.Errorf("Cut did not cut: %v", err)
	}
}

// TestOpen_finishesItsCreation: a crash has left the file before its header was on
// disk.
func TestOpen_finishesItsCreation(t *testing.T) {
	header := contents(t, func() string { path := fileOf(t, nil); open(t, path); return path }())
	for n := range header {
		for _, torn := range [][]byte{header[:n], make([]byte, n), make([]byte, n+1)} {
			path := fileOf(t, torn)
			session(t, path, storage.SessionOptions{}, "a")
			if got, err := stored(t, path); err != nil || got != "a" {
				t.Fatalf("%d bytes of a header: found %q, %v", len(torn), got, err)
			}
		}
	}
}

func TestOpen_leavesOtherFilesAlone(t *testing.T) {
	later := slices.Clone(contents(t, func() string { path := fileOf(t, nil); open(t, path); return path }()))
	for name, other := range map[string][]byte{
		"a text": []byte("hello"), "a long text": bytes.Repeat([]byte("hello "), 100), "zeros": make([]byte, 41),
		"a frame": append([]byte("AtDB"), make([]byte, 60)...), "a header and a half": append(later[:39:39], 0xff),
	} {
		path := fileOf(t, other)
		if _, err := filelog.Open(path); !errors.Is(err, engine.CodeCorrupt) {
			t.Errorf("%s: Open returned %v, want corrupt", name, err)
		}
		if !bytes.Equal(contents(t, path), other) {
			t.Errorf("%s was changed", name)
		}
	}
	for path, want := range map[string]engine.Code{
		t.TempDir():                              engine.CodeStorage,
		filepath.Join(t.TempDir(), "no", "such"): engine.CodeStorage,
		os.DevNull:                               engine.CodeInvalid,
		filepath.Join(fileOf(t, nil), "in a file"):         engine.CodeStorage,
		fmt.Sprint(t.TempDir(), strings.Repeat("x", 5000)): engine.CodeStorage,
	} {
		if _, err := filelog.Open(path); !errors.Is(err, want) {
			t.Errorf("Open of %.80s returned %v, want %s", path, err, want)
		}
	}
}
