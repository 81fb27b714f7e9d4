package engine

import (
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A grouping puts documents into groups, numbered in the order of their first
// documents, and tallies each output. With caches it reads no document whose
// codes, numbers and keys tell all there is to know.
type grouping struct {
	c *content
	a *Aggregate

	first, last []uint32  // by group: slots
	documents   []int64   // by group
	outputs     [][]tally // by output, then by group; only those that tally

	of []uint32 // by place in the batch: the group

	// Groups by what their documents have in common.
	table  idTable // by hash of the values
	byCode []int32 // one path with a dictionary: by code; -1: none yet
	byPair map[uint64]uint32

	codes   []*dictionary // by path; nil: documents are looked at
	columns []cached      // by output
}

// cached is what may spare an output the documents.
type cached struct {
	numbers *numbers    // sums and means
	keys    *column     // counts, least and greatest
	codes   *dictionary // distinct
}

func newGrouping(c *content, a *Aggregate) *grouping {
	g := &grouping{c: c, a: a, outputs: make([][]tally, len(a.Select)), columns: make([]cached, len(a.Select))}
	if len(a.GroupBy) == 0 {
		g.newGroup(noSlot)
	}
	return g
}

// useCaches makes g read columns. They are built now if they are not there.
func (g *grouping) useCaches() {
	for i := range g.a.Select {
		switch o := &g.a.Select[i]; o.Op {
		case AggSum, AggAvg, AggSumOrNull:
			g.columns[i].numbers = g.c.numbers(o.Path)
		case AggCount, AggMin, AggMax:
			if !o.Path.IsEmpty() {
				g.columns[i].keys = g.c.column(o.Path)
			}
		case AggDistinct, AggCountDistinct:
			g.columns[i].codes = g.c.dictionary(o.Path)
		}
	}
	if len(g.a.GroupBy) > mostCodedPaths {
		return
	}
	for _, path := range g.a.GroupBy {
		d := g.c.dictionary(path)
		if d == nil {
			g.codes = nil
			return
		}
		g.codes = append(g.codes, d)
	}
	g.byPair = map[uint64]uint32{}
}

// mostCodedPaths is how many paths byPair has room for.
const mostCodedPaths = 16

func (g *grouping) groups() int { return len(g.documents) }

func (g *grouping) newGroup(slot uint32) uint32 {
	g.first = append(g.first, slot)
	g.last = append(g.last, slot)
	g.documents = append(g.documents, 0)
	for i, o := range g.a.Select {
		if o.tallies() {
			g.outputs[i] = append(g.outputs[i], tally{slot: noSlot})
		}
	}
	return uint32(len(g.documents) - 1)
}

// tallies reports whether an output needs more than the group's documents.
func (o *Output) tallies() bool {
	return o.Op != AggFirst && o.Op != AggLast && !o.Path.IsEmpty()
}

// take adds documents, which come in insertion order.
func (g *grouping) take(slots []uint32) {
	g.of = g.of[:0]
	switch {
	case len(g.a.GroupBy) == 0:
		if g.documents[0] == 0 && len(slots) > 0 {
			g.first[0] = slots[0]
		}
		for range slots {
			g.of = append(g.of, 0)
		}
	case len(g.codes) == 1:
		g.byOneCode(slots)
	case g.codes != nil:
		for _, slot := range slots {
			g.of = append(g.of, g.byCodes(slot))
		}
	default:
		for _, slot := range slots {
			g.of = append(g.of, g.byValues(slot))
		}
	}
	for i, group := range g.of {
		g.documents[group]++
		g.last[group] = slots[i]
	}
	for i := range g.a.Select {
		if o := &g.a.Select[i]; o.tallies() {
			g.tally(o, g.outputs[i], g.columns[i], slots)
		}
	}
}

// codeOf returns the code of a document for grouping, where null is code 0.
func (g *grouping) codeOf(path int, slot uint32) uint32 {
	d := g.codes[path]
	code := d.bySlot[slot]
	if code == severalCode {
		code = d.code(sortValue(d.path, g.c.doc(slot)))
	}
	if d.isNull(code) {
		return 0
	}
	return code
}

func (g *grouping) byOneCode(slots []uint32) {
	d := g.codes[0]
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
				g.byCode[raw] = g.byCode[code] // null beside the missing value
			}
		}
		g.of = append(g.of, uint32(g.byCode[code]))
	}
}

// byCodes finds a group by the codes of several paths: a pair of numbers has a
// number, which is paired with the next code.
func (g *grouping) byCodes(slot uint32) uint32 {
	number := g.codeOf(0, slot)
	for path := 1; path < len(g.codes); path++ {
		last := path == len(g.codes)-1
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

// byValues finds a group by the values of the document: what a group is.
func (g *grouping) byValues(slot uint32) uint32 {
	doc := g.c.doc(slot)
	hash := uint32(0)
	for _, p := range g.a.GroupBy {
		hash = hash*31 + hashValue(groupValue(p, doc))
	}
	group, known := g.table.find(hash, func(group uint32) bool {
		other := g.c.doc(g.first[group])
		for _, p := range g.a.GroupBy {
			if !msgpack.Equal(groupValue(p, doc), groupValue(p, other)) {
				return false
			}
		}
		return true
	})
	if !known {
		group = g.newGroup(slot)
		g.table.add(hash, group)
	}
	return group
}

var null = msgpack.AppendNil(nil)

// groupValue returns the value that groups doc: null if there is none.
func groupValue(path query.Path, doc []byte) []byte {
	if v := sortValue(path, doc); v != nil {
		return v
	}
	return null
}

// tally adds the documents of a batch to an output.
func (g *grouping) tally(o *Output, tallies []tally, from cached, slots []uint32) {
	switch o.Op {
	case AggCount:
		for i, slot := range slots {
			if g.hasValue(o, from.keys, slot) {
				tallies[g.of[i]].n++
			}
		}
	case AggSum, AggAvg, AggSumOrNull:
		if from.numbers != nil {
			g.sum(o, tallies, from.numbers.bySlot, slots)
			return
		}
		for i, slot := range slots {
			tallies[g.of[i]].addNumber(sortValue(o.Path, g.c.doc(slot)))
		}
	case AggMin, AggMax:
		for i, slot := range slots {
			g.best(o, &tallies[g.of[i]], from.keys, slot)
		}
	case AggDistinct, AggCountDistinct:
		for i := range slots {
			tallies[g.of[i]].seeAll(g.c, slots[i:i+1], o.Path, from.codes)
		}
	}
}

func (g *grouping) hasValue(o *Output, keys *column, slot uint32) bool {
	if keys != nil && keys.bySlot[slot] != otherKey {
		return keys.bySlot[slot]>>60 > key(msgpack.Null)
	}
	return msgpack.KindOf(sortValue(o.Path, g.c.doc(slot))) > msgpack.Null
}

// sum adds numbers. The small loop is for what nearly all are.
func (g *grouping) sum(o *Output, tallies []tally, numbers []uint64, slots []uint32) {
	for i, slot := range slots {
		switch b := numbers[slot]; b {
		case noNumber:
		case longNumber:
			tallies[g.of[i]].addNumber(sortValue(o.Path, g.c.doc(slot)))
		default:
			tallies[g.of[i]].addFloat(floatOf(b))
		}
	}
}

// best keeps the least or the greatest value; of equal ones, the first.
func (g *grouping) best(o *Output, t *tally, keys *column, slot uint32) {
	var k key
	if keys != nil && keys.bySlot[slot] != otherKey {
		k = keys.bySlot[slot]
	} else {
		k = keyOf(sortValue(o.Path, g.c.doc(slot)))
	}
	if k>>60 <= key(msgpack.Null) {
		return
	}
	if t.slot != noSlot {
		c, sure := compareKeys(k, t.key)
		if !sure && c == 0 {
			c = msgpack.Compare(sortValue(o.Path, g.c.doc(slot)), sortValue(o.Path, g.c.doc(t.slot)))
		}
		if o.Op == AggMin && c >= 0 || o.Op == AggMax && c <= 0 {
			return
		}
	}
	t.slot, t.key = slot, k
}

// appendRow appends the row of a group.
func (g *grouping) appendRow(b []byte, group int, shape *shape) []byte {
	b = msgpack.AppendMap(b, len(shape.names)+len(g.a.Select))
	if len(shape.names) > 0 {
		b = shape.append(b, g.c.doc(g.first[group]))
	}
	for i := range g.a.Select {
		o := &g.a.Select[i]
		b = msgpack.AppendString(b, o.Name)
		b = g.appendOutput(b, group, o, i)
	}
	return b
}

func (g *grouping) appendOutput(b []byte, group int, o *Output, i int) []byte {
	at := func(slot uint32) []byte {
		if slot == noSlot {
			return append(b, null...)
		}
		return append(b, groupValue(o.Path, g.c.doc(slot))...)
	}
	switch {
	case o.Op == AggFirst:
		return at(g.first[group])
	case o.Op == AggLast:
		return at(g.last[group])
	case !o.tallies():
		return msgpack.AppendInt(b, g.documents[group])
	}
	switch t := &g.outputs[i][group]; o.Op {
	case AggCount:
		return msgpack.AppendInt(b, t.n)
	case AggMin, AggMax:
		return at(t.slot)
	case AggDistinct:
		values := t.different(g.columns[i].codes)
		b = msgpack.AppendArray(b, len(values))
		for _, v := range values {
			b = append(b, v...)
		}
		return b
	case AggCountDistinct:
		return msgpack.AppendInt(b, int64(len(t.different(g.columns[i].codes))))
	case AggAvg:
		if t.n > 0 {
			return msgpack.AppendFloat(b, t.total()/float64(t.n))
		}
	default:
		if t.n > 0 || o.Op == AggSum {
			return t.appendSum(b)
		}
	}
	return append(b, null...)
}

// A shape is the tree that paths to group by make of a row.
type shape struct {
	names []string
	below []*shape   // of each name
	path  query.Path // of a shape without names: whose value it is
}

func newShape(paths []query.Path) *shape {
	root := &shape{}
	for _, p := range paths {
		at := root
		for _, name := range p.Names() {
			at = at.child(name)
		}
		at.path = p
	}
	return root
}

func (s *shape) child(name string) *shape {
	for i := range s.names {
		if s.names[i] == name {
			return s.below[i]
		}
	}
	s.names = append(s.names, name)
	s.below = append(s.below, &shape{})
	return s.below[len(s.below)-1]
}

// append appends the fields of s, without a header, with the values of doc.
func (s *shape) append(b, doc []byte) []byte {
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
