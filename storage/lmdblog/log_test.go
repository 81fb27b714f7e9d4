//go:build cgo && !js

package lmdblog_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/lmdblog"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m, openLog) }

func TestLog(t *testing.T) { storagetest.TestLog(t, newFile) }

func TestSession(t *testing.T) { storagetest.TestSession(t, newFile) }

func TestCrashes(t *testing.T) { storagetest.TestCrashes(t, newFile) }

func TestProcesses(t *testing.T) { storagetest.TestProcesses(t, openLog) }

func openLog(path string) (storage.Log, error) { return lmdblog.Open(path) }

func newFile(t *testing.T) storagetest.Share {
	path := filepath.Join(t.TempDir(), "test.mdb")
	return func(t *testing.T) storage.Log { return open(t, path) }
}

func open(t *testing.T, path string) *lmdblog.Log {
	t.Helper()
	log, err := lmdblog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

// TestAppend_grows stores more than LMDB has made room for at first.
func TestAppend_grows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.mdb")
	log, other := open(t, path), open(t, path)
	part := bytes.Repeat([]byte("0123456789"), 1<<20)
	for seq := uint64(1); seq <= 20; seq++ {
		if err := log.Append(seq, storage.Frame{part, []byte(fmt.Sprint(seq))}, storage.Relaxed); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Append(21, storage.Frame{}, storage.Strict); err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	err := other.Read(0, func(r storage.Record) error {
		n++
		if want := fmt.Sprint(n); n <= 20 && (r.Seq != n || len(r.Bytes) != len(part)+len(want) || string(r.Bytes[len(part):]) != want) {
			t.Errorf("record %d is %d of %d bytes", n, r.Seq, len(r.Bytes))
		}
		return nil
	})
	if err != nil || n != 21 {
		t.Errorf("read %d records, %v", n, err)
	}
}

func TestOpen_refuses(t *testing.T) {
	folder := t.TempDir()
	garbage := filepath.Join(folder, "garbage")
	if err := os.WriteFile(garbage, bytes.Repeat([]byte("garbage "), 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]engine.Code{
		garbage:                               engine.CodeCorrupt,
		filepath.Join(folder, "none", "file"): engine.CodeStorage,
	} {
		if _, err := lmdblog.Open(path); !errors.Is(err, want) {
			t.Errorf("Open(%s) returned %v, want %s", filepath.Base(path), err, want)
		}
	}
}
