package engine

import "github.com/atomicdb-go/atomicdb/engine/msgpack"

// A change is one entry of the journal: what a primitive did, and what it
// takes to undo it and to write it into a batch.
type change struct {
	kind changeKind
	c    *collection
	in   *content // what c held when it happened: the refs below are its arena's
	// added: n documents went into new slots from slot on; together they are
	// the size bytes at r. replaced: the document in slot was was, and is now
	// the size bytes at r. removed: it was was.
	slot, n  uint32
	r        ref
	size     uint32
	was      ref
	wasSize  uint32
	nextID   int64    // before the change; after it, once it is undone
	previous *content // cleared: what the collection held; what it held then, once it is undone
}

type changeKind uint8

const (
	added changeKind = iota
	replaced
	removed
	numbered // nextID moved on alone
	cleared
	created // a collection came to be
	dropped // a collection went
)

// note adds a change to the journal. Bulk inserts become one change as long
// as their documents lie side by side in the arena.
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

// mark is a place in the journal to come back to. Nothing noted later joins an
// entry before it.
func (db *DB) mark() int {
	db.sealed = len(db.journal)
	return db.sealed
}

// rollbackTo undoes every change after mark, the newest first.
func (db *DB) rollbackTo(mark int) {
	db.undoTo(mark)
	clear(db.journal[mark:]) // they hold contents that would otherwise live on
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

// undo takes back the newest change that is not undone, and leaves in it what
// redo needs.
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
		c.dead -= int64(ch.wasSize) // it is in use again; the undone bytes stay garbage
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
	if ch.in != nil {
		ch.in.nextID, ch.nextID = ch.nextID, ch.in.nextID
	}
}

// redo does the change again that undo took back last. The arena still has its
// bytes.
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
	if ch.in != nil {
		ch.in.nextID, ch.nextID = ch.nextID, ch.in.nextID
	}
}
