package engine

import (
	"iter"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// conflict returns the slot of a document other than self that shares an entry
// with doc, one without missing values.
func (ix *index) conflict(doc []byte, self uint32) (slot uint32, found bool) {
	if ix.hashed() {
		return ix.hashConflict(doc, self)
	}
	ix.combinations(doc, func(_ uint32, values [][]byte) bool {
		for _, v := range values {
			if !isValue(v) {
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

// hashConflict is conflict by the hash.
func (ix *index) hashConflict(doc []byte, self uint32) (slot uint32, found bool) {
	values := [][]byte{nil}
	if v, plain := ix.paths[0].Lookup(doc); plain && !isArray(v) {
		values[0] = v
	} else {
		values = ix.valuesAt(ix.paths[0], doc)
	}
	for _, v := range values {
		if !isValue(v) {
			continue
		}
		slot, found = ix.hash.find(hashValue(v), func(slot uint32) bool { return slot != self && ix.has(slot, v) })
		if found {
			break
		}
	}
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

// Conflict returns the _id of a document that forbids to insert doc: one with the
// same _id, or with the same values in a unique index; nil if there is none. If paths
// are given, only _id or the index on these is asked, and CodeNotFound says that
// there is no such unique index.
func (db *DB) Conflict(name string, doc []byte, paths []string) (id []byte, err error) {
	isID := len(paths) == 1 && paths[0] == "_id"
	c := db.collections[name]
	if c == nil {
		if len(paths) > 0 && !isID {
			err = Fail(CodeNotFound, "insert", name, "there is no such unique index")
		}
		return nil, err
	}
	if doc, err = db.withDefaults("insert", c, doc); err != nil {
		return nil, err
	}
	if id := msgpack.Lookup(doc, "_id"); id != nil && (len(paths) == 0 || isID) && checkID("insert", name, id) == nil {
		if slot, found := c.slotOf(id); found {
			return slices.Clone(idOf(c.doc(slot))), nil
		}
	}
	asked := isID
	for _, ix := range c.indexes {
		if !ix.unique || len(paths) > 0 && !slices.Equal(ix.pathTexts(), paths) {
			continue
		}
		asked = true
		if slot, found := ix.conflict(doc, noSlot); found {
			return slices.Clone(idOf(c.doc(slot))), nil
		}
	}
	if len(paths) > 0 && !asked {
		return nil, Fail(CodeNotFound, "insert", name, "there is no such unique index")
	}
	return nil, nil
}

// conflicts reports whether a unique index forbids doc in the slot that holds
// old. Where the two have the same values, a conflict is in doubt already.
func (c *collection) conflicts(old, doc []byte, slot uint32) bool {
	for _, ix := range c.indexes {
		if !ix.unique || ix.same(old, doc) {
			continue
		}
		if _, found := ix.conflict(doc, slot); found {
			return true
		}
	}
	return false
}

// A doubt is a document that had the values of another one in a unique index, or a
// foreign key that an enforced relationship forbids, when it was written. Uniqueness is a property of the state after a statement,
// and in a transaction after its end: one of the two may have other values by
// then. For every two documents that share values, the one written last is in
// doubt, so nothing else has to be checked.
type doubt struct {
	op   string // that wrote it
	c    *collection
	slot uint32
}

// check returns CodeUnique or CodeRelationship if the document is still forbidden.
func (d *doubt) check(db *DB) error {
	if db.collections[d.c.name] != d.c || int(d.slot) >= len(d.c.refs) {
		return nil
	}
	doc := d.c.doc(d.slot)
	if doc == nil {
		return nil
	}
	if err := d.c.checkUnique(d.op, doc, d.slot); err != nil {
		return err
	}
	return db.checkReferences(d.op, d.c, doc, d.slot)
}

// settle ends a statement: it forgets the doubts from a place on that are none
// any more. Those that are left are an error, unless a savepoint is open.
// Older doubts stay, because the state that they are about may come back.
func (db *DB) settle(from int) error {
	kept := from
	for i := from; i < len(db.doubts); i++ {
		err := db.doubts[i].check(db)
		if err == nil {
			continue
		}
		if len(db.savepoints) == 0 {
			return err
		}
		db.doubts[kept] = db.doubts[i]
		kept++
	}
	db.cutDoubts(kept)
	return nil
}

// checkDoubts returns the error of the first doubt that is justified.
func (db *DB) checkDoubts() error {
	for i := range db.doubts {
		if err := db.doubts[i].check(db); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) cutDoubts(count int) {
	if count == 0 {
		db.doubts = nil // it may be long
		return
	}
	clear(db.doubts[count:])
	db.doubts = db.doubts[:count]
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
		if !isValue(ix.value(e, i)) {
			return false
		}
	}
	return true
}
