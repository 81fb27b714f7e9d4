package engine

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A Query says which documents of a collection to return, and how. The zero
// value returns all of them whole, in insertion order.
type Query struct {
	Where  *query.Filter // nil: all documents
	Sort   []SortKey     // none: insertion order
	Skip   int           // documents to pass over; below 0 is 0
	Limit  int           // at most this many; 0 or less: all
	Fields []string      // paths to return besides _id; none: whole documents
}

// A Result holds the documents that a query found, to be taken in pieces. It
// is valid until the DB changes.
type Result struct {
	c      *content
	slots  []uint32
	fields projection
}

// Find returns the documents that match q. A collection that does not exist
// has none.
func (db *DB) Find(name string, q Query) (*Result, error) {
	c := db.collections[name]
	if c == nil {
		return &Result{}, checkName("find", name)
	}
	run := c.run(q)
	return &Result{c: c.content, slots: run.slots, fields: newProjection(q.Fields)}, nil
}

// Len returns how many documents are still to be taken.
func (r *Result) Len() int { return len(r.slots) }

// Next appends the next documents to dst, one after the other, until it holds
// at least atLeast bytes or all are taken. It returns how many it appended and
// how many are left.
func (r *Result) Next(dst []byte, atLeast int) (out []byte, count, left int) {
	for len(r.slots) > 0 && (count == 0 || len(dst) < atLeast) {
		if doc := r.c.doc(r.slots[0]); doc != nil {
			dst = r.fields.append(dst, doc)
			count++
		}
		r.slots = r.slots[1:]
	}
	return dst, count, len(r.slots)
}

// Get returns the document of an id, borrowed until the DB's next change; nil
// if there is none.
func (db *DB) Get(name string, id []byte) []byte {
	c := db.collections[name]
	if c == nil || checkID("get", name, id) != nil {
		return nil
	}
	slot, ok := c.slotOf(id)
	if !ok {
		return nil
	}
	return c.doc(slot)
}

// IDs returns the ids of a collection's documents as a MessagePack array.
func (db *DB) IDs(name string) ([]byte, error) {
	c := db.collections[name]
	if c == nil {
		return msgpack.AppendArray(nil, 0), checkName("documentIds", name)
	}
	ids := msgpack.AppendArray(make([]byte, 0, 8*c.live+5), c.live)
	for slot := range c.refs {
		if doc := c.doc(uint32(slot)); doc != nil {
			ids = append(ids, idOf(doc)...)
		}
	}
	return ids, nil
}

// match returns the slots of the documents that match, in insertion order.
func (c *collection) match(where *query.Filter) []uint32 {
	return c.run(Query{Where: where}).slots
}

// A run is a query that has been answered.
type run struct {
	plan     plan
	slots    []uint32
	examined int // documents, entries of an order or keys of a column that were looked at
}

// run answers q.
func (c *collection) run(q Query) run {
	window := 0 // how many matches are wanted before skipping; 0: all
	if q.Limit > 0 {
		window = max(q.Skip, 0) + q.Limit
	}
	r := run{plan: c.plan(q.Where, window > 0 && len(q.Sort) == 0)}
	switch {
	case len(q.Sort) == 0:
		r.slots, r.examined = c.answer(&r.plan, window)
		if invariants {
			c.checkParity(q.Where, r.slots, window)
		}
	case c.walked(&r, q, window):
		if invariants {
			all, _ := c.scan(q.Where, 0)
			c.checkSorted(q.Sort, all, r.slots)
		}
	default:
		found, examined := c.answer(&r.plan, 0)
		r.slots, r.examined = newSorter(c.content, q.Sort, len(found)).sort(found, window), examined
		if invariants {
			c.checkParity(q.Where, found, 0)
			c.checkSorted(q.Sort, found, r.slots)
		}
	}
	if window > 0 && len(r.slots) > window {
		r.slots = r.slots[:window]
	}
	if q.Skip > 0 {
		r.slots = r.slots[min(q.Skip, len(r.slots)):]
	}
	return r
}

// walked answers a sorted query by walking an order, if there is one and
// sorting what the plan finds would be more work.
func (c *collection) walked(r *run, q Query, window int) bool {
	var conditions []*query.Filter
	if q.Where != nil && q.Where.Op != query.OpTrue {
		conditions = conjuncts(q.Where)
	}
	w := c.walk(conditions, q.Sort)
	if w == nil {
		return false
	}
	rest := without(conditions, w.answered)
	if rest != nil && (window == 0 || r.plan.from != nil && r.plan.from.count <= 4*window) {
		return false
	}
	slots, examined, ok := w.follow(c.content, rest, window, c.mayLook(&r.plan, window))
	if !ok {
		return false
	}
	r.plan = plan{walk: w, rest: rest}
	r.slots, r.examined = slots, examined
	return true
}

// answer returns the slots that a plan finds, the first enough of them if
// enough is above 0, in insertion order.
func (c *content) answer(p *plan, enough int) (slots []uint32, examined int) {
	columns := p.rest != nil && c.worthColumns(enough)
	switch {
	case p.rest != nil && p.rest.Op == query.OpFalse:
		return nil, 0
	case p.from != nil:
		candidates := p.from.slots(len(c.refs))
		if p.from.each { // what is looked at more closely is among the entries
			examined = p.from.entries() - len(candidates)
		}
		if columns && len(candidates) > c.live/manyCandidates {
			if s := c.newSieve(p.rest); !s.blind {
				p.columns = s.paths(nil)
				found, _ := c.sift(s, p.rest, 0)
				slots := both(candidates, found)
				if enough > 0 && enough < len(slots) {
					slots = slots[:enough]
				}
				return slots, examined + len(candidates)
			}
		}
		slots, looked := c.pick(candidates, p.rest, enough)
		return slots, examined + looked
	case columns && !p.brief:
		if s := c.newSieve(p.rest); !s.blind {
			p.columns = s.paths(nil)
			slots, _ := c.sift(s, p.rest, enough)
			return slots, c.live
		}
	}
	if p.rest == nil {
		slots = c.all(enough)
		return slots, len(slots)
	}
	slots, examined = c.scan(p.rest, enough)
	c.debt += examined
	return slots, examined
}

// manyCandidates is the part of a collection from which on candidates are
// tested by columns. To look at one takes 150 ns, to sift a document 3 ns (as
// js/wasm), and the column may have to be built, at 300 ns a document, once.
const manyCandidates = 16

// both returns the slots that are in a and in b, which are sorted.
func both(a, b []uint32) []uint32 {
	kept := a[:0]
	for _, slot := range a {
		for len(b) > 0 && b[0] < slot {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == slot {
			kept = append(kept, slot)
		}
	}
	return kept
}

// worthColumns reports whether a scan should use columns, which means building
// them first: not if few documents would be looked at anyway.
func (c *content) worthColumns(enough int) bool {
	return c.live >= c.columnFrom && (enough == 0 || c.debt >= c.live)
}

// scan looks at every document. What it finds is the definition of a filter's
// meaning, which every other way is compared with.
func (c *content) scan(f *query.Filter, enough int) (slots []uint32, examined int) {
	for slot := range c.refs {
		doc := c.doc(uint32(slot))
		if doc == nil {
			continue
		}
		if examined++; f == nil || f.Match(doc) {
			if slots = append(slots, uint32(slot)); len(slots) == enough {
				break
			}
		}
	}
	return slots, examined
}

// all returns the first enough documents, all of them if it is 0.
func (c *content) all(enough int) []uint32 {
	if enough == 0 || enough > c.live {
		enough = c.live
	}
	slots := make([]uint32, 0, enough)
	for slot, size := range c.sizes {
		if len(slots) == enough {
			break
		}
		if size != 0 {
			slots = append(slots, uint32(slot))
		}
	}
	return slots
}

// pick returns the candidates that f, if there is one, lets pass.
func (c *content) pick(candidates []uint32, f *query.Filter, enough int) (slots []uint32, examined int) {
	if f == nil {
		if enough > 0 && enough < len(candidates) {
			candidates = candidates[:enough]
		}
		return candidates, len(candidates)
	}
	for i, slot := range candidates {
		if f.Match(c.doc(slot)) {
			if slots = append(slots, slot); len(slots) == enough {
				return slots, i + 1
			}
		}
	}
	return slots, len(candidates)
}

// checkParity panics unless slots are what the definition of meaning, a look
// at every document, gives. Only builds with the tag invariants call it.
func (c *collection) checkParity(where *query.Filter, slots []uint32, enough int) {
	want, _ := c.scan(where, enough)
	if !slices.Equal(slots, want) {
		panic("engine: the plan for " + where.String() + " found " + strconv.Itoa(len(slots)) + " documents, looking at each " + strconv.Itoa(len(want)))
	}
}

// checkSorted panics unless sorted is what sorting all that was found, by
// looking at every document, begins with.
func (c *collection) checkSorted(keys []SortKey, found, sorted []uint32) {
	want := slices.Clone(found)
	slices.SortFunc(want, func(a, b uint32) int {
		for _, k := range keys {
			if c := msgpack.Compare(sortValue(k.Path, c.doc(a)), sortValue(k.Path, c.doc(b))); c != 0 {
				return map[bool]int{false: c, true: -c}[k.Descending]
			}
		}
		return cmp.Compare(a, b)
	})
	if !slices.Equal(sorted, want[:len(sorted)]) {
		panic("engine: sorting by " + keys[0].Path.String() + " went wrong")
	}
}
