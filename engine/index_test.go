package engine_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// indexed are the indexes of TestIndexes, with an option after a slash.
var indexed = []string{"n", "few", "f", "s", "tags", "few n", "few f /sparse", "s few", "few s n", "t", "u /unique", "few u /unique", "a.b", "a.b n", "list.k", "f /named", "opt /sparse"}

// TestIndexes makes the same random writes to a collection with indexes and to one
// without: so many that the blocks of an index split and join. It drops built
// indexes and columns at random. It expects the same answers from both, sorted in
// every way.
func TestIndexes(t *testing.T) {
	rng := randomly(t)
	rounds, steps := 3, 3000
	if runtime.GOARCH == "wasm" {
		rounds, steps = 1, 2000
	}
	for range rounds {
		with := newDB(t, engine.Options{ColumnThreshold: []int{1, 0, -1}[rng.IntN(3)]})
		without := newDB(t, engine.Options{ColumnThreshold: -1})
		for _, k := range rng.Perm(len(indexed))[:5] {
			paths, option, _ := strings.Cut(indexed[k], " /")
			opts := engine.IndexOptions{Unique: option == "unique", Sparse: option == "sparse", Name: map[bool]string{true: "by f"}[option == "named"]}
			if err := with.CreateIndex("users", strings.Fields(paths), opts); err != nil && len(paths) > 1 {
				t.Fatal(err)
			}
		}
		lastID, live := 0, 0
		for step := range steps {
			switch filling := step/1000%2 == 0; {
			case filling || rng.IntN(8) == 0:
				n := 1 + rng.IntN(4)
				for range n {
					lastID++
					live++
					insertBoth(t, with, without, indexedDoc(rng, lastID))
				}
			case rng.IntN(3) == 0:
				f := where(t, fmt.Sprintf("u = 'unique text, no. %d'", rng.IntN(lastID)))
				change := encode(t, M{"n": rng.Int64N(1 << 60), "few": rng.IntN(3), "tags": randomTags(rng)})
				for _, db := range []*engine.DB{with, without} {
					if _, err := db.Update("users", change, f); err != nil {
						t.Fatal(err)
					}
				}
			default:
				f := where(t, fmt.Sprintf("few = %d and n < %d", rng.IntN(4), rng.Int64N(1<<53)))
				for _, db := range []*engine.DB{with, without} {
					if _, err := db.Remove("users", f); err != nil {
						t.Fatal(err)
					}
				}
			}
			if step%100 == 0 {
				with.DropCaches(rng.Uint64())
			}
			if step%40 == 0 {
				for range 6 {
					compareAnswers(t, with, without, indexedQuery(t, rng, lastID))
				}
			}
			if step%500 == 0 {
				if err := with.Check(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func insertBoth(t *testing.T, with, without *engine.DB, d M) {
	t.Helper()
	doc := encode(t, d)
	for _, db := range []*engine.DB{with, without} {
		if _, err := db.Insert("users", doc, false); err != nil {
			t.Fatal(err)
		}
	}
}

func indexedDoc(rng *rand.Rand, id int) M {
	d := M{
		"_id": id, "n": rng.Int64N(1 << 60), "few": rng.IntN(4), "f": randomFloat(rng), "s": fmt.Sprint("a long text, ", rng.IntN(300)),
		"t": "abcdef" + strings.Repeat("x", rng.IntN(12)), "u": fmt.Sprint("unique text, no. ", id), "a": M{"b": float64(rng.IntN(1<<20)) / 7},
	}
	if rng.IntN(3) == 0 {
		d["opt"] = []any{nil, 1, -2.5, "text", true}[rng.IntN(5)]
	}
	if rng.IntN(300) == 0 { // mostly no array is on the way, and an ordered scan is possible
		d["tags"] = randomTags(rng)
		d["list"] = []any{M{"k": rng.IntN(9)}, M{"k": rng.IntN(9)}}
	}
	return d
}

// randomFloat returns a number that, one in four times, is close to others: the
// keys of some of these agree, and not all of them are inexact.
func randomFloat(rng *rand.Rand) float64 {
	if rng.IntN(4) > 0 {
		return rng.NormFloat64()
	}
	return math.Float64frombits(math.Float64bits([]float64{-1, 1, -2.5}[rng.IntN(3)]) + rng.Uint64N(64))
}

func randomTags(rng *rand.Rand) any {
	return []any{[]any{"x", "y"}, []any{}, []any{"y"}, "x", 3}[rng.IntN(5)]
}

func indexedQuery(t *testing.T, rng *rand.Rand, lastID int) (q engine.Query) {
	leaves := []string{
		"few = 1", "few in (0, 3)", "n > 100000000000000000", "f between -0.5 and 0.5", "f < -2", "f = -1", "f < -1", "f >= 1", "s = 'a long text, 17'", "s startsWith 'a long text, 1'",
		"t = 'abcdefx'", "t > 'abcdefxx'", fmt.Sprintf("u = 'unique text, no. %d'", rng.IntN(lastID)), fmt.Sprintf("_id in (%d, %d)", rng.IntN(lastID), rng.IntN(lastID)),
		"a.b > 140000", "a.b = 3", "tags = 'x'", "tags in ('y', 3)", "tags in (missing, null)", "list.k in (missing, null)", "list.k in (missing, 4)", "opt in (missing, null)", "n in (missing)", "few in (missing, 1) and n in (missing, null)", "list.k = 4", "list.k > 2 and list.k < 5", "opt = -2.5", "opt exists", "opt type str", "not (few = 1 or few = 2)",
	}
	pick := func() string { return leaves[rng.IntN(len(leaves))] }
	if text := []string{"", pick(), pick() + " and " + pick(), pick() + " or " + pick(), "(" + pick() + " or " + pick() + " and " + pick() + ") and " + pick()}[rng.IntN(5)]; text != "" {
		q.Where = where(t, text)
	}
	if rng.IntN(3) > 0 {
		q.Sort = sortBy(strings.Fields([]string{"n", "-n", "few", "-few", "few n", "-few -n", "f", "-f", "s few", "-s", "t", "-t", "a.b", "-a.b", "opt", "-opt", "tags", "-list.k", "few -n", "u", "-few -s -n"}[rng.IntN(21)])...)
	}
	if rng.IntN(2) == 0 {
		q.Limit = 1 + rng.IntN(30)
		q.Skip = rng.IntN(3) * rng.IntN(20)
	}
	return q
}

func compareAnswers(t *testing.T, with, without *engine.DB, q engine.Query) {
	t.Helper()
	plan := func() string {
		p, err := with.Explain("users", q)
		if err != nil {
			t.Fatal(err)
		}
		return p.Text
	}
	if got, want := idsOf(find(t, with, q)), idsOf(find(t, without, q)); !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\nskip %d, limit %d found %d documents %v\nwithout indexes %d %v", plan(), q.Skip, q.Limit, len(got), got, len(want), want)
	}
	count := func(db *engine.DB) int {
		n, err := db.Count("users", q.Where, q.Limit)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if a, b := count(with), count(without); a != b {
		t.Fatalf("%s\ncounts %d, without indexes %d", plan(), a, b)
	}
}

// TestIndex_intersection: two indexes are used where that saves looking at
// documents, and give the same answer as looking at each.
func TestIndex_intersection(t *testing.T) {
	rng := randomly(t)
	with, without := newDB(t, engine.Options{}), newDB(t, engine.Options{ColumnThreshold: -1})
	for _, path := range []string{"a", "b", "tags", "opt"} {
		if err := with.CreateIndex("users", []string{path}, engine.IndexOptions{Sparse: path == "opt"}); err != nil {
			t.Fatal(err)
		}
	}
	for id := range 4000 {
		d := M{"_id": id, "a": rng.IntN(10), "b": rng.IntN(12), "tags": []any{rng.IntN(9), rng.IntN(9)}, "f": rng.Float64()}
		if rng.IntN(2) == 0 {
			d["opt"] = rng.IntN(5)
		}
		insertBoth(t, with, without, d)
	}
	for _, tt := range []struct{ where, how string }{
		{"a = 3 and b = 4", "intersection("},
		{"a = 3 and b = 4 and f > 0.5", "intersection("},
		{"b >= 4 and b < 6 and tags = 5", "intersection("},
		{"tags in (1, 2) and tags = 3 and a = 1", "intersection("},
		{"a in (1, 2) and opt = 3", "intersection("},
		{"(a = 1 or b = 2) and tags = 7", "intersection("},
		{"a = 3 and not (b = 4)", "index(a): a = 3 → columns(b): b != 4"},
		{"_id in (1, 2, 3) and a = 3", "id: _id in (1, 2, 3) → match(a = 3)"},
	} {
		f := where(t, tt.where)
		for _, q := range []engine.Query{{Where: f}, {Where: f, Sort: sortBy("-f")}, {Where: f, Sort: sortBy("-a"), Limit: 7}, {Where: f, Skip: 3, Limit: 5}} {
			for range 2 { // indexes are built for the second query
				compareAnswers(t, with, without, q)
			}
		}
		p, err := with.Explain("users", engine.Query{Where: f})
		if err != nil || !strings.HasPrefix(p.Text, tt.how) {
			t.Errorf("%s: %s, want %s", tt.where, p.Text, tt.how)
		}
		if p, _ := with.Explain("users", engine.Query{Where: f, Limit: 5}); strings.HasPrefix(p.Text, "intersection") {
			t.Errorf("the first few: %s", p.Text)
		}
	}
	p, err := with.Explain("users", engine.Query{Where: where(t, "a = 3 and b = 4 and f > 2")})
	if err != nil || len(p.Leaves) != 3 || p.Leaves[0].By != "index(a)" || p.Leaves[1].By != "index(b)" || p.Leaves[2].By == "index(a)" {
		t.Error(p.Leaves, err)
	}
	if want := p.Leaves[0].Estimate + p.Leaves[1].Estimate; p.Examined != want || !reflect.DeepEqual(p.Index, []string{"b", "a"}) && !reflect.DeepEqual(p.Index, []string{"a", "b"}) {
		t.Errorf("examined %d, want %d, by %v", p.Examined, want, p.Index)
	}
}

// TestIndex_leaves: Explain says what answered each leaf, and how many documents it
// was expected to find.
func TestIndex_leaves(t *testing.T) {
	db := newDB(t, engine.Options{ColumnThreshold: 1000})
	for i := range 600 {
		insert(t, db, M{"age": i % 60, "city": fmt.Sprint("city ", i%20), "score": i})
	}
	for _, path := range []string{"age", "score"} {
		if err := db.CreateIndex("users", []string{path}, engine.IndexOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		q    engine.Query
		want string
	}{
		{engine.Query{Where: where(t, "age = 7 and city = 'city 7'")},
			"index(age): age = 7 → match(city = 'city 7') | age = 7 by index(age) 10/10, city = 'city 7' by document 30/30"},
		{engine.Query{Where: where(t, "age = 7 or score < 5 and city exists or _id = 3")},
			"union(index(age): age = 7, index(score): score < 5, id: _id = 3) → match(age = 7 or score < 5 and city exists or _id = 3) | age = 7 by index(age) 10/10, score < 5 by index(score) 5/5, city exists by document 600/600, _id = 3 by id 1/1"},
		{engine.Query{Where: where(t, "age = 7 or _id in (3, 4)")},
			"union(index(age): age = 7, id: _id in (3, 4)) | age = 7 by index(age) 10/10, _id in (3, 4) by id 2/2"},
		{engine.Query{Sort: sortBy("-score"), Limit: 3}, "backwards index(score) | "},
		{engine.Query{Where: where(t, "score > 9 and age < 5"), Sort: sortBy("score"), Limit: 3},
			"index(score): score > 9 → match(age < 5) | score > 9 by index(score) 590/590, age < 5 by document 53/50"},
		{engine.Query{Where: where(t, "score > 9"), Sort: sortBy("age"), Limit: 3},
			"index(age) → match(score > 9) | score > 9 by document 588/590"},
		{engine.Query{Where: where(t, "age = 7"), Sort: sortBy("score"), Limit: 3},
			"index(age): age = 7 → sort(score) | age = 7 by index(age) 10/10"},
	} {
		p, err := db.Explain("users", c.q)
		if err != nil {
			t.Fatal(err)
		}
		var leaves []string
		for _, l := range p.Leaves {
			leaves = append(leaves, fmt.Sprintf("%s by %s %d/%d", l.Condition, l.By, l.Estimate, l.Actual))
		}
		if got := p.Text + " | " + strings.Join(leaves, ", "); got != c.want {
			t.Errorf("explain:\n%s\nwant:\n%s", got, c.want)
		}
	}
}

// TestIndex_longTexts: an index of two paths has its order also where the first values
// agree in more bytes than a key holds.
func TestIndex_longTexts(t *testing.T) {
	for _, paths := range [][]string{{"text", "n"}, {"text", "n", "m"}} {
		db := newDB(t, engine.Options{})
		if err := db.CreateIndex("users", paths, engine.IndexOptions{}); err != nil {
			t.Fatal(err)
		}
		for i := range 400 {
			if i == 100 {
				db.BuildIndex("users") // from now on, documents look for their places
			}
			insert(t, db, M{"_id": i, "text": "the same first words " + strings.Repeat("x", i*7%20), "n": i * 3 % 11, "m": i})
		}
		sort := []engine.SortKey{{Path: path("text")}, {Path: path("n")}}
		limited := find(t, db, engine.Query{Sort: sort, Limit: 20})
		if err := db.DropIndex("users", paths); err != nil {
			t.Fatal(err)
		}
		if want := find(t, db, engine.Query{Sort: sort}); !reflect.DeepEqual(limited, want[:20]) {
			t.Errorf("an index on %v has another order than a sort", paths)
		}
	}
}

// TestIndex_names: an index may have a name, which a snapshot keeps, and can be
// dropped by that name.
func TestIndex_names(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"age": 1})
	if err := db.CreateIndex("users", []string{"age"}, engine.IndexOptions{Name: "by age"}); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateIndex("users", []string{"name"}, engine.IndexOptions{Name: "by age"}); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("a name that is taken gave %v", err)
	}
	replica := newDB(t, engine.Options{})
	if err := replica.Apply(join(db.Snapshot())); err != nil {
		t.Fatal(err)
	}
	if err := replica.DropIndexNamed("users", "by name"); engine.CodeOf(err) != engine.CodeNotFound {
		t.Errorf("dropping an unknown name gave %v", err)
	}
	if err := replica.DropIndexNamed("users", "by age"); err != nil {
		t.Error(err)
	}
	if p, err := replica.Explain("users", engine.Query{Where: where(t, "age = 1")}); err != nil || p.Index != nil {
		t.Error(p, err)
	}
}

// TestIndex_max: each new index writes the declaration of all, so that a file which
// declares thousands would take gigabytes.
func TestIndex_max(t *testing.T) {
	db := newDB(t, engine.Options{})
	path := func(n int) []string { return []string{fmt.Sprintf("p%d", n)} }
	for n := range 64 {
		if err := db.CreateIndex("users", path(n), engine.IndexOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	err := db.CreateIndex("users", path(64), engine.IndexOptions{})
	if engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), "64 indexes") {
		t.Errorf("the 65th: %v", err)
	}
	for _, again := range []func() error{
		func() error { return db.CreateIndex("users", path(3), engine.IndexOptions{}) },
		func() error { return db.CreateIndex("others", path(64), engine.IndexOptions{}) },
		func() error { return db.DropIndex("users", path(0)) },
		func() error { return db.CreateIndex("users", path(64), engine.IndexOptions{}) },
	} {
		if err := again(); err != nil {
			t.Error(err)
		}
	}
}

// TestIndex_NaN: with an index too, NaN equals itself and is in no range.
func TestIndex_NaN(t *testing.T) {
	db := newDB(t, engine.Options{})
	for i := range 20 {
		insert(t, db, M{"v": i})
	}
	insert(t, db, M{"v": math.NaN()})
	if err := db.CreateIndex("users", []string{"v"}, engine.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, idsOf(find(t, db, engine.Query{Where: where(t, "v < 2")})), 1, 2)
	wantIDs(t, idsOf(find(t, db, engine.Query{Where: where(t, "v = nan")})), 21)
}

// TestIndex_wholeArrays: an index does not answer a comparison with an array, and
// does not hide the array from it.
func TestIndex_wholeArrays(t *testing.T) {
	db := newDB(t, engine.Options{})
	for range 9 {
		insert(t, db, M{"v": []any{}}, M{"v": 1})
	}
	insert(t, db, M{"v": []any{1, 2}})
	if err := db.CreateIndex("users", []string{"v"}, engine.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	array := msgpack.AppendInt(msgpack.AppendInt(msgpack.AppendArray(nil, 2), 1), 2)
	wantIDs(t, idsOf(find(t, db, engine.Query{Where: query.Eq(query.ParsePath("v"), array)})), 19)
	wantIDs(t, idsOf(find(t, db, engine.Query{Where: query.In(query.ParsePath("v"), [][]byte{array, msgpack.AppendInt(nil, 7)})})), 19)
}

// TestIndex_build: an index over many documents, which is built by sorting keys, is
// sorted by values.
func TestIndex_build(t *testing.T) {
	rng := randomly(t)
	db := newDB(t, engine.Options{})
	for range 500 {
		insert(t, db, M{
			"n": rng.Int64N(1 << 62), "few": rng.IntN(3), "f": randomFloat(rng), "s": fmt.Sprint("a long text, ", rng.IntN(100)), "t": "abcdef" + string(rune(97+rng.IntN(26))),
			"tags": []any{rng.IntN(5), fmt.Sprint("another text ", rng.IntN(20))},
		})
	}
	for _, paths := range []string{"n", "few", "f", "s", "tags", "few n", "s few", "few s n", "t", "few few2 n", "tags s"} {
		if err := db.CreateIndex("users", strings.Fields(paths), engine.IndexOptions{}); err != nil {
			t.Fatal(err)
		}
		db.BuildIndex("users")
		if err := db.Check(); err != nil {
			t.Fatal(paths, err)
		}
		if err := db.DropIndex("users", strings.Fields(paths)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBuildIndexes expects the indexes of small collections to be built, and no other.
func TestBuildIndexes(t *testing.T) {
	db := newDB(t, engine.Options{})
	for name, documents := range map[string]int{"small": 10, "large": 11, "empty": 0} {
		for n := range documents {
			put(t, db, name, M{"n": n, "m": -n})
		}
		for _, path := range []string{"n", "m"} {
			if err := db.CreateIndex(name, []string{path}, engine.IndexOptions{Unique: path == "n"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	db.DropCaches(math.MaxUint64)
	db.BuildIndexes(10, true)
	if n := db.BuiltIndexes(); n != 2 {
		t.Errorf("%d unique indexes are built, want 2", n)
	}
	db.BuildIndexes(10, false)
	if n := db.BuiltIndexes(); n != 4 {
		t.Errorf("%d indexes are built, want 4", n)
	}
	if n, err := db.Count("small", where(t, "n > 6 and m < -7"), 0); n != 2 || err != nil {
		t.Errorf("found %d, %v", n, err)
	}
}
