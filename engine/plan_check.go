package engine

import (
	"cmp"
	"slices"
	"strconv"
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
