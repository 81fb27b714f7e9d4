package schema_test

import (
	"errors"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/schema"
)

func compileBytes(t testing.TB, source []byte) *schema.Schema {
	t.Helper()
	s, err := schema.Compile(source, schema.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// FuzzCheck compiles any bytes, and checks values with what is a schema: there is
// always an answer, the same each time and slowly, with a reason if it is no.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{
		personSchema, `true`, `{"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}`,
		`{"$dynamicAnchor": "n", "properties": {"a": {"$dynamicRef": "#n"}}, "unevaluatedProperties": false}`,
		`{"anyOf": [{"contains": {"const": 1}}, {"prefixItems": [true]}], "unevaluatedItems": false, "uniqueItems": true}`,
		`{"patternProperties": {"^\\s": {"multipleOf": 0.01}}, "propertyNames": {"format": "idn-hostname"}, "$id": "http://a/b"}`,
	} {
		f.Add(pack(f, text), pack(f, person))
	}
	f.Fuzz(func(t *testing.T, source, value []byte) {
		n, err := msgpack.Validate(value, 100)
		if err != nil {
			return
		}
		for _, lenient := range []bool{false, true} {
			s, err := schema.Compile(source, schema.Options{Lenient: lenient})
			if err != nil {
				var m *schema.Mistake
				if !errors.As(err, &m) {
					t.Fatalf("%v is no Mistake", err)
				}
				continue
			}
			slow, err := schema.CompileSlowly(source, schema.Options{Lenient: lenient})
			if err != nil {
				t.Fatal(err)
			}
			first, second := s.Check(value[:n]), s.CheckDocument(value[:n])
			if again := s.Check(value[:n]); faultsText(first) != faultsText(again) {
				t.Fatalf("first %v, then %v", first, again)
			}
			if want := slow.Check(value[:n]); faultsText(first) != faultsText(want) {
				t.Fatalf("have %v, slowly %v", first, want)
			}
			if want := slow.CheckDocument(value[:n]); faultsText(second) != faultsText(want) {
				t.Fatalf("as a document: have %v, slowly %v", second, want)
			}
		}
	})
}

// FuzzFormats: every format answers for any text, and what is a pattern can be
// compiled or is refused with a reason.
func FuzzFormats(f *testing.F) {
	var all []*schema.Schema
	for _, name := range []string{
		"date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri", "uri-reference", "iri",
		"iri-reference", "uri-template", "uuid", "json-pointer", "relative-json-pointer", "regex",
	} {
		all = append(all, compile(f, `{"format": "`+name+`"}`))
	}
	for _, text := range []string{"", "a@b", `"a"@[IPv6:::1]`, "2024-02-29T23:59:60Z", "P1Y2M", "xn--4ca.de", "ä。א", "http://[::1]/%20{a}", "[^]\\u{1}(?<a>)\\k<a>\\p{L}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := msgpack.AppendString(nil, text)
		if _, err := msgpack.Validate(v, 1); err != nil {
			return
		}
		for _, s := range all {
			s.Check(v)
		}
		source := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 1), "pattern"), text)
		if s, err := schema.Compile(source, schema.Options{}); err == nil {
			s.Check(v)
		}
	})
}
