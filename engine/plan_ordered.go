package engine

import (
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A walk follows an order that is the order a query asks for.
type walk struct {
	source
	descending bool
}

// walk returns a walk for a sorted query, with its spans located; nil if no
// order is sorted that way. What conditions it answers are in walk.answered.
func (c *content) walk(conditions []*query.Filter, keys []SortKey) *walk {
	for _, o := range c.orders {
		prefix := len(o.paths) - len(keys)
		if prefix < 0 || !o.sortedBy(keys, prefix) {
			continue
		}
		s, ranges := o.usable(conditions)
		b := ranges[0]
		if len(ranges) > 1 || len(b.equal) != prefix || o.sparse && (b.low == nil || len(keys) > 1) {
			continue
		}
		if !c.worthBuilding(o) {
			continue
		}
		if o.ready(); o.arrays > 0 {
			continue // a document may have several entries, or sort by another value
		}
		return &walk{source: o.locate(s, ranges), descending: keys[0].Descending}
	}
	return nil
}

// sortedBy reports whether o sorts by keys, one way or the other, among the
// entries that agree in a prefix.
func (o *order) sortedBy(keys []SortKey, prefix int) bool {
	for i, k := range keys {
		if k.Path.String() != o.paths[prefix+i].String() || k.Descending != keys[0].Descending {
			return false
		}
	}
	return true
}

// mayLook returns how many documents a walk may look at before sorting what
// another way finds is the better way: that takes about 5 ns for each document
// of the collection with columns, and a look takes 150 ns (as js/wasm).
func (c *content) mayLook(p *plan, window int) int {
	if p.from != nil {
		return 16*window + p.from.count/2
	}
	return 16*window + c.live/32
}

// follow returns the first enough documents of w for which f holds, all if
// enough is 0; false if that takes looking at more than most documents.
func (w *walk) follow(c *content, f *query.Filter, enough, most int) (slots []uint32, examined int, ok bool) {
	ok = true
	if len(w.spans) == 0 {
		return nil, 0, true
	}
	if enough == 0 && f == nil {
		slots = make([]uint32, 0, w.count)
	}
	take := func(e entry) bool {
		if examined++; f != nil {
			if ok = examined <= most; !ok {
				return false
			}
			if !f.Match(c.doc(e.slot)) {
				return true
			}
		}
		slots = append(slots, e.slot)
		return len(slots) != enough
	}
	s := w.spans[0]
	if !w.descending {
		w.order.list.pieces(s.from, s.to, func(entries []entry) bool {
			for _, e := range entries {
				if !take(e) {
					return false
				}
			}
			return true
		})
		return slots, examined, ok
	}
	// Backwards, but those that are tied still come in insertion order. The
	// ties of one block may go on in the block before it.
	var ties []entry
	flush := func() bool {
		for _, e := range slices.Backward(ties) {
			if !take(e) {
				return false
			}
		}
		ties = ties[:0]
		return true
	}
	more := true
	w.order.list.piecesBackwards(s.from, s.to, func(entries []entry) bool {
		for _, e := range slices.Backward(entries) {
			if len(ties) > 0 && w.order.compareKeyed(ties[0], e) != 0 {
				if more = flush(); !more {
					return false
				}
			}
			ties = append(ties, e)
		}
		return true
	})
	if more {
		flush()
	}
	return slots, examined, ok
}
