package query_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// same reports whether two filters are the same tree.
func same(f, g *query.Filter) bool {
	return f.Op == g.Op && f.Path.String() == g.Path.String() && slices.Equal(f.Path.Names(), g.Path.Names()) &&
		bytes.Equal(f.Value, g.Value) && bytes.Equal(f.High, g.High) && slices.EqualFunc(f.Values, g.Values, bytes.Equal) &&
		f.Pattern == g.Pattern && f.Type == g.Type && f.Size == g.Size && slices.EqualFunc(f.Kids, g.Kids, same)
}

// TestSpellings: what can be said in several ways makes the same Filter, and
// is printed in one way.
func TestSpellings(t *testing.T) {
	for _, tt := range []struct {
		want  string   // what String writes
		text  []string // other texts
		mongo []string
		tree  []string
	}{
		{"true", []string{"TRUE", "not false", "a = 1 or true", "not (a in ())"}, []string{`{}`, `{"$nor": [{"a": {"$in": []}}]}`, `{"a": {"$nin": []}}`}, []string{`["true"]`, `["and"]`, `["not", ["false"]]`, `["not", ["or"]]`, `["and", ["true"], ["and"]]`, `["notIn", "a", []]`}},
		{"false", []string{"a = 1 and false", "a in ()", "a > nan", "a between 2 and 1", "a between 1 and 'x'"}, []string{`{"a": {"$in": []}}`, `{"a": {"$all": []}}`}, []string{`["false"]`, `["or"]`, `["between", "a", 2, 1]`}},
		{"a = 1", []string{"a == 1", "(a = 1)", "((`a` = 1.0))", strings.Repeat("(true) and ", 200) + "a = 1", "not (a != 1)", "a in (1, 1.0)", "a = 1e0", "a between 1 and 1", "true and a = 1", "a\n=\t1"}, []string{`{"a": 1}`, `{"a": {"$eq": 1.0}}`, `{"a": {"$in": [1]}}`, `{"$and": [{"a": 1}]}`, `{"a": {"$not": {"$ne": 1}}}`, `{"a": {"$all": [1]}}`}, []string{`["eq", "a", 1]`, `["in", "a", [1, 1.0]]`, `["and", ["eq", "a", 1]]`, `["not", ["ne", "a", 1]]`, `["and", "a = 1", {}]`}},
		{"a != 1", []string{"a <> 1", "not a = 1", "a not in (1)"}, []string{`{"a": {"$ne": 1}}`, `{"a": {"$nin": [1]}}`, `{"$nor": [{"a": 1}]}`, `{"a": {"$not": {"$eq": 1}}}`}, []string{`["ne", "a", 1]`, `["not", ["eq", "a", 1]]`, `["notIn", "a", [1]]`}},
		{"a.b > 1.5", nil, []string{`{"a.b": {"$gt": 1.5}}`}, []string{`["gt", "a.b", 1.5]`}},
		{"a >= -3", nil, []string{`{"a": {"$gte": -3}}`}, []string{`["gte", "a", -3]`}},
		{"a < 5000000000", []string{"a < 5e9", "a < 5000000000.0"}, []string{`{"a": {"$lt": 5e9}}`}, []string{`["lt", "a", 5000000000]`, `["lt", "a", 5e9]`}},
		{"a <= 1e+300", nil, []string{`{"a": {"$lte": 1e300}}`}, []string{`["lte", "a", 1e300]`}},
		{"a between 1 and 9", nil, nil, []string{`["between", "a", 1, 9]`}},
		{"a >= 1 and a <= 9", nil, []string{`{"a": {"$gte": 1, "$lte": 9}}`, `{"$and": [{"a": {"$gte": 1}}, {"a": {"$lte": 9}}]}`}, []string{`["and", ["gte", "a", 1], ["lte", "a", 9]]`}},
		{"a in (null, 2, 'x')", []string{`a in ("x", 2.0, null, 2)`}, nil, []string{`["in", "a", [2, "x", null, 2]]`}},
		{"a not in (1, 2)", []string{"not (a in (2, 1))"}, []string{`{"a": {"$nin": [2, 1]}}`, `{"a": {"$not": {"$in": [1, 2]}}}`}, []string{`["notIn", "a", [1, 2]]`}},
		{"a in (1, 2) or a matches '^x' or a matches '(?i)y'", nil, []string{`{"a": {"$in": [1, {"$regex": "^x"}, 2, {"$regex": "y", "$options": "gi"}]}}`}, nil},
		{"a matches '^\\\\d+\\''", []string{`a MATCHES '^\d+\''`, `a matches "^\\d+'"`, `a matches '^\d+'''`}, []string{`{"a": {"$regex": "^\\d+'"}}`, `{"a": {"$regex": {"$regex": "^\\d+'", "$options": ""}}}`}, []string{`["matches", "a", "^\\d+'"]`}},
		{"a matches '(?ims)x'", nil, []string{`{"a": {"$regex": "x", "$options": "smi"}}`, `{"a": {"$options": "ismi", "$regex": "x"}}`, `{"a": {"$regex": {"$regex": "x", "$options": "ims"}}}`}, []string{`["matches", "a", "(?ims)x"]`}},
		{"not (a matches 'x')", []string{"a not matches 'x'"}, []string{`{"a": {"$not": {"$regex": "x"}}}`}, []string{`["not", ["matches", "a", "x"]]`}},
		{"a startsWith 'J'", []string{"a STARTSWITH 'J'"}, nil, []string{`["startsWith", "a", "J"]`}},
		{"a contains 'x'", nil, nil, []string{`["contains", "a", "x"]`}},
		{"a exists", nil, []string{`{"a": {"$exists": true}}`, `{"a": {"$exists": 1}}`, `{"a": {"$exists": ""}}`, `{"a": {"$exists": []}}`}, []string{`["exists", "a", true]`}},
		{"not (a exists)", []string{"a not exists", "not a exists"}, []string{`{"a": {"$exists": false}}`, `{"a": {"$exists": 0}}`, `{"a": {"$exists": null}}`}, []string{`["exists", "a", false]`}},
		{"a type int", []string{"a TYPE Int"}, []string{`{"a": {"$type": "int"}}`, `{"a": {"$type": "long"}}`, `{"a": {"$type": 16}}`, `{"a": {"$type": [18.0]}}`}, []string{`["type", "a", "int"]`}},
		{"a type str or a type null", nil, []string{`{"a": {"$type": ["string", 10]}}`, `{"a": {"$type": [2, "null"]}}`}, nil},
		{"a type float and b type dict and c type list and d type bytes and e type bool and f type date and g type number", nil,
			[]string{`{"a": {"$type": "double"}, "b": {"$type": "object"}, "c": {"$type": "array"}, "d": {"$type": "binData"}, "e": {"$type": "bool"}, "f": {"$type": "date"}, "g": {"$type": "number"}}`, `{"a": {"$type": 1}, "b": {"$type": 3}, "c": {"$type": 4}, "d": {"$type": 5}, "e": {"$type": 8}, "f": {"$type": 9}, "g": {"$type": "number"}}`}, nil},
		{"a mod [4, 1]", []string{"a MOD [4, 1]"}, []string{`{"a": {"$mod": [4, 1]}}`, `{"a": {"$mod": [4.0, 1.0]}}`}, []string{`["mod", "a", [4, 1]]`}},
		{"not (a bitsAllSet [1, 5])", nil, []string{`{"a": {"$not": {"$bitsAllSet": [1, 5]}}}`}, []string{`["not", ["bitsAllSet", "a", [1, 5]]]`}},
		{"a bitsAnyClear 6", nil, []string{`{"a": {"$bitsAnyClear": 6}}`}, nil},
		{"expr {$gt: ['$a', {$add: ['$b', 1]}]} and a = 1", []string{"EXPR {'$gt': ['$a', {$add: ['$b', 1]}]} and a = 1"}, []string{`{"$expr": {"$gt": ["$a", {"$add": ["$b", 1]}]}, "a": 1}`}, nil},
		{"expr {$and: ['$a']}", nil, []string{`{"$expr": "$a"}`}, nil},
		{"a size 2", nil, []string{`{"a": {"$size": 2}}`, `{"a": {"$size": 2.0}}`}, []string{`["size", "a", 2]`}},
		{"a = 'x' and a = 'y'", nil, []string{`{"a": {"$all": ["x", "y"]}}`}, nil},
		{"a any (b = 1) and a matches 'x'", nil, []string{`{"a": {"$all": [{"$elemMatch": {"b": 1}}, {"$regex": "x"}]}}`}, nil},
		{"a any (b > 1 and b < 5)", []string{"a any (this.b > 1 and THIS.b < 5)"}, []string{`{"a": {"$elemMatch": {"b": {"$gt": 1, "$lt": 5}}}}`}, []string{`["any", "a", ["and", ["gt", "b", 1], ["lt", "b", 5]]]`, `["any", "a", "b > 1 and this.b < 5"]`}},
		{"a any (this >= 5)", nil, []string{`{"a": {"$elemMatch": {"$gte": 5}}}`}, []string{`["any", "a", ["gte", "", 5]]`}},
		{"a any (this type dict)", nil, []string{`{"a": {"$elemMatch": {}}}`}, nil},
		{"a any (this type dict and b != 1)", nil, []string{`{"a": {"$elemMatch": {"b": {"$ne": 1}}}}`}, nil},
		{"a any (this type dict and b in (missing, null))", nil, []string{`{"a": {"$elemMatch": {"b": null}}}`}, nil},
		{"a any (this = null)", nil, []string{`{"a": {"$elemMatch": {"$eq": null}}}`}, nil},
		{"a any (this in (null, 1))", nil, []string{`{"a": {"$elemMatch": {"$in": [1, null]}}}`}, nil},
		{"a any (true)", nil, nil, []string{`["any", "a", ["true"]]`}},
		{"a any (b = 1 or c = 2)", nil, []string{`{"a": {"$elemMatch": {"$or": [{"b": 1}, "this.c = 2"]}}}`}, nil},
		{"a any (this any (this = 1))", nil, []string{`{"a": {"$elemMatch": {"$elemMatch": {"$eq": 1}}}}`}, nil},
		{"a any (not (this in (1, 2) or this matches 'x'))", nil, []string{`{"a": {"$elemMatch": {"$nin": [1, 2, {"$regex": "x"}]}}}`}, nil},
		{"a any (`this` = 1 and `this.b` = 2)", nil, []string{`{"a": {"$elemMatch": {"this": 1, "this.b": 2}}}`}, []string{`["any", "a", ["and", ["eq", "this", 1], ["eq", "this.b", 2]]]`}},
		{"a = {b: 1, 'c d': [1, null]}", []string{`a = {'b': 1, "c d": [1, null]}`}, []string{`{"a": {"b": 1, "c d": [1, null]}}`, `{"a": {"$eq": {"b": 1, "c d": [1, null]}}}`}, []string{`["eq", "a", {"b": 1, "c d": [1, null]}]`}},
		{"a = {}", nil, []string{`{"a": {}}`}, nil},
		{"a = {$b: 1}", []string{"a = {'$b': 1}"}, []string{`{"a": {"$eq": {"$b": 1}}}`}, nil},
		{"a = []", nil, []string{`{"a": []}`}, nil},
		{"a = null", []string{"a is null", "a IS NULL"}, nil, []string{`["eq", "a", null]`}},
		{"a != null", []string{"a is not null"}, nil, []string{`["ne", "a", null]`}},
		{"a in (missing, null)", []string{"a in (null, MISSING, null)"}, []string{`{"a": null}`, `{"a": {"$eq": null}}`, `{"a": {"$gte": null}}`, `{"a": {"$lte": null}}`, `{"a": {"$in": [null]}}`, `{"a": {"$all": [null]}}`, `{"a": {"$not": {"$ne": null}}}`}, nil},
		{"a not in (missing, null)", []string{"not a in (missing, null)"}, []string{`{"a": {"$ne": null}}`, `{"a": {"$nin": [null, null]}}`, `{"a": {"$not": {"$eq": null}}}`}, nil},
		{"a in (missing, null, 2, 'x')", nil, []string{`{"a": {"$in": ["x", null, 2]}}`}, nil},
		{"a in (missing, null) or a matches 'x'", nil, []string{`{"a": {"$in": [null, {"$regex": "x"}]}}`}, nil},
		{"not (a in (missing, null) or a matches 'x')", nil, []string{`{"a": {"$nin": [{"$regex": "x"}, null]}}`}, nil},
		{"a in (missing)", []string{"a in (missing, missing)"}, nil, nil},
		{"a > null", nil, []string{`{"a": {"$gt": null}}`}, nil},
		{"a = {b: null}", nil, []string{`{"a": {"b": null}}`}, nil},
		{"a = date('2024-05-17')", []string{"a = date('2024-05-17T02:00:00.000+02:00')", "a = date('2024-05-17T00:00')", "a = DATE(1715904000000)"}, []string{`{"a": {"$date": 1715904000000}}`}, []string{`["eq", "a", {"$date": 1715904000000}]`}},
		{"a = bytes('AQI=')", nil, []string{`{"a": {"$bytes": "AQI="}}`}, nil},
		{"a = 1 and b = 2 and c = 3", []string{"a = 1 and (b = 2 and c = 3)", "(a = 1 and b = 2) and c = 3"}, []string{`{"a": 1, "b": 2, "c": 3}`, `{"a": 1, "$and": [{"b": 2}, {"c": 3}]}`}, []string{`["and", ["and", ["eq", "a", 1], ["eq", "b", 2]], ["eq", "c", 3]]`}},
		{"a = 1 or b = 2 and c = 3", []string{"a = 1 or (b = 2 and c = 3)"}, []string{`{"$or": [{"a": 1}, {"b": 2, "c": 3}]}`}, []string{`["or", ["eq", "a", 1], ["and", ["eq", "b", 2], ["eq", "c", 3]]]`}},
		{"(a = 1 or b = 2) and c = 3", nil, []string{`{"$or": [{"a": 1}, {"b": 2}], "c": 3}`}, []string{`["and", ["or", ["eq", "a", 1], ["eq", "b", 2]], ["eq", "c", 3]]`}},
		{"not (a = 1 or b = 2)", nil, []string{`{"$nor": [{"a": 1}, {"b": 2}]}`}, []string{`["not", ["or", ["eq", "a", 1], ["eq", "b", 2]]]`}},
		{"not (a > 1 and a < 5)", nil, []string{`{"a": {"$not": {"$gt": 1, "$lt": 5}}}`}, nil},
		{"`and` = 1 and `a b` = 2 and `2nd` = 3 and a.2nd = 4 and `q``q` = 5", nil, []string{`{"and": 1, "a b": 2, "2nd": 3, "a.2nd": 4, "q` + "`" + `q": 5}`}, nil},
		{`a = '\u0000\u2028\n\t\r\\é😀'`, []string{`a = "\u0000` + "\u2028\n\t\r" + `\é\ud83d\ude00"`}, []string{`{"a": "\u0000\u2028\n\t\r\\é😀"}`}, nil},
	} {
		want, err := query.ParseText(tt.want)
		if err != nil {
			t.Errorf("%s: %v", tt.want, err)
			continue
		}
		if got := want.String(); got != tt.want {
			t.Errorf("%s is printed as %s", tt.want, got)
		}
		for _, text := range tt.text {
			f, err := query.ParseText(text)
			if err != nil || !same(f, want) {
				t.Errorf("text %q makes %v, %v; want %s", text, f, err, tt.want)
			}
		}
		for _, wire := range slices.Concat(tt.mongo, tt.tree) {
			f, err := query.Parse(pack(t, wire))
			if err != nil || !same(f, want) {
				t.Errorf("%s makes %v, %v; want %s", wire, f, err, tt.want)
			}
		}
	}
}

// TestParse_owns its bytes: the caller's buffer is used again.
func TestParse_owns(t *testing.T) {
	where := pack(t, `{"a": {"$in": ["one", "two"]}, "b": {"$gt": "three"}, "c": {"$regex": "^four"}, "d.e": [5, {"f": "six"}]}`)
	f, err := query.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	before := f.String()
	for i := range where {
		where[i] = 0xcc
	}
	if after := f.String(); after != before || !f.Match(pack(t, `{"a": "one", "b": "x", "c": "four", "d": {"e": [5, {"f": "six"}]}}`)) {
		t.Errorf("overwriting the argument turns %s into %s", before, after)
	}
}
