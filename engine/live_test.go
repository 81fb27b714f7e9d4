package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A follower holds the answer of a live query as a program does: it asks once, and
// then does what the updates say.
type follower struct {
	name   string
	live   *engine.LiveQuery
	answer [][]byte // documents, rows or values; of a count, the number
	ask    func(db *engine.DB) [][]byte
	// isExact: the answer is the same bit for bit. Of different values, 1 or 1.0 may
	// stand for both.
	isExact bool
}

// followers are the live queries of one DB. They count what the updates said.
type followers struct {
	t      *testing.T
	all    map[int]*follower
	again  int
	edits  [5]int // by kind
	counts int
	others int
}

func newFollowers(t *testing.T) *followers { return &followers{t: t, all: map[int]*follower{}} }

// follow makes a live query of f, made by make.
func (fs *followers) follow(db *engine.DB, f *follower, make func() (*engine.LiveQuery, error)) {
	fs.t.Helper()
	live, err := make()
	if err != nil {
		fs.t.Fatalf("%s: %v", f.name, err)
	}
	f.live, f.answer = live, f.ask(db)
	fs.all[live.ID()] = f
}

// look applies what has changed, and compares all answers with asking anew.
func (fs *followers) look(db *engine.DB, step int) {
	fs.t.Helper()
	told := map[int]bool{}
	for _, u := range db.LiveChanges() {
		f := fs.all[u.Query.ID()]
		if f == nil || f.live != u.Query || told[f.live.ID()] {
			fs.t.Fatalf("step %d: an update for a query that is closed, or told already", step)
		}
		told[f.live.ID()] = true
		before := slices.Clone(f.answer)
		switch {
		case u.Again:
			f.answer = f.ask(db)
			fs.again++
			continue
		case u.Answer != nil:
			f.answer = clones(msgpack.List(u.Answer))
			fs.others++
		case u.Edits != nil:
			for _, e := range u.Edits {
				fs.edits[e.Kind]++
				e.Document = bytes.Clone(e.Document)
				f.answer = e.Apply(f.answer)
			}
		default:
			f.answer = [][]byte{msgpack.AppendInt(nil, int64(u.Count))}
			fs.counts++
		}
		if u.Edits == nil && slices.EqualFunc(before, f.answer, bytes.Equal) {
			fs.t.Fatalf("step %d: the update for %s changes nothing", step, f.name)
		}
	}
	for _, f := range fs.all {
		if want := f.ask(db); !equalDocs(f.answer, want) || f.isExact && !slices.EqualFunc(f.answer, want, bytes.Equal) {
			fs.t.Fatalf("step %d: %s has\n%s, want\n%s", step, f.name, show(fs.t, f.answer), show(fs.t, want))
		}
	}
}

func show(t *testing.T, docs [][]byte) string {
	var lines []string
	for _, d := range docs {
		lines = append(lines, fmt.Sprintf("%v %x", decode(t, d), d))
	}
	return strings.Join(lines, "\n")
}

// equalDocs does not tell 1 from 1.0.
func equalDocs(a, b [][]byte) bool { return slices.EqualFunc(a, b, msgpack.Equal) }

func clones(list [][]byte) [][]byte {
	for i := range list {
		list[i] = bytes.Clone(list[i])
	}
	return list
}

// rowsOf takes all documents or rows, as copies.
func rowsOf(rows interface {
	Next([]byte, int) ([]byte, int, int)
}) (docs [][]byte) {
	all, _, left := rows.Next(nil, 1<<30)
	if left > 0 {
		panic("more than 1 GiB")
	}
	for len(all) > 0 {
		n := msgpack.Skip(all)
		docs, all = append(docs, all[:n:n]), all[n:]
	}
	return docs
}

// random makes a random live query about users.
func (fs *followers) random(db *engine.DB, rng *rand.Rand) {
	text, f := "all", (*query.Filter)(nil)
	if rng.IntN(4) > 0 {
		text = []string{"a = 2", "b > 25", "tags = 'x'", "s exists", "not (a = 1)", "_id = 3", "tags size 2 or b < 5", "a >= 0"}[rng.IntN(8)]
		f = where(fs.t, text)
	}
	path := []string{"a", "b", "tags", "s"}[rng.IntN(4)]
	must := func(err error) {
		if err != nil {
			fs.t.Fatal(err)
		}
	}
	switch rng.IntN(8) {
	case 0:
		limit := rng.IntN(3) * 5
		fs.follow(db, &follower{name: fmt.Sprint("count of ", text, " to ", limit), ask: func(db *engine.DB) [][]byte {
			n, err := db.Count("users", f, limit)
			must(err)
			return [][]byte{msgpack.AppendInt(nil, int64(n))}
		}}, func() (*engine.LiveQuery, error) { return db.LiveCount("users", f, limit) })
	case 1:
		fs.follow(db, &follower{name: "distinct " + path + " of " + text, ask: func(db *engine.DB) [][]byte {
			values, err := db.Distinct("users", path, f)
			must(err)
			return clones(msgpack.List(values))
		}}, func() (*engine.LiveQuery, error) { return db.LiveDistinct("users", path, f) })
	case 2, 3:
		a := engine.Aggregate{Where: f, Select: outputs("n", engine.AggCount, "")}
		for _, op := range []engine.AggregateOp{engine.AggCount, engine.AggSum, engine.AggAvg, engine.AggMin, engine.AggMax, engine.AggFirst, engine.AggLast, engine.AggDistinct, engine.AggSumOrNull} {
			if rng.IntN(4) == 0 {
				a.Select = append(a.Select, outputs("o"+fmt.Sprint(op), op, []string{"a", "b", "tags", "s"}[rng.IntN(4)])...)
			}
		}
		isExact := !slices.ContainsFunc(a.Select, func(o engine.Output) bool { return o.Op == engine.AggDistinct })
		name := fmt.Sprintf("groups of %s: %v", text, a.Select)
		if rng.IntN(3) > 0 {
			a.GroupBy = paths([]string{"a", "s", "tags"}[rng.IntN(3)])
			name += " by " + a.GroupBy[0].String()
		}
		if rng.IntN(3) == 0 {
			a.Having = where(fs.t, "n > 1")
		}
		if rng.IntN(3) == 0 {
			a.Sort, a.Limit = sortBy("-n"), rng.IntN(3)
		}
		fs.follow(db, &follower{name: name, ask: func(db *engine.DB) [][]byte {
			rows, err := db.Aggregate("users", a)
			must(err)
			return rowsOf(rows)
		}, isExact: isExact}, func() (*engine.LiveQuery, error) { return db.LiveAggregate("users", a) })
	default:
		q := engine.Query{Where: f, Limit: []int{0, 0, 1, 2, 5, 20}[rng.IntN(6)], Skip: []int{0, 0, 1, 3}[rng.IntN(4)]}
		if rng.IntN(3) > 0 {
			q.Sort = sortBy([][]string{{path}, {"-" + path}, {"a", "-b"}, {"-tags", "s"}}[rng.IntN(4)]...)
		}
		if rng.IntN(2) == 0 {
			q.Fields = []string{path}
		}
		fs.follow(db, &follower{name: fmt.Sprintf("find %s %+v", text, q), ask: func(db *engine.DB) [][]byte {
			r, err := db.Find("users", q)
			must(err)
			return rowsOf(r)
		}, isExact: true}, func() (*engine.LiveQuery, error) { return db.LiveFind("users", q) })
	}
}

// close ends one live query.
func (fs *followers) close(rng *rand.Rand) {
	ids := slices.Sorted(maps.Keys(fs.all))
	id := ids[rng.IntN(len(ids))]
	fs.all[id].live.Close()
	fs.all[id].live.Close() // does nothing
	delete(fs.all, id)
}

// TestLiveModel: after random writes, undone or not, and batches of others, an answer
// to which the updates were applied is what asking anew gives.
func TestLiveModel(t *testing.T) {
	rng := randomly(t)
	rounds := 30
	if runtime.GOARCH == "wasm" {
		rounds = 6
	}
	var seen followers
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) { liveRound(t, rng, &seen) })
	}
	if seen.again == 0 || seen.counts == 0 || seen.others == 0 || slices.Contains(seen.edits[:], 0) {
		t.Errorf("an update was never made: %d again, %d counts, %d answers, edits %v", seen.again, seen.counts, seen.others, seen.edits)
	}
	t.Logf("%d again, %d counts, %d answers, edits %v", seen.again, seen.counts, seen.others, seen.edits)
}

func liveRound(t *testing.T, rng *rand.Rand, seen *followers) {
	opts := engine.Options{ColumnThreshold: []int{1, -1}[rng.IntN(2)]}
	db, replica := newDB(t, opts), newDB(t, engine.Options{})
	ours, theirs := newFollowers(t), newFollowers(t)
	refused := func(err error) {
		if err != nil && !errors.Is(err, engine.CodeDuplicateID) {
			t.Fatal(err)
		}
	}
	dropped := func(text string) *query.Filter { return where(t, text) }
	isOpen := false // a savepoint
	const phase = 60
	for step := range 400 {
		for len(ours.all) < 12 {
			ours.random(db, rng)
		}
		for len(theirs.all) < 6 {
			theirs.random(replica, rng)
		}
		filling := step/phase%2 == 0
		switch n := rng.IntN(24); {
		case n < 7 && filling || n < 2:
			d := randomDoc(rng)
			if rng.IntN(2) == 0 {
				d["_id"] = randomID(rng)
			}
			if rng.IntN(4) == 0 {
				d["b"] = float64(rng.IntN(100)) / 4
			}
			_, err := db.Insert("users", encode(t, d), false)
			refused(err)
		case n < 9:
			d := randomDoc(rng)
			d["_id"] = randomID(rng)
			_, err := db.Insert("users", encode(t, d), true)
			refused(err)
		case n < 12:
			_, err := db.Update("users", encode(t, M{"b": rng.Int64N(50)}), dropped(fmt.Sprintf("a = %d and b < %d", rng.Int64N(4), rng.Int64N(50))))
			refused(err)
		case n < 14:
			_, err := db.Update("users", encode(t, M{"a": rng.Int64N(4), "s": fmt.Sprint("a long text, ", rng.IntN(9))}), dropped(fmt.Sprintf("_id = %#v", randomID(rng))))
			refused(err)
		case n < 16 || !filling && n < 19:
			text := fmt.Sprintf("_id = %#v", randomID(rng))
			if rng.IntN(3) == 0 {
				b := rng.Int64N(50)
				text = fmt.Sprintf("b >= %d and b < %d", b, b+8)
			}
			_, err := db.Remove("users", dropped(text))
			refused(err)
		case n == 19 && rng.IntN(4) == 0:
			paths := []string{[]string{"a", "tags", "b", "s"}[rng.IntN(4)]}
			if db.DropIndex("users", paths) != nil {
				refused(db.CreateIndex("users", paths, engine.IndexOptions{}))
			}
		case n == 20 && rng.IntN(8) == 0:
			refused(db.Clear("users"))
		case n == 20 && rng.IntN(8) == 0:
			refused(db.DropCollection("users"))
		case n == 20: // so much garbage that the slots move
			big := M{"_id": "big", "s": strings.Repeat("x", 300<<10)}
			_, err := db.Insert("users", encode(t, big), true)
			refused(err)
			_, err = db.Remove("users", dropped("_id = 'big'"))
			refused(err)
		case n == 21 && !isOpen:
			db.Savepoint()
			isOpen = true
		case n == 21 && rng.IntN(2) == 0:
			isOpen = false
			refused(db.RollbackToSavepoint())
		case n == 21:
			isOpen = false
			refused(db.ReleaseSavepoint())
		case n == 22 && isOpen:
			refused(db.SuspendSavepoint())
			if rng.IntN(2) == 0 {
				ours.look(db, step)
			}
			refused(db.ResumeSavepoint())
		case n == 22 && rng.IntN(4) == 0:
			db.Rollback()
		case n == 23 && !isOpen:
			payload := join(db.Cut(0))
			db.Confirm()
			if err := replica.Apply(payload); err != nil {
				t.Fatal(err)
			}
			if rng.IntN(4) == 0 { // as a session does that meets a snapshot
				fresh := newDB(t, engine.Options{})
				if err := fresh.Apply(join(db.Snapshot())); err != nil {
					t.Fatal(err)
				}
				fresh.TakeLiveQueries(replica)
				replica = fresh
			}
			theirs.look(replica, step)
		}
		if rng.IntN(4) == 0 {
			ours.random(db, rng) // while changes have not been looked at
			ours.close(rng)
		}
		if rng.IntN(3) > 0 {
			ours.look(db, step)
		}
		if rng.IntN(40) == 0 {
			theirs.close(rng)
		}
		if rng.IntN(10) == 0 {
			db.DropCaches(rng.Uint64())
		}
	}
	for _, fs := range []*followers{ours, theirs} {
		seen.again += fs.again
		seen.counts += fs.counts
		seen.others += fs.others
		for kind, n := range fs.edits {
			seen.edits[kind] += n
		}
	}
}

// TestLive: how much may change before a query is asked again.
func TestLive(t *testing.T) {
	all := func(n int, d M) (docs []M) {
		for i := range n {
			c := maps.Clone(d)
			c["n"] = i
			docs = append(docs, c)
		}
		return docs
	}
	update := func(change M, condition string) func(db *engine.DB) {
		return func(db *engine.DB) {
			if _, err := db.Update("users", encode(t, change), where(t, condition)); err != nil {
				t.Fatal(err)
			}
		}
	}
	add := func(docs ...M) func(db *engine.DB) { return func(db *engine.DB) { insert(t, db, docs...) } }
	for _, tt := range []struct {
		name   string
		opts   engine.Options
		docs   []M
		q      engine.Query
		change func(db *engine.DB)
		again  bool
		edits  int
	}{
		{"a field that is not returned", engine.Options{}, all(9, M{}), engine.Query{Fields: []string{"n"}}, update(M{"x": 1}, "n < 5"), false, 0},
		{"what was changed back", engine.Options{}, all(9, M{}), engine.Query{}, func(db *engine.DB) {
			update(M{"x": 1}, "n < 5")(db)
			update(M{"$unset": M{"x": 1}}, "n < 5")(db)
		}, false, 0},
		{"as many edits as allowed", engine.Options{}, all(9, M{}), engine.Query{}, add(all(64, M{})...), false, 64},
		{"one more", engine.Options{}, all(9, M{}), engine.Query{}, add(all(65, M{})...), true, 0},
		{"a quarter of the documents", engine.Options{}, all(800, M{}), engine.Query{}, update(M{"x": 1}, "n < 200"), false, 200},
		{"more than a quarter", engine.Options{}, all(800, M{}), engine.Query{}, update(M{"x": 1}, "n < 201"), true, 0},
		{"too many bytes", engine.Options{}, all(9, M{}), engine.Query{}, update(M{"x": strings.Repeat("x", 200_000)}, "n < 6"), true, 0},
		{"bytes that are not returned", engine.Options{}, all(9, M{}), engine.Query{Where: where(t, "x exists"), Fields: []string{"n"}},
			update(M{"x": strings.Repeat("x", 200_000)}, "n < 6"), false, 6},
		{"as many changes as are noted, of others", engine.Options{}, all(9, M{"x": 1}), engine.Query{Where: where(t, "x = 1")}, add(all(1024, M{})...), false, 0},
		{"more changes than are noted", engine.Options{}, all(9, M{"x": 1}), engine.Query{Where: where(t, "x = 1")}, add(all(1025, M{})...), true, 0},
		{"an eighth of a large collection", engine.Options{}, all(16_000, M{}), engine.Query{Where: where(t, "n < 3")}, update(M{"x": 1}, "n >= 14000"), false, 0},
		{"no room for the slots", engine.Options{MaxQueryMemory: 15_000}, all(1000, M{}), engine.Query{}, update(M{"x": 1}, "n = 3"), true, 0},
		{"no room, and not touched", engine.Options{MaxQueryMemory: 15_000}, all(1000, M{}), engine.Query{Where: where(t, "n >= 0")}, add(M{"x": 1}), false, 0},
		{"a limit takes less room", engine.Options{MaxQueryMemory: 15_000}, all(1000, M{}), engine.Query{Limit: 100}, update(M{"x": 1}, "n = 3"), false, 1},
		{"removed before the end", engine.Options{}, all(100, M{}), engine.Query{Sort: sortBy("n"), Limit: 10}, func(db *engine.DB) {
			if _, err := db.Remove("users", where(t, "n < 25")); err != nil { // more than the reserve has
				t.Fatal(err)
			}
		}, false, 50}, // 25 leave, 16 come from the reserve, and 9 by another find
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := newDB(t, tt.opts)
			insert(t, db, tt.docs...)
			fs := newFollowers(t)
			fs.follow(db, &follower{name: tt.name, isExact: true, ask: func(db *engine.DB) [][]byte {
				r, err := db.Find("users", tt.q)
				if err != nil {
					t.Fatal(err)
				}
				return rowsOf(r)
			}}, func() (*engine.LiveQuery, error) { return db.LiveFind("users", tt.q) })
			tt.change(db)
			fs.look(db, 0)
			edits := 0
			for _, n := range fs.edits {
				edits += n
			}
			if (fs.again > 0) != tt.again || edits != tt.edits {
				t.Errorf("asked again %d times, %d edits; want again %t, %d edits", fs.again, edits, tt.again, tt.edits)
			}
			update(M{"y": 1}, "n < 2")(db) // whatever happened, it goes on
			fs.look(db, 1)
		})
	}
}

// TestLive_closed: closed live queries keep nothing: no content is watched, and what a
// clear has removed can be collected.
func TestLive_closed(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"a": 1}, M{"a": 2})
	where := where(t, "a > 1")
	count, _ := db.LiveCount("users", where, 0)
	find, _ := db.LiveFind("users", engine.Query{Where: where})
	distinct, _ := db.LiveDistinct("users", "a", where)
	groups, _ := db.LiveAggregate("users", engine.Aggregate{GroupBy: paths("a")})
	others, _ := db.LiveCollections("users", "cats", "users")
	if watched, kept := db.LiveState(); watched != 1 || kept == 0 || !db.HasLiveQueries() {
		t.Errorf("%d contents are watched, %d bytes kept", watched, kept)
	}
	insert(t, db, M{"a": 3})
	db.LiveChanges()
	first := weak.Make(db.FirstByte("users"))
	if err := db.Clear("users"); err != nil {
		t.Fatal(err)
	}
	db.Cut(0)
	db.Confirm()
	insert(t, db, M{"a": 3})
	if n := len(db.LiveChanges()); n != 5 {
		t.Errorf("%d updates, want 5", n)
	}
	runtime.GC()
	if first.Value() != nil {
		t.Error("live queries keep documents that a clear has removed")
	}
	first = weak.Make(db.FirstByte("users"))
	for _, l := range []*engine.LiveQuery{count, find, distinct, groups, others} {
		if db.LiveQuery(l.ID()) != l {
			t.Errorf("query %d is not found by its ID", l.ID())
		}
		l.Close()
		if db.LiveQuery(l.ID()) != nil {
			t.Errorf("query %d is found although it is closed", l.ID())
		}
	}
	if watched, kept := db.LiveState(); watched != 0 || kept != 0 || db.HasLiveQueries() {
		t.Errorf("%d contents are watched, %d bytes kept", watched, kept)
	}
	if err := db.DropCollection("users"); err != nil {
		t.Fatal(err)
	}
	db.Cut(0)
	db.Confirm()
	insert(t, db, M{"a": 3})
	for range 65 { // as many as a cached answer looks back
		insert(t, db, M{"a": 4})
	}
	runtime.GC()
	if first.Value() != nil {
		t.Error("closed live queries keep documents")
	}
	if len(db.LiveChanges()) > 0 {
		t.Error("closed live queries have updates")
	}
	runtime.KeepAlive([]*engine.LiveQuery{count, find, distinct, groups, others})
}

// TestLive_populated: it is told of changes of all collections that its relationships
// lead to, whatever they are then.
func TestLive_populated(t *testing.T) {
	db := newDB(t, engine.Options{})
	relate := func(to string) {
		t.Helper()
		err := db.AddRelationship(engine.Relationship{Name: "pets", Type: engine.OneToMany, From: "users", To: to, ForeignKey: "of"})
		if err != nil {
			t.Fatal(err)
		}
	}
	touch := func(collection string, want int) {
		t.Helper()
		if _, err := db.Insert(collection, encode(t, M{"of": 1}), false); err != nil {
			t.Fatal(err)
		}
		if updates := db.LiveChanges(); len(updates) != want || want > 0 && !updates[0].Again {
			t.Errorf("after a change of %s: %v, want %d", collection, updates, want)
		}
	}
	q := engine.Query{Populate: []string{"pets"}}
	if _, err := db.LiveFind("users", q); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("a relationship that does not exist gave %v", err)
	}
	relate("cats")
	if _, err := db.LiveFind("users", q); err != nil {
		t.Fatal(err)
	}
	touch("users", 1)
	touch("cats", 1)
	touch("dogs", 0)
	insert(t, db, M{"a": 1})
	touch("cats", 1) // once for both
	if err := db.RemoveRelationship("users.pets"); err != nil {
		t.Fatal(err)
	}
	touch("dogs", 1) // the relationship has changed
	touch("cats", 0)
	relate("dogs")
	touch("dogs", 1)
	touch("dogs", 1)
	touch("cats", 0)
	touch("users", 1)
}

// TestLive_compacted: when a collection moves to new memory, live queries go on
// without being asked again, whether changes were looked at before or not.
func TestLive_compacted(t *testing.T) {
	text := func(n int) string { return strings.Repeat("a text of some length, ", 10) + fmt.Sprint(n) }
	for _, looks := range []bool{true, false} {
		db := newDB(t, engine.Options{})
		fs := newFollowers(t)
		for i := range 300 {
			insert(t, db, M{"a": i % 7, "b": i, "s": text(i % 50)})
		}
		for _, q := range []engine.Query{{}, {Where: where(t, "a > 2")}, {Sort: sortBy("s", "-b")}, {Sort: sortBy("-s"), Skip: 3, Limit: 20}} {
			fs.follow(db, &follower{name: fmt.Sprintf("%+v", q), isExact: true, ask: func(db *engine.DB) [][]byte {
				r, err := db.Find("users", q)
				if err != nil {
					t.Fatal(err)
				}
				return rowsOf(r)
			}}, func() (*engine.LiveQuery, error) { return db.LiveFind("users", q) })
		}
		a := engine.Aggregate{GroupBy: paths("a"), Select: outputs("n", engine.AggCount, "", "high", engine.AggMax, "b", "last", engine.AggLast, "s")}
		fs.follow(db, &follower{name: "groups", isExact: true, ask: func(db *engine.DB) [][]byte {
			rows, err := db.Aggregate("users", a)
			if err != nil {
				t.Fatal(err)
			}
			return rowsOf(rows)
		}}, func() (*engine.LiveQuery, error) { return db.LiveAggregate("users", a) })

		compactions := 0
		for i := range 4000 {
			id := i*31%200 + 1
			if _, err := db.UpdateEach("users", encode(t, []any{[]any{id, M{"s": text(i % 83)}}}), 0); err != nil {
				t.Fatal(err)
			}
			switch i % 100 {
			case 1: // the documents in the midst go, so that the slots after them move
				if _, err := db.Remove("users", where(t, fmt.Sprintf("b = %d", 201+i/100))); err != nil {
					t.Fatal(err)
				}
			case 2:
				insert(t, db, M{"a": i % 7, "b": i, "s": "another text"})
			case 3: // a document that comes and goes
				insert(t, db, M{"_id": "brief", "a": 3})
				if _, err := db.Remove("users", where(t, "_id = 'brief'")); err != nil {
					t.Fatal(err)
				}
			}
			if i%5 > 0 {
				continue
			}
			if looks {
				fs.look(db, i)
			}
			before := db.ArenaBytes()
			db.Cut(0)
			db.Confirm()
			if db.ArenaBytes() < before {
				compactions++
			}
			if i%20 == 0 {
				fs.look(db, i)
			}
		}
		if compactions < 2 || fs.again > 0 {
			t.Errorf("%d compactions, asked again %d times; want several, and never", compactions, fs.again)
		}
	}
}

// TestLive_hold: what callers keep for live queries is bounded too.
func TestLive_hold(t *testing.T) {
	db := newDB(t, engine.Options{MaxQueryMemory: 1 << 20})
	l, err := db.LiveCollections("users")
	if err != nil {
		t.Fatal(err)
	}
	l.Hold(1<<20 + 1)
	if _, err := db.LiveCount("users", nil, 0); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("one more live query gave %v, want invalid", err)
	}
	l.Close()
	l.Hold(1 << 20) // does nothing
	if _, err := db.LiveCount("users", nil, 0); err != nil {
		t.Error(err)
	}
}

// TestLive_undone: live queries made, or looked at, while what is undone later was
// there.
func TestLive_undone(t *testing.T) {
	for _, change := range []func(db *engine.DB) error{
		func(db *engine.DB) error { return db.Clear("users") },
		func(db *engine.DB) error { return db.DropCollection("users") },
		func(db *engine.DB) error {
			_, err := db.Remove("users", nil)
			return err
		},
	} {
		for _, looks := range []bool{false, true} {
			db := newDB(t, engine.Options{})
			insert(t, db, M{"a": 1}, M{"a": 2})
			fs := newFollowers(t)
			follow := func() {
				fs.follow(db, &follower{name: "all", isExact: true, ask: func(db *engine.DB) [][]byte {
					r, err := db.Find("users", engine.Query{})
					if err != nil {
						t.Fatal(err)
					}
					return rowsOf(r)
				}}, func() (*engine.LiveQuery, error) { return db.LiveFind("users", engine.Query{}) })
			}
			follow()
			db.Savepoint()
			if err := change(db); err != nil {
				t.Fatal(err)
			}
			follow()
			if looks {
				fs.look(db, 1)
			}
			if err := db.RollbackToSavepoint(); err != nil {
				t.Fatal(err)
			}
			fs.look(db, 2)
		}
	}
}

// TestLive_distinct: values that are gone are forgotten, and too many are not kept.
func TestLive_distinct(t *testing.T) {
	db := newDB(t, engine.Options{})
	fs := newFollowers(t)
	insert(t, db, M{"s": "stays"}, M{"s": []any{"stays", "and", "and"}})
	fs.follow(db, &follower{name: "distinct", ask: func(db *engine.DB) [][]byte {
		values, err := db.Distinct("users", "s", nil)
		if err != nil {
			t.Fatal(err)
		}
		return clones(msgpack.List(values))
	}}, func() (*engine.LiveQuery, error) { return db.LiveDistinct("users", "s", nil) })
	for i := range 1000 {
		if _, err := db.Insert("users", encode(t, M{"_id": "same", "s": fmt.Sprint("value ", i)}), true); err != nil {
			t.Fatal(err)
		}
		fs.look(db, i)
	}
	if _, kept := db.LiveState(); kept > 20_000 {
		t.Errorf("%d bytes are kept for three values", kept)
	}
	var docs []M
	for i := range 10_001 {
		docs = append(docs, M{"s": fmt.Sprint("many ", i)})
	}
	insert(t, db, docs...)
	fs.look(db, 1001)
	insert(t, db, M{"s": "one more"})
	fs.look(db, 1002)
	if _, kept := db.LiveState(); kept > 300_000 {
		t.Errorf("%d bytes are kept for too many values", kept)
	}
	if _, err := db.Remove("users", where(t, "s startsWith 'many'")); err != nil {
		t.Fatal(err)
	}
	fs.look(db, 1003)
	if fs.again > 0 {
		t.Errorf("asked again %d times", fs.again)
	}
}

// TestLive_reserve: of the documents after the end of a limited find, some are known.
// What goes behind these is not known to be the next one.
func TestLive_reserve(t *testing.T) {
	for _, change := range []func(db *engine.DB) error{
		func(db *engine.DB) error {
			_, err := db.Insert("users", encode(t, M{"n": 50}), false)
			return err
		},
		func(db *engine.DB) error {
			_, err := db.Update("users", encode(t, M{"n": 50}), where(t, "n = 5"))
			return err
		},
		func(db *engine.DB) error {
			_, err := db.Update("users", encode(t, M{"n": 50}), where(t, "n = 1"))
			return err
		},
	} {
		db := newDB(t, engine.Options{})
		for i := range 100 {
			insert(t, db, M{"n": i})
		}
		q := engine.Query{Sort: sortBy("n"), Limit: 3}
		fs := newFollowers(t)
		fs.follow(db, &follower{name: "the first", isExact: true, ask: func(db *engine.DB) [][]byte {
			r, err := db.Find("users", q)
			if err != nil {
				t.Fatal(err)
			}
			return rowsOf(r)
		}}, func() (*engine.LiveQuery, error) { return db.LiveFind("users", q) })
		if err := change(db); err != nil {
			t.Fatal(err)
		}
		fs.look(db, 0)
		for i := range 60 {
			if _, err := db.Remove("users", where(t, fmt.Sprint("n = ", i))); err != nil {
				t.Fatal(err)
			}
			fs.look(db, i)
		}
		if fs.again > 0 {
			t.Errorf("asked again %d times", fs.again)
		}
	}
}

// TestLive_groups: sums of numbers below 0, and which of 2 and 2.0 is the least.
func TestLive_groups(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"n": 1}, M{"n": -5}, M{"n": 9}, M{"n": 2.0}, M{"n": 9})
	a := engine.Aggregate{Select: outputs("sum", engine.AggSum, "n", "low", engine.AggMin, "n", "high", engine.AggMax, "n")}
	fs := newFollowers(t)
	fs.follow(db, &follower{name: "groups", isExact: true, ask: func(db *engine.DB) [][]byte {
		rows, err := db.Aggregate("users", a)
		if err != nil {
			t.Fatal(err)
		}
		return rowsOf(rows)
	}}, func() (*engine.LiveQuery, error) { return db.LiveAggregate("users", a) })
	for i, change := range []struct{ id, n any }{{2, -7}, {2, 20}, {1, 2}, {4, 7}, {4, 2.0}, {3, 2.0}, {5, -3}, {5, 20.0}, {4, -2}, {1, -2.0}, {3, -2}} {
		if _, err := db.UpdateEach("users", encode(t, []any{[]any{change.id, M{"n": change.n}}}), 0); err != nil {
			t.Fatal(err)
		}
		fs.look(db, i)
	}
}
