package query_test

import (
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// TestMatch is the meaning of conditions by example. Each is also asked the
// other way round: not must be the exact complement.
func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		doc string
		yes []string // conditions that hold for doc
		no  []string // and that do not
	}{
		{`{"a": 5}`,
			[]string{`a = 5`, `a != 6`, `a > 4`, `a >= 5`, `a < 6`, `a <= 5`, `a between 5 and 5`, `a between 4 and 6`, `a between 4 and 5`, `a between 5 and 6`, `a in (4, 5)`, `a exists`, `true`},
			[]string{`a = 6`, `a > 5`, `a < 5`, `a between 6 and 7`, `a between 6 and 4`, `a in (4, 6)`, `a in ()`, `a.b exists`, `b exists`, `false`}},
		{`{"a": 5.0}`, []string{`a = 5`, `a in (5, 7)`, `a between 5 and 6`, `a type float`}, []string{`a type int`, `a > 5`}},
		{`{"a": 9007199254740993}`,
			[]string{`a > 9007199254740992`, `a = 9007199254740993`, `a != 9007199254740992.0`},
			[]string{`a = 9007199254740992`, `a < 9007199254740993`}},

		// A missing field and null.
		{`{}`, []string{`a != 5`, `a != null`, `a not in (1, 2)`, `not (a exists)`, `not (a > 5)`}, []string{`a = null`, `a is null`, `a >= null`, `a < 5`, `a exists`, `a type null`, `a size 0`, `a in (null, 1)`}},
		{`{"a": null}`, []string{`a = null`, `a is null`, `a >= null`, `a exists`, `a type null`, `a in (null, 1)`}, []string{`a is not null`, `a < 5`, `a = 0`, `a = false`, `a > null`}},

		// A list may hold missing: MongoDB's null, by the documents of its own tests.
		{`{}`, []string{`a in (missing)`, `a in (missing, null)`, `a.b in (missing, null)`, `a.0 in (missing)`}, []string{`a not in (missing, 1)`}},
		{`{"a": null}`, []string{`a in (missing, null)`, `a.b in (missing)`}, []string{`a in (missing)`}},
		{`{"a": 4}`, []string{`a.b in (missing, null)`}, []string{`a in (missing, null)`}},
		{`{"a": {}}`, []string{`a.b in (missing)`}, []string{`a in (missing, null)`}},
		{`{"a": {"b": "hi"}}`, []string{`a.b.c in (missing)`}, []string{`a.b in (missing, null)`}},
		{`{"a": []}`, nil, []string{`a in (missing, null)`, `a.b in (missing, null)`, `a.0 in (missing, null)`}},
		{`{"a": [[]]}`, nil, []string{`a in (missing, null)`, `a.b in (missing, null)`}},
		{`{"a": [1, "s"]}`, nil, []string{`a in (missing, null)`, `a.b in (missing, null)`, `a.0.b in (missing, null)`, `a.2 in (missing, null)`}},
		{`{"a": [1, null]}`, []string{`a in (missing, null)`, `a.1 in (missing, null)`}, []string{`a in (missing)`, `a.b in (missing, null)`}},
		{`{"a": [{"b": null}, {}]}`, []string{`a.b in (missing)`, `a.b in (null, 7)`, `a.1.b in (missing)`}, []string{`a.b in (8, 9)`}},
		{`{"a": [{"b": 1}, {"b": 3}]}`, []string{`a.0 in (missing)`, `a.b.c in (missing)`}, []string{`a.b in (missing, null)`}},
		{`{"a": [{"b": 3}, {}]}`, []string{`a.b in (missing, null)`, `a any (b in (missing))`}, []string{`a.b in (null)`}},

		// Kinds do not compare; the two booleans are of one kind, NaN of its own.
		{`{"a": "5"}`, []string{`a > ''`, `a >= '5'`}, []string{`a = 5`, `a > 4`, `a < 6`, `a >= 5`, `a between 1 and 9`, `a in (5, 6)`, `a between 5 and 'z'`}},
		{`{"a": false}`, []string{`a < true`, `a between false and true`, `a type bool`}, []string{`a = 0`, `a > false`, `a < 1`}},
		{`{"a": {"$date": 86400000}}`, []string{`a = date('1970-01-02')`, `a > date('1970-01-01T23:59:59.999Z')`, `a = date(86400000)`}, []string{`a = 86400000`, `a > 0`, `a = '1970-01-02'`}},
		{`{"a": {"$bytes": "AQI="}}`, []string{`a = bytes('AQI=')`, `a > bytes('AQ==')`, `a type bytes`}, []string{`a = 'AQI='`, `a type str`}},

		// Strings: by bytes, which is by code point.
		{`{"a": "Ångström"}`,
			[]string{`a > 'Z'`, `a startsWith 'Å'`, `a startsWith ''`, `a contains 'ström'`, `a contains ''`, `a matches 'str.m$'`, `a matches '^Å'`, `a matches '(?i)ÅNG'`, `a matches ''`, `a < '😀'`},
			[]string{`a startsWith 'A'`, `a contains 'strom'`, `a contains 5`, `a matches '^str'`, `a matches '^Ång$'`, `a size 8`, `a any (true)`}},
		{`{"a": "x\ny"}`, []string{`a matches '(?m)^y$'`, `a matches '(?m)^y'`, `a matches '(?m)x$'`, `a matches '(?s)x.y'`, `a matches 'y$'`, `a matches '^x'`}, []string{`a matches '^y'`, `a matches 'x$'`, `a matches 'x.y'`, `a matches '^x$'`}},
		{`{"a": "abcd"}`, []string{`a matches '^abcd$'`, `a matches 'bc'`, `a matches 'cd$'`, `a matches '^ab'`, `a matches '\\w+'`, `a matches '\w'`}, []string{`a matches '^abc$'`, `a matches '^bcd$'`, `a matches 'BC'`, `a matches 'c$'`}},
		{`{"a": 5}`, nil, []string{`a matches '5'`, `a startsWith ''`, `a contains ''`, `a contains 5`}},

		// An array is looked at itself, and its elements.
		{`{"a": [1, 5, "x", [7]]}`,
			[]string{`a = 5`, `a > 4`, `a < 2`, `a > 4 and a < 2`, `a in (5, 6)`, `a startsWith 'x'`, `a matches 'x'`, `a type int`, `a type str`, `a type list`, `a contains 5`, `a contains [7]`, `a = [7]`, `a = [1, 5, 'x', [7]]`, `a size 4`, `a between 4 and 6`, `a exists`, `a.0 = 1`, `a.3 = [7]`, `a.3 contains 7`, `a.3 size 1`, `a.3 any (this = 7)`, `a.3 type list`, `a.3.0 = 7`},
			[]string{`a = 7`, `a != 5`, `a between 2 and 4`, `a size 1`, `a contains 7`, `a contains [1]`, `a type dict`, `a = [1, 5]`, `a.3 = 7`, `a.3 in (7)`, `a.3 > 6`, `a.3 type int`, `a.0 = 5`, `a.4 exists`, `a.00 = 1`, "`a.-1` exists"}},
		{`{"a": []}`, []string{`a size 0`, `a type list`, `a = []`, `a exists`, `a != 1`}, []string{`a any (true)`, `a.0 exists`, `a contains null`}},
		{`{"a": [[1]]}`, []string{`a any (this = 1)`, `a any (this.0 = 1)`, `a type list`}, []string{`a = 1`, `a any (this > 1)`}},
		{`{"a": [3, 8]}`, []string{`a any (this > 4 and this < 9)`, `a > 4 and a < 4`}, []string{`a any (this > 4 and this < 8)`, `a between 4 and 7`}},
		{`{"a": 3}`, nil, []string{`a any (this = 3)`, `a size 1`}},

		// Maps compare whole, whatever the order of their fields.
		{`{"a": {"x": 1, "y": 2}}`, []string{`a = {x: 1, y: 2}`, `a = {y: 2.0, x: 1}`, `a.x = 1`, `a type dict`, `a > {x: 1}`, `a in ({}, {y: 2, x: 1})`}, []string{`a = {x: 1}`, `a.z exists`, `a size 2`, `a contains 'x'`}},

		// A name goes into each map of an array, a number also to a position.
		{`{"a": [{"b": 1, "c": 9}, {"b": 2}, 7]}`,
			[]string{`a.b = 1`, `a.b = 2`, `a.1.b = 2`, `a.b = 1 and a.b = 2`, `a any (b = 1 and c = 9)`, `a.c exists`, `a any (this = 7)`, `a any (this type dict)`},
			[]string{`a any (b = 2 and c = 9)`, `a.0.b = 2`, `a.2.b exists`, `a.b.c exists`, `a.b size 2`}},
		{`{"a": [[{"b": 1}]]}`, []string{`a.0.b = 1`, `a.0.0.b = 1`, `a any (this.b = 1)`}, []string{`a.b = 1`, `a.1.b = 1`}},
		{`{"a": [{"0": "map"}, "second"]}`, []string{`a.0 = 'map'`, `a.0 = {'0': 'map'}`, `a.0.0 = 'map'`}, []string{`a.0 = 'second'`, `a.1.0 exists`}},
		{`{"a": {"0": 1}}`, []string{`a.0 = 1`}, []string{`a.1 = 1`}},
		{`{"a": [{"b": [1, 2]}, {"b": [3]}]}`, []string{`a.b = 3`, `a.b size 1`, `a.b size 2`, `a.b contains 2`, `a.b.1 = 2`, `a any (b any (this = 3))`}, []string{`a.b = 4`, `a.b size 3`, `a.b.1 = 3`}},

		// Names that need back-quotes, or only look as if they did.
		{`{"and": 1, "a b": {"ü-x": 2}, "this": 3, "type": 4, "date": 5, "in": {"not": 6}, "$x": 7, "q` + "`" + `q": 8}`,
			[]string{"`and` = 1", "`a b.ü-x` = 2", "`a b`.`ü-x` = 2", "`this` = 3", "type = 4", "date = 5", "in.not = 6", "$x = 7", "type type int", "`q``q` = 8"}, nil},

		{`{"falſe": 1, "thiſ": {"x": 2}}`, []string{`falſe = 1`, `thiſ.x = 2`}, nil},

		// Precedence.
		{`{"a": 1}`,
			[]string{`a = 1 or a = 2 and a = 3`, `not a = 2 and a = 1`, `not (a = 2 or a = 3)`, `NOT a = 2 AND A != 1`, `not not a = 1`},
			[]string{`(a = 1 or a = 2) and a = 3`, `not a = 1 or a = 2`, `not (a = 1 or a = 3)`}},
	} {
		doc := pack(t, tt.doc)
		for _, text := range append(tt.yes, tt.no...) {
			if _, err := query.ParseText(text); err != nil {
				t.Fatal(err)
			}
		}
		for i, text := range append(tt.yes, tt.no...) {
			f, _ := query.ParseText(text)
			want := i < len(tt.yes)
			if got := f.Match(doc); got != want {
				t.Errorf("%s: %s is %t, want %t", tt.doc, text, got, want)
			}
			if got := query.Not(f).Match(doc); got == want {
				t.Errorf("%s: not (%s) is %t too", tt.doc, text, got)
			}
		}
	}
}

// TestMatch_NaN: JSON has no NaN to write the examples with.
func TestMatch_NaN(t *testing.T) {
	const nan = "\xcb\x7f\xf8\x00\x00\x00\x00\x00\x01"
	doc := append(msgpack.AppendString(msgpack.AppendMap(nil, 1), "a"), nan...)
	five := pack(t, `{"a": 5}`)
	for text, want := range map[string][2]bool{ // of NaN, of 5
		"a = nan":               {true, false},
		"a != nan":              {false, true},
		"a < 6":                 {false, true},
		"a > -inf":              {false, true},
		"a between -inf and 9":  {false, true},
		"a > nan":               {false, false},
		"a >= nan":              {true, false},
		"a < nan":               {false, false},
		"a <= nan":              {true, false},
		"a between nan and 9":   {false, false},
		"a between nan and nan": {true, false},
		"a in (nan, 6)":         {true, false},
		"a in (5, 6)":           {false, true},
		"a type float":          {true, false},
		"a not in (5, 6)":       {true, false},
		"not (a < 9.2e18)":      {true, false},
		"a < 18446744073709551615 or a <= 18446744073709551614 and a > 2": {false, true},
	} {
		f, err := query.ParseText(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{f.Match(doc), f.Match(five)}; got != want {
			t.Errorf("%s is %t of NaN and 5, want %t", text, got, want)
		}
	}
}

// TestMatch_allocates nothing, even where a path crosses an array.
func TestMatch_allocates(t *testing.T) {
	doc := pack(t, `{"a": 5, "s": "Jane", "n": {"m": {"x": 2.5}}, "tags": ["x", "y"], "items": [{"p": 1}, {"p": 2}]}`)
	for _, text := range []string{
		`a = 5`, `a > 1 and a < 9`, `a between 1 and 9`, `a in (1, 5, 9)`, `n.m.x >= 2`, `s = 'Jane'`, `s startsWith 'J'`, `s matches '^J'`, `s matches '[A-Z]a'`,
		`s contains 'an'`, `s in ('Jane', 'Joe')`, `tags = 'y'`, `tags contains 'y'`, `tags any (this = 'y')`, `items.p = 2`, `items any (p = 2)`, `tags type str`, `not (a exists and b exists)`,
	} {
		f, err := query.ParseText(text)
		if err != nil {
			t.Fatal(err)
		}
		if !f.Match(doc) {
			t.Errorf("%s does not match", text)
		}
		if n := testing.AllocsPerRun(100, func() { f.Match(doc) }); n != 0 {
			t.Errorf("%s allocates %v times", text, n)
		}
	}
}
