package engine

import (
	"cmp"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// An entry is one place in an index.
type entry struct {
	keys [2]key // of the first two values; of a single value, its key and its tail
	slot uint32
	nth  uint32 // which of the document's combinations of values
}

// searchSlot marks the entry that stands for index.searchKey. If its nth is 0 it
// comes before all entries with these values, if it is searchAfter behind them.
const (
	searchSlot  = 1<<32 - 1
	searchAfter = 1
	noSlot      = searchSlot
)

func (ix *index) compare(a, b entry) int {
	if c := ix.compareKeyed(a, b); c != 0 {
		return c
	}
	if a.slot == searchSlot || b.slot == searchSlot {
		return searchSide(a) - searchSide(b)
	}
	return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.nth, b.nth))
}

// compareKeyed compares the values behind two entries, as many as both have. It
// reads the values only where the keys cannot tell.
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
	case exact != single: // the second keys belong to what is compared next
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

// searchSide puts a search entry before or behind the entries that equal it.
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

// value returns the i-th value behind e. Where the path crosses no array it
// looks the value up directly, because a search among values with the same key
// comes here at every step.
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

// element returns the element of an array at a position that it has; noValue if it
// is empty.
func element(array []byte, position int) []byte {
	for v := range msgpack.Elements(array) {
		if position == 0 {
			return v
		}
		position--
	}
	return noValue
}

// noValue is what a document is indexed by at a path that reaches no value, although
// no field is missing: one that ends in an empty array. No condition asks for arrays
// in an index, and no document holds this one, which has a text that is not UTF-8.
var noValue = []byte{0x91, 0xa1, 0xff}

// isValue reports whether v, by which a document is indexed, is one of its values.
func isValue(v []byte) bool { return v != nil && string(v) != string(noValue) }

// combinations visits the values that doc is indexed by, one for each path,
// until visit returns false: once for each choice among the elements of arrays.
// The value is nil where a way of the path ends without one, and noValue if there is
// neither; a sparse index has only values. The slice of values is reused.
func (ix *index) combinations(doc []byte, visit func(nth uint32, values [][]byte) bool) {
	if ix.direct(doc) {
		if ix.takes(ix.found) {
			visit(0, ix.found)
		}
		return
	}
	choices := make([][][]byte, len(ix.paths))
	for i, p := range ix.paths {
		choices[i] = ix.valuesAt(p, doc)
		if len(choices[i]) == 0 {
			if ix.sparse {
				return
			}
			choices[i] = [][]byte{noValue}
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

// direct puts the value at each path into ix.found. It returns false if a path
// crosses an array or reaches one.
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

// takes reports whether ix holds documents with these values.
func (ix *index) takes(values [][]byte) bool {
	return !ix.sparse || !slices.ContainsFunc(values, func(v []byte) bool { return v == nil })
}

// valuesAt returns the values that p reaches in doc, nil where it ends without one
// unless ix is sparse, and the elements of an array instead of the array. An array
// that p reaches by its position in another one counts as no value: conditions do
// not look at its elements.
func (ix *index) valuesAt(p query.Path, doc []byte) [][]byte {
	var values [][]byte
	p.VisitWays(doc, func(v []byte, isElement bool) bool {
		switch {
		case v == nil && ix.sparse:
		case msgpack.KindOf(v) != msgpack.Array:
			values = append(values, v)
		case !isElement:
			values = slices.AppendSeq(values, msgpack.Elements(v))
		}
		return true
	})
	return values
}

// entries calls visit for each entry of the document in slot. It reports
// whether a path crosses or reaches an array: then ix is not sorted by the value
// that sorting by the path takes.
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

// keysOf returns the keys of the entry for some values, which may be only those
// of the first paths.
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
