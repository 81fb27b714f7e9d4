package engine

import "github.com/atomicdb-go/atomicdb/engine/query"

// An outcome is what running a plan gave: the documents, and what Explain says
// about the way to them.
type outcome struct {
	slots    []uint32
	examined int           // documents, entries of an index or keys of a column that were looked at
	filter   *columnFilter // what tested documents by columns; nil: each was looked at
	ordered  bool          // the ordered scan gave them, not its fallback
}

// run runs a plan and returns the part of what matches that its query wants,
// sorted.
func (c *collection) run(p *plan) outcome {
	q := &p.query
	o := outcome{}
	if p.ordered != nil {
		o.slots, o.examined, o.ordered = p.ordered.run(c.content, p.window)
	}
	if !o.ordered {
		o = c.find(p)
		if invariants {
			c.checkFound(p, o.slots)
		}
		if len(q.Sort) > 0 {
			o.slots = newSorter(c.content, q.Sort, len(o.slots)).sort(o.slots, p.window)
		}
	}
	if invariants && len(q.Sort) > 0 {
		c.checkSorted(p, o.slots)
	}
	o.slots = window(o.slots, q.Skip, q.Limit)
	return o
}

// match returns the slots of the documents that match, in insertion order.
func (c *collection) match(where *query.Filter) []uint32 {
	p := c.plan(Query{Where: where})
	return c.run(&p).slots
}

// count returns how many documents match.
func (c *collection) count(where *query.Filter) (n int) {
	p := c.plan(Query{Where: where})
	if p.path != nil && p.rest == nil && p.path.exact() {
		n = p.path.count
	} else {
		c.stream(&p, func(slots []uint32) { n += len(slots) })
	}
	if invariants {
		c.checkCount(&p, n)
	}
	return n
}

// stream calls visit with the slots that match, in insertion order and some at
// a time: where a plan is answered by blocks, it never holds all of them. The
// slice is reused.
func (c *content) stream(p *plan, visit func(slots []uint32)) {
	f, ok := c.byBlocks(p)
	if !ok {
		if o := c.findAtOnce(p); len(o.slots) > 0 {
			visit(o.slots)
		}
		return
	}
	slots := make([]uint32, 0, blockSlots)
	cost := f.cost()
	for block := range c.blocks() {
		c.meter.spend(cost)
		if slots = c.appendBlock(slots[:0], block, f, p.rest, 0); len(slots) > 0 {
			visit(slots)
		}
	}
}

// find returns the documents that match, the first p.enough of them if that is
// above 0, in insertion order. It makes no use of an ordered scan.
func (c *content) find(p *plan) outcome {
	f, ok := c.byBlocks(p)
	switch {
	case !ok:
		return c.findAtOnce(p)
	case f == nil:
		slots := c.filtered(nil, nil, p.enough)
		return outcome{slots: slots, examined: len(slots)}
	}
	return outcome{slots: c.filtered(f, p.rest, p.enough), examined: c.live, filter: f}
}

// byBlocks reports whether a plan is answered by blocks, which is where all
// documents match (f is nil then) or where columns test all of them.
func (c *content) byBlocks(p *plan) (f *columnFilter, ok bool) {
	if p.path != nil {
		return nil, false
	}
	if p.rest == nil {
		return nil, true
	}
	f = c.columnFilter(p)
	return f, f != nil
}

// columnFilter returns what tests documents by columns; nil if they are to be
// looked at.
func (c *content) columnFilter(p *plan) *columnFilter {
	if !p.columns || p.rest.Op == query.OpFalse || p.rest.CountPaths(maxCaches+1) > maxCaches {
		return nil // with more paths, each query would build columns that the next one has to build again
	}
	if f := c.newColumnFilter(p.rest); !f.blind {
		return f
	}
	return nil
}

// findAtOnce is find for a plan that is not answered by blocks.
func (c *content) findAtOnce(p *plan) (o outcome) {
	switch {
	case p.rest != nil && p.rest.Op == query.OpFalse:
		return o
	case p.path == nil:
		o.slots, o.examined = c.scan(p.rest, p.enough)
		c.debt += o.examined
		return o
	}
	candidates := p.path.slots(len(c.refs))
	if p.path.each { // what is looked at more closely is among the entries
		o.examined = p.path.entries() - len(candidates)
	}
	if len(candidates) > c.live/manyCandidates {
		if o.filter = c.columnFilter(p); o.filter != nil {
			o.examined += len(candidates)
			o.slots = both(candidates, c.filtered(o.filter, p.rest, 0))
			if p.enough > 0 && p.enough < len(o.slots) {
				o.slots = o.slots[:p.enough]
			}
			return o
		}
	}
	slots, examined := c.pick(candidates, p.rest, p.enough)
	o.slots, o.examined = slots, o.examined+examined
	return o
}

// both returns the slots that are in a and in b, which are sorted. It writes
// into a.
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

// scan looks at every document. What it finds is the definition of a filter's
// meaning, which every other way is compared with.
func (c *content) scan(f *query.Filter, enough int) (slots []uint32, examined int) {
	cost := costOf(f)
	for slot := range c.refs {
		doc := c.doc(uint32(slot))
		if doc == nil {
			continue
		}
		c.meter.spend(1)
		if examined++; f == nil || c.meter.match(f, doc, cost) {
			if slots = append(slots, uint32(slot)); len(slots) == enough {
				break
			}
		}
	}
	return slots, examined
}

// pick returns the candidates that f, if there is one, lets pass.
func (c *content) pick(candidates []uint32, f *query.Filter, enough int) (slots []uint32, examined int) {
	if f == nil {
		if enough > 0 && enough < len(candidates) {
			candidates = candidates[:enough]
		}
		return candidates, len(candidates)
	}
	cost := costOf(f)
	for i, slot := range candidates {
		doc := c.doc(slot)
		if c.meter.match(f, doc, cost) {
			if slots = append(slots, slot); len(slots) == enough {
				return slots, i + 1
			}
		}
	}
	return slots, len(candidates)
}
