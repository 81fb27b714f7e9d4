package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// TestMissing: null as MongoDB's filters ask for it is answered by indexes and columns,
// as an equality is.
func TestMissing(t *testing.T) {
	filter := func(f M) *query.Filter {
		parsed, err := query.Parse(encode(t, f))
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	db := newDB(t, engine.Options{ColumnThreshold: 1})
	for i := range 400 {
		d := M{"_id": i, "n": i % 20, "tags": []any{i % 5}, "items": []any{M{"k": i % 20}, M{"k": i % 3}}}
		switch i % 20 {
		case 0:
			delete(d, "n")
			d["items"] = []any{M{"k": 1}, M{}}
		case 1:
			d["n"] = nil
			d["tags"] = []any{}
			delete(d, "items")
		case 2:
			d["tags"] = []any{7, nil}
			d["items"] = []any{nil, 5}
		}
		insert(t, db, d)
	}
	check := func(f M, plan string, returned int) {
		t.Helper()
		p, err := db.Explain("users", engine.Query{Where: filter(f)})
		if err != nil || p.Text != plan || p.Returned != returned {
			t.Errorf("%v: %s returned %d, %v; want %s returned %d", f, p.Text, p.Returned, err, plan, returned)
		}
	}
	check(M{"n": nil}, "columns(n): n in (missing, null)", 40)
	check(M{"n": M{"$ne": nil}}, "columns(n): n not in (missing, null)", 360)
	check(M{"n": M{"$in": []any{nil, 7}}}, "columns(n): n in (missing, null, 7)", 60)
	for _, path := range []string{"n", "tags", "items.k"} {
		if err := db.CreateIndex("users", []string{path}, engine.IndexOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // indexes are built for the second query
		for _, path := range []string{"n", "tags", "items.k"} {
			db.Count("users", filter(M{path: nil}), 0)
		}
	}
	check(M{"n": nil}, "index(n): n in (missing, null)", 40)
	check(M{"n": M{"$in": []any{nil, 7}}}, "index(n): n in (missing, null, 7)", 60)
	check(M{"tags": nil}, "index(tags): tags in (missing, null)", 20)
	check(M{"items.k": nil}, "index(items.k): items.k in (missing, null)", 40)
	check(M{"_id": nil}, "id: _id in (missing, null)", 0)
	if p, _ := db.Explain("users", engine.Query{Where: filter(M{"n": nil})}); p.Examined != 40 {
		t.Errorf("examined %d entries", p.Examined)
	}

	sparse := newDB(t, engine.Options{})
	if err := sparse.CreateIndex("users", []string{"n"}, engine.IndexOptions{Sparse: true}); err != nil {
		t.Fatal(err)
	}
	insert(t, sparse, M{"n": 1})
	insert(t, sparse, M{"a": 1})
	if p, err := sparse.Explain("users", engine.Query{Where: filter(M{"n": nil})}); err != nil || p.Returned != 1 || strings.HasPrefix(p.Text, "index") {
		t.Error(fmt.Sprint(p, err))
	}
}

// TestMissing_unique: a document without a value, or with an array that has none, is like
// no other.
func TestMissing_unique(t *testing.T) {
	db := newDB(t, engine.Options{})
	if err := db.CreateIndex("users", []string{"a.b"}, engine.IndexOptions{Unique: true}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, a := range []any{nil, []any{}, []any{M{}, M{"c": 1}}, []any{5}, 5, M{}, M{"b": []any{}}} {
			insert(t, db, M{"a": a})
		}
	}
	insert(t, db, M{"a": M{"b": []any{[]any{}}}})
	for _, again := range []any{M{"b": []any{[]any{}, 3}}, []any{M{"b": []any{[]any{}}}, M{}}} {
		if _, err := db.Insert("users", encode(t, M{"a": again}), false); engine.CodeOf(err) != engine.CodeUnique {
			t.Errorf("a second %v gave %v", again, err)
		}
	}
	if err := db.Check(); err != nil {
		t.Fatal(err)
	}
}
