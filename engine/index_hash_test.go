package engine_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// TestAppendEqual compares the short way to the documents with one value with a look at
// each document, for values of every kind, after each of many random changes.
func TestAppendEqual(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	values := []any{"x", "y", "", "é", 1, 1.0, 1.5, -1, 1 << 53, float64(1 << 53), 1<<53 + 1, 0, math.Copysign(0, -1), math.NaN(), nil, true, []any{}, []any{"x", "x"}, []any{"y", 1}, M{"x": 1}}
	asked, answered := 0, 0
	for round := range 40 {
		db := newDB(t, engine.Options{})
		if err := db.CreateIndex("c", []string{"a.b"}, engine.IndexOptions{Unique: true, Sparse: round%2 == 0}); err != nil {
			t.Fatal(err)
		}
		pick := func() any {
			v := values[random.IntN(len(values))]
			if _, isArray := v.([]any); isArray && random.IntN(4) > 0 { // an array ends the short way
				return "z"
			}
			return v
		}
		depth := 0
		for range 40 {
			doc := M{"a": M{"b": pick()}}
			switch random.IntN(12) {
			case 0:
				doc = M{"a": pick()}
			case 1:
				doc = M{"a": []any{M{"b": pick()}, M{"b": pick()}}}
			}
			var err error
			switch random.IntN(8) {
			case 0:
				db.Savepoint()
				depth++
			case 1:
				if depth > 0 {
					err = db.RollbackToSavepoint()
					depth--
				}
			case 2:
				_, err = db.Remove("c", where(t, "_id = "+strconv.Itoa(1+random.IntN(8))))
			case 3: // in a savepoint, several documents may have one value
				_, _ = db.Update("c", encode(t, doc), where(t, "_id > "+strconv.Itoa(random.IntN(8))))
			default:
				_, _ = db.Insert("c", encode(t, doc), false)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range values {
				value := encode(t, v)
				for _, path := range []string{"a.b", "_id"} {
					for _, one := range []bool{false, true} {
						got, count, ok := db.AppendEqual(nil, "c", []byte(path), value, one)
						if asked++; !ok {
							continue
						}
						answered++
						want, n := []byte(nil), 0
						f := query.Eq(query.ParsePath(path), value)
						for doc := range allDocuments(t, db) {
							if f.Match(doc) && !(one && n > 0) {
								want = append(want, doc...)
								n++
							}
						}
						if count != n || !slices.Equal(got, want) {
							t.Fatalf("seed %d: %s = %v, one %v: got %d documents, want %d", seed, path, v, one, count, n)
						}
					}
				}
			}
			if err := db.Check(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
	if answered < asked/4 {
		t.Errorf("seed %d: %d of %d questions were answered at once", seed, answered, asked)
	}
}

func allDocuments(t *testing.T, db *engine.DB) func(func([]byte) bool) {
	t.Helper()
	found, err := db.Find("c", engine.Query{})
	if err != nil {
		t.Fatal(err)
	}
	return found.Documents()
}

// TestUnique_crowded gives, in a savepoint, so many documents one value that the hash of
// the index would pass all of them at each write.
func TestUnique_crowded(t *testing.T) {
	db := withUnique(t)
	db.Savepoint()
	insert(t, db, M{"n": 9})
	if n := db.Hashes(); n != 1 {
		t.Errorf("%d indexes have a hash, want 1", n)
	}
	for n := range 2000 {
		insert(t, db, M{"n": n + 10})
	}
	if _, err := db.Update("users", encode(t, M{"n": 7}), where(t, "n >= 10")); err != nil {
		t.Fatal(err)
	}
	if n := db.Hashes(); n != 0 {
		t.Errorf("%d indexes have a hash, want none", n)
	}
	for _, tt := range []struct {
		condition string
		want      int
	}{{"n = 7", 2000}, {"n = 2", 1}, {"n in (2, 3)", 2}, {"n = 10", 0}} {
		if n, err := db.Count("users", where(t, tt.condition), 0); n != tt.want || err != nil {
			t.Errorf("%s found %d, %v", tt.condition, n, err)
		}
	}
	if err := db.Check(); err != nil {
		t.Error(err)
	}
	if err := db.ReleaseSavepoint(); engine.CodeOf(err) != engine.CodeUnique {
		t.Errorf("release got %v, want unique", err)
	}
	if err := db.RollbackToSavepoint(); err != nil {
		t.Fatal(err)
	}
	if err := db.Check(); err != nil {
		t.Error(err)
	}
}

// TestUnique_noList: a unique index is sorted for the second question that wants its order,
// as other indexes are, and by no write and no equality.
func TestUnique_noList(t *testing.T) {
	db := newDB(t, engine.Options{ColumnThreshold: 10})
	for n := range 50 {
		insert(t, db, M{"n": n})
	}
	if err := db.CreateIndex("users", []string{"n"}, engine.IndexOptions{Unique: true}); err != nil {
		t.Fatal(err)
	}
	db.DropCaches(math.MaxUint64)
	insert(t, db, M{"n": 50})
	for i, tt := range []struct {
		condition   string
		want, lists int
	}{{"n = 7", 1, 0}, {"n > 40", 10, 0}, {"n in (7, 8)", 2, 0}, {"n > 40", 10, 1}, {"n = 7", 1, 1}} {
		if n, err := db.Count("users", where(t, tt.condition), 0); n != tt.want || err != nil {
			t.Errorf("%s found %d, %v", tt.condition, n, err)
		}
		if lists := db.Lists(); lists != tt.lists {
			t.Errorf("after question %d, %s: %d lists, want %d", i, tt.condition, lists, tt.lists)
		}
	}
}
