package engine

import (
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A hashAggregation puts documents into groups, numbered in the order of their
// first documents, and feeds an accumulator for each group and output. With caches
// it reads only the documents whose codes, numbers and keys do not tell enough.
type hashAggregation struct {
	c *content
	a *Aggregate

	first, last []uint32        // by group: slots
	documents   []int64         // by group
	outputs     [][]accumulator // by output, then by group; none for outputs that need none

	groupOf []uint32 // by place among the slots of one call of take
	touched []uint32 // the groups that follow has changed; a group may be there several times

	// How a group is found by what its documents have in common.
	table  idTable // by hash of the values
	byCode []int32 // one path with a dictionary: by code; -1: none yet
	byPair map[uint64]uint32

	dictionaries []*dictionary  // by path; nil: documents are looked at
	caches       []outputCaches // by output
}

// outputCaches are what an output may read instead of documents.
type outputCaches struct {
	numbers *numbers    // sums and means
	keys    *column     // counts, least and greatest
	codes   *dictionary // distinct
}

func newHashAggregation(c *content, a *Aggregate) *hashAggregation {
	g := &hashAggregation{c: c, a: a, outputs: make([][]accumulator, len(a.Select)), caches: make([]outputCaches, len(a.Select))}
	if len(a.GroupBy) == 0 {
		g.newGroup(noSlot)
	}
	return g
}

// useCaches makes g read caches. Those that are not there are built now.
func (g *hashAggregation) useCaches() {
	for i := range g.a.Select {
		switch o := &g.a.Select[i]; o.Op {
		case AggSum, AggAvg, AggSumOrNull:
			g.caches[i].numbers = g.c.numbers(o.Path)
		case AggCount, AggMin, AggMax:
			if !o.Path.IsEmpty() {
				g.caches[i].keys = g.c.column(o.Path)
			}
		case AggDistinct, AggCountDistinct:
			if !o.Path.IsCollated() { // a dictionary has keys alone then
				g.caches[i].codes = g.c.dictionary(o.Path)
			}
		}
	}
	if len(g.a.GroupBy) > maxCodedPaths {
		return
	}
	for _, path := range g.a.GroupBy {
		d := g.c.dictionary(path)
		if d == nil {
			g.dictionaries = nil
			return
		}
		g.dictionaries = append(g.dictionaries, d)
	}
	g.byPair = map[uint64]uint32{}
}

// maxCodedPaths is how many paths the keys of byPair have room for.
const maxCodedPaths = 16

// What a group takes, about: in the slices by group and the tables to find it, and
// for each accumulator.
const (
	groupBytes       = 64
	accumulatorBytes = 160
)

func (g *hashAggregation) groups() int { return len(g.documents) }

func (g *hashAggregation) newGroup(slot uint32) uint32 {
	g.c.meter.hold(groupBytes + accumulatorBytes*len(g.a.Select))
	g.first = append(g.first, slot)
	g.last = append(g.last, slot)
	g.documents = append(g.documents, 0)
	for i, o := range g.a.Select {
		if o.accumulates() {
			g.outputs[i] = append(g.outputs[i], accumulator{slot: noSlot})
		}
	}
	return uint32(len(g.documents) - 1)
}

// accumulates reports whether an output needs an accumulator: more than the first
// and last document of the group and how many there are.
func (o *Output) accumulates() bool {
	return o.Op != AggFirst && o.Op != AggLast && !o.Path.IsEmpty()
}

// take adds documents, which come in insertion order.
func (g *hashAggregation) take(slots []uint32) {
	g.c.meter.spend(len(slots) * (1 + len(g.a.GroupBy)) / 4)
	g.groupOf = g.groupOf[:0]
	switch {
	case len(g.a.GroupBy) == 0:
		if g.documents[0] == 0 && len(slots) > 0 {
			g.first[0] = slots[0]
		}
		for range slots {
			g.groupOf = append(g.groupOf, 0)
		}
	case len(g.dictionaries) == 1:
		g.byOneCode(slots)
	case g.dictionaries != nil:
		for _, slot := range slots {
			g.groupOf = append(g.groupOf, g.byCodes(slot))
		}
	default:
		for _, slot := range slots {
			g.groupOf = append(g.groupOf, g.byValues(slot))
		}
	}
	for i, group := range g.groupOf {
		g.documents[group]++
		g.last[group] = slots[i]
	}
	for i := range g.a.Select {
		if o := &g.a.Select[i]; o.accumulates() {
			g.c.meter.spend(len(slots) / 4)
			g.accumulate(o, g.outputs[i], g.caches[i], slots)
		}
	}
}

// codeOf returns the code of a document for grouping, in which null has code 0.
func (g *hashAggregation) codeOf(path int, slot uint32) uint32 {
	d := g.dictionaries[path]
	code := d.bySlot[slot]
	if code == severalCode {
		code = d.code(d.path.First(g.c.doc(slot)))
	}
	if d.isNull(code) {
		return 0
	}
	return code
}

func (g *hashAggregation) byOneCode(slots []uint32) {
	d := g.dictionaries[0]
	for _, slot := range slots {
		code := d.bySlot[slot]
		if int(code) >= len(g.byCode) || g.byCode[code] < 0 {
			code = g.codeOf(0, slot)
			for len(g.byCode) < len(d.values) {
				g.byCode = append(g.byCode, -1)
			}
			if g.byCode[code] < 0 {
				g.byCode[code] = int32(g.newGroup(slot))
			}
			if raw := d.bySlot[slot]; raw != severalCode {
				g.byCode[raw] = g.byCode[code] // null has the group of the missing value
			}
		}
		g.groupOf = append(g.groupOf, uint32(g.byCode[code]))
	}
}

// byCodes finds a group by the codes of several paths. Each pair of codes has a
// number, which makes a pair with the next code.
func (g *hashAggregation) byCodes(slot uint32) uint32 {
	number := g.codeOf(0, slot)
	for path := 1; path < len(g.dictionaries); path++ {
		last := path == len(g.dictionaries)-1
		pair := uint64(path)<<58 | uint64(number)<<29 | uint64(g.codeOf(path, slot))
		known, ok := g.byPair[pair]
		if !ok {
			if last {
				known = g.newGroup(slot)
			} else {
				known = uint32(len(g.byPair))
			}
			g.byPair[pair] = known
		}
		number = known
	}
	return number
}

// byValues finds a group by the values of the document. This defines what a group
// is.
func (g *hashAggregation) byValues(slot uint32) uint32 {
	group, hash, known := g.groupWith(g.c.doc(slot))
	if !known {
		group = g.newGroup(slot)
		g.table.add(hash, group)
	}
	return group
}

// groupWith returns the group of a document, and the hash of its values.
func (g *hashAggregation) groupWith(doc []byte) (group, hash uint32, known bool) {
	for _, p := range g.a.GroupBy {
		hash = hash*31 + hashValue(groupValue(p, doc))
	}
	group, known = g.table.find(hash, func(group uint32) bool { return g.isAlike(doc, g.c.doc(g.first[group])) })
	return group, hash, known
}

// isAlike reports whether two documents are of one group.
func (g *hashAggregation) isAlike(a, b []byte) bool {
	for _, p := range g.a.GroupBy {
		if !msgpack.Equal(groupValue(p, a), groupValue(p, b)) {
			return false
		}
	}
	return true
}

var null = msgpack.AppendNil(nil)

// groupValue returns the value by which doc is grouped: null if there is none.
func groupValue(path query.Path, doc []byte) []byte {
	if v := path.First(doc); v != nil {
		return v
	}
	return null
}

// accumulate adds documents to an output.
func (g *hashAggregation) accumulate(o *Output, accumulators []accumulator, from outputCaches, slots []uint32) {
	switch o.Op {
	case AggCount:
		for i, slot := range slots {
			if g.hasValue(o, from.keys, slot) {
				accumulators[g.groupOf[i]].n++
			}
		}
	case AggSum, AggAvg, AggSumOrNull:
		if from.numbers != nil {
			g.sum(o, accumulators, from.numbers.bySlot, slots)
			return
		}
		for i, slot := range slots {
			accumulators[g.groupOf[i]].addNumber(o.Path.First(g.c.doc(slot)))
		}
	case AggMin, AggMax:
		for i, slot := range slots {
			g.best(o, &accumulators[g.groupOf[i]], from.keys, slot)
		}
	case AggDistinct, AggCountDistinct:
		for i := range slots {
			accumulators[g.groupOf[i]].seeAll(g.c, slots[i:i+1], o.Path, from.codes)
		}
	}
}

func (g *hashAggregation) hasValue(o *Output, keys *column, slot uint32) bool {
	if keys != nil && keys.bySlot[slot] != otherKey {
		return keys.bySlot[slot]>>60 > key(msgpack.Null)
	}
	return msgpack.KindOf(o.Path.First(g.c.doc(slot))) > msgpack.Null
}

// sum adds numbers. Nearly all of them take the last case.
func (g *hashAggregation) sum(o *Output, accumulators []accumulator, numbers []uint64, slots []uint32) {
	for i, slot := range slots {
		switch b := numbers[slot]; b {
		case noNumber:
		case longNumber:
			accumulators[g.groupOf[i]].addNumber(o.Path.First(g.c.doc(slot)))
		default:
			accumulators[g.groupOf[i]].addFloat(floatOf(b))
		}
	}
}

// best keeps the least or the greatest value; of equal values, the first.
func (g *hashAggregation) best(o *Output, acc *accumulator, keys *column, slot uint32) {
	var k key
	if keys != nil && keys.bySlot[slot] != otherKey {
		k = keys.bySlot[slot]
	} else {
		k = keyOf(o.Path.First(g.c.doc(slot)))
	}
	if k>>60 <= key(msgpack.Null) {
		return
	}
	if acc.slot != noSlot {
		c, sure := compareKeys(k, acc.key)
		if !sure && c == 0 {
			c = msgpack.Compare(o.Path.First(g.c.doc(slot)), o.Path.First(g.c.doc(acc.slot)))
		}
		if o.Op == AggMin && c >= 0 || o.Op == AggMax && c <= 0 {
			return
		}
	}
	acc.slot, acc.key = slot, k
}

// appendRow appends the row of a group.
func (g *hashAggregation) appendRow(b []byte, group int, shape *rowShape) []byte {
	b = msgpack.AppendMap(b, len(shape.names)+len(g.a.Select))
	if len(shape.names) > 0 {
		b = shape.append(b, g.c.doc(g.first[group]))
	}
	for i := range g.a.Select {
		o := &g.a.Select[i]
		b = msgpack.AppendString(b, o.Name)
		start := len(b)
		b = g.appendOutput(b, group, o, i)
		g.c.meter.hold(len(b) - start + len(o.Name))
	}
	return b
}

func (g *hashAggregation) appendOutput(b []byte, group int, o *Output, i int) []byte {
	at := func(slot uint32) []byte {
		if slot == noSlot {
			return append(b, null...)
		}
		return append(b, groupValue(o.Path.Bare(), g.c.doc(slot))...)
	}
	switch {
	case o.Op == AggFirst:
		return at(g.first[group])
	case o.Op == AggLast:
		return at(g.last[group])
	case !o.accumulates():
		return msgpack.AppendInt(b, g.documents[group])
	}
	switch acc := &g.outputs[i][group]; o.Op {
	case AggCount:
		return msgpack.AppendInt(b, acc.n)
	case AggMin, AggMax:
		return at(acc.slot)
	case AggDistinct:
		values := acc.different(g.c.meter, g.caches[i].codes)
		b = msgpack.AppendArray(b, len(values))
		for _, v := range values {
			b = append(b, v...)
		}
		return b
	case AggCountDistinct:
		return msgpack.AppendInt(b, int64(len(acc.different(g.c.meter, g.caches[i].codes))))
	case AggAvg:
		if acc.n > 0 {
			return msgpack.AppendFloat(b, acc.total()/float64(acc.n))
		}
	default:
		if acc.n > 0 || o.Op == AggSum {
			return acc.appendSum(b)
		}
	}
	return append(b, null...)
}

// A rowShape is the tree of the paths to group by, as a row has them.
type rowShape struct {
	names []string
	below []*rowShape // of each name
	path  query.Path  // of a shape without names: the path whose value it is
}

func newRowShape(paths []query.Path) *rowShape {
	root := &rowShape{}
	for _, p := range paths {
		at := root
		for _, name := range p.Names() {
			at = at.child(name)
		}
		at.path = p.Bare()
	}
	return root
}

func (s *rowShape) child(name string) *rowShape {
	for i := range s.names {
		if s.names[i] == name {
			return s.below[i]
		}
	}
	s.names = append(s.names, name)
	s.below = append(s.below, &rowShape{})
	return s.below[len(s.below)-1]
}

// append appends the fields of s, with the values of doc and without a header.
func (s *rowShape) append(b, doc []byte) []byte {
	for i, below := range s.below {
		b = msgpack.AppendString(b, s.names[i])
		if len(below.names) == 0 {
			b = append(b, groupValue(below.path, doc)...)
		} else {
			b = below.append(msgpack.AppendMap(b, len(below.names)), doc)
		}
	}
	return b
}
