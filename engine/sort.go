package engine

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A SortKey is one path to sort by. Documents sort by the value there in the total
// order. Documents without a value come first, or last if Descending. Where all
// keys agree, insertion order decides, whatever the direction.
type SortKey struct {
	Path       query.Path
	Descending bool

	// ByElement sorts as MongoDB does: a document with an array has the place of the
	// least of its elements, or, if Descending, of the greatest. Otherwise the first
	// value that the path reaches counts, an array as a whole.
	ByElement bool
}

// value returns the value that doc sorts by; nil for none. It borrows from doc.
func (k *SortKey) value(doc []byte) (value []byte) {
	v, plain := k.Path.Lookup(doc)
	switch {
	case plain && (!k.ByElement || !isArray(v)):
		return v
	case !k.ByElement:
		return k.Path.First(doc)
	}
	isFirst := true
	take := func(v []byte) {
		c := msgpack.Compare(v, value)
		if isFirst || c < 0 && !k.Descending || c > 0 && k.Descending {
			value, isFirst = v, false
		}
	}
	k.Path.VisitWays(doc, func(v []byte, isElement bool) bool {
		if !isArray(v) || isElement { // what is asked of an element is not asked of what is in it
			take(v)
			return true
		}
		for element := range msgpack.Elements(v) {
			take(element)
		}
		return true
	})
	return value
}

// compareBy compares two documents by the values that keys reach.
func compareBy(keys []SortKey, a, b []byte) int {
	for _, k := range keys {
		if c := msgpack.Compare(k.value(a), k.value(b)); c != 0 {
			if k.Descending {
				return -c
			}
			return c
		}
	}
	return 0
}

// A sorter sorts slots, mostly without a look at their documents: by the keys of
// the values at the first path, then, where these agree, at the next path.
type sorter struct {
	c       *content
	paths   []SortKey
	columns []*column // of the paths; nil: documents are looked at
	looks   int       // how many documents were looked at where a column was missing
}

// newSorter returns a sorter for n slots of c.
func newSorter(c *content, paths []SortKey, n int) *sorter {
	s := &sorter{c: c, paths: paths, columns: make([]*column, len(paths))}
	if c.live < c.columnFrom {
		return s
	}
	for i, p := range paths {
		if c.hasColumn(p.Path) {
			s.columns[i] = c.column(p.Path)
		}
	}
	s.look(0, n)
	return s
}

// look counts that n documents will be looked at for the nth path. It builds the
// column of the path once that takes hardly longer.
func (s *sorter) look(nth, n int) {
	if s.columns[nth] != nil || s.c.live < s.c.columnFrom {
		return
	}
	if s.looks += n; s.looks > s.c.live/4 {
		s.looks = 0
		s.columns[nth] = s.c.column(s.paths[nth].Path)
	}
}

// item returns a slot with the key of its value at the nth path.
func (s *sorter) item(slot uint32, nth int) keyed {
	if col := s.columns[nth]; col != nil && col.bySlot[slot] != otherKey {
		return keyed{col.bySlot[slot], slot}
	}
	return keyed{keyOf(s.value(slot, nth)), slot}
}

// value returns the value that the document of a slot sorts by at the nth path.
func (s *sorter) value(slot uint32, nth int) []byte {
	doc := s.c.doc(slot)
	s.c.meter.spend(1 + len(doc)>>9)
	return s.paths[nth].value(doc)
}

// sort returns the slots, which come in insertion order, sorted by the paths. If
// limit is above 0 it returns only the first limit of them, for which it keeps a
// heap of that size.
func (s *sorter) sort(slots []uint32, limit int) []uint32 {
	var items []keyed
	if limit <= 0 || limit > len(slots)/2 {
		s.c.meter.hold(32 * len(slots))
		items = make([]keyed, len(slots))
		for i, slot := range slots {
			items[i].at = slot
		}
		s.arrange(items, make([]keyed, len(items)), 0, false)
	} else {
		s.c.meter.hold(16 * limit)
		items = s.best(slots, limit)
	}
	if limit > 0 && limit < len(items) {
		items = items[:limit]
	}
	sorted := make([]uint32, len(items))
	for i, item := range items {
		sorted[i] = item.at
	}
	return sorted
}

// arrange sorts items, which agree in all paths before the nth and are in
// insertion order: by the keys of the values at that path, or by their tails, and
// then the items that agree in these by the rest.
func (s *sorter) arrange(items, spare []keyed, nth int, tails bool) {
	descending := key(0)
	if s.paths[nth].Descending {
		descending = ^inexact
	}
	for i := range items {
		if tails {
			items[i].key = tailOf(s.value(items[i].at, nth)) ^ descending
		} else {
			items[i].key = s.item(items[i].at, nth).key ^ descending
		}
	}
	sortByKey(items, spare)
	next := nth + 1
	if next < len(s.paths) {
		ties := 0
		for run := range runs(items) {
			ties += len(run)
		}
		s.look(next, ties)
	}
	for run, equal := range runs(items) {
		switch {
		case equal && next == len(s.paths): // they stay in insertion order
		case equal && len(run) > maxComparedKeys:
			s.arrange(run, spare[:len(run)], next, false)
		case equal:
			slices.SortFunc(run, func(a, b keyed) int { return s.compareSlots(a.at, b.at, next) })
		case !tails && len(run) > maxComparedKeys:
			s.arrange(run, spare[:len(run)], nth, true)
		default:
			slices.SortFunc(run, func(a, b keyed) int { return s.compareSlots(a.at, b.at, nth) })
		}
	}
}

// compareSlots compares documents from the nth path on.
func (s *sorter) compareSlots(a, b uint32, nth int) int {
	for ; nth < len(s.paths); nth++ {
		s.look(nth, 1)
		c, sure := compareKeys(s.item(a, nth).key, s.item(b, nth).key)
		if c == 0 && !sure {
			c = msgpack.Compare(s.value(a, nth), s.value(b, nth))
		}
		if c != 0 {
			if s.paths[nth].Descending {
				return -c
			}
			return c
		}
	}
	return cmp.Compare(a, b)
}

// compare compares items that have the keys of the first path.
func (s *sorter) compare(a, b keyed) int {
	c, sure := compareKeys(a.key, b.key)
	switch {
	case c == 0 && sure:
		return s.compareSlots(a.at, b.at, 1)
	case c == 0:
		return s.compareSlots(a.at, b.at, 0)
	case s.paths[0].Descending:
		return -c
	}
	return c
}

// best returns the first limit of the sorted slots. It passes over most of the
// others after a look at their first key.
func (s *sorter) best(slots []uint32, limit int) []keyed {
	top := worstFirst{sorter: s, items: make([]keyed, 0, limit)}
	first, descending, single := s.columns[0], s.paths[0].Descending, len(s.paths) == 1
	for _, slot := range slots {
		if first != nil && len(top.items) == limit {
			k, worst := first.bySlot[slot], top.items[0].key
			if beyond(k, worst, descending) || single && k == worst && k&inexact == 0 { // an equal item came earlier
				continue
			}
		}
		item := s.item(slot, 0)
		switch {
		case len(top.items) < limit:
			heap.Push(&top, item)
		case s.compare(item, top.items[0]) < 0:
			top.items[0] = item
			heap.Fix(&top, 0)
		}
	}
	slices.SortFunc(top.items, s.compare)
	return top.items
}

// beyond reports whether the key k alone tells that its document sorts after one
// with the key worst. Nearly all documents end here, so it must be inlined.
func beyond(k, worst key, descending bool) bool {
	if descending {
		return k>>1 < worst>>1
	}
	return k>>1 > worst>>1 && k != otherKey
}

// worstFirst is a heap whose root is the last item in sorting order.
type worstFirst struct {
	*sorter
	items []keyed
}

func (h *worstFirst) Len() int           { return len(h.items) }
func (h *worstFirst) Less(i, j int) bool { return h.compare(h.items[i], h.items[j]) > 0 }
func (h *worstFirst) Swap(i, j int)      { h.items[i], h.items[j] = h.items[j], h.items[i] }
func (h *worstFirst) Push(item any)      { h.items = append(h.items, item.(keyed)) }
func (h *worstFirst) Pop() any           { panic("engine: a heap of the best never shrinks") }
