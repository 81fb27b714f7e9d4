package engine

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A SortKey is one path to sort by. Documents sort by the value there in the
// total order; those without one come first, last if Descending. Where all
// keys agree, insertion order decides, whatever the direction.
type SortKey struct {
	Path       query.Path
	Descending bool
}

// A sortItem is a document being sorted: the key of its first path's value
// mostly decides without another look at the document.
type sortItem struct {
	first key
	slot  uint32
}

type sorter struct {
	c     *content
	keys  []SortKey
	first *column // of the first path; nil: documents are looked at
}

// newSorter returns a sorter for n slots of c. It builds a column if that is
// hardly more work than looking at these documents.
func newSorter(c *content, keys []SortKey, n int) *sorter {
	s := &sorter{c: c, keys: keys}
	if c.live >= c.columnFrom && (n > c.live/4 || c.hasColumn(keys[0].Path)) {
		s.first = c.column(keys[0].Path)
	}
	return s
}

func (s *sorter) item(slot uint32) sortItem {
	if s.first != nil && s.first.keys[slot] != otherKey {
		return sortItem{s.first.keys[slot], slot}
	}
	return sortItem{keyOf(sortValue(s.keys[0].Path, s.c.doc(slot))), slot}
}

// sortValue returns the value that doc sorts by: the first that path reaches.
func sortValue(path query.Path, doc []byte) (value []byte) {
	v, plain := path.Lookup(doc)
	if plain {
		return v
	}
	path.Visit(doc, func(v []byte) bool {
		value = v
		return false
	})
	return value
}

// beyond reports whether k alone tells that its document sorts after one with
// the key worst. Nearly all documents are refused here, so it is kept small.
func (s *sorter) beyond(k, worst key) bool {
	if s.keys[0].Descending {
		return k>>1 < worst>>1
	}
	return k>>1 > worst>>1 && k != otherKey
}

func (s *sorter) compare(a, b sortItem) int {
	c, sure := compareKeys(a.first, b.first)
	if c != 0 {
		if s.keys[0].Descending {
			return -c
		}
		return c
	}
	if !sure || len(s.keys) > 1 {
		da, db := s.c.doc(a.slot), s.c.doc(b.slot)
		for i, k := range s.keys {
			if i == 0 && sure {
				continue
			}
			if c := msgpack.Compare(sortValue(k.Path, da), sortValue(k.Path, db)); c != 0 {
				if k.Descending {
					return -c
				}
				return c
			}
		}
	}
	return cmp.Compare(a.slot, b.slot)
}

// sort returns the slots in the order of the keys; only the first limit of
// them if limit is above 0, for which it keeps a heap of that size.
func (s *sorter) sort(slots []uint32, limit int) []uint32 {
	if limit <= 0 || limit > len(slots)/2 {
		items := make([]sortItem, len(slots))
		for i, slot := range slots {
			items[i] = s.item(slot)
		}
		slices.SortFunc(items, s.compare)
		return s.slots(items, limit)
	}
	top := worstFirst{sorter: s, items: make([]sortItem, 0, limit)}
	for _, slot := range slots {
		if s.first != nil && len(top.items) == limit && s.beyond(s.first.keys[slot], top.items[0].first) {
			continue
		}
		item := s.item(slot)
		switch {
		case len(top.items) < limit:
			heap.Push(&top, item)
		case s.compare(item, top.items[0]) < 0:
			top.items[0] = item
			heap.Fix(&top, 0)
		}
	}
	slices.SortFunc(top.items, s.compare)
	return s.slots(top.items, limit)
}

func (s *sorter) slots(items []sortItem, limit int) []uint32 {
	if limit > 0 && limit < len(items) {
		items = items[:limit]
	}
	slots := make([]uint32, len(items))
	for i, item := range items {
		slots[i] = item.slot
	}
	return slots
}

// worstFirst is a heap whose root is the last item in sorting order.
type worstFirst struct {
	*sorter
	items []sortItem
}

func (h *worstFirst) Len() int           { return len(h.items) }
func (h *worstFirst) Less(i, j int) bool { return h.compare(h.items[i], h.items[j]) > 0 }
func (h *worstFirst) Swap(i, j int)      { h.items[i], h.items[j] = h.items[j], h.items[i] }
func (h *worstFirst) Push(item any)      { h.items = append(h.items, item.(sortItem)) }
func (h *worstFirst) Pop() any           { panic("engine: a heap of the best never shrinks") }
