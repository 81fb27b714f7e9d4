package engine

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A batch payload is a list of effects: one byte that says what it is, then its
// operands. storage/FORMAT.md has the table. An effect is what a write did, not
// what was asked for: replaying it needs no query and gives the same bytes, however
// often it is done.
const (
	effectCollection = 1 // uvarint length, name: the effects after it are this collection's; it exists from now on
	effectPut        = 2 // uvarint count, uvarint bytes, documents: each replaces that of its _id, or is added at the end
	effectRemove     = 3 // the _id of a document
	effectClear      = 4 // removes every document
	effectDrop       = 5 // removes the collection
	effectNextID     = 6 // uvarint: the next id to give, if it is larger than the one known
	effectTime       = 7 // uvarint, ms since 1970: when the collections that are named after it were changed; 0: not known
)

// longRun is how many bytes of documents become a part of their own. Fewer are
// copied into the part before.
const longRun = 4 << 10

// An encoder writes effects, as parts that borrow the long runs of documents.
type encoder struct {
	parts [][]byte
	head  []byte // the part being written
	c     *collection
}

func (e *encoder) collection(c *collection) {
	if e.c != c {
		e.c = c
		e.head = binary.AppendUvarint(append(e.head, effectCollection), uint64(len(c.name)))
		e.head = append(e.head, c.name...)
	}
}

func (e *encoder) put(count uint32, docs []byte) {
	e.head = binary.AppendUvarint(append(e.head, effectPut), uint64(count))
	e.head = binary.AppendUvarint(e.head, uint64(len(docs)))
	if len(docs) < longRun {
		e.head = append(e.head, docs...)
		return
	}
	e.parts = append(e.parts, e.head, docs)
	e.head = nil
}

func (e *encoder) finish() [][]byte {
	if len(e.head) > 0 {
		e.parts = append(e.parts, e.head)
	}
	return e.parts
}

// time says when the effects after it were made.
func (e *encoder) time(at uint64) {
	e.head = binary.AppendUvarint(append(e.head, effectTime), at)
}

// encode writes the effects of changes, which were made at a time.
func (db *DB) encode(changes []change, at uint64) [][]byte {
	room := 0
	for i := range changes {
		if size := int(changes[i].size); size < longRun {
			room += size + 2*binary.MaxVarintLen32 + 1
		}
	}
	e := encoder{head: make([]byte, 0, room+binary.MaxVarintLen64+1)}
	if at > 0 && len(changes) > 0 {
		e.time(at)
	}
	for i := range changes {
		ch := &changes[i]
		if ch.kind == stamped {
			continue
		}
		e.collection(ch.c)
		switch ch.kind {
		case added, replaced:
			e.put(max(1, ch.n), ch.in.arena.get(ch.r, int(ch.size)))
		case removed:
			e.head = append(append(e.head, effectRemove), idOf(ch.in.arena.get(ch.was, int(ch.wasSize)))...)
		case cleared:
			e.head = append(e.head, effectClear)
		case dropped:
			e.head = append(e.head, effectDrop)
		}
	}
	return e.finish()
}

// Snapshot returns the payload of one batch that holds everything so far, in
// parts. They borrow memory of the DB that never changes, so they may be kept.
func (db *DB) Snapshot() [][]byte {
	var e encoder
	at := uint64(0)
	for _, name := range append(db.Collections(), catalogName) { // the catalog last: indexes are built once, over whole collections
		c := db.collections[name]
		if c == nil {
			continue
		}
		if c.updated != at {
			at = c.updated
			e.time(at)
		}
		e.collection(c)
		e.head = binary.AppendUvarint(append(e.head, effectNextID), uint64(c.nextID))
		for slot := uint32(0); int(slot) < len(c.refs); {
			docs, count, next := c.adjacent(slot)
			if count > 0 {
				e.put(count, docs)
			}
			slot = next
		}
	}
	return e.finish()
}

// adjacent returns the documents from slot on that lie side by side in the arena,
// how many they are, and the slot after them.
func (c *content) adjacent(slot uint32) (docs []byte, count, next uint32) {
	first, size := c.refs[slot], uint32(0)
	for ; int(slot) < len(c.refs); slot++ {
		if c.sizes[slot] == 0 {
			if count > 0 {
				break
			}
			first = 0
			continue
		}
		if count == 0 {
			first = c.refs[slot]
		} else if c.refs[slot] != first+ref(size) || c.refs[slot]>>chunkBits != first>>chunkBits {
			break
		}
		size += c.sizes[slot]
		count++
	}
	if count == 0 {
		return nil, 0, slot
	}
	return c.arena.get(first, int(size)), count, slot
}

var (
	errBatch = errors.New("the batch is malformed")
	errNewer = errors.New("a newer AtomicDB wrote it: the batch has an effect that this version does not know")
)

// Apply replays the payload of a batch or of a snapshot, which it copies. There
// must be no unconfirmed changes. It returns CodeCorrupt for malformed bytes and
// CodeUnsupported for an effect that it does not know, and changes nothing then.
func (db *DB) Apply(payload []byte) error { return db.ApplyVisiting(payload, nil) }

// ApplyVisiting is Apply that also visits what the batch did to documents, as
// CutChanges does; visit may be nil.
func (db *DB) ApplyVisiting(payload []byte, visit func(DocumentChange)) error {
	if len(db.journal) > 0 {
		return Fail(CodeInternal, "apply", "", "changes are unconfirmed")
	}
	err := db.replay(payload)
	if err != nil {
		db.rollbackTo(0)
		code := CodeCorrupt
		if err == errNewer {
			code = CodeUnsupported
		}
		return &Error{Code: code, Op: "apply", Err: err}
	}
	catalogChanged := false
	for i := range db.journal {
		catalogChanged = catalogChanged || db.journal[i].c.name == catalogName
	}
	if visit != nil {
		visitChanges(db.journal, visit)
	}
	clear(db.journal)
	db.journal, db.sealed = db.journal[:0], 0
	if catalogChanged {
		db.declareAll()
	}
	db.tidy()
	return nil
}

func (db *DB) replay(payload []byte) error {
	r := batchReader{b: payload}
	var c *collection
	at := uint64(0)
	for len(r.b) > 0 {
		effect := r.b[0]
		r.b = r.b[1:]
		if effect == effectTime {
			if at = r.uvarint(); r.bad || at > maxSafeID {
				return errBatch
			}
			continue
		}
		if effect == effectCollection {
			name := r.bytes(r.uvarint())
			if r.bad || len(name) == 0 {
				return errBatch
			}
			c = db.ensure(string(name))
			db.stamp(c, at)
			continue
		}
		if c == nil {
			return errBatch
		}
		switch effect {
		case effectPut:
			count, docs := r.uvarint(), r.bytes(r.uvarint())
			if r.bad {
				return errBatch
			}
			if err := db.replayPut(c, count, docs); err != nil {
				return err
			}
		case effectRemove:
			slot, ok := c.slotOf(r.value())
			if r.bad {
				return errBatch
			}
			if ok {
				db.removeSlot(c, slot)
			}
		case effectClear:
			db.clear(c)
		case effectDrop:
			db.drop(c)
			c = nil
		case effectNextID:
			next := r.uvarint()
			if next > maxSafeID+1 {
				return errBatch
			}
			db.note(change{kind: numbered, c: c, nextID: c.nextID})
			c.nextID = max(c.nextID, int64(next))
		default:
			return errNewer
		}
		if r.bad {
			return errBatch
		}
	}
	return nil
}

// replayPut adds or replaces count documents.
func (db *DB) replayPut(c *collection, count uint64, docs []byte) error {
	c.expect(int64(len(docs)))
	for ; count > 0; count-- {
		n, err := msgpack.Validate(docs, maxReplayDepth)
		if err != nil {
			return err
		}
		doc := docs[:n]
		docs = docs[n:]
		if !startsWithID(doc) {
			return errors.New("a document does not start with its _id")
		}
		id := idOf(doc)
		if err := checkID("apply", c.name, id); err != nil {
			return err
		}
		hash := hashID(id)
		if slot, ok := c.slotOfHash(hash, id); ok {
			if err := db.put(c, slot, doc); err != nil {
				return err
			}
			continue
		}
		r, ok := c.arena.put(doc)
		if !ok {
			return errFull
		}
		nextID := c.nextID
		slot := c.content.add(r, uint32(n), hash)
		c.passID(doc)
		db.note(change{kind: added, c: c, slot: slot, n: 1, r: r, size: uint32(n), nextID: nextID})
	}
	if len(docs) > 0 {
		return errBatch
	}
	return nil
}

// startsWithID reports whether v, a valid value, is a document as the engine
// stores it.
func startsWithID(v []byte) bool {
	fields, header := msgpack.Container(v)
	return msgpack.KindOf(v) == msgpack.Map && fields > 0 && len(v) >= header+len(idKey) && string(v[header:header+len(idKey)]) == idKey
}

// maxReplayDepth is how deep stored documents may be nested, whatever the limit of
// the engine that wrote them.
const maxReplayDepth = 1000

// A batchReader reads a payload. After the first fault, bad is set and everything
// reads as empty.
type batchReader struct {
	b   []byte
	bad bool
}

func (r *batchReader) uvarint() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *batchReader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// value reads an _id.
func (r *batchReader) value() []byte {
	n, err := msgpack.Validate(r.b, 1)
	if err != nil || checkID("apply", "", r.b[:n]) != nil {
		r.bad, r.b = true, nil
		return msgpack.AppendNil(nil)
	}
	return r.bytes(uint64(n))
}

// SalvageIDs returns the names of up to limit documents that a damaged batch
// changed: "users/5", or "users/*" if it cleared or dropped the collection. It
// reads the payload from the start until it makes no sense. The names are for
// people to read, and may be wrong.
func SalvageIDs(payload []byte, limit int) (names []string) {
	name := ""
	see := func(id string) bool {
		if id = name + "/" + id; name != catalogName && !slices.Contains(names, id) {
			names = append(names, id)
		}
		return len(names) < limit
	}
	for r := (batchReader{b: payload}); len(r.b) > 0 && !r.bad; {
		effect := r.b[0]
		r.b = r.b[1:]
		switch effect {
		case effectCollection:
			name = string(r.bytes(r.uvarint()))
		case effectPut:
			r.uvarint()
			size := r.uvarint()
			docs := r.bytes(min(size, uint64(len(r.b)))) // a payload that was cut short still has some of them
			for len(docs) > 0 {
				n, err := msgpack.Validate(docs, maxReplayDepth)
				if err != nil || !startsWithID(docs[:n]) || !see(idText(idOf(docs[:n]))) {
					return names
				}
				docs = docs[n:]
			}
		case effectRemove:
			if id := r.value(); !r.bad && !see(idText(id)) {
				return names
			}
		case effectClear, effectDrop:
			if !see("*") {
				return names
			}
		case effectNextID, effectTime:
			r.uvarint()
		default:
			return names
		}
	}
	return names
}
