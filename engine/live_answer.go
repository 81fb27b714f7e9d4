package engine

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// liveCount keeps how many documents match.
type liveCount struct {
	name  string
	where *query.Filter
	limit int // at which counting stops; 0 or less: it does not
	n     int // -1: asking failed
}

func (q *liveCount) ask(db *DB, _ int) (err error) {
	q.n = -1
	n, err := db.Count(q.name, q.where, 0)
	if err == nil {
		q.n = n
	}
	return err
}

func (q *liveCount) shown() int {
	if q.limit > 0 {
		return min(q.n, q.limit)
	}
	return q.n
}

func (q *liveCount) look(db *DB, room int, changes []touch) (u LiveUpdate, changed bool) {
	if q.n < 0 {
		return q.renew(db, room)
	}
	shown := q.shown()
	for i := range changes {
		before, after := changes[i].matches(q.where)
		if before {
			q.n--
		}
		if after {
			q.n++
		}
	}
	return LiveUpdate{Count: q.shown()}, q.shown() != shown
}

func (q *liveCount) renew(db *DB, room int) (u LiveUpdate, changed bool) {
	shown := q.shown()
	if q.ask(db, room) != nil || shown < 0 {
		return LiveUpdate{Again: true}, true
	}
	return LiveUpdate{Count: q.shown()}, q.shown() != shown
}

func (q *liveCount) keeps() int { return 0 }

func (q *liveCount) relocate([]uint32) {}

func (q *liveCount) check(db *DB) string {
	if n, err := db.Count(q.name, q.where, 0); err == nil && q.n >= 0 && n != q.n {
		return "it counts " + strconv.Itoa(q.n) + " documents instead of " + strconv.Itoa(n)
	}
	return ""
}

// A keptAnswer is an answer that is kept to see whether the next one differs.
type keptAnswer struct {
	answer []byte // a MessagePack array; nil: there was no room, or asking failed
}

// maxKeptAnswer is how many bytes of an answer are kept. A longer one is told
// whenever it may have changed, and above it Again is said instead.
const maxKeptAnswer = 1 << 20

// keep keeps an answer, which it may not copy.
func (k *keptAnswer) keep(answer []byte, room int) {
	k.answer = nil
	if len(answer) <= min(room, maxKeptAnswer) {
		k.answer = bytes.Clone(answer)
	}
}

// compare returns the update from the answer before to the one that is kept.
func (k *keptAnswer) compare(before []byte, err error) (u LiveUpdate, changed bool) {
	if err != nil || k.answer == nil {
		return LiveUpdate{Again: true}, true
	}
	return LiveUpdate{Answer: k.answer}, before == nil || !bytes.Equal(before, k.answer)
}

func (k *keptAnswer) keeps() int { return cap(k.answer) }

func (k *keptAnswer) relocate([]uint32) {}

// liveDistinct keeps the values. A value that they have already adds nothing.
type liveDistinct struct {
	keptAnswer
	name, text string
	path       query.Path
	where      *query.Filter
}

func (q *liveDistinct) ask(db *DB, room int) error {
	q.answer = nil
	answer, err := db.Distinct(q.name, q.text, q.where)
	if err == nil {
		q.keep(answer, room)
	}
	return err
}

func (q *liveDistinct) look(db *DB, room int, changes []touch) (u LiveUpdate, changed bool) {
	for i := range changes {
		if t := &changes[i]; !t.keepsDistinct(q.path, q.where) && !q.addsNothing(t) {
			return q.renew(db, room)
		}
	}
	return u, false
}

// addsNothing reports whether a change adds a document whose values are there
// already.
func (q *liveDistinct) addsNothing(t *touch) bool {
	if before, after := t.matches(q.where); before || !after || q.answer == nil {
		return false
	}
	values := msgpack.List(q.answer)
	has := func(v []byte) bool {
		i, found := slices.BinarySearchFunc(values, v, msgpack.Compare)
		return found && msgpack.Equal(values[i], v)
	}
	return q.path.Visit(t.now, func(v []byte, _ bool) bool {
		if msgpack.KindOf(v) != msgpack.Array {
			return has(v)
		}
		for element := range msgpack.Elements(v) {
			if !has(element) {
				return false
			}
		}
		return true
	})
}

func (q *liveDistinct) renew(db *DB, room int) (u LiveUpdate, changed bool) {
	before := q.answer
	u, changed = q.compare(before, q.ask(db, room))
	if changed && !u.Again && before != nil {
		changed = !msgpack.Equal(before, q.answer) // which of 1 and 1.0 stands for both depends on the caches
	}
	return u, changed
}

func (q *liveDistinct) check(db *DB) string {
	if answer, err := db.Distinct(q.name, q.text, q.where); err == nil && q.answer != nil && !msgpack.Equal(answer, q.answer) {
		return "it has other values than a distinct"
	}
	return ""
}
