package engine

import (
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// Count returns how many documents match. It stops counting at limit if that is
// above 0.
func (db *DB) Count(name string, where *query.Filter, limit int) (n int, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
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
		p := c.plan(Query{Where: where, Limit: limit})
		return len(c.run(&p).slots), nil
	}
	return c.count(where), nil
}

// Distinct returns each different value that a path reaches in the documents that
// match, as a MessagePack array in the order of values. Of an array it takes the
// elements. If the path has a collation, of the values that are the same by it the
// least counts, and the order is that of the collation.
func (db *DB) Distinct(name, path string, where *query.Filter) (out []byte, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	c := db.collections[name]
	if c == nil {
		return msgpack.AppendArray(nil, 0), checkName("distinct", name)
	}
	var acc accumulator
	var d *dictionary
	p := c.plan(Query{Where: where})
	at := query.ParsePath(path)
	if c.worthCaches(&p) && !at.IsCollated() {
		d = c.dictionary(at)
	}
	c.stream(&p, func(slots []uint32) { acc.seeAll(c.content, slots, at, d) })
	values := acc.different(c.meter, d)
	if invariants && d != nil {
		var slow accumulator
		all, _ := c.scan(where, 0)
		slow.seeAll(c.content, all, at, nil)
		if !slices.EqualFunc(values, slow.different(c.meter, nil), msgpack.Equal) {
			panic("engine: the distinct values of " + path + " went wrong")
		}
	}
	out = msgpack.AppendArray(nil, len(values))
	for _, v := range values {
		out = append(out, v...)
	}
	return out, nil
}
