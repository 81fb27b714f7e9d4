package engine

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A spec declares an order.
type spec struct {
	paths  []query.Path
	unique bool
	sparse bool // leaves out documents that lack one of the paths
}

// name lists the paths: "country, name".
func (s *spec) name() string { return strings.Join(s.pathTexts(), ", ") }

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
// sorting once, when something asks for it.
type order struct {
	spec
	in    *content
	tree  *btree.BTreeG[entry] // nil: not built
	multi int                  // documents with more than one entry
	// A search compares entries with the values it looks for, which stand
	// here while it runs; probeSlot marks the entry that means them.
	probe [][]byte
	found [][]byte // reused by combinations
}

// An entry is one place in an order.
type entry struct {
	keys [2]key // of the first two values
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

func newTree(o *order) *btree.BTreeG[entry] {
	return btree.NewBTreeGOptions(o.less, btree.Options{NoLocks: true, Degree: 64})
}

func (o *order) less(a, b entry) bool { return o.compare(a, b) < 0 }

func (o *order) compare(a, b entry) int {
	n := min(a.prefix(o), b.prefix(o))
	sure := n <= len(a.keys)
	for i := 0; i < min(n, len(a.keys)); i++ {
		c, exact := compareKeys(a.keys[i], b.keys[i])
		if c != 0 {
			return c
		}
		if !exact {
			sure = false
			break
		}
	}
	if !sure {
		if c := o.compareValues(a, b); c != 0 {
			return c
		}
	}
	if a.slot == probeSlot || b.slot == probeSlot {
		return probeSide(a) - probeSide(b)
	}
	return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.nth, b.nth))
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
	if len(o.paths) == 1 {
		if v, plain := o.paths[0].Lookup(doc); plain && msgpack.KindOf(v) != msgpack.Array {
			if v != nil || !o.sparse {
				o.found = append(o.found[:0], v)
				visit(0, o.found)
			}
			return
		}
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

// entries calls visit for each entry of the document in slot.
func (o *order) entries(slot uint32, doc []byte, visit func(entry)) (count int) {
	o.combinations(doc, func(nth uint32, values [][]byte) bool {
		e := entry{slot: slot, nth: nth}
		for i := range min(len(values), len(e.keys)) {
			e.keys[i] = keyOf(values[i])
		}
		visit(e)
		count++
		return true
	})
	return count
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
	if o.tree == nil {
		return
	}
	if o.entries(slot, doc, func(e entry) { o.tree.Set(e) }) > 1 {
		o.multi++
	}
}

// remove takes out the document of a slot, which the content still holds.
func (o *order) remove(slot uint32, doc []byte) {
	if o.tree == nil {
		return
	}
	if o.entries(slot, doc, func(e entry) { o.tree.Delete(e) }) > 1 {
		o.multi--
	}
}

// ready builds the order if it is not built.
func (o *order) ready() {
	if o.tree != nil {
		return
	}
	all := make([]entry, 0, o.in.live)
	o.multi = 0
	for slot := range o.in.refs {
		if doc := o.in.doc(uint32(slot)); doc != nil {
			if o.entries(uint32(slot), doc, func(e entry) { all = append(all, e) }) > 1 {
				o.multi++
			}
		}
	}
	all = o.sorted(all)
	if invariants && !slices.IsSortedFunc(all, o.compare) {
		panic("engine: the index on " + o.name() + " was not built in order")
	}
	o.tree = newTree(o)
	for _, e := range all {
		o.tree.Load(e)
	}
}

// drop frees the order's memory.
func (o *order) drop() { o.tree, o.multi = nil, 0 }

// bounds are a range of an order: the values of a prefix of its paths that
// entries must equal and, if low is given, the limits of the path after them.
type bounds struct {
	equal                 [][]byte
	low, high             []byte // both nil or both values
	lowStrict, highStrict bool
}

// probeAt returns an entry that stands before or behind all that agree with
// values, which it leaves in o.probe.
func (o *order) probeAt(values [][]byte, after bool) entry {
	o.probe = values
	e := entry{slot: probeSlot}
	if after {
		e.nth = probeAfter
	}
	for i := range min(len(values), len(e.keys)) {
		e.keys[i] = keyOf(values[i])
	}
	return e
}

// scan visits the entries within b in order, until visit returns false.
func (o *order) scan(b bounds, visit func(entry) bool) {
	o.ready()
	from, to := b.equal, b.equal
	fromAfter, toAfter := false, true
	if b.low != nil {
		from, fromAfter = append(slices.Clip(b.equal), b.low), b.lowStrict
		to, toAfter = append(slices.Clip(b.equal), b.high), !b.highStrict
	}
	// Both ends need o.probe: the start to be found, the end from then on.
	it := o.tree.Iter()
	defer it.Release()
	ok := it.Seek(o.probeAt(from, fromAfter))
	end := o.probeAt(to, toAfter)
	for ; ok && o.compare(it.Item(), end) < 0; ok = it.Next() {
		if !visit(it.Item()) {
			break
		}
	}
	o.probe = nil
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
		o.scan(bounds{equal: slices.Clone(values)}, func(e entry) bool {
			if e.slot != self {
				slot, found = e.slot, true
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
			return fail(CodeUnique, op, target(c, idOf(doc)), "the unique index on "+o.name()+" has these values already, in document "+describe(idOf(c.doc(slot))))
		}
	}
	return nil
}

// expect prepares for n more bytes of documents. Orders that would more than
// double are dropped: sorting once is cheaper than inserting one by one. Columns
// need nothing: they look at new documents when they are next used.
func (c *content) expect(n int64) {
	for _, o := range c.orders {
		if n > c.bytes && !o.unique {
			o.drop()
		}
	}
}
