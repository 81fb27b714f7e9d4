package engine

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// UpdateOptions say which of the documents that match an update changes, what it
// does if there is none, and what it returns. The zero value changes all.
type UpdateOptions struct {
	Now  uint64    // as in UpdateContext
	Sort []SortKey // the order of the documents; none: insertion order
	One  bool      // change the first of them alone
	// Upsert adds a document if none matches: the equalities of the condition, as in
	// {"a": 1, "b.c": 2}, also inside and, with the update applied to them.
	Upsert bool
	// Replace says that the update is a document, which takes the place of the one
	// that matches, but for the _id.
	Replace bool
	// ArrayFilters are as in UpdateContext.
	ArrayFilters [][]byte
	Return       Returned
}

// Returned says which documents an update returns.
type Returned uint8

const (
	ReturnNone   Returned = iota
	ReturnBefore          // those that match, as they were
	ReturnAfter           // those that match, as they are then, and the one that was added
)

// Updated is what an update has done.
type Updated struct {
	Changed   int    // how many documents; one that the update leaves as it is does not count, one that it adds does
	Added     []byte // the _id of the document that it has added; nil: none
	Documents []byte // those that UpdateOptions.Return asks for, as a MessagePack array; nil if it asks for none
}

// Update applies an update (see ParseUpdate) to every document that matches, or
// to none if one fails. It returns how many documents it changed; one that the
// update leaves as it is does not count. Unique indexes hold for the state after
// the last document, and in a savepoint for that at its release.
//
// Errors: invalid, schema, unique.
func (db *DB) Update(name string, update []byte, where *query.Filter) (n int, err error) {
	done, err := db.UpdateWith(name, update, where, UpdateOptions{})
	return done.Changed, err
}

// UpdateWith is Update with options. Errors: as Update, and those of Insert.
func (db *DB) UpdateWith(name string, update []byte, where *query.Filter, o UpdateOptions) (done Updated, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	u, err := o.parse(update, where, false)
	if err == nil && o.Upsert {
		_, err = o.parse(update, where, true) // so that its faults do not depend on what is there
	}
	if err != nil {
		return Updated{}, &Error{Code: CodeInvalid, Op: "update", Target: name, Err: err}
	}
	err = cmp.Or(checkName("update", name), tooMany("update", name, "paths to sort by", len(o.Sort), MaxSortPaths))
	if err != nil {
		return Updated{}, err
	}
	err = db.whole(func() (err error) {
		done, err = db.updateMatching(name, u, update, where, o)
		return err
	})
	if err != nil {
		return Updated{}, err
	}
	return done, nil
}

// parse reads the update for documents that are there, or for one that is added.
func (o *UpdateOptions) parse(update []byte, where *query.Filter, inserting bool) (*Update, error) {
	given := UpdateContext{Now: o.Now, Inserting: inserting, Where: where, ArrayFilters: o.ArrayFilters}
	if o.Replace {
		return parseReplacement(update, given)
	}
	return ParseUpdate(update, given)
}

func (db *DB) updateMatching(name string, u *Update, update []byte, where *query.Filter, o UpdateOptions) (done Updated, err error) {
	c := db.collections[name]
	var slots []uint32
	if c != nil {
		q := Query{Where: where, Sort: o.Sort}
		if o.One {
			q.Limit = 1
		}
		p := c.plan(q)
		slots = c.run(&p).slots
		db.journal = slices.Grow(db.journal, len(slots))
	}
	if o.Replace && c != nil {
		if u.replacement, err = db.withDefaults("update", c, u.replacement); err != nil {
			return done, err
		}
	}
	var returned documentList
	if o.Return != ReturnNone {
		for _, slot := range slots {
			db.Hold(int(c.sizes[slot])) // of all before the first change, which it could not undo
		}
	}
	for _, slot := range slots {
		if o.Return == ReturnBefore {
			returned.add(c.doc(slot))
		}
		if err := db.updateSlot(c, slot, u, &done.Changed); err != nil {
			return done, err
		}
		if o.Return == ReturnAfter {
			returned.add(c.doc(slot))
		}
	}
	if len(slots) == 0 && o.Upsert {
		added, err := db.addUpdated(name, update, where, o)
		if err != nil {
			return done, err
		}
		done.Changed, done.Added = 1, slices.Clone(idOf(added))
		if o.Return == ReturnAfter {
			returned.add(added)
		}
	}
	if o.Return != ReturnNone {
		done.Documents = returned.array()
	}
	return done, nil
}

// addUpdated adds the document that an update makes of the equalities of a condition.
// It returns the document, borrowed.
func (db *DB) addUpdated(name string, update []byte, where *query.Filter, o UpdateOptions) ([]byte, error) {
	fail := func(err error) error {
		return &Error{Code: CodeInvalid, Op: "update", Target: name, Err: err}
	}
	if err := db.checkEnsure("update", name); err != nil {
		return nil, err
	}
	u, err := o.parse(update, where, true)
	if err != nil {
		return nil, fail(err)
	}
	doc, err := equalitiesOf(where, o.Replace)
	if err == nil {
		doc, err = u.Apply(doc)
	}
	if err != nil {
		return nil, fail(err)
	}
	c := db.ensure(name)
	if _, err := db.checkDocument("update", name, doc); err != nil {
		return nil, err
	}
	if doc, err = db.withDefaults("update", c, doc); err != nil {
		return nil, err
	}
	ids, err := db.insertOne("update", c, doc, false, nil)
	if err != nil {
		return nil, err
	}
	slot, _ := c.slotOf(ids)
	return c.doc(slot), nil
}

// equalitiesOf returns a document that has what a condition wants a field to be
// equal to, or only the _id of that.
func equalitiesOf(where *query.Filter, onlyID bool) ([]byte, error) {
	doc := msgpack.AppendMap(nil, 0)
	u := &Update{given: UpdateContext{Inserting: true}}
	wanted := map[string][]byte{}
	for _, leaf := range where.Equalities() {
		path := leaf.Path.String()
		if onlyID && path != "_id" {
			continue
		}
		before, twice := wanted[path]
		switch {
		case twice && !msgpack.Equal(before, leaf.Value):
			return nil, errors.New("the condition wants two values for " + path + ", of which the new document can have only one")
		case !twice:
			wanted[path] = leaf.Value
			if err := u.add(set, path, leaf.Value); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range u.steps {
		for n := 1; n < len(s.path); n++ {
			if around := strings.Join(s.path[:n], "."); wanted[around] != nil {
				return nil, errors.New("the condition wants values for " + around + " and for " + strings.Join(s.path, ".") + ", of which the new document can have only one")
			}
		}
	}
	return u.Apply(doc)
}

// parseReplacement reads a document as the update that puts it in the place of another.
func parseReplacement(doc []byte, given UpdateContext) (*Update, error) {
	if msgpack.KindOf(doc) != msgpack.Map {
		return nil, errors.New("a document must be an object")
	}
	if _, err := msgpack.Validate(doc, maxReplayDepth); err != nil {
		return nil, err
	}
	if len(given.ArrayFilters) > 0 {
		return nil, errors.New("arrayFilters: a document that replaces another has no paths")
	}
	for name := range msgpack.Fields(doc) {
		if len(name) > 0 && name[0] == '$' {
			return nil, errors.New("a document that replaces another has fields, not operators such as " + string(name))
		}
	}
	return &Update{given: given, replacement: doc, ofID: true, depth: maxReplayDepth}, nil
}

// replaced returns the replacement, with the _id of doc unless it has one itself.
func (u *Update) replaced(doc []byte) []byte {
	id := msgpack.Lookup(doc, "_id")
	if id == nil || msgpack.Lookup(u.replacement, "_id") != nil {
		return u.replacement
	}
	return withField(nil, u.replacement, "_id", id)
}

// A documentList becomes a MessagePack array.
type documentList struct {
	count int
	bytes []byte
}

func (l *documentList) add(doc []byte) {
	l.count++
	l.bytes = append(l.bytes, doc...)
}

func (l *documentList) array() []byte {
	return append(msgpack.AppendArray(make([]byte, 0, len(l.bytes)+5), l.count), l.bytes...)
}
