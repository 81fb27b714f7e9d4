package engine

import (
	"bytes"
	"cmp"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A history holds the documents that the latest changes were about. From them it
// can tell whether a cached answer is still valid, by a look at one or two
// documents instead of running the query again.
//
// It may be forgotten at any moment: then no cached answer is known to be valid.
type history struct {
	touches [maxTouches]touch // a ring
	next    int               // the place of the next touch
	since   uint64            // it has every change after this version
}

// A touch is a change of one document.
type touch struct {
	version  uint64 // DB.Version after the change
	in       *content
	slot     uint32
	was, now []byte // the document before and after; nil: there is none
}

// maxTouches is how many documents may change before a cached answer is no longer
// known to be valid: each costs up to two matches, of 150 ns as js/wasm.
const maxTouches = 64

// forget is for changes that are not about single documents, and for slots that
// have moved. version is the present one.
func (h *history) forget(version uint64) {
	h.since = version
	clear(h.touches[:]) // they would keep contents and arenas from being collected
}

// remember adds the change that DB.Version has just counted.
func (db *DB) remember(ch *change) {
	h := &db.history
	t := touch{version: db.version, in: ch.in, slot: ch.slot}
	switch ch.kind {
	case added:
		t.now = ch.in.arena.get(ch.r, int(ch.size))
	case replaced:
		t.was, t.now = ch.in.arena.get(ch.was, int(ch.wasSize)), ch.in.arena.get(ch.r, int(ch.size))
	case removed:
		t.was = ch.in.arena.get(ch.was, int(ch.wasSize))
	case numbered, created:
		return // it changes no document
	default:
		h.forget(db.version)
		return
	}
	place := &h.touches[h.next]
	h.since = max(h.since, place.version)
	*place = t
	h.next = (h.next + 1) % maxTouches
}

// stillValid reports whether the last changes, as many as given, leave an answer
// about a collection as it is. keeps reports that of a single change.
func (db *DB) stillValid(changes uint64, name string, keeps func(t *touch) bool) bool {
	h := &db.history
	if changes > db.version || db.version-changes < h.since {
		return false
	}
	c := db.collections[name]
	for i := 1; i <= maxTouches; i++ {
		t := &h.touches[(h.next+maxTouches-i)%maxTouches]
		if t.version <= db.version-changes {
			break
		}
		if c != nil && t.in == c.content && !keeps(t) {
			return false
		}
	}
	return true
}

// matches reports whether the document before the touch met f, and whether the one
// after it does.
func (t *touch) matches(f *query.Filter) (before, after bool) {
	return t.was != nil && (f == nil || f.Match(t.was)), t.now != nil && (f == nil || f.Match(t.now))
}

// FindStillValid reports whether Find would return the same documents in the same
// order as it did so many changes ago, which is the difference of two Versions. It
// may return false though they are the same.
//
// last is the _id of the last document that Find returned then if it returned as
// many as q.Limit; else nil.
func (db *DB) FindStillValid(name string, q Query, last []byte, changes uint64) bool {
	if len(q.Populate) > 0 {
		return changes == 0 // the answer has documents of other collections
	}
	var end []byte
	var endSlot uint32
	if c := db.collections[name]; c != nil && last != nil && q.Limit > 0 {
		if slot, ok := c.slotOf(last); ok {
			endSlot, end = slot, c.doc(slot)
		}
	}
	// A document after the last one is not in the answer.
	beyond := func(slot uint32, doc []byte) bool {
		if end == nil {
			return false
		}
		return cmp.Or(compareBy(q.Sort, doc, end), cmp.Compare(slot, endSlot)) > 0
	}
	var fields *projection
	return db.stillValid(changes, name, func(t *touch) bool {
		if end != nil && t.slot == endSlot {
			return false // the last document itself has changed
		}
		before, after := t.matches(q.Where)
		if (!before || beyond(t.slot, t.was)) && (!after || beyond(t.slot, t.now)) {
			return true
		}
		if !before || !after || len(q.Fields) == 0 {
			return false
		}
		for _, k := range q.Sort {
			if !t.sameAt(k.Path) {
				return false
			}
		}
		if fields == nil {
			fields = newProjection(q.Fields, q.Slices)
		}
		return bytes.Equal(fields.append(nil, t.was), fields.append(nil, t.now))
	})
}

// CountStillValid is FindStillValid for Count.
func (db *DB) CountStillValid(name string, where *query.Filter, changes uint64) bool {
	return db.stillValid(changes, name, func(t *touch) bool {
		before, after := t.matches(where)
		return before == after
	})
}

// IDsStillValid is FindStillValid for IDs.
func (db *DB) IDsStillValid(name string, changes uint64) bool {
	return db.CountStillValid(name, nil, changes)
}

// DistinctStillValid is FindStillValid for Distinct.
func (db *DB) DistinctStillValid(name string, path query.Path, where *query.Filter, changes uint64) bool {
	return db.stillValid(changes, name, func(t *touch) bool { return t.keepsDistinct(path, where) })
}

// keepsDistinct reports whether a change leaves the answer of Distinct as it is.
func (t *touch) keepsDistinct(path query.Path, where *query.Filter) bool {
	before, after := t.matches(where)
	return !before && !after || before && after && t.sameAt(path)
}

// AggregateStillValid is FindStillValid for Aggregate.
func (db *DB) AggregateStillValid(name string, a Aggregate, changes uint64) bool {
	return db.stillValid(changes, name, func(t *touch) bool { return t.keepsGroups(&a) })
}

// keepsGroups reports whether a change leaves the answer of Aggregate as it is.
func (t *touch) keepsGroups(a *Aggregate) bool {
	before, after := t.matches(a.Where)
	if before != after {
		return false
	}
	for _, path := range a.GroupBy {
		if before && !t.sameAt(path) {
			return false
		}
	}
	for _, o := range a.Select {
		if before && !o.Path.IsEmpty() && !t.sameAt(o.Path) {
			return false
		}
	}
	return true
}

// sameAt reports whether path reaches the same values in the documents before and
// after the touch. There must be both.
func (t *touch) sameAt(path query.Path) bool {
	path = path.Bare() // of values with the same key another may be in the answer
	was, plainWas := path.Lookup(t.was)
	now, plainNow := path.Lookup(t.now)
	if plainWas && plainNow {
		return (was == nil) == (now == nil) && bytes.Equal(was, now)
	}
	return bytes.Equal(reached(path, t.was), reached(path, t.now))
}

// reached returns the values that path reaches in doc, one after the other. A byte that
// begins no value stands for a way that ends without one.
func reached(path query.Path, doc []byte) (values []byte) {
	path.VisitWays(doc, func(v []byte, _ bool) bool {
		if v == nil {
			v = []byte{0xc1}
		}
		values = append(values, v...)
		return true
	})
	return values
}
