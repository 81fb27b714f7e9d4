package engine_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// TestUpdate_positions: what $, $[] and $[name] in a path stand for.
func TestUpdate_positions(t *testing.T) {
	type A = []any
	orders := func(first, second int) A { return A{M{"item": "pen", "n": first}, M{"item": "ink", "n": second}} }
	for _, tt := range []struct {
		name          string
		before, where M
		update        M
		filters       A
		now           M // nil: refused
		fault         string
	}{
		{name: "$ is the first that is equal", before: M{"a": A{1, 5, 5}}, where: M{"a": 5}, update: M{"$set": M{"a.$": 9}}, now: M{"a": A{1, 9, 5}}},
		{name: "$ of a range", before: M{"a": A{1, 5, 7}}, where: M{"a": M{"$gt": 4}}, update: M{"$inc": M{"a.$": 1}}, now: M{"a": A{1, 6, 7}}},
		{name: "$ of a list", before: M{"a": A{1, 5, 7}}, where: M{"a": M{"$in": A{7, 5}}}, update: M{"a.$": 0}, now: M{"a": A{1, 0, 7}}},
		{name: "$ by a field of the elements", before: M{"o": orders(1, 2)}, where: M{"o.item": "ink"}, update: M{"$inc": M{"o.$.n": 5}}, now: M{"o": orders(1, 7)}},
		{name: "$ by two fields of one element", before: M{"o": orders(1, 1)}, where: M{"o.n": 1, "o.item": "ink"}, update: M{"$inc": M{"o.$.n": 5}}, now: M{"o": orders(1, 6)}},
		{name: "$ by two fields of different elements is by the first", before: M{"o": orders(1, 2)}, where: M{"o.n": 2, "o.item": "pen"}, update: M{"o.$.n": 9}, now: M{"o": orders(9, 2)}},
		{name: "$ by $elemMatch", before: M{"o": orders(1, 2)}, where: M{"o": M{"$elemMatch": M{"item": "ink", "n": M{"$gt": 1}}}}, update: M{"$unset": M{"o.$.n": ""}}, now: M{"o": A{M{"item": "pen", "n": 1}, M{"item": "ink"}}}},
		{name: "$ by the kid of an $or that matches", before: M{"a": A{1, 2}, "b": 3}, where: M{"$or": A{M{"a": 9}, M{"a": 2}}}, update: M{"a.$": 5}, now: M{"a": A{1, 5}, "b": 3}},
		{name: "$ inside an object", before: M{"x": M{"a": A{1, 2}}}, where: M{"x.a": 2}, update: M{"x.a.$": 5}, now: M{"x": M{"a": A{1, 5}}}},
		{name: "$ in an element by position", before: M{"x": A{M{"a": A{1, 2}}}}, where: M{"x.0.a": 2}, update: M{"x.0.a.$": 5}, now: M{"x": A{M{"a": A{1, 5}}}}},
		{name: "$ removed is null", before: M{"a": A{1, 2}}, where: M{"a": 1}, update: M{"$unset": M{"a.$": ""}}, now: M{"a": A{nil, 2}}},
		{name: "$ before a step that moves elements", before: M{"a": A{1, 2}}, where: M{"a": 2}, update: M{"$push": M{"a": M{"$each": A{0}, "$position": 0}}, "$set": M{"a.$": 9}}, now: M{"a": A{0, 9, 2}}},
		{name: "$ and then $[]", before: M{"o": A{M{"k": 1, "n": A{1, 2}}}}, where: M{"o.k": 1}, update: M{"$inc": M{"o.$.n.$[]": 1}}, now: M{"o": A{M{"k": 1, "n": A{2, 3}}}}},
		{name: "$ that the condition does not ask about", before: M{"a": A{1}, "b": 1}, where: M{"b": 1}, update: M{"a.$": 2}, fault: "$set of a.$: $ has no element to stand for: the condition matches no element of a"},
		{name: "$ of what it asks the opposite of", before: M{"a": A{1}}, where: M{"a": M{"$ne": 2}}, update: M{"a.$": 2}, fault: "matches no element of a"},
		{name: "$ of the whole array", before: M{"a": A{1, 2}}, where: M{"a": A{1, 2}}, update: M{"a.$": 2}, fault: "matches no element of a"},
		{name: "$ of how long it is", before: M{"a": A{1, 2}}, where: M{"a": M{"$size": 2}}, update: M{"a.$": 2}, fault: "matches no element of a"},
		{name: "$ of one position", before: M{"a": A{M{"b": 1}}}, where: M{"a.0.b": 1}, update: M{"a.$.b": 2}, fault: "matches no element of a"},
		{name: "$ of no array", before: M{"a": 1}, where: M{"a": 1}, update: M{"a.$": 2}, fault: "matches no element of a"},
		{name: "$ twice", before: M{}, where: M{}, update: M{"a.$.b.$": 2}, fault: "$set of a.$.b.$: $ stands in a path once"},
		{name: "$ after $[]", before: M{}, where: M{}, update: M{"a.$[].b.$": 2}, fault: "$ cannot come after $[]"},
		{name: "$ at the start", before: M{}, where: M{}, update: M{"$set": M{"$.a": 2}}, fault: "a path begins with a field, not with $"},

		{name: "$[] is each", before: M{"a": A{1, 2}}, update: M{"$mul": M{"a.$[]": 10}}, now: M{"a": A{10, 20}}},
		{name: "$[] and a field", before: M{"o": orders(1, 2)}, update: M{"$inc": M{"o.$[].n": 1}}, now: M{"o": orders(2, 3)}},
		{name: "$[] inside $[]", before: M{"a": A{A{1}, A{}, A{2, 3}}}, update: M{"$inc": M{"a.$[].$[]": 1}}, now: M{"a": A{A{2}, A{}, A{3, 4}}}},
		{name: "$[] of none", before: M{"a": A{}}, update: M{"$inc": M{"a.$[]": 1}}, now: M{"a": A{}}},
		{name: "$[] removed is null", before: M{"a": A{1, 2}}, update: M{"$unset": M{"a.$[]": ""}}, now: M{"a": A{nil, nil}}},
		{name: "$[] that does not fit", before: M{"a": A{1, "x"}}, update: M{"$inc": M{"a.$[]": 1}}, fault: `$inc of a.$[]: element 1: the field holds "x", not a number`},
		{name: "$[] of no array", before: M{"a": 1}, update: M{"a.$[]": 1}, fault: "$[] stands for elements of an array, and the field holds 1"},
		{name: "$[] of an object", before: M{"a": M{}}, update: M{"a.$[]": 1}, fault: "the field holds an object"},
		{name: "$[] with more behind it", before: M{}, update: M{"a.$[]x": 1}, fault: "$[]x is no position"},

		{name: "$[x] is each that the filter holds for", before: M{"a": A{1, 5, 9, "x"}}, update: M{"$inc": M{"a.$[x]": 1}}, filters: A{M{"x": M{"$gte": 5}}}, now: M{"a": A{1, 6, 10, "x"}}},
		{name: "$[x] by fields", before: M{"o": orders(1, 2)}, update: M{"o.$[big].n": 0}, filters: A{M{"big.n": M{"$gt": 1}, "big.item": "ink"}}, now: M{"o": orders(1, 0)}},
		{name: "$[x] by $or", before: M{"o": orders(1, 2)}, update: M{"o.$[x].n": 0}, filters: A{M{"$or": A{M{"x.n": 1}, M{"x.item": "no"}}}}, now: M{"o": orders(0, 2)}},
		{name: "two names", before: M{"o": A{M{"k": 1, "n": A{1, 2}}, M{"k": 2, "n": A{1, 2}}}}, update: M{"o.$[outer].n.$[inner]": 9}, filters: A{M{"inner": 2}, M{"outer.k": 2}}, now: M{"o": A{M{"k": 1, "n": A{1, 2}}, M{"k": 2, "n": A{1, 9}}}}},
		{name: "no element meets it", before: M{"a": A{1}}, update: M{"a.$[x]": 1}, filters: A{M{"x": 7}}, now: M{"a": A{1}}},
		{name: "a name without a filter", before: M{}, update: M{"a.$[x]": 1}, fault: "$set of a.$[x]: no array filter has the name x"},
		{name: "a filter without a path", before: M{}, update: M{"a": 1}, filters: A{M{"x": 1}}, fault: "arrayFilters[0]: no path has $[x]"},
		{name: "a name twice", before: M{}, update: M{"a.$[x]": 1}, filters: A{M{"x": 1}, M{"x": 2}}, fault: "arrayFilters[1]: there is another filter for x"},
		{name: "two names in a filter", before: M{}, update: M{"a.$[x]": 1}, filters: A{M{"x": 1, "y": 2}}, fault: "arrayFilters[0]: expects a condition on one name, found "},
		{name: "no name in a filter", before: M{}, update: M{"a.$[x]": 1}, filters: A{M{}}, fault: "arrayFilters[0]: expects a condition on a name"},
		{name: "a bad name in a filter", before: M{}, update: M{"a.$[x]": 1}, filters: A{M{"X": 1}}, fault: `"X" cannot be the name of an array filter`},
		{name: "a bad name in a path", before: M{}, update: M{"a.$[9]": 1}, fault: "$[9] is no position: there are $, $[] and $[name]"},
		{name: "an open bracket", before: M{}, update: M{"a.$[x": 1}, filters: A{M{"x": 1}}, fault: "$[x is no position"},
		{name: "a filter that is none", before: M{}, update: M{"a.$[x]": 1}, filters: A{5}, fault: "arrayFilters[0]: expects a filter, not 5"},
		{name: "a filter with a bad operator", before: M{}, update: M{"a.$[x]": 1}, filters: A{M{"x": M{"$near": 1}}}, fault: "arrayFilters[0]: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := newDB(t, engine.Options{})
			insert(t, db, tt.before)
			before := db.Dump()
			var where *query.Filter
			if tt.where != nil {
				where = filter(t, tt.where)
			}
			o := engine.UpdateOptions{}
			for _, f := range tt.filters {
				o.ArrayFilters = append(o.ArrayFilters, encode(t, f))
			}
			_, err := db.UpdateWith("users", encode(t, tt.update), where, o)
			if tt.now == nil {
				if !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), tt.fault) || !reflect.DeepEqual(db.Dump(), before) {
					t.Errorf("%v, want invalid with %q; now %v", err, tt.fault, find(t, db, engine.Query{}))
				}
				return
			}
			tt.now["_id"] = 1
			if want := decode(t, encode(t, A{tt.now}))[0]; err != nil || !reflect.DeepEqual(find(t, db, engine.Query{}), want) {
				t.Errorf("%v; now %v, want %v", err, find(t, db, engine.Query{}), want)
			}
		})
	}
}

// TestUpdate_positionsOfMany: each element costs no more than to look at it. Each would take a copy of the document by itself.
func TestUpdate_positionsOfMany(t *testing.T) {
	const n = 200_000
	db := newDB(t, engine.Options{})
	elements := make([]any, n)
	for i := range elements {
		elements[i] = M{"n": i}
	}
	insert(t, db, M{"a": elements})
	for _, path := range []string{"a.$[].n", "a.$[x].n"} {
		o := engine.UpdateOptions{}
		if path != "a.$[].n" {
			o.ArrayFilters = [][]byte{encode(t, M{"x.n": M{"$gte": n / 2}})}
		}
		if _, err := db.UpdateWith("users", encode(t, M{"$inc": M{path: 1}}), nil, o); err != nil {
			t.Fatal(err)
		}
	}
	a := find(t, db, engine.Query{})[0].(M)["a"].([]any)
	if got := fmt.Sprint(a[0].(M)["n"], a[n-1].(M)["n"]); got != fmt.Sprint(1, n+1) {
		t.Errorf("the first and the last are %s", got)
	}
}
