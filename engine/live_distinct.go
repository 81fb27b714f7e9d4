package engine

import (
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// liveDistinct keeps the values, and how often the documents that match have each.
type liveDistinct struct {
	keptAnswer
	name, text string
	path       query.Path
	where      *query.Filter

	values valueSet // those that have gone too
	counts []int    // of values; nil: they are not kept
	bytes  int      // of values
	gone   int      // values that are counted 0 times
	differ bool     // from the answer: a value has come or gone
}

// maxKeptValues is how many values are counted.
const maxKeptValues = 10_000

func (q *liveDistinct) ask(db *DB, room int) error {
	q.answer, q.values, q.counts, q.bytes, q.gone = nil, valueSet{}, nil, 0, 0
	answer, err := db.Distinct(q.name, q.text, q.where)
	if err != nil {
		return err
	}
	q.keep(answer, room)
	if q.answer == nil || msgpack.Count(answer) > maxKeptValues || q.path.IsCollated() {
		return nil
	}
	err = q.countAll(db)
	if err != nil || q.keeps() > room {
		q.values, q.counts, q.bytes = valueSet{}, nil, 0
	}
	return nil
}

// countAll counts the values of all documents.
func (q *liveDistinct) countAll(db *DB) (err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	q.counts = []int{}
	c := db.collections[q.name]
	if c == nil {
		return nil
	}
	var d *dictionary
	p := c.plan(Query{Where: q.where})
	if c.worthCaches(&p) {
		d = c.dictionary(q.path)
	}
	var byCode []int
	if d != nil {
		byCode = make([]int, len(d.values))
	}
	c.stream(&p, func(slots []uint32) {
		for _, slot := range slots {
			if d != nil && d.bySlot[slot] != severalCode {
				byCode[d.bySlot[slot]]++
			} else {
				q.count(c.doc(slot), 1)
			}
		}
	})
	for code, n := range byCode {
		if v := d.values[code]; v != nil && n > 0 {
			q.countValue(v, n)
		}
	}
	return nil
}

// count counts the values of a document by n.
func (q *liveDistinct) count(doc []byte, n int) {
	q.path.Visit(doc, func(v []byte, _ bool) bool {
		q.countValue(v, n)
		return true
	})
}

// countValue counts a value by n: of an array, its elements.
func (q *liveDistinct) countValue(v []byte, n int) {
	if msgpack.KindOf(v) == msgpack.Array {
		for element := range msgpack.Elements(v) {
			q.countOne(element, n)
		}
		return
	}
	q.countOne(v, n)
}

func (q *liveDistinct) countOne(v []byte, n int) {
	number := q.values.add(positiveZero(v))
	if int(number) == len(q.counts) {
		q.counts = append(q.counts, 0)
		q.bytes += len(v) + distinctBytes
		q.gone++
	}
	before := q.counts[number]
	q.counts[number] += n
	switch after := q.counts[number]; {
	case before == 0 && after != 0:
		q.gone--
		q.differ = true
	case before != 0 && after == 0:
		q.gone++
		q.differ = true
	}
}

func (q *liveDistinct) keeps() int { return cap(q.answer) + q.bytes }

func (q *liveDistinct) look(db *DB, room int, changes []touch) (u LiveUpdate, changed bool) {
	q.differ = false
	for i := range changes {
		t := &changes[i]
		if t.keepsDistinct(q.path, q.where) {
			continue
		}
		if q.counts == nil {
			return q.renew(db, room)
		}
		before, after := t.matches(q.where)
		if before {
			q.count(t.was, -1)
		}
		if after {
			q.count(t.now, 1)
		}
	}
	there := len(q.counts) - q.gone
	switch {
	case !q.differ:
		return u, false
	case there > maxKeptValues || q.gone > there+64:
		return q.renew(db, room)
	}
	values := make([][]byte, 0, there)
	for number, n := range q.counts {
		if n > 0 {
			values = append(values, q.values.values[number])
		}
	}
	slices.SortFunc(values, msgpack.Compare)
	before := q.answer
	q.keep(rowList(values), room)
	return q.compare(before, nil)
}

func (q *liveDistinct) renew(db *DB, room int) (u LiveUpdate, changed bool) {
	before := q.answer
	return q.compare(before, q.ask(db, room))
}

// compare is that of keptAnswer, but 1 is 1.0: which of them stands for both depends
// on the caches.
func (q *liveDistinct) compare(before []byte, err error) (u LiveUpdate, changed bool) {
	u, changed = q.keptAnswer.compare(before, err)
	return u, changed && (u.Again || before == nil || !msgpack.Equal(before, q.answer))
}

func (q *liveDistinct) check(db *DB) string {
	if answer, err := db.Distinct(q.name, q.text, q.where); err == nil && q.answer != nil && !msgpack.Equal(answer, q.answer) {
		return "it has other values than a distinct"
	}
	return ""
}
