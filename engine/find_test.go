package engine_test

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

func sortBy(keys ...string) (s []engine.SortKey) {
	for _, k := range keys {
		path, descending := strings.CutPrefix(k, "-")
		s = append(s, engine.SortKey{Path: query.ParsePath(path), Descending: descending, ByElement: true})
	}
	return s
}

func TestFind_window(t *testing.T) {
	db := newDB(t, engine.Options{})
	for i := range 10 {
		insert(t, db, M{"n": i % 5, "s": fmt.Sprint("text ", 9-i)})
	}
	for _, tt := range []struct {
		q    engine.Query
		want []any
	}{
		{engine.Query{}, []any{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{engine.Query{Limit: 3}, []any{1, 2, 3}},
		{engine.Query{Skip: 8}, []any{9, 10}},
		{engine.Query{Skip: 11}, nil},
		{engine.Query{Skip: -1, Limit: 1}, []any{1}},
		{engine.Query{Skip: 2, Limit: 2}, []any{3, 4}},
		{engine.Query{Skip: 8, Limit: math.MaxInt}, []any{9, 10}},
		{engine.Query{Where: where(t, "n = 4")}, []any{5, 10}},
		{engine.Query{Where: where(t, "n > 2"), Skip: 1, Limit: 2}, []any{5, 9}},
		{engine.Query{Sort: sortBy("-n"), Limit: 3}, []any{5, 10, 4}},
		{engine.Query{Sort: sortBy("n", "s"), Limit: 2}, []any{6, 1}},
		{engine.Query{Sort: sortBy("s"), Skip: 1, Limit: 2}, []any{9, 8}},
		{engine.Query{Sort: sortBy("s"), Skip: 8, Limit: 9}, []any{2, 1}},
		{engine.Query{Sort: sortBy("s"), Skip: 8, Limit: math.MaxInt}, []any{2, 1}},
		{engine.Query{Sort: sortBy("missing"), Limit: 2}, []any{1, 2}},
	} {
		wantIDs(t, idsOf(find(t, db, tt.q)), tt.want...)
	}
}

func TestFind_sortsEveryKindOfValue(t *testing.T) {
	db := newDB(t, engine.Options{})
	// In ascending order, ids 1 and up.
	for _, v := range []any{
		nil, false, true, math.NaN(), math.Inf(-1), -1.5, -1, 0, 0.25, 1, 1 << 53, 1<<53 + 1, math.Inf(1),
		"", "a", "a\x00", "aaaaaaaa", "aaaaaaab", "b", "é", []byte{1}, []any{}, []any{1}, []any{1, 2}, M{"a": 1},
	} {
		insert(t, db, M{"v": v})
	}
	insert(t, db, M{}) // no value comes first
	var ascending, descending []any
	last := find(t, db, engine.Query{})
	for i := range last {
		ascending = append(ascending, (i+len(last)-1)%len(last)+1)
		descending = append([]any{ascending[i]}, descending...)
	}
	for _, limit := range []int{0, 3, len(last)} {
		end := len(last)
		if limit > 0 {
			end = limit
		}
		whole := []engine.SortKey{{Path: query.ParsePath("v")}} // arrays as a whole
		wantIDs(t, idsOf(find(t, db, engine.Query{Sort: whole, Limit: limit})), append([]any{}, ascending[:end]...)...)
		whole[0].Descending = true
		wantIDs(t, idsOf(find(t, db, engine.Query{Sort: whole, Limit: limit})), append([]any{}, descending[:end]...)...)
	}
}

func TestFind_fields(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{
		"a": 1, "b": M{"c": 2, "d": M{"e": 3, "f": 4}}, "g": []any{M{"h": 5, "i": 6}, 7, M{"i": 8}, []any{M{"h": 9}}},
	})
	for _, tt := range []struct {
		fields string
		want   M
	}{
		{"a", M{"a": 1}},
		{"_id", M{}},
		{"missing", M{}},
		{"b.c", M{"b": M{"c": 2}}},
		{"b.d.f b.c", M{"b": M{"c": 2, "d": M{"f": 4}}}},
		{"b b.c", M{"b": M{"c": 2, "d": M{"e": 3, "f": 4}}}},
		{"b.c b", M{"b": M{"c": 2, "d": M{"e": 3, "f": 4}}}},
		{"a.b", M{}},
		{"g.h", M{"g": []any{M{"h": 5}, M{}, []any{M{"h": 9}}}}},
	} {
		tt.want["_id"] = 1
		got := find(t, db, engine.Query{Fields: strings.Fields(tt.fields)})
		if want := decode(t, encode(t, tt.want)); !reflect.DeepEqual(got, want) {
			t.Errorf("fields %s: %v, want %v", tt.fields, got, want)
		}
	}
}

func TestGet(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"_id": "x", "n": 1}, M{"n": 2}, M{"_id": -5, "n": 3})
	for _, tt := range []struct {
		id   any
		want int64
	}{{"x", 1}, {1, 2}, {-5, 3}} {
		doc := decode(t, db.Get("users", encode(t, tt.id)))
		if len(doc) != 1 || doc[0].(map[string]any)["n"] != tt.want {
			t.Errorf("Get(%v) = %v", tt.id, doc)
		}
	}
	for _, id := range []any{"y", 2, 1.5, nil, true, []any{1}} {
		if got := db.Get("users", encode(t, id)); got != nil {
			t.Errorf("Get(%v) = %x", id, got)
		}
	}
	if db.Get("others", encode(t, 1)) != nil {
		t.Error("found in a collection that does not exist")
	}
}

func TestDistinct(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"v": 2}, M{"v": "b"}, M{"v": []any{1, 2.0, "a"}}, M{"v": nil}, M{}, M{"v": []any{[]any{3}}})
	got, err := db.Distinct("users", "v", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := decode(t, got)[0], decode(t, encode(t, []any{nil, 1, 2, "a", "b", []any{3}}))[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("Distinct = %v, want %v", got, want)
	}
	if got, _ := db.Distinct("users", "v", where(t, "v = 'b'")); !reflect.DeepEqual(decode(t, got)[0], []any{"b"}) {
		t.Errorf("Distinct with a condition = %v", decode(t, got))
	}
}

func TestCountAndIDs(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"n": 1}, M{"_id": "b", "n": 2}, M{"n": 2})
	for _, tt := range []struct {
		where string
		limit int
		want  int
	}{{"true", 0, 3}, {"true", 2, 2}, {"n = 2", 0, 2}, {"n = 2", 1, 1}, {"n = 3", 0, 0}} {
		if got, err := db.Count("users", where(t, tt.where), tt.limit); got != tt.want || err != nil {
			t.Errorf("Count(%s, %d) = %d, %v; want %d", tt.where, tt.limit, got, err, tt.want)
		}
	}
	ids, err := db.IDs("users")
	if err != nil {
		t.Fatal(err)
	}
	wantIDs(t, decode(t, ids)[0].([]any), 1, "b", 2)
	if n, err := db.Count("others", nil, 0); n != 0 || err != nil {
		t.Errorf("Count of no collection = %d, %v", n, err)
	}
}

// TestExplain reads the plans that users read.
func TestExplain(t *testing.T) {
	db := newDB(t, engine.Options{})
	for i := range 100 {
		insert(t, db, M{"country": fmt.Sprint("C", i%10), "age": i, "tags": []any{"t" + fmt.Sprint(i%4), "all"}})
	}
	create := func(paths ...string) {
		if err := db.CreateIndex("users", paths, engine.IndexOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	explain := func(q engine.Query) string {
		p, err := db.Explain("users", q)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%s | %s examined %d returned %d", p.Text, strings.Join(p.Index, "+"), p.Examined, p.Returned)
	}
	check := func(q engine.Query, want string) {
		t.Helper()
		if got := explain(q); got != want {
			t.Errorf("explain:\n%s\nwant:\n%s", got, want)
		}
	}
	check(engine.Query{Where: where(t, "country = 'C3'")}, "scan → match(country = 'C3') |  examined 100 returned 10")
	create("country")
	check(engine.Query{Where: where(t, "country = 'C3'")}, "index(country): country = 'C3' | country examined 10 returned 10")
	check(engine.Query{Where: where(t, "country = 'C3' and age > 50"), Sort: sortBy("-age", "name"), Limit: 2},
		"index(country): country = 'C3' → match(age > 50) → sort(-age, name) | country examined 10 returned 2")
	create("country", "age")
	check(engine.Query{Where: where(t, "age > 50 and country in ('C3', 'C4')")},
		"index(country, age): country in ('C3', 'C4') and age > 50 | country+age examined 10 returned 10")
	check(engine.Query{Where: where(t, "_id in (5, 6, 700) and age > 4")}, "id: _id in (5, 6, 700) → match(age > 4) |  examined 2 returned 1")
	check(engine.Query{}, "scan |  examined 100 returned 100")
	check(engine.Query{Limit: 5}, "scan |  examined 5 returned 5")
	create("tags")
	check(engine.Query{Where: where(t, "tags = 't1'")}, "index(tags): tags = 't1' | tags examined 25 returned 25")
	check(engine.Query{Where: where(t, "tags = 'all'")}, "scan → match(tags = 'all') |  examined 100 returned 100")
	check(engine.Query{Where: where(t, "tags > 'a' and tags < 't1'")}, "scan → match(tags > 'a' and tags < 't1') |  examined 100 returned 100")
	check(engine.Query{Where: where(t, "age between 5 and 7 or country = 'C1'")}, "scan → match(age between 5 and 7 or country = 'C1') |  examined 100 returned 13")
}

// TestFind_manyFields returns some fields of a document whose header counts them in two
// bytes, and of one in four.
func TestFind_manyFields(t *testing.T) {
	for _, n := range []int{20, 700, 70_000} {
		db := newDB(t, engine.Options{})
		d := M{"_id": 1}
		for i := range n {
			d[fmt.Sprint("f", i)] = i
		}
		insert(t, db, d)
		want := map[string]any{"_id": int64(1)}
		var fields []string
		for i := 0; i < n && i < 600; i++ {
			fields = append(fields, fmt.Sprint("f", i))
			want[fields[i]] = int64(i)
		}
		if got := find(t, db, engine.Query{Fields: fields[1:]})[0].(map[string]any); len(got) != len(want)-1 || got["f1"] != int64(1) || got["f0"] != nil {
			t.Errorf("of %d fields, %d came back, want %d", n, len(got), len(want)-1)
		}
	}
}

// TestFind_sortedByElement: of an array the least element counts, or the greatest.
func TestFind_sortedByElement(t *testing.T) {
	for _, options := range []engine.Options{{}, {ColumnThreshold: 1}} {
		db := newDB(t, options)
		for id, a := range []any{[]any{5, 1}, 3, []any{}, []any{M{"b": 4}, M{"b": 2}}, []any{9, "x"}, nil, []any{[]any{0}, 7}, M{"b": 3}, []any{M{"b": 9}, M{}}} {
			insert(t, db, M{"_id": id, "a": a})
		}
		for range 2 {
			for by, want := range map[string]string{
				"a":    "[2 5 0 1 6 4 8 3 7]",
				"-a":   "[8 3 7 6 4 0 1 5 2]",
				"a.b":  "[0 1 2 4 5 6 8 3 7]",
				"-a.b": "[8 3 7 0 1 2 4 5 6]",
				"a.0":  "[1 2 3 5 7 8 0 4 6]",
			} {
				if got := fmt.Sprint(idsOf(find(t, db, engine.Query{Sort: sortBy(by)}))); got != want {
					t.Errorf("sorted by %s: %s, want %s", by, got, want)
				}
				if got := fmt.Sprint(idsOf(find(t, db, engine.Query{Sort: sortBy(by), Limit: 3}))); got != want[:6]+"]" {
					t.Errorf("the first by %s: %s, want %s", by, got, want)
				}
			}
			if err := db.CreateIndex("users", []string{"a"}, engine.IndexOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
