//go:build darwin || linux

package filelog_test

import (
	"path/filepath"
	"testing"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m, openLog) }

func TestLog(t *testing.T) { storagetest.TestLog(t, newFile) }

func TestRecreation(t *testing.T) { storagetest.TestRecreation(t, newFile) }

func TestSession(t *testing.T) { storagetest.TestSession(t, newFile) }

func TestProcesses(t *testing.T) { storagetest.TestProcesses(t, openLog) }

func openLog(path string) (storage.Log, error) { return filelog.Open(path) }

func newFile(t *testing.T) storagetest.Share {
	path := filepath.Join(t.TempDir(), "test.atomicdb")
	return func(t *testing.T) storage.Log { return open(t, path) }
}

func open(t *testing.T, path string) *filelog.Log {
	t.Helper()
	log, err := filelog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}
