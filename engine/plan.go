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
// is most of them. If only the first few matches are wanted, it may look at
// fewer documents than it yields, and two orders are not asked.
func (c *collection) plan(where *query.Filter, firstFew bool) plan {
	if where == nil || where.Op == query.OpTrue {
		return plan{}
	}
	conditions := conjuncts(where)
	unbuilt := c.debts()
	from, ok := c.source(conditions)
	if !ok || from.count > c.live-c.live/3 && from.ids == nil {
		return plan{rest: where, brief: c.debts() != unbuilt}
	}
	rest := without(conditions, from.answered)
	if !firstFew {
		if u, ok := c.intersection(from, rest); ok {
			from, rest = u, without(conditions, u.answered)
		}
	}
	return plan{from: &from, rest: rest}
}

// A second order is asked too if what the first one yields is not few, and the
// second not more than this many times as many. To look at a document takes
// 75 to 300 ns; to take a slot from an order and find it among others 5, or 20
// if slots have to be sorted. Measured as js/wasm with 100,000 documents, of
// which each of two equalities holds for 1,000: 76 µs with one order, 20 with
// both; for 10,000: 390 and 140; two ranges of 1,500: 310 and 58. If the second
// yields ten times as many, the gain is gone: 101 and 76 to 98, and an in-list
// takes longer.
const (
	fewCandidates = 64
	mostPartners  = 8
)

// intersection returns the source that yields what from does and an order that
// is built, for some of rest, does too, if that spares more than it costs.
func (c *content) intersection(from source, rest *query.Filter) (s source, ok bool) {
	if rest == nil || from.ids != nil || from.count <= fewCandidates {
		return s, false
	}
	var second source
	conditions := conjuncts(rest)
	for _, o := range c.orders {
		if o.list == nil {
			continue
		}
		u, ranges := o.usable(conditions)
		if len(u.answered) == 0 {
			continue
		}
		if u = o.locate(u, ranges); u.count < from.count*mostPartners && (!ok || u.count < second.count) {
			second, ok = u, true
		}
	}
	return source{
		kids: []source{from, second}, each: true, count: min(from.count, second.count),
		answered: slices.Concat(from.answered, second.answered), used: slices.Concat(from.used, second.used),
	}, ok
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
