package sql

import (
	"math"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A windowFunction is a function over rows that are in the answer themselves.
type windowFunction int

const (
	winAggregate windowFunction = iota // of the rows of the frame
	winRowNumber
	winRank
	winDenseRank
	winPercentRank
	winCumeDist
	winNtile
	winLag
	winLead
	winFirst
	winLast
	winNth
)

// windowFunctions are their names, but for those of aggregates, and how many arguments
// they take.
var windowFunctions = [...]struct {
	name     string
	min, max int
}{
	winAggregate:   {},
	winRowNumber:   {"row_number", 0, 0},
	winRank:        {"rank", 0, 0},
	winDenseRank:   {"dense_rank", 0, 0},
	winPercentRank: {"percent_rank", 0, 0},
	winCumeDist:    {"cume_dist", 0, 0},
	winNtile:       {"ntile", 1, 1},
	winLag:         {"lag", 1, 3},
	winLead:        {"lead", 1, 3},
	winFirst:       {"first_value", 1, 1},
	winLast:        {"last_value", 1, 1},
	winNth:         {"nth_value", 2, 2},
}

// windows are the window functions of a SELECT. A tuple gets a slot for each, after those
// of its group.
type windows struct {
	of    *selectBody
	bound []*window // the different ones
}

// A window is a window function that is bound.
type window struct {
	function  windowFunction
	aggregate aggregate
	separator string
	args      []*expr
	keys      []sortKey // of PARTITION BY, then of ORDER BY
	parts     int       // how many are of PARTITION BY
	terms     int       // of ORDER BY
	frame     *frame
	from, to  []byte // the distances of its bounds; nil: none
	slot      *expr
	key       string // the same for the same function of the same window
}

// window binds a window function and returns its slot.
func (b *binder) window(e *expr) (*expr, error) {
	if b.windows == nil {
		return nil, b.fault(e, "expected a value of one row; window functions stand in SELECT and ORDER BY, and not inside one another")
	}
	spec, err := b.windows.of.window(b.x.text, e.over)
	if err != nil {
		return nil, err
	}
	ws := b.windows
	b.windows = nil
	w := &window{function: windowFunction(e.index), aggregate: e.aggregate, terms: len(spec.order), frame: spec.frame}
	if w.frame == nil {
		w.frame = defaultFrame
	}
	if w.args, err = b.all(e.kids); err != nil {
		return nil, err
	}
	if w.function == winAggregate && len(w.args) > 0 {
		if w.separator, err = b.separator(e); err == nil {
			err = b.uncollated(w.args[0])
		}
		if w.args = w.args[:1]; w.addsUp() {
			w.args[0] = asNumber(w.args[0])
		}
	}
	terms := make([]term, 0, len(spec.partition)+len(spec.order))
	for _, e := range spec.partition {
		terms = append(terms, term{expr: e})
	}
	for i, t := range append(terms, spec.order...) {
		if i == len(spec.partition) {
			w.parts = len(w.keys)
		}
		bound, bad := b.bind(t.expr)
		if bad != nil {
			return nil, bad
		}
		w.keys = append(w.keys, t.keys(bound)...)
	}
	if spec.order == nil {
		w.parts = len(w.keys)
	}
	if err == nil {
		w.from, err = b.distance(w.frame.from, w)
	}
	if err == nil {
		w.to, err = b.distance(w.frame.to, w)
	}
	if err != nil {
		return nil, err
	}
	b.windows = ws
	return ws.add(e, w), nil
}

// distance evaluates the distance of a bound; nil if it has none.
func (b *binder) distance(of bound, w *window) ([]byte, error) {
	if of.offset == nil {
		return nil, nil
	}
	bound, err := (&binder{x: b.x}).bind(of.offset)
	if err != nil {
		return nil, err
	}
	v := bound.eval(&tuple{})
	_, isWhole := intOf(v)
	isOfRange := w.frame.unit == unitRange
	switch {
	case isOfRange && w.terms != 1:
		return nil, b.fault(of.offset, "expected one term of ORDER BY with a distance of RANGE")
	case msgpack.KindOf(v) != msgpack.Number || !(msgpack.Float(v) >= 0) || !isOfRange && !isWhole:
		return nil, b.fault(of.offset, "expected a distance of 0 or more: of rows or groups a whole number")
	}
	return v, nil
}

// add returns the slot of w, which is that of another one if they are the same.
func (ws *windows) add(e *expr, w *window) *expr {
	f := w.frame
	signs := []byte{byte(w.parts), byte(f.unit), byte(f.from.place), byte(f.to.place), byte(f.exclude)}
	all := expr{op: opWindow, index: int(w.function), aggregate: w.aggregate, text: w.separator, kids: []*expr{constant(e, w.from), constant(e, w.to)}}
	all.kids = append(all.kids, w.args...)
	for _, k := range w.keys {
		all.kids = append(all.kids, k.expr)
		signs = msgpack.AppendBool(signs, k.descending)
	}
	all.signs = string(signs)
	w.key = string(all.appendKey(nil))
	for _, known := range ws.bound {
		if known.key == w.key {
			return known.slot
		}
	}
	w.slot = &expr{op: opSlot, start: e.start, end: e.end}
	ws.bound = append(ws.bound, w)
	return w.slot
}

// hasWindow reports whether e, as parsed, has a window function in it.
func (e *expr) hasWindow() (found bool) {
	e.walk(func(part *expr) { found = found || part.op == opWindow })
	return found
}

// place gives the windows their slots, after those of the groups.
func (ws *windows) place(g *groups) {
	first := 0
	if g != nil {
		first = len(g.by) + len(g.aggregates)
	}
	for i, w := range ws.bound {
		w.slot.index = first + i
	}
}

// fill adds the slots of the windows to the tuples.
func (ws *windows) fill(q *selection, tuples []tuple) error {
	for _, w := range ws.bound {
		sorted := q.sorted(tuples, w.keys, true)
		for start := 0; start < len(sorted); {
			end := start + 1
			for end < len(sorted) && compareKeys(w.keys[:w.parts], sorted[start].keys, sorted[end].keys) == 0 {
				end++
			}
			p := q.partition(w, tuples, sorted[start:end])
			start = end
			for i, row := range p.rows {
				v, err := p.value(i)
				if err != nil {
					return invalid(err)
				}
				q.x.db.Spend(1)
				q.x.db.Hold(24 + len(v))
				tuples[row.at].slots = append(tuples[row.at].slots, orNull(v))
			}
		}
	}
	return nil
}

// A partition is the rows that a window function sees at most, in its order.
type partition struct {
	*window
	q      *selection
	tuples []tuple
	rows   []*sortedTuple
	values [][]byte // of the first argument
	groups []int    // where each group of equal rows begins, and where the last one ends
	group  []int    // of each row
	slide  sliding
	sum    *floatSum // of floats; nil: another aggregate
}

func (q *selection) partition(w *window, tuples []tuple, rows []*sortedTuple) *partition {
	p := &partition{window: w, q: q, tuples: tuples, rows: rows}
	q.x.db.Hold(40 * len(rows))
	for i, row := range rows {
		v := number(1) // COUNT(*)
		if len(p.args) > 0 {
			q.x.db.Spend(p.args[0].size())
			v = p.args[0].eval(&tuples[row.at])
		}
		p.values = append(p.values, v)
		if i == 0 || compareKeys(p.keys, rows[i-1].keys, row.keys) != 0 {
			p.groups = append(p.groups, i)
		}
		p.group = append(p.group, len(p.groups)-1)
	}
	p.groups = append(p.groups, len(rows))
	p.slide = sliding{partition: p, isExact: p.isExact()}
	if p.hasFloats() {
		p.sum = &floatSum{}
	}
	return p
}

// value is what the function is of row i.
func (p *partition) value(i int) ([]byte, error) {
	start, end := p.groups[p.group[i]], p.groups[p.group[i]+1]
	n := len(p.rows)
	switch p.function {
	case winRowNumber:
		return number(i + 1), nil
	case winRank:
		return number(start + 1), nil
	case winDenseRank:
		return number(p.group[i] + 1), nil
	case winPercentRank:
		return floatValue(float64(start) / float64(max(n-1, 1))), nil
	case winCumeDist:
		return floatValue(float64(end) / float64(n)), nil
	case winNtile:
		of, err := p.count(0)
		if err != nil {
			return nil, err
		}
		size, more := n/of, n%of // the first ones have one row more
		if i < more*(size+1) {
			return number(i/(size+1) + 1), nil
		}
		return number((i-more)/size + 1), nil
	case winLag, winLead:
		return p.neighbour(i), nil
	}
	from, to := p.edge(i, p.frame.from, p.from, 0), p.edge(i, p.frame.to, p.to, 1)
	var all []byte
	switch {
	case p.function != winAggregate:
		return p.nth(i, from, to)
	case p.sum != nil && p.frame.exclude == excludeNone && !p.q.x.slowly:
		p.sum.to(p, from, to)
		all = p.sum.value()
	case p.sum != nil:
		sum := &floatSum{}
		for n := from; n < to; n++ {
			if !p.excludes(i, n) {
				sum.put(p, n, 1)
			}
		}
		all = sum.value()
	case p.frame.exclude == excludeNone && !p.q.x.slowly:
		all = p.slide.over(from, to)
	default:
		for n := from; n < to; n++ {
			if p.q.x.db.Spend(1); !p.excludes(i, n) {
				all = p.added(all, n, n+1)
			}
		}
	}
	switch p.aggregate {
	case aggCount, aggAvg:
		return orZero(all), nil
	case aggArray, aggObject:
		return orNone(p.aggregate, all), nil
	case aggTotal:
		return floatValue(msgpack.Float(orZero(all))), nil
	}
	return all, nil
}

// nth is the value of FIRST_VALUE, LAST_VALUE and NTH_VALUE of row i, whose frame begins
// at from and ends before to.
func (p *partition) nth(i, from, to int) ([]byte, error) {
	nth, n, step := 1, from, 1
	switch p.function {
	case winLast:
		n, step = to-1, -1
	case winNth:
		var err error
		if nth, err = p.count(i); err != nil {
			return nil, err
		}
	}
	for ; n >= from && n < to; n += step {
		if p.q.x.db.Spend(1); p.excludes(i, n) {
			continue
		}
		if nth--; nth == 0 {
			return p.values[n], nil
		}
	}
	return null, nil
}

// count returns the last argument, of row i, which must be a whole number from 1 on.
func (p *partition) count(i int) (int, error) {
	e := p.args[len(p.args)-1]
	n, ok := intOf(e.eval(&p.tuples[p.rows[i].at]))
	if !ok || n < 1 {
		return 0, p.q.binder.fault(e, "expected a whole number from 1 on")
	}
	return int(min(n, math.MaxInt32)), nil
}

// neighbour is the value of LAG and LEAD.
func (p *partition) neighbour(i int) []byte {
	own, by := &p.tuples[p.rows[i].at], int64(1)
	if len(p.args) > 1 {
		by = -1 << 40
		if v := numericOf(p.args[1].eval(own)); v != nil {
			by = min(max(wholePart(v), -1<<40), 1<<40)
		}
	}
	if p.function == winLag {
		by = -by
	}
	if at := int64(i) + by; at >= 0 && at < int64(len(p.rows)) {
		return p.values[at]
	}
	if len(p.args) > 2 {
		return p.args[2].eval(own)
	}
	return null
}
