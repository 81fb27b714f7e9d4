package engine

import (
	"math/bits"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A accessPath yields the documents that may meet a conjunction of conditions,
// without looking at them: those of some ids, a part of an order, what several
// sources yield together, or what each of two does.
type accessPath struct {
	ids    []uint32 // slots; if there is neither order nor kids
	index  *index
	ranges []entryRange
	kids   []accessPath
	each   bool // what each of the kids yields, not what any does

	count    int             // how many documents it yields at most
	answered []*query.Filter // the conditions that all it yields do meet
	used     []*query.Filter // the conditions that it got its parts from
}

// accessPath returns the accessPath that yields the fewest documents for conditions;
// false if only a scan can answer them.
func (c *content) accessPath(conditions []*query.Filter) (best accessPath, ok bool) {
	if s, ok := c.byID(conditions); ok {
		return s, true
	}
	for _, built := range []bool{true, false} {
		for _, ix := range c.indexes {
			if (ix.list != nil) != built {
				continue
			}
			u, ranges := ix.rangesFor(conditions)
			if ok && isSubset(u.answered, best.answered) || len(u.answered) == 0 || !c.worthBuilding(ix) {
				continue // it would yield no fewer, or has nothing to say
			}
			if u = ix.locate(u, ranges); !ok || u.count < best.count {
				best, ok = u, true
			}
		}
	}
	for _, f := range conditions {
		if f.Op != query.OpOr || ok && best.count == 0 {
			continue
		}
		if u, all := c.union(f); all && (!ok || u.count < best.count) {
			best, ok = u, true
		}
	}
	return best, ok
}

func isSubset(some, all []*query.Filter) bool {
	for _, f := range some {
		if !slices.Contains(all, f) {
			return false
		}
	}
	return true
}

// byID answers a condition on _id from the id table.
func (c *content) byID(conditions []*query.Filter) (s accessPath, ok bool) {
	for _, f := range conditions {
		if f.Op != query.OpEq && f.Op != query.OpIn || f.Path.String() != "_id" {
			continue
		}
		for _, id := range operands(f) {
			if slot, ok := c.slotOf(id); ok && checkID("", "", id) == nil {
				s.ids = append(s.ids, slot)
			}
		}
		s.count = len(s.ids)
		s.answered = []*query.Filter{f}
		s.used = s.answered
		return s, true
	}
	return s, false
}

// union returns a accessPath for a disjunction each of whose kids has one.
func (c *content) union(f *query.Filter) (s accessPath, ok bool) {
	whole := true
	for _, kid := range f.Kids {
		conditions := conjuncts(kid)
		u, ok := c.accessPath(conditions)
		if !ok {
			return s, false
		}
		whole = whole && len(u.answered) == len(conditions)
		s.kids = append(s.kids, u)
		s.count += u.count
		s.used = append(s.used, u.used...)
	}
	if whole {
		s.answered = []*query.Filter{f}
	}
	return s, true
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
	minCandidates  = 64
	maxSecondRatio = 8
)

// intersection returns the accessPath that yields what from does and an order that
// is built, for some of rest, does too, if that spares more than it costs.
func (c *content) intersection(from accessPath, rest *query.Filter) (s accessPath, ok bool) {
	if rest == nil || from.ids != nil || from.count <= minCandidates {
		return s, false
	}
	var second accessPath
	conditions := conjuncts(rest)
	for _, ix := range c.indexes {
		if ix.list == nil {
			continue
		}
		u, ranges := ix.rangesFor(conditions)
		if len(u.answered) == 0 {
			continue
		}
		if u = ix.locate(u, ranges); u.count < from.count*maxSecondRatio && (!ok || u.count < second.count) {
			second, ok = u, true
		}
	}
	return accessPath{
		kids: []accessPath{from, second}, each: true, count: min(from.count, second.count),
		answered: slices.Concat(from.answered, second.answered), used: slices.Concat(from.used, second.used),
	}, ok
}

// operands returns the values that an equality or an in-list asks for.
func operands(f *query.Filter) [][]byte {
	if f.Op == query.OpEq {
		return [][]byte{f.Value}
	}
	return f.Values
}

// mostRanges bounds how many searches a combination of in-lists may cost.
const maxRanges = 1000

// usable finds the conditions that o answers, equalities on its first paths,
// then a range on the next one, and the ranges of o that they come to, which
// are good until the next call.
func (ix *index) rangesFor(conditions []*query.Filter) (s accessPath, ranges []valueRange) {
	ranges = append(ix.ranges[:0], valueRange{})
	s.index = ix
	for _, path := range ix.paths {
		text := path.String()
		equality := -1
		for i, f := range conditions {
			if (f.Op == query.OpEq || f.Op == query.OpIn) && f.Path.String() == text {
				equality = i
				break
			}
		}
		if equality < 0 {
			limits, answered := ix.limits(text, conditions)
			for i := range ranges {
				limits.equal = ranges[i].equal
				ranges[i] = limits
			}
			s.answered = append(s.answered, answered...)
			break
		}
		f := conditions[equality]
		values := operands(f)
		if len(values)*len(ranges) > maxRanges || slices.ContainsFunc(values, isArray) {
			break
		}
		if len(values) == 1 && len(ranges) == 1 {
			ranges[0].equal = append(ranges[0].equal, values[0])
		} else {
			ranges = product(ranges, values)
		}
		if len(s.answered) == 0 {
			s.answered = conditions[equality : equality+1 : equality+1]
		} else {
			s.answered = append(s.answered, f)
		}
	}
	if ix.sparse {
		// Documents that lack a later path are not in a sparse order, though
		// they may meet the conditions.
		covered := len(ranges[0].equal)
		if ranges[0].low != nil {
			covered++
		}
		if covered < len(ix.paths) {
			s.answered = nil
		}
	}
	s.used = s.answered
	ix.ranges = ranges
	return s, ranges
}

// product returns the ranges that each of ranges is with each of values.
func product(ranges []valueRange, values [][]byte) []valueRange {
	all := make([]valueRange, 0, len(values)*len(ranges))
	for _, b := range ranges {
		for _, v := range values {
			all = append(all, valueRange{equal: append(slices.Clip(b.equal), v)})
		}
	}
	return all
}

// limits returns the range that conditions leave of a path, and which they are.
func (ix *index) limits(path string, conditions []*query.Filter) (limits valueRange, answered []*query.Filter) {
	for _, f := range conditions {
		switch f.Op {
		case query.OpGt, query.OpGte, query.OpLt, query.OpLte, query.OpBetween, query.OpStartsWith:
		default:
			continue
		}
		if f.Path.String() != path {
			continue
		}
		if limits.low != nil {
			if ix.build(); ix.arrays > 0 {
				break // one element may meet the one condition, another one the other
			}
		}
		if limits.narrow(f) {
			answered = append(answered, f)
		}
	}
	return limits, answered
}

func isArray(v []byte) bool { return msgpack.KindOf(v) == msgpack.Array }

// locate finds ranges in o.
func (ix *index) locate(s accessPath, ranges []valueRange) accessPath {
	s.ranges = make([]entryRange, 0, len(ranges))
	for _, b := range ranges {
		if found := ix.rangeOf(b); found.count > 0 {
			s.ranges = append(s.ranges, found)
			s.count += found.count
		}
	}
	return s
}

// exact reports whether s yields each document once, so that its count is no
// mere bound.
func (s *accessPath) exact() bool { return s.index != nil && s.index.arrays == 0 }

// slots returns what s yields, in insertion order and each document once.
// There are slots in all.
func (s *accessPath) slots(slots int) []uint32 {
	if s.each {
		return both(s.kids[0].slots(slots), s.kids[1].slots(slots))
	}
	found := s.appendTo(make([]uint32, 0, s.count))
	if slices.IsSorted(found) {
		return slices.Compact(found)
	}
	// Marking a slot and reading the marks costs less than sorting if a few
	// words hold one mark.
	if len(found) < slots/256 {
		slices.Sort(found)
		return slices.Compact(found)
	}
	marks := make([]uint64, slots/64+1)
	for _, slot := range found {
		marks[slot/64] |= 1 << (slot % 64)
	}
	found = found[:0]
	for w, word := range marks {
		for ; word != 0; word &= word - 1 {
			found = append(found, uint32(w*64+bits.TrailingZeros64(word)))
		}
	}
	return found
}

func (s *accessPath) appendTo(found []uint32) []uint32 {
	found = append(found, s.ids...)
	for _, part := range s.ranges {
		s.index.eachBlock(part, func(entries []entry) bool {
			for i := range entries {
				found = append(found, entries[i].slot)
			}
			return true
		})
	}
	for i := range s.kids {
		found = s.kids[i].appendTo(found)
	}
	return found
}

// entries returns how many places s looks at in orders and the id table.
func (s *accessPath) entries() (n int) {
	if s.kids == nil {
		return s.count
	}
	for i := range s.kids {
		n += s.kids[i].entries()
	}
	return n
}

// index returns the paths of the orders that s uses, as Plan.Index has them.
func (s *accessPath) indexPaths() (paths []string) {
	if s.index != nil {
		paths = s.index.pathTexts()
	}
	for i := range s.kids {
		paths = append(paths, s.kids[i].indexPaths()...)
	}
	return paths
}
