package engine

import "github.com/atomicdb-go/atomicdb/engine/msgpack"

// portionBytes is how many bytes of documents a portion of a Matching is about: few to
// hold at once, and enough that a call for each portion costs little beside its documents.
const portionBytes = 256 << 10

// A Matching is the ids of the documents that a query found, in its order. A caller that
// takes the documents portion by portion, with Among, needs memory for the ids alone.
// It is valid until the DB changes.
type Matching struct {
	c     *content
	slots []uint32
	ids   []byte // reused by Next
}

// Matching returns the ids of the documents that Find would return for q.
func (db *DB) Matching(name string, q Query) (m *Matching, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	c, _, err := db.asked("iterate", name, &q)
	if c == nil || err != nil {
		return &Matching{}, err
	}
	p := c.plan(q)
	return &Matching{c: c.content, slots: c.run(&p).slots}, nil
}

// Len returns how many documents are in the portions that Next has not returned yet.
func (m *Matching) Len() int { return len(m.slots) }

// Next appends the next portions to dst, each as bytes that hold the ids one after the
// other, until dst holds at least atLeast bytes or none is left. It returns how many
// portions it appended, and how many documents are left.
func (m *Matching) Next(dst []byte, atLeast int) (out []byte, count, left int) {
	for len(m.slots) > 0 && (count == 0 || len(dst) < atLeast) {
		m.ids = m.ids[:0]
		for size := 0; size < portionBytes && len(m.slots) > 0; m.slots = m.slots[1:] {
			if doc := m.c.doc(m.slots[0]); doc != nil {
				m.ids = append(m.ids, idOf(doc)...)
				size += len(doc)
			}
		}
		dst = msgpack.AppendBin(dst, m.ids)
		count++
	}
	return dst, count, len(m.slots)
}

// Among returns the documents of some ids, written one after the other, that match q, in
// the order of the ids. Those that are not there are left out. It uses neither q.Sort
// nor q.Skip and q.Limit.
func (db *DB) Among(name string, ids []byte, q Query) (r *Result, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	c, put, err := db.asked("iterate", name, &q)
	if c == nil || err != nil {
		return &Result{}, err
	}
	r = &Result{c: c.content, fields: newProjection(q.Fields, q.Slices), put: put}
	cost := costOf(q.Where)
	for len(ids) > 0 {
		n, err := msgpack.Validate(ids, 0)
		if err != nil {
			return nil, Fail(CodeInvalid, "iterate", name, "ids: "+err.Error())
		}
		id := ids[:n]
		ids = ids[n:]
		if err := checkID("iterate", name, id); err != nil {
			return nil, err
		}
		slot, found := c.slotOf(id)
		if found && (q.Where == nil || c.meter.match(q.Where, c.doc(slot), cost)) {
			r.slots = append(r.slots, slot)
		}
	}
	if len(put) > 0 {
		r.level, err = db.populate(c, put, r.slots)
	}
	return r, err
}
