// Package typed is for native programs: in JavaScript, the npm package does this.

//go:build !js

package typed_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/typed"
)

// follow runs a live query on a goroutine, and returns what it yields.
func follow(t *testing.T, db *typed.DB, where any, options ...typed.FindOption) (answers <-chan string, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	c := make(chan string, 100)
	go func() {
		defer close(c)
		for users, err := range typed.In[user](db, "users").Live(ctx, where, options...) {
			names := ""
			for _, u := range users {
				names += fmt.Sprintf("%s%d ", u.Name, u.Age)
			}
			if err != nil {
				names = err.Error()
			}
			c <- names
		}
	}()
	return c, cancel
}

func wantAnswer(t *testing.T, what string, answers <-chan string, want string) {
	t.Helper()
	if got, ok := <-answers; got != want || !ok {
		t.Errorf("%s: the answer is %q, %v, want %q", what, got, ok, want)
	}
}

// TestLive compares each answer with what Find says, for queries that look in turn.
func TestLive(t *testing.T) {
	db := open(t)
	users := typed.In[user](db, "users")
	old, stopOld := follow(t, db, "age > 30", typed.Sort("-age"), typed.Limit(2))
	wantAnswer(t, "at once", old, "")
	all, stopAll := follow(t, db, nil)
	wantAnswer(t, "at once", all, "")
	insertThree(t, db)
	wantAnswer(t, "after an insert", old, "Cy50 Ada36 ")
	wantAnswer(t, "after an insert", all, "Ada36 Bob20 Cy50 ")
	update := func(where, update any) {
		t.Helper()
		if _, err := users.Update(t.Context(), where, update); err != nil {
			t.Fatal(err)
		}
	}
	update(typed.ByID(2), map[string]any{"age": 40})
	wantAnswer(t, "after an update that moves", old, "Cy50 Bob40 ")
	wantAnswer(t, "after an update", all, "Ada36 Bob40 Cy50 ")
	update(typed.ByID(1), map[string]any{"age": 1})
	wantAnswer(t, "after an update", all, "Ada1 Bob40 Cy50 ")
	update(typed.ByID(3), map[string]any{"name": "Cyd"}) // old passed over the last one
	wantAnswer(t, "after an update in place", old, "Cyd50 Bob40 ")
	wantAnswer(t, "after an update in place", all, "Ada1 Bob40 Cyd50 ")
	stopAll()
	if _, more := <-all; more {
		t.Error("there are answers after the end")
	}
	if _, err := users.Remove(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, "after a removal", old, "")
	stopOld()
	for range old {
	}
	if err := db.View(t.Context(), func(tx *typed.Tx) error {
		if tx.Engine().HasLiveQueries() {
			t.Error("the engine still has live queries")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

func TestLive_refuses(t *testing.T) {
	db := open(t)
	bad, _ := follow(t, db, "age >")
	if answer, more := <-bad, true; answer == "" || !more {
		t.Error("half a condition is no error")
	}
	if _, more := <-bad; more {
		t.Error("an error does not end the loop")
	}
	unknown, _ := follow(t, db, nil, typed.Populate("nobody"))
	if answer := <-unknown; answer == "" {
		t.Error("a relationship that does not exist is no error")
	}
	type wrong struct {
		Name int `msgpack:"name"`
	}
	insertThree(t, db)
	for _, err := range typed.In[wrong](db, "users").Live(t.Context(), nil) {
		wantCode(t, "Live of what does not fit", err, engine.CodeInvalid)
	}
}

// hidden is a log that tells nothing of what others append, as a file.
type hidden struct{ storage.Log }

// TestLive_ofOtherProcesses: a database sees what others have stored when it catches
// up, also when that is a snapshot and so another engine.
func TestLive_ofOtherProcesses(t *testing.T) {
	for _, every := range []time.Duration{0, time.Microsecond} {
		memory := storage.NewMemory()
		reader, err := typed.Open("", typed.CatchUpEvery(every), typed.Storage(func(string) (hidden, error) { return hidden{memory.Share()}, nil }))
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		catchUp := func() {
			if every == 0 {
				if err := reader.CatchUp(t.Context()); err != nil {
					t.Error(err)
				}
			}
		}
		answers, _ := follow(t, reader, nil)
		wantAnswer(t, "at once", answers, "")
		writer := shared(t, memory, typed.Session(storage.SessionOptions{CompactAfter: 1}))
		insertThree(t, writer)
		if every == 0 {
			wantNames(t, reader, nil, "") // nobody has told it
		}
		catchUp()
		wantAnswer(t, "of another process", answers, "Ada36 Bob20 Cy50 ")
		for range 3 { // so that the log is compacted beyond the reader
			if _, err := typed.In[user](writer, "users").Remove(t.Context(), typed.ByID(2)); err != nil {
				t.Fatal(err)
			}
			if err := typed.In[user](writer, "users").Upsert(t.Context(), &user{ID: 2, Name: "Bob", Age: 20}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := typed.In[user](writer, "users").Remove(t.Context(), "age < 40"); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Session().Verify(); err != nil { // it waits for the compaction
			t.Fatal(err)
		}
		catchUp()
		for answer := range answers { // with an interval, some of those between may come
			if answer == "Cy50 " {
				break
			}
			if every == 0 {
				t.Errorf("of a snapshot, the answer is %q", answer)
			}
		}
	}
}
