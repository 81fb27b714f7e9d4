package engine

import (
	"math"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A plan says how a filter is answered: by looking at every document or at
// columns (see sieve), or at candidates that ids or an order gave. Either way
// rest, if there is one, decides about each.
type plan struct {
	scan       bool
	candidates []uint32      // unless scan: slots in insertion order
	rest       *query.Filter // nil: every candidate matches

	order    *order          // where the candidates come from; nil: from ids
	answered []*query.Filter // the conditions that the candidates meet already
	columns  []string        // of a scan: the paths whose columns answered it
}

// plan chooses among the id table and the orders by counting: whatever yields
// the fewest candidates wins, and a scan wins if that is most documents.
func (c *collection) plan(where *query.Filter) plan {
	if where == nil || where.Op == query.OpTrue {
		return plan{scan: true}
	}
	conditions := []*query.Filter{where}
	if where.Op == query.OpAnd {
		conditions = where.Kids
	}
	if p, ok := c.byID(conditions); ok {
		return p
	}
	best := plan{scan: true, rest: where}
	limit := c.live - c.live/3
	for _, o := range c.orders {
		use := o.usable(conditions)
		if len(use.answered) == 0 {
			continue
		}
		candidates, ok := o.candidates(use, limit)
		if !ok {
			continue
		}
		limit = len(candidates) - 1
		best = plan{candidates: candidates, rest: without(conditions, use.answered), order: o, answered: use.answered}
		if limit < 0 {
			break
		}
	}
	return best
}

// byID answers a condition on _id from the id table.
func (c *collection) byID(conditions []*query.Filter) (plan, bool) {
	for _, f := range conditions {
		if f.Op != query.OpEq && f.Op != query.OpIn || f.Path.String() != "_id" {
			continue
		}
		p := plan{rest: without(conditions, []*query.Filter{f}), answered: []*query.Filter{f}}
		for _, id := range operands(f) {
			if slot, ok := c.slotOf(id); ok && checkID("", "", id) == nil {
				p.candidates = append(p.candidates, slot)
			}
		}
		slices.Sort(p.candidates)
		p.candidates = slices.Compact(p.candidates)
		return p, true
	}
	return plan{}, false
}

// operands returns the values that an equality or an in-list asks for.
func operands(f *query.Filter) [][]byte {
	if f.Op == query.OpEq {
		return [][]byte{f.Value}
	}
	return f.Values
}

// without returns the conjunction of the conditions that are not answered; nil
// if none is left.
func without(conditions, answered []*query.Filter) *query.Filter {
	var rest []*query.Filter
	for _, f := range conditions {
		if !slices.Contains(answered, f) {
			rest = append(rest, f)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return query.And(rest...)
}

// A use is what an order can answer of a filter.
type use struct {
	ranges   []bounds
	answered []*query.Filter
}

// mostRanges bounds how many searches a combination of in-lists may cost.
const mostRanges = 1000

// usable finds the conditions that o answers: equalities on its first paths,
// then a range on the next one.
func (o *order) usable(conditions []*query.Filter) use {
	u := use{ranges: []bounds{{}}}
	for _, path := range o.paths {
		text := path.String()
		at := func(ops ...query.Op) func(f *query.Filter) bool {
			return func(f *query.Filter) bool { return slices.Contains(ops, f.Op) && f.Path.String() == text }
		}
		if i := slices.IndexFunc(conditions, at(query.OpEq, query.OpIn)); i >= 0 {
			values := operands(conditions[i])
			if len(values)*len(u.ranges) > mostRanges || slices.ContainsFunc(values, isArray) {
				break
			}
			var ranges []bounds
			for _, b := range u.ranges {
				for _, v := range values {
					ranges = append(ranges, bounds{equal: append(slices.Clip(b.equal), v)})
				}
			}
			u.ranges = ranges
			u.answered = append(u.answered, conditions[i])
			continue
		}
		o.ready()
		var limits bounds
		for _, f := range conditions {
			if !at(query.OpGt, query.OpGte, query.OpLt, query.OpLte, query.OpBetween, query.OpStartsWith)(f) {
				continue
			}
			if limits.low != nil && o.multi > 0 {
				break // one element may meet the one condition, another one the other
			}
			if limits.narrow(f) {
				u.answered = append(u.answered, f)
			}
		}
		for i := range u.ranges {
			equal := u.ranges[i].equal
			u.ranges[i] = limits
			u.ranges[i].equal = equal
		}
		break
	}
	if o.sparse && len(u.ranges) > 0 {
		// Documents that lack a later path are not in a sparse order, though
		// they may meet the conditions.
		b := u.ranges[0]
		covered := len(b.equal)
		if b.low != nil {
			covered++
		}
		if covered < len(o.paths) {
			return use{}
		}
	}
	return u
}

func isArray(v []byte) bool { return msgpack.KindOf(v) == msgpack.Array }

// narrow makes b the range that also meets f, or returns false if f has no
// range, or one of another kind.
func (b *bounds) narrow(f *query.Filter) bool {
	kind := msgpack.KindOf(f.Value)
	if kind < msgpack.Number || kind > msgpack.Date {
		return false
	}
	first, next := firstOf(kind), firstOf(kind+1)
	if b.low != nil && msgpack.KindOf(b.low) != kind {
		return false
	}
	if b.low == nil {
		// NaN, the first of the numbers, is equal to itself and in no range.
		*b = bounds{low: first, lowStrict: kind == msgpack.Number, high: next, highStrict: true}
	}
	switch f.Op {
	case query.OpGt:
		b.raise(f.Value, true)
	case query.OpGte:
		b.raise(f.Value, false)
	case query.OpLt:
		b.lower(f.Value, true)
	case query.OpLte:
		b.lower(f.Value, false)
	case query.OpBetween:
		if msgpack.KindOf(f.High) != kind {
			b.lower(first, true) // nothing is of two kinds
			break
		}
		b.raise(f.Value, false)
		b.lower(f.High, false)
	case query.OpStartsWith:
		b.raise(f.Value, false)
		if end := prefixEnd(msgpack.Str(f.Value)); end != nil {
			b.lower(msgpack.AppendString(nil, end), true)
		}
	}
	return true
}

func (b *bounds) raise(v []byte, strict bool) {
	if c := msgpack.Compare(v, b.low); c > 0 {
		b.low, b.lowStrict = v, strict
	} else if c == 0 {
		b.lowStrict = b.lowStrict || strict
	}
}

func (b *bounds) lower(v []byte, strict bool) {
	if c := msgpack.Compare(v, b.high); c < 0 {
		b.high, b.highStrict = v, strict
	} else if c == 0 {
		b.highStrict = b.highStrict || strict
	}
}

// firstOf returns the least value of a kind from numbers to arrays.
func firstOf(k msgpack.Kind) []byte {
	switch k {
	case msgpack.Number:
		return msgpack.AppendFloat(nil, math.NaN())
	case msgpack.String:
		return msgpack.AppendString(nil, "")
	case msgpack.Bytes:
		return msgpack.AppendBin(nil, nil)
	case msgpack.Date:
		return leastDate
	}
	return msgpack.AppendArray(nil, 0)
}

// leastDate is the earliest instant that a timestamp can hold.
var leastDate = []byte("\xc7\x0c\xff\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00")

// prefixEnd returns the least string after all that start with prefix; nil if
// there is none.
func prefixEnd(prefix []byte) []byte {
	end := slices.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}

// candidates returns the slots within u's ranges, sorted and each once; false
// if there are more than limit.
func (o *order) candidates(u use, limit int) (slots []uint32, ok bool) {
	ok = true
	for _, b := range u.ranges {
		if b.low != nil && msgpack.Compare(b.low, b.high) > 0 {
			continue
		}
		o.scan(b, func(e entry) bool {
			slots = append(slots, e.slot)
			ok = len(slots) <= limit
			return ok
		})
		if !ok {
			return nil, false
		}
	}
	if !slices.IsSorted(slots) {
		slices.Sort(slots)
	}
	return slices.Compact(slots), true
}

// A Plan is what Explain tells: how a query was answered.
type Plan struct {
	Text     string
	Index    []string // the paths of the index that was used; nil: none
	Examined int      // documents looked at
	Returned int
}

// Explain answers a query and says how.
func (db *DB) Explain(name string, q Query) (Plan, error) {
	c := db.collections[name]
	if c == nil {
		return Plan{Text: "no such collection"}, checkName("explain", name)
	}
	r := c.run(q)
	p := Plan{Text: r.plan.text(q), Examined: r.examined, Returned: len(r.slots)}
	if r.plan.order != nil {
		p.Index = r.plan.order.pathTexts()
	}
	return p, nil
}

// text reads "index(country, age): country = 'NO' and age > 18 → match(name = 'Ada') → sort(-age)".
func (p *plan) text(q Query) string {
	var steps []string
	rest := p.rest
	switch {
	case p.columns != nil:
		steps = append(steps, "columns("+strings.Join(p.columns, ", ")+"): "+rest.String())
		rest = nil
	case p.scan:
		steps = append(steps, "scan")
	case p.order == nil:
		steps = append(steps, "id: "+query.And(p.answered...).String())
	default:
		steps = append(steps, "index("+p.order.name()+"): "+query.And(p.answered...).String())
	}
	if rest != nil {
		steps = append(steps, "match("+rest.String()+")")
	}
	if len(q.Sort) > 0 {
		var keys []string
		for _, k := range q.Sort {
			if k.Descending {
				keys = append(keys, "-"+k.Path.String())
			} else {
				keys = append(keys, k.Path.String())
			}
		}
		steps = append(steps, "sort("+strings.Join(keys, ", ")+")")
	}
	return strings.Join(steps, " → ")
}
