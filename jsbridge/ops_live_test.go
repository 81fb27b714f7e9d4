package jsbridge

import (
	"cmp"
	"slices"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// TestLive: what each kind of live query is told.
func TestLive(t *testing.T) {
	c := withPeople(t)
	c.must("addRelationship", array{object{"name": "cats", "type": "one_to_many", "from": "people", "to": "cats", "foreignKey": "of"}})
	live := func(op string, arguments ...any) int64 {
		return decode(t, c.must("live", array{numberOf(t, op), array(arguments)})).(int64)
	}
	rows := array{array{"n", "count", ""}, array{"mean", "avg", "age"}}
	adults := live("find", "people", "age > 20", array{array{"age", true}}, 0, -1, array{"name"})
	first := live("find", "people", nil, array{array{"age", false}}, 0, 1, nil)
	none := live("find", "people", nil, nil, 0, 0, nil)
	count := live("count", "people", "age > 20", -1)
	three := live("count", "people", nil, 3)
	distinct := live("distinct", "people", "tags", nil)
	groups := live("aggregate", "people", nil, nil, rows, nil, nil, 0, -1)
	ids := live("ids", "people")
	populated := live("populated", "people", nil, nil, 0, -1, nil, array{"cats"})
	sql := live("sql", "SELECT p.name FROM people p JOIN cats c ON c.of = p._id WHERE p.age > ?", array{1})
	if adults != 1 || sql != 10 {
		t.Errorf("the numbers are %d to %d, want 1 to 10", adults, sql)
	}

	for _, tt := range []struct {
		name      string
		op        string
		arguments array
		docs      array
		want      array // the updates, but for those of ids, populated and sql
		again     array // of these, which are asked again
	}{
		{"nothing", "count", array{"people", nil, -1}, nil, nil, nil},
		{"inserted", "insert", array{"people", false}, array{object{"_id": "di", "name": "Di", "age": 40}},
			array{
				array{adults, array{array{int64(1), int64(1), object{"_id": "di", "name": "Di"}}}},
				array{count, int64(3)},
				array{groups, array{array{object{"n": int64(4), "mean": 36.75}}}},
			}, array{ids, populated, sql}},
		{"moved", "update", array{"people", object{"age": 60}, "_id = 'di'"}, nil,
			array{
				array{adults, array{array{int64(3), int64(1), int64(0)}}},
				array{groups, array{array{object{"n": int64(4), "mean": 41.75}}}},
			}, array{ids, populated, sql}},
		{"replaced", "update", array{"people", object{"name": "Dee", "tags": array{"x"}}, "_id = 'di'"}, nil,
			array{
				array{adults, array{array{int64(2), int64(0), object{"_id": "di", "name": "Dee"}}}},
				array{distinct, array{array{"engine", "math", "x"}}},
			}, array{ids, populated, sql}},
		{"moved and replaced", "update", array{"people", object{"name": "Didi", "age": 37}, "_id = 'di'"}, nil,
			array{
				array{adults, array{array{int64(4), int64(0), int64(1), object{"_id": "di", "name": "Didi"}}}},
				array{groups, array{array{object{"n": int64(4), "mean": 36.0}}}},
			}, array{ids, populated, sql}},
		{"removed", "remove", array{"people", "_id in ('di', 1)"}, nil,
			array{
				array{adults, array{array{int64(0), int64(1)}}},
				array{first, array{array{int64(0), int64(0)}, array{int64(1), int64(0), object{"_id": "ada", "name": "Ada", "age": int64(36), "tags": array{"math", "engine"}}}}},
				array{count, int64(2)},
				array{three, int64(2)},
				array{distinct, array{array{"engine", "math"}}},
				array{groups, array{array{object{"n": int64(2), "mean": 45.0}}}},
			}, array{ids, populated, sql}},
		{"another collection", "insert", array{"cats", false}, array{object{"of": "ada"}}, nil, array{populated, sql}},
		{"cleared", "clear", array{"people"}, nil,
			array{
				array{adults, nil}, array{first, nil}, array{none, nil}, array{count, int64(0)}, array{three, int64(0)},
				array{distinct, array{array{}}}, array{groups, array{array{object{"n": int64(0), "mean": nil}}}},
			}, array{ids, populated, sql}},
	} {
		c.must(tt.op, tt.arguments, tt.docs...)
		want := tt.want
		for _, number := range tt.again {
			want = append(want, array{number, nil})
		}
		got := decode(t, c.must("liveChanges", nil)).(array)
		slices.SortFunc(got, func(a, b any) int { return cmp.Compare(a.(array)[0].(int64), b.(array)[0].(int64)) })
		if len(got)+len(want) > 0 {
			t.Run(tt.name, func(t *testing.T) { equal(t, got, want) })
		}
		equal(t, decode(t, c.must("liveChanges", nil)), array{})
	}

	for _, number := range []int64{adults, first, none, count, three, distinct, groups, ids, populated, sql, 99, 0} {
		c.must("endLive", array{number})
		c.must("endLive", array{number})
	}
	c.must("insert", array{"people", false}, object{"age": 50})
	equal(t, decode(t, c.must("liveChanges", nil)), array{})
	equal(t, c.db().HasLiveQueries(), false)
}

// TestLive_refused: arguments that make no live query are invalid, with the name of
// what is wrong, and leave none behind.
func TestLive_refused(t *testing.T) {
	c := withPeople(t)
	find := numberOf(t, "find")
	for _, tt := range []struct {
		op        string
		arguments array
	}{
		{"live", array{0, array{}}},
		{"live", array{1e9, array{}}},
		{"live", array{"find", array{}}},
		{"live", array{numberOf(t, "insert"), array{"people", false}}},
		{"live", array{numberOf(t, "live"), array{find, array{"people", nil, nil, 0, -1, nil}}}},
		{"live", array{find, nil}},
		{"live", array{find, array{}}},
		{"live", array{find, array{"people", nil, nil, 0, -1}}},
		{"live", array{find, array{"people", "age >", nil, 0, -1, nil}}},
		{"live", array{find, array{"_people", nil, nil, 0, -1, nil}}},
		{"live", array{find, array{"people", nil, nil, -1, -1, nil}}},
		{"live", array{numberOf(t, "count"), array{"", nil, -1}}},
		{"live", array{numberOf(t, "distinct"), array{"_x", "a", nil}}},
		{"live", array{numberOf(t, "ids"), array{"_x"}}},
		{"live", array{numberOf(t, "aggregate"), array{"people", nil, nil, array{array{"n", "sum", ""}}, nil, nil, 0, -1}}},
		{"live", array{numberOf(t, "populated"), array{"people", nil, nil, 0, -1, nil, array{"cats"}}}},
		{"live", array{numberOf(t, "sql"), array{"DELETE FROM people", nil}}},
		{"endLive", array{-1}},
		{"endLive", array{nil}},
		{"liveChanges", array{1}},
	} {
		if _, failure := c.call(tt.op, tt.arguments); failure == nil || failure.code != engine.CodeInvalid {
			t.Errorf("%s %v got %v, want invalid", tt.op, tt.arguments, failure)
		}
	}
	equal(t, c.db().HasLiveQueries(), false)
	for range engine.MaxLiveQueries {
		c.must("live", array{numberOf(t, "count"), array{"people", nil, -1}})
	}
	if _, failure := c.call("live", array{find, array{"people", nil, nil, 0, -1, nil}}); failure == nil || failure.code != engine.CodeInvalid {
		t.Errorf("one live query too many got %v, want invalid", failure)
	}
}
