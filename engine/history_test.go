package engine_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A call has an answer, and tells whether an answer of so many changes ago is still
// valid.
type call struct {
	name       string
	run        func() string
	stillValid func(answer string, changes uint64) bool
}

// cachedAnswers are some calls, their answers at some versions, and how often one
// was said to be valid after a change.
type cachedAnswers struct {
	calls   []call
	answers []string
	at      []uint64
	valid   int
}

// newCachedAnswers makes random calls about users.
func newCachedAnswers(t *testing.T, db *engine.DB, rng *rand.Rand) *cachedAnswers {
	k := &cachedAnswers{}
	conditions := []string{"a = 2", "b > 25", "tags = 'x'", "s exists", "not (a = 1)", "_id = 3", "tags size 2 or b < 5"}
	for range 30 {
		text, f := "all", (*query.Filter)(nil)
		if rng.IntN(5) > 0 {
			text = conditions[rng.IntN(len(conditions))]
			f = where(t, text)
		}
		k.calls = append(k.calls, randomCall(t, db, rng, text, f))
	}
	k.answers, k.at = make([]string, len(k.calls)), make([]uint64, len(k.calls))
	for i, q := range k.calls {
		k.answers[i], k.at[i] = q.run(), db.Version()
	}
	return k
}

func randomCall(t *testing.T, db *engine.DB, rng *rand.Rand, text string, f *query.Filter) call {
	must := func(answer []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
	path := []string{"a", "b", "tags", "s"}[rng.IntN(4)]
	switch rng.IntN(6) {
	case 0:
		return call{
			"count " + text,
			func() string {
				n, err := db.Count("users", f, 0)
				return must(msgpack.AppendInt(nil, int64(n)), err)
			},
			func(_ string, changes uint64) bool { return db.CountStillValid("users", f, changes) },
		}
	case 1:
		return call{
			"ids",
			func() string { return must(db.IDs("users")) },
			func(_ string, changes uint64) bool { return db.IDsStillValid("users", changes) },
		}
	case 2:
		return call{
			"distinct " + path + " of " + text,
			func() string { return must(db.Distinct("users", path, f)) },
			func(_ string, changes uint64) bool {
				return db.DistinctStillValid("users", query.ParsePath(path), f, changes)
			},
		}
	case 3:
		a := engine.Aggregate{Where: f, GroupBy: paths(path), Select: outputs("n", engine.AggCount, "", "sum", engine.AggSum, "b", "last", engine.AggLast, "s")}
		return call{
			"groups by " + path + " of " + text,
			func() string {
				rows, err := db.Aggregate("users", a)
				if err != nil {
					t.Fatal(err)
				}
				all, _, _ := rows.Next(nil, 1<<20)
				return string(all)
			},
			func(_ string, changes uint64) bool { return db.AggregateStillValid("users", a, changes) },
		}
	}
	q := engine.Query{Where: f, Limit: []int{0, 1, 2, 5}[rng.IntN(4)], Skip: rng.IntN(3) / 2}
	if rng.IntN(3) > 0 {
		q.Sort = sortBy([][]string{{path}, {"-" + path}, {"a", "-b"}, {"-tags", "s"}}[rng.IntN(4)]...)
	}
	if rng.IntN(2) == 0 {
		q.Fields = []string{path}
	}
	return call{
		"find " + text,
		func() string {
			r, err := db.Find("users", q)
			if err != nil {
				t.Fatal(err)
			}
			all, _, _ := r.Next(nil, 1<<20)
			return string(all)
		},
		func(answer string, changes uint64) bool {
			var last []byte
			count := 0
			for rest := []byte(answer); len(rest) > 0; count++ {
				n := msgpack.Skip(rest)
				last, rest = msgpack.Lookup(rest[:n], "_id"), rest[n:]
			}
			if count != q.Limit {
				last = nil
			}
			return db.FindStillValid("users", q, last, changes)
		},
	}
}

// check runs every call again whose cached answer is said to be valid, and some
// others, and expects the same answer. It caches some of the new answers.
func (k *cachedAnswers) check(t *testing.T, db *engine.DB, rng *rand.Rand, step int) {
	t.Helper()
	for i, q := range k.calls {
		changes := db.Version() - k.at[i]
		valid := q.stillValid(k.answers[i], changes)
		if !valid && changes == 0 {
			t.Fatalf("step %d: nothing has changed, but %s is not valid any more", step, q.name)
		}
		if !valid && rng.IntN(4) > 0 {
			continue
		}
		answer := q.run()
		if valid && answer != k.answers[i] {
			t.Fatalf("step %d: %s is said to be valid after %d changes, but was %x and is %x", step, q.name, changes, k.answers[i], answer)
		}
		if valid && changes > 0 {
			k.valid++
		}
		if rng.IntN(2) == 0 { // others stay cached for many changes
			k.answers[i], k.at[i] = answer, db.Version()
		}
	}
}

// TestStillValid: a cached answer stays valid after a change that does not touch it.
func TestStillValid(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"n": 1, "s": "a"}, M{"n": 2, "s": "b"}, M{"n": 3, "s": "c"}, M{"n": 4, "s": "d"})
	id := func(n int) []byte { return encode(t, n) }
	byS := engine.Query{Sort: sortBy("-s"), Limit: 2} // 4 and 3
	update := func(update M, condition string) func() {
		return func() {
			if _, err := db.Update("users", encode(t, update), where(t, condition)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name   string
		change func()
		valid  func(changes uint64) bool
		want   bool
	}{
		{"find: another document", update(M{"x": 1}, "n = 1"), func(n uint64) bool { return db.FindStillValid("users", engine.Query{Where: where(t, "n > 1")}, nil, n) }, true},
		{"find: one of its documents", update(M{"x": 2}, "n = 2"), func(n uint64) bool { return db.FindStillValid("users", engine.Query{Where: where(t, "n > 1")}, nil, n) }, false},
		{"find: a field that it does not return", update(M{"x": 3}, "n = 2"), func(n uint64) bool { return db.FindStillValid("users", engine.Query{Fields: []string{"s"}}, nil, n) }, true},
		{"find: one after its end", update(M{"x": 4}, "n = 2"), func(n uint64) bool { return db.FindStillValid("users", byS, id(3), n) }, true},
		{"find: its last one", update(M{"x": 5}, "n = 3"), func(n uint64) bool { return db.FindStillValid("users", byS, id(3), n) }, false},
		{"find: one that moves before its end", update(M{"s": "cc"}, "n = 2"), func(n uint64) bool { return db.FindStillValid("users", byS, id(3), n) }, false},
		{"find: one after its end, inserted", func() { insert(t, db, M{"n": 5, "s": "0"}) }, func(n uint64) bool { return db.FindStillValid("users", byS, id(2), n) }, true},
		{"count: another field", update(M{"x": 6}, "n > 2"), func(n uint64) bool { return db.CountStillValid("users", where(t, "n > 1"), n) }, true},
		{"count: one document less", update(M{"n": 0}, "n = 2"), func(n uint64) bool { return db.CountStillValid("users", where(t, "n > 1"), n) }, false},
		{"ids: an update", update(M{"x": 7}, "n = 3"), func(n uint64) bool { return db.IDsStillValid("users", n) }, true},
		{"distinct: another field", update(M{"x": 8}, "n = 3"), func(n uint64) bool { return db.DistinctStillValid("users", query.ParsePath("s"), nil, n) }, true},
		{"distinct: the field itself", update(M{"s": "e"}, "n = 3"), func(n uint64) bool { return db.DistinctStillValid("users", query.ParsePath("s"), nil, n) }, false},
		{"aggregate: another field", update(M{"x": 9}, "n = 3"), func(n uint64) bool {
			return db.AggregateStillValid("users", engine.Aggregate{GroupBy: paths("s"), Select: outputs("sum", engine.AggSum, "n")}, n)
		}, true},
		{"another collection", func() {
			if _, err := db.Insert("others", encode(t, M{"n": 2}), false); err != nil {
				t.Fatal(err)
			}
		}, func(n uint64) bool { return db.FindStillValid("users", engine.Query{}, nil, n) }, true},
		{"more changes than it remembers", func() { insert(t, db, slices.Repeat([]M{{"n": 0}}, 65)...) }, func(n uint64) bool { return db.CountStillValid("users", where(t, "n > 1"), n) }, false},
		{"as many as it remembers", func() { insert(t, db, slices.Repeat([]M{{"n": 0}}, 64)...) }, func(n uint64) bool { return db.CountStillValid("users", where(t, "n > 1"), n) }, true},
		{"before the first change", func() {}, func(uint64) bool { return db.CountStillValid("users", where(t, "n > 1"), db.Version()+1) }, false},
	} {
		before := db.Version()
		tt.change()
		if got := tt.valid(db.Version() - before); got != tt.want {
			t.Errorf("%s: still valid %t, want %t", tt.name, got, tt.want)
		}
	}
}
