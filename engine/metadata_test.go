package engine_test

import (
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// TestMetadata_time: the time of a batch is that of its collections, on every
// replica, and is undone with the batch.
func TestMetadata_time(t *testing.T) {
	db, replica, fresh := newDB(t, engine.Options{}), newDB(t, engine.Options{}), newDB(t, engine.Options{})
	updated := func(db *engine.DB, name string) uint64 {
		t.Helper()
		m, err := db.Metadata(name)
		if err != nil {
			t.Fatal(err)
		}
		return m.Updated
	}
	put := func(name string) {
		t.Helper()
		if _, err := db.Insert(name, encode(t, M{"a": 1}), false); err != nil {
			t.Fatal(err)
		}
	}
	put("users")
	put("posts")
	first := join(db.Cut(1000))
	db.Confirm()
	put("users")
	db.Cut(2000)
	if got := updated(db, "users"); got != 2000 {
		t.Errorf("the second batch gives the time %d, want 2000", got)
	}
	db.Rollback()
	if got := updated(db, "users"); got != 1000 {
		t.Errorf("undone, the time is %d, want 1000", got)
	}
	put("users")
	second := join(db.Cut(500)) // a clock may go back
	db.Confirm()
	put("cats")
	third := join(db.Cut(1 << 60)) // no time, and yet a batch
	db.Confirm()
	for _, batch := range [][]byte{first, second, third} {
		if err := replica.Apply(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := fresh.Apply(join(db.Snapshot())); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint64{"users": 500, "posts": 1000, "cats": 0, "none": 0} {
		for who, db := range map[string]*engine.DB{"the writer": db, "a replica": replica, "the reader of a snapshot": fresh} {
			if got := updated(db, name); got != want {
				t.Errorf("%s says that %s was changed at %d, want %d", who, name, got, want)
			}
		}
	}
	if err := db.Apply([]byte{7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}); engine.CodeOf(err) != engine.CodeCorrupt {
		t.Errorf("a time beyond 2^53 gives %v, want corrupt", err)
	}
}

func TestMetadata_countsEntries(t *testing.T) {
	db := newDB(t, engine.Options{})
	if err := db.CreateIndex("users", []string{"tags"}, engine.IndexOptions{Sparse: true}); err != nil {
		t.Fatal(err)
	}
	for _, d := range []M{{"tags": []any{"a", "b"}}, {"tags": "c"}, {}} {
		if _, err := db.Insert("users", encode(t, d), false); err != nil {
			t.Fatal(err)
		}
	}
	for want := 3; want >= 1; want -= 2 {
		m, err := db.Metadata("users")
		if err != nil || len(m.Indexes) != 1 || m.Indexes[0].Entries != want {
			t.Fatalf("got %+v and %v, want an index of %d entries", m, err, want)
		}
		if u := db.Usage(); len(u) != 1 || u[0].Documents != m.Documents || u[0].Bytes != m.Bytes || m.Bytes != db.Size()-catalogBytes(t, db) {
			t.Fatalf("usage %+v and metadata %+v of %d bytes differ", u, m, db.Size())
		}
		if _, err := db.Remove("users", where(t, "_id = 1")); err != nil {
			t.Fatal(err)
		}
	}
}

func catalogBytes(t *testing.T, db *engine.DB) int64 {
	t.Helper()
	m, err := db.Metadata("_catalog")
	if err != nil {
		t.Fatal(err)
	}
	return m.Bytes
}
