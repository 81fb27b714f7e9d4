//go:build cgo && !js

package lmdblog_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/lmdblog"
)

func mustAppend(t *testing.T, log storage.Log, seq uint64, text string) {
	t.Helper()
	if err := log.Append(seq, storage.Frame{[]byte(text)}, storage.Relaxed); err != nil {
		t.Fatal(err)
	}
}

// wantRecords compares what log holds with "4 text" or "snapshot 3 text".
func wantRecords(t *testing.T, log storage.Log, want ...string) {
	t.Helper()
	var got []string
	err := log.Read(0, func(r storage.Record) error {
		text := fmt.Sprintf("%d %s", r.Seq, r.Bytes)
		if r.Snapshot {
			text = "snapshot " + text
		}
		got = append(got, text)
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the log holds %.200q, %v, want %.200q", got, err, want)
	}
}

func mapSize(t *testing.T, log *lmdblog.Log) int64 {
	t.Helper()
	size, err := log.MapSize()
	if err != nil {
		t.Fatal(err)
	}
	return size
}

func TestMap_growsWithTheData(t *testing.T) {
	path := filepath.Join(t.TempDir(), "grows.mdb")
	log := open(t, path)
	large := strings.Repeat("x", 5<<20)
	mustAppend(t, log, 1, large)
	mustAppend(t, log, 2, "b")
	if err := log.Compact(1, storage.Frame{[]byte(large), []byte(large)}); err != nil {
		t.Fatal(err)
	}
	wantRecords(t, log, "snapshot 1 "+large+large, "2 b")
	grown := mapSize(t, log)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if again := open(t, path); mapSize(t, again) != grown {
		t.Errorf("the map has %d bytes, and %d when opened again", grown, mapSize(t, again))
	}
}

// TestMap_grownByAnotherProcess: the other process is this test again.
func TestMap_grownByAnotherProcess(t *testing.T) {
	const pathOfChild = "ATOMICDB_TEST_GROWN"
	large := strings.Repeat("x", 20<<20)
	if path := os.Getenv(pathOfChild); path != "" {
		mustAppend(t, open(t, path), 2, large)
		return
	}
	path := filepath.Join(t.TempDir(), "grown.mdb")
	log, other := open(t, path), open(t, path)
	mustAppend(t, log, 1, "a")
	before := mapSize(t, log)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self, "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), pathOfChild+"="+path)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	mustAppend(t, log, 3, "c")
	wantRecords(t, other, "1 a", "2 "+large, "3 c")
	if after := mapSize(t, log); after <= before {
		t.Errorf("the map has %d bytes, as before", after)
	}
}

// TestMap_tooLarge asks for a map that no machine can address.
func TestMap_tooLarge(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "test.mdb"))
	mustAppend(t, log, 1, "a")
	if err := log.Resize(1 << 62); err == nil {
		t.Fatal("this machine has more memory than was thought")
	}
	wantRecords(t, log, "1 a")
	mustAppend(t, log, 2, "b")
	wantRecords(t, log, "1 a", "2 b")
}

// TestOpen_oncePerProcess opens a file through a link and from another folder:
// LMDB itself would let them write at the same time.
func TestOpen_oncePerProcess(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	if err := os.Symlink("real.mdb", "link.mdb"); err != nil {
		t.Skip(err)
	}
	link, real, full := open(t, "link.mdb"), open(t, "real.mdb"), open(t, filepath.Join(folder, "real.mdb"))
	mustAppend(t, link, 1, "a")
	t.Chdir(t.TempDir())
	mustAppend(t, real, 2, "b")
	if err := real.Close(); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, full, 3, "c")
	wantRecords(t, link, "1 a", "2 b", "3 c")
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(names) != 3 {
		t.Errorf("there are %v (%v), want the file, its lock and the link", names, err)
	}
	if err := errors.Join(link.Close(), link.Close(), full.Close()); err != nil {
		t.Error(err)
	}
	wantRecords(t, open(t, filepath.Join(folder, "real.mdb")), "1 a", "2 b", "3 c")
}

func TestOpen_refuses(t *testing.T) {
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct {
		path string
		want engine.Code
	}{
		"another file":   {write("garbage", bytes.Repeat([]byte("garbage "), 10_000)), engine.CodeCorrupt},
		"a short file":   {write("short", []byte("short")), engine.CodeCorrupt},
		"a folder":       {folder, engine.CodeStorage},
		"no such folder": {filepath.Join(folder, "no", "such.mdb"), engine.CodeStorage},
	} {
		if _, err := lmdblog.Open(c.path); !errors.Is(err, c.want) {
			t.Errorf("%s: Open returned %v, want %s", name, err, c.want)
		}
	}
	log := open(t, write("empty", nil))
	mustAppend(t, log, 1, "a")
}

func TestRead_refusesWhatIsNoBatch(t *testing.T) {
	for name, c := range map[string]struct{ key, value string }{
		"another program's key": {"name", "\x00value"},
		"no kind":               {string(lmdblog.KeyOf(2)), ""},
		"a kind there is not":   {string(lmdblog.KeyOf(2)), "\x02value"},
	} {
		path := filepath.Join(t.TempDir(), "test.mdb")
		log := open(t, path)
		mustAppend(t, log, 1, "a")
		if err := log.Put([]byte(c.key), []byte(c.value)); err != nil {
			t.Fatal(err)
		}
		if err := log.Read(0, func(storage.Record) error { return nil }); !errors.Is(err, engine.CodeCorrupt) {
			t.Errorf("%s: Read returned %v, want corrupt", name, err)
		}
		if c.key != "name" {
			continue
		}
		if err := log.Append(2, storage.Frame{[]byte("b")}, storage.Relaxed); !errors.Is(err, engine.CodeCorrupt) {
			t.Errorf("%s: Append returned %v, want corrupt", name, err)
		}
		if _, err := lmdblog.Open(path); !errors.Is(err, engine.CodeCorrupt) {
			t.Errorf("%s: Open returned %v, want corrupt", name, err)
		}
	}
}

// TestCompact_usesPagesAgain: the file does not grow with every batch.
func TestCompact_usesPagesAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.mdb")
	log := open(t, path)
	text := strings.Repeat("x", 10_000)
	for seq := uint64(1); seq <= 1000; seq++ {
		mustAppend(t, log, seq, text)
		if seq%50 == 0 {
			if err := log.Compact(seq, storage.Frame{[]byte(text)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 2<<20 {
		t.Errorf("the file has %d bytes (%v) of at most 0.6 MB that were needed at a time", info.Size(), err)
	}
}

// TestStrict_syncs: without a sync, a power cut may undo the last batch.
func TestStrict_syncs(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "test.mdb"))
	syncs := 0
	defer lmdblog.OnSync(func() error { syncs++; return nil })()
	for i, d := range []storage.Durability{storage.Relaxed, storage.Strict, storage.Relaxed} {
		if err := log.Append(uint64(i+1), storage.Frame{[]byte("text")}, d); err != nil {
			t.Fatal(err)
		}
		if want := min(i, 1); syncs != want {
			t.Errorf("after a %s batch as number %d there were %d flushes, want %d", d, i+1, syncs, want)
		}
	}
}

// TestStrict_thatCannotBeSynced: the batch may or may not be kept then, so the code is
// not CodeQuota.
func TestStrict_thatCannotBeSynced(t *testing.T) {
	log := open(t, filepath.Join(t.TempDir(), "test.mdb"))
	stop := lmdblog.OnSync(func() error { return errors.New("the disk is gone") })
	err := log.Append(1, storage.Frame{[]byte("text")}, storage.Strict)
	stop()
	if !errors.Is(err, engine.CodeStorage) {
		t.Errorf("Append returned %v, want code storage", err)
	}
}
