package schema_test

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/schema"
)

func TestFaults(t *testing.T) {
	for _, c := range []struct{ schema, value, want string }{
		{`{"type": "object"}`, `5`, `type: must be an object, is 5`},
		{`{"type": ["string", "null"]}`, `true`, `type: must be null or a string, is true`},
		{`{"type": ["integer", "number"]}`, `"1"`, `type: must be a number, is "1"`},
		{`{"type": "integer"}`, `1.5`, `type: must be a whole number, is 1.5`},
		{`{"properties": {"age": {"minimum": 0}}}`, `{"age": -3}`, `age minimum: must be at least 0, is -3`},
		{`{"properties": {"age": {"exclusiveMinimum": 0}}}`, `{"age": 0}`, `age exclusiveMinimum: must be more than 0, is 0`},
		{`{"maximum": 18446744073709551615}`, `1e20`, `maximum: must be at most 18446744073709551615, is 1e+20`},
		{`{"exclusiveMaximum": 1}`, `1.0`, `exclusiveMaximum: must be less than 1, is 1`},
		{`{"multipleOf": 0.01}`, `0.075`, `multipleOf: must be a multiple of 0.01, is 0.075`},
		{`{"minLength": 2, "maxLength": 1}`, `""`, `minLength: must have at least 2 characters, has 0`},
		{`{"maxLength": 1}`, `"äö"`, `maxLength: must have at most 1 character, has 2`},
		{`{"pattern": "^[a-z]+$"}`, `"A"`, `pattern: must match ^[a-z]+$, is "A"`},
		{`{"properties": {"email": {"format": "email"}}}`, `{"email": "x"}`, `email format: must be an email address, is "x"`},
		{`{"enum": [1, "a", null]}`, `2`, `enum: must be one of 1, "a", null, is 2`},
		{`{"const": {"a": 1}}`, `{}`, `const: must be an object, is an object`},
		{`{"required": ["name", "email"]}`, `{"age": 1}`, `name required: is required; email required: is required`},
		{`{"properties": {"a": true}, "additionalProperties": false}`, `{"a": 1, "b": 2}`, `b additionalProperties: is not allowed`},
		{`{"properties": {"a": false}}`, `{"a": 1}`, `a false: is not allowed`},
		{`{"unevaluatedProperties": false, "allOf": [{"properties": {"a": true}}]}`, `{"a": 1, "b": 2}`, `b unevaluatedProperties: is not allowed`},
		{`{"prefixItems": [true], "items": false}`, `[1, 2]`, `1 items: is not allowed`},
		{`{"prefixItems": [true], "unevaluatedItems": false}`, `[1, 2]`, `1 unevaluatedItems: is not allowed`},
		{`{"properties": {"tags": {"items": {"type": "string"}}}}`, `{"tags": ["a", 5, null]}`, `tags.1 type: must be a string, is 5; tags.2 type: must be a string, is null`},
		{`{"minItems": 1}`, `[]`, `minItems: must have at least 1 element, has 0`},
		{`{"maxItems": 1}`, `[1, 2]`, `maxItems: must have at most 1 element, has 2`},
		{`{"uniqueItems": true}`, `[{"a": 1, "b": 2}, 3, {"b": 2, "a": 1.0}]`, `uniqueItems: must have no equal elements, has an object more than once`},
		{`{"contains": {"const": 1}}`, `[2]`, `contains: must have at least 1 element that the schema of contains fits, has 0`},
		{`{"contains": {"const": 1}, "maxContains": 1}`, `[1, 1]`, `maxContains: must have at most 1 element that the schema of contains fits, has 2`},
		{`{"minProperties": 1}`, `{}`, `minProperties: must have at least 1 property, has 0`},
		{`{"maxProperties": 0}`, `{"a": 1}`, `maxProperties: must have at most 0 properties, has 1`},
		{`{"propertyNames": {"maxLength": 2}}`, `{"abc": 1}`, `abc propertyNames: has a name that is not allowed: it must have at most 2 characters, has 3`},
		{`{"dependentRequired": {"card": ["address"]}}`, `{"card": 1}`, `address dependentRequired: is required, as card is there`},
		{`{"not": {"type": "null"}}`, `null`, `not: must not fit the schema of not`},
		{`{"anyOf": [{"type": "string"}, {"minimum": 5}]}`, `3`, `anyOf: must fit a schema of anyOf: (1) must be a string, is 3; (2) must be at least 5, is 3`},
		{`{"oneOf": [{"type": "number"}, {"minimum": 1}]}`, `3`, `oneOf: must fit one schema of oneOf alone, fits numbers 1 and 2`},
		{`{"$ref": "#/$defs/x", "$defs": {"x": {"properties": {"a": {"$ref": "#/$defs/x"}, "n": {"type": "null"}}}}}`, `{"a": {"a": {"n": 1}}}`, `a.a.n type: must be null, is 1`},
		{`{"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}`, `{"a": 1}`, `b required: is required`},
		{`{"allOf": [{"minimum": 5}, {"multipleOf": 2}], "maximum": 1}`, `3`, `maximum: must be at most 1, is 3; minimum: must be at least 5, is 3; multipleOf: must be a multiple of 2, is 3`},
	} {
		err := compile(t, c.schema).Check(pack(t, c.value))
		if have := faultsText(err); have != c.want {
			t.Errorf("%s of %s:\nhave %s\nwant %s", c.schema, c.value, have, c.want)
		}
	}
}

func faultsText(err error) string {
	var f *schema.Faults
	if !errors.As(err, &f) {
		return "nothing is wrong"
	}
	var texts []string
	for _, fault := range f.List {
		text := fault.Keyword + ": " + fault.Message
		if fault.Path != "" {
			text = fault.Path + " " + text
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

// TestFaults_bounded: of ten thousand faults, a hundred are listed.
func TestFaults_bounded(t *testing.T) {
	err := compile(t, `{"items": {"type": "string"}}`).Check(pack(t, "["+strings.Repeat("1,", 9999)+"1]"))
	var f *schema.Faults
	if !errors.As(err, &f) || len(f.List) != schema.MaxFaults || f.More != 9900 || !strings.HasSuffix(err.Error(), "; and 9990 more") {
		t.Errorf("%d listed, %d more: %v", len(f.List), f.More, err)
	}
}

func TestMistakes(t *testing.T) {
	deep := strings.Repeat(`{"not":`, 300) + `{}` + strings.Repeat(`}`, 300)
	for _, c := range []struct{ schema, want string }{
		{`5`, `the schema must be a schema: an object, true or false; is 5`},
		{`{"requird": ["a"]}`, `requird is no keyword of JSON Schema; keywords of your own begin with x-; did you mean required?`},
		{`{"properties": {"age": {"min": 5}}}`, `properties.age.min is no keyword of JSON Schema`},
		{`{"properties": {"age": 5}}`, `properties.age must be a schema: an object, true or false; is 5`},
		{`{"properties": []}`, `properties must be an object, is an array`},
		{`{"type": "strin"}`, `type must be of null, boolean, integer, number, string, array, object, is "strin"; did you mean string?`},
		{`{"type": 5}`, `type must be a name or a list of names, is 5`},
		{`{"type": []}`, `type must name at least one type`},
		{`{"required": ["a", "a"]}`, `required has "a" twice`},
		{`{"required": [5]}`, `required must be a list of names, but has 5`},
		{`{"minimum": "5"}`, `minimum must be a number, is "5"`},
		{`{"minLength": -1}`, `minLength must be a whole number of 0 or more, is -1`},
		{`{"minLength": 1.5}`, `minLength must be a whole number of 0 or more, is 1.5`},
		{`{"multipleOf": 0}`, `multipleOf must be more than 0, is 0`},
		{`{"multipleOf": -1}`, `multipleOf must be more than 0, is -1`},
		{`{"uniqueItems": 1}`, `uniqueItems must be true or false, is 1`},
		{`{"items": [{}]}`, `items must be one schema; prefixItems has a list of them`},
		{`{"allOf": []}`, `allOf must have at least one schema`},
		{`{"anyOf": [{}, {"type": "x"}]}`, `anyOf.1.type must be of null`},
		{`{"enum": 5}`, `enum must be a list of values, is 5`},
		{`{"format": "emial"}`, `format there is no format named "emial"; formats of your own begin with x-; did you mean email?`},
		{`{"pattern": "("}`, `pattern is no regular expression: missing closing ): (`},
		{`{"pattern": "(?=a)"}`, `pattern has look-ahead, which AtomicDB cannot search for`},
		{`{"pattern": "(a)\\1"}`, `pattern has a back-reference, which AtomicDB cannot search for`},
		{`{"pattern": "(?<!a)b"}`, `pattern has look-behind`},
		{`{"pattern": "((a{1000}){1000}){1000}"}`, `pattern is no regular expression: `},
		{`{"pattern": "` + strings.Repeat("[ab]{900}", 60) + `"}`, `pattern is too large: it has 54002 parts`},
		{`{"allOf": [` + strings.Repeat(`{"pattern": "[ab]{900}"},`, 60) + `{}]}`, `pattern is too large: it has 902 parts`},
		{`{"patternProperties": {"[": true}}`, `patternProperties.[ is no regular expression: a [ is not closed`},
		{`{"dependentRequired": {"a": ["b"], "c": "d"}}`, `dependentRequired.c must be a list of names, is "d"`},
		{`{"dependencies": {"a": ["b", "b"], "c": {}}}`, `dependencies.a has "b" twice`},
		{`{"properties": {"": {"type": "strin"}}}`, `properties."".type must be of null`},
		{`{"": 1}`, `"" is no keyword of JSON Schema`},
		{`{"` + strings.Repeat("x", 1000) + `": 1}`, strings.Repeat("x", 500) + `… is no keyword of JSON Schema`},
		{`{"$ref": "#/` + strings.Repeat("x", 1000) + `"}`, strings.Repeat("x", 499) + `…, which is not there`},
		{`{"$ref": "#` + strings.Repeat("x", 1000) + `"}`, strings.Repeat("x", 60) + `…", which is not there`},
		{`{"$ref": "https://example.com/a.json"}`, `$ref leads to "https://example.com/a.json", which is not there: nothing is fetched`},
		{`{"$ref": "#/$defs/x"}`, `$ref leads to /$defs/x, which is not there`},
		{`{"$ref": "#x"}`, `$ref leads to the anchor "x", which is not there`},
		{`{"$ref": "#"}`, `the schema leads back to itself at the same place of a document, without end`},
		{`{"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}`, `leads back to itself`},
		{`{"$schema": "http://json-schema.org/draft-07/schema#"}`, `$schema must be https://json-schema.org/draft/2020-12/schema, the draft that AtomicDB reads`},
		{`{"$id": "#a"}`, `$id must have no fragment`},
		{`{"$id": "a b"}`, `$id must be a URI reference`},
		{`{"$anchor": "5"}`, `$anchor must be a letter or _`},
		{`{"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}`, `$defs.b.$anchor is the anchor of another schema too`},
		{`{"$defs": {"a": {"$id": "x"}, "b": {"$id": "x"}}}`, `$defs.b.$id is the address of another schema too: x`},
		{`{"title": 5}`, `title must be a string, is 5`},
		{deep, `nested too deep`},
		{`{"description": "` + strings.Repeat("x", 1<<20) + `"}`, `the limit is 1048576`},
		{`{"allOf": [` + strings.Repeat(`{},`, 50_000) + `{}]}`, `has more than 50000 schemas in it`},
	} {
		_, err := schema.Compile(pack(t, c.schema), schema.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200s: %v\nwant %s", c.schema, err, c.want)
		}
	}
}

// TestSchemas: references lead to what is handed over, by its $id.
func TestSchemas(t *testing.T) {
	const address = `{"$id": "https://x.org/address.json", "properties": {"zip": {"$ref": "parts.json#/$defs/zip"}, "next": {"$ref": "#"}}, "required": ["zip"]}`
	const parts = `{"$id": "https://x.org/parts.json", "$defs": {"zip": {"pattern": "^[0-9]+$"}, "name": {"$anchor": "name", "minLength": 2}, "inner": {"$id": "inner", "type": "null"}}}`
	for _, c := range []struct {
		schema string
		others []string
		value  string
		want   string // what is wrong with the value, or with a schema
	}{
		{`{"properties": {"home": {"$ref": "https://x.org/address.json"}}}`, []string{address, parts}, `{"home": {"zip": "1", "next": {"zip": "x"}}}`, `home.next.zip pattern: must match ^[0-9]+$, is "x"`},
		{`{"$id": "https://x.org/root", "properties": {"home": {"$ref": "address.json"}}}`, []string{parts, address}, `{"home": {}}`, `home.zip required: is required`},
		{`{"$ref": "https://x.org/parts.json#name"}`, []string{parts}, `"a"`, `minLength: must have at least 2 characters, has 1`},
		{`{"$ref": "https://x.org/inner"}`, []string{parts}, `"a"`, `type: must be null, is "a"`},
		{`{"$ref": "address"}`, []string{`{"$id": "address", "type": "null"}`}, `"a"`, `type: must be null, is "a"`},
		{`{"$ref": "urn:x:a#"}`, []string{`{"$id": "urn:x:a", "type": "null"}`}, `"a"`, `type: must be null, is "a"`},
		// Both lead to each other, one level deeper each time.
		{`{"$ref": "urn:a"}`, []string{`{"$id": "urn:a", "properties": {"b": {"$ref": "urn:b"}}}`, `{"$id": "urn:b", "properties": {"a": {"$ref": "urn:a"}}, "required": ["a"]}`}, `{"b": {"a": {"b": {}}}}`, `b.a.b.a required: is required`},

		{`{}`, []string{parts, `true`}, ``, `schemas.1 must be an object with an $id, is true`},
		{`{}`, []string{`{}`}, ``, `schemas.0.$id must be a URI: it is what a $ref finds this schema by`},
		{`{}`, []string{`{"$id": 5}`}, ``, `schemas.0.$id must be a URI`},
		{`{}`, []string{`{"$id": "#"}`}, ``, `schemas.0.$id must be a URI`},
		{`{}`, []string{`{"$id": "urn:a#b"}`}, ``, `schemas.0.$id must have no fragment`},
		{`{}`, []string{`{"$id": "a b"}`}, ``, `schemas.0.$id must be a URI reference`},
		{`{}`, []string{parts, parts}, ``, `schemas.1.$id is the address of another schema too: https://x.org/parts.json`},
		{`{}`, []string{parts, `{"$id": "urn:a", "$defs": {"x": {"$id": "https://x.org/parts.json"}}}`}, ``, `schemas.1.$defs.x.$id is the address of another schema too: https://x.org/parts.json`},
		{`{"$id": "https://x.org/parts.json"}`, []string{parts}, ``, `schemas.0.$id is the address of another schema too`},
		{`{}`, []string{`{"$id": "urn:a", "properties": {"age": {"minimun": 1}}}`}, ``, `schemas.0.properties.age.minimun is no keyword of JSON Schema`},
		{`{}`, []string{address}, ``, `schemas.0.properties.zip.$ref leads to "https://x.org/parts.json", which is not there`},
		{`{"minimun": 1}`, []string{`{"$id": "urn:a", "maximun": 1}`}, ``, `minimun is no keyword`}, // its own mistakes first
		{`{}`, []string{`{"$id": "urn:a", "$schema": "http://json-schema.org/draft-07/schema#"}`}, ``, `schemas.0.$schema must be`},
		// Loops through what is handed over.
		{`{"$id": "urn:root", "$ref": "urn:a"}`, []string{`{"$id": "urn:a", "$ref": "urn:root"}`}, ``, `leads back to itself at the same place of a document`},
		{`{}`, []string{`{"$id": "urn:a", "anyOf": [{"$ref": "urn:b"}]}`, `{"$id": "urn:b", "not": {"$ref": "urn:a"}}`}, ``, `leads back to itself at the same place of a document`},
		// Together, they are as large as one may be.
		{`{"title": "` + strings.Repeat("x", 1<<19) + `"}`, []string{`{"$id": "urn:a", "title": "` + strings.Repeat("x", 1<<19) + `"}`}, ``, `bytes, with those handed over; the limit is 1048576`},
		{`{"allOf": [` + strings.Repeat(`{},`, 25_000) + `{}]}`, []string{`{"$id": "urn:a", "allOf": [` + strings.Repeat(`{},`, 25_000) + `{}]}`}, ``, `has more than 50000 schemas in it`},
	} {
		var o schema.Options
		for _, other := range c.others {
			o.Schemas = append(o.Schemas, pack(t, other))
		}
		s, err := schema.Compile(pack(t, c.schema), o)
		if err == nil && c.value == "" {
			t.Errorf("%.200s with %.200s compiles, want %s", c.schema, c.others, c.want)
		} else if err != nil {
			if c.value != "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.200s with %.200s: %v, want %s", c.schema, c.others, err, c.want)
			}
		} else if have := faultsText(s.Check(pack(t, c.value))); have != c.want {
			t.Errorf("%.200s with %.200s: %s, want %s", c.schema, c.others, have, c.want)
		}
	}
	for _, broken := range [][]byte{nil, {0x81}, {0xc1}, pack(t, strings.Repeat(`{"not": `, 100)+`{}`+strings.Repeat(`}`, 100))} {
		if _, err := schema.Compile(pack(t, `{}`), schema.Options{Schemas: [][]byte{broken}}); err == nil || !strings.HasPrefix(err.Error(), "schemas.0") {
			t.Errorf("%x: %v", broken, err)
		}
	}
	// A chain through as many as fit: each is read once.
	o, n := schema.Options{}, 10_000
	for i := range n {
		o.Schemas = append(o.Schemas, pack(t, `{"$id": "urn:`+strconv.Itoa(i)+`", "properties": {"a": {"$ref": "urn:`+strconv.Itoa((i+1)%n)+`"}}}`))
	}
	s, err := schema.Compile(pack(t, `{"$ref": "urn:0"}`), o)
	if err != nil || s.Check(pack(t, `{"a": {"a": {}}}`)) != nil {
		t.Errorf("10,000 schemas in a ring: %v", err)
	}
}

// TestKeywordsOfYourOwn: what begins with x-, and what Lenient allows.
func TestKeywordsOfYourOwn(t *testing.T) {
	compile(t, `{"x-label": 5, "format": "x-color", "examples": [1], "default": 1, "readOnly": true, "$comment": "", "contentEncoding": "base64"}`)
	lenient, err := schema.Compile(pack(t, `{"nullable": true, "format": "color", "minimum": 1, "$schema": "http://json-schema.org/draft-07/schema#"}`), schema.Options{Lenient: true})
	if err != nil {
		t.Fatal(err)
	}
	if lenient.Check(pack(t, `0`)) == nil || lenient.Check(pack(t, `"red"`)) != nil {
		t.Error("what is known does not count, or what is not known does")
	}
}

func TestDatesAndBytes(t *testing.T) {
	date := msgpack.AppendDate(nil, 1715941800123)
	data := msgpack.AppendBin(nil, []byte("ab"))
	for _, c := range []struct {
		schema string
		value  []byte
		fits   bool
	}{
		{`{"type": "string", "format": "date-time"}`, date, true},
		{`{"type": "string", "format": "date"}`, date, false},
		{`{"type": "object"}`, date, false},
		{`{"const": "2024-05-17T10:30:00.123Z"}`, date, true},
		{`{"const": "2024-05-17T10:30:00.124Z"}`, date, false},
		{`{"pattern": "^2024-05-.*Z$", "minLength": 24, "maxLength": 24}`, date, true},
		{`{"pattern": "^2025"}`, date, false},
		{`{"format": "date-time"}`, msgpack.AppendDate(nil, -62167219200000), true},
		{`{"format": "date-time"}`, msgpack.AppendDate(nil, -62167219200001), false},
		{`{"format": "date-time"}`, msgpack.AppendDate(nil, 253402300799999), true},
		{`{"format": "date-time"}`, msgpack.AppendDate(nil, 253402300800000), false},
		{`{"pattern": "^\\+010000-01-01T00:00:00\\.000Z$"}`, msgpack.AppendDate(nil, 253402300800000), true},
		{`{"type": "string", "contentEncoding": "base64", "enum": ["YWI="], "maxLength": 4}`, data, true},
		{`{"enum": ["YWJj"]}`, data, false},
		{`{"type": ["array", "object", "null", "number", "boolean"]}`, data, false},
		{`{"type": "number"}`, msgpack.AppendFloat(nil, math.NaN()), true},
		{`{"type": "integer"}`, msgpack.AppendFloat(nil, math.NaN()), false},
		{`{"type": "integer"}`, msgpack.AppendFloat(nil, math.Inf(1)), false},
		{`{"minimum": 0}`, msgpack.AppendFloat(nil, math.NaN()), false},
		{`{"maximum": 0}`, msgpack.AppendFloat(nil, math.NaN()), false},
		{`{"multipleOf": 1}`, msgpack.AppendFloat(nil, math.Inf(1)), false},
		{`{"multipleOf": 3}`, msgpack.AppendUint(nil, 18446744073709551615), true},
		{`{"multipleOf": 2}`, msgpack.AppendUint(nil, 18446744073709551615), false},
		{`{"multipleOf": 2}`, msgpack.AppendInt(nil, math.MinInt64), true},
		{`{"exclusiveMaximum": 9007199254740993}`, msgpack.AppendInt(nil, 9007199254740993), false},
		{`{"exclusiveMaximum": 9007199254740993}`, msgpack.AppendInt(nil, 9007199254740992), true},
		{`{"multipleOf": 1e-300}`, msgpack.AppendFloat(nil, 1e300), true},
		{`{"multipleOf": 1e300}`, msgpack.AppendFloat(nil, 1e-300), false},
		{`{"multipleOf": 0.0001}`, msgpack.AppendFloat(nil, 0.0075), true},
	} {
		if err := compile(t, c.schema).Check(c.value); (err == nil) != c.fits {
			t.Errorf("%s of %x: %v", c.schema, c.value, err)
		}
	}
}

// TestCheckDocument: the _id is AtomicDB's unless the schema names it.
func TestCheckDocument(t *testing.T) {
	const doc = `{"_id": 1, "a": 2}`
	for _, c := range []struct{ schema, want string }{
		{`{"properties": {"a": true}, "additionalProperties": false}`, "nothing is wrong"},
		{`{"properties": {"a": true}, "unevaluatedProperties": false}`, "nothing is wrong"},
		{`{"propertyNames": {"maxLength": 1}, "patternProperties": {"^_": false}}`, "nothing is wrong"},
		{`{"minProperties": 1, "maxProperties": 1, "required": ["_id"]}`, "nothing is wrong"},
		{`{"minProperties": 2}`, "minProperties: must have at least 2 properties, has 1"},
		{`{"properties": {"_id": {"type": "string"}}}`, "_id type: must be a string, is 1"},
		{`{"additionalProperties": false}`, "a additionalProperties: is not allowed"},
		{`{"unevaluatedProperties": false}`, "a unevaluatedProperties: is not allowed"},
	} {
		s := compile(t, c.schema)
		if have := faultsText(s.CheckDocument(pack(t, doc))); have != c.want {
			t.Errorf("%s: %s, want %s", c.schema, have, c.want)
		}
	}
	inner := compile(t, `{"properties": {"a": {"additionalProperties": false}}}`)
	if have := faultsText(inner.CheckDocument(pack(t, `{"_id": 1, "a": {"_id": 2}}`))); have != "a._id additionalProperties: is not allowed" {
		t.Errorf("the _id of what is in a document: %s", have)
	}
}

// TestBounds: hostile schemas get an answer.
func TestBounds(t *testing.T) {
	// Each schema applies the next one twice: 2^60 steps.
	var doubling strings.Builder
	for i := range 60 {
		next := strconv.Itoa(i + 1)
		doubling.WriteString(`"d` + strconv.Itoa(i) + `": {"allOf": [{"$ref": "#/$defs/d` + next + `"}, {"$ref": "#/$defs/d` + next + `"}]},`)
	}
	s := compile(t, `{"$ref": "#/$defs/d0", "$defs": {`+doubling.String()+`"d60": {"type": "number"}}}`)
	if err := s.Check(pack(t, `1`)); err == nil || !strings.Contains(err.Error(), "steps to check") {
		t.Errorf("2^60 steps: %v", err)
	}
	s = compile(t, `{"not": {"$ref": "#/$defs/d0"}, "$defs": {`+doubling.String()+`"d60": {"type": "number"}}}`)
	if err := s.Check(pack(t, `1`)); err == nil || !strings.Contains(err.Error(), "steps to check") {
		t.Errorf("2^60 steps under not, which turns answers around: %v", err)
	}
	// Large patterns over a text of 100 kB: one of 45,000 parts took more than 3 minutes.
	large := strings.Repeat("[ab]?", 1900) + "x"
	s, err := schema.Compile(pack(t, `{"pattern": "`+large+`", "patternProperties": {"`+large+`$": false}}`), schema.Options{})
	if err != nil {
		t.Fatalf("%.200v", err)
	}
	long := strings.Repeat("ab", 50_000)
	for _, v := range []string{`"` + long + `"`, `{"` + long + `": 1}`} {
		if err := s.Check(pack(t, v)); err == nil || !strings.Contains(err.Error(), "steps to check") || strings.Contains(err.Error(), "must match") {
			t.Errorf("a large pattern over %.4s: %.200v", v, err)
		}
	}
	if err := s.Check(pack(t, `{"ab": 1}`)); err != nil {
		t.Errorf("a large pattern over a short text: %.200v", err)
	}
	// A chain of references as long as a schema may be.
	var chain strings.Builder
	for i := range 10_000 {
		chain.WriteString(`"c` + strconv.Itoa(i) + `": {"$ref": "#/$defs/c` + strconv.Itoa(i+1) + `"},`)
	}
	s = compile(t, `{"$ref": "#/$defs/c0", "$defs": {`+chain.String()+`"c10000": {"type": "number"}}}`)
	if err := s.Check(pack(t, `1`)); err == nil || !strings.Contains(err.Error(), "levels") {
		t.Errorf("10,000 levels: %v", err)
	}
	// Many keywords, all of which hold.
	var many strings.Builder
	for i := range 10_000 {
		many.WriteString(`"p` + strconv.Itoa(i) + `": {"type": "number"},`)
	}
	s = compile(t, `{"properties": {`+many.String()+`"q": {"type": "string"}}, "required": ["q"]}`)
	if have := faultsText(s.Check(pack(t, `{"p5000": "x"}`))); have != `p5000 type: must be a number, is "x"; q required: is required` {
		t.Error(have)
	}
	// Many values and many names, which are looked up in another way than few.
	var values, names strings.Builder
	for i := range 1_000 {
		values.WriteString(strconv.Itoa(i) + `, "v` + strconv.Itoa(i) + `", `)
		names.WriteString(`"n` + strconv.Itoa(i) + `", `)
	}
	s = compile(t, `{"items": {"enum": [`+values.String()+`{"a": 1, "b": [2]}, "2020-01-01T00:00:00.000Z", null]}}`)
	if err := s.Check(pack(t, `[`+values.String()+`7.0, {"b": [2.0], "a": 1}, null]`)); err != nil {
		t.Errorf("1,000 values: %v", err)
	}
	for _, other := range []string{`1000`, `"v1000"`, `0.5`, `{"a": 1}`, `[]`, `false`} {
		if err := s.Check(pack(t, `[1, `+other+`]`)); err == nil {
			t.Errorf("%s is none of 1,000 values", other)
		}
	}
	date := msgpack.AppendDate(msgpack.AppendArray(nil, 1), 1577836800000)
	if err := s.Check(date); err != nil {
		t.Errorf("a date that is one of 1,000 texts: %v", err)
	}
	for _, keyword := range []string{`"required": [` + names.String() + `"z"]`, `"dependentRequired": {"n0": [` + names.String() + `"z"]}`} {
		s = compile(t, `{`+keyword+`}`)
		all := `{"` + strings.ReplaceAll(strings.Trim(names.String(), `", `), `", "`, `": 1, "`) + `": 1`
		if err := s.Check(pack(t, all+`, "z": 1}`)); err != nil {
			t.Errorf("1,000 names: %v", err)
		}
		if have := faultsText(s.Check(pack(t, all+`}`))); !strings.HasPrefix(have, "z ") {
			t.Errorf("one of 1,000 names is missing: %s", have)
		}
	}
	s = compile(t, `{"dependentSchemas": {`+strings.ReplaceAll(strings.TrimRight(names.String(), ", "), `,`, `: false,`)+`: false}}`)
	if err := s.Check(pack(t, `{"a": 1, "n1000": 2}`)); err != nil {
		t.Errorf("none of 1,000 dependent schemas: %v", err)
	}
	if err := s.Check(pack(t, `{"a": 1, "n999": 2}`)); err == nil {
		t.Error("one of 1,000 dependent schemas is false")
	}
	// Many references into one place.
	var refs strings.Builder
	for i := range 1_000 {
		refs.WriteString(`{"$ref": "#/$defs/list/prefixItems/` + strconv.Itoa(i) + `"}, `)
	}
	s = compile(t, `{"prefixItems": [`+refs.String()+`true], "$defs": {"list": {"prefixItems": [`+strings.Repeat(`{"type": "string"}, `, 999)+`{"type": "null"}]}}}`)
	if have := faultsText(s.Check(pack(t, `[`+strings.Repeat(`"x", `, 999)+`"x"]`))); have != `999 type: must be null, is "x"` {
		t.Errorf("1,000 references: %s", have)
	}
	// Patterns are steps too.
	var patterns, fields strings.Builder
	for i := range 2_000 {
		patterns.WriteString(`"^p` + strconv.Itoa(i) + `$": true, `)
		fields.WriteString(`"f` + strconv.Itoa(i) + `": 1, `)
	}
	s = compile(t, `{"patternProperties": {`+patterns.String()+`"z": true}}`)
	if err := s.Check(pack(t, `{`+fields.String()+`"z": 1}`)); err == nil || !strings.Contains(err.Error(), "steps to check") {
		t.Errorf("2,000 patterns of 2,000 names: %v", err)
	}
	// So are the fields that each of many schemas looks at.
	s = compile(t, `{"allOf": [`+strings.Repeat(`{"required": ["f0"]}, `, 2_000)+`true]}`)
	if err := s.Check(pack(t, `{`+fields.String()+`"z": 1}`)); err == nil || !strings.Contains(err.Error(), "steps to check") {
		t.Errorf("2,000 schemas of 2,000 fields: %v", err)
	}
	// What a $dynamicRef means is known only on the way.
	s = compile(t, `{"$dynamicAnchor": "x", "anyOf": [{"$dynamicRef": "#x"}]}`)
	if err := s.Check(pack(t, `1`)); err == nil || !strings.Contains(err.Error(), "levels") {
		t.Errorf("a circle of $dynamicRef: %v", err)
	}
	// The way leads through a resource whose own rules apply no schema to the same value.
	s = compile(t, `{"$id": "https://x.org/root", "properties": {"a": {"$id": "inner", "$defs": {"t": {"$dynamicAnchor": "T", "type": "string"}},
		"properties": {"b": {"$id": "b", "$dynamicRef": "#T", "$defs": {"d": {"$dynamicAnchor": "T"}}}}}}}`)
	if have := faultsText(s.Check(pack(t, `{"a": {"b": 5}}`))); have != "a.b type: must be a string, is 5" {
		t.Errorf("a $dynamicRef to a resource on the way: %q", have)
	}
	if have := faultsText(compile(t, `false`).Check(pack(t, `{}`))); have != "false: is not allowed" {
		t.Errorf("the schema false: %s", have)
	}
}

// TestCheck_allocates nothing while a value fits.
func TestCheck_allocates(t *testing.T) {
	s, doc := compile(t, personSchema), pack(t, person)
	if n := testing.AllocsPerRun(100, func() {
		if err := s.CheckDocument(doc); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		format   string
		yes, not []string
	}{
		{"email", []string{"a@b.co", `"a b"@c`, "a+b@[127.0.0.1]", "a@[IPv6:::1]"}, []string{"", "a", "a@", "@b", "a@b@c", "a..b@c", "ä@b", "a@b_c", "a@[1.2.3]", "a@["}},
		{"idn-email", []string{"ä@ö.de", "a@b"}, []string{"ä", "a@-b"}},
		{"date-time", []string{"2024-02-29T00:00:00Z", "2024-05-17t10:30:00.5+02:00"}, []string{"2023-02-29T00:00:00Z", "2024-05-17", "2024-05-17 10:30:00Z", "2024-05-17T10:30Z"}},
		{"date", []string{"2000-02-29", "2024-01-31", "2024-04-30"}, []string{"1900-02-29", "2024-13-01", "2024-00-01", "24-1-1"}},
		{"time", []string{"10:30:00Z", "23:59:60Z"}, []string{"10:30:00", "10:30:00.Z", "22:59:60Z", "24:00:00Z"}},
		{"duration", []string{"P1Y2M3DT4H", "P2W", "PT1M"}, []string{"P", "PT", "P1YT", "P1W2D", "P1Y3D", "1D"}},
		{"hostname", []string{"a", "a.b-c.de", "xn--4ca.de"}, []string{"", "-a", "a-", "a..b", "a_b", "ä.de", strings.Repeat("a", 64)}},
		{"idn-hostname", []string{"ä.de", "a.b", "실례.테스트"}, []string{"", "-ä", "a b", "〱"}},
		{"ipv4", []string{"1.2.3.4"}, []string{"1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5"}},
		{"ipv6", []string{"::", "1::", "::1.2.3.4", "1:2:3:4:5:6:7:8"}, []string{":", ":::", "1:2", "1::2::3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8:9"}},
		{"uri", []string{"a:b", "http://[::1]:80/a?b#c"}, []string{"", "a", "//a", "http://a b", "http://[::1", "a:%", "a:^", "http://^", "http://^@a", "a:?^", "a:#^", "http://[v1.^]"}},
		{"uri-reference", []string{"", "a", "#a", "?a", "//a/b"}, []string{"a b", "1:b", "%"}},
		{"iri", []string{"http://ä/ö"}, []string{"ä", "a: "}},
		{"iri-reference", []string{"ä"}, []string{"\\"}},
		{"uri-template", []string{"/a/{b}{?c,d*,e:3}", "ä", "\ud7ff", "\uf900", "\ue000"}, []string{"\uffff", "{", "}", "{}", "{a:0}", "a b"}},
		{"uuid", []string{"98d80576-482e-427f-8434-7f86890ab222"}, []string{"98d80576482e427f84347f86890ab222", "98d80576-482e-427f-8434-7f86890ab22g"}},
		{"json-pointer", []string{"", "/a~0b/~1"}, []string{"a", "/~", "/~2"}},
		{"relative-json-pointer", []string{"0", "1/a", "2#"}, []string{"", "/a", "01", "1a"}},
		{"regex", []string{"^a$", "(?=a)", `(a)\1`, `\p{L}`, "[]", "(?<n>a)"}, []string{"(", "[", `\a`, "(?P<n>a)", "a**", `\`}},
	} {
		s := compile(t, `{"format": "`+c.format+`"}`)
		for i, list := range [][]string{c.yes, c.not} {
			for _, text := range list {
				if err := s.Check(msgpack.AppendString(nil, text)); (err == nil) != (i == 0) {
					t.Errorf("%s: %q: %v", c.format, text, err)
				}
			}
		}
	}
}

// TestFormats_edges: what is next to a bound of a format.
func TestFormats_edges(t *testing.T) {
	for _, c := range []struct {
		format   string
		yes, not []string
	}{
		{"time", []string{"10:30:00+23:59", "10:30:00-00:00"}, []string{"10:30:00+24:00", "10:30:00+23:60", "10:30:00+2:000"}},
		{"idn-hostname", []string{"\u0710", "\u0628\u06f1", "\u0628\u06f9"}, []string{"\u0710a", "\u0780a", "a\u0710", "a\u0628\u06f1", "\ufe70", "\ufefc", "\ua960"}},
	} {
		s := compile(t, `{"format": "`+c.format+`"}`)
		for i, list := range [][]string{c.yes, c.not} {
			for _, text := range list {
				if err := s.Check(msgpack.AppendString(nil, text)); (err == nil) != (i == 0) {
					t.Errorf("%s: %+q: %v", c.format, text, err)
				}
			}
		}
	}
}

// TestFill_first: an object that is the first property is filled in too.
func TestFill_first(t *testing.T) {
	s := compile(t, `{"properties": {"a": {"properties": {"b": {"default": 1}}}}}`)
	if have := s.Fill(pack(t, `{"a": {}}`)); !msgpack.Equal(have, pack(t, `{"a": {"b": 1}}`)) {
		t.Errorf("have %q", have)
	}
}

// TestPatterns: what ECMA-262 and RE2 write differently.
func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{`^\s$`, []string{" ", "\u00a0", "\ufeff"}, []string{"a"}},
		{`^[\S]$`, []string{"a", "😀"}, []string{"\u3000", "\t"}},
		{`^[^\s]$`, []string{"a"}, []string{"\u2028"}},
		{`^.$`, []string{"a", "😀"}, []string{"\n", "\u2028", "ab"}},
		{`^\uD83D\uDE00$`, []string{"😀"}, []string{"a"}},
		{`^\u{1f600}$`, []string{"😀"}, nil},
		{`^\/\-\_$`, []string{"/-_"}, nil},
		{`[]`, nil, []string{"", "a"}},
		{`^[^]$`, []string{"a", "\n"}, []string{""}},
		{`^[[]$`, []string{"["}, []string{":"}},
		{`^\cJ\x41\0$`, []string{"\nA\x00"}, nil},
		{`(?<year>\d{4})`, []string{"2024"}, []string{"٢٠٢٤"}},
		{`a.c$`, []string{"abc"}, []string{"abc\n"}},
		{`^x-`, []string{"x-a"}, []string{"ax-"}},
		{`x-`, []string{"ax-"}, []string{"x"}},
		{`^\p{Script=Greek}+\p{Lu}$`, []string{"αA"}, []string{"aA"}},
		{`ä`, []string{"bär"}, []string{"bar"}},
		{`\ä`, []string{"bär"}, []string{"bar"}},
	} {
		s, err := schema.Compile(appendValue(nil, map[string]any{"pattern": c.pattern}), schema.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		for i, list := range [][]string{c.yes, c.no} {
			for _, text := range list {
				if err := s.Check(msgpack.AppendString(nil, text)); (err == nil) != (i == 0) {
					t.Errorf("%s: %q: %v", c.pattern, text, err)
				}
			}
		}
	}
}

// TestFill: only what is not there, also in objects and behind references, and
// nothing is made of what is no object.
func TestFill(t *testing.T) {
	s := compile(t, `{
		"properties": {
			"_id": {"default": 0}, "role": {"default": "user"}, "tags": {"default": []}, "none": {"type": "string"},
			"address": {"$ref": "#/$defs/address"}, "needed": true
		},
		"required": ["needed"],
		"$defs": {"address": {"properties": {"country": {"default": "NO"}, "inner": {"$ref": "#/$defs/address"}}}}
	}`)
	for _, c := range []struct{ doc, want string }{
		{`{}`, `{"_id": 0, "role": "user", "tags": []}`},
		{`{"_id": 5, "role": null, "tags": [1], "address": {}}`, `{"_id": 5, "role": null, "tags": [1], "address": {"country": "NO"}}`},
		{`{"_id": 5, "role": "a", "tags": 5, "address": {"inner": {"a": 1}, "country": "SE"}}`, `{"_id": 5, "role": "a", "tags": 5, "address": {"inner": {"a": 1, "country": "NO"}, "country": "SE"}}`},
		{`{"_id": 5, "role": "a", "tags": 5, "address": 5, "none": {}}`, `{"_id": 5, "role": "a", "tags": 5, "address": 5, "none": {}}`},
		{`{"_id": 5, "role": "a", "tags": 5, "address": 5}`, `{"_id": 5, "role": "a", "tags": 5, "address": 5}`},
	} {
		have := s.Fill(pack(t, c.doc))
		if n, err := msgpack.Validate(have, 100); err != nil || n != len(have) || !msgpack.Equal(have, pack(t, c.want)) {
			t.Errorf("%s: %q, %v, want %s", c.doc, have, err, c.want)
		}
	}
}
