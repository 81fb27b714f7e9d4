package engine

import (
	"iter"
	"slices"
)

// conflict returns the slot of a document other than self that shares an entry
// with doc, one without missing values.
func (ix *index) conflict(doc []byte, self uint32) (slot uint32, found bool) {
	ix.combinations(doc, func(_ uint32, values [][]byte) bool {
		for _, v := range values {
			if v == nil {
				return true
			}
		}
		ix.eachBlock(ix.rangeOf(valueRange{equal: slices.Clone(values)}), func(entries []entry) bool {
			for _, e := range entries {
				if e.slot != self {
					slot, found = e.slot, true
				}
			}
			return !found
		})
		return !found
	})
	return slot, found
}

// checkUnique returns CodeUnique if a unique index forbids doc in slot self.
func (c *collection) checkUnique(op string, doc []byte, self uint32) error {
	for _, ix := range c.indexes {
		if !ix.unique {
			continue
		}
		if slot, found := ix.conflict(doc, self); found {
			return Fail(CodeUnique, op, target(c, idOf(doc)), "the unique index on "+ix.title()+" has these values already, in document "+describe(idOf(c.doc(slot))))
		}
	}
	return nil
}

const maxDuplicates = 100

// duplicates returns the first documents of c that have the same values as
// another one at the paths of ix.
func (ix *index) duplicates(c *collection) (ids []string) {
	for a, b := range ix.duplicatePairs() {
		for _, slot := range []uint32{a, b} {
			if name := target(c, idOf(c.doc(slot))); !slices.Contains(ids, name) {
				ids = append(ids, name)
			}
		}
		if len(ids) >= maxDuplicates {
			break
		}
	}
	return ids
}

// duplicatePairs yields the slots of neighbouring entries that have the same
// values, none of which is missing.
func (ix *index) duplicatePairs() iter.Seq2[uint32, uint32] {
	ix.build()
	return func(yield func(a, b uint32) bool) {
		all := ix.list.all()
		for i := 1; i < len(all); i++ {
			a, b := all[i-1], all[i]
			if a.slot != b.slot && ix.compareKeyed(a, b) == 0 && ix.complete(b) && !yield(a.slot, b.slot) {
				return
			}
		}
	}
}

// complete reports whether e has a value on every path.
func (ix *index) complete(e entry) bool {
	for i := range ix.paths {
		if ix.value(e, i) == nil {
			return false
		}
	}
	return true
}
