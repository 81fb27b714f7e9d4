package jsbridge

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// TestHandles: a handle names one database only, though slots are used again.
func TestHandles(t *testing.T) {
	var h handles
	seen := map[uint32]bool{0: true}
	last := uint32(0)
	for range 3 * maxUses / 1000 {
		d := &database{}
		handle := h.add(d)
		if seen[handle] {
			t.Fatalf("handle %d is given twice", handle)
		}
		seen[handle] = true
		if h.get(handle) != d {
			t.Fatalf("handle %d is not found", handle)
		}
		if h.remove(last); h.get(last) != nil || h.get(handle) != d {
			t.Fatalf("handle %d, which is closed, means handle %d", last, handle)
		}
		last = handle
		h.remove(handle)
		if h.get(handle) != nil {
			t.Fatalf("handle %d outlives its database", handle)
		}
	}
	if len(h.slots) != 1 {
		t.Errorf("%d slots for one database at a time", len(h.slots))
	}
}

func TestHandles_many(t *testing.T) {
	var h handles
	all := map[uint32]*database{}
	for range maxSlots {
		d := &database{}
		all[h.add(d)] = d
	}
	if len(all) != maxSlots || all[0] != nil {
		t.Fatalf("%d handles for %d databases", len(all), maxSlots)
	}
	for handle, d := range all {
		if h.get(handle) != d {
			t.Errorf("handle %d names another database", handle)
		}
	}
	if handle := h.add(&database{}); handle != 0 {
		t.Errorf("one database too many got handle %d", handle)
	}
	for handle := range all {
		h.remove(handle)
		if again := h.add(&database{}); again == 0 || again == handle {
			t.Errorf("in the place of %d came %d", handle, again)
		}
		break
	}
}

// TestHandles_wrap: after two million uses of one slot the count starts again, and no handle is 0 or above a JavaScript small integer.
func TestHandles_wrap(t *testing.T) {
	h := handles{slots: []slot{{use: maxUses - 2}}}
	for range 3 {
		handle := h.add(&database{})
		if handle == 0 || handle >= 1<<31 {
			t.Errorf("handle %d", handle)
		}
		h.remove(handle)
	}
}

func TestBridge_released(t *testing.T) {
	c := withPeople(t)
	first := c.handle
	c.handle = c.open()
	c.bridge.Release(first)
	if c.bridge.call.database != nil {
		t.Error("a released database is kept in memory")
	}
	released := *c
	released.handle = first
	if _, failure := released.call("count", array{"people", nil, -1}); failure == nil || failure.code != engine.CodeClosed {
		t.Errorf("a released handle got %v, want closed", failure)
	}
	equal(t, decode(t, c.must("count", array{"people", nil, -1})), int64(0))
}

// TestBridge_names: collection names are kept, but not for ever.
func TestBridge_names(t *testing.T) {
	c := newClient(t)
	for i := range 3000 {
		c.must("ids", array{"c" + strconv.Itoa(i)})
	}
	if n := len(c.bridge.names); n == 0 || n > 1000 {
		t.Errorf("%d names are kept", n)
	}
}

// TestBuffers: both grow to the size that a call needs, small calls do not move
// them, and buffers over 4 MiB are freed after use.
func TestBuffers(t *testing.T) {
	c := newClient(t)
	in, out := place(c.bridge.Input(10)), place(c.bridge.Output())
	c.must("insert", array{"a", false}, object{"n": 1})
	c.must("get", array{"a", 1})
	if place(c.bridge.Input(100)) != in || place(c.bridge.Output()) != out {
		t.Error("a small call moves the buffers")
	}

	big := strings.Repeat("x", 9<<20)
	c.must("insert", array{"a", false}, object{"_id": "big", "text": big})
	if n := cap(c.bridge.in); n > keptBuffer {
		t.Errorf("the in-buffer keeps %d bytes", n)
	}
	if got := decode(t, c.must("get", array{"a", "big"})).(object); got["text"] != big {
		t.Error("a big document does not come back")
	}
	if n := cap(c.bridge.out); n < len(big) {
		t.Errorf("the answer is given back before it is read: %d bytes", n)
	}
	c.must("get", array{"a", 1})
	if n := cap(c.bridge.out); n > keptBuffer {
		t.Errorf("the out-buffer keeps %d bytes", n)
	}

	if c.bridge.Input(maxInput+1) != nil {
		t.Error("more than the limit is accepted")
	}
}

// place returns a pointer that is equal for two slices of one buffer.
func place(b []byte) *byte { return &b[:1][0] }

// TestShouldYield: it is time to yield after 64 calls or 64 KiB.
func TestShouldYield(t *testing.T) {
	c := newClient(t)
	calls := 0
	for !c.bridge.ShouldYield() {
		c.must("ids", array{"a"})
		calls++
	}
	if calls < yieldCalls*9/10 || calls > yieldCalls {
		t.Errorf("tired after %d small calls, want about %d", calls, yieldCalls)
	}
	c.must("insert", array{"a", false}, object{"text": strings.Repeat("x", yieldAfter)})
	if !c.bridge.ShouldYield() {
		t.Error("not tired after a big call")
	}
	if c.bridge.ShouldYield() {
		t.Error("still tired")
	}
}

// TestSettle: settled changes cannot be rolled back. A database with a log needs a
// flush instead, and an open savepoint is refused.
func TestSettle(t *testing.T) {
	c := newClient(t)
	c.must("insert", []any{"people", false}, map[string]any{"n": 1})
	c.must("settle", nil)
	c.must("insert", []any{"people", false}, map[string]any{"n": 2})
	c.db().Rollback()
	if docs, _ := c.found(c.must("find", []any{"people", nil, nil, 0, -1, nil})); len(docs) != 1 {
		t.Errorf("after a rollback there are %d documents, want the settled one", len(docs))
	}

	c.must("savepoint", nil)
	if _, failure := c.call("settle", nil); failure == nil || failure.code != engine.CodeInvalid {
		t.Errorf("settle with an open savepoint: %v, want invalid", failure)
	}
	c.must("release", nil)

	session, err := storage.Open(storage.NewMemory(), storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c.handle, err = c.bridge.Open(session); err != nil {
		t.Fatal(err)
	}
	if _, failure := c.call("settle", nil); failure == nil || failure.code != engine.CodeInvalid {
		t.Errorf("settle with a log: %v, want invalid", failure)
	}
}

// TestCut: what is cut is undone until its frame is applied.
func TestCut(t *testing.T) {
	c := newClient(t)
	if _, failure := c.call("cut", nil); failure == nil || failure.code != engine.CodeInvalid {
		t.Errorf("cut without a log: %v, want invalid", failure)
	}
	session, err := storage.Open(storage.NewMemory(), storage.SessionOptions{CompactAfter: 1})
	if err != nil {
		t.Fatal(err)
	}
	if c.handle, err = c.bridge.Open(session); err != nil {
		t.Fatal(err)
	}
	count := func() string { return string(c.must("count", []any{"people", nil, -1})) }
	if frame := c.must("cut", nil); len(frame) > 0 {
		t.Errorf("nothing was pending, and cut returned %d bytes", len(frame))
	}
	c.must("insert", []any{"people", false}, map[string]any{"n": 1})
	frame := bytes.Clone(c.must("cut", nil))
	if count() != "\x00" {
		t.Error("what was cut is still there")
	}
	for range 2 { // the second time it is there already
		if _, failure := c.raw(uint32(numberOf(t, "apply")), append([]byte{0x92, 1, 0xc2}, frame...)); failure != nil {
			t.Fatalf("apply: %v", failure)
		}
		if count() != "\x01" {
			t.Error("what was applied is not there")
		}
	}
	if snapshot := c.must("snapshot", nil); len(snapshot) == 0 {
		t.Error("the log is long, and there is no snapshot")
	}
}

// TestVersion_anotherEngine: a session that has read a snapshot has another engine,
// which may have counted as many changes.
func TestVersion_anotherEngine(t *testing.T) {
	c := newClient(t)
	d := c.bridge.handles.get(c.handle)
	before := d.version()
	if again := d.version(); again != before || before == 0 {
		t.Fatalf("versions %d and %d of the same state", before, again)
	}
	session, err := storage.Open(nil, storage.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d.session = session
	if _, err := session.DB().Insert("people", input(t, array{object{}})[1:], false); err != nil {
		t.Fatal(err)
	}
	if after := d.version(); after-before <= session.DB().Version() {
		t.Errorf("from version %d to %d of another engine there are as few changes as that has seen", before, after)
	}
	if version := c.bridge.Version(c.handle + 1<<indexBits); version != 0 {
		t.Errorf("version %d of a database that is not open", version)
	}
}
