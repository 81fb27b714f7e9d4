package engine

import (
	"cmp"
	"iter"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A Query says which documents of a collection to return, and how. The zero
// value returns all documents whole, in insertion order.
type Query struct {
	Where  *query.Filter // nil: all documents
	Sort   []SortKey     // none: insertion order
	Skip   int           // documents to pass over; below 0 means 0
	Limit  int           // return at most this many; 0 or less: all
	Fields []string      // paths to return besides _id, or, each with a dash, to leave out; "-_id" leaves out _id; none: whole documents
	Slices []Slice       // of arrays in what is returned; they go with Fields of both kinds
	// Populate names relationships whose documents are put into those found, each
	// under the name of its relationship: "posts", and into the posts "posts.author".
	// OneToMany and ManyToMany put an array, the others a document or null. Each name
	// of a path takes one pass over the documents that it is put into, or over the
	// index on the foreign key, however many documents there are.
	Populate []string
}

// A Result holds the documents that a query found. Next returns them in pieces.
// It is valid until the DB changes.
type Result struct {
	c      *content
	slots  []uint32
	fields *projection
	put    []*population
	level  *level // of slots, if put is not empty
	shown  []byte // reused by Next
}

// Find returns the documents that match q. A collection that does not exist has no
// documents. It returns CodeInvalid for relationships that do not exist, and if they
// would put more than 1,000,000 documents into one.
func (db *DB) Find(name string, q Query) (r *Result, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	c, put, err := db.asked("find", name, &q)
	if c == nil || err != nil {
		return &Result{}, err
	}
	p := c.plan(q)
	slots := c.run(&p).slots
	r = &Result{c: c.content, slots: slots, fields: newProjection(q.Fields, q.Slices), put: put}
	if len(put) > 0 {
		r.level, err = db.populate(c, put, slots)
	}
	return r, err
}

// asked checks a query of call op, and returns the collection that it asks, nil if there
// is none, and what is put into its documents.
func (db *DB) asked(op, name string, q *Query) (*collection, []*population, error) {
	if err := q.check(name); err != nil {
		return nil, nil, err
	}
	put, err := db.populations(name, q.Populate)
	c := db.collections[name]
	if c == nil {
		err = cmp.Or(checkName(op, name), err)
	}
	return c, put, err
}

func (q *Query) check(name string) error {
	if err := tooMany("find", name, "paths to sort by", len(q.Sort), MaxSortPaths); err != nil {
		return err
	}
	if err := tooMany("find", name, "fields", len(q.Fields), MaxFields); err != nil {
		return err
	}
	if err := tooMany("find", name, "slices", len(q.Slices), maxSlices); err != nil {
		return err
	}
	return checkFields("find", name, q.Fields, q.Slices)
}

// Len returns how many documents Next has not returned yet.
func (r *Result) Len() int { return len(r.slots) }

// Next appends the next documents to dst, one after the other, until dst holds at
// least atLeast bytes or no document is left. It returns how many it appended and
// how many are left.
func (r *Result) Next(dst []byte, atLeast int) (out []byte, count, left int) {
	for len(r.slots) > 0 && (count == 0 || len(dst) < atLeast) {
		if doc := r.c.doc(r.slots[0]); doc != nil {
			if r.put == nil {
				dst = r.fields.append(dst, doc)
			} else {
				if r.fields != nil {
					r.shown = r.fields.append(r.shown[:0], doc)
					doc = r.shown
				}
				place, _ := r.level.place(r.slots[0])
				dst = r.level.appendPopulated(dst, r.put, place, doc)
			}
			count++
		}
		r.slots = r.slots[1:]
	}
	return dst, count, len(r.slots)
}

// Get returns the document with an id, borrowed until the DB's next change; nil if
// there is none.
func (db *DB) Get(name string, id []byte) []byte {
	c := db.collections[name]
	if c == nil || checkID("get", name, id) != nil {
		return nil
	}
	slot, ok := c.slotOf(id)
	if !ok {
		return nil
	}
	return c.doc(slot)
}

// IDs returns the ids of a collection's documents as a MessagePack array.
func (db *DB) IDs(name string) ([]byte, error) {
	c := db.collections[name]
	if c == nil {
		return msgpack.AppendArray(nil, 0), checkName("documentIds", name)
	}
	ids := msgpack.AppendArray(make([]byte, 0, 8*c.live+5), c.live)
	for slot := range c.refs {
		if doc := c.doc(uint32(slot)); doc != nil {
			ids = append(ids, idOf(doc)...)
		}
	}
	return ids, nil
}

// Documents returns the documents that Next has not returned yet, each borrowed until
// the DB's next change.
func (r *Result) Documents() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, slot := range r.slots {
			if doc := r.c.doc(slot); doc != nil && !yield(doc) {
				return
			}
		}
	}
}
