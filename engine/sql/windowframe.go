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
	case w.aggregate.collects():
		engine.CheckRoom(maxConcatBytes, len(a)+len(b), maxConcatBytes)
		return merged(a, b)
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
// worked out. Of sums that overflow it is not.
func (p *partition) isExact() bool {
	if p.aggregate.collects() {
		return false
	}
	size := 0.0
	for _, v := range p.values {
		size += math.Abs(msgpack.Float(v))
	}
	return size < 1<<53 || !p.addsUp() || p.aggregate == aggAvg
}

// hasFloats reports whether an aggregate is a sum of floats among others, none of which
// is so large that the sum of some could overflow.
func (p *partition) hasFloats() bool {
	if p.aggregate != aggSum && p.aggregate != aggTotal {
		return false
	}
	found := false
	floats, whole := 0.0, 0.0
	for _, v := range p.values {
		switch x := math.Abs(msgpack.Float(v)); {
		case msgpack.KindOf(v) != msgpack.Number:
		case !msgpack.IsDouble(v):
			whole += x
		case x-x == 0: // neither infinite nor NaN
			floats += x
			found = true
		default:
			found = true
		}
	}
	return found && whole < 1<<62 && floats < math.MaxFloat64/4
}

// A floatSum is a sum that rows enter and leave. It loses no digit, so it is the same in
// whatever order they do: the parts are floats that do not overlap, the least first, whose
// sum is exact (Shewchuk, 1997).
type floatSum struct {
	start, end int // of the rows that are in it
	whole      int64
	parts      []float64
	numbers    int
	floats     int
	infinite   [2]int // above and below 0
	nans       int
}

// to makes s the sum of the rows from start to end.
func (s *floatSum) to(p *partition, start, end int) {
	if start < s.start || end < s.end || start > s.end {
		*s = floatSum{start: start, end: start, parts: s.parts[:0]}
	}
	for ; s.start < start; s.start++ {
		s.put(p, s.start, -1)
	}
	for ; s.end < end; s.end++ {
		s.put(p, s.end, 1)
	}
}

// put adds the value of a row, or takes it out if by is -1.
func (s *floatSum) put(p *partition, row, by int) {
	p.q.x.db.Spend(1)
	v := p.values[row]
	if msgpack.KindOf(v) != msgpack.Number {
		return
	}
	s.numbers += by
	if n, ok := msgpack.Int(v); ok {
		n *= int64(by)
		s.whole += n
		high := float64(n)
		s.add(high)
		s.add(float64(n - int64(high)))
		return
	}
	s.floats += by
	switch x := msgpack.Float(v); {
	case x != x:
		s.nans += by
	case x > math.MaxFloat64:
		s.infinite[0] += by
	case x < -math.MaxFloat64:
		s.infinite[1] += by
	default:
		s.add(x * float64(by))
	}
}

func (s *floatSum) add(x float64) {
	n := 0
	for _, y := range s.parts {
		if math.Abs(x) < math.Abs(y) {
			x, y = y, x
		}
		sum := x + y
		if lost := y - (sum - x); lost != 0 {
			s.parts[n] = lost
			n++
		}
		x = sum
	}
	s.parts = append(s.parts[:n], x)
}

// value is the sum, rounded once; nil if there is no number. Without floats it is whole.
func (s *floatSum) value() []byte {
	switch {
	case s.numbers == 0:
		return nil
	case s.floats == 0:
		return msgpack.AppendInt(nil, s.whole)
	case s.nans > 0 || s.infinite[0] > 0 && s.infinite[1] > 0:
		return floatValue(math.NaN())
	case s.infinite[0] > 0:
		return floatValue(math.Inf(1))
	case s.infinite[1] > 0:
		return floatValue(math.Inf(-1))
	}
	n := len(s.parts) - 1
	sum, lost := s.parts[n], 0.0
	for n > 0 && lost == 0 {
		n--
		before := sum
		sum = before + s.parts[n]
		lost = s.parts[n] - (sum - before)
	}
	// What is left decides between the two floats that a half lies between.
	if n > 0 && lost != 0 && (lost < 0) == (s.parts[n-1] < 0) {
		if next := sum + 2*lost; next-sum == 2*lost {
			sum = next
		}
	}
	return floatValue(sum)
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
