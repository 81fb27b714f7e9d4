package engine

import (
	"math"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A Plan is what Explain tells: how a query was answered.
type Plan struct {
	// Text reads "index(country, age): country = 'NO' and age > 18 → match(name = 'Ada') → sort(-age)".
	Text string
	// Index has the paths of the index that was used, of all of them one after
	// the other if there were several; nil: none.
	Index    []string
	Examined int // documents, entries of an index or values of a column looked at
	Returned int
	Leaves   []Leaf // the parts of the condition, from left to right
}

// A Leaf is a part of a condition that asks about one path.
type Leaf struct {
	Condition string
	// By is what answered it: "id", "index(country, age)", "column(age)",
	// "document", or "none" if nothing had to.
	By string
	// Estimate is how many documents were expected to meet it: of an index, those
	// that it holds for all its conditions together; else by a sample.
	Estimate int
	Actual   int // how many documents meet it
}

// Explain answers a query and says how. It takes longer than the query does.
func (db *DB) Explain(name string, q Query) (Plan, error) {
	c := db.collections[name]
	if c == nil {
		return Plan{Text: "no such collection"}, checkName("explain", name)
	}
	for _, o := range c.orders {
		o.debt = math.MaxInt // how the query runs once it is asked again
	}
	r := c.run(q)
	p := Plan{Text: r.plan.text(q), Examined: r.examined, Returned: len(r.slots)}
	if from := r.plan.source(); from != nil {
		p.Index = from.index()
	}
	if q.Where != nil {
		p.Leaves = c.leaves(&r.plan, q.Where, nil)
	}
	return p, nil
}

// source returns what the plan gets its documents from; nil: it looks at all.
func (p *plan) source() *source {
	if p.walk != nil {
		return &p.walk.source
	}
	return p.from
}

func (p *plan) text(q Query) string {
	var steps []string
	rest, sorted := p.rest, false
	from := p.source()
	switch {
	case p.walk != nil:
		step := from.text()
		if p.walk.descending {
			step = "backwards " + step
		}
		steps = append(steps, step)
		sorted = true
	case from != nil:
		steps = append(steps, from.text())
		if p.columns != nil {
			steps = append(steps, "columns("+strings.Join(p.columns, ", ")+"): "+rest.String())
			rest = nil
		}
	case p.columns != nil:
		steps = append(steps, "columns("+strings.Join(p.columns, ", ")+"): "+rest.String())
		rest = nil
	default:
		steps = append(steps, "scan")
	}
	if rest != nil {
		steps = append(steps, "match("+rest.String()+")")
	}
	if len(q.Sort) > 0 && !sorted {
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

// text reads "index(age): age > 18", or "union(id: _id = 1, index(age): age > 18)",
// or "intersection(…)".
func (s *source) text() string {
	if s.kids != nil {
		var kids []string
		for i := range s.kids {
			kids = append(kids, s.kids[i].text())
		}
		how := "union("
		if s.each {
			how = "intersection("
		}
		return how + strings.Join(kids, ", ") + ")"
	}
	if len(s.used) == 0 {
		return s.by()
	}
	return s.by() + ": " + query.And(s.used...).String()
}

func (s *source) by() string {
	if s.order == nil {
		return "id"
	}
	return "index(" + s.order.title() + ")"
}

// leaves appends the leaves of f.
func (c *content) leaves(p *plan, f *query.Filter, to []Leaf) []Leaf {
	if f.Op < query.OpEq {
		for _, kid := range f.Kids {
			to = c.leaves(p, kid, to)
		}
		return to
	}
	found, _ := c.scan(f, 0)
	leaf := Leaf{Condition: f.String(), By: "document", Actual: len(found)}
	from := p.source()
	if from != nil {
		from = from.of(f)
	}
	switch {
	case from != nil:
		leaf.By, leaf.Estimate = from.by(), from.count
		return append(to, leaf)
	case slices.Contains(p.columns, f.Path.String()):
		leaf.By = "column(" + f.Path.String() + ")"
	case p.rest == nil:
		leaf.By = "none"
	}
	leaf.Estimate = c.estimate(f)
	return append(to, leaf)
}

// of returns the part of s that answers a leaf; nil if none does.
func (s *source) of(leaf *query.Filter) *source {
	if s.kids == nil && slices.Contains(s.used, leaf) {
		return s
	}
	for i := range s.kids {
		if found := s.kids[i].of(leaf); found != nil {
			return found
		}
	}
	return nil
}

// sampled is how many documents an estimate looks at.
const sampled = 256

// estimate returns how many documents meet f, going by some spread over all of
// them: steps of the golden ratio fall in with no pattern of the documents.
func (c *content) estimate(f *query.Filter) int {
	looked, met := 0, 0
	for i := range min(sampled, len(c.refs)) {
		slot := uint64(i)
		if len(c.refs) > sampled {
			slot = uint64(uint32(i)*0x9e3779b1) * uint64(len(c.refs)) >> 32
		}
		if doc := c.doc(uint32(slot)); doc != nil {
			if looked++; f.Match(doc) {
				met++
			}
		}
	}
	if looked == 0 {
		return 0
	}
	return met * c.live / looked
}
