package engine

import (
	"math/bits"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// An accessPath yields the documents that may meet a conjunction of conditions,
// without looking at them: the documents of some ids, a part of an index, the union
// of what several access paths yield, or the intersection of what two yield.
type accessPath struct {
	ids    []uint32 // slots, from the id table or from the hash of index
	index  *index
	ranges []entryRange
	kids   []accessPath
	each   bool // it yields the intersection of the kids, not the union

	count    int             // how many documents it yields at most
	answered []*query.Filter // the conditions that every document it yields meets
	used     []*query.Filter // the conditions that it was made from
}

// accessPath returns the access path that yields the fewest documents for some
// conditions; false if there is none.
func (c *content) accessPath(conditions []*query.Filter) (best accessPath, ok bool) {
	if s, ok := c.byID(conditions); ok {
		return s, true
	}
	if s, ok := c.byHash(conditions); ok {
		return s, true
	}
	for _, built := range []bool{true, false} {
		for _, ix := range c.indexes {
			if (ix.list != nil) != built {
				continue
			}
			u, ranges := ix.rangesFor(conditions)
			if ok && isSubset(u.answered, best.answered) || len(u.answered) == 0 || !c.worthBuilding(ix) {
				continue // it would yield no fewer documents, or answers nothing
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
			if checkID("", "", id) != nil {
				continue
			}
			if slot, ok := c.slotOf(id); ok {
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

// union returns an access path for a disjunction if each of its kids has one.
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

// A second index is used if the first one yields more than minCandidates, and the
// second one less than maxSecondRatio times as many. To look at a document takes
// 75 to 300 ns. To take a slot from an index and find it among others takes 5 ns,
// or 20 ns if slots have to be sorted. Measured as js/wasm with 100,000 documents,
// with one index and with both: two equalities that hold for 1,000 documents each,
// 76 and 20 µs; for 10,000 each, 390 and 140 µs; two ranges of 1,500 each, 310 and
// 58 µs. If the second index yields ten times as many, little is gained: 101 and 76
// to 98 µs, and an in-list takes longer.
const (
	minCandidates  = 64
	maxSecondRatio = 8
)

// intersection returns the access path that yields what both first and an index
// for some of rest yield; false if there is none, or if it is not likely to pay. It
// builds no index.
func (c *content) intersection(first accessPath, rest *query.Filter) (s accessPath, ok bool) {
	if rest == nil || first.ids != nil || first.count <= minCandidates {
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
		if u = ix.locate(u, ranges); u.count < first.count*maxSecondRatio && (!ok || u.count < second.count) {
			second, ok = u, true
		}
	}
	return accessPath{
		kids: []accessPath{first, second}, each: true, count: min(first.count, second.count),
		answered: slices.Concat(first.answered, second.answered), used: slices.Concat(first.used, second.used),
	}, ok
}

// operands returns the values of an equality or an in-list.
func operands(f *query.Filter) [][]byte {
	if f.Op == query.OpEq {
		return [][]byte{f.Value}
	}
	return f.Values
}

// maxRanges is how many ranges a combination of in-lists may search.
const maxRanges = 1000

// rangesFor returns the conditions that ix answers, as an access path that is not
// located yet, and the ranges of ix that they leave. Those are equalities on its
// first paths, then a range on the next path. The ranges are valid until the next
// call.
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
		if len(values)*len(ranges) > maxRanges || slices.ContainsFunc(values, ix.lacks) {
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
		// A document that lacks a later path is not in a sparse index, though it
		// may meet the conditions.
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

// lacks reports whether ix has no entries for some of the documents with the value
// v, which a condition asks for.
func (ix *index) lacks(v []byte) bool { return isArray(v) || ix.sparse && len(v) == 0 }

// product returns each of ranges with each of values as its next equality.
func product(ranges []valueRange, values [][]byte) []valueRange {
	all := make([]valueRange, 0, len(values)*len(ranges))
	for _, b := range ranges {
		for _, v := range values {
			all = append(all, valueRange{equal: append(slices.Clip(b.equal), v)})
		}
	}
	return all
}

// limits returns the range of the values at a path that conditions leave, and the
// conditions that it answers.
func (ix *index) limits(path string, conditions []*query.Filter) (limits valueRange, answered []*query.Filter) {
	for _, f := range conditions {
		if !hasRange(f.Op) || f.Path.String() != path {
			continue
		}
		if limits.low != nil {
			if ix.build(); ix.arrays > 0 {
				break // one element may meet the first condition, and another one the second
			}
		}
		if limits.narrow(f) {
			answered = append(answered, f)
		}
	}
	return limits, answered
}

func isArray(v []byte) bool { return msgpack.KindOf(v) == msgpack.Array }

// locate completes an access path that rangesFor returned.
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

// exact reports whether s.count is exact, because s yields each document once.
func (s *accessPath) exact() bool { return s.index != nil && s.index.arrays == 0 }

// slots returns what s yields, in insertion order and each document once. The
// collection has as many slots as given.
func (s *accessPath) slots(slots int) []uint32 {
	if s.each {
		return both(s.kids[0].slots(slots), s.kids[1].slots(slots))
	}
	found := s.appendTo(make([]uint32, 0, s.count))
	if slices.IsSorted(found) {
		return slices.Compact(found)
	}
	// To mark the slots and read the marks takes less time than sorting, unless
	// there are many words to read for each mark.
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

// entries returns how many places in indexes and the id table s looks at.
func (s *accessPath) entries() (n int) {
	if s.kids == nil {
		return s.count
	}
	for i := range s.kids {
		n += s.kids[i].entries()
	}
	return n
}

// indexPaths returns the paths of the indexes that s uses, as in Plan.Index.
func (s *accessPath) indexPaths() (paths []string) {
	if s.index != nil {
		paths = s.index.pathTexts()
	}
	for i := range s.kids {
		paths = append(paths, s.kids[i].indexPaths()...)
	}
	return paths
}
