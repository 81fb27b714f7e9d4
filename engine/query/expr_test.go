package query_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// TestExpr works out expressions by comparing them with what they should be.
func TestExpr(t *testing.T) {
	doc := pack(t, `{"n": 7, "x": -2.5, "big": 9223372036854775807, "s": "Größe 1", "e": "", "nil": null, "yes": true, "zero": 0,
		"at": {"$date": 1000}, "later": {"$date": 4500}, "list": [1, 2, 3], "items": [{"k": 1, "in": {"d": 5}}, {"k": 2}, 5, {}], "m": {"0": "zero", "k": 1}}`)
	for _, tt := range []struct{ expression, value string }{
		{`"$n"`, `7`}, {`"$m.k"`, `1`}, {`"$m.0"`, `"zero"`}, {`"$items.k"`, `[1, 2]`}, {`"$items.in.d"`, `[5]`}, {`"$items.0"`, `[]`}, {`{"$literal": "$n"}`, `{"$literal": "$n"}`},
		{`["$n", "$none", {"$add": [1, 1]}]`, `[7, null, 2]`}, {`[1, [2]]`, `[1, [2]]`}, {`{}`, `{}`},
		{`{"$add": ["$n", 1, 2.5]}`, `10.5`}, {`{"$add": []}`, `0`}, {`{"$add": ["$big", 1]}`, `9223372036854775808`}, {`{"$add": ["$s", 1]}`, `null`}, {`{"$add": "$n"}`, `7`},
		{`{"$add": [500, "$at"]}`, `{"$date": 1500}`}, {`{"$add": ["$at", "$at"]}`, `null`}, {`{"$subtract": ["$later", "$at"]}`, `3500`}, {`{"$subtract": ["$later", 500]}`, `{"$date": 4000}`},
		{`{"$subtract": [1, "$n"]}`, `-6`}, {`{"$subtract": [{"$subtract": [0, "$big"]}, 9]}`, `-9223372036854775808.0`}, {`{"$multiply": ["$n", "$n", 2]}`, `98`}, {`{"$multiply": ["$big", 2]}`, `18446744073709551616.0`}, {`{"$multiply": ["$none", 2]}`, `null`},
		{`{"$divide": ["$n", 2]}`, `3.5`}, {`{"$divide": ["$n", 0]}`, `null`}, {`{"$mod": ["$n", 4]}`, `3`}, {`{"$mod": [-7, 4]}`, `-3`}, {`{"$mod": [7.5, 2]}`, `1.5`}, {`{"$mod": [5, 0]}`, `null`}, {`{"$mod": ["$big", -1]}`, `0`},
		{`{"$abs": "$x"}`, `2.5`}, {`{"$abs": [-3]}`, `3`}, {`{"$abs": "$n"}`, `7`}, {`{"$abs": "$s"}`, `null`}, {`{"$floor": "$x"}`, `-3`}, {`{"$ceil": "$x"}`, `-2`}, {`{"$floor": "$n"}`, `7`}, {`{"$ceil": "$nil"}`, `null`},
		{`{"$round": "$x"}`, `-2`}, {`{"$round": 3.5}`, `4`}, {`{"$round": [2.3456, 2]}`, `2.35`}, {`{"$round": [1250, -2]}`, `1200`}, {`{"$round": [1e300, 100]}`, `1e300`}, {`{"$round": ["$n", "$s"]}`, `null`}, {`{"$round": ["$s", 1]}`, `null`}, {`{"$round": [7, 2]}`, `7`},
		{`{"$concat": ["$s", "!", {"$toUpper": "$s"}]}`, `"Größe 1!GRÖßE 1"`}, {`{"$concat": ["$s", "$none"]}`, `null`}, {`{"$concat": []}`, `""`}, {`{"$toLower": "$s"}`, `"größe 1"`}, {`{"$toLower": "$nil"}`, `""`},
		{`{"$strLenCP": "$s"}`, `7`}, {`{"$strLenCP": "$n"}`, `null`}, {`{"$substrCP": ["$s", 2, 3]}`, `"öße"`}, {`{"$substrCP": ["$s", 5, 99]}`, `" 1"`}, {`{"$substrCP": ["$s", 99, 1]}`, `""`}, {`{"$substrCP": ["$s", -1, 1]}`, `null`}, {`{"$substrCP": ["$none", 0, 1]}`, `""`},
		{`{"$indexOfCP": ["$s", "e"]}`, `4`}, {`{"$indexOfCP": ["$s", "x"]}`, `-1`}, {`{"$indexOfCP": ["$s", "r", 2]}`, `-1`}, {`{"$indexOfCP": ["$s", "e", 0, 4]}`, `-1`}, {`{"$indexOfCP": ["$s", "", 9]}`, `-1`}, {`{"$indexOfCP": ["$n", "e"]}`, `null`}, {`{"$indexOfCP": ["$s", "e", "x"]}`, `null`}, {`{"$indexOfCP": ["$s", "e", 0, -1]}`, `null`},
		{`{"$size": "$list"}`, `3`}, {`{"$size": "$n"}`, `null`}, {`{"$size": [[1, "$n"]]}`, `2`}, {`{"$in": ["$n", [5, 7]]}`, `true`}, {`{"$in": [2, "$list"]}`, `true`}, {`{"$in": [9, "$list"]}`, `false`}, {`{"$in": [9, "$n"]}`, `false`}, {`{"$in": ["$none", [null]]}`, `true`},
		{`{"$arrayElemAt": ["$list", 1]}`, `2`}, {`{"$arrayElemAt": ["$list", -1]}`, `3`}, {`{"$arrayElemAt": ["$n", 0]}`, `null`}, {`{"$ifNull": [{"$arrayElemAt": ["$list", 3]}, "end"]}`, `"end"`}, {`{"$arrayElemAt": ["$list", 0.5]}`, `null`},
		{`{"$cond": ["$yes", "a", "b"]}`, `"a"`}, {`{"$cond": {"if": "$zero", "then": 1, "else": {"$add": [1, 1]}}}`, `2`}, {`{"$ifNull": ["$none", "$nil", "$n", 1]}`, `7`},
		{`{"$cmp": ["$n", 5]}`, `1`}, {`{"$cmp": ["$none", null]}`, `-1`}, {`{"$gt": ["$n", "$x"]}`, `true`}, {`{"$lt": ["$n", "$s"]}`, `true`}, {`{"$gte": [7.0, "$n"]}`, `true`}, {`{"$lte": [8, "$n"]}`, `false`}, {`{"$ne": ["$none", null]}`, `true`}, {`{"$gt": ["$nil", "$none"]}`, `true`},
		{`{"$and": ["$n", "$yes"]}`, `true`}, {`{"$and": []}`, `true`}, {`{"$and": ["$n", "$zero"]}`, `false`}, {`{"$or": ["$none", "$nil", "$zero", false]}`, `false`}, {`{"$or": ["$e"]}`, `true`}, {`{"$not": ["$list"]}`, `false`}, {`{"$not": "$none"}`, `true`},
	} {
		f, err := query.Parse(pack(t, `{"$expr": {"$eq": [`+tt.expression+`, `+tt.value+`]}}`))
		if err != nil {
			t.Errorf("%s: %v", tt.expression, err)
			continue
		}
		for _, f := range []*query.Filter{f, f.Stoppable(func(int) {})} {
			if !f.Match(doc) {
				t.Errorf("%s is not %s", tt.expression, tt.value)
			}
		}
		if again, err := query.ParseText(f.String()); err != nil || !same(f, again) {
			t.Errorf("%s is read as %v, %v", f, again, err)
		}
	}
	for filter, want := range map[string]bool{`{"$expr": "$n"}`: true, `{"$expr": "$none"}`: false, `{"$expr": true}`: true, `{"$expr": ["$none"]}`: true, `{"$or": [{"n": 8}, {"$expr": {"$gt": ["$n", 6]}}]}`: true, `{"$nor": [{"$expr": {"$gt": ["$n", 6]}}]}`: false, `{"n": 7, "$comment": "seven"}`: true} {
		if f, err := query.Parse(pack(t, filter)); err != nil || f.Match(doc) != want {
			t.Errorf("%s is not %t: %v", filter, want, err)
		}
	}
	if f, err := query.ParseText("expr > 1 and expr exists and `expr` = {a: 1}"); err != nil || f.String() != "expr > 1 and expr exists and expr = {a: 1}" {
		t.Error("a field may be named expr:", f, err)
	}
}

func TestExpr_refuses(t *testing.T) {
	for filter, want := range map[string]string{
		`{"$expr": {"$sqrt": "$a"}}`:                                 "filter at $expr.$sqrt: unknown operator $sqrt; known in $expr are $eq $ne",
		`{"$expr": {"$gt": ["$a", {"$sum": "$b"}]}}`:                 "filter at $expr.$gt.1.$sum: unknown operator $sum",
		`{"$expr": {"$gt": ["$a"]}}`:                                 "filter at $expr.$gt: expected operands: 2, found: 1",
		`{"$expr": {"$ifNull": ["$a"]}}`:                             "filter at $expr.$ifNull: expected operands: 2 or more, found: 1",
		`{"$expr": {"$round": []}}`:                                  "filter at $expr.$round: expected operands: 1 to 2, found: 0",
		`{"$expr": {"$cond": {"if": 1, "then": 2, "elsewhere": 3}}}`: "filter at $expr.$cond: expected operands: 3, found: 0",
		`{"$expr": {"$eq": ["$$ROOT.a", 1]}}`:                        "filter at $expr.$eq.0: expected a field path such as '$age', found the variable '$$ROOT.a'",
		`{"$expr": {"$eq": ["$", 1]}}`:                               "filter at $expr.$eq.0: expected a field path after $",
		`{"$expr": {"a": 1}}`:                                        "filter at $expr: expected one operator, found an object of fields",
		`{"$expr": {"$eq": [1, 1], "$ne": [1, 1]}}`:                  "filter at $expr: expected one operator",
		`{"a": {"$elemMatch": {"$and": [{"$expr": true}]}}}`:         "filter at a.$elemMatch.$and.0.$expr: $expr is about a whole document",
		`["any", "a", "expr {$eq: [1, 1]}"]`:                         "filter at line 1, column 1: $expr is about a whole document",
		`{"a": {"$expr": true}}`:                                     "filter at a.$expr: expected an operator on one field",
		`{"$where": "this.a"}`:                                       "filter at $where: $where is not known; a function stands alone",
		`{"$jsonSchema": {}}`:                                        "filter at $jsonSchema: $jsonSchema is not known; documents of one shape",
		`{"a": {"$mod": [0, 1]}}`:                                    "filter at a.$mod: expected [divisor, remainder]",
		`{"a": {"$mod": [2]}}`:                                       "filter at a.$mod: expected [divisor, remainder]",
		`{"a": {"$mod": [2, "x"]}}`:                                  "filter at a.$mod: expected [divisor, remainder]",
		`{"a": {"$mod": 2}}`:                                         "filter at a.$mod: expected [divisor, remainder]",
		`{"a": {"$bitsAllSet": -1}}`:                                 "filter at a.$bitsAllSet: expected an integer from 0 on",
		`{"a": {"$bitsAnySet": [1, -1]}}`:                            "filter at a.$bitsAnySet: expected an integer from 0 on",
		`{"a": {"$bitsAllClear": "x"}}`:                              "filter at a.$bitsAllClear: expected an integer from 0 on",
		`{"a": {"$bitsAnyClear": 1.5}}`:                              "filter at a.$bitsAnyClear: expected an integer from 0 on",
	} {
		_, err := query.Parse(pack(t, filter))
		var e *query.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), strings.TrimPrefix(want, "filter at ")) {
			t.Errorf("%s fails with\n%v\nwant\n%s", filter, err, want)
		}
	}
	// Texts are not joined without an end, and a search may be stopped.
	long := strings.Repeat("x", 1<<20)
	doubled := `"$s"`
	for range 6 {
		doubled = `{"$concat": [` + doubled + `, ` + doubled + `]}`
	}
	f, err := query.Parse(pack(t, `{"$expr": {"$eq": [`+doubled+`, null]}}`))
	if err != nil || !f.Match(pack(t, `{"s": "`+long+`"}`)) {
		t.Error("a text of 64 MiB was made:", err)
	}
	spent := 0
	f.Stoppable(func(units int) { spent += units }).Match(pack(t, `{"s": "`+long+`"}`))
	if spent < 6*1<<20>>9 {
		t.Error("spent", spent)
	}
}

// TestIntegers: $mod and the operators on bits by example.
func TestIntegers(t *testing.T) {
	doc := pack(t, `{"n": 54, "neg": -5, "x": 7.9, "list": [1, 6], "b": {"$bytes": "BQA="}, "s": "54", "nan": null, "big": 18446744073709551615, "min": -9223372036854775808, "f": 1e300}`)
	for text, want := range map[string]bool{
		"n mod [4, 2]": true, "n mod [4, 0]": false, "neg mod [3, -2]": true, "x mod [4, 3]": true, "x mod [4.9, 3.5]": true, "list mod [3, 0]": true, "list mod [5, 2]": false, "s mod [1, 0]": false, "none mod [1, 0]": false, "min mod [-1, 0]": true, "big mod [2, 1]": false, "f mod [2, 0]": false,
		"n bitsAllSet 54": true, "n bitsAllSet 55": false, "n bitsAllSet [1, 5]": true, "n bitsAnySet 9": false, "n bitsAnySet [0, 1]": true, "n bitsAllClear 9": true, "n bitsAllClear [0, 1]": false, "n bitsAnyClear [0, 1]": true, "n bitsAnyClear 54": false, "n bitsAllSet []": true, "n bitsAnySet []": false,
		"neg bitsAllSet [63, 200]": true, "n bitsAnySet 0": false, "n bitsAllClear [200]": true, "f bitsAllClear 0": false,
		"b bitsAllSet 5": true, "b bitsAllSet [0, 2]": true, "b bitsAnySet [1, 8, 99]": false, "b bitsAllClear [1, 8, 99]": true, "b bitsAnyClear [0, 99]": true, "b bitsAllSet bytes('BQ==')": true, "n bitsAllSet bytes('NgA=')": true, "n bitsAnySet bytes('CQ==')": false,
		"list bitsAllSet 6": true, "list bitsAllSet 7": false, "x bitsAllClear 0": false, "s bitsAllSet 0": false, "none bitsAllClear 0": false,
	} {
		f, err := query.ParseText(text)
		if err != nil {
			t.Fatal(err)
		}
		if f.Match(doc) != want {
			t.Errorf("%s is not %t", text, want)
		}
		if f.String() != text && !strings.Contains(text, ".") {
			t.Errorf("%s is printed as %s", text, f)
		}
	}
}
