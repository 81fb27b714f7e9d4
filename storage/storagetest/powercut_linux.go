package storagetest

import (
	"bufio"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// TestPowerCut cuts the power of a disk again and again while a process writes to a
// database on it. The disk is an ext4 file system in a file. A copy of that file has
// what the kernel had written to the disk, and not what it still kept in memory, so
// it is what a machine finds that starts again. Some pages that nobody has synced are
// written too, in any order. Only root can make such a disk; for others the test is
// skipped.
//
// mayGap says that the log may then lack a relaxed batch in front of a later one. It
// must be CodeCorrupt, and Repair must leave what an earlier cut has left.
func TestPowerCut(t *testing.T, open OpenPath, mayGap bool) {
	t.Run("strict writes survive a power cut", func(t *testing.T) { survivesPowerCut(t, open, storage.Strict, false) })
	t.Run("of relaxed writes a power cut takes only the newest", func(t *testing.T) { survivesPowerCut(t, open, storage.Relaxed, mayGap) })
}

func survivesPowerCut(t *testing.T, open OpenPath, d storage.Durability, mayGap bool) {
	cuts, random := Points(t, 8)
	cuts = min(cuts, 50) // each takes about a second
	d1 := newImage(t)
	last := int64(0)
	var tally Tally
	lost := int64(0)
	gaps := 0
	for tally.Points < cuts {
		job := map[storage.Durability]string{storage.Strict: "write strictly", storage.Relaxed: "write"}[d]
		acknowledged := writeUntilKilled(t, job, filepath.Join(d1.folder, "db"), last+1+int64(random.IntN(40)), func() { d1.writeSome(random) })
		tally.Operations += int(acknowledged - last)
		tally.Acknowledged += int(acknowledged - last)
		tally.Points++
		d1 = d1.cutPower()

		log, err := open(filepath.Join(d1.folder, "db"))
		if err != nil {
			t.Fatalf("cut %d: %v", tally.Points, err)
		}
		s, err := storage.Open(log, storage.SessionOptions{})
		if mayGap && errors.Is(err, engine.CodeCorrupt) {
			if newest := lastOfRepaired(t, open, filepath.Join(d1.folder, "db")); newest < last {
				t.Fatalf("cut %d: %d was stored after the last cut; after Repair, the newest is %d", tally.Points, last, newest)
			}
			gaps++
			d1.cutPower()
			d1, last = newImage(t), 0
			continue
		}
		if err != nil {
			t.Fatalf("cut %d: %v", tally.Points, err)
		}
		newest := lastNumber(s)
		if newest > acknowledged+1 || d == storage.Strict && newest < acknowledged || newest < last {
			t.Fatalf("cut %d: %d was acknowledged, and %d after the last cut; %d is stored", tally.Points, acknowledged, last, newest)
		}
		for n := max(1, newest-ring+1); n <= newest; n++ {
			if got := numberOf(s, n%ring); got != n {
				t.Fatalf("cut %d: %d is stored, but %d in place of %d", tally.Points, newest, got, n)
			}
		}
		if report, err := s.Verify(); err != nil || report.Problems != nil {
			t.Errorf("cut %d: Verify returned %+v, %v", tally.Points, report, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		syscall.Sync() // what has been read is not lost by the next cut
		lost += max(0, acknowledged-newest)
		last = newest
	}
	t.Logf("%v; %d relaxed writes were lost; %d gaps of unsynced batches", &tally, lost, gaps)
}

// lastOfRepaired repairs a log, and returns the last number in it.
func lastOfRepaired(t *testing.T, open OpenPath, path string) int64 {
	t.Helper()
	log, err := open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Repair(log, storage.SessionOptions{}); err != nil {
		t.Fatal(err)
	}
	if log, err = open(path); err != nil {
		t.Fatal(err)
	}
	s, err := storage.Open(log, storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return lastNumber(s)
}

// writeUntilKilled starts a child that writes, kills it at a number, and returns the
// last number that it acknowledged.
func writeUntilKilled(t *testing.T, job, path string, until int64, before func()) (acknowledged int64) {
	t.Helper()
	child := startChild(t, job, path)
	lines := bufio.NewScanner(child.out)
	for lines.Scan() {
		n, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		acknowledged = n
		if n == until {
			before()
			child.Process.Kill() // its last lines are read below
		}
	}
	if err := child.Wait(); acknowledged < until {
		t.Fatalf("the process ended by itself at %d: %v", acknowledged, err)
	}
	return acknowledged
}

// An image is a disk in a file.
type image struct {
	t      *testing.T
	path   string
	folder string // where it is mounted
}

const imageSize = 48 << 20

func newImage(t *testing.T) *image {
	t.Helper()
	m := &image{t: t, path: filepath.Join(t.TempDir(), "disk")}
	file, err := os.Create(m.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(imageSize); err != nil {
		t.Fatal(err)
	}
	file.Close()
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", m.path).CombinedOutput(); err != nil {
		t.Skipf("cannot make a file system: %v %s", err, out)
	}
	m.mount()
	return m
}

func (m *image) mount() {
	m.t.Helper()
	m.folder = m.t.TempDir()
	if out, err := exec.Command("mount", "-t", "ext4", "-o", "loop", m.path, m.folder).CombinedOutput(); err != nil {
		m.t.Skipf("cannot mount a disk: %v %s", err, out)
	}
	folder := m.folder
	m.t.Cleanup(func() {
		if m.folder == folder {
			unmount(m.t, folder)
		}
	})
}

// unmount is lazy: after a failed test, a file may still be open.
func unmount(t *testing.T, folder string) {
	if out, err := exec.Command("umount", "--lazy", folder).CombinedOutput(); err != nil {
		t.Errorf("umount: %v %s", err, out)
	}
}

// cutPower returns the disk as the machine finds it when the power comes back.
func (m *image) cutPower() *image {
	m.t.Helper()
	after := &image{t: m.t, path: filepath.Join(m.t.TempDir(), "disk")}
	from, err := os.Open(m.path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer from.Close()
	to, err := os.Create(after.path)
	if err != nil {
		m.t.Fatal(err)
	}
	if _, err = io.Copy(to, from); err != nil {
		m.t.Fatal(err)
	}
	to.Close()
	unmount(m.t, m.folder)
	m.folder = ""
	if err := os.Remove(m.path); err != nil {
		m.t.Fatal(err)
	}
	after.mount()
	return after
}

// writeSome has the kernel write some pages of the disk's files, as it may at any time.
func (m *image) writeSome(random *rand.Rand) {
	entries, err := os.ReadDir(m.folder)
	if err != nil {
		m.t.Error(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			continue
		}
		file, err := os.Open(filepath.Join(m.folder, entry.Name()))
		if err != nil {
			continue // a compaction has removed it
		}
		for range random.IntN(6) {
			const writeAndWait = 7
			at := random.Int64N(info.Size()) &^ 4095
			_ = syscall.SyncFileRange(int(file.Fd()), at, 4096*int64(1+random.IntN(8)), writeAndWait)
		}
		file.Close()
	}
}
