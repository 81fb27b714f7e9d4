package schema_test

import "testing"

// A document of ten fields besides its _id, as npm/bench/schemas.ts has it.
const (
	personSchema = `{
		"type": "object",
		"properties": {
			"name": {"type": "string", "minLength": 1, "maxLength": 100},
			"email": {"type": "string", "format": "email"},
			"age": {"type": "integer", "minimum": 0, "maximum": 150},
			"score": {"type": "number", "minimum": 0},
			"active": {"type": "boolean"},
			"city": {"type": "string"},
			"country": {"enum": ["NO", "SE", "DK", "FI"]},
			"tags": {"type": "array", "items": {"type": "string"}, "maxItems": 10},
			"created": {"type": "string", "format": "date-time"},
			"note": {"type": ["string", "null"]}
		},
		"required": ["name", "email", "age"],
		"additionalProperties": false
	}`
	person = `{"_id": 1, "name": "Ada Lovelace", "email": "ada@example.com", "age": 36, "score": 12.5, "active": true, "city": "Oslo",
		"country": "DK", "tags": ["a", "b", "c"], "created": "2024-05-17T10:30:00Z", "note": null}`
)

func BenchmarkCheck(b *testing.B) {
	s, doc := compile(b, personSchema), pack(b, person)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.CheckDocument(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckSorted(b *testing.B) { // the fields in the order of the schema
	s, doc := compile(b, `{"properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "number"}, "d": {"type": "number"}, "e": {"type": "boolean"}}, "required": ["a", "b", "c", "d", "e"]}`), pack(b, `{"a": "x", "b": "yy", "c": 1, "d": 2, "e": true}`)
	for b.Loop() {
		if err := s.CheckDocument(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	source := pack(b, personSchema)
	for b.Loop() {
		compileBytes(b, source)
	}
}
