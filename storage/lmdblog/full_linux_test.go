//go:build cgo

package lmdblog_test

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// smallDisk returns a folder on a disk of 1 MiB, which only root can make.
func smallDisk(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("cannot mount a small disk: ", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Error(err)
		}
	})
	return folder
}

func TestFull(t *testing.T) {
	log := open(t, filepath.Join(smallDisk(t), "full.mdb"))
	mustAppend(t, log, 1, "a")
	large := storage.Frame{make([]byte, 3<<20)} // more than the map, too
	for range 3 {
		for name, err := range map[string]error{"Append": log.Append(2, large, storage.Strict), "Compact": log.Compact(1, large)} {
			if !errors.Is(err, engine.CodeQuota) {
				t.Errorf("%s returned %v, want quota", name, err)
			}
		}
		wantRecords(t, log, "1 a")
	}
	mustAppend(t, log, 2, "b") // a small one still fits
	wantRecords(t, log, "1 a", "2 b")
	if err := log.Close(); err != nil { // before its disk is gone
		t.Error(err)
	}
}
