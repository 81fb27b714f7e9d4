package engine

import (
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// liveAggregate keeps the rows, and the groups that they are of where changes can be
// added to these exactly: the rows are always those that asking anew gives, bit for
// bit. Otherwise it asks again, for instance if a number is no whole one, if the first
// document of a group leaves it, or the one with the least value.
type liveAggregate struct {
	keptAnswer
	name   string
	a      Aggregate
	groups *hashAggregation // nil: they are not kept
	rows   [][]byte         // of all groups, before Having
	bytes  int              // of rows
}

// maxKeptGroups is how many groups are kept.
const maxKeptGroups = 10_000

func (q *liveAggregate) ask(db *DB, room int) error {
	q.answer, q.groups, q.rows, q.bytes = nil, nil, nil, 0
	g, rows, err := db.aggregate(q.name, &q.a)
	if err != nil {
		return err
	}
	q.keep(rowList(rows), room)
	if q.answer != nil && g.groups() <= maxKeptGroups && g.canFollow() {
		g.standAlone()
		q.groups = g
		for group := range g.groups() {
			q.renewRow(group)
		}
		if q.keeps() > room {
			q.groups, q.rows, q.bytes = nil, nil, 0
		}
		g.c = nil // until a look, so that it keeps no documents
	}
	return nil
}

// renewRow makes the row of a group anew.
func (q *liveAggregate) renewRow(group int) {
	if group == len(q.rows) {
		q.rows = append(q.rows, nil)
	}
	row := q.groups.appendRow(nil, group, newRowShape(q.a.GroupBy))
	q.bytes += len(row) - len(q.rows[group])
	q.rows[group] = row
}

func rowList(rows [][]byte) []byte {
	answer := msgpack.AppendArray(nil, len(rows))
	for _, row := range rows {
		answer = append(answer, row...)
	}
	return answer
}

func (q *liveAggregate) keeps() int {
	kept := cap(q.answer)
	if q.groups != nil {
		kept += q.groups.groups()*(groupBytes+accumulatorBytes*len(q.a.Select)) + q.bytes
	}
	return kept
}

func (q *liveAggregate) relocate(to []uint32) {
	g := q.groups
	if g == nil {
		return
	}
	moveSlots(g.first, to)
	moveSlots(g.last, to)
	for _, accumulators := range g.outputs {
		for i := range accumulators {
			moveSlot(&accumulators[i].slot, to)
		}
	}
}

func (q *liveAggregate) look(db *DB, room int, changes []touch) (u LiveUpdate, changed bool) {
	touched := false
	for i := range changes {
		touched = touched || !changes[i].keepsGroups(&q.a)
	}
	if !touched {
		return u, false
	}
	g := q.groups
	if g == nil {
		return q.renew(db, room)
	}
	g.c = db.collections[q.name].content
	if !g.follow(changes) || g.groups() > maxKeptGroups {
		return q.renew(db, room)
	}
	before := q.answer
	for _, group := range g.touched {
		q.renewRow(int(group))
	}
	g.touched, g.c = g.touched[:0], nil
	rows := make([][]byte, 0, len(q.rows))
	for _, row := range q.rows {
		if q.a.Having == nil || q.a.Having.Match(row) {
			rows = append(rows, row)
		}
	}
	q.a.sort(rows)
	q.keep(rowList(window(rows, q.a.Skip, q.a.Limit)), room)
	return q.compare(before, nil)
}

func (q *liveAggregate) renew(db *DB, room int) (u LiveUpdate, changed bool) {
	before := q.answer
	return q.compare(before, q.ask(db, room))
}

func (q *liveAggregate) check(db *DB) string {
	if _, rows, err := db.aggregate(q.name, &q.a); err == nil && q.answer != nil && !msgpack.Equal(rowList(rows), q.answer) {
		return "it has other rows than an aggregate"
	}
	return ""
}

// canFollow reports whether the outputs are such that changes can be followed.
func (g *hashAggregation) canFollow() bool {
	for _, o := range g.a.Select {
		if o.Op == AggDistinct || o.Op == AggCountDistinct {
			return false
		}
	}
	return true
}

// standAlone lets go of all caches, and finds groups by the values of documents from
// now on.
func (g *hashAggregation) standAlone() {
	if g.table.used == 0 && len(g.a.GroupBy) > 0 {
		for group, slot := range g.first {
			_, hash, _ := g.groupWith(g.c.doc(slot))
			g.table.add(hash, uint32(group))
		}
	}
	g.groupOf, g.byCode, g.byPair, g.dictionaries, g.caches = nil, nil, nil, nil, make([]outputCaches, len(g.a.Select))
}

// groupFor is groupWith for one group too.
func (g *hashAggregation) groupFor(doc []byte) (group, hash uint32, known bool) {
	if len(g.a.GroupBy) == 0 {
		return 0, 0, true
	}
	return g.groupWith(doc)
}

// follow adds what changes are to the groups. It returns false if that is not exact;
// what it has done is worth nothing then.
func (g *hashAggregation) follow(changes []touch) bool {
	// First of all, the documents by which groups are found must stay there.
	for i := range changes {
		t := &changes[i]
		if _, isFirst := slices.BinarySearch(g.first, t.slot); isFirst {
			before, after := t.matches(g.a.Where)
			if !before || !after || !g.isAlike(t.was, t.now) {
				return false
			}
		}
	}
	// Then all that goes, so that the least and greatest values are of documents that
	// have not changed.
	for i := range changes {
		if !g.takeBack(&changes[i]) {
			return false
		}
	}
	for i := range changes {
		if !g.takeMore(&changes[i]) {
			return false
		}
	}
	return true
}

// takeBack takes what a document was out of its group.
func (g *hashAggregation) takeBack(t *touch) bool {
	before, after := t.matches(g.a.Where)
	if !before {
		return true
	}
	group, _, known := g.groupFor(t.was)
	if !known {
		return false
	}
	g.touched = append(g.touched, group)
	stays := after && g.isAlike(t.was, t.now)
	if !stays {
		g.documents[group]--
	}
	for i := range g.a.Select {
		o := &g.a.Select[i]
		if o.Op == AggLast && !stays && g.last[group] == t.slot {
			return false
		}
		if !o.accumulates() || stays && t.sameAt(o.Path) {
			continue
		}
		acc, v := &g.outputs[i][group], o.Path.First(t.was)
		switch o.Op {
		case AggCount:
			if msgpack.KindOf(v) > msgpack.Null {
				acc.n--
			}
		case AggMin, AggMax:
			if acc.slot == t.slot {
				return false
			}
		default:
			if !acc.addWhole(v, true) {
				return false
			}
		}
	}
	return true
}

// takeMore puts what a document is now into its group.
func (g *hashAggregation) takeMore(t *touch) bool {
	before, after := t.matches(g.a.Where)
	if !after {
		return true
	}
	group, hash, known := g.groupFor(t.now)
	stays := known && before && g.isAlike(t.was, t.now)
	switch {
	case stays:
	case !known:
		if n := len(g.first); n > 0 && g.first[n-1] > t.slot {
			return false // groups come in the order of their first documents
		}
		group = g.newGroup(t.slot)
		g.table.add(hash, group)
	case g.documents[group] == 0: // the one group of all
		g.first[group], g.last[group] = t.slot, t.slot
	case t.slot < g.first[group]:
		return false
	}
	g.touched = append(g.touched, group)
	if !stays {
		g.documents[group]++
		if g.last[group] == noSlot || g.last[group] < t.slot {
			g.last[group] = t.slot
		}
	}
	for i := range g.a.Select {
		o := &g.a.Select[i]
		if !o.accumulates() || stays && t.sameAt(o.Path) {
			continue
		}
		acc, v := &g.outputs[i][group], o.Path.First(t.now)
		switch o.Op {
		case AggCount:
			if msgpack.KindOf(v) > msgpack.Null {
				acc.n++
			}
		case AggMin, AggMax:
			g.takeBest(o, acc, t.slot, v)
		default:
			if !acc.addWhole(v, false) {
				return false
			}
		}
	}
	return true
}

// takeBest keeps the least or the greatest value; of equal values, the first.
func (g *hashAggregation) takeBest(o *Output, acc *accumulator, slot uint32, v []byte) {
	if msgpack.KindOf(v) <= msgpack.Null {
		return
	}
	if acc.slot != noSlot {
		c := msgpack.Compare(v, o.Path.First(g.c.doc(acc.slot)))
		if o.Op == AggMax {
			c = -c
		}
		if c > 0 || c == 0 && slot > acc.slot {
			return
		}
	}
	acc.slot = slot
}
