package engine_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// TestUpdate_addToSetMany: what is added costs no more than to sort it. When each was put into its place, this took 38 s.
func TestUpdate_addToSetMany(t *testing.T) {
	const n = 200_000
	db := newDB(t, engine.Options{})
	evens, all := make([]any, n), make([]any, 2*n)
	for i := range all {
		all[i] = 2*n - i
		if i%2 == 0 {
			evens[i/2] = 2*n - i
		}
	}
	insert(t, db, M{"a": evens})
	if _, err := db.Update("users", encode(t, M{"$addToSet": M{"a": M{"$each": all}}}), nil); err != nil {
		t.Fatal(err)
	}
	a := find(t, db, engine.Query{})[0].(M)["a"].([]any)
	if len(a) != 2*n || fmt.Sprint(a[n], a[n+1]) != fmt.Sprint(2*n-1, 2*n-3) {
		t.Errorf("%d elements, of which the first new ones are %v", len(a), a[n:n+2])
	}
}

func TestUpdate(t *testing.T) {
	for _, tt := range []struct {
		name                string
		before, update, now M // now nil: nothing changes
		fault               string
	}{
		{name: "merges fields", before: M{"a": 1, "b": 2}, update: M{"b": 3, "c": 4}, now: M{"a": 1, "b": 3, "c": 4}},
		{name: "merges nothing", before: M{"a": 1}, update: M{}},
		{name: "is as it was", before: M{"a": 1, "b": "x"}, update: M{"b": "x"}},
		{name: "takes a path in a name", before: M{"address": M{"city": "Oslo", "zip": "1"}}, update: M{"address.city": "Bergen"}, now: M{"address": M{"city": "Bergen", "zip": "1"}}},
		{name: "replaces a whole object", before: M{"address": M{"city": "Oslo", "zip": "1"}}, update: M{"address": M{"city": "Bergen"}}, now: M{"address": M{"city": "Bergen"}}},
		{name: "makes the objects on the way", before: M{}, update: M{"a.b.c": 1}, now: M{"a": M{"b": M{"c": 1}}}},
		{name: "sets an element", before: M{"a": []any{1, 2}}, update: M{"a.1": 9}, now: M{"a": []any{1, 9}}},
		{name: "sets after the end", before: M{"a": []any{1}}, update: M{"a.3": 9}, now: M{"a": []any{1, nil, nil, 9}}},
		{name: "sets in an element", before: M{"a": []any{M{"b": 1}}}, update: M{"a.0.b": 2}, now: M{"a": []any{M{"b": 2}}}},
		{name: "not far after the end", before: M{"a": []any{1}}, update: M{"a.99999": 9}, fault: "more than 10000 after"},
		{name: "not through a string", before: M{"a": "x"}, update: M{"a.b": 1}, fault: `"b" cannot be a field of "x"`},
		{name: "not by name into an array", before: M{"a": []any{1}}, update: M{"a.b": 1}, fault: `"b" is no position in an array`},
		{name: "not an empty name", before: M{}, update: M{"a..b": 1}, fault: "has an empty part"},
		{name: "not the _id", before: M{}, update: M{"_id": 7}, fault: "_id of a document cannot change"},
		{name: "an equal _id", before: M{}, update: M{"_id": 1.0}},
		{name: "an equal _id beside a change", before: M{}, update: M{"_id": 1.0, "a": 1}, now: M{"a": 1}},
		{name: "$rename of the _id to itself", before: M{"a": 1}, update: M{"$rename": M{"_id": "_id"}}, fault: "not the old one"},
		{name: "the same _id", before: M{}, update: M{"_id": 1}},
		{name: "$set", before: M{"a": 1}, update: M{"$set": M{"a": 2, "b": 3}}, now: M{"a": 2, "b": 3}},
		{name: "$unset", before: M{"a": 1, "b": M{"c": 1, "d": 2}}, update: M{"$unset": M{"a": "", "b.c": "", "x.y": ""}}, now: M{"b": M{"d": 2}}},
		{name: "$unset keeps positions", before: M{"a": []any{1, 2}}, update: M{"$unset": M{"a.0": ""}}, now: M{"a": []any{nil, 2}}},
		{name: "$inc", before: M{"n": 1}, update: M{"$inc": M{"n": 2, "m": 5}}, now: M{"n": 3, "m": 5}},
		{name: "$inc by a fraction", before: M{"n": 1}, update: M{"$inc": M{"n": 0.5}}, now: M{"n": 1.5}},
		{name: "$inc back to a whole number", before: M{"n": 1.5}, update: M{"$inc": M{"n": 0.5}}, now: M{"n": 2}},
		{name: "$inc over the largest integer", before: M{"n": int64(1<<63 - 1)}, update: M{"$inc": M{"n": 1}}, fault: "holds 9223372036854775807; with 1 added, it is outside"},
		{name: "$inc below the least integer", before: M{"n": int64(-1 << 63)}, update: M{"$inc": M{"n": -1}}, fault: "outside the range of a 64-bit integer"},
		{name: "$inc of an unsigned integer", before: M{"n": uint64(1<<64 - 3)}, update: M{"$inc": M{"n": 2}}, now: M{"n": uint64(1<<64 - 1)}},
		{name: "$inc over the largest unsigned integer", before: M{"n": uint64(1<<64 - 1)}, update: M{"$inc": M{"n": 1}}, fault: "holds 18446744073709551615; with 1 added"},
		{name: "$inc of an unsigned integer by less than nothing", before: M{"n": uint64(1 << 63)}, update: M{"$inc": M{"n": -1}}, now: M{"n": int64(1<<63 - 1)}},
		{name: "$inc of an integer that no float holds, by a whole float", before: M{"n": int64(1<<53 + 1)}, update: M{"$inc": M{"n": float64(1 << 60)}}, now: M{"n": int64(1<<60 + 1<<53 + 1)}},
		{name: "$inc of an integer by a large float", before: M{"n": 1}, update: M{"$inc": M{"n": 1e300}}, now: M{"n": 1e300}},
		{name: "$inc of an integer that no float holds, by a fraction", before: M{"n": int64(1<<53 + 1)}, update: M{"$inc": M{"n": 0.5}}, now: M{"n": float64(1 << 53)}},
		{name: "$inc by nothing", before: M{"n": 1}, update: M{"$inc": M{"n": 0}}},
		{name: "$inc of a string", before: M{"n": "x"}, update: M{"$inc": M{"n": 1}}, fault: `holds "x", not a number`},
		{name: "$inc by a string", before: M{}, update: M{"$inc": M{"n": "1"}}, fault: `expects a number, not "1"`},
		{name: "$mul", before: M{"n": 3, "x": 1.5}, update: M{"$mul": M{"n": 2, "m": 5, "x": 2}}, now: M{"n": 6, "m": 0, "x": 3}},
		{name: "$mul over the largest integer", before: M{"n": int64(1 << 62)}, update: M{"$mul": M{"n": 2}}, fault: "holds 4611686018427387904; with 2 multiplied, it is outside"},
		{name: "$mul of the least integer", before: M{"n": int64(-1 << 62)}, update: M{"$mul": M{"n": 2}}, now: M{"n": int64(-1 << 63)}},
		{name: "$mul by a fraction", before: M{"n": 3}, update: M{"$mul": M{"n": 0.5}}, now: M{"n": 1.5}},
		{name: "$mul of -0", before: M{"n": math.Copysign(0, -1)}, update: M{"$mul": M{"n": 3}}},
		{name: "$mul of 0 by a negative integer", before: M{"n": 0}, update: M{"$mul": M{"n": -3}}},
		{name: "$inc of -0", before: M{"n": math.Copysign(0, -1)}, update: M{"$inc": M{"n": 0}}, now: M{"n": 0}},
		{name: "$mul of a string", before: M{"n": "x"}, update: M{"$mul": M{"n": 1}}, fault: `holds "x", not a number`},
		{name: "$mul by a string", before: M{}, update: M{"$mul": M{"n": "1"}}, fault: `expects a number, not "1"`},
		{name: "$bit", before: M{"a": 13, "b": 8, "c": 5}, update: M{"$bit": M{"a": M{"and": 10}, "b": M{"or": 3}, "c": M{"xor": 6}}}, now: M{"a": 8, "b": 11, "c": 3}},
		{name: "$bit of nothing", before: M{}, update: M{"$bit": M{"a": M{"and": 10}, "b": M{"or": 3}}}, now: M{"a": 0, "b": 3}},
		{name: "$bit of negative numbers", before: M{"a": -1}, update: M{"$bit": M{"a": M{"and": int64(-1 << 63)}}}, now: M{"a": int64(-1 << 63)}},
		{name: "$bit of a whole float", before: M{"a": 1e15}, update: M{"$bit": M{"a": M{"or": 1.0}}}, now: M{"a": 1000000000000001}},
		{name: "$bit of a fraction", before: M{"a": 1.5}, update: M{"$bit": M{"a": M{"or": 1}}}, fault: "holds 1.5, not an integer from -2^63"},
		{name: "$bit of an unsigned integer", before: M{"a": uint64(1 << 63)}, update: M{"$bit": M{"a": M{"or": 1}}}, fault: "not an integer from -2^63"},
		{name: "$bit by an unsigned integer", before: M{}, update: M{"$bit": M{"a": M{"or": uint64(1 << 63)}}}, fault: "or expects an integer from -2^63 to 2^63-1, not 9223372036854775808"},
		{name: "$bit by a string", before: M{}, update: M{"$bit": M{"a": M{"or": "1"}}}, fault: "or expects an integer"},
		{name: "$bit by a number", before: M{}, update: M{"$bit": M{"a": 1}}, fault: "expects {and: integer}, {or: integer} or {xor: integer}, not 1"},
		{name: "$bit by two", before: M{}, update: M{"$bit": M{"a": M{"or": 1, "and": 1}}}, fault: "expects {and: integer}"},
		{name: "$bit by not", before: M{}, update: M{"$bit": M{"a": M{"not": 1}}}, fault: "expects {and: integer}"},
		{name: "$min and $max", before: M{"a": 5, "b": 5}, update: M{"$min": M{"a": 3, "b": 7}, "$max": M{"c": 1}}, now: M{"a": 3, "b": 5, "c": 1}},
		{name: "$max", before: M{"a": 5}, update: M{"$max": M{"a": 7}}, now: M{"a": 7}},
		{name: "$push", before: M{"a": []any{1}}, update: M{"$push": M{"a": 2, "b": "x"}}, now: M{"a": []any{1, 2}, "b": []any{"x"}}},
		{name: "$push each", before: M{"a": []any{1}}, update: M{"$push": M{"a": M{"$each": []any{2, 3}}}}, now: M{"a": []any{1, 2, 3}}},
		{name: "$push and $slice from the end", before: M{"a": []any{1, 2, 3}}, update: M{"$push": M{"a": M{"$each": []any{4}, "$slice": -2}}}, now: M{"a": []any{3, 4}}},
		{name: "$push and $slice from the start", before: M{"a": []any{1, 2, 3}}, update: M{"$push": M{"a": M{"$each": []any{4}, "$slice": 2}}}, now: M{"a": []any{1, 2}}},
		{name: "$push and $slice to nothing", before: M{"a": []any{1}}, update: M{"$push": M{"a": M{"$each": []any{}, "$slice": 0.0}}}, now: M{"a": []any{}}},
		{name: "$push and $slice of more than there is", before: M{"a": []any{1}}, update: M{"$push": M{"a": M{"$each": []any{2}, "$slice": -1e300}}}, now: M{"a": []any{1, 2}}},
		{name: "$push at a position", before: M{"a": []any{1, 2}}, update: M{"$push": M{"a": M{"$each": []any{8, 9}, "$position": 1}}}, now: M{"a": []any{1, 8, 9, 2}}},
		{name: "$push at a position from the end", before: M{"a": []any{1, 2, 3}}, update: M{"$push": M{"a": M{"$each": []any{8, 9}, "$position": -1}}}, now: M{"a": []any{1, 2, 8, 9, 3}}},
		{name: "$push at a position before the start", before: M{"a": []any{1}}, update: M{"$push": M{"a": M{"$each": []any{8}, "$position": -5}}}, now: M{"a": []any{8, 1}}},
		{name: "$push at a position after the end", before: M{"a": []any{1}}, update: M{"$push": M{"a": M{"$each": []any{8}, "$position": 50}}}, now: M{"a": []any{1, 8}}},
		{name: "$push and $sort", before: M{"a": []any{3, "x", 1}}, update: M{"$push": M{"a": M{"$each": []any{2}, "$sort": 1}}}, now: M{"a": []any{1, 2, 3, "x"}}},
		{name: "$push and $sort downwards", before: M{"a": []any{3, 1}}, update: M{"$push": M{"a": M{"$each": []any{2}, "$sort": -1}}}, now: M{"a": []any{3, 2, 1}}},
		{name: "$push and $sort by fields", before: M{"a": []any{M{"k": M{"n": 2}, "m": 1}, 7}}, update: M{"$push": M{"a": M{"$each": []any{M{"k": M{"n": 1}, "m": 2}, M{"k": M{"n": 2}, "m": 3}}, "$sort": M{"k.n": -1}}}}, now: M{"a": []any{M{"k": M{"n": 2}, "m": 1}, M{"k": M{"n": 2}, "m": 3}, M{"k": M{"n": 1}, "m": 2}, 7}}},
		{name: "$push with all modifiers", before: M{"a": []any{5, 1}}, update: M{"$push": M{"a": M{"$slice": 3, "$sort": 1, "$position": 0, "$each": []any{9, 3}}}}, now: M{"a": []any{1, 3, 5}}},
		{name: "$push with modifiers makes the array", before: M{}, update: M{"$push": M{"a": M{"$each": []any{1, 2, 3}, "$slice": -1}}}, now: M{"a": []any{3}}},
		{name: "$push with an unknown modifier", before: M{}, update: M{"$push": M{"a": M{"$each": []any{1}, "$limit": 1}}}, fault: "no modifier $limit; the modifiers are $each"},
		{name: "$push without $each", before: M{}, update: M{"$push": M{"a": M{"$slice": 1}}}, fault: "expects $each beside other modifiers"},
		{name: "$push of modifiers and fields", before: M{}, update: M{"$push": M{"a": M{"$each": []any{1}, "b": 1}}}, fault: "found the field b"},
		{name: "$push of no array", before: M{}, update: M{"$push": M{"a": M{"$each": 1}}}, fault: "$each expects an array, not 1"},
		{name: "$push at half a position", before: M{}, update: M{"$push": M{"a": M{"$each": []any{}, "$position": 0.5}}}, fault: "$position expects a whole number, not 0.5"},
		{name: "$push and $slice by text", before: M{}, update: M{"$push": M{"a": M{"$each": []any{}, "$slice": "1"}}}, fault: `$slice expects a whole number, not "1"`},
		{name: "$push and $sort by 2", before: M{}, update: M{"$push": M{"a": M{"$each": []any{}, "$sort": 2}}}, fault: "$sort expects 1, -1 or an object of paths, not 2"},
		{name: "$push and $sort by nothing", before: M{}, update: M{"$push": M{"a": M{"$each": []any{}, "$sort": M{}}}}, fault: "$sort expects 1, -1 or an object of paths"},
		{name: "$push and $sort by a field, 0", before: M{}, update: M{"$push": M{"a": M{"$each": []any{}, "$sort": M{"k": 0}}}}, fault: "$sort expects 1 or -1 for k, not 0"},
		{name: "$push and $sort by an operator", before: M{}, update: M{"$push": M{"a": M{"$each": []any{}, "$sort": M{"$k": 1}}}}, fault: "names that begin with $ are operators"},
		{name: "$push and $sort by a bad path", before: M{}, update: M{"$push": M{"a": M{"$each": []any{}, "$sort": M{"k.": 1}}}}, fault: "has an empty part"},
		{name: "$push of a plain object", before: M{}, update: M{"$push": M{"a": M{"b": 1}}}, now: M{"a": []any{M{"b": 1}}}},
		{name: "$push on a number", before: M{"a": 1}, update: M{"$push": M{"a": 2}}, fault: "holds 1, not an array"},
		{name: "$addToSet", before: M{"a": []any{1, 1}}, update: M{"$addToSet": M{"a": 2, "b": "x"}}, now: M{"a": []any{1, 1, 2}, "b": []any{"x"}}},
		{name: "$addToSet of what is there", before: M{"a": []any{M{"k": 1}, 2}}, update: M{"$addToSet": M{"a": 2.0}}},
		{name: "$addToSet of an object that is there", before: M{"a": []any{M{"k": 1}, 2}}, update: M{"$addToSet": M{"a": M{"k": 1}}}},
		{name: "$addToSet of an array", before: M{"a": []any{1}}, update: M{"$addToSet": M{"a": []any{1}}}, now: M{"a": []any{1, []any{1}}}},
		{name: "$addToSet of each", before: M{"a": []any{3, 1}}, update: M{"$addToSet": M{"a": M{"$each": []any{2, 1, 2, "x"}}}}, now: M{"a": []any{3, 1, 2, "x"}}},
		{name: "$addToSet of none makes the array", before: M{}, update: M{"$addToSet": M{"a": M{"$each": []any{}}}}, now: M{"a": []any{}}},
		{name: "$addToSet with a modifier", before: M{}, update: M{"$addToSet": M{"a": M{"$each": []any{1}, "$slice": 1}}}, fault: "expects $each alone"},
		{name: "$addToSet of no array", before: M{}, update: M{"$addToSet": M{"a": M{"$each": 1}}}, fault: "$each expects an array, not 1"},
		{name: "$addToSet on a number", before: M{"a": 1}, update: M{"$addToSet": M{"a": 2}}, fault: "holds 1, not an array"},
		{name: "$pop the last", before: M{"a": []any{1, 2, 3}}, update: M{"$pop": M{"a": 1, "b": 1}}, now: M{"a": []any{1, 2}}},
		{name: "$pop the first", before: M{"a": []any{1, 2, 3}}, update: M{"$pop": M{"a": -1.0}}, now: M{"a": []any{2, 3}}},
		{name: "$pop from none", before: M{"a": []any{}}, update: M{"$pop": M{"a": 1}}},
		{name: "$pop by 2", before: M{}, update: M{"$pop": M{"a": 2}}, fault: "expects 1, to remove the last element, or -1, to remove the first, not 2"},
		{name: "$pop of a number", before: M{"a": 1}, update: M{"$pop": M{"a": 1}}, fault: "holds 1, not an array"},
		{name: "$pullAll", before: M{"a": []any{1, 2, 1.0, []any{2}, M{"k": 1}, "1"}}, update: M{"$pullAll": M{"a": []any{2, 1, M{"k": 1}}, "b": []any{1}}}, now: M{"a": []any{[]any{2}, "1"}}},
		{name: "$pullAll of none", before: M{"a": []any{1}}, update: M{"$pullAll": M{"a": []any{}}}},
		{name: "$pullAll of a value", before: M{"a": []any{1}}, update: M{"$pullAll": M{"a": 1}}, fault: "expects an array of values to remove, not 1"},
		{name: "$pullAll from a number", before: M{"a": 1}, update: M{"$pullAll": M{"a": []any{1}}}, fault: "holds 1, not an array"},
		{name: "$pull a value", before: M{"a": []any{1, 2, 1.0, "1"}}, update: M{"$pull": M{"a": 1}}, now: M{"a": []any{2, "1"}}},
		{name: "$pull by a condition", before: M{"a": []any{1, 5, 9}}, update: M{"$pull": M{"a": M{"$gte": 5}}}, now: M{"a": []any{1}}},
		{name: "$pull objects", before: M{"a": []any{M{"k": 1}, M{"k": 2}}}, update: M{"$pull": M{"a": M{"k": 2}}}, now: M{"a": []any{M{"k": 1}}}},
		{name: "$pull from nothing", before: M{}, update: M{"$pull": M{"a": 1}}},
		{name: "$pull with a bad condition", before: M{}, update: M{"$pull": M{"a": M{"$near": 1}}}, fault: "$near"},
		{name: "$currentDate without a clock", before: M{}, update: M{"$currentDate": M{"a": true}}, fault: "the time is not known here"},
		{name: "$currentDate of another type", before: M{}, update: M{"$currentDate": M{"a": M{"$type": "timestamp"}}}, fault: `expects true or {$type: "date"}, not an object`},
		{name: "$currentDate of false", before: M{}, update: M{"$currentDate": M{"a": false}}, fault: "expects true or"},
		{name: "$currentDate of two", before: M{}, update: M{"$currentDate": M{"a": M{"$type": "date", "b": 1}}}, fault: "expects true or"},
		{name: "$setOnInsert of what is there", before: M{"a": 1}, update: M{"$setOnInsert": M{"a": 2, "b.c": 3}}},
		{name: "$setOnInsert beside $inc", before: M{"a": 1}, update: M{"$setOnInsert": M{"a": 2}, "$inc": M{"n": 1}}, now: M{"a": 1, "n": 1}},
		{name: "$setOnInsert of a bad path", before: M{"a": 1}, update: M{"$setOnInsert": M{"a..b": 2}}, fault: "has an empty part"},
		{name: "$rename", before: M{"a": 1, "b": M{"c": 2}}, update: M{"$rename": M{"a": "b.d", "x": "y"}}, now: M{"b": M{"c": 2, "d": 1}}},
		{name: "$rename of what lacks", before: M{"b": []any{1}}, update: M{"$rename": M{"x": "b.0"}}},
		{name: "$rename to itself", before: M{}, update: M{"$rename": M{"a": "a"}}, fault: "not the old one"},
		{name: "$rename into itself", before: M{"a": M{}}, update: M{"$rename": M{"a": "a.b"}}, fault: "neither inside the other"},
		{name: "$rename to what is around it", before: M{"a": M{"b": 1}}, update: M{"$rename": M{"a.b": "a"}}, fault: "neither inside the other"},
		{name: "$rename to a field beside it", before: M{"a": M{"b": 1}}, update: M{"$rename": M{"a.b": "a.c"}}, now: M{"a": M{"c": 1}}},
		{name: "$rename into an array", before: M{"a": 1, "b": []any{2}}, update: M{"$rename": M{"a": "b.0"}}, fault: "may lead into an array"},
		{name: "$rename out of an array", before: M{"a": []any{1, 2}}, update: M{"$rename": M{"a.0": "b"}}, fault: "may lead into an array"},
		{name: "$rename to an operator", before: M{"a": 1}, update: M{"$rename": M{"a": "b.$c"}}, fault: "a field cannot be named $c"},
		{name: "$rename from an operator's name", before: M{"a": M{"$b": 1}}, update: M{"$rename": M{"a.$b": "b"}}, now: M{"a": M{}, "b": 1}},
		{name: "$rename of all elements", before: M{"a": []any{M{"n": 1}}}, update: M{"$rename": M{"a.$[e].n": "x"}}, fault: "has $[e]; here, an element is reached by its position"},
		{name: "$set of the found element", before: M{"a": []any{1}}, update: M{"$set": M{"a.$": 2}}, fault: "the condition has matched, and there is no condition"},
		{name: "$set of all elements, where there are none", before: M{}, update: M{"$set": M{"a.$[]": 2}}, fault: "\"a\" is missing, and $[] stands for elements of an array"},
		{name: "$inc of an operator's name", before: M{}, update: M{"$inc": M{"a.$b": 2}}, fault: "a field cannot be named $b"},
		{name: "$unset of an operator's name", before: M{"a": M{"$b": 1, "c": 2}}, update: M{"$unset": M{"a.$b": ""}}, now: M{"a": M{"c": 2}}},
		{name: "fields that name an operator", before: M{}, update: M{"a.$b": 1}, fault: "a field cannot be named $b"},
		{name: "$rename to a number", before: M{}, update: M{"$rename": M{"a": 1}}, fault: "expects the new path as a string"},
		{name: "unknown operator", before: M{}, update: M{"$add": M{"a": 1}}, fault: "no update operator $add; the operators are $set, "},
		{name: "operator without paths", before: M{}, update: M{"$inc": 1}, fault: "expects an object of paths, not 1"},
		{name: "fields and operators", before: M{}, update: M{"a": 1, "$inc": M{"b": 1}}, fault: "not both"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := newDB(t, engine.Options{})
			insert(t, db, tt.before)
			before := find(t, db, engine.Query{})
			n, err := db.Update("users", encode(t, tt.update), nil)
			after := find(t, db, engine.Query{})
			switch {
			case tt.fault != "":
				if !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("error %v, want invalid with %q", err, tt.fault)
				}
				if !reflect.DeepEqual(after, before) {
					t.Errorf("a refused update left %v", after)
				}
			case err != nil:
				t.Error(err)
			case tt.now == nil:
				if n != 0 || !reflect.DeepEqual(after, before) {
					t.Errorf("changed %d, now %v", n, after)
				}
			default:
				tt.now["_id"] = 1
				want := decode(t, encode(t, tt.now))
				if n != 1 || !reflect.DeepEqual(after, want) {
					t.Errorf("changed %d, now %v, want %v", n, after, want)
				}
			}
		})
	}
}

func TestUpdate_allOrNone(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"n": 1}, M{"n": "x"}, M{"n": 3})
	before := db.Dump()
	if _, err := db.Update("users", encode(t, M{"$inc": M{"n": 1}}), nil); !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), "users/2") {
		t.Errorf("error %v, want invalid that names users/2", err)
	}
	if !reflect.DeepEqual(db.Dump(), before) {
		t.Error("the first document kept its change")
	}
}

func TestUpdateEach(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"n": 1}, M{"n": 2}, M{"n": 3})
	n, err := db.UpdateEach("users", encode(t, []any{
		[]any{1, M{"n": 10}}, []any{3, M{"$inc": M{"n": 10}}}, []any{9, M{"n": 0}}, []any{2, M{"n": 2}},
	}), 0)
	if n != 2 || err != nil {
		t.Errorf("changed %d, %v; want 2", n, err)
	}
	if got, want := find(t, db, engine.Query{Fields: []string{"n"}}), decode(t, encode(t, []any{M{"_id": 1, "n": 10}, M{"_id": 2, "n": 2}, M{"_id": 3, "n": 13}}))[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("now %v, want %v", got, want)
	}
	for _, pairs := range []any{[]any{1}, []any{[]any{1}}, []any{[]any{true, M{}}}, []any{[]any{1, 2}}, M{"1": M{}}} {
		if _, err := db.UpdateEach("users", encode(t, pairs), 0); !errors.Is(err, engine.CodeInvalid) {
			t.Errorf("UpdateEach(%v) = %v, want invalid", pairs, err)
		}
	}
}

// TestUpdate_farAfterTheEnd sets the last position that may be set, and the one after it.
func TestUpdate_farAfterTheEnd(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"_id": 1, "a": []any{1}})
	if _, err := db.Update("users", encode(t, M{"a.10002": 9}), nil); !errors.Is(err, engine.CodeInvalid) {
		t.Errorf("position 10002 gave %v", err)
	}
	if _, err := db.Update("users", encode(t, M{"a.10001": 9}), nil); err != nil {
		t.Fatal(err)
	}
	if got := find(t, db, engine.Query{})[0].(map[string]any)["a"].([]any); len(got) != 10002 || got[10000] != nil || got[10001] != int64(9) {
		t.Errorf("the array has %d elements, the last is %v", len(got), got[len(got)-1])
	}
}
