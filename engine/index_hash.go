package engine

import (
	"math"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A unique index on one path has a hash of its values beside the sorted list, or instead
// of it: what a write checks, and what an equality asks, needs no order. A write to it
// moves no entries, and an index that nobody has sorted or ranged by has no list. An
// insert of 20,000 documents with such an index does not search 20,000 times.
//
// The hash holds no values: those are in the documents. Missing values are not in it.

// maxAlike is how many values of one hash a unique index may have. Only a transaction can
// give many documents one value, and each of them passes all others in the hash. Then
// the list answers.
const maxAlike = 256

// mayHash reports whether ix has a hash, built or not.
func (ix *index) mayHash() bool { return ix.unique && len(ix.paths) == 1 && !ix.isCrowded }

// hashed reports whether ix has a hash, which it builds if it is not built.
func (ix *index) hashed() bool {
	if !ix.mayHash() {
		return false
	}
	if ix.hash == nil {
		ix.buildHash()
	}
	return ix.hash != nil
}

func (ix *index) buildHash() {
	ix.hash = &idTable{}
	ix.hash.resize(tableSize(ix.in.live))
	arrays := 0
	for slot := range ix.in.refs {
		if doc := ix.in.doc(uint32(slot)); doc != nil && ix.addHashes(uint32(slot), doc) {
			arrays++
		}
		if ix.hash == nil {
			return
		}
	}
	ix.arrays = arrays
}

// addHashes adds the values of a document to the hash. As entries does, it reports
// whether the path crosses or reaches an array.
func (ix *index) addHashes(slot uint32, doc []byte) (throughArray bool) {
	return ix.hashValues(doc, func(hash uint32) {
		if ix.hash != nil && ix.hash.add(hash, slot) > maxAlike {
			ix.hash, ix.isCrowded = nil, true
		}
	})
}

// hashValues calls visit with the hash of each value that doc is indexed by and that is
// not missing. As entries does, it reports whether the path crosses or reaches an array.
func (ix *index) hashValues(doc []byte, visit func(hash uint32)) (throughArray bool) {
	v, plain := ix.paths[0].Lookup(doc)
	if plain && !isArray(v) {
		if isValue(v) {
			visit(hashValue(v))
		}
		return false
	}
	for _, v := range ix.valuesAt(ix.paths[0], doc) {
		if isValue(v) {
			visit(hashValue(v))
		}
	}
	return true
}

// slotsOf returns the slots of the documents that are indexed by v, in
// order, by the hash.
func (ix *index) slotsOf(v []byte) (slots []uint32) {
	ix.hash.find(hashValue(v), func(slot uint32) bool {
		if !slices.Contains(slots, slot) && ix.has(slot, v) {
			slots = append(slots, slot)
		}
		return false
	})
	slices.Sort(slots)
	return slots
}

// has reports whether the document of a slot is indexed by v.
func (ix *index) has(slot uint32, v []byte) bool {
	doc := ix.in.doc(slot)
	if found, plain := ix.paths[0].Lookup(doc); plain && !isArray(found) {
		return isValue(found) && msgpack.Equal(found, v)
	}
	return slices.ContainsFunc(ix.valuesAt(ix.paths[0], doc), func(found []byte) bool { return isValue(found) && msgpack.Equal(found, v) })
}

// byHash answers an equality or an in-list of one of the unique indexes, whose documents
// have one value each, from its hash.
func (c *content) byHash(conditions []*query.Filter) (s accessPath, ok bool) {
	for _, ix := range c.indexes {
		if !ix.mayHash() {
			continue
		}
		path := ix.paths[0].String()
		for i, f := range conditions {
			if f.Op != query.OpEq && f.Op != query.OpIn || f.Path.String() != path {
				continue
			}
			values := operands(f)
			if !areHashable(values) || !ix.hashed() || ix.arrays > 0 {
				continue
			}
			for _, v := range values {
				s.ids = append(s.ids, ix.slotsOf(v)...)
			}
			s.index, s.count = ix, len(s.ids)
			s.answered = conditions[i : i+1 : i+1]
			s.used = s.answered
			return s, true
		}
	}
	return s, false
}

// areHashable reports whether a hash answers for each of the values: for texts and for
// numbers, of which a document has the value or not.
func areHashable(values [][]byte) bool {
	for _, v := range values {
		if !isHashable(v) {
			return false
		}
	}
	return len(values) > 0
}

func isHashable(v []byte) bool {
	kind := msgpack.KindOf(v)
	return kind == msgpack.String || kind == msgpack.Number && !math.IsNaN(msgpack.Float(v))
}

// AppendEqual appends to dst the documents that Find returns for a text or a number at a
// path, the first one alone if one is true, and returns how many they are. It needs no
// condition, plan or result, which take several times as long. It returns false if Find
// has to be asked: the path is neither _id nor that of a unique index, or arrays stand
// for their elements there. The path is one without a collation.
func (db *DB) AppendEqual(dst []byte, name string, path, value []byte, one bool) (out []byte, count int, ok bool) {
	c := db.collections[name]
	if c == nil || !isHashable(value) {
		return dst, 0, false
	}
	var slots []uint32
	if string(path) == "_id" {
		if checkID("", "", value) != nil { // a float may be equal to an id
			return dst, 0, false
		}
		if slot, found := c.slotOf(value); found {
			slots = append(slots, slot)
		}
	} else {
		ix := c.uniqueOn(path)
		if ix == nil || !ix.hashed() || ix.arrays > 0 {
			return dst, 0, false
		}
		slots = ix.slotsOf(value)
	}
	if one && len(slots) > 1 {
		slots = slots[:1]
	}
	if invariants {
		c.checkEqual(path, value, one, slots)
	}
	for _, slot := range slots {
		dst = append(dst, c.doc(slot)...)
	}
	return dst, len(slots), true
}

// uniqueOn returns the unique index on a path alone; nil if there is none.
func (c *content) uniqueOn(path []byte) *index {
	for _, ix := range c.indexes {
		if ix.mayHash() && ix.paths[0].String() == string(path) {
			return ix
		}
	}
	return nil
}
