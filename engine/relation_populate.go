package engine

import (
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A population is a relationship whose documents are put into those of its From. They
// are found a level at a time: all that go into the documents of one level by one pass
// over these documents, or over the index on the foreign key.
type population struct {
	rel  *relation
	key  []byte        // the encoded name
	next []*population // into the documents that it puts

	// What link finds. The documents for the one at a place of its level are those of
	// to that links names within spans[place]: by their places in below if there is
	// a next, else by their slots.
	to    *content // nil: the collection does not exist
	spans []span
	links []uint32
	below *level
}

type span struct{ from, to uint32 }

// A level is the documents into which populations put others, each of them once.
type level struct {
	c      *content
	slots  []uint32 // ascending; a document's place is where its slot is
	places []uint32 // by slot, 1 + the place; nil where there are few documents
}

const (
	maxPopulateDepth = 16
	maxPopulated     = 1_000_000 // documents in one; paths that go back and forth multiply them
)

// populations returns what the paths of Query.Populate name, from a collection on.
func (db *DB) populations(from string, paths []string) (all []*population, err error) {
	for _, path := range paths {
		if path == "" || strings.Count(path, ".") >= maxPopulateDepth {
			return nil, Fail(CodeInvalid, "find", "populate", "expected names of relationships, joined by dots, at most "+strconv.Itoa(maxPopulateDepth)+" in a row")
		}
		level, at := &all, from
		for name := range strings.SplitSeq(path, ".") {
			i := slices.IndexFunc(*level, func(p *population) bool { return p.rel.Name == name })
			if i < 0 {
				rel := db.relationOf(at, name)
				if rel == nil {
					return nil, Fail(CodeInvalid, "find", "populate", at+" has no relationship named "+strconv.Quote(name))
				}
				i = len(*level)
				*level = append(*level, &population{rel: rel, key: msgpack.AppendString(nil, name)})
			}
			p := (*level)[i]
			level, at = &p.next, p.rel.To
		}
	}
	return all, nil
}

func (db *DB) relationOf(from, name string) *relation {
	for _, rel := range db.relations {
		if rel.From == from && rel.Name == name {
			return rel
		}
	}
	return nil
}

// newLevel returns the level of some documents, which may be named several times. It
// owns slots.
func newLevel(c *content, slots []uint32) *level {
	const few = 16 // below one document in so many, a search costs less than a list of all
	if len(slots) < len(c.refs)/few {
		slices.Sort(slots)
		return &level{c: c, slots: slices.Compact(slots)}
	}
	c.meter.hold(4 * len(c.refs))
	l := &level{c: c, places: make([]uint32, len(c.refs))}
	for _, slot := range slots {
		l.places[slot] = 1
	}
	for slot, wanted := range l.places {
		if wanted == 1 {
			l.slots = append(l.slots, uint32(slot))
			l.places[slot] = uint32(len(l.slots))
		}
	}
	return l
}

// place returns the place of a document; false if it is not in l.
func (l *level) place(slot uint32) (int, bool) {
	if l.places == nil {
		return slices.BinarySearch(l.slots, slot)
	}
	place := int(l.places[slot])
	return place - 1, place > 0
}

// populate finds what all put into the documents of some slots, at every depth.
// It refuses to put too many documents into one.
func (db *DB) populate(c *collection, all []*population, slots []uint32) (*level, error) {
	top := newLevel(c.content, slices.Clone(slots))
	counts := db.link(top, all)
	if invariants {
		db.checkLinks(top, all)
	}
	if !slices.ContainsFunc(all, func(p *population) bool { return len(p.next) > 0 }) {
		return top, nil // at most as many as the other collection has, or the foreign key
	}
	for _, slot := range slots {
		if place, _ := top.place(slot); counts[place] > maxPopulated {
			return nil, Fail(CodeInvalid, "find", "populate", "it would put more than "+strconv.Itoa(maxPopulated)+" documents into "+target(c, idOf(c.doc(slot))))
		}
	}
	return top, nil
}

// link finds what all put into the documents of a level. It returns how many documents
// that are for each of them, at every depth together.
func (db *DB) link(l *level, all []*population) (counts []int) {
	counts = make([]int, len(l.slots))
	for _, p := range all {
		p.spans = make([]span, len(l.slots))
		if c := db.collections[p.rel.To]; c != nil {
			p.to = c.content
			if p.rel.Type == OneToMany || p.rel.Type == OneToOne {
				db.linkChildren(p, l, c)
			} else {
				db.linkParents(p, l)
			}
		}
		var below []int
		if p.to != nil && len(p.next) > 0 {
			p.below = newLevel(p.to, slices.Clone(p.links))
			below = db.link(p.below, p.next)
			for i, slot := range p.links {
				place, _ := p.below.place(slot)
				p.links[i] = uint32(place)
			}
		}
		l.c.meter.hold(8*len(p.spans) + 4*len(p.links))
		for place, s := range p.spans {
			count := counts[place] + int(s.to-s.from)
			if below != nil {
				for _, link := range p.links[s.from:s.to] {
					count = min(count+below[link], maxPopulated+1)
				}
			}
			counts[place] = count
		}
	}
	return counts
}

// linkParents links the documents that the foreign keys in those of l name, in the
// order of the ids.
func (db *DB) linkParents(p *population, l *level) {
	from := uint32(0)
	link := func(id []byte) bool {
		if _, slot, found := db.parentOf(p.rel, id); found {
			p.links = append(p.links, slot)
		}
		return p.isMany() || len(p.links) == int(from)
	}
	for place, slot := range l.slots {
		l.c.meter.spend(1)
		p.rel.references(l.c.doc(slot), link)
		p.spans[place] = span{from, uint32(len(p.links))}
		from = uint32(len(p.links))
	}
}

// linkChildren links the documents of child whose foreign key names one of l, in the
// order of their insertion.
func (db *DB) linkChildren(p *population, l *level, child *collection) {
	const few = 16 // to look an id up takes as long as to pass over so many entries
	ix := child.indexOf(p.rel)
	entries := ix.rangeOf(valueRange{})
	if len(l.slots)*few < entries.count {
		for place, slot := range l.slots {
			l.c.meter.spend(few)
			from := uint32(len(p.links))
			p.links = append(p.links, child.referring(p.rel, idOf(l.c.doc(slot)))...)
			p.end(place, from)
		}
		return
	}
	// Entries of equal values stand together, so a parent is looked up once for all its
	// children.
	place, isWanted, from := 0, false, uint32(0)
	var last entry
	isFirst := true
	ix.eachBlock(entries, func(block []entry) bool {
		l.c.meter.spend(len(block) / few)
		for _, e := range block {
			if isFirst || ix.compareKeyed(last, e) != 0 {
				if isWanted {
					p.end(place, from)
				}
				from = uint32(len(p.links))
				if _, slot, found := db.parentOf(p.rel, ix.value(e, 0)); found {
					place, isWanted = l.place(slot)
				} else {
					isWanted = false
				}
			}
			last, isFirst = e, false
			if isWanted && (len(p.links) == int(from) || p.links[len(p.links)-1] != e.slot) { // not twice for an array that names it twice
				p.links = append(p.links, e.slot)
			}
		}
		return true
	})
	if isWanted {
		p.end(place, from)
	}
}

// end says that the links from one on are all for the document at a place.
func (p *population) end(place int, from uint32) {
	if !p.isMany() && len(p.links) > int(from) {
		p.links = p.links[:from+1]
	}
	p.spans[place] = span{from, uint32(len(p.links))}
}

// isMany reports whether p puts an array, and not one document or null.
func (p *population) isMany() bool { return p.rel.Type == OneToMany || p.rel.Type == ManyToMany }

// appendPopulated appends shown, which is the document at a place of l or the part of
// it that a query wants, with what all put into it. That takes the place of fields of
// the same names.
func (l *level) appendPopulated(dst []byte, all []*population, place int, shown []byte) []byte {
	count, header := msgpack.Container(shown)
	replaced := 0
	for key := range msgpack.Fields(shown) {
		if names(all, key) {
			replaced++
		}
	}
	dst = msgpack.AppendMap(dst, count-replaced+len(all))
	if replaced == 0 {
		dst = append(dst, shown[header:]...)
	} else {
		for key, value := range msgpack.Fields(shown) {
			if !names(all, key) {
				dst = append(msgpack.AppendString(dst, key), value...)
			}
		}
	}
	for _, p := range all {
		dst = append(dst, p.key...)
		s := p.spans[place]
		switch {
		case p.isMany():
			dst = msgpack.AppendArray(dst, int(s.to-s.from))
		case s.from == s.to:
			dst = msgpack.AppendNil(dst)
		}
		for _, link := range p.links[s.from:s.to] {
			if p.below == nil {
				dst = append(dst, p.to.doc(link)...)
			} else {
				dst = p.below.appendPopulated(dst, p.next, int(link), p.to.doc(p.below.slots[link]))
			}
		}
	}
	return dst
}

// names reports whether one of all puts documents under a key.
func names(all []*population, key []byte) bool {
	for _, p := range all {
		if p.rel.Name == string(key) {
			return true
		}
	}
	return false
}
