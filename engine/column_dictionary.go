package engine

import (
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A dictionary numbers the different values that documents have at one path,
// and holds the number of each document's value, its code. Grouping counts
// codes, and a condition on text is tested once for each value instead of each
// document. It pays where values repeat; where they hardly do, none is made.
type dictionary struct {
	slotCache[uint32]
	valueSet
}

// Code 0 is that of documents without a value. These codes belong to no value.
const (
	severalCode = 1<<32 - 2 // the path crosses an array: only the document can tell
	staleCode   = 1<<32 - 1 // the document has been replaced
)

const (
	maxCodes = 1 << 16
	// A dictionary must not cost more than it saves: after the first freeCodes
	// values, one in documentsPerCode documents may have a new value.
	documentsPerCode = 4
	freeCodes        = 256
)

// dictionary returns the dictionary of a path, up to date, building it if need
// be; nil if its values hardly repeat or the collection is small.
func (c *content) dictionary(path query.Path) *dictionary {
	if c.live < c.columnFrom || c.refused[path.String()] > c.live/2 {
		return nil
	}
	d := cacheOf(c, path, func() *dictionary {
		return &dictionary{
			slotCache[uint32]{bySlot: make([]uint32, 0, len(c.refs)), marks: marks[uint32]{stale: staleCode, unsure: severalCode}},
			valueSet{values: [][]byte{nil}},
		}
	})
	pays := d.refresh(c, func(from, to int) bool {
		isNew := from == len(d.bySlot)
		for slot := from; slot < to; slot++ {
			d.put(slot, d.codeOf(c.doc(uint32(slot))))
			if isNew && len(d.values) > min(maxCodes, freeCodes+slot/documentsPerCode) {
				return false
			}
		}
		return len(d.values) <= maxCodes
	})
	if pays {
		return d
	}
	c.caches = slices.DeleteFunc(c.caches, func(other anyCache) bool { return other == d })
	if c.refused == nil {
		c.refused = map[string]int{}
	}
	c.refused[path.String()] = c.live
	return nil
}

// codeOf returns the code of a document, nil if it has been removed.
func (d *dictionary) codeOf(doc []byte) uint32 {
	if doc == nil {
		return 0
	}
	v, plain := d.path.Lookup(doc)
	if !plain {
		return severalCode
	}
	return d.code(v)
}

// code returns the code of the value of a document; nil: it has none.
func (d *dictionary) code(v []byte) uint32 {
	if v == nil {
		return 0
	}
	return d.add(v)
}

// passing returns, by code, 1 for the values that meet a leaf and 0 for the others.
func (d *dictionary) passing(f *query.Filter) []uint8 {
	pass := make([]uint8, len(d.values))
	for code, v := range d.values {
		if f.Holds(v) {
			pass[code] = 1
		}
	}
	return pass
}

// isNull reports whether a code stands for no value or for null. Grouping does not
// tell the two apart.
func (d *dictionary) isNull(code uint32) bool {
	return code == 0 || msgpack.KindOf(d.values[code]) == msgpack.Null
}

func (d *dictionary) check(c *content) string {
	return d.checkWords(c, func(code uint32, doc []byte) bool {
		v, plain := d.path.Lookup(doc)
		if code == severalCode || !plain {
			return code == severalCode && !plain
		}
		return msgpack.Compare(d.values[code], v) == 0
	})
}
