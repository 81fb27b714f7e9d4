package storage_test

import (
	"testing"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestCrashes(t *testing.T) { storagetest.TestCrashes(t, newMemory) }

func TestCrashes_atEachCall(t *testing.T) { storagetest.TestCalls(t, newMemory) }

func newMemory(*testing.T) storagetest.Share {
	memory := storage.NewMemory()
	return func(*testing.T) storage.Log { return memory.Share() }
}
