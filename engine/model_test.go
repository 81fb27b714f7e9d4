package engine_test

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

var seed = flag.Uint64("seed", 0, "replay one failing run of a random test; 0 picks a new seed")

// randomly returns a generator, and prints how to replay a failing test.
func randomly(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: go test ./engine -run '^%s$' -seed %d", t.Name(), s)
		}
	})
	return rand.New(rand.NewPCG(s, 0))
}

// A model is the slow and obvious collection: documents by id, and their order.
type model struct {
	docs map[any]M
	ids  []any
	next int64
}

func (m *model) clone() *model {
	c := &model{docs: map[any]M{}, ids: slices.Clone(m.ids), next: m.next}
	for id, d := range m.docs {
		c.docs[id] = maps.Clone(d)
	}
	return c
}

func (m *model) put(d M) {
	id := d["_id"]
	if m.docs[id] == nil {
		m.ids = append(m.ids, id)
	}
	m.docs[id] = d
	if n, ok := id.(int64); ok && n >= m.next {
		m.next = n + 1
	}
}

func (m *model) remove(id any) {
	delete(m.docs, id)
	m.ids = slices.DeleteFunc(m.ids, func(x any) bool { return x == id })
}

func (m *model) has(field string, value any) bool {
	for _, d := range m.docs {
		if v, ok := d[field]; ok && v == value {
			return true
		}
	}
	return false
}

// repeats reports whether two documents have the same value of a field.
func (m *model) repeats(field string) bool {
	seen := map[any]bool{}
	for _, d := range m.docs {
		v, ok := d[field]
		if ok && seen[v] {
			return true
		}
		seen[v] = ok
	}
	return false
}

// hasUniqueIndex reports whether the catalog declares one.
func hasUniqueIndex(t *testing.T, db *engine.DB) bool {
	t.Helper()
	n, err := db.Count("_catalog", where(t, "indexes any (unique = true)"), -1)
	return err == nil && n > 0 // without an index, there is no catalog
}

func (m *model) list() []any {
	list := []any{}
	for _, id := range m.ids {
		list = append(list, map[string]any(m.docs[id]))
	}
	return list
}

// TestModel takes the same random steps with a DB and with a model: it writes, cuts
// batches, confirms them or rolls them back, drops what may be dropped and replays
// the batches on a second DB. It expects to see no difference anywhere.
func TestModel(t *testing.T) {
	rng := randomly(t)
	rounds := 20
	if runtime.GOARCH == "wasm" {
		rounds = 4 // the same code takes ten times as long
	}
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) { modelRound(t, rng) })
	}
}

func modelRound(t *testing.T, rng *rand.Rand) {
	// Columns from the first document on, or never: the answers are the same.
	db := newDB(t, engine.Options{ColumnThreshold: []int{1, -1}[rng.IntN(2)]})
	replica := newDB(t, engine.Options{})
	now := &model{docs: map[any]M{}, next: 1}
	confirmed := now.clone()
	dump := db.Dump()
	type cut struct {
		payload []byte
		state   *model
		dump    map[string][]string
	}
	var cuts []cut
	var before *model // at the savepoint; nil: there is none
	var dumpBefore map[string][]string
	cached := newCachedAnswers(t, db, rng)

	// Few ids and few values, in phases that fill and then empty the
	// collection: slots, indexes and ids must come and go.
	const phase = 60
	for step := range 600 {
		filling := step/phase%2 == 0
		if before == nil && rng.IntN(8) == 0 {
			db.Savepoint()
			before, dumpBefore = now.clone(), db.Dump()
		}
		switch n := rng.IntN(20); {
		case n < 6 && filling || n < 1: // insert, with and without an id
			d := randomDoc(rng)
			if rng.IntN(2) == 0 {
				d["_id"] = randomID(rng)
			}
			ids, err := db.Insert("users", encode(t, d), false)
			if id, given := d["_id"]; given && now.docs[id] != nil {
				if !errors.Is(err, engine.CodeDuplicateID) {
					t.Fatalf("step %d: inserting %v again gave %v", step, id, err)
				}
				break
			} else if err != nil {
				if !errors.Is(err, engine.CodeUnique) || !now.has("s", d["s"]) {
					t.Fatalf("step %d: inserting %v gave %v", step, d, err)
				}
				break
			} else if !given {
				d["_id"] = now.next
			}
			if got := decode(t, ids)[0].([]any)[0]; got != d["_id"] {
				t.Fatalf("step %d: inserted as %v, want %v", step, got, d["_id"])
			}
			now.put(d)
		case n < 8: // upsert
			d := randomDoc(rng)
			d["_id"] = randomID(rng)
			if _, err := db.Insert("users", encode(t, d), true); err == nil {
				now.put(d)
			} else if !errors.Is(err, engine.CodeUnique) || !now.has("s", d["s"]) || before != nil {
				t.Fatalf("step %d: upserting %v gave %v", step, d, err)
			}
		case n < 11: // update by a condition
			a, b := rng.Int64N(4), rng.Int64N(50)
			matching := 0
			changed, err := db.Update("users", encode(t, M{"b": b}), where(t, fmt.Sprintf("a = %d", a)))
			if err != nil {
				if !errors.Is(err, engine.CodeUnique) {
					t.Fatalf("step %d: %v", step, err)
				}
				break
			}
			for _, d := range now.docs {
				if d["a"] == a && d["b"] != b {
					d["b"] = b
					matching++
				}
			}
			if changed != matching {
				t.Fatalf("step %d: changed %d documents, want %d", step, changed, matching)
			}
		case n < 13 || !filling && n < 17: // remove by id or by a condition
			if rng.IntN(3) > 0 {
				id := randomID(rng)
				if _, err := db.Remove("users", where(t, fmt.Sprintf("_id = %#v", id))); err != nil {
					t.Fatalf("step %d: %v", step, err)
				}
				now.remove(id)
				break
			}
			b := rng.Int64N(50)
			if _, err := db.Remove("users", where(t, fmt.Sprintf("b >= %d and b < %d", b, b+5))); err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
			for _, id := range slices.Clone(now.ids) {
				if v, ok := now.docs[id]["b"].(int64); ok && v >= b && v < b+5 {
					now.remove(id)
				}
			}
		case n < 15: // hand each s on to the next document
			var pairs []any
			var ids []any
			for _, id := range now.ids {
				if _, ok := now.docs[id]["s"]; ok {
					ids = append(ids, id)
				}
			}
			next := now.clone()
			for i, id := range ids {
				next.docs[id]["s"] = now.docs[ids[(i+1)%len(ids)]]["s"]
				pairs = append(pairs, []any{id, M{"s": next.docs[id]["s"]}})
			}
			if pairs == nil {
				break
			}
			if _, err := db.UpdateEach("users", encode(t, pairs), 0); err != nil {
				t.Fatalf("step %d: what was unique is unique after an exchange: %v", step, err)
			}
			now = next
		case n < 17: // update of what may be unique
			a, s := rng.Int64N(4), fmt.Sprint("a long text, ", rng.IntN(40))
			next := now.clone()
			for _, d := range next.docs {
				if d["a"] == a {
					d["s"] = s
				}
			}
			_, err := db.Update("users", encode(t, M{"s": s}), where(t, fmt.Sprintf("a = %d", a)))
			switch {
			case err == nil:
				now = next
			case !errors.Is(err, engine.CodeUnique) || before != nil || !next.repeats("s"):
				t.Fatalf("step %d: updating s gave %v", step, err)
			}
		case n == 17: // declare and drop indexes
			paths := [][]string{{"a"}, {"a", "b"}, {"tags"}, {"b"}, {"s"}, {"m.n"}, {"m.n", "a"}}[rng.IntN(7)]
			if rng.IntN(3) == 0 {
				if err := db.DropIndex("users", paths); err != nil && !errors.Is(err, engine.CodeNotFound) && !errors.Is(err, engine.CodeInvalid) {
					t.Fatalf("step %d: %v", step, err)
				}
				break
			}
			err := db.CreateIndex("users", paths, engine.IndexOptions{Unique: paths[0] == "s", Sparse: rng.IntN(3) == 0})
			if err != nil && !errors.Is(err, engine.CodeInvalid) && !errors.Is(err, engine.CodeUnique) {
				t.Fatalf("step %d: %v", step, err)
			}
		case n == 18 && rng.IntN(3) == 0:
			if err := db.Clear("users"); err != nil {
				t.Fatal(err)
			}
			now.docs, now.ids = map[any]M{}, nil
		case n == 18 && rng.IntN(3) == 0:
			if err := db.DropCollection("users"); err != nil {
				t.Fatal(err)
			}
			now = &model{docs: map[any]M{}, next: 1}
		case n == 19 && before != nil && rng.IntN(2) == 0: // end the savepoint
			if err := db.ReleaseSavepoint(); err != nil {
				if !errors.Is(err, engine.CodeUnique) || !now.repeats("s") {
					t.Fatal(err)
				}
				if err := db.RollbackToSavepoint(); err != nil {
					t.Fatal(err)
				}
				if now = before; !reflect.DeepEqual(db.Dump(), dumpBefore) {
					t.Fatalf("step %d: undoing left something behind", step)
				}
			}
			before = nil
		case n == 19 && before != nil:
			if err := db.RollbackToSavepoint(); err != nil {
				t.Fatal(err)
			}
			now, before = before, nil
			if !reflect.DeepEqual(db.Dump(), dumpBefore) {
				t.Fatalf("step %d: undoing left something behind", step)
			}
		case n == 19: // store
			switch k := rng.IntN(4); {
			case k < 2:
				if len(cuts) < 3 && db.HasChanges() {
					cuts = append(cuts, cut{join(db.Cut(uint64(rng.IntN(4)))), now.clone(), db.Dump()})
				}
			case k == 2 && len(cuts) > 0:
				db.Confirm()
				if err := replica.Apply(cuts[0].payload); err != nil {
					t.Fatalf("step %d: %v", step, err)
				}
				if !reflect.DeepEqual(replica.Dump(), cuts[0].dump) {
					t.Fatalf("step %d: the replica differs", step)
				}
				confirmed, dump = cuts[0].state, cuts[0].dump
				cuts = cuts[1:]
			case k == 3 && rng.IntN(3) == 0:
				db.Rollback()
				cuts = nil
				now = confirmed.clone()
				if !reflect.DeepEqual(db.Dump(), dump) {
					t.Fatalf("step %d: rolling back left something behind", step)
				}
			}
		}
		if rng.IntN(10) == 0 {
			db.DropCaches(rng.Uint64())
		}
		compareWithModel(t, db, now, step)
		if before == nil && now.repeats("s") && hasUniqueIndex(t, db) {
			t.Fatalf("step %d: two documents have the same s", step)
		}
		cached.check(t, db, rng, step)
		if before != nil && rng.IntN(3) == 0 {
			dumpAfter := db.Dump()
			if err := db.SuspendSavepoint(); err != nil {
				t.Fatal(err)
			}
			compareWithModel(t, db, before, step)
			cached.check(t, db, rng, step)
			if !reflect.DeepEqual(db.Dump(), dumpBefore) {
				t.Fatalf("step %d: suspending left something behind", step)
			}
			if err := db.ResumeSavepoint(); err != nil {
				t.Fatal(err)
			}
			compareWithModel(t, db, now, step)
			if !reflect.DeepEqual(db.Dump(), dumpAfter) {
				t.Fatalf("step %d: resuming did not bring everything back", step)
			}
		}
	}

	if cached.valid < 100 {
		t.Errorf("only %d times an answer was valid after a change", cached.valid)
	}

	reopened := newDB(t, engine.Options{})
	if err := reopened.Apply(join(db.Snapshot())); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(reopened.Dump(), db.Dump()) {
		t.Fatal("a snapshot does not restore everything")
	}
}

// modelConditions are what indexes and columns answer, if there are any. Builds with
// the tag invariants compare each answer with a scan.
var modelConditions = []string{
	"a = 2", "a = 1 and b > 20", "tags = 'x'", "tags in ('y', 'z') and a < 3", "s startsWith 'a long text, 1'",
	"s = 'a long text, 7'", "b between 10 and 20", "b >= 10", "tags > 'x' and tags < 'z'", "not (b < 10 or s exists)",
	"a != 2 and (b > 5 or b <= 3) and not tags = 'x'", "s contains ', 3' or a in (0, 3)", "tags contains 'w'",
	"tags exists and tags size 0", "tags size 2", "tags any (this = 'x')", "not tags any (this > 'w')", "b type int",
	"s matches '^a long text, 1'", "s matches '^a long (text|word), [2-4]$'", "s matches '(?i)^A LONG'",
	"s matches '^a l.*1'", "s matches 'text, 3'", "s > 'a long text, 2'",
	"s between 'a long text, 15' and 'a long text, 3'",
	"b in (missing, null)", "s in (missing)", "s in (missing, null, 'a long text, 7') and a > 1", "tags in (missing, null)", "b not in (missing, null, 7)",
	"b mod [7, 3]", "b bitsAllSet 5", "b bitsAnySet [0, 3] and a mod [2, 1]", "not (b bitsAllClear 6)", "b bitsAnyClear 3", "expr {$gt: ['$b', {$multiply: ['$a', 10]}]}", "a = 1 and not (expr {$gt: [{$size: '$tags'}, 1]})",
	"m.n in (missing, null)", "m.n in (missing, 1) and b in (missing, 3)", "m.n not in (missing, null)", "m in (missing, null)",
}

// TestModelConditions: no operator is missing among them, or its fast ways would not
// be compared with its meaning.
func TestModelConditions(t *testing.T) {
	asked := map[query.Op]bool{}
	var see func(f *query.Filter)
	see = func(f *query.Filter) {
		asked[f.Op] = true
		for _, kid := range f.Kids {
			see(kid)
		}
	}
	for _, text := range modelConditions {
		see(where(t, text))
	}
	for op := query.OpEq; query.OperatorOf(op, false) != nil; op++ {
		if !asked[op] {
			t.Errorf("no condition asks %s", op)
		}
	}
}

// compareWithModel looks for differences in what db answers, and checks it.
func compareWithModel(t *testing.T, db *engine.DB, now *model, step int) {
	t.Helper()
	if got, want := find(t, db, engine.Query{}), now.list(); len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Fatalf("step %d: documents\n%v, want\n%v", step, got, want)
	}
	for _, text := range modelConditions {
		if _, err := db.Count("users", where(t, text), 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, by := range []string{"tags", "-b", "s"} {
		find(t, db, engine.Query{Sort: sortBy(by), Limit: 2})
	}
	if err := db.Check(); err != nil {
		t.Fatalf("step %d: %v", step, err)
	}
}

func randomDoc(rng *rand.Rand) M {
	d := M{"a": rng.Int64N(4)}
	if rng.IntN(4) > 0 {
		d["b"] = rng.Int64N(50)
	}
	if rng.IntN(2) == 0 {
		d["tags"] = []any{[]any{"x", "y"}, []any{}, []any{"w", "z"}, []any{"z", "z"}, "x"}[rng.IntN(5)]
	}
	if rng.IntN(2) == 0 {
		d["m"] = []any{[]any{map[string]any{"n": int64(1)}, map[string]any{}}, []any{}, []any{map[string]any{"n": nil}}, map[string]any{"n": int64(2)}, []any{map[string]any{"n": int64(3)}, nil}, nil, "x"}[rng.IntN(7)]
	}
	if rng.IntN(3) == 0 {
		d["s"] = fmt.Sprint("a long text, ", rng.IntN(40))
	}
	return d
}

func randomID(rng *rand.Rand) any {
	if rng.IntN(2) == 0 {
		return rng.Int64N(20)
	}
	return fmt.Sprint("id", rng.IntN(12))
}
