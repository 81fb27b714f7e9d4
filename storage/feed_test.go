package storage_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
)

// text writes changes as "1 insert a, 2 update a".
func text(changes []storage.Change) string {
	var all []string
	for _, c := range changes {
		all = append(all, fmt.Sprint(c.Seq, " ", c.Type, " ", string(msgpack.Str(c.ID))))
	}
	return strings.Join(all, ", ")
}

func wantTaken(t *testing.T, f *storage.Feed, want string) {
	t.Helper()
	var all []storage.Change
	for {
		changes, err := f.Take(1)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) == 0 {
			break
		}
		all = append(all, changes...)
	}
	if got := text(all); got != want {
		t.Errorf("the feed has %q, want %q", got, want)
	}
}

// store stores {_id: id, n: n} as a batch.
func store(t *testing.T, s *storage.Session, id string, n int) {
	t.Helper()
	put(t, s.DB(), id, n)
	flush(t, s, storage.Stored)
	settled(t, s)
}

func TestFeed_withoutLog(t *testing.T) {
	s := openSession(t, nil, storage.SessionOptions{})
	store(t, s, "a", 1)
	live := s.NewLiveFeed()
	store(t, s, "b", 1)
	put(t, s.DB(), "c", 1)
	put(t, s.DB(), "a", 2)
	wantTaken(t, live, "2 insert b")
	all := s.NewFeed(0)
	wantTaken(t, all, "2 insert a, 2 insert b") // not what is pending
	flush(t, s, storage.Stored)
	wantTaken(t, live, "3 insert c, 3 update a")
	wantTaken(t, all, "3 insert c, 3 update a")
	wantTaken(t, s.NewFeed(3), "")
	if _, err := s.NewFeed(2).Take(1); err != nil {
		t.Error("batch 3 is among the latest:", err)
	}
	live.Close()
	all.Close()
	if _, err := live.Take(1); engine.CodeOf(err) != engine.CodeClosed {
		t.Error("a closed feed:", err)
	}
}

// TestFeed_ofSnapshot: a session that meets a snapshot in the place of batches tells
// their net effect.
func TestFeed_ofSnapshot(t *testing.T) {
	memory := storage.NewMemory()
	writer := openSession(t, memory.Share(), storage.SessionOptions{CompactAfter: 1})
	store(t, writer, "a", 1)
	store(t, writer, "b", 1)
	reader := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	feed, all := reader.NewLiveFeed(), reader.NewFeed(0)
	if changes, err := all.Take(1); err != nil || text(changes) != "2 insert a" {
		t.Error(text(changes), err)
	}
	store(t, writer, "b", 2)
	store(t, writer, "c", 1)
	store(t, writer, "c", 2)
	removeAll(t, writer)
	store(t, writer, "c", 3)
	if err := reader.CatchUp(); err != nil {
		t.Fatal(err)
	}
	wantTaken(t, feed, "7 remove a, 7 remove b, 7 insert c")
	wantTaken(t, all, "2 insert b, 7 remove a, 7 remove b, 7 insert c")
}

func removeAll(t *testing.T, s *storage.Session) {
	t.Helper()
	if err := s.DB().Clear("docs"); err != nil {
		t.Fatal(err)
	}
	flush(t, s, storage.Stored)
	settled(t, s)
}

// TestFeed_slow: a feed that takes nothing holds a bounded part of the changes, and
// reads the others from the log.
func TestFeed_slow(t *testing.T) {
	defer storage.LimitChanges(2000, 1000)()
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	feed := s.NewLiveFeed()
	want := []string{}
	for i := range 100 {
		store(t, s, "a", i)
		want = append(want, fmt.Sprint(i+1, " ", []string{"insert", "update"}[min(i, 1)], " a"))
		if held := s.RecentBytes(); held > 2000 {
			t.Fatalf("the session holds %d bytes of changes", held)
		}
	}
	wantTaken(t, feed, strings.Join(want, ", "))
	if held := s.RecentBytes(); held != 0 {
		t.Errorf("the session holds %d bytes of changes that all have taken", held)
	}
}

// TestFollow: the iterator waits for what is stored, and ends when it is told to or
// when the session is closed.
func TestFollow(t *testing.T) {
	memory := storage.NewMemory()
	a, b := openSession(t, memory.Share(), storage.SessionOptions{}), openSession(t, memory.Share(), storage.SessionOptions{})
	if err := a.Update(func(db *engine.DB) error { put(t, db, "a", 0); return nil }); err != nil {
		t.Fatal(err)
	}
	done, told := make(chan struct{}), make(chan storage.Change)
	for _, s := range []*storage.Session{a, b} {
		go func() {
			defer func() { told <- storage.Change{} }()
			for c, err := range s.Follow(1, done) {
				if err != nil {
					t.Error(err)
				}
				told <- c
			}
		}()
	}
	for i := range 20 {
		s := []*storage.Session{a, b}[i%2]
		if err := s.Update(func(db *engine.DB) error { put(t, db, "a", i+1); return nil }); err != nil {
			t.Fatal(err)
		}
		first, second := <-told, <-told
		if first.Seq != uint64(i+2) || second.Seq != first.Seq || first.Local == second.Local {
			t.Fatalf("batch %d was told as %v and %v", i+2, first, second)
		}
	}
	a.Close()
	if c := <-told; c.Seq != 0 {
		t.Error("told", c)
	}
	close(done)
	if c := <-told; c.Seq != 0 {
		t.Error("told", c)
	}
}

func TestAt(t *testing.T) {
	memory := storage.NewMemory()
	s := openSession(t, memory.Share(), storage.SessionOptions{})
	for i := range 3 {
		store(t, s, string(rune('a'+i)), i)
	}
	for seq, want := range []string{"", "a=0", "a=0 b=1", "a=0 b=1 c=2"} {
		db, err := s.At(uint64(seq))
		if err != nil {
			t.Fatal(err)
		}
		if got := contents(t, db); got != want {
			t.Errorf("at %d it held %q, want %q", seq, got, want)
		}
	}
	if _, err := s.At(4); engine.CodeOf(err) != engine.CodeNotFound || !strings.Contains(err.Error(), "its last is 3") {
		t.Error(err)
	}
	writer := openSession(t, memory.Share(), storage.SessionOptions{CompactAfter: 1})
	store(t, writer, "d", 3)
	if _, err := storage.At(memory, 3); engine.CodeOf(err) != engine.CodeNotFound || !strings.Contains(err.Error(), "goes back to batch 4") {
		t.Error(err)
	}
	db, err := storage.At(memory, 4)
	if err != nil || contents(t, db) != "a=0 b=1 c=2 d=3" {
		t.Error(err)
	}
	alone := openSession(t, nil, storage.SessionOptions{})
	store(t, alone, "a", 1)
	put(t, alone.DB(), "b", 1)
	if db, err := alone.At(1); err != nil || contents(t, db) != "a=1" {
		t.Error(err)
	}
	if contents(t, alone.DB()) != "a=1 b=1" {
		t.Error("what is pending is gone")
	}
	if _, err := alone.At(0); engine.CodeOf(err) != engine.CodeNotFound {
		t.Error(err)
	}
}

// TestFeed_afterTheHostTookBatchesBack: what is gone is told as removed.
func TestFeed_afterTheHostTookBatchesBack(t *testing.T) {
	before := storage.NewMemory()
	store(t, openSession(t, deaf(before), storage.SessionOptions{}), "a", 1)
	log := &revocable{storage.NewMemory()}
	s := openSession(t, log, storage.SessionOptions{})
	feed := s.NewLiveFeed()
	for _, id := range []string{"a", "b", "c"} {
		store(t, s, id, 1)
	}
	log.Log = before.Share()
	put(t, s.DB(), "d", 1)
	flush(t, s, storage.Conflict)
	store(t, s, "d", 1)
	wantTaken(t, feed, "1 insert a, 2 insert b, 3 insert c, 1 remove b, 1 remove c, 2 insert d")
}

// TestFeed_group: sessions of one group are local to each other, also in what is
// read from the log.
func TestFeed_group(t *testing.T) {
	memory := storage.NewMemory()
	group := storage.Group{1, 2, 3, 4}
	a := openSession(t, memory.Share(), storage.SessionOptions{Group: group})
	b := openSession(t, deaf(memory.Share()), storage.SessionOptions{Group: group})
	live := b.NewLiveFeed()
	store(t, a, "a", 1)
	store(t, openSession(t, memory.Share(), storage.SessionOptions{}), "b", 1)
	if err := b.CatchUp(); err != nil {
		t.Fatal(err)
	}
	for _, feed := range []*storage.Feed{live, b.NewFeed(0)} {
		for _, want := range []bool{true, false} {
			changes, err := feed.Take(1)
			if err != nil || len(changes) != 1 || changes[0].Local != want {
				t.Errorf("the feed has %v, %v, want local to be %t", changes, err, want)
			}
		}
	}
}

// TestFeed_Next reads parts as Next documents them.
func TestFeed_Next(t *testing.T) {
	s := openSession(t, nil, storage.SessionOptions{})
	feed := s.NewLiveFeed()
	put(t, s.DB(), "a", 1)
	put(t, s.DB(), "b", 1)
	flush(t, s, storage.Stored)
	settled(t, s)
	out, err := feed.Next([]byte("x"), 1<<20)
	if err != nil || out[0] != 'x' {
		t.Fatal(string(out), err)
	}
	part := out[1:]
	if length, want := binary.LittleEndian.Uint32(part), len(part)-17; int(length) != want {
		t.Errorf("a length of %d, want %d", length, want)
	}
	if count := binary.LittleEndian.Uint32(part[4:]); count != 2 {
		t.Errorf("%d changes", count)
	}
	if seq := math.Float64frombits(binary.LittleEndian.Uint64(part[8:])); seq != 1 {
		t.Errorf("batch %v", seq)
	}
	if part[16] != 1|2 {
		t.Errorf("flags %b", part[16])
	}
	if out, err := feed.Next(nil, 1<<20); len(out) > 0 || err != nil {
		t.Errorf("then come %d bytes, %v", len(out), err)
	}
}
