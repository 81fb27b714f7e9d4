package engine

import (
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A dictionary numbers the different values that documents have at one path,
// and holds the number of each document's, its code. Grouping counts codes,
// and a condition on text asks once for each value instead of each document.
// It pays where values repeat; where they hardly do, none is made.
//
// Like a column, it is a cache. It costs 4 bytes a document and the values.
type dictionary struct {
	path  query.Path
	codes []uint32 // by slot
	valueSet
	stale   int // how many codes are staleCode
	several int // how many codes are severalCode
	used    int // when it was last used, by the content's clock
}

// Code 0 is for documents without a value, and these are for no value at all.
const (
	severalCode = 1<<32 - 2 // the path crosses an array: only the document can tell
	staleCode   = 1<<32 - 1 // the document has been replaced
)

const (
	mostDictionaries = 16
	mostCodes        = 1 << 16
	// A dictionary has to save: of this many documents, one may bring a new
	// value, after the first few.
	documentsPerCode = 4
	freeCodes        = 256
)

// dictionary returns the dictionary of a path, up to date, building it if need
// be; nil if its values hardly repeat or the collection is small.
func (c *content) dictionary(path query.Path) *dictionary {
	if c.live < c.columnFrom || c.refused[path.String()] > c.live/2 {
		return nil
	}
	c.clock++
	var d *dictionary
	for _, known := range c.dictionaries {
		if known.path.String() == path.String() {
			d = known
		}
	}
	if d == nil {
		d = &dictionary{path: path, codes: make([]uint32, 0, len(c.refs))}
		d.values = [][]byte{nil}
		c.dictionaries = append(c.dictionaries, d)
		if len(c.dictionaries) > mostDictionaries {
			oldest := 0
			for i, other := range c.dictionaries {
				if other.used < c.dictionaries[oldest].used && other != d {
					oldest = i
				}
			}
			c.dropDictionary(c.dictionaries[oldest])
		}
	}
	d.used = c.clock
	if !d.refresh(c) {
		c.dropDictionary(d)
		if c.refused == nil {
			c.refused = map[string]int{}
		}
		c.refused[path.String()] = c.live
		return nil
	}
	return d
}

func (c *content) dropDictionary(d *dictionary) {
	kept := c.dictionaries[:0]
	for _, other := range c.dictionaries {
		if other != d {
			kept = append(kept, other)
		}
	}
	c.dictionaries = kept
}

// refresh looks at the documents that came or changed since the last use; false
// if there are too many values.
func (d *dictionary) refresh(c *content) bool {
	for slot := 0; d.stale > 0; slot++ {
		if d.codes[slot] == staleCode {
			d.codes[slot] = d.codeOf(c.doc(uint32(slot)))
			d.stale--
		}
	}
	for slot := len(d.codes); slot < len(c.refs); slot++ {
		d.codes = append(d.codes, d.codeOf(c.doc(uint32(slot))))
		if len(d.values) > mostCodes || len(d.values) > freeCodes+slot/documentsPerCode {
			return false
		}
	}
	return len(d.values) <= mostCodes
}

func (d *dictionary) codeOf(doc []byte) uint32 {
	if doc == nil {
		return 0
	}
	v, plain := d.path.Lookup(doc)
	switch {
	case !plain:
		d.several++
		return severalCode
	case v == nil:
		return 0
	}
	return d.code(v)
}

// code returns the code of a value that a document has.
func (d *dictionary) code(v []byte) uint32 {
	if v == nil {
		return 0
	}
	return d.add(v)
}

// forget drops what the dictionary knows of one slot.
func (d *dictionary) forget(slot uint32) {
	if int(slot) >= len(d.codes) || d.codes[slot] == staleCode {
		return
	}
	if d.codes[slot] == severalCode {
		d.several--
	}
	d.codes[slot] = staleCode
	d.stale++
}

// truncate drops what the dictionary knows of the slots from end on.
func (d *dictionary) truncate(end uint32) {
	for len(d.codes) > int(end) {
		last := len(d.codes) - 1
		switch d.codes[last] {
		case staleCode:
			d.stale--
		case severalCode:
			d.several--
		}
		d.codes = d.codes[:last]
	}
}

// passing returns 1 for the codes of values that a leaf holds for.
func (d *dictionary) passing(f *query.Filter) []uint8 {
	pass := make([]uint8, len(d.values))
	for code, v := range d.values {
		if f.Holds(v) {
			pass[code] = 1
		}
	}
	return pass
}

// isNull reports whether a code is of no value or of null, which grouping
// takes for one.
func (d *dictionary) isNull(code uint32) bool {
	return code == 0 || msgpack.KindOf(d.values[code]) == msgpack.Null
}
