package engine

import (
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A column holds the key of the value that each document has at one path. A
// scan over it reads eight bytes a document where a scan over documents walks
// each to the field, and one loop serves every kind of value, because the order
// of keys is the order of values: measured on 20,000 documents of 160 bytes as
// js/wasm, a range takes 2 ns a document instead of 110. Where a key cannot
// tell, the document is looked at.
//
// A type of column for each type of value would be no smaller, but for booleans,
// and no faster: for a range over 100,000 values (js/wasm, while other work was
// running), keys take 3.6 ns a value, int64 3.6, and float64, which are compared
// twice, 6.8. Presence is a key too: a missing value has key 0. Texts that repeat
// have codes besides (dictionary), and sums exact numbers (numbers).
type column struct{ slotCache[key] }

// Keys that belong to no value. Their kinds are above all kinds of values.
const (
	otherKey key = 15<<60 | inexact // an array, or several values: only the document can tell
	staleKey key = 14 << 60         // the document has been replaced
)

// column returns the column of a path, up to date, building it if need be.
func (c *content) column(path query.Path) *column {
	col := cacheOf(c, path, func() *column {
		return &column{slotCache[key]{bySlot: make([]key, 0, len(c.refs)), marks: marks[key]{stale: staleKey, unsure: otherKey}}}
	})
	col.refresh(c, func(from, to int) bool {
		for slot := from; slot < to; slot++ {
			col.put(slot, col.keyOf(c.doc(uint32(slot))))
		}
		return true
	})
	return col
}

// hasColumn reports whether a path has a column already.
func (c *content) hasColumn(path query.Path) bool {
	_, known := knownCache[*column](c, path)
	return known
}

// keyOf returns the key of a document, nil if it has been removed.
func (col *column) keyOf(doc []byte) key {
	if doc == nil {
		return 0
	}
	v, plain := col.path.Lookup(doc)
	if !plain || msgpack.KindOf(v) == msgpack.Array {
		return otherKey
	}
	return keyOf(v)
}

func (col *column) check(c *content) string {
	return col.checkWords(c, func(k key, doc []byte) bool { return k == col.keyOf(doc) })
}
