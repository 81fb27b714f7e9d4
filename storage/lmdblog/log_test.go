//go:build cgo && !js

package lmdblog_test

import (
	"path/filepath"
	"testing"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/lmdblog"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m, openLog) }

func TestLog(t *testing.T) { storagetest.TestLog(t, newFile) }

func TestForeign(t *testing.T) { storagetest.TestForeign(t, newFile) }

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
