package engine

import "github.com/atomicdb-go/atomicdb/engine/msgpack"

// A change is one entry of the journal: what a primitive did, with all that it
// takes to undo it and to write it into a batch.
type change struct {
	kind changeKind
	c    *collection
	in   *content // what c held when it happened; the refs are places in its arena
	// added: n documents went into new slots from slot on; together they are
	// the size bytes at r. replaced: the document in slot is now the size bytes
	// at r and was the wasSize bytes at was. removed: it was the wasSize bytes
	// at was.
	slot, n  uint32
	r        ref
	size     uint32
	was      ref
	wasSize  uint32
	nextID   int64    // before the change; once it is undone, after the change; of stamped, that of collection.updated
	previous *content // cleared: the content before; once it is undone, the empty one
}

type changeKind uint8

const (
	added changeKind = iota
	replaced
	removed
	numbered // only nextID changed
	cleared
	created // a collection was created
	dropped // a collection was dropped
	stamped // only collection.updated changed
)

// note adds a change to the journal. Inserts whose documents lie side by side in
// the arena become one change.
func (db *DB) note(ch change) {
	db.version++
	if ch.kind <= numbered {
		ch.in = ch.c.content
	}
	db.remember(&ch)
	if ch.kind == added && len(db.journal) > db.sealed {
		last := &db.journal[len(db.journal)-1]
		if last.kind == added && last.in == ch.in && last.slot+last.n == ch.slot &&
			last.r+ref(last.size) == ch.r && int(last.r&(chunkBytes-1))+int(last.size)+int(ch.size) <= chunkBytes {
			last.n++
			last.size += ch.size
			return
		}
	}
	db.journal = append(db.journal, ch)
}

// mark returns the end of the journal, to roll back to. Later changes join no
// entry before it.
func (db *DB) mark() int {
	db.sealed = len(db.journal)
	return db.sealed
}

// rollbackTo undoes every change after mark, the newest first.
func (db *DB) rollbackTo(mark int) {
	db.undoTo(mark)
	clear(db.journal[mark:]) // they would keep contents from being collected
	db.cutJournal(mark)
}

// undoTo is rollbackTo without forgetting the changes.
func (db *DB) undoTo(mark int) {
	catalogChanged := false
	for i := len(db.journal) - 1; i >= mark; i-- {
		db.version++
		catalogChanged = catalogChanged || db.journal[i].c.name == catalogName
		db.undo(&db.journal[i])
	}
	if mark < len(db.journal) {
		db.history.forget(db.version)
	}
	if catalogChanged {
		db.declareAll()
	}
}

func (db *DB) cutJournal(mark int) {
	db.journal = db.journal[:mark]
	db.sealed = min(db.sealed, mark)
}

// undo undoes the newest change that is not undone, and leaves in it what redo
// needs.
func (db *DB) undo(ch *change) {
	c := ch.c
	switch ch.kind {
	case added:
		for slot := ch.slot + ch.n; slot > ch.slot; slot-- {
			c.content.remove(slot - 1)
		}
		c.truncate(ch.slot)
	case replaced:
		c.content.replace(ch.slot, ch.was, ch.wasSize)
		c.dead -= int64(ch.wasSize) // in use again; the new bytes stay garbage
	case removed:
		doc := c.arena.get(ch.was, int(ch.wasSize))
		c.forget(ch.slot) // a cache may have looked while there was no document
		c.content.revive(ch.slot, ch.was, ch.wasSize, hashID(idOf(doc)))
		c.dead -= int64(ch.wasSize)
	case cleared:
		c.content, ch.previous = ch.previous, c.content
	case created:
		delete(db.collections, c.name)
	case dropped:
		db.collections[c.name] = c
	}
	ch.swapNumbers()
}

// swapNumbers exchanges what a change set besides documents with what was before.
func (ch *change) swapNumbers() {
	if ch.in != nil {
		ch.in.nextID, ch.nextID = ch.nextID, ch.in.nextID
	}
	if ch.kind == stamped {
		at := uint64(ch.nextID)
		ch.nextID, ch.c.updated = int64(ch.c.updated), at
	}
}

// stamp notes that a collection was changed at a time. It changes no answer of a
// query, and so not the version.
func (db *DB) stamp(c *collection, at uint64) {
	if c.updated != at && at > 0 {
		db.journal = append(db.journal, change{kind: stamped, c: c, nextID: int64(c.updated)})
		c.updated = at
	}
}

// redo makes the change again that undo undid last. The arena still has its bytes.
func (db *DB) redo(ch *change) {
	c := ch.c
	switch ch.kind {
	case added:
		docs := c.arena.get(ch.r, int(ch.size))
		for at := 0; at < len(docs); {
			n := msgpack.Skip(docs[at:])
			c.content.add(ch.r+ref(at), uint32(n), hashID(idOf(docs[at:at+n])))
			at += n
		}
		c.dead -= int64(ch.size) // in use again
	case replaced:
		c.content.replace(ch.slot, ch.r, ch.size)
		c.dead -= int64(ch.size)
	case removed:
		c.content.remove(ch.slot)
	case cleared:
		c.content, ch.previous = ch.previous, c.content
	case created:
		db.collections[c.name] = c
	case dropped:
		delete(db.collections, c.name)
	}
	ch.swapNumbers()
}
