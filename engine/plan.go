package engine

import (
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A plan says how a filter is answered: from a source, by walking an order, or
// by looking at every document or at columns (see sieve). Then rest, if there
// is one, decides about each document.
type plan struct {
	from *source
	walk *walk         // gives the documents in the order that the query asks for
	rest *query.Filter // nil: all of them match

	brief   bool     // of a scan: it should not build columns, for an order will soon be built
	columns []string // of a scan: the paths whose columns answered it
}

// plan chooses the source that yields the fewest documents, and a scan if that
// is most of them.
func (c *collection) plan(where *query.Filter) plan {
	if where == nil || where.Op == query.OpTrue {
		return plan{}
	}
	conditions := conjuncts(where)
	unbuilt := c.debts()
	from, ok := c.source(conditions)
	if !ok || from.count > c.live-c.live/3 && from.ids == nil {
		return plan{rest: where, brief: c.debts() != unbuilt}
	}
	return plan{from: &from, rest: without(conditions, from.answered)}
}

// debts returns a number that changes when an order is asked for that is not
// built.
func (c *content) debts() (sum uint64) {
	for _, o := range c.orders {
		sum += uint64(o.debt)
	}
	return sum
}

// without returns the conjunction of the conditions that are not answered; nil
// if none is left.
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
