package engine_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	vmihailenco "github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// M is a document or an update written in a test.
type M = map[string]any

// encode returns v as MessagePack, with the fields of maps sorted.
func encode(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := vmihailenco.NewEncoder(&b)
	e.SetSortMapKeys(true)
	e.UseCompactInts(true)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decode returns the values that b holds one after the other.
func decode(t testing.TB, b []byte) (values []any) {
	t.Helper()
	for len(b) > 0 {
		n, err := msgpack.Validate(b, 1000)
		if err != nil {
			t.Fatal(err)
		}
		d := vmihailenco.NewDecoder(bytes.NewReader(b[:n]))
		d.UseLooseInterfaceDecoding(true)
		v, err := d.DecodeInterface()
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
		b = b[n:]
	}
	return values
}

// newDB returns an empty DB whose invariants are checked when the test ends.
func newDB(t testing.TB, opts engine.Options) *engine.DB {
	t.Helper()
	db, err := engine.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Check(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// insert adds documents to users.
func insert(t testing.TB, db *engine.DB, docs ...M) []any {
	t.Helper()
	var all []byte
	for _, d := range docs {
		all = append(all, encode(t, d)...)
	}
	ids, err := db.Insert("users", all, false)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, ids)[0].([]any)
}

// where parses a text condition.
func where(t testing.TB, text string) *query.Filter {
	t.Helper()
	f, err := query.ParseText(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// find returns the documents of users that q finds.
func find(t testing.TB, db *engine.DB, q engine.Query) []any {
	t.Helper()
	r, err := db.Find("users", q)
	if err != nil {
		t.Fatal(err)
	}
	var all []any
	for r.Len() > 0 {
		piece, count, _ := r.Next(nil, 100) // small pieces, so that every test takes several
		docs := decode(t, piece)
		if len(docs) != count {
			t.Fatalf("a piece of %d documents says that it has %d", len(docs), count)
		}
		all = append(all, docs...)
	}
	return all
}

// idsOf returns the ids of documents.
func idsOf(docs []any) []any {
	ids := make([]any, len(docs))
	for i, d := range docs {
		ids[i] = d.(map[string]any)["_id"]
	}
	return ids
}

func wantIDs(t testing.TB, got []any, want ...any) {
	t.Helper()
	if len(want) == 0 && len(got) == 0 {
		return
	}
	for i := range want {
		if n, ok := want[i].(int); ok {
			want[i] = int64(n)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("ids %v, want %v", got, want)
	}
}

// join concatenates the parts of a payload.
func join(parts [][]byte) []byte { return bytes.Join(parts, nil) }

// TestCheck_counts: a check that finds another number says both.
func TestCheck_counts(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"_id": "a"})
	db.Miscount("users", 10)
	defer db.Miscount("users", -10)
	if err := db.Check(); err == nil || !strings.Contains(err.Error(), "counts 17 bytes, has 7") {
		t.Errorf("a wrong count of bytes gives %v", err)
	}
}

// TestCaches_once: the column of a path is built once, whoever asks for it.
func TestCaches_once(t *testing.T) {
	db := newDB(t, engine.Options{ColumnThreshold: 1})
	many(t, db, 1000)
	for range 3 {
		find(t, db, engine.Query{Where: where(t, "a > 5")})
		if n := db.Caches("users"); n != 1 {
			t.Fatalf("there are %d columns, want 1", n)
		}
	}
}
