package engine

import (
	"iter"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// An Aggregate asks for groups of documents. The answer has one row for each
// group.
//
// A row is a map: the paths to group by, nested as in the documents, then the
// outputs of Select. A path stands for the value that sorting by it takes: an
// array is one value, of several reached values the first one counts, and a
// missing value counts as null. A path may have a collation: what it takes for the
// same is one group, of which the row shows the first value.
type Aggregate struct {
	Where   *query.Filter // nil: all documents
	GroupBy []query.Path  // none: one group, also if no document matches
	Select  []Output
	Having  *query.Filter // a condition on rows; nil: all rows
	Sort    []SortKey     // of the rows; none: groups in the order of their first documents
	Skip    int           // rows to pass over; below 0 means 0
	Limit   int           // return at most this many; 0 or less: all
}

// An Output is one field of a row.
type Output struct {
	Name string // not a path, and not the first name of a path to group by
	Op   AggregateOp
	Path query.Path // empty only for a count of documents
}

// AggregateOp says what an Output makes of the values at its path.
type AggregateOp uint8

const (
	AggCount         AggregateOp = iota // how many there are that are not null; with the empty path, how many documents
	AggSum                              // the sum of the numbers, 0 if there are none; whole numbers are added exactly, others with compensation
	AggAvg                              // the mean of the numbers; null if there are none
	AggMin                              // the least value that is not null, in the order of values; null if there is none
	AggMax                              // the greatest value that is not null; null if there is none
	AggFirst                            // the value of the first document in insertion order; null if it has none
	AggLast                             // the value of the last document; null if it has none
	AggDistinct                         // an array of the different values, as DB.Distinct returns it
	AggCountDistinct                    // how many different values there are
	AggSumOrNull                        // AggSum, but null if there are no numbers, as in SQL
)

// Rows are the answer to an Aggregate. Next returns them in pieces.
type Rows struct {
	rows [][]byte
}

// Len returns how many rows Next has not returned yet.
func (r *Rows) Len() int { return len(r.rows) }

// Next appends the next rows to dst, as Result.Next appends documents.
func (r *Rows) Next(dst []byte, atLeast int) (out []byte, count, left int) {
	for len(r.rows) > 0 && (count == 0 || len(dst) < atLeast) {
		dst = append(dst, r.rows[0]...)
		r.rows = r.rows[1:]
		count++
	}
	return dst, count, len(r.rows)
}

// Aggregate groups the documents of a collection. A collection that does not exist
// has no documents.
//
// Errors: invalid (a name is empty or there twice, a path is missing, or a path to
// group by is inside another).
func (db *DB) Aggregate(name string, a Aggregate) (answer *Rows, err error) {
	_, rows, err := db.aggregate(name, &a)
	if err != nil {
		return nil, err
	}
	return &Rows{rows: rows}, nil
}

// aggregate is Aggregate, and returns the groups behind the rows too.
func (db *DB) aggregate(name string, a *Aggregate) (g *hashAggregation, rows [][]byte, err error) {
	db.BeginCall()
	defer db.EndCall(&err)
	if err := checkName("aggregate", name); err != nil {
		return nil, nil, err
	}
	if err := a.check(name); err != nil {
		return nil, nil, err
	}
	c := db.collections[name]
	if c == nil {
		c = &collection{name: name, content: newContent(db.opts.ColumnThreshold, db.meter)}
	}
	g = newHashAggregation(c.content, a)
	p := c.plan(Query{Where: a.Where})
	if c.worthCaches(&p) {
		g.useCaches()
	}
	c.stream(&p, g.take)
	rows = a.rows(g)
	if invariants {
		slow := newHashAggregation(c.content, a)
		all, _ := c.scan(a.Where, 0)
		slow.take(all)
		if !slices.EqualFunc(rows, a.rows(slow), msgpack.Equal) {
			panic("engine: the groups of " + name + " went wrong")
		}
	}
	return g, window(rows, a.Skip, a.Limit), nil
}

// rows returns the rows of all groups that meet Having, sorted.
func (a *Aggregate) rows(g *hashAggregation) (rows [][]byte) {
	shape, cost := newRowShape(a.GroupBy), costOf(a.Having)
	for group := range g.groups() {
		row := g.appendRow(nil, group, shape)
		g.c.meter.spend(1)
		if a.Having == nil || g.c.meter.match(a.Having, row, cost) {
			rows = append(rows, row)
		}
	}
	a.sort(rows)
	return rows
}

func (a *Aggregate) sort(rows [][]byte) {
	if len(a.Sort) > 0 {
		slices.SortStableFunc(rows, func(x, y []byte) int { return compareBy(a.Sort, x, y) })
	}
}

// window returns the part of all that skip and limit, as in a Query, leave.
func window[T any](all []T, skip, limit int) []T {
	all = all[min(max(skip, 0), len(all)):]
	if limit > 0 && limit < len(all) {
		all = all[:limit]
	}
	return all
}

func (a *Aggregate) check(name string) error {
	refuse := func(argument, why string) error {
		return Fail(CodeInvalid, "aggregate", name, argument+": "+why)
	}
	for _, part := range []struct {
		what     string
		n, limit int
	}{
		{"paths to group by", len(a.GroupBy), MaxGroupPaths},
		{"outputs", len(a.Select), MaxOutputs},
		{"paths to sort by", len(a.Sort), MaxSortPaths},
	} {
		if err := tooMany("aggregate", name, part.what, part.n, part.limit); err != nil {
			return err
		}
	}
	names := make(map[string]bool, len(a.Select))
	for i, p := range a.GroupBy {
		if p.IsEmpty() {
			return refuse("groupBy", "a path is empty")
		}
		for _, other := range a.GroupBy[:i] {
			if overlap(p.Names(), other.Names()) {
				return refuse("groupBy", p.String()+" and "+other.String()+" overlap in a row")
			}
		}
	}
	for _, o := range a.Select {
		switch {
		case o.Name == "":
			return refuse("select", "a name is empty")
		case o.Op > AggSumOrNull:
			return refuse("select", "unknown operator of "+o.Name)
		case o.Path.IsEmpty() && o.Op != AggCount:
			return refuse("select", o.Name+" needs a path")
		case names[o.Name]:
			return refuse("select", "two outputs are named "+o.Name)
		case slices.ContainsFunc(a.GroupBy, func(p query.Path) bool { return p.Names()[0] == o.Name }):
			return refuse("select", "the groups have a field "+o.Name+" already")
		}
		names[o.Name] = true
	}
	return nil
}

// overlap reports whether one of two paths starts with the other.
func overlap(a, b []string) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}

// All returns the rows that Next has not returned yet.
func (r *Rows) All() iter.Seq[[]byte] { return slices.Values(r.rows) }
