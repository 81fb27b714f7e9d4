//go:build cgo && !js

package lmdblog_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/lmdblog"
)

// fixture copies a file that the npm package wrote; see testdata/README.md.
func fixture(t *testing.T, name string) (path string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen_whatNpmHasWritten(t *testing.T) {
	log := open(t, fixture(t, "npm.mdb"))
	var snapshots, batches int
	err := log.Read(0, func(r storage.Record) error {
		if r.Snapshot {
			snapshots++
		} else {
			batches++
		}
		return nil
	})
	if err != nil || snapshots != 1 || batches == 0 {
		t.Errorf("it has %d snapshots and %d batches (%v): the test tests less than it could", snapshots, batches, err)
	}
	s, err := storage.Open(log, storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	found, err := s.DB().Find("notes", engine.Query{})
	if err != nil || found.Len() != 202 {
		t.Errorf("found %d notes, %v, want 202", found.Len(), err)
	}
	if err := s.Update(func(db *engine.DB) error { return db.CreateCollection("more") }); err != nil {
		t.Error(err)
	}
}

func TestOpen_refusesFormat2(t *testing.T) {
	path := fixture(t, "npm-format2.mdb")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lmdblog.Open(path); !errors.Is(err, engine.CodeUnsupported) || !strings.Contains(err.Error(), "use_data_v1") {
		t.Errorf("Open returned %v, want unsupported, and what to do", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("Open has changed the file (%v)", err)
	}
}
