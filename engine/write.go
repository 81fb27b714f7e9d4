package engine

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// maxSafeID is the largest integer that JavaScript holds exactly.
const maxSafeID = 1<<53 - 1

// Insert adds documents, MessagePack maps one after the other, to a collection,
// all or none. It returns their ids as a MessagePack array. A document without
// _id gets the next integer. The bytes are copied.
//
// With upsert, every document must have an _id, and replaces the document that
// has this _id already. The unique indexes then hold for the state after all of
// them, and in a savepoint for that at its release. Otherwise each document is
// checked when it is added.
//
// Errors: invalid (malformed, too large, too deep, bad _id), schema, duplicate_id, unique.
func (db *DB) Insert(name string, docs []byte, upsert bool) (ids []byte, err error) {
	op := "insert"
	if upsert {
		op = "upsert"
	}
	if err := db.checkEnsure(op, name); err != nil {
		return nil, err
	}
	count := 0
	ids = make([]byte, maxArrayHeader)
	err = db.whole(func() error {
		c := db.ensure(name)
		c.expect(int64(len(docs)))
		for len(docs) > 0 {
			n, err := db.checkDocument(op, c.name, docs)
			if err != nil {
				return err
			}
			doc, err := db.withDefaults(op, c, docs[:n])
			if err != nil {
				return err
			}
			if ids, err = db.insertOne(op, c, doc, upsert, ids); err != nil {
				return err
			}
			docs = docs[n:]
			if count++; count == 1 {
				more := len(docs) / n // if they are like the first
				ids = slices.Grow(ids, min(more*(len(ids)-maxArrayHeader), len(docs)))
				c.reserve(min(more, len(docs)/32))
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var header [maxArrayHeader]byte
	size := len(msgpack.AppendArray(header[:0], count))
	ids = ids[maxArrayHeader-size:]
	copy(ids, header[:size])
	return ids, nil
}

// maxArrayHeader is how many bytes the header of an array takes at most. Room for it is
// left before the ids, whose number is not known before the last one: to copy them
// behind it touches as much new memory again.
const maxArrayHeader = 5

// checkDocument returns the length of the first document of docs.
func (db *DB) checkDocument(op, target string, docs []byte) (int, error) {
	if msgpack.KindOf(docs) != msgpack.Map {
		return 0, Fail(CodeInvalid, op, target, "a document must be an object")
	}
	n, err := msgpack.Validate(docs, db.opts.MaxDepth)
	if err != nil {
		return 0, &Error{Code: CodeInvalid, Op: op, Target: target, Err: db.tooDeep(err)}
	}
	return n, db.checkSize(op, target, n)
}

func (db *DB) checkSize(op, target string, n int) error {
	if n <= db.opts.MaxDocumentBytes {
		return nil
	}
	return Fail(CodeInvalid, op, target, "the document takes "+strconv.Itoa(n)+" bytes; the limit is "+strconv.Itoa(db.opts.MaxDocumentBytes))
}

// tooDeep adds the limit to an error about depth.
func (db *DB) tooDeep(err error) error {
	if f, ok := err.(*msgpack.Fault); ok && f.Reason == msgpack.TooDeep {
		return &msgpack.Fault{Path: f.Path, Reason: f.Reason + "; the limit is " + strconv.Itoa(db.opts.MaxDepth) + " levels"}
	}
	return err
}

// insertOne stores one validated document and appends its id to ids.
func (db *DB) insertOne(op string, c *collection, doc []byte, upsert bool, ids []byte) ([]byte, error) {
	id := msgpack.Lookup(doc, "_id")
	nextID := c.nextID
	var hash uint32
	switch {
	case id != nil:
		if err := checkID(op, c.name, id); err != nil {
			return nil, err
		}
		hash = hashID(id)
		if slot, taken := c.slotOfHash(hash, id); taken {
			if !upsert {
				return nil, Fail(CodeDuplicateID, op, target(c, id), "a document with this _id exists")
			}
			ids = append(ids, id...)
			return ids, db.store(op, c, slot, idFirst(doc, id))
		}
	case upsert:
		return nil, Fail(CodeInvalid, op, c.name, "the document has no _id")
	case nextID > maxSafeID:
		return nil, Fail(CodeInvalid, op, c.name, "the integer ids are used up; give documents an _id")
	}

	var r ref
	var ok bool
	var size int
	if id == nil {
		count, header := msgpack.Container(doc)
		var buf [24]byte
		head := append(msgpack.AppendMap(buf[:0], count+1), idKey...)
		start := len(head)
		head = msgpack.AppendInt(head, nextID)
		ids = append(ids, head[start:]...)
		hash = hashID(head[start:])
		size = len(head) + len(doc) - header
		r, ok = c.arena.put(head, doc[header:])
	} else {
		ids = append(ids, id...)
		doc = idFirst(doc, id)
		size = len(doc)
		r, ok = c.arena.put(doc)
	}
	if !ok {
		return nil, &Error{Code: CodeInvalid, Op: op, Target: c.name, Err: errFull}
	}
	stored := c.arena.get(r, size)
	if err := c.checkSchema(op, stored); err != nil {
		c.dead += int64(size)
		return nil, err
	}
	err := c.checkUnique(op, stored, noSlot)
	if err != nil && !upsert {
		c.dead += int64(size)
		return nil, err
	}
	slot := c.content.add(r, uint32(size), hash)
	if err != nil || c.keys != nil && db.checkReferences(op, c, stored, slot) != nil {
		db.doubts = append(db.doubts, doubt{op, c, slot})
	}
	c.passID(stored)
	db.note(change{kind: added, c: c, slot: slot, n: 1, r: r, size: uint32(size), nextID: nextID})
	return ids, nil
}

// passID keeps nextID above every integer id, so that no id is given twice.
func (c *content) passID(doc []byte) {
	if n, ok := msgpack.Int(idOf(doc)); ok && n >= c.nextID {
		c.nextID = n + 1
	}
}

// store replaces the document in slot by doc, which has the same id.
func (db *DB) store(op string, c *collection, slot uint32, doc []byte) error {
	old := c.doc(slot)
	if bytes.Equal(old, doc) {
		return nil
	}
	if err := c.checkSchema(op, doc); err != nil {
		return err
	}
	if c.conflicts(old, doc, slot) || c.keys != nil && db.checkReferences(op, c, doc, slot) != nil {
		db.doubts = append(db.doubts, doubt{op, c, slot})
	}
	if err := db.put(c, slot, doc); err != nil {
		return &Error{Code: CodeInvalid, Op: op, Target: c.name, Err: err}
	}
	return nil
}

var errFull = errors.New("the collection is full, at 4 GiB")

// put is store without the checks.
func (db *DB) put(c *collection, slot uint32, doc []byte) error {
	r, ok := c.arena.put(doc)
	if !ok {
		return errFull
	}
	db.note(change{
		kind: replaced, c: c, slot: slot, r: r, size: uint32(len(doc)),
		was: c.refs[slot], wasSize: c.sizes[slot], nextID: c.nextID,
	})
	c.content.replace(slot, r, uint32(len(doc)))
	return nil
}

// removeSlot removes the document in slot.
func (db *DB) removeSlot(c *collection, slot uint32) {
	db.note(change{kind: removed, c: c, slot: slot, was: c.refs[slot], wasSize: c.sizes[slot], nextID: c.nextID})
	c.content.remove(slot)
}

// UpdateEach applies to each document its own update, or none if one fails: pairs
// is a MessagePack array of [id, update]. It passes over ids that no document has
// and returns how many documents it changed. now is as in UpdateContext. Errors: as
// Update.
func (db *DB) UpdateEach(name string, pairs []byte, now uint64) (n int, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	c := db.collections[name]
	if c == nil {
		return 0, checkName("update", name)
	}
	if msgpack.KindOf(pairs) != msgpack.Array {
		return 0, Fail(CodeInvalid, "update", name, "expected an array of pairs of id and update")
	}
	changed := 0
	err = db.whole(func() error {
		for pair := range msgpack.Elements(pairs) {
			two, header := msgpack.Container(pair)
			if two != 2 || msgpack.KindOf(pair) != msgpack.Array {
				return Fail(CodeInvalid, "update", name, "expected pairs of id and update")
			}
			idLen := msgpack.Skip(pair[header:])
			id := pair[header : header+idLen]
			if err := checkID("update", name, id); err != nil {
				return err
			}
			u, err := ParseUpdate(pair[header+idLen:], UpdateContext{Now: now})
			if err != nil {
				return &Error{Code: CodeInvalid, Op: "update", Target: target(c, id), Err: err}
			}
			if slot, ok := c.slotOf(id); ok {
				if err := db.updateSlot(c, slot, u, &changed); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return changed, nil
}

func (db *DB) updateSlot(c *collection, slot uint32, u *Update, changed *int) error {
	old := c.doc(slot)
	doc, err := db.updated(c, old, u)
	if err != nil {
		return err
	}
	if bytes.Equal(old, doc) {
		return nil
	}
	if err := db.checkUpdated(u, doc, ""); err != nil {
		return db.checkUpdated(u, doc, target(c, idOf(old))) // only now, because naming it takes as long as checking it
	}
	*changed++
	return db.store("update", c, slot, doc)
}

// updated returns what an update makes of a document. A call that is interrupted meanwhile
// gets an error, not a panic: documents before this one may have changed, which whole undoes.
func (db *DB) updated(c *collection, old []byte, u *Update) (doc []byte, err error) {
	if u.meterPulls(db.meter) {
		db.BeginCall()
		defer db.EndCall(&err)
	}
	if doc, err = u.Apply(old); err != nil {
		return nil, &Error{Code: CodeInvalid, Op: "update", Target: target(c, idOf(old)), Err: err}
	}
	return doc, nil
}

// checkUpdated refuses the document that an update has made of a valid one if it
// is too deep or too large.
func (db *DB) checkUpdated(u *Update, doc []byte, target string) error {
	if u.depth <= db.opts.MaxDepth && !invariants {
		return db.checkSize("update", target, len(doc))
	}
	_, err := db.checkDocument("update", target, doc)
	if err != nil && u.depth <= db.opts.MaxDepth && len(doc) <= db.opts.MaxDocumentBytes {
		panic("engine: an update that should need no check made an invalid document: " + err.Error())
	}
	return err
}

// Remove removes every document that matches and returns how many did. Documents
// of other collections that refer to them are treated as the relationships say. It
// returns CodeRelationship, and removes nothing, if one of these forbids it.
func (db *DB) Remove(name string, where *query.Filter) (n int, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	c := db.collections[name]
	if c == nil {
		return 0, checkName("remove", name)
	}
	slots := c.match(where)
	if err := db.removeAll("remove", c, slots); err != nil {
		return 0, err
	}
	return len(slots), nil
}

// removeAll removes documents, and does what the relationships say, or nothing.
func (db *DB) removeAll(op string, c *collection, slots []uint32) error {
	if len(db.relations) > 0 && db.isParent(c.name) {
		return db.whole(func() error { return db.removeSlots(op, c, slots, false) })
	}
	db.journal = slices.Grow(db.journal, len(slots))
	for _, slot := range slots {
		db.removeSlot(c, slot)
	}
	return nil
}

// Clear removes every document of a collection and keeps its indexes. It treats
// relationships as Remove does.
func (db *DB) Clear(name string) error {
	if err := checkName("clear", name); err != nil {
		return err
	}
	c := db.collections[name]
	if c == nil || c.live == 0 {
		return nil
	}
	if db.isParent(name) {
		return db.removeAll("clear", c, c.match(nil))
	}
	db.clear(c)
	return nil
}

func (db *DB) clear(c *collection) {
	db.note(change{kind: cleared, c: c, previous: c.content})
	fresh := newContent(db.opts.ColumnThreshold, db.meter)
	fresh.nextID = c.nextID
	for _, ix := range c.indexes {
		fresh.indexes = append(fresh.indexes, newIndex(ix.indexSpec, fresh))
	}
	c.content = fresh
}

// checkID refuses a value that cannot be an _id.
func checkID(op, collection string, id []byte) error {
	switch msgpack.KindOf(id) {
	case msgpack.String:
		return nil
	case msgpack.Number:
		if n, ok := msgpack.Int(id); ok && n >= -maxSafeID && n <= maxSafeID {
			return nil
		}
	}
	return Fail(CodeInvalid, op, collection, "_id must be a string or a safe integer, not "+describe(id))
}

// describe names a value in an error message.
func describe(v []byte) string {
	switch k := msgpack.KindOf(v); k {
	case msgpack.Number:
		if n, ok := msgpack.Int(v); ok {
			return strconv.FormatInt(n, 10)
		}
		if n, ok := msgpack.Uint(v); ok {
			return strconv.FormatUint(n, 10)
		}
		return strconv.FormatFloat(msgpack.Float(v), 'g', -1, 64)
	case msgpack.String:
		return strconv.Quote(string(msgpack.Str(v)))
	case msgpack.Array:
		return "an array"
	case msgpack.Map:
		return "an object"
	case msgpack.Date:
		return "a date"
	default:
		return k.String()
	}
}

// target names a document in an error: "users/42".
func target(c *collection, id []byte) string { return c.name + "/" + idText(id) }

func idText(id []byte) string {
	if s := msgpack.Str(id); s != nil {
		return string(s)
	}
	return describe(id)
}

// idFirst returns doc with its _id as the first field, where idOf expects it; doc
// itself if it is there already.
func idFirst(doc, id []byte) []byte {
	count, header := msgpack.Container(doc)
	if len(doc) >= header+len(idKey) && string(doc[header:header+len(idKey)]) == idKey {
		return doc
	}
	others := make([]byte, 0, len(doc))
	kept := 1
	for pos := header; count > 0; count-- {
		keyLen := msgpack.Skip(doc[pos:])
		n := keyLen + msgpack.Skip(doc[pos+keyLen:])
		if string(msgpack.Str(doc[pos:])) != "_id" {
			others = append(others, doc[pos:pos+n]...)
			kept++
		}
		pos += n
	}
	moved := append(msgpack.AppendMap(make([]byte, 0, len(doc)), kept), idKey...)
	return append(append(moved, id...), others...)
}
