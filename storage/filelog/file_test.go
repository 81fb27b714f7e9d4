//go:build darwin || linux

package filelog_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
)

// inProcess runs the test again in a process of its own, and reports whether this is
// that process: a limit on files would also apply to those that go test writes.
func inProcess(t *testing.T) bool {
	t.Helper()
	const isChild = "ATOMICDB_TEST_LIMITED"
	if os.Getenv(isChild) != "" {
		return true
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), isChild+"=1")
	out, err := child.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// limitFiles makes every write beyond n bytes of a file fail, as on a full disk,
// until lift is called.
func limitFiles(t *testing.T, n int) (lift func()) {
	t.Helper()
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	limited := before
	limited.Cur = uint64(n)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limited); err != nil {
		t.Fatal(err)
	}
	lift = func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(lift)
	return lift
}

func TestAppend_undoesWhatDoesNotFit(t *testing.T) {
	if !inProcess(t) {
		return
	}
	whole, _ := written(t, "a b c", false)
	for _, room := range []int{0, 1, filelog.RecordHeaderSize, filelog.RecordHeaderSize + 1, 90_000} {
		path := fileOf(t, whole)
		log := open(t, path)
		lift := limitFiles(t, len(whole)+room)
		large := storage.Frame{make([]byte, 50_000), make([]byte, 50_000), make([]byte, 3)}
		for d := storage.Relaxed; d <= storage.Strict; d++ {
			if err := log.Append(4, large, d); !errors.Is(err, engine.CodeQuota) {
				t.Errorf("room for %d bytes: Append returned %v, want quota", room, err)
			}
			if !bytes.Equal(contents(t, path), whole) {
				t.Fatalf("room for %d bytes: Append left %d bytes, want %d", room, len(contents(t, path)), len(whole))
			}
		}
		if err := log.Compact(3, large); len(whole)+room < 100_000 && !errors.Is(err, engine.CodeQuota) {
			t.Errorf("room for %d bytes: Compact returned %v, want quota", room, err)
		}
		if !bytes.Equal(contents(t, path), whole) {
			t.Fatalf("room for %d bytes: Compact changed the file", room)
		}
		if names := namesBeside(t, path); len(names) != 1 {
			t.Errorf("Compact left %v", names)
		}
		lift()
		if err := log.Append(4, large, storage.Strict); err != nil {
			t.Error(err)
		}
	}
}

func TestSession_goesOnAfterAFullDisk(t *testing.T) {
	if !inProcess(t) {
		return
	}
	path := filepath.Join(t.TempDir(), "full")
	s, err := storage.Open(open(t, path), storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put(t, s, "a")
	lift := limitFiles(t, 10_000)
	err = s.Update(func(db *engine.DB) error {
		_, err := db.Insert("docs", append([]byte{0x81, 0xa3, '_', 'i', 'd', 0xda, 0x3f, 0xff}, strings.Repeat("x", 0x3fff)...), false)
		return err
	})
	if !errors.Is(err, engine.CodeQuota) || idsOf(t, s) != "a" {
		t.Errorf("the update returned %v and left %.20q, want quota and what was there", err, idsOf(t, s))
	}
	put(t, s, "b") // a small one still fits
	lift()
	put(t, s, "c")
	if got, err := stored(t, path); err != nil || got != "a b c" {
		t.Errorf("found %q, %v", got, err)
	}
}

func namesBeside(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// TestStrict_syncs checks which files are synced, and in which state.
func TestStrict_syncs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "synced")
	var synced []string
	stop := filelog.OnSync(func(f *os.File) error {
		name := strings.TrimPrefix(strings.TrimPrefix(f.Name(), filepath.Dir(path)), "/")
		if part, err := os.Stat(filelog.PartOf(path)); err == nil && part.Size() > 0 {
			name += " before the rename"
		}
		synced = append(synced, name)
		return nil
	})
	defer stop()
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(synced, want) {
			t.Errorf("%s synced %q, want %q", what, synced, want)
		}
		synced = nil
	}
	frame := storage.Frame{[]byte("frame")}
	log := open(t, path)
	expect("making the file", "synced", "")
	other := open(t, path)
	expect("opening it")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(log.Append(1, frame, storage.Relaxed))
	expect("a relaxed append")
	must(log.Append(2, frame, storage.Strict))
	expect("a strict append", "synced")
	must(other.Append(3, frame, storage.Strict))
	expect("the first strict append of a Log that has not made the file", "synced", "")
	must(other.Append(4, frame, storage.Strict))
	expect("its second", "synced")

	part := filepath.Base(filelog.PartOf(path))
	must(log.Compact(2, frame))
	expect("a compaction", part+" before the rename", part, "")
	must(log.Append(5, frame, storage.Strict))
	expect("a strict append after it", part)
	must(other.Append(6, frame, storage.Strict))
	expect("another's first strict append after it", "synced", "")
	must(log.Destroy())
	expect("deleting it", "")
}

// TestStrict_undoesWhatIsNotSynced: an fsync fails, as on a disk that notices late
// that it is full or broken.
func TestStrict_undoesWhatIsNotSynced(t *testing.T) {
	whole, _ := written(t, "a b", false)
	path := fileOf(t, whole)
	log := open(t, path)
	for _, c := range []struct {
		cause error
		times int
		want  engine.Code
	}{{syscall.ENOSPC, 1, engine.CodeQuota}, {syscall.ENOSPC, 2, engine.CodeStorage}, {syscall.EIO, 1, engine.CodeStorage}} {
		left := c.times
		stop := filelog.OnSync(func(*os.File) error {
			if left == 0 {
				return nil
			}
			left--
			return c.cause
		})
		if err := log.Append(3, storage.Frame{[]byte("lost")}, storage.Strict); !errors.Is(err, c.want) {
			t.Errorf("Append returned %v, want %s", err, c.want)
		}
		stop()
		if !bytes.Equal(contents(t, path), whole) {
			t.Error("the record is still there")
		}
	}
}

func TestCompact_keepsModeAndLink(t *testing.T) {
	whole, _ := written(t, "a b c", false)
	path := fileOf(t, whole)
	link := filepath.Join(t.TempDir(), "link")
	left := filelog.PartOf(path)
	if err := errors.Join(os.Chmod(path, 0o640), os.Symlink(path, link), os.WriteFile(left, []byte("of a crash"), 0o400)); err != nil {
		t.Fatal(err)
	}
	log, other := open(t, link), open(t, path)
	if err := log.Compact(3, storage.Frame{frameOf(t, log, 3)}); err != nil {
		t.Fatal(err)
	}
	if err := other.Append(4, storage.Frame{[]byte("d")}, storage.Relaxed); err != nil {
		t.Errorf("a Log that had the old file open: %v", err)
	}
	if got := string(frameOf(t, log, 4)); got != "d" {
		t.Errorf("read %q", got)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	if names := namesBeside(t, path); len(names) != 1 {
		t.Errorf("beside the file there are %v", names)
	}
}

func TestDestroy_endsOtherLogs(t *testing.T) {
	whole, _ := written(t, "a b c", false)
	path := fileOf(t, whole)
	deleting, reading, writing, late := open(t, path), open(t, path), open(t, path), open(t, path)
	if err := deleting.Destroy(); err != nil {
		t.Fatal(err)
	}
	frame := storage.Frame{[]byte("new")}
	isClosed := func(name string, err error) {
		t.Helper()
		if !errors.Is(err, engine.CodeClosed) {
			t.Errorf("%s returned %v, want closed", name, err)
		}
	}
	isClosed("Read of a deleted file", reading.Read(0, func(storage.Record) error { return nil }))
	anew := open(t, path)
	for seq := uint64(1); seq <= 3; seq++ {
		if err := anew.Append(seq, frame, storage.Relaxed); err != nil {
			t.Fatal(err)
		}
	}
	// The numbers fit, but the databases differ.
	isClosed("Append to another's file", writing.Append(4, frame, storage.Relaxed))
	isClosed("Compact of another's file", writing.Compact(3, frame))
	isClosed("Destroy of another's file", late.Destroy())
	if got := string(frameOf(t, anew, 3)); got != "new" {
		t.Errorf("the new file holds %q", got)
	}
	if err := errors.Join(anew.Destroy(), open(t, path).Destroy()); err != nil {
		t.Error(err)
	}
	gone := open(t, path)
	if err := errors.Join(os.Remove(path), gone.Destroy()); err != nil {
		t.Errorf("Destroy of a file that is gone: %v", err)
	}
}

func TestOpen_byTwoNames(t *testing.T) {
	directory := t.TempDir()
	t.Chdir(directory)
	log := open(t, "relative")
	t.Chdir(t.TempDir())
	if err := log.Append(1, storage.Frame{[]byte("a")}, storage.Relaxed); err != nil {
		t.Fatal(err)
	}
	if got := string(frameOf(t, open(t, filepath.Join(directory, "relative")), 1)); got != "a" {
		t.Errorf("read %q", got)
	}
}
