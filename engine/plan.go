package engine

import (
	"math"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A plan says how a query is answered. It is chosen once, here, and never
// changes; running it (plan_run.go) gives an outcome, which says what came of
// it.
//
// The documents come from an access path, or are all of the collection's; rest
// is tested on each of them. A sorted query may have an ordered scan besides,
// which is tried first and may give up: everything else here is its fallback.
type plan struct {
	query  Query
	where  *query.Filter // query.Where, merged; nil: all documents
	window int           // how many sorted matches are wanted, before skipping; 0: all

	path    *accessPath   // nil: all documents
	rest    *query.Filter // what is left to test; nil: nothing
	enough  int           // how many matches in insertion order are wanted; 0: all
	columns bool          // many documents are tested by columns, which are built for that

	ordered *orderedScan // nil: there is none
}

// plan chooses how to answer q. Indexes that it needs are built here, once they
// are worth building.
func (c *collection) plan(q Query) plan {
	p := plan{query: q}
	if q.Limit > 0 {
		p.window = min(max(q.Skip, 0), math.MaxInt-q.Limit) + q.Limit
	}
	if q.Where != nil {
		p.where = q.Where.Merged()
	}
	if len(q.Sort) == 0 {
		p.enough = p.window
	}
	c.choosePath(&p)
	if len(q.Sort) > 0 {
		p.ordered = c.orderedScan(&p)
	}
	return p
}

// choosePath chooses the access path that yields the fewest documents, and none if
// that is most of them. If only the first few matches are wanted, it uses no second
// index, because fewer documents may be looked at than the path yields.
func (c *collection) choosePath(p *plan) {
	where := p.where
	if where == nil || where.Op == query.OpTrue {
		return
	}
	conditions := conjuncts(where)
	unbuilt := c.debts()
	path, ok := c.accessPath(conditions)
	if !ok || path.count > c.live-c.live/3 && path.ids == nil {
		p.rest = where
		// Columns are not built for the short time until an index will be.
		p.columns = c.worthColumns(p.enough) && c.debts() == unbuilt
		return
	}
	p.rest = without(conditions, path.answered)
	if p.enough == 0 {
		if narrower, ok := c.intersection(path, p.rest); ok {
			path, p.rest = narrower, without(conditions, narrower.answered)
		}
	}
	p.path = &path
	p.columns = p.rest != nil && c.worthColumns(p.enough)
}

// If an access path yields more than one in manyCandidates documents of the
// collection, they are tested by columns. To look at a document takes 150 ns, to
// test one by a column 3 ns, and to build the column, once, 300 ns a document
// (js/wasm).
const manyCandidates = 16

// worthColumns reports whether a test of all documents should use columns, which
// have to be built first. It does not pay if the test stops after a few documents.
func (c *content) worthColumns(enough int) bool {
	return c.live >= c.columnFrom && (enough == 0 || c.debt >= c.live)
}

// worthCaches reports whether p may find so many documents that it pays to build
// caches, which hold values of all documents.
func (c *content) worthCaches(p *plan) bool {
	return c.live >= c.columnFrom && (p.path == nil || p.path.count > c.live/manyCandidates)
}

// conjuncts returns the conditions that f is the conjunction of.
func conjuncts(f *query.Filter) []*query.Filter {
	if f.Op == query.OpAnd {
		return f.Kids
	}
	return []*query.Filter{f}
}

// without returns the conjunction of the conditions that are not answered; nil if
// all are.
func without(conditions, answered []*query.Filter) *query.Filter {
	if len(answered) == len(conditions) {
		return nil
	}
	var rest []*query.Filter
	for _, f := range conditions {
		if !slices.Contains(answered, f) {
			rest = append(rest, f)
		}
	}
	return query.And(rest...)
}

// worthBuilding reports whether an index that could answer a query should do so. An
// index that is not built, because the database has just been opened, is built for
// the second query that could use it: to sort 100,000 documents takes longer than
// to look at each, and a page may ask only once.
func (c *content) worthBuilding(ix *index) bool {
	if ix.list != nil || ix.unique && !ix.mayHash() || c.live < c.columnFrom || ix.debt >= c.live {
		return true
	}
	ix.debt += c.live
	return false
}

// debts returns a number that changes when worthBuilding puts off an index.
func (c *content) debts() (sum uint64) {
	for _, ix := range c.indexes {
		sum += uint64(ix.debt)
	}
	return sum
}
