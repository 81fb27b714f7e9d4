package sql

import (
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// run answers EXPLAIN with a row for each SELECT of the statement: how the documents of the
// first collection are found (see engine.Plan), and what is then done with them.
func (s *explainBody) run(x *execution) (Rows, error) {
	l := &list{}
	return l, s.explain(x, l, s.of, "")
}

// explain adds the rows of a statement, which ends with the step last.
func (s *explainBody) explain(x *execution, l *list, of body, last string) (err error) {
	var q *selection
	switch of := of.(type) {
	case *selectBody:
		if of.values == nil {
			q, err = of.bind(x, nil)
		}
	case *queryBody:
		for i, part := range of.parts {
			step := last
			if i > 0 {
				step = [...]string{opUnion: "union", opUnionAll: "union all", opExcept: "except", opIntersect: "intersect"}[of.ops[i-1]] + last
			}
			if of.recursive > 0 && i >= of.recursive {
				step = "repeat" + last
			}
			if err = s.explain(x, l, part, step); err != nil {
				return err
			}
		}
		return nil
	case *updateBody:
		q, err = matching(x, of.where, of.tables...)
		last = "update"
	case *deleteBody:
		q, err = matching(x, of.where, of.table)
		last = "remove"
	case *insertBody:
		if last = "insert"; of.query != nil {
			return s.explain(x, l, of.query, last)
		}
	}
	if err != nil {
		return err
	}
	if q == nil {
		q = &selection{}
	}
	fields, err := s.row(x, q, last)
	l.add(x, fields)
	return err
}

// row explains one SELECT.
func (s *explainBody) row(x *execution, q *selection, last string) ([]field, error) {
	steps := []string{"no collection"}
	var plan engine.Plan
	plain := false
	if len(q.tables) > 0 && q.tables[0].body != nil {
		steps[0] = "query(" + q.tables[0].alias + ")"
	} else if len(q.tables) > 0 {
		var err error
		if plan, plain, err = q.plan(); err != nil {
			return nil, err
		}
		steps[0] = plan.Text
	}
	for _, j := range q.joins {
		kind := [...]string{innerJoin: "join(", leftJoin: "left join(", rightJoin: "right join(", fullJoin: "full join("}[j.kind]
		steps = append(steps, kind+q.tables[j.table].alias+")")
	}
	if len(q.rest) > 0 {
		steps = append(steps, "evaluate("+s.written(x, q.rest)+")")
	}
	if q.groups != nil {
		steps = append(steps, "group("+s.written(x, q.groupBy)+")")
	}
	if len(q.windows.bound) > 0 {
		var slots []*expr
		for _, w := range q.windows.bound {
			slots = append(slots, w.slot)
		}
		steps = append(steps, "window("+s.written(x, slots)+")")
	}
	if !plain && len(q.keys) > 0 {
		steps = append(steps, "sort")
	}
	if last != "" {
		steps = append(steps, last)
	}
	index := null
	if plan.Index != nil {
		index = msgpack.AppendArray(nil, len(plan.Index))
		for _, path := range plan.Index {
			index = appendText(index, path)
		}
	}
	leaves := msgpack.AppendArray(nil, len(plan.Leaves))
	for _, l := range plan.Leaves {
		leaves = appendFields(leaves, []field{{"condition", text(l.Condition)}, {"by", text(l.By)}, {"estimate", number(l.Estimate)}, {"actual", number(l.Actual)}})
	}
	detail, err := s.detail(q, last)
	if err != nil {
		return nil, err
	}
	return []field{{"text", text(strings.Join(steps, " → "))}, {"steps", detail}, {"index", index},
		{"examined", number(plan.Examined)}, {"returned", number(plan.Returned)}, {"leaves", leaves}}, nil
}

// detail is the steps of one SELECT as SQLite's EXPLAIN QUERY PLAN words them: how the
// documents of each table are found, in the order in which they are joined, and what is
// done with them.
func (s *explainBody) detail(q *selection, last string) ([]byte, error) {
	var steps []string
	r := &joining{selection: q, one: tuple{docs: make([][]byte, len(q.tables))}, steps: make([]joinStep, len(q.tables))}
	if len(q.tables) > 1 {
		for _, table := range r.preparations() {
			if err := r.prepare(table); err != nil {
				return nil, err
			}
		}
	} else if len(q.tables) == 1 {
		r.steps[0].where = q.filters[0]
	}
	for at, table := range q.order {
		t := &q.tables[table]
		name := t.alias
		if t.collection != "" && t.collection != t.alias {
			name = t.collection + " AS " + t.alias
		}
		how := "SCAN " + name
		if t.body != nil && t.body.parts == nil {
			how = "SCAN FUNCTION " + t.alias
		} else if t.body != nil {
			how = "SCAN SUBQUERY " + t.alias
		} else if by, err := q.by(t, r.steps[table].where); err != nil {
			return nil, err
		} else if by != "" {
			how = "SEARCH " + name + " USING " + by
		}
		if at > 0 {
			j := &q.joins[at-1]
			if len(j.inner) > 0 {
				how += ", HASH JOIN (" + s.written(q.x, j.inner) + " = " + s.written(q.x, j.outer) + ")"
			} else {
				how += ", NESTED LOOP"
			}
			if j.kind != innerJoin {
				how += " " + [...]string{leftJoin: "LEFT", rightJoin: "RIGHT", fullJoin: "FULL"}[j.kind] + "-JOIN"
			}
		}
		steps = append(steps, how)
	}
	for _, step := range []struct {
		isDone bool
		text   string
	}{
		{len(q.windows.bound) > 0, "WINDOW FUNCTIONS"},
		{q.selectBody != nil && len(q.groupBy) > 0, "HASH FOR GROUP BY"},
		{q.selectBody != nil && q.distinct, "HASH FOR DISTINCT"},
		{len(q.keys) > 0, "SORT FOR ORDER BY"},
		{last != "", strings.ToUpper(last)},
	} {
		if step.isDone {
			steps = append(steps, step.text)
		}
	}
	list := msgpack.AppendArray(nil, len(steps))
	for _, step := range steps {
		list = appendText(list, step)
	}
	return list, nil
}

// by says what finds the documents of a table that meet a condition: their ids, indexes
// or columns; "" if all documents are looked at.
func (q *selection) by(t *table, where *query.Filter) (string, error) {
	plan, err := q.x.db.Explain(t.collection, engine.Query{Where: where})
	var all []string
	for _, l := range plan.Leaves {
		by := ""
		if paths, ok := strings.CutPrefix(l.By, "index("); ok {
			by = "INDEX (" + paths
		} else if path, ok := strings.CutPrefix(l.By, "column("); ok {
			by = "COLUMN (" + path
		} else if l.By == "id" {
			by = "PRIMARY KEY"
		}
		if by != "" && !slices.Contains(all, by) {
			all = append(all, by)
		}
	}
	return strings.Join(all, " AND "), err
}

// plan is how the documents of the first collection are found. If it is plain, their
// order and number are a part of that.
func (q *selection) plan() (plan engine.Plan, plain bool, err error) {
	find := engine.Query{}
	if q.pinned < 0 {
		find.Where = q.filters[0]
	}
	plain = len(q.tables) == 1 && len(q.rest) == 0 && q.groups == nil && !q.distinct && q.windows.bound == nil
	for _, k := range q.keys {
		plain = plain && k.expr.op == opField
	}
	if plain {
		find.Skip, find.Limit = q.skip, q.limit
		for _, k := range q.keys {
			find.Sort = append(find.Sort, engine.SortKey{Path: k.expr.path, Descending: k.descending})
		}
		if q.limit == 0 {
			find.Where = query.False()
		}
	}
	plan, err = q.x.db.Explain(q.tables[0].collection, find)
	return plan, plain, err
}

// written returns expressions as they stand in the statement.
func (s *explainBody) written(x *execution, exprs []*expr) string {
	var all []string
	for _, e := range exprs {
		all = append(all, strings.TrimSpace(x.text[e.start:e.end]))
	}
	return strings.Join(all, ", ")
}

func text(s string) []byte { return appendText(nil, s) }

//go:noinline
func appendText(b []byte, s string) []byte { return msgpack.AppendString(b, s) }
