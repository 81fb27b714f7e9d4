package engine

import (
	"math"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A Plan is what Explain tells: how a query was answered. jsbridge/ops_read.go sends each
// field to JavaScript, where npm/src/query/types.ts describes it.
type Plan struct {
	// Text reads "index(country, age): country = 'NO' and age > 18 → match(name = 'Ada') → sort(-age)".
	Text string
	// Index has the paths of the index that was used. Several indexes have their
	// paths one after the other. nil: none.
	Index    []string
	Examined int // documents, entries of an index or values of a column looked at
	Returned int
	Leaves   []Leaf // the leaves of the condition, from left to right
}

// A Leaf is a part of a condition that is about one path.
type Leaf struct {
	Condition string
	// By says what answered it: "id", "index(country, age)", "column(age)",
	// "document", or "none" if it did not have to be tested.
	By string
	// Estimate is how many documents were expected to meet it. An index tells how
	// many it holds for all conditions that it answers; else a sample does.
	Estimate int
	Actual   int // how many documents meet it
}

// Explain answers a query and says how. It takes longer than the query does.
func (db *DB) Explain(name string, q Query) (p Plan, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	if err := tooMany("explain", name, "paths to sort by", len(q.Sort), MaxSortPaths); err != nil {
		return p, err
	}
	c := db.collections[name]
	if c == nil {
		return Plan{Text: "no such collection"}, checkName("explain", name)
	}
	for _, ix := range c.indexes {
		ix.debt = math.MaxInt // build it now, as the second run of the query would
	}
	chosen := c.plan(q)
	x := explainer{c: c.content, o: c.run(&chosen), path: chosen.path, rest: chosen.rest}
	if x.o.ordered {
		x.path, x.rest, x.backwards = &chosen.ordered.accessPath, chosen.ordered.rest, chosen.ordered.descending
	}
	if x.o.filter != nil {
		x.columns = x.o.filter.paths(nil)
	}
	p = Plan{Text: x.text(q.Sort), Examined: x.o.examined, Returned: len(x.o.slots)}
	if x.path != nil {
		p.Index = x.path.indexPaths()
	}
	if chosen.where != nil {
		p.Leaves = x.leaves(chosen.where, nil)
	}
	return p, nil
}

// An explainer describes the parts of a plan that gave its outcome.
type explainer struct {
	c         *content
	o         outcome
	path      *accessPath   // of the ordered scan, if that gave the documents
	rest      *query.Filter // what was tested on them
	backwards bool          // path was read from its end
	columns   []string      // the paths of the columns that tested documents
}

func (x *explainer) text(keys []SortKey) string {
	var steps []string
	if x.path != nil {
		step := x.path.text()
		if x.backwards {
			step = "backwards " + step
		}
		steps = append(steps, step)
	} else if x.columns == nil {
		steps = append(steps, "scan")
	}
	switch {
	case x.columns != nil:
		steps = append(steps, "columns("+strings.Join(x.columns, ", ")+"): "+x.rest.String())
	case x.rest != nil:
		steps = append(steps, "match("+x.rest.String()+")")
	}
	if len(keys) > 0 && !x.o.ordered {
		var names []string
		for _, k := range keys {
			if k.Descending {
				names = append(names, "-"+k.Path.String())
			} else {
				names = append(names, k.Path.String())
			}
		}
		steps = append(steps, "sort("+strings.Join(names, ", ")+")")
	}
	return strings.Join(steps, " → ")
}

// text reads "index(age): age > 18", or "union(id: _id = 1, index(age): age > 18)",
// or "intersection(…)".
func (s *accessPath) text() string {
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

func (s *accessPath) by() string {
	if s.index == nil {
		return "id"
	}
	return "index(" + s.index.title() + ")"
}

// leaves appends the leaves of f.
func (x *explainer) leaves(f *query.Filter, to []Leaf) []Leaf {
	if f.Op < query.OpEq {
		for _, kid := range f.Kids {
			to = x.leaves(kid, to)
		}
		return to
	}
	found, _ := x.c.scan(f, 0)
	leaf := Leaf{Condition: f.String(), By: "document", Actual: len(found)}
	if x.path != nil {
		if part := x.path.of(f); part != nil {
			leaf.By, leaf.Estimate = part.by(), part.count
			return append(to, leaf)
		}
	}
	switch {
	case slices.Contains(x.columns, f.Path.String()):
		leaf.By = "column(" + f.Path.String() + ")"
	case x.rest == nil:
		leaf.By = "none"
	}
	leaf.Estimate = x.c.estimate(f)
	return append(to, leaf)
}

// of returns the part of s that was made from a leaf; nil if none was.
func (s *accessPath) of(leaf *query.Filter) *accessPath {
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

// sampleSize is how many documents an estimate looks at.
const sampleSize = 256

// estimate returns how many documents are likely to meet f, by a sample. Its steps
// go by the golden ratio, so that it follows no pattern of the documents.
func (c *content) estimate(f *query.Filter) int {
	looked, met := 0, 0
	for i := range min(sampleSize, len(c.refs)) {
		slot := uint64(i)
		if len(c.refs) > sampleSize {
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
