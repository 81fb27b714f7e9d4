package engine

import (
	"math/bits"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// batches calls visit with the slots that a plan finds, in insertion order and
// some at a time. The slice is reused. It never holds all of them where columns
// answer.
func (c *content) batches(p *plan, visit func(slots []uint32)) {
	var s *sieve
	if p.from == nil && p.rest != nil && p.rest.Op != query.OpFalse && !p.brief && c.worthColumns(0) {
		if s = c.newSieve(p.rest); s.blind {
			s = nil
		}
	}
	if p.from != nil || p.rest != nil && s == nil {
		if slots, _ := c.answer(p, 0); len(slots) > 0 {
			visit(slots)
		}
		return
	}
	if s != nil {
		p.columns = s.paths(nil)
	}
	var may, sure bitmap
	slots := make([]uint32, 0, blockSlots)
	for block := 0; block*blockSlots < len(c.refs); block++ {
		slots = slots[:0]
		first := block * blockSlots
		if s == nil {
			for slot := first; slot < min(first+blockSlots, len(c.refs)); slot++ {
				if c.sizes[slot] != 0 {
					slots = append(slots, uint32(slot))
				}
			}
		} else {
			s.run(block, &may, &sure)
			slots = c.passing(&may, &sure, first, p.rest, slots)
		}
		if len(slots) > 0 {
			visit(slots)
		}
	}
}

// passing appends the slots of a block that pass, asking f where it is not
// sure.
func (c *content) passing(may, sure *bitmap, first int, f *query.Filter, slots []uint32) []uint32 {
	for w, word := range may {
		for ; word != 0; word &= word - 1 {
			slot := first + w*64 + bits.TrailingZeros64(word)
			if slot >= len(c.refs) {
				return slots
			}
			if c.sizes[slot] != 0 && (sure[w]&(word&-word) != 0 || f.Match(c.doc(uint32(slot)))) {
				slots = append(slots, uint32(slot))
			}
		}
	}
	return slots
}

// Count returns how many documents match, and stops counting at limit if that
// is above 0.
func (db *DB) Count(name string, where *query.Filter, limit int) (int, error) {
	c := db.collections[name]
	switch {
	case c == nil:
		return 0, checkName("count", name)
	case where == nil || where.Op == query.OpTrue:
		if limit > 0 {
			return min(limit, c.live), nil
		}
		return c.live, nil
	case limit > 0:
		return len(c.run(Query{Where: where, Limit: limit}).slots), nil
	}
	n := c.count(where)
	if invariants {
		if found, _ := c.scan(where, 0); len(found) != n {
			panic("engine: counting " + where.String() + " went wrong")
		}
	}
	return n, nil
}

func (c *collection) count(where *query.Filter) (n int) {
	p := c.plan(where, false)
	if p.from != nil && p.rest == nil && p.from.exact() {
		return p.from.count
	}
	c.batches(&p, func(slots []uint32) { n += len(slots) })
	return n
}

// Distinct returns, as a MessagePack array in the order of values, the values
// that a path has in the documents that match, each once. Of an array it takes
// the elements.
func (db *DB) Distinct(name, path string, where *query.Filter) ([]byte, error) {
	c := db.collections[name]
	if c == nil {
		return msgpack.AppendArray(nil, 0), checkName("distinct", name)
	}
	var t tally
	p := c.plan(where, false)
	at := query.ParsePath(path)
	d := c.dictionaryFor(&p, at)
	c.batches(&p, func(slots []uint32) { t.seeAll(c.content, slots, at, d) })
	values := t.different(d)
	if invariants && d != nil {
		var slow tally
		all, _ := c.scan(where, 0)
		slow.seeAll(c.content, all, at, nil)
		if !slices.EqualFunc(values, slow.different(nil), msgpack.Equal) {
			panic("engine: the distinct values of " + path + " went wrong")
		}
	}
	out := msgpack.AppendArray(nil, len(values))
	for _, v := range values {
		out = append(out, v...)
	}
	return out, nil
}

// dictionaryFor returns the dictionary of a path if the plan may find so many
// documents that it pays.
func (c *content) dictionaryFor(p *plan, path query.Path) *dictionary {
	if !c.worthCaches(p) {
		return nil
	}
	return c.dictionary(path)
}

// worthCaches reports whether a plan may find so many documents that building
// a cache over all of them pays.
func (c *content) worthCaches(p *plan) bool {
	return c.live >= c.columnFrom && (p.from == nil || p.from.count > c.live/manyCandidates)
}

// seeAll takes in the values that a path reaches in documents, by their codes
// if there is a dictionary.
func (t *tally) seeAll(c *content, slots []uint32, path query.Path, d *dictionary) {
	for _, slot := range slots {
		if d != nil && d.codes[slot] != severalCode {
			t.seeCode(d.codes[slot])
			continue
		}
		path.Visit(c.doc(slot), func(v []byte) bool {
			t.see(v)
			return true
		})
	}
}
