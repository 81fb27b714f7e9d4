package engine

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A Relationship says that documents of one collection hold the ids of documents
// of another one.
type Relationship struct {
	// Name is what Populate calls it, and the field into which that puts
	// documents. Relationships of different From may have the same name. Empty
	// means the name of To.
	Name string
	Type RelationType
	// From and To are collections; they need not exist, and may be the same.
	From, To string
	// ForeignKey is the path of the ids. Null, or no value there, refers to nothing.
	ForeignKey string
	OnDelete   OnDelete
	// Enforce refuses ids that no document of the other collection has. It holds for
	// the state after a call, and in a savepoint for that at its release. Of
	// OneToOne it also refuses the same id in two documents.
	Enforce bool
}

// A RelationType says which collection holds the foreign key, and how many
// documents may refer to one.
type RelationType string

// The types of relationships. The documents that the ids name are the parents.
const (
	OneToMany  RelationType = "one_to_many"  // To holds the id of its parent in From: users to posts by user_id
	OneToOne   RelationType = "one_to_one"   // as OneToMany, and a parent has at most one
	ManyToOne  RelationType = "many_to_one"  // From holds the id of its parent in To: posts to users by user_id
	ManyToMany RelationType = "many_to_many" // From holds an array of ids of parents in To: posts to tags by tag_ids
)

// OnDelete says what removing a parent does to the documents that refer to it.
type OnDelete string

// What removing a parent can do. With ManyToMany, Cascade is SetNull: it removes
// the link, as it does from the join table of a SQL database.
const (
	KeepChildren OnDelete = "none"     // nothing; with Enforce, the parent cannot be removed before them
	Restrict     OnDelete = "restrict" // the parent cannot be removed
	Cascade      OnDelete = "cascade"  // they are removed too
	SetNull      OnDelete = "set_null" // the id becomes null; in an array it is taken out
)

// maxRelationships is how many relationships a collection may be From of.
const maxRelationships = 64

// A relation is a Relationship, prepared.
type relation struct {
	Relationship
	key           query.Path
	child, parent string // the collections that hold the foreign key, and the documents that it names
}

func newRelation(r Relationship) *relation {
	rel := &relation{Relationship: r, key: query.ParsePath(r.ForeignKey), child: r.To, parent: r.From}
	if r.Type == ManyToOne || r.Type == ManyToMany {
		rel.child, rel.parent = r.From, r.To
	}
	return rel
}

// AddRelationship declares a relationship, and an index on its foreign key, which
// goes with it. One that is there already, the same in all, stays as it is. From
// keeps it, and is created if it does not exist; To need not exist.
//
// Errors: invalid (a field of it is wrong; From has another relationship of this
// name; From has 64 relationships), relationship (with Enforce, a document refers
// to one that does not exist; the error names it).
func (db *DB) AddRelationship(r Relationship) error {
	const op = "addRelationship"
	if r.Name == "" {
		r.Name = r.To
	}
	if r.OnDelete == "" {
		r.OnDelete = KeepChildren
	}
	if err := r.check(op); err != nil {
		return err
	}
	if err := db.checkEnsure(op, r.From); err != nil {
		return err
	}
	of := 0
	for _, other := range db.relations {
		if other.Relationship == r {
			return nil
		}
		if other.From == r.From {
			if of++; other.Name == r.Name {
				return Fail(CodeInvalid, op, r.Name, r.From+" has another relationship of this name; remove it first, or give this one another name")
			}
		}
	}
	if of >= maxRelationships {
		return Fail(CodeInvalid, op, r.Name, r.From+" has "+strconv.Itoa(maxRelationships)+" relationships, and cannot have more")
	}
	return db.whole(func() error {
		rel := newRelation(r)
		if err := db.declareRelations(op, r.From, append(slices.Clip(db.relations), rel)); err != nil {
			return err
		}
		c := db.collections[rel.child]
		if c == nil || !r.Enforce {
			return nil
		}
		for slot := range c.refs {
			if doc := c.doc(uint32(slot)); doc != nil {
				if err := db.checkReferences(op, c, doc, uint32(slot)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (r *Relationship) check(op string) error {
	name := func(why string) error { return Fail(CodeInvalid, op, "name", why) }
	switch {
	case len(r.Name) > maxNameBytes:
		return name("it is longer than 255 bytes")
	case !utf8.ValidString(r.Name):
		return name("it is not well-formed Unicode")
	case r.From == "" || r.To == "":
		return Fail(CodeInvalid, op, "", "from and to: expected the names of two collections")
	case strings.ContainsAny(r.Name, ".") || r.Name[0] == '$' || r.Name == "_id" || r.Name == "__proto__":
		return name(strconv.Quote(r.Name) + " cannot be the name of a field that populate fills; give the relationship another name")
	case r.ForeignKey == "":
		return Fail(CodeInvalid, op, "foreignKey", "expected a field path")
	case r.OnDelete == SetNull && (r.ForeignKey == "_id" || strings.HasPrefix(r.ForeignKey, "_id.")):
		return Fail(CodeInvalid, op, "onDelete", "the _id of a document cannot become null")
	}
	if err := checkName(op, r.From); err != nil {
		return err
	}
	if err := checkName(op, r.To); err != nil {
		return err
	}
	if why := query.CheckPath(r.ForeignKey); why != "" {
		return Fail(CodeInvalid, op, "foreignKey", why)
	}
	switch r.Type {
	case OneToMany, OneToOne, ManyToOne, ManyToMany:
	default:
		return Fail(CodeInvalid, op, "type", "expected one_to_one, one_to_many, many_to_one or many_to_many, not "+strconv.Quote(string(r.Type)))
	}
	switch r.OnDelete {
	case KeepChildren, Restrict, Cascade, SetNull:
		return nil
	}
	return Fail(CodeInvalid, op, "onDelete", "expected none, restrict, cascade or set_null, not "+strconv.Quote(string(r.OnDelete)))
}

// RemoveRelationship removes a relationship by its name, or by that of its From
// before it: "posts.author". Documents stay as they are.
//
// Errors: not_found, invalid (several have this name).
func (db *DB) RemoveRelationship(name string) error {
	const op = "removeRelationship"
	var found *relation
	for _, rel := range db.relations {
		if rel.Name != name && rel.From+"."+rel.Name != name {
			continue
		}
		if found != nil {
			return Fail(CodeInvalid, op, name, "several relationships have this name; write "+found.From+"."+found.Name+" or "+rel.From+"."+rel.Name)
		}
		found = rel
	}
	if found == nil {
		return Fail(CodeNotFound, op, name, "there is no relationship of this name")
	}
	return db.whole(func() error { return db.withoutRelation(op, found) })
}

func (db *DB) withoutRelation(op string, gone *relation) error {
	return db.declareRelations(op, gone.From, slices.DeleteFunc(slices.Clone(db.relations), func(rel *relation) bool {
		return rel.From == gone.From && rel.Name == gone.Name
	}))
}

// Relationships returns all relationships, by From and in the order in which they
// were added.
func (db *DB) Relationships() []Relationship {
	all := make([]Relationship, len(db.relations))
	for i, rel := range db.relations {
		all[i] = rel.Relationship
	}
	return all
}

// relationsField is the field of a catalog document that declares relationships.
const relationsField = "relationships"

// declareRelations stores those of all that have from, and makes all those that
// hold.
func (db *DB) declareRelations(op, from string, all []*relation) error {
	count, list := 0, []byte(nil)
	for _, rel := range all {
		if rel.From == from {
			count++
			list = rel.append(list, false)
		}
	}
	if count > 0 {
		list = append(msgpack.AppendArray(nil, count), list...)
	}
	if err := db.declare(op, db.ensure(from), relationsField, list); err != nil {
		return err
	}
	db.declareAll()
	return nil
}

// AppendRelationships appends an array of relationships, as maps, to b.
func AppendRelationships(b []byte, all []Relationship) []byte {
	b = msgpack.AppendArray(b, len(all))
	for i := range all {
		b = all[i].append(b, true)
	}
	return b
}

// append appends r as a map. The catalog has it without from.
func (r *Relationship) append(b []byte, withFrom bool) []byte {
	fields := []string{"name", r.Name, "type", string(r.Type), "to", r.To, "foreignKey", r.ForeignKey, "onDelete", string(r.OnDelete), "from", r.From}
	if !withFrom {
		fields = fields[:10]
	}
	b = msgpack.AppendMap(b, len(fields)/2+1)
	for _, text := range fields {
		b = msgpack.AppendString(b, text)
	}
	return msgpack.AppendBool(msgpack.AppendString(b, "enforce"), r.Enforce)
}

// readRelations reads what the catalog declares. It passes over what is no
// relationship: a later version may have written it.
func (db *DB) readRelations() (all []*relation) {
	if db.collections[catalogName] == nil {
		return nil
	}
	for _, from := range db.Collections() {
		for v := range msgpack.Elements(db.declared(from, relationsField)) {
			if r := ReadRelationship(from, v); r.check("apply") == nil {
				all = append(all, newRelation(r))
			}
		}
	}
	return all
}

// ReadRelationship reads a relationship as the catalog has it: an object that lacks
// from. What it lacks is empty; AddRelationship checks it.
func ReadRelationship(from string, v []byte) Relationship {
	text := func(field string) string { return string(msgpack.Str(msgpack.Lookup(v, field))) }
	if msgpack.KindOf(v) != msgpack.Map {
		return Relationship{}
	}
	return Relationship{
		Name: text("name"), Type: RelationType(text("type")), From: from, To: text("to"), ForeignKey: text("foreignKey"),
		OnDelete: OnDelete(text("onDelete")), Enforce: msgpack.KindOf(msgpack.Lookup(v, "enforce")) == msgpack.True,
	}
}

// holdRelations tells c which relationships' foreign keys it holds.
func (db *DB) holdRelations(c *collection) {
	c.keys = nil
	for _, rel := range db.relations {
		if rel.child == c.name {
			c.keys = append(c.keys, rel)
		}
	}
	c.indexKeys()
}

// indexKeys gives c an index on each foreign key that no declared index is on.
func (c *collection) indexKeys() {
	for _, rel := range c.keys {
		if c.indexOf(rel) == nil {
			s := indexSpec{paths: []query.Path{rel.key}, ofRelation: true}
			c.indexes = append(slices.Clip(c.indexes), newIndex(s, c.content))
		}
	}
}

func (c *collection) indexOf(rel *relation) *index {
	for _, ix := range c.indexes {
		if len(ix.paths) == 1 && ix.paths[0].String() == rel.ForeignKey {
			return ix
		}
	}
	return nil
}

// referring returns the slots of the documents that refer to an id, in order.
func (c *collection) referring(rel *relation, id []byte) (slots []uint32) {
	ix := c.indexOf(rel)
	ix.eachBlock(ix.rangeOf(valueRange{equal: [][]byte{id}}), func(entries []entry) bool {
		for _, e := range entries {
			if len(slots) == 0 || slots[len(slots)-1] != e.slot {
				slots = append(slots, e.slot)
			}
		}
		return true
	})
	return slots
}

// references calls visit with each id that doc holds, until it returns false.
func (rel *relation) references(doc []byte, visit func(id []byte) bool) {
	each := func(v []byte) bool { return msgpack.KindOf(v) == msgpack.Null || visit(v) }
	rel.key.Visit(doc, func(v []byte, _ bool) bool {
		if msgpack.KindOf(v) != msgpack.Array {
			return each(v)
		}
		for element := range msgpack.Elements(v) {
			if !each(element) {
				return false
			}
		}
		return true
	})
}

// parentOf returns the slot of the document that a foreign key names.
func (db *DB) parentOf(rel *relation, id []byte) (c *collection, slot uint32, found bool) {
	c = db.collections[rel.parent]
	if msgpack.IsDouble(id) { // 1.0 names the document 1
		if x := msgpack.Float(id); x == math.Trunc(x) && math.Abs(x) <= maxSafeID {
			id = msgpack.AppendInt(nil, int64(x))
		}
	}
	if c == nil || checkID("", "", id) != nil {
		return c, 0, false
	}
	slot, found = c.slotOf(id)
	return c, slot, found
}

// checkReferences returns CodeRelationship if an enforced relationship forbids doc
// in a slot of c.
func (db *DB) checkReferences(op string, c *collection, doc []byte, self uint32) (err error) {
	for _, rel := range c.keys {
		if !rel.Enforce || err != nil {
			continue
		}
		rel.references(doc, func(id []byte) bool {
			if _, _, found := db.parentOf(rel, id); !found {
				err = Fail(CodeRelationship, op, target(c, idOf(doc)), "its "+rel.ForeignKey+" is "+describe(id)+", and the relationship "+rel.Name+
					" needs a document of "+rel.parent+" with this _id")
			} else if rel.Type == OneToOne {
				for _, other := range c.referring(rel, id) {
					if other != self {
						err = Fail(CodeRelationship, op, target(c, idOf(doc)), "the relationship "+rel.Name+" is one to one, and "+target(c, idOf(c.doc(other)))+
							" refers to "+describe(id)+" already")
					}
				}
			}
			return err == nil
		})
	}
	return err
}

// isParent reports whether removing documents of a collection concerns others.
func (db *DB) isParent(name string) bool {
	for _, rel := range db.relations {
		if rel.parent == name && (rel.OnDelete != KeepChildren || rel.Enforce) {
			return true
		}
	}
	return false
}

// removeSlots removes documents of c, and does to those that refer to them what
// the relationships say, and so on. It works through a list: a chain of cascades
// may be as long as a collection, and may close a circle.
//
// isLast says that the relationships go too, so that no later state is to be
// checked. After an error the caller undoes what was done.
func (db *DB) removeSlots(op string, c *collection, slots []uint32, isLast bool) error {
	type removal struct {
		c     *collection
		slots []uint32
	}
	type reference struct {
		rel *relation
		id  []byte
	}
	// A document that refers to many is changed once, after all removals.
	type referrer struct {
		rel  *relation
		slot uint32
	}
	var forbidden []reference
	var freed []referrer
	ids := map[referrer][][]byte{} // that a document no longer refers to
	db.journal = slices.Grow(db.journal, len(slots))
	for list := []removal{{c, slots}}; len(list) > 0; {
		next := list[len(list)-1]
		list = list[:len(list)-1]
		for _, slot := range next.slots {
			doc := next.c.doc(slot)
			if doc == nil {
				continue // another cascade was here
			}
			id := idOf(doc)
			db.removeSlot(next.c, slot)
			for _, rel := range db.relations {
				child := db.collections[rel.child]
				if rel.parent != next.c.name || child == nil || rel.OnDelete == KeepChildren && !rel.Enforce {
					continue
				}
				children := child.referring(rel, id)
				switch {
				case len(children) == 0:
				case rel.OnDelete == Restrict, rel.OnDelete == KeepChildren:
					forbidden = append(forbidden, reference{rel, id})
				case rel.OnDelete == Cascade && rel.Type != ManyToMany:
					list = append(list, removal{child, children})
				default:
					for _, slot := range children {
						r := referrer{rel, slot}
						if ids[r] == nil {
							freed = append(freed, r)
						}
						ids[r] = append(ids[r], id)
					}
				}
			}
		}
	}
	for _, r := range freed {
		child := db.collections[r.rel.child]
		doc := child.doc(r.slot)
		if doc == nil {
			continue // a cascade was here
		}
		removed := ids[r]
		slices.SortFunc(removed, msgpack.Compare)
		if err := db.store(op, child, r.slot, withoutReferences(doc, r.rel.key.Names(), removed)); err != nil {
			return err
		}
	}
	for _, r := range forbidden { // only now: a cascade may have removed those that refer to it
		child := db.collections[r.rel.child]
		for _, slot := range child.referring(r.rel, r.id) {
			if r.rel.OnDelete == Restrict || isLast {
				return Fail(CodeRelationship, op, r.rel.parent+"/"+idText(r.id), "the relationship "+r.rel.Name+" keeps it: "+target(child, idOf(child.doc(slot)))+" refers to it")
			}
			db.doubts = append(db.doubts, doubt{op, child, slot})
		}
	}
	return nil
}

// withoutReferences returns v where the path of names holds null instead of one of
// ids, or an array without them. It is a new value, unless nothing changes.
//
// ids must be sorted.
func withoutReferences(v []byte, names []string, ids [][]byte) []byte {
	isRemoved := func(v []byte) bool {
		_, found := slices.BinarySearchFunc(ids, v, msgpack.Compare)
		return found
	}
	kind := msgpack.KindOf(v)
	if len(names) == 0 && kind != msgpack.Array {
		if isRemoved(v) {
			return msgpack.AppendNil(nil)
		}
		return v
	}
	if kind != msgpack.Array && kind != msgpack.Map {
		return v
	}
	var body []byte
	kept := 0
	count, pos := msgpack.Container(v)
	for i := range count {
		below := 0 // how many names lead into the element or the value
		if kind == msgpack.Map {
			key := v[pos : pos+msgpack.Skip(v[pos:])]
			pos += len(key)
			body = append(body, key...)
			if string(msgpack.Str(key)) == names[0] {
				below = 1
			}
		} else if len(names) > 0 && names[0] == strconv.Itoa(i) {
			below = 1
		}
		value := v[pos : pos+msgpack.Skip(v[pos:])]
		pos += len(value)
		if below == 1 {
			value = withoutReferences(value, names[1:], ids)
		}
		if kind == msgpack.Array && len(names) == 0 && isRemoved(value) {
			continue
		}
		if kind == msgpack.Array && len(names) > 0 && msgpack.KindOf(value) == msgpack.Map {
			value = withoutReferences(value, names, ids)
		}
		body = append(body, value...)
		kept++
	}
	var out []byte
	if kind == msgpack.Map {
		out = msgpack.AppendMap(nil, kept)
	} else {
		out = msgpack.AppendArray(nil, kept)
	}
	if out = append(out, body...); bytes.Equal(out, v) {
		return v
	}
	return out
}
