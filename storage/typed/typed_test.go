// Package typed is for native programs: in JavaScript, the npm package does this.

//go:build !js

package typed_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/typed"
)

type user struct {
	ID   int64  `msgpack:"_id,omitempty"`
	Name string `msgpack:"name"`
	Age  int    `msgpack:"age"`
}

// shared opens a database of a memory that others may share.
func shared(t *testing.T, memory *storage.Memory, options ...typed.Option) *typed.DB {
	t.Helper()
	open := func(string) (*storage.Memory, error) { return memory.Share(), nil }
	db, err := typed.Open("", append([]typed.Option{typed.Storage(open)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Every test ends with a look at all that the engine keeps.
		if err := db.View(context.Background(), func(tx *typed.Tx) error { return tx.Engine().Check() }); err != nil && engine.CodeOf(err) != engine.CodeClosed {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func open(t *testing.T, options ...typed.Option) *typed.DB {
	t.Helper()
	return shared(t, storage.NewMemory(), options...)
}

func wantCode(t *testing.T, what string, err error, want engine.Code) {
	t.Helper()
	if want == "" && err != nil || want != "" && !errors.Is(err, want) {
		t.Errorf("%s returned %v, want code %q", what, err, want)
	}
}

// wantNames compares the names of documents found, joined by spaces.
func wantNames(t *testing.T, scope typed.Scope, where any, want string, options ...typed.FindOption) {
	t.Helper()
	found, err := typed.Collect(typed.In[user](scope, "users").Find(t.Context(), where, options...))
	var names []string
	for _, u := range found {
		names = append(names, u.Name)
	}
	if got := strings.Join(names, " "); err != nil || got != want {
		t.Errorf("where %v: found %q, %v, want %q", where, got, err, want)
	}
}

func insertThree(t *testing.T, db *typed.DB) *typed.Collection[user] {
	t.Helper()
	users := typed.In[user](db, "users")
	if err := users.Insert(t.Context(), &user{Name: "Ada", Age: 36}, &user{Name: "Bob", Age: 20}, &user{Name: "Cy", Age: 50}); err != nil {
		t.Fatal(err)
	}
	return users
}

func TestInsert_writesIDsIntoDocuments(t *testing.T) {
	db := open(t)
	ada, bob := &user{Name: "Ada"}, &user{ID: 7, Name: "Bob"}
	wantCode(t, "Insert", typed.In[user](db, "users").Insert(t.Context(), ada, bob), "")
	if ada.ID != 1 || bob.ID != 7 {
		t.Errorf("the ids are %d and %d, want 1 and 7", ada.ID, bob.ID)
	}
	m := map[string]any{"name": "Cy"}
	wantCode(t, "Insert of a map", typed.In[map[string]any](db, "users").Insert(t.Context(), &m), "")
	if m["_id"] != int64(8) || m["name"] != "Cy" {
		t.Errorf("the map is %v", m)
	}
	type nameless struct {
		Name string `msgpack:"name"`
	}
	wantCode(t, "Insert without a place for the id", typed.In[nameless](db, "users").Insert(t.Context(), &nameless{"Di"}), "")
	wantNames(t, db, nil, "Ada Bob Cy Di")
	wantCode(t, "Insert of nothing", typed.In[user](db, "users").Insert(t.Context()), "")
}

// TestInsert_takesIDsBack: a transaction that fails or runs again leaves no ids in the
// documents of the caller, so that the next Insert does not ask for them.
func TestInsert_takesIDsBack(t *testing.T) {
	memory := storage.NewMemory()
	db, other := shared(t, memory), shared(t, memory)
	ada, m := &user{Name: "Ada"}, map[string]any{"name": "Map"}
	failed := errors.New("no")
	err := db.Update(t.Context(), func(tx *typed.Tx) error {
		if err := errors.Join(typed.In[user](tx, "users").Insert(t.Context(), ada), typed.In[map[string]any](tx, "users").Insert(t.Context(), &m)); err != nil {
			return err
		}
		if ada.ID != 1 || m["_id"] != int64(2) {
			t.Errorf("in the transaction, the ids are %d and %v", ada.ID, m["_id"])
		}
		return failed
	})
	if err != failed || ada.ID != 0 || len(m) != 1 {
		t.Errorf("Update returned %v and left the ids %d and %v", err, ada.ID, m)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Update(t.Context(), func(tx *typed.Tx) error {
			_ = typed.In[user](tx, "users").Insert(t.Context(), ada)
			panic("a bug of the caller")
		})
	}()
	if ada.ID != 0 {
		t.Errorf("a panic left the id %d", ada.ID)
	}

	runs := 0
	err = db.Update(t.Context(), func(tx *typed.Tx) error {
		if runs++; runs == 1 { // another process is faster
			if err := typed.In[user](other, "users").Insert(t.Context(), &user{Name: "Other"}); err != nil {
				t.Error(err)
			}
		}
		return typed.In[user](tx, "users").Insert(t.Context(), ada)
	})
	if err != nil || runs != 2 || ada.ID != 2 {
		t.Errorf("Update returned %v after %d runs, with the id %d; want 2 and 2", err, runs, ada.ID)
	}
	wantNames(t, db, nil, "Other Ada")
}

func TestErrors(t *testing.T) {
	db := open(t)
	users := insertThree(t, db)
	ctx := t.Context()
	_, missing := users.Get(ctx, 99)
	_, noID := users.Get(ctx, 1.5)
	_, none := users.FindOne(ctx, "age > 100")
	_, badText := users.Count(ctx, "age >=")
	_, badFilter := users.Count(ctx, map[string]any{"age": map[string]any{"$near": 1}})
	_, badWhere := users.Count(ctx, 5)
	_, badUpdate := users.Update(ctx, nil, map[string]any{"$jump": map[string]any{"age": 1}})
	_, unencodable := users.Update(ctx, nil, map[string]any{"f": func() {}})
	_, badSQL := typed.SQL[user](ctx, db, "SELEKT")
	_, badParam := typed.SQL[user](ctx, db, "SELECT * FROM users WHERE age = ?", func() {})
	_, fewParams := typed.SQL[user](ctx, db, "SELECT * FROM users WHERE age = ?")
	_, intKeys := typed.SQL[user](ctx, db, "SELECT * FROM users WHERE age = :a", map[int]int{1: 1})
	_, interval := typed.Open("", typed.InMemory(), typed.CatchUpEvery(-1))
	type wrong struct {
		Name int `msgpack:"name"`
	}
	_, misfit := typed.In[wrong](db, "users").Get(ctx, 1)
	_, misfits := typed.Collect(typed.In[wrong](db, "users").Find(ctx, nil))
	for _, c := range []struct {
		what string
		err  error
		code engine.Code
		text string
	}{
		{"Get of no document", missing, engine.CodeNotFound, "get users/99: there is no such document"},
		{"Get of no id", noID, engine.CodeInvalid, "get users: id: expected a string or an integer, not float64"},
		{"FindOne", none, engine.CodeNotFound, "findOne users: no document meets the condition"},
		{"Count by half a text", badText, engine.CodeInvalid, "count users: where: "},
		{"Count by a filter", badFilter, engine.CodeInvalid, "$near"},
		{"Count by a number", badWhere, engine.CodeInvalid, "where: expected a text, a map or a *query.Filter, not int"},
		{"Update", badUpdate, engine.CodeInvalid, "$jump"},
		{"Update by a function", unencodable, engine.CodeInvalid, "update users: update: "},
		{"SQL", badSQL, engine.CodeInvalid, ""},
		{"SQL with a function", badParam, engine.CodeInvalid, "sql: params: "},
		{"SQL without its parameter", fewParams, engine.CodeInvalid, ""},
		{"SQL with a map of numbers", intKeys, engine.CodeInvalid, "params"},
		{"Open with an interval", interval, engine.CodeInvalid, "CatchUpEvery"},
		{"Get of what does not fit", misfit, engine.CodeInvalid, "get users/1: what is stored does not fit typed_test.wrong"},
		{"Find of what does not fit", misfits, engine.CodeInvalid, "find users/1: "},
		{"Insert of an id that exists", users.Insert(ctx, &user{ID: 1}), engine.CodeDuplicateID, "users/1"},
		{"Insert of nil", users.Insert(ctx, nil), engine.CodeInvalid, "docs: a document is nil"},
		{"Insert of what is no map", typed.In[int](db, "users").Insert(ctx, new(int)), engine.CodeInvalid, ""},
		{"Upsert without an id", users.Upsert(ctx, &user{}), engine.CodeInvalid, ""},
		{"Insert into no name", typed.In[user](db, "").Insert(ctx, &user{}), engine.CodeInvalid, ""},
	} {
		wantCode(t, c.what, c.err, c.code)
		if c.err != nil && !strings.Contains(c.err.Error(), c.text) {
			t.Errorf("%s returned %q, want %q in it", c.what, c.err, c.text)
		}
	}
	wantNames(t, db, nil, "Ada Bob Cy")
}

func TestConditions(t *testing.T) {
	db := open(t)
	insertThree(t, db)
	filter, err := query.ParseText("age >= 36")
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range []any{"age >= 36", map[string]any{"age": map[string]int{"$gte": 36}}, filter} {
		wantNames(t, db, where, "Ada Cy")
	}
	wantNames(t, db, typed.ByID(2), "Bob")
	wantNames(t, db, typed.ByID("2"), "")
	wantNames(t, db, typed.ByID(2.5), "")
	wantNames(t, db, nil, "Cy Ada", typed.Sort("-age"), typed.Limit(2))
	wantNames(t, db, nil, "Bob", typed.Sort("age", "name"), typed.Limit(1))
	wantNames(t, db, nil, "Cy", typed.Skip(2))
	half, err := typed.In[user](db, "users").FindOne(t.Context(), nil, typed.Fields("age"))
	if err != nil || half != (user{ID: 1, Age: 36}) {
		t.Errorf("with the field age, FindOne returned %+v, %v", half, err)
	}
}

func TestWrites(t *testing.T) {
	db := open(t)
	users := insertThree(t, db)
	ctx := t.Context()
	wantCode(t, "Upsert", users.Upsert(ctx, &user{ID: 2, Name: "Bobby", Age: 21}), "")
	if n, err := users.Update(ctx, "age > 30", map[string]any{"$inc": map[string]any{"age": 1}}); n != 2 || err != nil {
		t.Errorf("Update returned %d, %v, want 2", n, err)
	}
	if ada, err := users.Get(ctx, 1); err != nil || ada != (user{1, "Ada", 37}) {
		t.Errorf("Get returned %+v, %v", ada, err)
	}
	change := map[string]any{"$inc": map[string]any{"age": 1}, "$currentDate": map[string]any{"seen": true}}
	n, docs, err := users.UpdateWith(ctx, "name = 'Ada'", change, engine.UpdateOptions{One: true, Return: engine.ReturnBefore})
	if n != 1 || err != nil || len(docs) != 1 || docs[0] != (user{1, "Ada", 37}) {
		t.Errorf("UpdateWith returned %d, %+v, %v", n, docs, err)
	}
	if seen, err := users.Count(ctx, "seen type date"); seen != 1 || err != nil {
		t.Errorf("%d documents have the time, %v", seen, err)
	}
	n, docs, err = users.UpdateWith(ctx, map[string]any{"name": "Dee"}, user{Name: "Dee", Age: 9}, engine.UpdateOptions{Upsert: true, Replace: true, Return: engine.ReturnAfter})
	if n != 1 || err != nil || len(docs) != 1 || docs[0].Age != 9 || docs[0].ID == 0 {
		t.Errorf("UpdateWith returned %d, %+v, %v", n, docs, err)
	}
	if n, err := users.Remove(ctx, "name = 'Dee'"); n != 1 || err != nil {
		t.Errorf("Remove returned %d, %v", n, err)
	}
	if n, err := users.Remove(ctx, "age > 50"); n != 1 || err != nil {
		t.Errorf("Remove returned %d, %v, want 1", n, err)
	}
	if n, err := users.Count(ctx, nil); n != 2 || err != nil {
		t.Errorf("Count returned %d, %v, want 2", n, err)
	}
	wantCode(t, "CreateIndex", users.CreateIndex(ctx, []string{"name"}, engine.IndexOptions{Unique: true}), "")
	wantCode(t, "Insert of a name that is taken", users.Insert(ctx, &user{Name: "Ada"}), engine.CodeUnique)
	wantNames(t, db, nil, "Ada Bobby")
}

// TestValues: what a Go program stores is what it reads.
func TestValues(t *testing.T) {
	type inner struct {
		Texts []string       `msgpack:"texts"`
		More  map[string]any `msgpack:"more"`
	}
	type all struct {
		ID     string    `msgpack:"_id"`
		Int    int64     `msgpack:"int"`
		Uint   uint64    `msgpack:"uint"`
		Float  float64   `msgpack:"float"`
		Whole  float64   `msgpack:"whole"`
		Bytes  []byte    `msgpack:"bytes"`
		Time   time.Time `msgpack:"time"`
		Inner  *inner    `msgpack:"inner"`
		Absent *inner    `msgpack:"absent"`
		Yes    bool      `msgpack:"yes"`
	}
	db := open(t)
	doc := all{"é/1", math.MinInt64, math.MaxUint64, 0.1, 5, []byte{0, 255}, time.Date(2026, 11, 29, 1, 2, 3, 4e6, time.UTC),
		&inner{[]string{"a", ""}, map[string]any{"n": int64(5), "f": 1.5, "list": []any{int64(1), nil, true}}}, nil, true}
	wantCode(t, "Insert", typed.In[all](db, "all").Insert(t.Context(), &doc), "")
	got, err := typed.In[all](db, "all").Get(t.Context(), "é/1")
	if !got.Time.Equal(doc.Time) {
		t.Errorf("the time is %v", got.Time)
	}
	got.Time = doc.Time
	if err != nil || !reflect.DeepEqual(got, doc) {
		t.Errorf("Get returned %+v, %v, want %+v", got, err, doc)
	}
}

func TestFind_maySeeItsOwnWrites(t *testing.T) {
	db := open(t)
	users := insertThree(t, db)
	for u, err := range users.Find(t.Context(), nil) { // the documents of before
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, "Insert", users.Insert(t.Context(), &user{Name: u.Name + "2"}), "")
	}
	wantNames(t, db, nil, "Ada Bob Cy Ada2 Bob2 Cy2")
	for range users.Find(t.Context(), nil) {
		break
	}
	wantNames(t, db, nil, "Ada Bob Cy Ada2 Bob2 Cy2")
}

func TestSQL(t *testing.T) {
	db := open(t)
	ctx := t.Context()
	type row struct {
		ID   int64  `msgpack:"_id"`
		Name string `msgpack:"name"`
		N    int    `msgpack:"n"`

		Updated int `msgpack:"updated"`
		Removed int `msgpack:"removed"`
	}
	for _, c := range []struct {
		text   string
		params []any
		want   []row
	}{
		{"INSERT INTO users (name, age) VALUES (?, ?), ('Bob', 20)", []any{"Ada", 36}, []row{{ID: 1}, {ID: 2}}},
		{"INSERT INTO users VALUES (?)", []any{user{ID: 9, Name: "Cy"}}, []row{{ID: 9}}},
		{"SELECT name FROM users WHERE age = :age", []any{map[string]any{"age": 36}}, []row{{Name: "Ada"}}},
		{"SELECT count(*) AS n FROM users", nil, []row{{N: 3}}},
		{"UPDATE users SET age = age + 1 WHERE name = ?", []any{"Ada"}, []row{{Updated: 1}}},
		{"SELECT name, age AS n FROM users WHERE age > ? ORDER BY age", []any{30}, []row{{Name: "Ada", N: 37}}},
		{"DELETE FROM users", nil, []row{{Removed: 3}}},
		{"SELECT name FROM users", nil, []row{}},
	} {
		rows, err := typed.SQL[row](ctx, db, c.text, c.params...)
		if err != nil || !reflect.DeepEqual(rows, c.want) {
			t.Errorf("%s returned %+v, %v, want %+v", c.text, rows, err, c.want)
		}
	}
}

func TestTransactions(t *testing.T) {
	db := open(t)
	insertThree(t, db)
	ctx := t.Context()
	var ended *typed.Tx
	wantCode(t, "View", db.View(ctx, func(tx *typed.Tx) error {
		ended = tx
		wantNames(t, tx, nil, "Ada Bob Cy")
		wantCode(t, "Insert in a View", typed.In[user](tx, "users").Insert(ctx, &user{}), engine.CodeInvalid)
		_, err := typed.SQL[user](ctx, tx, "DELETE FROM users")
		wantCode(t, "DELETE in a View", err, engine.CodeInvalid)
		return nil
	}), "")
	_, err := typed.In[user](ended, "users").Count(ctx, nil)
	wantCode(t, "Count in a transaction that has ended", err, engine.CodeClosed)
	wantCode(t, "Insert in a transaction that has ended", typed.In[user](ended, "users").Insert(ctx, &user{}), engine.CodeClosed)

	before := db.Session().Head()
	wantCode(t, "Update", db.Update(ctx, func(tx *typed.Tx) error {
		users := typed.In[user](tx, "users")
		wantCode(t, "Insert", users.Insert(ctx, &user{Name: "Di"}), "")
		wantCode(t, "Insert of an id that exists", users.Insert(ctx, &user{Name: "Eve"}, &user{ID: 1}), engine.CodeDuplicateID)
		_, err := users.Remove(ctx, typed.ByID(1))
		wantCode(t, "Remove", err, "")
		wantNames(t, tx, nil, "Bob Cy Di")
		for _, err := range users.Live(ctx, nil) {
			wantCode(t, "Live in a transaction", err, engine.CodeInvalid)
		}
		return nil
	}), "")
	wantNames(t, db, nil, "Bob Cy Di")
	if n := db.Session().Head() - before; n != 1 {
		t.Errorf("the transaction is %d batches, want 1", n)
	}
}

func TestContext(t *testing.T) {
	db := open(t)
	users := insertThree(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	why := errors.New("the client has gone")
	causal, cancelCausal := context.WithCancelCause(t.Context())
	cancelCausal(why)
	expired, cancelExpired := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancelExpired()
	for _, c := range []struct {
		ctx  context.Context
		want error
	}{{causal, why}, {expired, context.DeadlineExceeded}} {
		_, counted := users.Count(c.ctx, nil)
		_, found := typed.Collect(users.Find(c.ctx, nil))
		for what, err := range map[string]error{"Count": counted, "Find": found, "Insert": users.Insert(c.ctx, &user{}), "CatchUp": db.CatchUp(c.ctx)} {
			wantCode(t, what, err, engine.CodeTimeout)
			if !errors.Is(err, c.want) {
				t.Errorf("%s returned %v, want %v", what, err, c.want)
			}
		}
	}

	// While it waits for another call.
	inside, leave := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		_ = db.View(t.Context(), func(*typed.Tx) error { close(inside); <-leave; return nil })
	})
	<-inside
	wait.Go(func() { cancel() })
	wantCode(t, "Insert that waits", users.Insert(ctx, &user{}), engine.CodeTimeout)
	close(leave)
	wait.Wait()

	// While a loop runs.
	ctx, cancel = context.WithCancel(t.Context())
	var errs []error
	for _, err := range users.Find(ctx, nil) {
		errs = append(errs, err)
		cancel()
	}
	if len(errs) != 2 || errs[0] != nil || !errors.Is(errs[1], context.Canceled) {
		t.Errorf("the loop yielded %v", errs)
	}

	// While the engine looks at documents: what was changed is undone.
	many := make([]*user, 30_000)
	for i := range many {
		many[i] = &user{Name: fmt.Sprint("n", i)}
	}
	wantCode(t, "Insert", users.Insert(t.Context(), many...), "")
	ctx, cancel = context.WithCancel(t.Context())
	named, err := query.ParseText("name matches '^n' or name matches '^x'")
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(ctx, func(tx *typed.Tx) error {
		cancel()
		_, err := tx.Engine().Update("users", []byte("\x81\xa3age\x07"), named)
		return err
	})
	wantCode(t, "Update that is interrupted", err, engine.CodeTimeout)
	if n, err := users.Count(t.Context(), "age = 7"); n != 0 || err != nil {
		t.Errorf("an Update that was interrupted has changed %d documents, %v", n, err)
	}
	asked := false
	other := open(t, typed.Session(storage.SessionOptions{Engine: engine.Options{Interrupted: func(bool) error { asked = true; return nil }}}))
	wantCode(t, "Insert", typed.In[user](other, "users").Insert(t.Context(), many...), "")
	wantNames(t, other, "name matches '9999$'", "n9999 n19999 n29999")
	if !asked {
		t.Error("the Interrupted of the caller was not asked")
	}
}

func TestClose(t *testing.T) {
	db := open(t)
	users := insertThree(t, db)
	started, done := make(chan struct{}), make(chan error)
	go func() {
		var failed error
		for all, err := range users.Live(t.Context(), nil) {
			if failed = errors.Join(failed, err); len(all) == 3 {
				close(started)
			}
		}
		done <- failed
	}()
	<-started
	wantCode(t, "Close", db.Close(), "")
	if err := <-done; err != nil {
		t.Errorf("Live ended with %v", err)
	}
	wantCode(t, "Close again", db.Close(), "")
	wantCode(t, "Insert", users.Insert(t.Context(), &user{}), engine.CodeClosed)
	_, err := users.Count(t.Context(), nil)
	wantCode(t, "Count", err, engine.CodeClosed)
	for range users.Live(t.Context(), nil) {
		wantCode(t, "Live", err, engine.CodeClosed)
	}
}

// TestGoroutines: many goroutines lose nothing, and a live query ends with the newest
// answer.
func TestGoroutines(t *testing.T) {
	memory := storage.NewMemory()
	db, other := shared(t, memory), shared(t, memory)
	const writers, each = 8, 20
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() {
			mine := typed.In[user]([]*typed.DB{db, other}[i%2], "users")
			for range each {
				if err := mine.Insert(t.Context(), &user{Age: i}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for all, err := range typed.In[user](db, "users").Live(t.Context(), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == writers*each {
			break
		}
	}
	wait.Wait()
}
