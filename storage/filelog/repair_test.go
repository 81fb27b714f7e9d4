//go:build darwin || linux

package filelog_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
)

// TestRepair flips a bit in every third byte of a file. Open says that it is corrupt,
// or cuts the last record off if that looks torn. A repair keeps all other records.
func TestRepair(t *testing.T) {
	for name, compacted := range map[string]bool{"batches": false, "a snapshot and batches": true} {
		whole, lastStart := written(t, "a b c d", compacted)
		for at := 0; at < len(whole); at += 3 { // each writes a file to the disk
			damaged := bytes.Clone(whole)
			damaged[at] ^= 1 << (at / 3 % 8)
			path := fileOf(t, damaged)
			got, openErr := openAndRead(t, path)
			if !(errors.Is(openErr, engine.CodeCorrupt) && at < lastStart || openErr == nil && got == "a b c" && at >= lastStart) {
				t.Fatalf("%s, byte %d: opening found %q, %v", name, at, got, openErr)
			}
			path = fileOf(t, damaged)
			report, err := filelog.Repair(path, storage.SessionOptions{})
			if err != nil {
				t.Fatalf("%s, byte %d: %v", name, at, err)
			}
			ids, err := stored(t, path)
			lost := 4 - len(strings.Fields(ids))
			switch {
			case err != nil || !subsequence(ids, "a b c d"):
				t.Fatalf("%s, byte %d: a repair leaves %q, %v", name, at, ids, err)
			case openErr != nil && len(report.Problems) != 1 || openErr == nil && report.Problems != nil:
				t.Fatalf("%s, byte %d: opening returned %v, and the report has %v", name, at, openErr, report.Problems)
			case at < filelog.FileHeaderSize && lost != 0 || at >= filelog.FileHeaderSize && lost != 1 && !(compacted && lost == 2):
				t.Fatalf("%s, byte %d: a repair leaves %q", name, at, ids)
			}
			session(t, path, storage.SessionOptions{}, "e")
			if report, err := filelog.Repair(path, storage.SessionOptions{}); err != nil || report.Problems != nil {
				t.Fatalf("%s, byte %d: a second repair returned %+v, %v", name, at, report, err)
			}
		}
	}
}

func subsequence(part, whole string) bool {
	for field := range strings.FieldsSeq(part) {
		_, after, found := strings.Cut(whole, field)
		if !found {
			return false
		}
		whole = after
	}
	return true
}

// TestRepair_ofAFileInAFile: records in a document are not the file's own.
func TestRepair_ofAFileInAFile(t *testing.T) {
	inner, _ := written(t, "w x y z", false)
	path := fileOf(t, nil)
	session(t, path, storage.SessionOptions{}, "a")
	start := len(contents(t, path))
	s, err := storage.Open(open(t, path), storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(db *engine.DB) error {
		doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 2), "_id"), "b")
		_, err := db.Insert("docs", msgpack.AppendBin(msgpack.AppendString(doc, "file"), inner), false)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.Close()
	session(t, path, storage.SessionOptions{}, "c")
	damaged := contents(t, path)
	damaged[start+20] ^= 1 // in the length of the record that holds the file
	if err := os.WriteFile(path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := filelog.Repair(path, storage.SessionOptions{})
	if err != nil || len(report.Problems) != 1 || report.Problems[0].Seq != 2 {
		t.Errorf("Repair returned %+v, %v", report, err)
	}
	if got, err := stored(t, path); err != nil || got != "a c" {
		t.Errorf("it leaves %q, %v", got, err)
	}
}

func TestRepair_refuses(t *testing.T) {
	for name, content := range map[string][]byte{"a text": []byte("hello"), "a long text": bytes.Repeat([]byte("hello "), 100), "zeros": make([]byte, 500)} {
		path := fileOf(t, content)
		if _, err := filelog.Repair(path, storage.SessionOptions{}); !errors.Is(err, engine.CodeCorrupt) || !bytes.Equal(contents(t, path), content) {
			t.Errorf("%s: Repair returned %v, or changed it", name, err)
		}
	}
	// Another Log writes between Salvage and Replace.
	whole, _ := written(t, "a b c d", false)
	log := open(t, fileOf(t, whole))
	if err := log.Salvage(func(storage.Record) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := log.Append(5, storage.Frame{[]byte("x")}, storage.Relaxed); err != nil {
		t.Fatal(err)
	}
	if err := log.Replace(5, storage.Frame{[]byte("y")}); !errors.Is(err, engine.CodeConflict) {
		t.Errorf("Replace returned %v, want conflict", err)
	}
}

// TestRepair_beforeATornRecord damages the header of a record and tears the one after
// it, as a power cut can while neither is synced.
func TestRepair_beforeATornRecord(t *testing.T) {
	whole, lastStart := written(t, "a b c d", false)
	torn := bytes.Clone(whole[:lastStart+filelog.RecordHeaderSize+1])
	third := bytes.LastIndex(torn[:lastStart], []byte("AtDR"))
	clear(torn[third : third+filelog.RecordHeaderSize])
	path := fileOf(t, torn)
	if got, err := openAndRead(t, path); !errors.Is(err, engine.CodeCorrupt) {
		t.Fatalf("opening found %q, %v", got, err)
	}
	report, err := filelog.Repair(path, storage.SessionOptions{})
	if err != nil || len(report.Problems) != 2 {
		t.Fatalf("Repair returned %+v, %v", report, err)
	}
	if ids, err := stored(t, path); err != nil || ids != "a b" {
		t.Errorf("it leaves %q, %v", ids, err)
	}
}
