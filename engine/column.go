package engine

import (
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A column holds the key of the value that each document has at one path, by
// slot. A scan over it reads eight bytes a document where a scan over
// documents walks each to the field, and one loop serves every kind of value,
// because the order of keys is the order of values: measured on 20,000
// documents of 160 bytes as js/wasm, a range takes 2 ns a document instead of
// 110. What a key cannot tell, the document is asked.
//
// A column of a type of its own would be no smaller, but for booleans, and no
// faster: for a range over 100,000 values (js/wasm, while other work was
// running), keys take 3.6 ns a value, int64 3.6, and float64, which are compared
// twice, 6.8. Presence is a key too: 0 is of a missing value. Texts that repeat
// have codes besides (dictionary), and sums exact numbers (numbers).
//
// It is a cache: it can be dropped at any moment. Writes only mark what they
// change, and the next use looks at those documents again.
type column struct {
	path  query.Path
	keys  []key // by slot; a removed document's is whatever it was
	stale int   // how many keys are staleKey
	other int   // how many keys are otherKey
	used  int   // when it was last used, by the content's clock
}

// Keys that belong to no value. Their kinds are above all of values'.
const (
	otherKey key = 15<<60 | inexact // an array, or several values: only the document can tell
	staleKey key = 14 << 60         // the document has been replaced
)

// mostColumns bounds the memory a collection spends on columns, to 8 bytes a
// document each. The one that was not used for longest makes room.
const mostColumns = 16

// column returns the column of a path, up to date, building it if need be.
func (c *content) column(path query.Path) *column {
	c.clock++
	var col *column
	oldest := 0
	for i := range c.columns {
		if c.columns[i].path.String() == path.String() {
			col = c.columns[i]
		}
		if c.columns[i].used < c.columns[oldest].used {
			oldest = i
		}
	}
	switch {
	case col != nil:
	case len(c.columns) < mostColumns:
		col = &column{path: path, keys: make([]key, 0, len(c.refs))}
		c.columns = append(c.columns, col)
	default:
		col = &column{path: path, keys: make([]key, 0, len(c.refs))}
		c.columns[oldest] = col
	}
	col.used = c.clock
	col.refresh(c)
	return col
}

// hasColumn reports whether a path has a column already.
func (c *content) hasColumn(path query.Path) bool {
	for _, col := range c.columns {
		if col.path.String() == path.String() {
			return true
		}
	}
	return false
}

// refresh looks at the documents that came or changed since the last use.
func (col *column) refresh(c *content) {
	for slot := 0; col.stale > 0; slot++ {
		if col.keys[slot] == staleKey {
			col.keys[slot] = col.keyOf(c.doc(uint32(slot)))
			col.stale--
		}
	}
	for slot := len(col.keys); slot < len(c.refs); slot++ {
		col.keys = append(col.keys, col.keyOf(c.doc(uint32(slot))))
	}
}

func (col *column) keyOf(doc []byte) key {
	if doc == nil {
		return 0
	}
	v, plain := col.path.Lookup(doc)
	if !plain || msgpack.KindOf(v) == msgpack.Array {
		col.other++
		return otherKey
	}
	return keyOf(v)
}

// forget drops what the column knows of one slot, which now holds another
// document.
func (col *column) forget(slot uint32) {
	if int(slot) >= len(col.keys) || col.keys[slot] == staleKey {
		return
	}
	if col.keys[slot] == otherKey {
		col.other--
	}
	col.keys[slot] = staleKey
	col.stale++
}

// truncate drops what the column knows of the slots from end on.
func (col *column) truncate(end uint32) {
	for len(col.keys) > int(end) {
		last := len(col.keys) - 1
		switch col.keys[last] {
		case staleKey:
			col.stale--
		case otherKey:
			col.other--
		}
		col.keys = col.keys[:last]
	}
}
