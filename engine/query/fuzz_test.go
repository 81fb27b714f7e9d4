package query_test

import (
	"errors"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// checkParsed holds of every condition and every refusal, whatever the input.
func checkParsed(t *testing.T, f *query.Filter, err error) {
	t.Helper()
	if err != nil {
		var e *query.Error
		if !errors.As(err, &e) || e.Message == "" {
			t.Fatalf("fails with %#v", err)
		}
		return
	}
	again, err := query.ParseText(f.String())
	if err != nil {
		t.Fatalf("%s\ncannot be read: %v", f, err)
	}
	if !same(f, again) {
		t.Fatalf("%s\nis read as\n%s", f, again)
	}
	for _, doc := range [][]byte{
		pack(t, `{}`),
		pack(t, `{"a": 1, "b": {"c": [1, {"d": "x"}, [null]]}, "age": 18, "name": "Jane", "tags": ["x", "y"]}`),
		pack(t, `{"a": [{"0": [{"b": 1.5}]}, 2], "items": [{"price": 5}, {"price": {"$date": 0}}], "name": null}`),
	} {
		if f.Match(doc) == query.Not(f).Match(doc) || f.Match(doc) != again.Match(doc) {
			t.Fatalf("%s contradicts itself", f)
		}
	}
}

// FuzzParseText: any text is refused with a place in it, or is a condition that
// survives being printed.
func FuzzParseText(f *testing.F) {
	for _, text := range []string{
		`age >= 18 and name matches '^J' and not (city in ('Oslo', 'Bergen'))`,
		`items any (price > 5 and this.tags contains 'x' or this = {a: [1, -2.5e3], 'b c': null})`,
		"`a b`.c between date('2024-05-17T10:30:00.123456789+02:00') and date(1715904000000)",
		`a is not null or b not exists or c size 3 or d type date`,
		`x in (nan, inf, -inf, 18446744073709551615, bytes('AQI='), "it''s \u00e9 \ud83d\ude00 \d")`,
		`((((true)) or not not false`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := query.ParseText(text)
		var e *query.Error
		if errors.As(err, &e) && (e.Line < 1 || e.Column < 1 || e.Column > len(text)+1) {
			t.Fatalf("places the error at line %d, column %d", e.Line, e.Column)
		}
		checkParsed(t, filter, err)
	})
}

// FuzzParse: the same of any bytes that claim to be a tree or a filter.
func FuzzParse(f *testing.F) {
	for _, where := range []string{
		`null`, `"age > 5"`, `{}`,
		`{"age": {"$gte": 18, "$lt": 65}, "address.city": "Oslo", "$or": [{"a": null}, {"b": {"$in": [1, {"$regex": "^x", "$options": "i"}]}}]}`,
		`{"tags": {"$all": ["x", {"$elemMatch": {"$gt": 5}}], "$size": 2}, "n": {"$not": {"$type": ["string", 16]}}, "$nor": [{"e": {"$exists": false}}]}`,
		`["and", ["or", ["eq", "a", 1], ["notIn", "b", [1, "x", null]]], ["not", ["between", "c", {"$date": 5}, 1e300]], {"d": [1, {"e": 2}]}, "f = 1"]`,
		`["any", "items", ["and", ["matches", "name", "^J"], ["startsWith", "", "x"], ["contains", "t", {"$bytes": "AQI="}], ["exists", "x", true], ["type", "y", "int"], ["size", "z", 2]]]`,
	} {
		f.Add(pack(f, where))
	}
	f.Fuzz(func(t *testing.T, where []byte) {
		filter, err := query.Parse(where)
		checkParsed(t, filter, err)
	})
}
