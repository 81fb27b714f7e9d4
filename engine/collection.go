package engine

import "github.com/atomicdb-go/atomicdb/engine/msgpack"

// A collection is a name and what it holds now. Clearing it swaps the content
// for an empty one, which costs the same for ten documents as for a million
// and is undone by swapping back.
type collection struct {
	name    string
	updated uint64          // when the newest batch about it was cut, in ms since 1970; 0: not known
	schema  *declaredSchema // that documents must fit; nil: none
	keys    []*relation     // whose foreign keys it holds
	*content
}

// content is the documents of a collection by slot, with the indexes and caches
// over them.
type content struct {
	arena   arena
	refs    []ref    // by slot
	sizes   []uint32 // by slot; 0: the document has been removed
	live    int      // documents
	bytes   int64    // of live documents
	dead    int64    // bytes of the arena that no slot refers to
	ids     idTable
	nextID  int64 // the next id that the engine gives
	indexes []*index
	moved   []*index // empty; replace reuses it
	watch   *watch   // notes what changes for live queries; nil: none asks about it

	caches     []anyCache     // columns, dictionaries and numbers
	refused    map[string]int // paths that no dictionary pays for, by how many documents there were
	columnFrom int            // Options.ColumnThreshold
	clock      int            // counts uses of the caches
	debt       int            // documents that scans have looked at without columns
	meter      *meter         // the DB's
}

func newContent(columnFrom int, m *meter) *content {
	return &content{nextID: 1, columnFrom: columnFrom, meter: m}
}

// doc returns the document in slot, borrowed; nil if it has been removed.
func (c *content) doc(slot uint32) []byte {
	size := c.sizes[slot]
	if size == 0 {
		return nil
	}
	return c.arena.get(c.refs[slot], int(size))
}

// idOf returns the _id of a stored document, which is always its first field.
func idOf(doc []byte) []byte {
	_, header := msgpack.Container(doc)
	v := doc[header+len(idKey):]
	n := msgpack.Skip(v)
	return v[:n:n]
}

// idKey is the encoded field name _id.
const idKey = "\xa3_id"

// slotOf finds the document of an id.
func (c *content) slotOf(id []byte) (uint32, bool) {
	return c.slotOfHash(hashID(id), id)
}

func (c *content) slotOfHash(hash uint32, id []byte) (uint32, bool) {
	return c.ids.find(hash, func(slot uint32) bool { return msgpack.Equal(idOf(c.doc(slot)), id) })
}

// The primitives below are all that changes a content. They keep ids, indexes and
// counts in step, and know nothing of undo or batches.

// add puts the document at r into a new slot. hash is that of its id, which the
// caller has checked is free.
func (c *content) add(r ref, size, hash uint32) (slot uint32) {
	slot = uint32(len(c.refs))
	c.refs = append(c.refs, r)
	c.sizes = append(c.sizes, 0)
	c.revive(slot, r, size, hash)
	return slot
}

// revive fills an empty slot.
func (c *content) revive(slot uint32, r ref, size, hash uint32) {
	if c.watch != nil {
		c.watch.note(slot, 0, 0)
	}
	c.refs[slot], c.sizes[slot] = r, size
	c.live++
	c.bytes += int64(size)
	c.ids.add(hash, slot)
	for _, ix := range c.indexes {
		ix.add(slot, c.doc(slot))
	}
}

// replace puts another document of the same id into slot.
func (c *content) replace(slot uint32, r ref, size uint32) {
	if c.watch != nil {
		c.watch.note(slot, c.refs[slot], c.sizes[slot])
	}
	old, fresh := c.doc(slot), c.arena.get(r, int(size))
	c.forget(slot)
	moved := c.moved[:0]
	for _, ix := range c.indexes {
		if ix.isBuilt() && !ix.same(old, fresh) {
			ix.remove(slot, old)
			moved = append(moved, ix)
		}
	}
	c.bytes += int64(size) - int64(len(old))
	c.dead += int64(len(old))
	c.refs[slot], c.sizes[slot] = r, size
	for _, ix := range moved {
		ix.add(slot, fresh)
	}
	clear(moved)
	c.moved = moved
}

// remove empties slot.
func (c *content) remove(slot uint32) {
	if c.watch != nil {
		c.watch.note(slot, c.refs[slot], c.sizes[slot])
	}
	old := c.doc(slot)
	for _, ix := range c.indexes {
		ix.remove(slot, old)
	}
	c.ids.remove(hashID(idOf(old)), slot)
	c.live--
	c.bytes -= int64(len(old))
	c.dead += int64(len(old))
	c.sizes[slot] = 0
}

// forget drops what the caches know of one slot, which will hold another
// document.
func (c *content) forget(slot uint32) {
	for _, cache := range c.caches {
		cache.forget(slot)
	}
}

// truncate removes the slots from end on, which are empty.
func (c *content) truncate(end uint32) {
	c.refs, c.sizes = c.refs[:end], c.sizes[:end]
	for _, cache := range c.caches {
		cache.truncate(end)
	}
}

// compacted returns a content with the same documents in the same order, without
// the garbage that updates and removes left; c itself if that does not pay.
func (c *content) compacted() *content {
	const worthwhile = 256 << 10
	wasted := c.dead + int64(8*(len(c.refs)-c.live))
	if wasted < worthwhile || wasted < c.bytes {
		return c
	}
	fresh := newContent(c.columnFrom, c.meter)
	fresh.nextID = c.nextID
	fresh.refs = make([]ref, 0, c.live)
	fresh.sizes = make([]uint32, 0, c.live)
	move := c.watch.relocation(fresh)
	for slot := range c.refs {
		move.next(uint32(slot))
		if doc := c.doc(uint32(slot)); doc != nil {
			r, _ := fresh.arena.put(doc) // it cannot be full: c's arena holds more
			fresh.add(r, uint32(len(doc)), hashID(idOf(doc)))
		}
	}
	for _, ix := range c.indexes {
		fresh.indexes = append(fresh.indexes, newIndex(ix.indexSpec, fresh))
	}
	move.finish()
	return fresh
}
