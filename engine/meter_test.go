package engine_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// many inserts n documents {a: i, text: "…i"} into users.
func many(t testing.TB, db *engine.DB, n int) {
	t.Helper()
	var docs []M
	for i := range n {
		docs = append(docs, M{"a": i, "b": i % 7, "text": strings.Repeat("x", 50) + strconv.Itoa(i)})
	}
	insert(t, db, docs...)
}

func path(text string) query.Path { return query.ParsePath(text) }

func TestMaxQueryMemory(t *testing.T) {
	for name, work := range map[string]func(db *engine.DB) error{
		"sort": func(db *engine.DB) error {
			_, err := db.Find("users", engine.Query{Sort: []engine.SortKey{{Path: path("text")}}})
			return err
		},
		"the first of a sort": func(db *engine.DB) error {
			_, err := db.Find("users", engine.Query{Sort: []engine.SortKey{{Path: path("text")}}, Limit: 900})
			return err
		},
		"groups": func(db *engine.DB) error {
			_, err := db.Aggregate("users", engine.Aggregate{GroupBy: []query.Path{path("a")}})
			return err
		},
		"distinct values": func(db *engine.DB) error {
			_, err := db.Distinct("users", "text", nil)
			return err
		},
		"distinct values of a group": func(db *engine.DB) error {
			_, err := db.Aggregate("users", engine.Aggregate{Select: []engine.Output{{Name: "all", Op: engine.AggDistinct, Path: path("text")}}})
			return err
		},
		"one value in many outputs": func(db *engine.DB) error {
			var outputs []engine.Output
			for i := range 500 {
				outputs = append(outputs, engine.Output{Name: strconv.Itoa(i), Op: engine.AggFirst, Path: path("text")})
			}
			_, err := db.Aggregate("users", engine.Aggregate{Select: outputs})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, columns := range []int{1, -1} {
				db := newDB(t, engine.Options{MaxQueryMemory: 10_000, ColumnThreshold: columns})
				many(t, db, 2000)
				for range 2 {
					err := work(db)
					if !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), "more than 10000 bytes") || !strings.Contains(err.Error(), "maxQueryMemory") {
						t.Fatalf("the error is %v", err)
					}
				}
				if found := find(t, db, engine.Query{Where: where(t, "a >= 0"), Limit: 5}); len(found) != 5 {
					t.Fatalf("found %d afterwards", len(found))
				}
				roomy := newDB(t, engine.Options{ColumnThreshold: columns})
				many(t, roomy, 2000)
				if err := work(roomy); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestInterrupted: a call ends soon after its host says so, and what it has changed
// is undone.
func TestInterrupted(t *testing.T) {
	stop := errors.New("enough")
	for name, work := range map[string]func(db *engine.DB) error{
		"find": func(db *engine.DB) error {
			_, err := db.Find("users", engine.Query{Where: where(t, "text matches 'y'")})
			return err
		},
		"a condition of many": func(db *engine.DB) error {
			_, err := db.Find("users", engine.Query{Where: where(t, "a = -1"+strings.Repeat(" or a > 1000000", 1000)), Limit: 1})
			return err
		},
		"count": func(db *engine.DB) error {
			_, err := db.Count("users", where(t, "text matches 'y'"), 0)
			return err
		},
		"sort": func(db *engine.DB) error {
			_, err := db.Find("users", engine.Query{Sort: []engine.SortKey{{Path: path("text")}}})
			return err
		},
		"aggregate": func(db *engine.DB) error {
			_, err := db.Aggregate("users", engine.Aggregate{GroupBy: []query.Path{path("text")}, Select: []engine.Output{{Name: "n", Op: engine.AggMax, Path: path("a")}}})
			return err
		},
		"distinct": func(db *engine.DB) error {
			_, err := db.Distinct("users", "text", nil)
			return err
		},
		"update": func(db *engine.DB) error {
			_, err := db.Update("users", encode(t, M{"a": 1}), where(t, "text matches 'x'"))
			return err
		},
		"remove": func(db *engine.DB) error {
			_, err := db.Remove("users", where(t, "text matches 'x'"))
			return err
		},
		"explain": func(db *engine.DB) error {
			_, err := db.Explain("users", engine.Query{Where: where(t, "text matches 'y'")})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, columns := range []int{1, -1} {
				asked, firsts, stops := 0, 0, false
				db := newDB(t, engine.Options{ColumnThreshold: columns, Interrupted: func(first bool) error {
					if asked++; first {
						firsts++
					}
					if stops {
						return stop
					}
					return nil
				}})
				many(t, db, 30_000)
				// Columns answer so quickly that more is asked of them.
				for range 200 {
					if err := work(db); err != nil {
						t.Fatal(err)
					}
					if asked > 0 || name == "update" || name == "remove" {
						break
					}
				}
				if columns < 0 && (asked == 0 || firsts != 1) {
					t.Fatalf("asked %d times, %d of them first", asked, firsts)
				}
				if columns > 0 {
					continue
				}
				db = newDB(t, engine.Options{ColumnThreshold: columns, Interrupted: func(bool) error { return stop }})
				many(t, db, 30_000)
				version := db.Version()
				if err := work(db); err != stop {
					t.Fatalf("the error is %v", err)
				}
				if n, err := db.Count("users", nil, 0); n != 30_000 || err != nil || db.Version() != version {
					t.Errorf("afterwards there are %d documents (%v)", n, err)
				}
			}
		})
	}
}

// TestInterrupted_betweenCalls: work that belongs to no call cannot be stopped, since
// nothing would turn its panic into an error.
func TestInterrupted_betweenCalls(t *testing.T) {
	db := newDB(t, engine.Options{Interrupted: func(bool) error { return errors.New("enough") }})
	db.Spend(1 << 30)
}

// TestInterrupted_inOneText: a search for a regular expression in one long text ends
// soon after its host says so, wherever it is asked.
func TestInterrupted_inOneText(t *testing.T) {
	stop := errors.New("enough")
	slow := "text matches '(a?){1000}b'"
	for name, work := range map[string]func(db *engine.DB) error{
		"find": func(db *engine.DB) error {
			_, err := db.Find("users", engine.Query{Where: where(t, slow)})
			return err
		},
		"within a condition": func(db *engine.DB) error {
			_, err := db.Find("users", engine.Query{Where: where(t, "not (a = 5 or "+slow+")")})
			return err
		},
		"in an order": func(db *engine.DB) error {
			_, err := db.Find("users", engine.Query{Where: where(t, slow), Sort: []engine.SortKey{{Path: path("a")}}, Limit: 1})
			return err
		},
		"of rows": func(db *engine.DB) error {
			_, err := db.Aggregate("users", engine.Aggregate{Select: []engine.Output{{Name: "text", Op: engine.AggMax, Path: path("text")}}, Having: where(t, slow)})
			return err
		},
	} {
		for _, columns := range []int{1, -1} {
			asked := 0
			db := newDB(t, engine.Options{ColumnThreshold: columns, Interrupted: func(bool) error {
				if asked++; asked > 3 {
					return stop
				}
				return nil
			}})
			for i := range 20 {
				insert(t, db, M{"a": i, "text": strings.Repeat("a", 10)})
			}
			insert(t, db, M{"a": -1, "text": strings.Repeat("a", 2_000)})
			if err := db.CreateIndex("users", []string{"a"}, engine.IndexOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := work(db); err != stop {
				t.Errorf("%s with columns from %d: the error is %v", name, columns, err)
			}
		}
	}
}

// TestInterrupted_inPull: the condition of a $pull is stopped too, and documents that were
// changed before are as they were.
func TestInterrupted_inPull(t *testing.T) {
	stop := errors.New("enough")
	pull := encode(t, M{"$pull": M{"texts": M{"$regex": "(a?){1000}b"}}})
	for name, work := range map[string]func(db *engine.DB) error{
		"update": func(db *engine.DB) error {
			_, err := db.Update("users", pull, nil)
			return err
		},
		"update of each": func(db *engine.DB) error {
			var ids []any
			for i := range 3 {
				ids = append(ids, []any{i + 1, M{"$pull": M{"texts": M{"$regex": "(a?){1000}b"}}}})
			}
			_, err := db.UpdateEach("users", encode(t, ids), 0)
			return err
		},
		"migration to a schema": func(db *engine.DB) error {
			return db.SetSchema("users", encode(t, M{"properties": M{"texts": M{"maxItems": 1}}}), engine.SchemaOptions{}, pull)
		},
	} {
		asked := 0
		db := newDB(t, engine.Options{Interrupted: func(bool) error {
			if asked++; asked > 3 {
				return stop
			}
			return nil
		}})
		long := strings.Repeat("a", 2_000)
		insert(t, db, M{"texts": []any{"aab", "a"}})
		insert(t, db, M{"texts": []any{long, long}})
		insert(t, db, M{"texts": []any{"aab", "a"}})
		if err := work(db); err != stop {
			t.Errorf("%s: the error is %v", name, err)
		}
		if n, err := db.Count("users", where(t, "texts contains 'aab'"), 0); n != 2 || err != nil {
			t.Errorf("%s: afterwards %d documents have what was to go (%v)", name, n, err)
		}
	}
}

func TestTooMany(t *testing.T) {
	db := newDB(t, engine.Options{})
	paths := func(n int) (paths []query.Path, keys []engine.SortKey, outputs []engine.Output, fields []string) {
		for i := range n {
			name := "f" + strconv.Itoa(i)
			paths = append(paths, path(name))
			keys = append(keys, engine.SortKey{Path: path(name)})
			outputs = append(outputs, engine.Output{Name: "o" + name, Op: engine.AggSum, Path: path(name)})
			fields = append(fields, name)
		}
		return paths, keys, outputs, fields
	}
	for _, tt := range []struct {
		limit int
		what  string
		run   func(n int) error
	}{
		{engine.MaxSortPaths, "paths to sort by", func(n int) error {
			_, keys, _, _ := paths(n)
			_, err := db.Find("users", engine.Query{Sort: keys})
			return err
		}},
		{engine.MaxSortPaths, "paths to sort by", func(n int) error {
			_, keys, _, _ := paths(n)
			_, err := db.Explain("users", engine.Query{Sort: keys})
			return err
		}},
		{engine.MaxSortPaths, "paths to sort by", func(n int) error {
			_, keys, _, _ := paths(n)
			_, err := db.Aggregate("users", engine.Aggregate{Sort: keys})
			return err
		}},
		{engine.MaxFields, "fields", func(n int) error {
			_, _, _, fields := paths(n)
			_, err := db.Find("users", engine.Query{Fields: fields})
			return err
		}},
		{engine.MaxGroupPaths, "paths to group by", func(n int) error {
			groups, _, _, _ := paths(n)
			_, err := db.Aggregate("users", engine.Aggregate{GroupBy: groups})
			return err
		}},
		{engine.MaxOutputs, "outputs", func(n int) error {
			_, _, outputs, _ := paths(n)
			_, err := db.Aggregate("users", engine.Aggregate{Select: outputs})
			return err
		}},
	} {
		if err := tt.run(tt.limit); err != nil {
			t.Error(err)
		}
		err := tt.run(tt.limit + 1)
		if want := "expected at most " + strconv.Itoa(tt.limit) + " " + tt.what; !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected %q", err, want)
		}
	}
}

// TestUpdateOfManyFields: many steps at once do what they do one after the other.
func TestUpdateOfManyFields(t *testing.T) {
	rng := randomly(t)
	for range 200 {
		before, update := M{}, M{}
		for i := range 40 {
			name := "f" + strconv.Itoa(i)
			if rng.IntN(2) == 0 {
				before[name] = []any{1, "text", nil, []any{1, 2}, 2.5}[rng.IntN(5)]
			}
			if rng.IntN(4) == 0 {
				continue
			}
			operator := []string{"$set", "$unset", "$inc", "$min", "$max", "$push", "$pull"}[rng.IntN(7)]
			fields, _ := update[operator].(M)
			if fields == nil {
				fields = M{}
				update[operator] = fields
			}
			fields[name] = rng.IntN(3)
		}
		atOnce, byStep := newDB(t, engine.Options{}), newDB(t, engine.Options{})
		insert(t, atOnce, before)
		insert(t, byStep, before)
		_, err := atOnce.Update("users", encode(t, update), nil)
		var first error
		for _, operator := range []string{"$inc", "$max", "$min", "$pull", "$push", "$set", "$unset"} { // as encode sorts them
			fields, _ := update[operator].(M)
			for i := range 40 {
				name := "f" + strconv.Itoa(i)
				if v, ok := fields[name]; ok && first == nil {
					_, first = byStep.Update("users", encode(t, M{operator: M{name: v}}), nil)
				}
			}
		}
		if (err == nil) != (first == nil) {
			t.Fatalf("%v of %v: %v, one by one %v", update, before, err, first)
		}
		if err != nil {
			continue
		}
		a, b := find(t, atOnce, engine.Query{})[0].(M), find(t, byStep, engine.Query{})[0].(M)
		if len(a) != len(b) {
			t.Fatalf("%v of %v: %v, one by one %v", update, before, a, b)
		}
		for name := range b {
			if string(encode(t, a[name])) != string(encode(t, b[name])) {
				t.Fatalf("%v of %v: %v, one by one %v", update, before, a, b)
			}
		}
	}
}
