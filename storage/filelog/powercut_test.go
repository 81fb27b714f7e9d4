//go:build darwin || linux

package filelog_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

// TestCrashes_powerCut lets a disk forget what was not synced. Strict sessions, relaxed
// ones and some of both write numbered batches and compact. At a random call, mostly in
// the middle of an fsync, the power is cut, and the folder is made anew from what the
// disk has: see disk.cut. All batches up to some number are there then, and no
// other; every strict batch that was acknowledged is one of them.
//
// If a disk writes pages out of order, an unsynced batch can be missing although a
// later unsynced one is there. Nobody can tell this from damage, and so the log says
// CodeCorrupt, until Repair has taken what is before the gap. It happens to no
// batch whose Append was strict, and to nothing before it.
func TestCrashes_powerCut(t *testing.T) {
	points, random := storagetest.Points(t, 200)
	var tally storagetest.Tally
	gaps := 0
	for tally.Points < points {
		c := &powerCut{t: t, random: random, tally: &tally, kind: random.IntN(3), outOfOrder: random.IntN(2) == 0}
		c.folder = t.TempDir()
		for round := 0; round < 4 && !t.Failed() && !c.gap; round++ {
			c.untilCut()
			c.check()
		}
		if t.Failed() {
			return
		}
		if c.gap {
			gaps++
		}
	}
	t.Logf("%v; %d gaps of unsynced batches", &tally, gaps)
	if tally.Points >= 200 && tally.Acknowledged < tally.Points {
		t.Errorf("only %d batches were acknowledged: the test does nothing", tally.Acknowledged)
	}
}

// powerCut is one database, and the machine that it is on.
type powerCut struct {
	t          *testing.T
	random     *rand.Rand
	tally      *storagetest.Tally
	folder     string
	kind       int  // 0: all sessions are strict; 1: all are relaxed; 2: some
	outOfOrder bool // the disk writes pages in any order

	last   int // the newest batch that may be there
	strict int // the newest batch that must be there
	gap    bool
}

const keptBatches = 12 // a batch removes the document of the one that many before it

var errPower = &engine.Error{Code: engine.CodeStorage, Op: "sync", Err: errors.New("the power is gone")}

// untilCut writes until the power is cut, and leaves in c.folder what the disk has.
func (c *powerCut) untilCut() {
	d := newDisk(c.t, c.folder)
	cutAt, syncs, after := -1, 0, ""
	if c.random.IntN(5) > 0 {
		cutAt = c.random.IntN(1 + c.random.IntN(25)) // early ones too: what a new file needs
	}
	cut := func() {
		if after == "" {
			after = c.t.TempDir()
			d.cut(c.random, c.outOfOrder, after)
		}
	}
	var lock sync.Mutex // compactions sync on goroutines of their own
	stop := filelog.OnSync(func(f *os.File) error {
		lock.Lock()
		defer lock.Unlock()
		if syncs++; after != "" || syncs > cutAt && cutAt >= 0 {
			cut()
			return errPower
		}
		d.synced(f)
		return nil
	})
	var sessions []*storage.Session
	var durability []storage.Durability
	for range 25 {
		i := c.random.IntN(3)
		if i >= len(sessions) {
			d := storage.Durability(c.random.IntN(2))
			if c.kind < 2 {
				d = [...]storage.Durability{storage.Strict, storage.Relaxed}[c.kind]
			}
			log, err := filelog.Open(filepath.Join(c.folder, "db"))
			if err != nil {
				break // the power is gone
			}
			s, err := storage.Open(log, storage.SessionOptions{CompactAfter: 4000, Durability: d})
			if err != nil {
				if after == "" {
					c.t.Fatal(err)
				}
				break
			}
			i, sessions, durability = len(sessions), append(sessions, s), append(durability, d)
		}
		c.tally.Operations++
		n, size := c.last+1, c.random.IntN(3000)
		err := sessions[i].Update(func(db *engine.DB) error { return putBatch(db, n, size) })
		_ = sessions[i].View(func(*engine.DB) error { return nil }) // a compaction is over then
		lock.Lock()
		over := after != ""
		if !over || err != nil {
			c.last = n
		}
		if err == nil && !over {
			c.tally.Acknowledged++
			if durability[i] == storage.Strict {
				c.strict = n
			}
		}
		lock.Unlock()
		if over {
			c.last = n
			break
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	lock.Lock()
	cut()
	lock.Unlock()
	for _, s := range sessions {
		s.Close()
	}
	stop()
	c.tally.Points++
	c.folder = after
}

// check opens what the disk has.
func (c *powerCut) check() {
	c.t.Helper()
	what := fmt.Sprintf("cut %d (kind %d, out of order %t): ", c.tally.Points, c.kind, c.outOfOrder)
	log, err := filelog.Open(filepath.Join(c.folder, "db"))
	if err != nil {
		c.t.Fatal(what, err)
	}
	s, err := storage.Open(log, storage.SessionOptions{})
	if errors.Is(err, engine.CodeCorrupt) && c.kind != 0 && c.outOfOrder {
		c.repair(what)
		return
	}
	if err != nil {
		c.t.Fatal(what, err)
	}
	defer s.Close()
	newest := 0
	for n := 1; n <= c.last; n++ {
		if batchAt(s.DB(), n) {
			newest = n
		}
	}
	if newest < c.strict || newest > c.last {
		c.t.Errorf("%s batch %d is the newest, %d was written and %d was acknowledged as strict", what, newest, c.last, c.strict)
	}
	for n := 1; n <= newest; n++ {
		if got, want := batchAt(s.DB(), n), n > newest-keptBatches; got != want {
			c.t.Errorf("%s the newest batch is %d, and of batch %d the document is there: %t", what, newest, n, got)
		}
	}
	if report, err := s.Verify(); err != nil || report.Problems != nil {
		c.t.Errorf("%s Verify returned %+v, %v", what, report, err)
	}
	c.last, c.strict = newest, newest // it is on disk
}

// repair opens what has a gap, and ends this database.
func (c *powerCut) repair(what string) {
	c.t.Helper()
	c.gap = true
	log := open(c.t, filepath.Join(c.folder, "db"))
	if _, err := storage.Repair(log, storage.SessionOptions{}); err != nil {
		c.t.Fatal(what, err)
	}
	s, err := storage.Open(open(c.t, filepath.Join(c.folder, "db")), storage.SessionOptions{})
	if err != nil {
		c.t.Fatal(what, err)
	}
	defer s.Close()
	for n := max(1, c.last-keptBatches+1); n <= c.strict; n++ {
		if !batchAt(s.DB(), n) {
			c.t.Errorf("%s batch %d was acknowledged as strict, and Repair has lost it", what, n)
		}
	}
}

func putBatch(db *engine.DB, n, size int) error {
	doc := msgpack.AppendInt(msgpack.AppendString(msgpack.AppendMap(nil, 2), "_id"), int64(n))
	doc = msgpack.AppendBin(msgpack.AppendString(doc, "pad"), make([]byte, size))
	if _, err := db.Insert("batches", doc, false); err != nil {
		return err
	}
	old, err := query.ParseText(fmt.Sprint("_id = ", n-keptBatches))
	if err != nil {
		return err
	}
	_, err = db.Remove("batches", old)
	return err
}

func batchAt(db *engine.DB, n int) bool {
	return db.Get("batches", msgpack.AppendInt(nil, int64(n))) != nil
}

// A disk is a folder on a machine whose power can be cut.
type disk struct {
	t      *testing.T
	folder string
	names  map[string]uint64 // the synced folder: the numbers of its files
	files  map[uint64][]byte // what is synced of a file
	seen   map[uint64][]byte // what was last written there
}

// newDisk returns a disk on which all is synced.
func newDisk(t *testing.T, folder string) *disk {
	d := &disk{t: t, folder: folder, files: map[uint64][]byte{}, seen: map[uint64][]byte{}}
	d.names = d.look()
	for number, content := range d.seen {
		d.files[number] = content
	}
	return d
}

// look reads all files, and returns their names and numbers.
func (d *disk) look() map[string]uint64 {
	names := map[string]uint64{}
	entries, err := os.ReadDir(d.folder)
	if err != nil {
		d.t.Error(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		content, readErr := os.ReadFile(filepath.Join(d.folder, entry.Name()))
		if err = errors.Join(err, readErr); err != nil {
			d.t.Error(err)
			continue
		}
		number := info.Sys().(*syscall.Stat_t).Ino
		names[entry.Name()], d.seen[number] = number, content
	}
	return names
}

// synced notes the state of a file or of the folder, which is about to be synced.
func (d *disk) synced(f *os.File) {
	names := d.look()
	info, err := f.Stat()
	if err != nil {
		d.t.Error(err)
		return
	}
	if info.IsDir() {
		d.names = names
		return
	}
	number := info.Sys().(*syscall.Stat_t).Ino
	d.files[number] = d.seen[number]
}

// cut makes in another folder what the disk has when the power comes back. Each
// name leads to the file that it led to when the folder was synced, or that it
// leads to now. A file has what was synced, and of what was written since some
// first bytes; or any of its pages, which are zeros else.
func (d *disk) cut(random *rand.Rand, outOfOrder bool, folder string) {
	now := d.look()
	for name := range union(d.names, now) {
		before, was := d.names[name]
		after, is := now[name]
		if !was || is && random.IntN(2) == 0 {
			before, was = after, is && (was || random.IntN(2) == 0)
		}
		if !was {
			continue
		}
		if err := os.WriteFile(filepath.Join(folder, name), d.left(random, outOfOrder, d.files[before], d.seen[before]), 0o600); err != nil {
			d.t.Error(err)
		}
	}
}

func union(a, b map[string]uint64) map[string]bool {
	all := map[string]bool{}
	for name := range a {
		all[name] = true
	}
	for name := range b {
		all[name] = true
	}
	return all
}

const page = 512 // the smallest unit that disks write as a whole

// left returns what is left of a file of which synced is on disk, and written is not.
func (d *disk) left(random *rand.Rand, outOfOrder bool, synced, written []byte) []byte {
	size := len(written)
	if len(synced) != size && random.IntN(3) == 0 {
		size = min(len(synced), size) + random.IntN(max(len(synced), size)-min(len(synced), size)+1)
	}
	left := make([]byte, size)
	copy(left, synced)
	until := len(written)
	if random.IntN(3) > 0 {
		until = len(synced) + random.IntN(max(1, len(written)-len(synced)))
	}
	for at := 0; at < min(size, len(written)); at += page {
		if outOfOrder && random.IntN(2) == 0 || !outOfOrder && at >= until {
			continue
		}
		copy(left[at:min(at+page, size)], written[at:])
	}
	return left
}
