package sql

import (
	"math"
	"slices"
	"sort"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// excludes reports whether row n is left out of the frame of row i.
func (p *partition) excludes(i, n int) bool {
	switch p.frame.exclude {
	case excludeNone:
		return false
	case excludeRow:
		return n == i
	}
	return p.group[n] == p.group[i] && (n != i || p.frame.exclude == excludeGroup)
}

// edge returns the first row of the frame of row i, or, if after is 1, the one after its
// last.
func (p *partition) edge(i int, of bound, distance []byte, after int) int {
	n := len(p.rows)
	step := 0
	switch of.place {
	case unboundedPreceding:
		return 0
	case unboundedFollowing:
		return n
	case preceding, following:
		if p.frame.unit == unitRange {
			return p.valueEdge(i, of.place, distance, after)
		}
		by, _ := intOf(distance)
		if step = int(min(by, math.MaxInt32)); of.place == preceding {
			step = -step
		}
	}
	if step += after; p.frame.unit == unitRows {
		return min(max(i+step, 0), n)
	}
	return p.groups[min(max(p.group[i]+step, 0), len(p.groups)-1)]
}

// valueEdge finds the edge that lies at a distance of the value that the rows are sorted
// by. From a value that is no number, there is no distance.
func (p *partition) valueEdge(i int, to place, distance []byte, after int) int {
	keys := slices.Clone(p.rows[i].keys)
	last := len(keys) - 1
	if msgpack.KindOf(keys[last]) == msgpack.Number {
		sign := byte('+')
		if (to == preceding) != p.keys[last].descending {
			sign = '-'
		}
		keys[last] = arithmetic(sign, keys[last], distance)
	}
	return sort.Search(len(p.rows), func(n int) bool { return compareKeys(p.keys, p.rows[n].keys, keys) >= after })
}

// take returns what the aggregate comes to of one value; nil if it does not take it.
func (w *window) take(v []byte) []byte {
	switch {
	case isNull(v):
		return nil
	case w.aggregate == aggCount:
		return number(1)
	case w.aggregate == aggConcat:
		text, ok := textOf(v)
		if !ok {
			return nil
		}
		return textValue(text)
	case !w.addsUp():
		return v
	case msgpack.KindOf(v) != msgpack.Number:
		return nil
	case w.aggregate == aggAvg:
		return number(1)
	}
	return v
}

// addsUp reports whether the aggregate is a sum of numbers, or, as AVG is here, how many
// these are; see average.
func (w *window) addsUp() bool {
	return w.aggregate == aggSum || w.aggregate == aggAvg || w.aggregate == aggTotal
}

// merge returns what the aggregate comes to of some rows, of which it is a, and those
// after them, of which it is b.
func (w *window) merge(a, b []byte) []byte {
	switch {
	case b == nil:
		return a
	case a == nil:
		return b
	case w.aggregate == aggConcat:
		engine.CheckRoom(maxConcatBytes, len(a)+len(b), maxConcatBytes)
		return textValue(string(msgpack.Str(a)) + w.separator + string(msgpack.Str(b)))
	case w.aggregate == aggMin && msgpack.Compare(b, a) < 0, w.aggregate == aggMax && msgpack.Compare(b, a) > 0:
		return b
	case w.aggregate == aggMin, w.aggregate == aggMax:
		return a
	}
	return arithmetic('+', a, b)
}

// A sliding aggregate is one of frames whose edges move on with the rows. It keeps what
// the older rows come to from each of them on, and what the newer ones come to, so that a
// row costs the same whatever the frame is.
type sliding struct {
	*partition
	isExact         bool // values may be merged in any order
	start, mid, end int  // of the last frame
	older           [][]byte
	first           int    // the row of the first of older, which end before mid
	newer           []byte // of the rows from mid on
}

// isExact reports whether an aggregate of the values is the same in whatever order it is
// worked out. Of floats and of sums that overflow it is not.
func (p *partition) isExact() bool {
	size := 0.0
	for _, v := range p.values {
		if p.addsUp() && msgpack.IsDouble(v) {
			return false
		}
		size += math.Abs(msgpack.Float(v))
	}
	return p.aggregate != aggConcat && (size < 1<<53 || !p.addsUp())
}

// over returns the aggregate of the rows from start to end.
func (s *sliding) over(start, end int) []byte {
	before := s.end
	isOn := start >= s.start && end >= before
	isSame := isOn && start == s.start
	s.start, s.end = start, max(start, end)
	switch {
	case isSame || isOn && s.isExact && start <= s.mid:
		s.newer = s.added(s.newer, before, end)
	case isOn && s.isExact:
		s.q.x.db.Hold(64 * (s.end - start))
		s.older, s.first, s.mid, s.newer = make([][]byte, s.end-start), start, s.end, nil
		var all []byte
		for n := end - 1; n >= start; n-- {
			s.q.x.db.Spend(1)
			all = s.merge(s.take(s.values[n]), all)
			s.older[n-start] = all
		}
	default:
		s.mid, s.newer = start, s.added(nil, start, end)
	}
	if start < s.mid {
		return s.merge(s.older[start-s.first], s.newer)
	}
	return s.newer
}

// added returns what all comes to with the rows from start to end.
func (p *partition) added(all []byte, start, end int) []byte {
	for n := start; n < end; n++ {
		p.q.x.db.Spend(1)
		all = p.merge(all, p.take(p.values[n]))
	}
	return all
}
