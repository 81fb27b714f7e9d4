package storage_test

import (
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// TestLive_anotherEngine: live queries outlive the engine that a snapshot replaces, or
// that the host has taken batches from.
func TestLive_anotherEngine(t *testing.T) {
	follow := func(s *storage.Session) (count, find *engine.LiveQuery) {
		count, err := s.DB().LiveCount("docs", nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		find, err = s.DB().LiveFind("docs", engine.Query{})
		if err != nil {
			t.Fatal(err)
		}
		return count, find
	}
	look := func(s *storage.Session, count, find *engine.LiveQuery, want int) {
		t.Helper()
		updates := s.DB().LiveChanges()
		if len(updates) != 2 {
			t.Fatalf("%d updates, want 2", len(updates))
		}
		for _, u := range updates {
			if u.Query == count && u.Count != want || u.Query == find && !u.Again {
				t.Errorf("update %+v", u)
			}
		}
		putAndFlush(t, s, "another", 1)
		for _, u := range s.DB().LiveChanges() {
			if u.Query == count && u.Count != want+1 || u.Query == find && (len(u.Edits) != 1 || u.Edits[0].At != want) {
				t.Errorf("then update %+v", u)
			}
		}
		count.Close()
		find.Close()
		if s.DB().HasLiveQueries() {
			t.Error("live queries are left")
		}
		count, find = follow(s)
		if n := len(s.DB().LiveChanges()); n != 0 {
			t.Errorf("%d updates, but nothing has changed", n)
		}
		putAndFlush(t, s, "one more", 1)
		if n := len(s.DB().LiveChanges()); n != 2 {
			t.Errorf("%d updates of new live queries, want 2", n)
		}
		count.Close()
		find.Close()
	}

	memory := storage.NewMemory()
	writer := openSession(t, deaf(memory.Share()), storage.SessionOptions{CompactAfter: 1})
	behind := openSession(t, deaf(memory.Share()), storage.SessionOptions{})
	count, find := follow(behind)
	before := behind.DB()
	putAndFlush(t, writer, "a", 1)
	putAndFlush(t, writer, "b", 1)
	putAndFlush(t, writer, "c", 1)
	settled(t, writer)
	if err := behind.CatchUp(); err != nil {
		t.Fatal(err)
	}
	if behind.DB() == before {
		t.Fatal("the engine is the same")
	}
	look(behind, count, find, 3)

	short := storage.NewMemory()
	putAndFlush(t, openSession(t, deaf(short), storage.SessionOptions{}), "a", 1)
	log := &revocable{storage.NewMemory()}
	s := openSession(t, log, storage.SessionOptions{})
	putAndFlush(t, s, "a", 1)
	putAndFlush(t, s, "b", 1)
	count, find = follow(s)
	log.Log = short.Share()
	put(t, s.DB(), "c", 1)
	flush(t, s, storage.Conflict)
	look(s, count, find, 1)
}
