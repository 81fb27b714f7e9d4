package engine

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// What follows compares what a plan found with the definition of meaning, a
// look at every document, and panics if they differ. Only builds with the tag
// invariants do that.

func (c *collection) checkFound(p *plan, slots []uint32) {
	want, _ := c.scan(p.query.Where, p.enough)
	if !slices.Equal(slots, want) {
		panic("engine: the plan for " + p.query.Where.String() + " found " + strconv.Itoa(len(slots)) + " documents, looking at each " + strconv.Itoa(len(want)))
	}
}

// checkEqual wants what a scan for an equality finds.
func (c *collection) checkEqual(path, value []byte, one bool, slots []uint32) {
	enough := 0
	if one {
		enough = 1
	}
	p := plan{query: Query{Where: query.Eq(query.ParsePath(string(path)), value)}, enough: enough}
	c.checkFound(&p, slots)
}

func (c *collection) checkCount(p *plan, n int) {
	if found, _ := c.scan(p.query.Where, 0); len(found) != n {
		panic("engine: counting " + p.query.Where.String() + " went wrong")
	}
}

// checkSorted wants what sorting all that match begins with.
func (c *collection) checkSorted(p *plan, sorted []uint32) {
	keys := p.query.Sort
	want, _ := c.scan(p.query.Where, 0)
	slices.SortFunc(want, func(a, b uint32) int {
		return cmp.Or(compareBy(keys, c.doc(a), c.doc(b)), cmp.Compare(a, b))
	})
	if !slices.Equal(sorted, want[:len(sorted)]) {
		panic("engine: sorting by " + keys[0].Path.String() + " went wrong")
	}
}

// checkLinks looks up one by one what all put into each document of a level.
func (db *DB) checkLinks(l *level, all []*population) {
	for _, p := range all {
		for place, slot := range l.slots {
			want := db.linksOf(p, l.c.doc(slot))
			if !p.isMany() && len(want) > 1 {
				want = want[:1]
			}
			s := p.spans[place]
			found := slices.Clone(p.links[s.from:s.to])
			if p.below != nil {
				for i, link := range found {
					found[i] = p.below.slots[link]
				}
			}
			if !slices.Equal(found, want) {
				panic("engine: populating " + p.rel.Name + " went wrong")
			}
		}
		if p.below != nil {
			db.checkLinks(p.below, p.next)
		}
	}
}

// linksOf returns the slots of the documents that p puts into doc, in the order of their
// insertion; of what names parents, in the order of the ids.
func (db *DB) linksOf(p *population, doc []byte) (slots []uint32) {
	if p.rel.Type == ManyToOne || p.rel.Type == ManyToMany {
		p.rel.references(doc, func(id []byte) bool {
			if _, slot, found := db.parentOf(p.rel, id); found {
				slots = append(slots, slot)
			}
			return true
		})
	} else if child := db.collections[p.rel.child]; child != nil {
		for slot := range child.refs {
			if d := child.doc(uint32(slot)); d != nil {
				p.rel.references(d, func(id []byte) bool {
					if msgpack.Equal(id, idOf(doc)) && (len(slots) == 0 || slots[len(slots)-1] != uint32(slot)) {
						slots = append(slots, uint32(slot))
					}
					return true
				})
			}
		}
	}
	return slots
}
