//go:build darwin || linux

package filelog_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/docfile"
)

// TestVersion1 opens a file that the npm package wrote; see testdata/v1/README.md.
func TestVersion1(t *testing.T) {
	file, err := os.ReadFile("../testdata/v1/database.atomicdb")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../testdata/v1/contents.json")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "v1.atomicdb")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		s, err := storage.Open(open(t, path), storage.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if report, err := s.Verify(); err != nil || report.Problems != nil || report.SnapshotSeq == 0 || report.Batches < 2 {
			t.Errorf("Verify returned %+v, %v", report, err)
		}
		got, err := docfile.Write(s.DB(), docfile.JSON)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("after %d writes it holds\n%s\nwant\n%s\n%v", n, got, want, err)
		}
		// New batches are stored after the old ones.
		if err := s.Update(func(db *engine.DB) error { return db.CreateCollection("more") }); err != nil {
			t.Fatal(err)
		}
		if err := s.Update(func(db *engine.DB) error { return db.DropCollection("more") }); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
