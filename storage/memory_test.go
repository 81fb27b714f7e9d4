package storage_test

import (
	"testing"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestMemory(t *testing.T) { storagetest.TestLog(t, newSharedMemory) }

func TestMemory_foreign(t *testing.T) { storagetest.TestForeign(t, newSharedMemory) }

func newSharedMemory(*testing.T) storagetest.Share {
	memory := storage.NewMemory()
	return func(*testing.T) storage.Log { return memory.Share() }
}
