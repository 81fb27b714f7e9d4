package engine

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// An Edit is one step from an array of documents to another.
type Edit struct {
	Kind EditKind
	At   int // the index of the document that is inserted, removed, replaced or moved
	To   int // EditMove, EditMoveReplace: the index after the document was taken out
	// Document is the new one; nil of EditRemove and EditMove.
	Document []byte
}

// EditKind says what an Edit does.
type EditKind uint8

const (
	EditRemove EditKind = iota
	EditInsert
	EditReplace
	EditMove
	EditMoveReplace // it moves a document and replaces it
)

// Apply returns docs after the edit, of which it may reuse the memory.
func (e Edit) Apply(docs [][]byte) [][]byte {
	switch e.Kind {
	case EditRemove:
		return slices.Delete(docs, e.At, e.At+1)
	case EditInsert:
		return slices.Insert(docs, e.At, e.Document)
	case EditReplace:
		docs[e.At] = e.Document
		return docs
	}
	doc := docs[e.At]
	if e.Kind == EditMoveReplace {
		doc = e.Document
	}
	return slices.Insert(slices.Delete(docs, e.At, e.At+1), e.To, doc)
}

// liveFind keeps the slots of what a find has found, in its order: 3 bytes for each
// document. If the find has a limit, they are those before its end and some more, so
// that removing a document does not need another find.
type liveFind struct {
	name   string
	q      Query
	fields *projection
	first  int // the slots from this one up to end are the answer
	end    int // MaxInt if there is no limit

	slots  liveSlots
	more   bool // documents after the slots match too
	isKept bool // false: there was no room, or asking failed

	// Of the look in progress.
	in     *content
	rest   []touch  // changes that slots do not follow yet
	values [][]byte // by which the document sorts whose place is sought
	edits  []Edit
	bytes  int // of the documents of edits
	limit  int // of edits
}

// A find answers with edits if there are at most maxEdits, or a quarter of the
// documents, of at most maxEditBytes. Beyond, to ask again costs JavaScript no more:
// it takes 1 µs for each document.
const (
	minEdits     = 64
	maxEdits     = 2000
	maxEditBytes = 1 << 20
)

func newLiveFind(name string, q Query) *liveFind {
	f := &liveFind{name: name, q: q, fields: newProjection(q.Fields, q.Slices), first: max(q.Skip, 0), end: math.MaxInt}
	if q.Limit > 0 {
		f.end = min(f.first, math.MaxInt-q.Limit) + q.Limit
	}
	f.q.Skip, f.q.Limit = 0, 0
	if f.end < math.MaxInt-f.reserve() {
		f.q.Limit = f.end + f.reserve()
	}
	return f
}

// reserve is how many slots after the end of the answer are kept.
func (f *liveFind) reserve() int { return min(max(16, f.end/4), 1024) }

func (f *liveFind) ask(db *DB, room int) (err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	f.slots, f.more, f.isKept = liveSlots{}, false, false
	c := db.collections[f.name]
	if c == nil {
		f.isKept = true
		return checkName("find", f.name)
	}
	p := c.plan(f.q)
	slots := c.run(&p).slots
	if 4*len(slots) > room { // also if they become wide
		return nil
	}
	f.slots = newLiveSlots(slots)
	f.more = f.q.Limit > 0 && len(slots) == f.q.Limit
	f.isKept = true
	return nil
}

func (f *liveFind) keeps() int { return f.slots.keeps() }

func (f *liveFind) relocate(to []uint32) {
	for i := range f.slots.len() {
		slot := f.slots.at(i)
		moveSlot(&slot, to)
		f.slots.set(i, slot)
	}
}

func (f *liveFind) look(db *DB, room int, changes []touch) (u LiveUpdate, changed bool) {
	done := f.isKept
	f.in, f.edits, f.bytes = db.collections[f.name].content, nil, 0
	f.limit = min(max(minEdits, f.slots.len()/4), maxEdits)
	for i := range changes {
		t := &changes[i]
		before, after := t.matches(f.q.Where)
		if !before && !after {
			continue
		}
		changed = true
		if done = done && f.follow(t, changes[i:], before, after); !done {
			break
		}
	}
	f.rest = nil
	if done {
		done = f.refill(db, room)
	}
	u.Edits = f.edits
	f.in, f.edits, f.values = nil, nil, nil
	if done || !changed {
		return u, len(u.Edits) > 0
	}
	_ = f.ask(db, room) // the caller meets the error when it asks
	return LiveUpdate{Again: true}, true
}

// follow brings the slots and the edits after the first of some changes, from after
// those before it. It returns false if that does not pay, or is not possible.
func (f *liveFind) follow(t *touch, rest []touch, before, after bool) bool {
	from := -1
	if before {
		f.rest = rest
		i := f.place(t.slot, t.was, -1)
		if i < f.slots.len() && f.slots.at(i) == t.slot {
			from = i
		} else if !f.more {
			if invariants {
				panic("engine: a live query has lost a document")
			}
			return false
		}
	}
	f.rest = rest[1:]
	switch {
	case !after:
		if from >= 0 {
			f.remove(from)
		}
	case from >= 0 && f.sortsSame(t):
		f.replace(from, t)
	default:
		known := f.slots.len()
		if from >= 0 {
			known--
		}
		switch to := f.place(t.slot, t.now, from); {
		case f.more && to == known: // whether others come before it is not known
			if from >= 0 {
				f.remove(from)
			}
		case from < 0:
			f.insert(to, t.slot)
		case to == from:
			f.replace(from, t)
		default:
			f.move(from, to, t)
		}
	}
	return len(f.edits) <= f.limit && f.bytes <= maxEditBytes
}

// doc returns the document of a slot as slots are sorted now: before the changes
// that they do not follow yet.
func (f *liveFind) doc(slot uint32) []byte {
	from, to := 0, len(f.rest)
	for from < to {
		mid := int(uint(from+to) >> 1)
		if f.rest[mid].slot < slot {
			from = mid + 1
		} else {
			to = mid
		}
	}
	if from < len(f.rest) && f.rest[from].slot == slot {
		return f.rest[from].was
	}
	return f.in.doc(slot)
}

// place returns how many of the slots, of which the one at hole is left out, come
// before a document. hole -1: none.
func (f *liveFind) place(slot uint32, doc []byte, hole int) int {
	f.values = f.values[:0]
	for _, k := range f.q.Sort {
		f.values = append(f.values, k.value(doc))
	}
	from, to := 0, f.slots.len()
	if hole >= 0 {
		to--
	}
	for from < to {
		mid := int(uint(from+to) >> 1)
		at := mid
		if hole >= 0 && at >= hole {
			at++
		}
		if f.compare(f.slots.at(at), slot) < 0 {
			from = mid + 1
		} else {
			to = mid
		}
	}
	return from
}

// compare compares one of the slots with another one, whose document has f.values.
func (f *liveFind) compare(slot, with uint32) int {
	if len(f.q.Sort) > 0 {
		doc := f.doc(slot)
		for i, k := range f.q.Sort {
			if c := msgpack.Compare(k.value(doc), f.values[i]); c != 0 {
				if k.Descending {
					return -c
				}
				return c
			}
		}
	}
	return cmp.Compare(slot, with)
}

// sortsSame reports whether a change leaves a document at its place.
func (f *liveFind) sortsSame(t *touch) bool {
	for _, k := range f.q.Sort {
		if !t.sameAt(k.Path) {
			return false
		}
	}
	return true
}

// isShown reports whether the slot at i is of a document of the answer.
func (f *liveFind) isShown(i int) bool { return i >= f.first && i < f.end }

func (f *liveFind) remove(i int) {
	known := f.slots.len()
	f.slots.remove(i)
	if i >= f.end {
		return
	}
	if i = max(i, f.first); i < known {
		f.edit(Edit{Kind: EditRemove, At: i - f.first})
	}
	if known > f.end { // the first one after the end is before it now
		f.edit(Edit{Kind: EditInsert, At: f.end - 1 - f.first, Document: f.doc(f.slots.at(f.end - 1))})
	}
}

func (f *liveFind) insert(i int, slot uint32) {
	known := f.slots.len()
	f.slots.insert(i, slot)
	if i >= f.end {
		return
	}
	if known >= f.end {
		f.edit(Edit{Kind: EditRemove, At: f.end - 1 - f.first})
	}
	if i = max(i, f.first); i <= known {
		f.edit(Edit{Kind: EditInsert, At: i - f.first, Document: f.doc(f.slots.at(i))})
	}
}

// replace is for a document that has changed and stays at its place.
func (f *liveFind) replace(i int, t *touch) {
	if f.isShown(i) && !f.looksSame(t) {
		f.edit(Edit{Kind: EditReplace, At: i - f.first, Document: t.now})
	}
}

func (f *liveFind) move(i, to int, t *touch) {
	switch {
	case f.isShown(i) && f.isShown(to):
		f.slots.move(i, to)
		e := Edit{Kind: EditMove, At: i - f.first, To: to - f.first}
		if !f.looksSame(t) {
			e.Kind, e.Document = EditMoveReplace, t.now
		}
		f.edit(e)
	default:
		f.remove(i)
		f.insert(to, t.slot)
	}
}

// looksSame reports whether a change leaves the fields as they are that the find
// returns.
func (f *liveFind) looksSame(t *touch) bool {
	return f.fields != nil && bytes.Equal(f.fields.append(nil, t.was), f.fields.append(nil, t.now))
}

func (f *liveFind) edit(e Edit) {
	if e.Document != nil && f.fields != nil {
		e.Document = f.fields.append(nil, e.Document)
	}
	f.bytes += len(e.Document)
	f.edits = append(f.edits, e)
}

// refill cuts off slots that are far after the end of the answer, and asks if too
// few are left before it. It returns false if that fails.
func (f *liveFind) refill(db *DB, room int) bool {
	if f.q.Limit > 0 && f.slots.len() > f.q.Limit+f.reserve() {
		f.slots.cut(f.q.Limit)
		f.more = true
	}
	if f.slots.keeps() > room {
		f.slots.clip()
		return f.slots.keeps() <= room
	}
	if !f.more || f.slots.len() >= f.end {
		return true
	}
	known := f.slots.len()
	if f.ask(db, room) != nil || !f.isKept {
		return false
	}
	for i := max(known, f.first); i < min(f.end, f.slots.len()); i++ {
		f.edit(Edit{Kind: EditInsert, At: i - f.first, Document: f.doc(f.slots.at(i))})
	}
	return f.bytes <= maxEditBytes
}

func (f *liveFind) check(db *DB) string {
	if !f.isKept {
		return ""
	}
	fresh := newLiveFind(f.name, Query{Where: f.q.Where, Sort: f.q.Sort})
	if err := fresh.ask(db, math.MaxInt); err != nil {
		return ""
	}
	own, all := f.slots.all(), fresh.slots.all()
	if len(own) > len(all) || !slices.Equal(own, all[:len(own)]) {
		return "it has other documents than a find"
	}
	if !f.more && len(own) != len(all) || f.more && len(own) < f.end {
		return "it has fewer documents than a find"
	}
	return ""
}
