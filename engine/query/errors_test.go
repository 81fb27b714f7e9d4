package query_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// TestParseText_error: a message says where, what was expected and what was
// found, and shows it.
func TestParseText_error(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "line 1, column 1: expected a condition, found the end of the text; one is written like age >= 18"},
		{"age >= \n", "line 2, column 1: expected a value, found the end of the text; values are text in quotes, numbers, true, false, null, date('…'), bytes('…'), [lists] and {maps: …}"},
		{"name = 'Jürgen'\n  and\tage >> 5", "line 2, column 12: expected a value, found \">\"; values are text in quotes, numbers, true, false, null, date('…'), bytes('…'), [lists] and {maps: …}\n" +
			"    and\tage >> 5\n" +
			"       \t     ^"},
		{"city = 'Zürich' & x", "line 1, column 17: expected \"and\", found \"&\"\n" +
			"  city = 'Zürich' & x\n" +
			"                  ^"},
		{"age = Bob", "line 1, column 7: expected a value, found the name Bob; text goes in quotes\n" +
			"  age = Bob\n" +
			"        ^"},
		{strings.Repeat("a = 'b' and ", 20) + "18 < age " + strings.Repeat("or c = 'd' ", 20),
			"line 1, column 241: expected a field name, found the number 18; field names stand first, as in age >= 18\n" +
				"  …nd a = 'b' and a = 'b' and a = 'b' and 18 < age or c = 'd' or c = 'd' or c = '…\n" +
				"                                          ^"},
	} {
		_, err := query.ParseText(tt.text)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q fails with\n%v\nwant\n%s", tt.text, err, tt.want)
		}
	}
}

// TestParseText_refuses checks the place and the start of many more messages.
func TestParseText_refuses(t *testing.T) {
	for _, tt := range []struct {
		text   string
		column int
		want   string
	}{
		{`age`, 4, `expected an operator after age, found the end of the text; the operators are =, !=, >`},
		{`age like 'x'`, 5, `expected an operator after age, found the name like`},
		{`'age' = 5`, 1, `expected a field name, found the text 'age'; field names stand first, without quotes or in back-quotes`},
		{`and a = 1`, 1, `expected a condition, found the word "and"; a field of that name goes in back-quotes`},
		{`a = 1 b = 2`, 7, `expected "and", "or" or the end of the text, found the name b`},
		{`a = 1)`, 6, `expected "and", "or" or the end of the text, found ")"`},
		{`(a = 1`, 7, `expected "and", "or" or ")", found the end of the text`},
		{`a = 'x`, 5, `expected a second ' to end the text that starts here`},
		{`a = "x''`, 5, `expected a second " to end the text that starts here`},
		{`a = '\`, 5, `expected a second '`},
		{"`a = 1", 1, `expected a second back-quote to end the name that starts here`},
		{"`` = 1", 1, `expected a field name; this one is empty`},
		{"`a..b` = 1", 1, `expected a field name; this one has a dot without a name`},
		{`a..b = 1`, 3, `expected a name after the dot`},
		{`.a = 1`, 1, `expected a digit or a name before the dot`},
		{`!a`, 1, `expected "not" or "!=", found "!"`},
		{`a || b`, 3, `expected "or", found "|"`},
		{`a = 1;`, 6, `expected one condition, found ";"`},
		{`a @ 5`, 3, `expected a name, a value or an operator, found the character @`},
		{`first-name = 'x'`, 6, "expected a number after the dash; a name with a dash in it goes in back-quotes: `first-name`"},
		{`a not = 5`, 7, `expected an operator, found "="; after not comes one of between, in`},
		{`a is 5`, 6, `expected "null", found the number 5`},
		{`a in 1`, 6, `expected "(" and a list of values, found the number 1`},
		{`a in (1 2)`, 9, `expected "," or ")", found the number 2`},
		{`a in (1,)`, 9, `expected a value, found ")"`},
		{`a between 1 or 2`, 13, `expected "and" between the two ends, found the word "or"`},
		{`a startsWith 5`, 14, `expected text in quotes, found the number 5`},
		{`a matches '(\w+) \1'`, 11, "the regular expression is refused: invalid escape sequence: `\\1`; its syntax is RE2, without look-around and back-references"},
		{`a type object`, 8, `expected a type, found the name object; the types are int, float`},
		{`a type 'int'`, 8, `expected a type, found the text 'int'`},
		{`a size -1`, 8, `expected a whole number of elements after size, found the number -1`},
		{`a size 1e1`, 8, `expected a whole number of elements after size`},
		{`a any this = 1`, 7, `expected "(" and a condition, found the word "this"`},
		{`this = 1`, 1, `expected a field name; "this" is the element inside any (…)`},
		{`a any (b = 1) and this = 1`, 19, `expected a field name; "this" is the element`},
		{"a any (this.`` = 1)", 8, `expected a field name; this one is empty`},
		{`a = 12abc`, 5, `expected a number, found 12abc; text goes in quotes`},
		{`a = 1e999`, 5, `expected a number, found one too large to hold; infinity is written inf`},
		{`a = 0x10`, 5, `expected a number, found 0x10`},
		{`a = 1_000`, 5, `expected a number, found 1_000`},
		{`a = 1.`, 5, `expected a number, found 1.`},
		{`a = 1e`, 5, `expected a number, found 1e`},
		{`a = .5`, 5, `expected a digit or a name before the dot`},
		{`a = '\u12x4'`, 6, `expected \u and the four hex digits`},
		{`a = '\ud800'`, 6, `expected \u and the four hex digits of a character, or of the two halves of a surrogate pair`},
		{`a = '\udc00\ud800'`, 6, `expected \u`},
		{`a = '\ud800\u0041'`, 6, `expected \u`},
		{`a = '\udc00\udc00'`, 6, `expected \u`},
		{"a = '\xff'", 6, `expected UTF-8, found the byte 0xff`},
		{`a = {b 1}`, 8, `expected ":" and a value, found the number 1`},
		{`a = {b: 1,}`, 11, `expected a key, found "}"`},
		{`a = {b.c: 1}`, 6, `expected a key, found the name b.c`},
		{`a = {b: 1 c: 2}`, 11, `expected "," or "}", found the name c`},
		{`a = {__proto__: 1}`, 6, `expected a key, found __proto__, which no document can have`},
		{`a = date('2024-13-01')`, 10, `expected a date like '2024-05-17' or '2024-05-17T10:30:00Z', found '2024-13-01', which has the month 13`},
		{`a = date('2024-00-01')`, 10, `expected a date like '2024-05-17' or '2024-05-17T10:30:00Z', found '2024-00-01', which has the month 0`},
		{`a = date(1.5)`, 10, `expected a date like '2024-05-17' or '2024-05-17T10:30:00Z' or whole milliseconds since 1970, found the number 1.5`},
		{`a = date '2024'`, 10, `expected "(" after date, found the text '2024'`},
		{`a = date('2024-05-17'`, 22, `expected ")", found the end of the text`},
		{`a = bytes('x')`, 11, `expected base64 in quotes, found the text 'x'`},
		{strings.Repeat("(", 101) + "a = 1" + strings.Repeat(")", 101), 101, `expected at most 100 conditions inside one another`},
		{strings.Repeat("a any (", 101), 707, `expected at most 100 conditions inside one another`},
		{"a = " + strings.Repeat("[", 101), 105, `expected at most 100 arrays and maps inside one another`},
		{"a = " + strings.Repeat("{b: ", 1_000_000), 405, `expected at most 100 arrays and maps inside one another`},
	} {
		_, err := query.ParseText(tt.text)
		var e *query.Error
		if !errors.As(err, &e) {
			t.Errorf("%.80q: %v is no *query.Error", tt.text, err)
		} else if e.Line != 1 || e.Column != tt.column || !strings.HasPrefix(e.Message, tt.want) {
			t.Errorf("%.80q fails with\n%v\nwant column %d: %s", tt.text, err, tt.column, tt.want)
		}
	}
}

// TestParse_refuses: the message of a filter says which keys lead to the fault.
func TestParse_refuses(t *testing.T) {
	const operators = "$eq $ne $gt $gte $lt $lte $in $nin $regex $exists $type $mod $bitsAllSet $bitsAnySet $bitsAllClear $bitsAnyClear $elemMatch $size $options $all $not"
	for _, tt := range []struct{ filter, path, want string }{
		{`{"age": {"$gtee": 5}}`, "age.$gtee", "unknown operator $gtee; known are " + operators},
		{`{"$foo": 5}`, "$foo", "unknown operator $foo; known are $and $or $nor $expr and, under a field name, " + operators},
		{`{"$gt": 5}`, "$gt", "expected a field name around this operator: {field: {$gt: …}}"},
		{`{"$not": {"a": 1}}`, "$not", "expected a field name around this operator"},
		{`{"a": {"$and": [{"$gt": 1}]}}`, "a.$and", "expected an operator on one field, which $and is not"},
		{`{"$and": []}`, "$and", "expected an array of filters, at least one, found an empty array"},
		{`{"$nor": {"a": 1}}`, "$nor", "expected an array of filters, at least one, found an object"},
		{`{"$or": [{"a": 1}, {"b": {"$foo": 1}}]}`, "$or.1.b.$foo", "unknown operator $foo"},
		{`{"$or": [5]}`, "$or.0", "expected a condition, found 5; one is text, a filter object, or made by the query builder"},
		{`{"a": {"$gt": 1, "b": 2}}`, "a", `expected only operators or only fields, found both; "b" is no operator`},
		{`{"a": {"b": 2, "$gt": 1}}`, "a", `expected only operators or only fields, found both; "b" is no operator`},
		{`{"": 1}`, "", "expected a field name, found an empty one"},
		{`{"a": {"$elemMatch": {"": 1}}}`, "a.$elemMatch.", "expected a field name, found an empty one"},
		{`{"a..b": 1}`, "a..b", "expected a field name; this one has a dot without a name before or after it"},
		{`{"a": {"$in": 5}}`, "a.$in", "expected an array of values, found 5"},
		{`{"a": {"$nin": {}}}`, "a.$nin", "expected an array of values, found an empty object"},
		{`{"a": {"$in": [{"$regex": "x", "b": 1}]}}`, "a.$in.0", "expected only $regex and $options, found b"},
		{`{"a": {"$in": [1, {"$regex": "("}]}}`, "a.$in.1", "the regular expression is refused: missing closing ): `(`; its syntax is RE2"},
		{`{"a": {"$regex": "x(?=y)"}}`, "a.$regex", "the regular expression is refused: invalid or unsupported Perl syntax: `(?=`; its syntax is RE2, without look-around"},
		{`{"a": {"$regex": 5}}`, "a.$regex", "expected a regular expression, found 5"},
		{`{"a": {"$regex": "x", "$options": "ix"}}`, "a.$regex", "expected the flags i, m and s in $options, found 'x'"},
		{`{"a": {"$regex": "x", "$options": 5}}`, "a.$regex", "expected flags as text in $options, found 5"},
		{`{"a": {"$options": "i"}}`, "a.$options", "expected a $regex beside it"},
		{`{"a": {"$not": 5}}`, "a.$not", "expected an object of operators or a regular expression, found 5; the complement of equality is $ne"},
		{`{"a": {"$not": {"b": 1}}}`, "a.$not", "expected an object of operators"},
		{`{"a": {"$not": {}}}`, "a.$not", "expected an object of operators"},
		{`{"a": {"$ne": {"$regex": "x"}}}`, "a.$ne", "expected a value to compare with, found a regular expression"},
		{`{"a": {"$elemMatch": [1]}}`, "a.$elemMatch", "expected an object, of operators or of fields of the element, found an array"},
		{`{"a": {"$elemMatch": {"$gt": 1, "b": 1}}}`, "a.$elemMatch", "expected only operators or only fields"},
		{`{"a": {"$elemMatch": {"b": 1, "$gt": 1}}}`, "a.$elemMatch.$gt", "expected a field name around"},
		{`{"a": {"$all": "x"}}`, "a.$all", "expected an array of values, found 'x'"},
		{`{"a": {"$all": [{"$elemMatch": 1}]}}`, "a.$all.0.$elemMatch", "expected an object"},
		{`{"a": {"$size": 1.5}}`, "a.$size", "expected a whole number of elements, found 1.5"},
		{`{"a": {"$size": -1}}`, "a.$size", "expected a whole number of elements, found -1"},
		{`{"a": {"$type": ["string", "foo"]}}`, "a.$type", "expected a type, found 'foo'; the types are int, float"},
		{`{"a": {"$type": []}}`, "a.$type", "expected a type, found an empty array"},
		{`{"a": {"$type": 99}}`, "a.$type", "expected a type, found 99"},
		{`{"a": {"b": {"__proto__": 1}}}`, "a.b", "the value has a field named __proto__"},

		{`5`, "", "expected a condition, found 5"},
		{`[]`, "", "expected the name of an operator"},
		{`["foo", "a", 1]`, "", `unknown operator "foo"; known are true, false, and`},
		{`["eq", "a"]`, "eq", "expected operands: 2, found: 1"},
		{`["not", ["true"], ["true"]]`, "not", "expected operands: 1, found: 2"},
		{`["eq", 5, 1]`, "eq", "expected a path, found 5"},
		{`["eq", "", 1]`, "eq", "expected a field name; this one is empty"},
		{`["and", ["true"], null]`, "and.1", "expected a condition, found null"},
		{`["and", ["true"], ["matches", "a", "("]]`, "and.1.matches", "the regular expression is refused"},
		{`["or", ["any", "a", ["between", "b."]]]`, "or.0.any.between", "expected operands: 3, found: 1"},
		{`["matches", "a", null]`, "matches", "expected a regular expression, found null"},
		{`["startsWith", "a", 5]`, "startsWith", "expected text, found 5"},
		{`["type", "a", "string"]`, "type", "expected a type, found 'string'"},
		{`["exists", "a", 1]`, "exists", "expected true or false, found 1"},
		{`["exists", "a", null]`, "exists", "expected true or false, found null"},

		{strings.Repeat(`["not", `, 100) + `["true"]` + strings.Repeat("]", 100), strings.Repeat("not.", 99) + "not", "expected at most 100 conditions inside one another"},
		{strings.Repeat(`{"$or": [`, 100) + "{}" + strings.Repeat("]}", 100), strings.Repeat("$or.0.", 99) + "$or.0", "expected at most 100 conditions inside one another"},
		{`{"a": ` + strings.Repeat(`{"$not": `, 100) + `{"$gt": 5}` + strings.Repeat("}", 101), "a" + strings.Repeat(".$not", 99), "expected at most 100 conditions inside one another"},
		{`["eq", "a", ` + strings.Repeat("[", 101) + strings.Repeat("]", 101) + `]`, "eq", "expected at most 100 arrays and objects inside one another in a value"},
		{`{"a": {"$in": [` + strings.Repeat("[", 101) + strings.Repeat("]", 101) + `]}}`, "a.$in", "expected at most 100 arrays and objects"},
	} {
		_, err := query.Parse(pack(t, tt.filter))
		var e *query.Error
		if !errors.As(err, &e) {
			t.Errorf("%.80s: %v is no *query.Error", tt.filter, err)
		} else if e.Path != tt.path || !strings.HasPrefix(e.Message, tt.want) {
			t.Errorf("%.80s fails with\n%v\nwant at %s: %s", tt.filter, err, tt.path, tt.want)
		}
	}
}

// TestParse_text keeps line and column of text inside a tree.
func TestParse_text(t *testing.T) {
	_, err := query.Parse(pack(t, `["and", ["true"], "age >"]`))
	var e *query.Error
	if !errors.As(err, &e) || e.Line != 1 || e.Column != 6 {
		t.Errorf("got %v", err)
	}
	if _, err := query.Parse(pack(t, `["not", "`+strings.Repeat("(", 100)+`a = 1`+strings.Repeat(")", 100)+`"]`)); err == nil {
		t.Error("text inside a tree may be nested as deep as if it were alone")
	}
}

// TestParse_bytes: what is no condition at all is refused, not read past.
func TestParse_bytes(t *testing.T) {
	for name, where := range map[string][]byte{
		"nothing":          {},
		"more than one":    {0xc0, 0xc0},
		"no MessagePack":   {0xc1},
		"cut":              {0x82, 0xa1, 'a'},
		"not UTF-8":        {0xa1, 0xff},
		"a hostile count":  {0xdd, 0xff, 0xff, 0xff, 0xff},
		"hostile depth":    []byte(strings.Repeat("\x91", 1_000_000)),
		"another's date":   {0x81, 0xa1, 'a', 0xd6, 0x05, 0, 0, 0, 0},
		"a number for key": {0x81, 0x01, 0x01},
	} {
		f, err := query.Parse(where)
		var e *query.Error
		if !errors.As(err, &e) {
			t.Errorf("%s makes %v, %v", name, f, err)
		}
	}
	if f, err := query.Parse(msgpack.AppendNil(nil)); err != nil || f.Op != query.OpTrue {
		t.Errorf("null makes %v, %v; want true", f, err)
	}
}
