package engine_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

func outputs(pairs ...any) (all []engine.Output) {
	for i := 0; i < len(pairs); i += 3 {
		all = append(all, engine.Output{Name: pairs[i].(string), Op: pairs[i+1].(engine.AggregateOp), Path: query.ParsePath(pairs[i+2].(string))})
	}
	return all
}

func paths(texts ...string) (all []query.Path) {
	for _, text := range texts {
		all = append(all, query.ParsePath(text))
	}
	return all
}

// aggregate returns the rows as Go values.
func aggregate(t testing.TB, db *engine.DB, a engine.Aggregate) []any {
	t.Helper()
	rows, err := db.Aggregate("users", a)
	if err != nil {
		t.Fatal(err)
	}
	var all []any
	for rows.Len() > 0 {
		piece, count, left := rows.Next(nil, 50)
		got := decode(t, piece)
		if len(got) != count || rows.Len() != left {
			t.Fatalf("a piece of %d rows says that it has %d, and %d left of %d", len(got), count, left, rows.Len())
		}
		all = append(all, got...)
	}
	return all
}

func TestAggregate(t *testing.T) {
	for _, threshold := range []int{-1, 1} {
		db := newDB(t, engine.Options{ColumnThreshold: threshold})
		insert(t, db,
			M{"city": "Oslo", "at": M{"x": 1, "y": 1}, "n": 2, "tags": []any{"a", "b"}},
			M{"city": "a city with a long name", "at": M{"x": 1.0, "y": 2}, "n": 2.5},
			M{"city": "Oslo", "at": M{"x": 2}, "n": "text", "tags": []any{"b", "c"}},
			M{"city": nil, "n": int64(1) << 62},
			M{"n": int64(1) << 62, "tags": "b"},
			M{"city": "Oslo", "n": -7, "tags": []any{}},
		)
		all := outputs("docs", engine.AggCount, "", "n", engine.AggCount, "n", "sum", engine.AggSum, "n", "avg", engine.AggAvg, "n", "min", engine.AggMin, "n", "max", engine.AggMax, "n",
			"first", engine.AggFirst, "n", "last", engine.AggLast, "n", "tags", engine.AggDistinct, "tags", "kinds", engine.AggCountDistinct, "tags", "orNull", engine.AggSumOrNull, "none")
		for _, c := range []struct {
			a    engine.Aggregate
			want []any
		}{
			{engine.Aggregate{GroupBy: paths("city"), Select: all}, []any{
				M{"city": "Oslo", "docs": int64(3), "n": int64(3), "sum": int64(-5), "avg": -2.5, "min": int64(-7), "max": "text", "first": int64(2), "last": int64(-7), "tags": []any{"a", "b", "c"}, "kinds": int64(3), "orNull": nil},
				M{"city": "a city with a long name", "docs": int64(1), "n": int64(1), "sum": 2.5, "avg": 2.5, "min": 2.5, "max": 2.5, "first": 2.5, "last": 2.5, "tags": []any{}, "kinds": int64(0), "orNull": nil},
				M{"city": nil, "docs": int64(2), "n": int64(2), "sum": uint64(1) << 63, "avg": float64(1 << 62), "min": int64(1) << 62, "max": int64(1) << 62, "first": int64(1) << 62, "last": int64(1) << 62, "tags": []any{"b"}, "kinds": int64(1), "orNull": nil},
			}},
			{engine.Aggregate{GroupBy: paths("at.x", "city"), Select: outputs("n", engine.AggCount, ""), Where: where(t, "at exists"), Sort: sortBy("-at.x", "city")}, []any{
				M{"at": M{"x": int64(2)}, "city": "Oslo", "n": int64(1)},
				M{"at": M{"x": int64(1)}, "city": "Oslo", "n": int64(1)},
				M{"at": M{"x": 1.0}, "city": "a city with a long name", "n": int64(1)},
			}},
			{engine.Aggregate{GroupBy: paths("at.x"), Select: outputs("n", engine.AggCount, ""), Having: where(t, "n >= 2"), Sort: sortBy("-n"), Limit: 1}, []any{M{"at": M{"x": nil}, "n": int64(3)}}},
			{engine.Aggregate{Select: outputs("n", engine.AggCount, "", "sum", engine.AggSum, "n", "orNull", engine.AggSumOrNull, "n", "avg", engine.AggAvg, "n", "first", engine.AggFirst, "n"), Where: where(t, "n = 99")},
				[]any{M{"n": int64(0), "sum": int64(0), "orNull": nil, "avg": nil, "first": nil}}},
			{engine.Aggregate{GroupBy: paths("city"), Select: outputs("n", engine.AggCount, ""), Where: where(t, "n = 99")}, nil},
			{engine.Aggregate{GroupBy: paths("city"), Skip: 1, Limit: 1}, []any{M{"city": "a city with a long name"}}},
		} {
			if got := aggregate(t, db, c.a); !sameRows(got, plainMaps(c.want).([]any)) {
				t.Errorf("columns from %d on:\n%v\nwant\n%v", threshold, got, c.want)
			}
		}
	}
}

// plainMaps makes every M a map[string]any, as decoding gives them.
func plainMaps(v any) any {
	switch v := v.(type) {
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = plainMaps(v[i])
		}
		return all
	case M:
		all := map[string]any{}
		for k := range v {
			all[k] = plainMaps(v[k])
		}
		return all
	}
	return v
}

// TestAggregate_collation: what a collation takes for the same is one group, which shows
// the first value, and one distinct value, the least; with caches and without.
func TestAggregate_collation(t *testing.T) {
	for _, threshold := range []int{-1, 1} {
		db := newDB(t, engine.Options{ColumnThreshold: threshold})
		insert(t, db, M{"c": "oslo", "n": 1}, M{"c": "Bergen", "n": 2}, M{"c": "OSLO", "n": 3}, M{"n": 4}, M{"c": []any{"bergen", "Å"}, "n": 5})
		c := query.Collation{Strength: 2}.Path("c")
		got := aggregate(t, db, engine.Aggregate{GroupBy: paths(c), Sort: []engine.SortKey{{Path: query.ParsePath(c)}}, Select: outputs("n", engine.AggSum, "n",
			"least", engine.AggMin, c, "first", engine.AggFirst, c, "last", engine.AggLast, c, "all", engine.AggDistinct, c, "kinds", engine.AggCountDistinct, c)})
		want := decode(t, encode(t, []any{
			M{"c": nil, "n": 4, "least": nil, "first": nil, "last": nil, "all": []any{}, "kinds": 0},
			M{"c": []any{"bergen", "Å"}, "n": 5, "least": []any{"bergen", "Å"}, "first": []any{"bergen", "Å"}, "last": []any{"bergen", "Å"}, "all": []any{"Å", "bergen"}, "kinds": 2},
			M{"c": "Bergen", "n": 2, "least": "Bergen", "first": "Bergen", "last": "Bergen", "all": []any{"Bergen"}, "kinds": 1},
			M{"c": "oslo", "n": 4, "least": "oslo", "first": "oslo", "last": "OSLO", "all": []any{"OSLO"}, "kinds": 1},
		}))[0].([]any)
		slices.SortFunc(got, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		slices.SortFunc(want, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("threshold %d: groups are\n%v\nwant\n%v", threshold, got, want)
		}
		values, err := db.Distinct("users", c, nil)
		if want := "[Å Bergen OSLO]"; err != nil || fmt.Sprint(decode(t, values)[0]) != want {
			t.Errorf("threshold %d: distinct values are %v, %v, want %s", threshold, decode(t, values), err, want)
		}
	}
}

func TestAggregate_refuses(t *testing.T) {
	db := newDB(t, engine.Options{})
	for want, a := range map[string]engine.Aggregate{
		"two outputs are named n":           {Select: outputs("n", engine.AggCount, "", "n", engine.AggSum, "x")},
		"a name is empty":                   {Select: outputs("", engine.AggCount, "")},
		"s needs a path":                    {Select: outputs("s", engine.AggSum, "")},
		"the groups have a field a already": {GroupBy: paths("a.b"), Select: outputs("a", engine.AggCount, "")},
		"a.b and a overlap in a row":        {GroupBy: paths("a", "a.b")},
		"a path is empty":                   {GroupBy: paths("")},
		"unknown operator of x":             {Select: outputs("x", engine.AggregateOp(99), "a")},
	} {
		_, err := db.Aggregate("users", a)
		if !errors.Is(err, engine.CodeInvalid) || !contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if rows, err := db.Aggregate("none", engine.Aggregate{Select: outputs("n", engine.AggCount, "")}); err != nil || rows.Len() != 1 {
		t.Errorf("of no collection: %v, %v", rows, err)
	}
}

func contains(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if s[i:i+len(part)] == part {
			return true
		}
	}
	return false
}

// TestAggregate_exact: sums of whole numbers are exact, others compensated.
func TestAggregate_exact(t *testing.T) {
	rng := randomly(t)
	for range 50 {
		db := newDB(t, engine.Options{ColumnThreshold: 1})
		want := new(big.Int)
		for range 1 + rng.IntN(40) {
			var v any = int64(rng.Uint64()) >> rng.IntN(60)
			if rng.IntN(5) == 0 {
				v = uint64(math.MaxInt64) + 1 + rng.Uint64N(1<<62)
			}
			if i, ok := v.(int64); ok {
				want.Add(want, big.NewInt(i))
			} else {
				want.Add(want, new(big.Int).SetUint64(v.(uint64)))
			}
			insert(t, db, M{"n": v})
		}
		got := aggregate(t, db, engine.Aggregate{Select: outputs("s", engine.AggSum, "n")})[0].(map[string]any)["s"]
		if want.IsInt64() || want.IsUint64() {
			if fmt.Sprint(got) != want.String() {
				t.Fatalf("sum %v, want %v", got, want)
			}
		} else if f, _ := new(big.Float).SetInt(want).Float64(); math.Abs(got.(float64)-f) > math.Abs(f)/1e15 {
			t.Fatalf("sum %v, want about %v", got, f)
		}
	}
	db := newDB(t, engine.Options{})
	insert(t, db, M{"n": 0.1}, M{"n": 1e100}, M{"n": 0.2}, M{"n": -1e100}, M{"m": math.Inf(1)}, M{"m": 0.5})
	got := aggregate(t, db, engine.Aggregate{Select: outputs("n", engine.AggSum, "n", "m", engine.AggSum, "m")})[0].(map[string]any)
	if math.Abs(got["n"].(float64)-0.3) > 1e-15 || !math.IsInf(got["m"].(float64), 1) {
		t.Errorf("sums %v", got)
	}
}

// TestAggregate_caches: caches are built, go stale and are dropped at random.
// Aggregates, distinct values, counts and conditions are the same as without any.
func TestAggregate_caches(t *testing.T) {
	rng := randomly(t)
	rounds := 6
	if runtime.GOARCH == "wasm" {
		rounds = 1
	}
	for range rounds {
		with, without := newDB(t, engine.Options{ColumnThreshold: 1}), newDB(t, engine.Options{ColumnThreshold: -1})
		both := func(do func(db *engine.DB) error) {
			t.Helper()
			a, b := do(with), do(without)
			if (a == nil) != (b == nil) {
				t.Fatalf("with caches %v, without %v", a, b)
			}
		}
		for step := range 400 {
			switch n := rng.IntN(10); {
			case n < 4:
				var docs []byte
				for range rng.IntN(30) {
					docs = append(docs, encode(t, mixedDoc(rng))...)
				}
				both(func(db *engine.DB) error { _, err := db.Insert("users", docs, false); return err })
			case n < 6:
				change, f := encode(t, mixedDoc(rng)), where(t, fmt.Sprintf("_id = %d", 1+rng.IntN(20*step+1)))
				both(func(db *engine.DB) error { _, err := db.Update("users", change, f); return err })
			case n == 6:
				f := where(t, fmt.Sprintf("_id between %d and %d", rng.IntN(5*step+1), rng.IntN(5*step+1)))
				both(func(db *engine.DB) error { _, err := db.Remove("users", f); return err })
			case n == 7:
				with.DropCaches(rng.Uint64())
			case n == 8:
				both(func(db *engine.DB) error { db.Cut(0); db.Confirm(); return nil })
			case rng.IntN(3) == 0:
				both(func(db *engine.DB) error { db.Rollback(); return nil })
			}
			a := mixedAggregate(t, rng)
			if got, want := aggregate(t, with, a), aggregate(t, without, a); !sameRows(got, want) {
				t.Fatalf("step %d: %+v gave\n%v\nwithout caches\n%v", step, a, got, want)
			}
			path := mixedPaths[rng.IntN(len(mixedPaths))]
			got, err := with.Distinct("users", path, a.Where)
			want, _ := without.Distinct("users", path, a.Where)
			if err != nil || !sameRows(decode(t, got), decode(t, want)) {
				t.Fatalf("step %d: distinct %s where %v gave\n%v\nwithout caches\n%v", step, path, a.Where, decode(t, got), decode(t, want))
			}
			if a.Where != nil {
				got, _ := with.Count("users", a.Where, 0)
				if want, _ := without.Count("users", a.Where, 0); got != want {
					t.Fatalf("step %d: count where %v is %d, without caches %d", step, a.Where, got, want)
				}
			}
			if err := with.Check(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var mixedPaths = []string{"city", "n", "f", "tags", "at.x", "list.k", "big", "any"}

func mixedDoc(rng *rand.Rand) M {
	d := M{"city": fmt.Sprint("a city, number ", rng.IntN(6)), "n": rng.IntN(10), "f": rng.NormFloat64()}
	if rng.IntN(3) == 0 {
		d["tags"] = []any{[]any{"x", "y"}, []any{}, "x", []any{"y", 1, 1.0}}[rng.IntN(4)]
	}
	if rng.IntN(3) == 0 {
		d["at"] = []any{M{"x": rng.IntN(3)}, M{"x": nil}, []any{M{"x": 1}, M{"x": 2}}, M{"x": []any{1, 2}}}[rng.IntN(4)]
	}
	if rng.IntN(4) == 0 {
		d["list"] = []any{[]any{M{"k": rng.IntN(4)}, M{"k": "v"}}, M{"k": 2.0}, []any{}}[rng.IntN(3)]
	}
	if rng.IntN(4) == 0 {
		d["big"] = []any{int64(1)<<60 + rng.Int64N(3), math.MaxInt64, math.NaN(), math.Inf(1), float64(1 << 62), math.Copysign(0, -1), 0, uint64(1)<<63 + 1}[rng.IntN(8)]
	}
	if rng.IntN(2) == 0 {
		d["any"] = []any{nil, true, false, 1, 1.5, "text", "a longer text", []byte{1}, []any{1}, M{"a": 1}}[rng.IntN(10)]
	}
	if rng.IntN(20) == 0 {
		delete(d, "city")
	}
	return d
}

func mixedAggregate(t *testing.T, rng *rand.Rand) (a engine.Aggregate) {
	if rng.IntN(3) > 0 {
		a.Where = where(t, []string{"n < 5", "city = 'a city, number 3'", "city matches '[1-3]$' and n > 2", "city contains 'number 2' or n = 1", "not city startsWith 'a city, number 4'", "any type str", "not any type number",
			"city in ('a city, number 1', 'none')", "tags contains 'x'", "any contains 'long' or any = 1.5", "at.x = 1", "list.k type int or city exists", "f > 0 and any matches 't'"}[rng.IntN(13)])
	}
	for _, k := range rng.Perm(len(mixedPaths))[:rng.IntN(4)] {
		a.GroupBy = append(a.GroupBy, query.ParsePath(mixedPaths[k]))
	}
	for i := range rng.IntN(5) {
		op := engine.AggregateOp(rng.IntN(int(engine.AggSumOrNull) + 1))
		a.Select = append(a.Select, engine.Output{Name: fmt.Sprint("out", i), Op: op, Path: query.ParsePath(mixedPaths[rng.IntN(len(mixedPaths))])})
	}
	if rng.IntN(3) == 0 {
		a.Sort = sortBy("-out0", "city")
		a.Limit = rng.IntN(5)
	}
	if rng.IntN(4) == 0 {
		a.Having = where(t, "out0 exists and not out0 = 3")
	}
	return a
}

// sameRows compares rows, for which NaN equals itself.
func sameRows(a, b []any) bool {
	return slices.EqualFunc(a, b, func(x, y any) bool { return fmt.Sprint(x) == fmt.Sprint(y) })
}

// TestDictionary_types: an integer in some documents and an equal float in others
// are one value of a dictionary.
func TestDictionary_types(t *testing.T) {
	db := newDB(t, engine.Options{ColumnThreshold: 1})
	insert(t, db, M{"n": 2}, M{"n": 2.0}, M{"n": 2}, M{"n": "2"})
	for condition, want := range map[string]int{"n type int": 2, "n type float": 1, "n type number": 3, "n type str": 1, "n = 2": 3} {
		for range 2 { // the second time, there is a cache
			if got, err := db.Count("users", where(t, condition), 0); err != nil || got != want {
				t.Errorf("%s: %d, %v; want %d", condition, got, err, want)
			}
		}
	}
}

// TestCaches_undo: a cache that was used while a document was removed looks at it
// again when the removal is undone.
func TestCaches_undo(t *testing.T) {
	db := newDB(t, engine.Options{ColumnThreshold: 1})
	insert(t, db, M{"n": 1, "s": "a text"}, M{"n": 2, "s": "a text"})
	db.Cut(0)
	db.Confirm()
	if _, err := db.Remove("users", where(t, "_id = 2")); err != nil {
		t.Fatal(err)
	}
	sum := func() any {
		return aggregate(t, db, engine.Aggregate{Where: where(t, "n > 0 and s contains 'text'"), GroupBy: paths("s"), Select: outputs("sum", engine.AggSum, "n")})[0].(map[string]any)["sum"]
	}
	if got := sum(); got != int64(1) {
		t.Fatalf("after the removal the sum is %v", got)
	}
	db.Rollback()
	if got := sum(); got != int64(3) {
		t.Errorf("after it is undone the sum is %v, want 3", got)
	}
}
