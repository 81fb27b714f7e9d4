package storagetest

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// TestFullDisk fills a real disk of 1 MiB. Each write that does not fit returns
// CodeQuota and leaves nothing, what was stored stays, and writes go on when there is
// room again. Only root can make such a disk; for others the test is skipped.
func TestFullDisk(t *testing.T, open OpenPath) {
	for _, d := range []storage.Durability{storage.Relaxed, storage.Strict} {
		t.Run(d.String(), func(t *testing.T) { fillsDisk(t, open, d) })
	}
}

func fillsDisk(t *testing.T, open OpenPath, d storage.Durability) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("cannot mount a small disk: ", err)
	}
	t.Cleanup(func() { unmount(t, folder) })
	ballast := filepath.Join(folder, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 300_000), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "full")
	log, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(log, storage.SessionOptions{Durability: d})
	if err != nil {
		t.Fatal(err)
	}
	write := func(id int64, size int) error {
		err := s.Update(func(db *engine.DB) error { return putNumber(db, id, id, size) })
		if err != nil && !errors.Is(err, engine.CodeQuota) {
			t.Fatalf("document %d gave %v, want quota", id, err)
		}
		return err
	}
	stored := int64(0)
	for write(stored+1, 10_000) == nil {
		stored++
	}
	for range 3 {
		if write(stored+1, 3<<20) == nil {
			t.Fatal("3 MiB fit into 1")
		}
	}
	check := func() {
		t.Helper()
		for n := int64(1); n <= stored+1; n++ {
			if got := numberOf(s, n); got != n%(stored+1) {
				t.Fatalf("%d documents were stored; number %d is %d", stored, n, got)
			}
		}
		if report, err := s.Verify(); err != nil || report.Problems != nil {
			t.Errorf("Verify returned %+v, %v", report, err)
		}
	}
	check()
	if stored < 10 {
		t.Errorf("%d documents were stored", stored)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := write(stored+1, 10_000); err != nil {
		t.Fatalf("there is room again, and a write gave %v", err)
	}
	stored++
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if log, err = open(path); err == nil {
		s, err = storage.Open(log, storage.SessionOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	check()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
