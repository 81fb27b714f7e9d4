package engine

import (
	"bytes"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A DocumentChange is what a batch did to one document. Its bytes are MessagePack,
// and borrowed from memory that never changes, so they may be kept.
type DocumentChange struct {
	Collection string
	ID         []byte
	Before     []byte // nil: the document was inserted
	After      []byte // nil: the document was removed
}

// Size returns about how many bytes the change takes.
func (d *DocumentChange) Size() int { return 96 + len(d.ID) + len(d.Before) + len(d.After) }

// CutChanges visits what the oldest batch that was cut, the one that Confirm is
// about, did to documents, in the order in which it did it. A document may be
// there several times. Clearing and dropping a collection remove each of its
// documents. Documents of the catalog are passed over.
func (db *DB) CutChanges(visit func(DocumentChange)) {
	visitChanges(db.journal[:db.cuts[0]], visit)
}

// visitChanges visits what changes did to documents.
func visitChanges(changes []change, visit func(DocumentChange)) {
	for i := range changes {
		ch := &changes[i]
		d := DocumentChange{Collection: ch.c.name}
		if isInternal(d.Collection) {
			continue
		}
		switch ch.kind {
		case added:
			for docs := ch.in.arena.get(ch.r, int(ch.size)); len(docs) > 0; docs = docs[len(d.After):] {
				d.After = docs[:msgpack.Skip(docs)]
				d.ID = idOf(d.After)
				visit(d)
			}
		case replaced:
			d.Before, d.After = ch.in.arena.get(ch.was, int(ch.wasSize)), ch.in.arena.get(ch.r, int(ch.size))
			d.ID = idOf(d.After)
			visit(d)
		case removed:
			d.Before = ch.in.arena.get(ch.was, int(ch.wasSize))
			d.ID = idOf(d.Before)
			visit(d)
		case cleared:
			visitRemoved(d.Collection, ch.previous, visit)
		case dropped:
			visitRemoved(d.Collection, ch.c.content, visit)
		}
	}
}

// visitRemoved visits the removal of every document of c.
func visitRemoved(name string, c *content, visit func(DocumentChange)) {
	for slot := range c.refs {
		if doc := c.doc(uint32(slot)); doc != nil {
			visit(DocumentChange{Collection: name, ID: idOf(doc), Before: doc})
		}
	}
}

// isInternal reports whether users do not see a collection of that name.
func isInternal(name string) bool { return name[0] == '_' }

// VisitDifference visits the changes that lead from the documents of one DB to
// those of another: of each collection first what is removed, then what is
// inserted or updated, in insertion order.
func VisitDifference(from, to *DB, visit func(DocumentChange)) {
	names := append(from.Collections(), to.Collections()...)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		old, fresh := from.collections[name], to.collections[name]
		if old != nil {
			for slot := range old.refs {
				doc := old.doc(uint32(slot))
				if doc == nil || fresh != nil && fresh.docOf(idOf(doc)) != nil {
					continue
				}
				visit(DocumentChange{Collection: name, ID: idOf(doc), Before: doc})
			}
		}
		if fresh == nil {
			continue
		}
		for slot := range fresh.refs {
			doc := fresh.doc(uint32(slot))
			if doc == nil {
				continue
			}
			var before []byte
			if old != nil {
				before = old.docOf(idOf(doc))
			}
			if !bytes.Equal(before, doc) {
				visit(DocumentChange{Collection: name, ID: idOf(doc), Before: before, After: doc})
			}
		}
	}
}

// docOf returns the document of an id, borrowed; nil if there is none.
func (c *content) docOf(id []byte) []byte {
	if slot, ok := c.slotOf(id); ok {
		return c.doc(slot)
	}
	return nil
}

// WithoutPending runs read while the DB is as the last confirmed batch left it.
// Everything since is undone and then made again, which takes about as long as the
// changes did and copies no document. read must not change the DB.
func (db *DB) WithoutPending(read func()) {
	if len(db.journal) == 0 {
		read()
		return
	}
	db.undoTo(0)
	defer func() {
		if db.redoEach(db.journal) {
			db.declareAll()
		}
	}()
	read()
}
