package engine

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A spec declares an order.
type spec struct {
	paths  []query.Path
	name   string // what SQL knows it by; mostly none
	unique bool
	sparse bool // leaves out documents that lack one of the paths
}

// title reads "country, name".
func (s *spec) title() string { return strings.Join(s.pathTexts(), ", ") }

func (s *spec) pathTexts() []string {
	texts := make([]string, len(s.paths))
	for i, p := range s.paths {
		texts[i] = p.String()
	}
	return texts
}

func (s *spec) samePaths(paths []string) bool { return slices.Equal(s.pathTexts(), paths) }

// An order keeps the slots of a collection sorted by the values of its paths.
// An array stands for each of its elements, so a document may have several
// entries; an empty one counts as no value. Conditions that compare with a
// whole array are not for an order: such arrays would be most of its size and
// most of the time it takes to sort.
//
// It is a cache: it can be dropped at any moment, and is built again, by
// sorting once, when something asks for it. It is not stored: for 100,000
// documents (js/wasm), building takes 56 ms for texts, 27 for fractions and 23
// for small numbers; to make the entries from slots that were stored in order,
// 50, 43 and 30, because that looks at documents all over memory, besides
// reading and writing them.
//
// It is the only kind of index. A table of hashes would answer equalities
// alone; of the 3.5 µs that one takes here (20,000 texts, js/wasm), a quarter
// is the search.
type order struct {
	spec
	in     *content
	list   *entryList // nil: not built
	arrays int        // documents with an array on the way to a value, or as one
	debt   int        // documents looked at because the order was not built
	// A search compares entries with the values it looks for, which stand
	// here while it runs; probeSlot marks the entry that means them.
	probe  [][]byte
	found  [][]byte // reused by combinations
	ranges []bounds // reused by usable
}

// An entry is one place in an order.
type entry struct {
	keys [2]key // of the first two values; of an only value, its key and its tail
	slot uint32
	nth  uint32 // which of the document's combinations of values
}

// probeSlot in an entry means order.probe. Its nth is 0 to come before every
// entry that agrees with the probe, or probeAfter to come behind them.
const (
	probeSlot  = 1<<32 - 1
	probeAfter = 1
	noSlot     = probeSlot
)

func newOrder(s spec, in *content) *order { return &order{spec: s, in: in} }

func (o *order) compare(a, b entry) int {
	if c := o.compareKeyed(a, b); c != 0 {
		return c
	}
	if a.slot == probeSlot || b.slot == probeSlot {
		return probeSide(a) - probeSide(b)
	}
	return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.nth, b.nth))
}

// compareKeyed compares the values behind two entries, as many as both have,
// by their keys if these can tell.
func (o *order) compareKeyed(a, b entry) int {
	if a.keys[0]>>1 < b.keys[0]>>1 {
		return -1
	}
	if a.keys[0]>>1 > b.keys[0]>>1 {
		return 1
	}
	exact := (a.keys[0]|b.keys[0])&inexact == 0
	n := min(a.prefix(o), b.prefix(o))
	single := len(o.paths) == 1
	switch {
	case n == 0 || n == 1 && exact:
		return 0
	case exact != single: // the second keys are of what is to be compared next
		c, sure := compareKeys(a.keys[1], b.keys[1])
		if c != 0 || sure && n <= len(a.keys) {
			return c
		}
	}
	return o.compareValues(a, b)
}

// prefix returns how many values stand behind e.
func (e entry) prefix(o *order) int {
	if e.slot == probeSlot {
		return len(o.probe)
	}
	return len(o.paths)
}

// probeSide puts a probe before or behind the entries that equal it.
func probeSide(e entry) int {
	switch {
	case e.slot != probeSlot:
		return 0
	case e.nth == probeAfter:
		return 1
	}
	return -1
}

// compareValues compares the values behind two entries, as many as both have.
func (o *order) compareValues(a, b entry) int {
	for i := range min(a.prefix(o), b.prefix(o)) {
		if c := msgpack.Compare(o.value(a, i), o.value(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

// value returns the i-th value behind e. It takes the direct way to it where
// no array of documents has to be crossed, because a search comes here at
// every step among values that agree in their key.
func (o *order) value(e entry, i int) []byte {
	if e.slot == probeSlot {
		return o.probe[i]
	}
	doc := o.in.doc(e.slot)
	v, plain := o.paths[i].Lookup(doc)
	isArray := msgpack.KindOf(v) == msgpack.Array
	switch {
	case plain && !isArray:
		return v
	case plain && len(o.paths) == 1:
		return element(v, int(e.nth))
	}
	var found []byte
	o.combinations(doc, func(nth uint32, values [][]byte) bool {
		found = values[i]
		return nth != e.nth
	})
	return found
}

// element returns an element of an array; nil if it has none.
func element(array []byte, position int) []byte {
	count, pos := msgpack.Container(array)
	if count == 0 {
		return nil
	}
	for ; position > 0; position-- {
		pos += msgpack.Skip(array[pos:])
	}
	n := msgpack.Skip(array[pos:])
	return array[pos : pos+n]
}

// combinations visits what doc is found under, until visit returns false: one
// value for each path, for every choice among an array's elements. A path that
// doc lacks gives an empty value; a sparse order does not hold doc then. The
// values slice is reused.
func (o *order) combinations(doc []byte, visit func(nth uint32, values [][]byte) bool) {
	if o.direct(doc) {
		if o.takes(o.found) {
			visit(0, o.found)
		}
		return
	}
	choices := make([][][]byte, len(o.paths))
	for i, p := range o.paths {
		choices[i] = indexValues(p, doc)
		if len(choices[i]) == 0 {
			if o.sparse {
				return
			}
			choices[i] = [][]byte{nil}
		}
	}
	values := make([][]byte, 0, len(choices))
	nth := uint32(0)
	var choose func(i int) bool
	choose = func(i int) bool {
		if i == len(choices) {
			nth++
			return visit(nth-1, values)
		}
		for _, v := range choices[i] {
			values = append(values[:i], v)
			if !choose(i + 1) {
				return false
			}
		}
		return true
	}
	choose(0)
}

// direct puts the one value of each path into o.found; false if an array is on
// the way to one, or is one.
func (o *order) direct(doc []byte) bool {
	o.found = o.found[:0]
	for _, p := range o.paths {
		v, plain := p.Lookup(doc)
		if !plain || isArray(v) {
			return false
		}
		o.found = append(o.found, v)
	}
	return true
}

// takes reports whether a document of these values has a place in o.
func (o *order) takes(values [][]byte) bool {
	return !o.sparse || !slices.ContainsFunc(values, func(v []byte) bool { return v == nil })
}

// indexValues returns the values that a condition on p would look at in doc,
// except whole arrays: what the path reaches, and in its stead the elements of
// an array.
func indexValues(p query.Path, doc []byte) [][]byte {
	var values [][]byte
	p.Visit(doc, func(v []byte) bool {
		if msgpack.KindOf(v) == msgpack.Array {
			eachElement(v, func(v []byte) { values = append(values, v) })
		} else {
			values = append(values, v)
		}
		return true
	})
	return values
}

// entries calls visit for each entry of the document in slot. It reports
// whether an array is on the way to a value or is one: sorting then takes
// another value than the order has.
func (o *order) entries(slot uint32, doc []byte, visit func(entry)) (throughArray bool) {
	if o.direct(doc) {
		if o.takes(o.found) {
			visit(entry{keys: o.keysOf(o.found), slot: slot})
		}
		return false
	}
	o.combinations(doc, func(nth uint32, values [][]byte) bool {
		visit(entry{keys: o.keysOf(values), slot: slot, nth: nth})
		return true
	})
	return true
}

// keysOf returns the keys of an entry of these values, or of the first of them.
func (o *order) keysOf(values [][]byte) (keys [2]key) {
	if len(values) == 0 {
		return keys
	}
	keys[0] = keyOf(values[0])
	switch {
	case len(o.paths) > 1 && len(values) > 1:
		keys[1] = keyOf(values[1])
	case len(o.paths) == 1:
		keys[1] = tailOf(values[0])
	}
	return keys
}

// same reports whether both documents have the same values on all paths, and
// so the same entries. Most updates touch no indexed field.
func (o *order) same(a, b []byte) bool {
	for _, p := range o.paths {
		va, plainA := p.Lookup(a)
		vb, plainB := p.Lookup(b)
		if !plainA || !plainB || !bytes.Equal(va, vb) {
			return false
		}
	}
	return true
}

// add takes in the document of a slot, which the content already holds.
func (o *order) add(slot uint32, doc []byte) {
	if o.list == nil {
		return
	}
	if o.entries(slot, doc, func(e entry) { o.list.insert(o, e) }) {
		o.arrays++
	}
}

// remove takes out the document of a slot, which the content still holds.
func (o *order) remove(slot uint32, doc []byte) {
	if o.list == nil {
		return
	}
	if o.entries(slot, doc, func(e entry) { o.list.remove(o, e) }) {
		o.arrays--
	}
}

// ready builds the order if it is not built.
func (o *order) ready() {
	if o.list != nil {
		return
	}
	all := make([]entry, 0, o.in.live)
	o.arrays = 0
	take := func(e entry) { all = append(all, e) }
	for slot := range o.in.refs {
		if doc := o.in.doc(uint32(slot)); doc != nil {
			if o.entries(uint32(slot), doc, take) {
				o.arrays++
			}
		}
	}
	all = o.sorted(all)
	if invariants && !slices.IsSortedFunc(all, o.compare) {
		panic("engine: the index on " + o.title() + " was not built in order")
	}
	o.list = listOf(all)
}

// drop frees the order's memory.
func (o *order) drop() { o.list, o.arrays, o.debt = nil, 0, 0 }

// probeAt returns an entry that stands before or behind all that agree with
// values, which it leaves in o.probe.
func (o *order) probeAt(values [][]byte, after bool) entry {
	o.probe = values
	e := entry{slot: probeSlot}
	if after {
		e.nth = probeAfter
	}
	e.keys = o.keysOf(values)
	return e
}

// A span is a stretch of an order.
type span struct {
	from, to position
	count    int
}

// span finds the entries within b.
func (o *order) span(b bounds) span {
	o.ready()
	if b.low == nil && len(b.equal) == 0 {
		return span{to: position{len(o.list.blocks), 0}, count: o.list.count}
	}
	from, to := b.equal, b.equal
	fromAfter, toAfter := false, true
	if b.low != nil {
		if msgpack.Compare(b.low, b.high) > 0 {
			return span{}
		}
		from, fromAfter = append(slices.Clip(b.equal), b.low), b.lowStrict
		to, toAfter = append(slices.Clip(b.equal), b.high), !b.highStrict
	}
	s := span{from: o.list.lower(o, o.probeAt(from, fromAfter))}
	s.to = o.end(s.from, o.probeAt(to, toAfter))
	s.count = o.list.between(s.from, s.to)
	o.probe = nil
	return s
}

// end returns the position of the first entry behind probe, which is at from
// or later. Mostly it is near: an equality finds few.
func (o *order) end(from position, probe entry) position {
	if from.block == len(o.list.blocks) {
		return from
	}
	const near = 3
	block := o.list.blocks[from.block]
	for i := from.at; i < min(from.at+near, len(block)); i++ {
		if o.compare(block[i], probe) > 0 {
			return position{from.block, i}
		}
	}
	return o.list.lower(o, probe)
}

// pieces calls visit with the entries of a span, in order and block by block,
// until it returns false.
func (o *order) pieces(s span, visit func([]entry) bool) {
	if s.count > 0 {
		o.list.pieces(s.from, s.to, visit)
	}
}

// conflict returns the slot of another document that doc may not be beside:
// one that has an entry in common, all of whose values exist.
func (o *order) conflict(doc []byte, self uint32) (slot uint32, found bool) {
	o.combinations(doc, func(_ uint32, values [][]byte) bool {
		for _, v := range values {
			if v == nil {
				return true
			}
		}
		o.pieces(o.span(bounds{equal: slices.Clone(values)}), func(entries []entry) bool {
			for _, e := range entries {
				if e.slot != self {
					slot, found = e.slot, true
				}
			}
			return !found
		})
		return !found
	})
	return slot, found
}

// checkUnique returns CodeUnique if a unique order forbids doc in slot self.
func (c *collection) checkUnique(op string, doc []byte, self uint32) error {
	for _, o := range c.orders {
		if !o.unique {
			continue
		}
		if slot, found := o.conflict(doc, self); found {
			return Fail(CodeUnique, op, target(c, idOf(doc)), "the unique index on "+o.title()+" has these values already, in document "+describe(idOf(c.doc(slot))))
		}
	}
	return nil
}

// expect prepares for n more bytes of documents. Orders that would more than
// double are dropped: sorting once is cheaper than inserting one by one. Columns
// need nothing: they look at new documents when they are next used.
func (c *content) expect(n int64) {
	c.arena.soon = int(n + n/8) // ids may be added
	for _, o := range c.orders {
		if n > c.bytes && !o.unique {
			o.drop()
		}
	}
}
