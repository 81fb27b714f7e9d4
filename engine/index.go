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
type indexSpec struct {
	paths  []query.Path
	name   string // what SQL knows it by; mostly none
	unique bool
	sparse bool // leaves out documents that lack one of the paths
}

// title reads "country, name".
func (s *indexSpec) title() string { return strings.Join(s.pathTexts(), ", ") }

func (s *indexSpec) pathTexts() []string {
	texts := make([]string, len(s.paths))
	for i, p := range s.paths {
		texts[i] = p.String()
	}
	return texts
}

func (s *indexSpec) samePaths(paths []string) bool { return slices.Equal(s.pathTexts(), paths) }

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
type index struct {
	indexSpec
	in     *content
	list   *blockList // nil: not built
	arrays int        // documents with an array on the way to a value, or as one
	debt   int        // documents looked at because the order was not built
	// A search compares entries with the values it looks for, which stand
	// here while it runs; probeSlot marks the entry that means them.
	searchKey [][]byte
	found     [][]byte     // reused by combinations
	ranges    []valueRange // reused by usable
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
	searchSlot  = 1<<32 - 1
	searchAfter = 1
	noSlot      = searchSlot
)

func newIndex(s indexSpec, in *content) *index { return &index{indexSpec: s, in: in} }

func (ix *index) compare(a, b entry) int {
	if c := ix.compareKeyed(a, b); c != 0 {
		return c
	}
	if a.slot == searchSlot || b.slot == searchSlot {
		return searchSide(a) - searchSide(b)
	}
	return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.nth, b.nth))
}

// compareKeyed compares the values behind two entries, as many as both have,
// by their keys if these can tell.
func (ix *index) compareKeyed(a, b entry) int {
	if a.keys[0]>>1 < b.keys[0]>>1 {
		return -1
	}
	if a.keys[0]>>1 > b.keys[0]>>1 {
		return 1
	}
	exact := (a.keys[0]|b.keys[0])&inexact == 0
	n := min(a.prefix(ix), b.prefix(ix))
	single := len(ix.paths) == 1
	switch {
	case n == 0 || n == 1 && exact:
		return 0
	case exact != single: // the second keys are of what is to be compared next
		c, sure := compareKeys(a.keys[1], b.keys[1])
		if c != 0 || sure && n <= len(a.keys) {
			return c
		}
	}
	return ix.compareValues(a, b)
}

// prefix returns how many values stand behind e.
func (e entry) prefix(ix *index) int {
	if e.slot == searchSlot {
		return len(ix.searchKey)
	}
	return len(ix.paths)
}

// probeSide puts a probe before or behind the entries that equal it.
func searchSide(e entry) int {
	switch {
	case e.slot != searchSlot:
		return 0
	case e.nth == searchAfter:
		return 1
	}
	return -1
}

// compareValues compares the values behind two entries, as many as both have.
func (ix *index) compareValues(a, b entry) int {
	for i := range min(a.prefix(ix), b.prefix(ix)) {
		if c := msgpack.Compare(ix.value(a, i), ix.value(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

// value returns the i-th value behind e. It takes the direct way to it where
// no array of documents has to be crossed, because a search comes here at
// every step among values that agree in their key.
func (ix *index) value(e entry, i int) []byte {
	if e.slot == searchSlot {
		return ix.searchKey[i]
	}
	doc := ix.in.doc(e.slot)
	v, plain := ix.paths[i].Lookup(doc)
	isArray := msgpack.KindOf(v) == msgpack.Array
	switch {
	case plain && !isArray:
		return v
	case plain && len(ix.paths) == 1:
		return element(v, int(e.nth))
	}
	var found []byte
	ix.combinations(doc, func(nth uint32, values [][]byte) bool {
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
func (ix *index) combinations(doc []byte, visit func(nth uint32, values [][]byte) bool) {
	if ix.direct(doc) {
		if ix.takes(ix.found) {
			visit(0, ix.found)
		}
		return
	}
	choices := make([][][]byte, len(ix.paths))
	for i, p := range ix.paths {
		choices[i] = indexValues(p, doc)
		if len(choices[i]) == 0 {
			if ix.sparse {
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
func (ix *index) direct(doc []byte) bool {
	ix.found = ix.found[:0]
	for _, p := range ix.paths {
		v, plain := p.Lookup(doc)
		if !plain || isArray(v) {
			return false
		}
		ix.found = append(ix.found, v)
	}
	return true
}

// takes reports whether a document of these values has a place in o.
func (ix *index) takes(values [][]byte) bool {
	return !ix.sparse || !slices.ContainsFunc(values, func(v []byte) bool { return v == nil })
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
func (ix *index) entries(slot uint32, doc []byte, visit func(entry)) (throughArray bool) {
	if ix.direct(doc) {
		if ix.takes(ix.found) {
			visit(entry{keys: ix.keysOf(ix.found), slot: slot})
		}
		return false
	}
	ix.combinations(doc, func(nth uint32, values [][]byte) bool {
		visit(entry{keys: ix.keysOf(values), slot: slot, nth: nth})
		return true
	})
	return true
}

// keysOf returns the keys of an entry of these values, or of the first of them.
func (ix *index) keysOf(values [][]byte) (keys [2]key) {
	if len(values) == 0 {
		return keys
	}
	keys[0] = keyOf(values[0])
	switch {
	case len(ix.paths) > 1 && len(values) > 1:
		keys[1] = keyOf(values[1])
	case len(ix.paths) == 1:
		keys[1] = tailOf(values[0])
	}
	return keys
}

// same reports whether both documents have the same values on all paths, and
// so the same entries. Most updates touch no indexed field.
func (ix *index) same(a, b []byte) bool {
	for _, p := range ix.paths {
		va, plainA := p.Lookup(a)
		vb, plainB := p.Lookup(b)
		if !plainA || !plainB || !bytes.Equal(va, vb) {
			return false
		}
	}
	return true
}

// add takes in the document of a slot, which the content already holds.
func (ix *index) add(slot uint32, doc []byte) {
	if ix.list == nil {
		return
	}
	if ix.entries(slot, doc, func(e entry) { ix.list.insert(ix, e) }) {
		ix.arrays++
	}
}

// remove takes out the document of a slot, which the content still holds.
func (ix *index) remove(slot uint32, doc []byte) {
	if ix.list == nil {
		return
	}
	if ix.entries(slot, doc, func(e entry) { ix.list.remove(ix, e) }) {
		ix.arrays--
	}
}

// ready builds the order if it is not built.
func (ix *index) build() {
	if ix.list != nil {
		return
	}
	all := make([]entry, 0, ix.in.live)
	ix.arrays = 0
	take := func(e entry) { all = append(all, e) }
	for slot := range ix.in.refs {
		if doc := ix.in.doc(uint32(slot)); doc != nil {
			if ix.entries(uint32(slot), doc, take) {
				ix.arrays++
			}
		}
	}
	all = ix.sortEntries(all)
	if invariants && !slices.IsSortedFunc(all, ix.compare) {
		panic("engine: the index on " + ix.title() + " was not built in order")
	}
	ix.list = newBlockList(all)
}

// drop frees the order's memory.
func (ix *index) drop() { ix.list, ix.arrays, ix.debt = nil, 0, 0 }

// probeAt returns an entry that stands before or behind all that agree with
// values, which it leaves in o.probe.
func (ix *index) searchEntry(values [][]byte, after bool) entry {
	ix.searchKey = values
	e := entry{slot: searchSlot}
	if after {
		e.nth = searchAfter
	}
	e.keys = ix.keysOf(values)
	return e
}

// A span is a stretch of an order.
type entryRange struct {
	from, to position
	count    int
}

// span finds the entries within b.
func (ix *index) rangeOf(b valueRange) entryRange {
	ix.build()
	if b.low == nil && len(b.equal) == 0 {
		return entryRange{to: position{len(ix.list.blocks), 0}, count: ix.list.count}
	}
	from, to := b.equal, b.equal
	fromAfter, toAfter := false, true
	if b.low != nil {
		if msgpack.Compare(b.low, b.high) > 0 {
			return entryRange{}
		}
		from, fromAfter = append(slices.Clip(b.equal), b.low), b.lowStrict
		to, toAfter = append(slices.Clip(b.equal), b.high), !b.highStrict
	}
	s := entryRange{from: ix.list.lower(ix, ix.searchEntry(from, fromAfter))}
	s.to = ix.end(s.from, ix.searchEntry(to, toAfter))
	s.count = ix.list.between(s.from, s.to)
	ix.searchKey = nil
	return s
}

// end returns the position of the first entry behind probe, which is at from
// or later. Mostly it is near: an equality finds few.
func (ix *index) end(from position, probe entry) position {
	if from.block == len(ix.list.blocks) {
		return from
	}
	const near = 3
	block := ix.list.blocks[from.block]
	for i := from.at; i < min(from.at+near, len(block)); i++ {
		if ix.compare(block[i], probe) > 0 {
			return position{from.block, i}
		}
	}
	return ix.list.lower(ix, probe)
}

// pieces calls visit with the entries of a span, in order and block by block,
// until it returns false.
func (ix *index) eachBlock(s entryRange, visit func([]entry) bool) {
	if s.count > 0 {
		ix.list.eachBlock(s.from, s.to, visit)
	}
}

// conflict returns the slot of another document that doc may not be beside:
// one that has an entry in common, all of whose values exist.
func (ix *index) conflict(doc []byte, self uint32) (slot uint32, found bool) {
	ix.combinations(doc, func(_ uint32, values [][]byte) bool {
		for _, v := range values {
			if v == nil {
				return true
			}
		}
		ix.eachBlock(ix.rangeOf(valueRange{equal: slices.Clone(values)}), func(entries []entry) bool {
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
	for _, ix := range c.indexes {
		if !ix.unique {
			continue
		}
		if slot, found := ix.conflict(doc, self); found {
			return Fail(CodeUnique, op, target(c, idOf(doc)), "the unique index on "+ix.title()+" has these values already, in document "+describe(idOf(c.doc(slot))))
		}
	}
	return nil
}

// expect prepares for n more bytes of documents. Orders that would more than
// double are dropped: sorting once is cheaper than inserting one by one. Columns
// need nothing: they look at new documents when they are next used.
func (c *content) expect(n int64) {
	c.arena.soon = int(n + n/8) // ids may be added
	for _, ix := range c.indexes {
		if n > c.bytes && !ix.unique {
			ix.drop()
		}
	}
}
