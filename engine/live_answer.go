package engine

import (
	"bytes"
	"strconv"

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
