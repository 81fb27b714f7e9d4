package sql

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// run answers EXPLAIN: how the documents of the first collection are found (see
// engine.Plan), and what is then done with them.
func (s *explainBody) run(x *execution) (Rows, error) {
	q, err := s.of.bind(x, nil)
	if err != nil {
		return nil, err
	}
	if len(q.tables) == 0 {
		return one(field{"text", text("no collection")}), nil
	}
	find := engine.Query{}
	if q.pinned < 0 {
		find.Where = q.filters[0]
	}
	plain := len(q.tables) == 1 && len(q.rest) == 0 && q.groups == nil && !q.distinct && q.windows.bound == nil
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
	plan, err := x.db.Explain(q.tables[0].collection, find)
	if err != nil {
		return nil, err
	}
	steps := []string{plan.Text}
	for i, j := range q.joins {
		kind := [...]string{innerJoin: "join(", leftJoin: "left join(", rightJoin: "right join(", fullJoin: "full join("}[j.kind]
		steps = append(steps, kind+q.tables[i+1].alias+")")
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
	return one(field{"text", text(strings.Join(steps, " → "))}, field{"index", index},
		field{"examined", number(plan.Examined)}, field{"returned", number(plan.Returned)}, field{"leaves", leaves}), nil
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
