// Package schema checks documents against JSON Schema, draft 2020-12
// (https://json-schema.org/draft/2020-12), with format asserted.
//
// A schema is MessagePack, as documents are. Compile reads it once; then Check looks
// at the bytes of a document. It decodes nothing and, while nothing is wrong,
// allocates nothing. Only a document that is refused is looked at again, to say all
// that is wrong with it.
//
// # What MessagePack has and JSON has not
//
// A date is a string, the one that JavaScript's toISOString writes, and has the
// format date-time; one outside the years 0 to 9999 has not. Bytes are a string, in
// base64 with padding. So {type: "string", format: "date-time"} accepts a date, and
// const, enum, pattern and the lengths see the text. NaN is a number that is neither
// above nor below any other, and a multiple of none. Integers are exact.
//
// # What is refused
//
// Compile refuses a schema that the standard refuses, and says where. Unless Lenient
// is set, so it does keywords and formats that the standard does not have, except
// keywords that begin with x-; most of them are typing errors. It also refuses
//
//   - references to schemas that are neither in the schema nor handed over: nothing
//     is fetched
//   - references that lead back to themselves, at the same place of a document
//   - patterns that RE2 has not: look-around and back-references; see pattern.go
//   - a $schema of another draft, and what is larger than maxBytes or maxNodes
//
// A $vocabulary chooses nothing: the keywords of all vocabularies are checked.
// contentEncoding, contentMediaType and contentSchema are annotations, as the
// standard has it.
//
// # Bounds
//
// Schemas come from users. Compiling takes work in proportion to the schema, and
// checking has a limit in proportion to the document: one that needs more steps, or
// more levels, is refused. Regular expressions take linear time.
//
// # Reading the source
//
// Compile (compile.go) finds the schemas inside a schema and what references mean
// (resolve.go, uri.go), and reads the keywords of each into a node (keywords.go,
// node.go). Check asks plain.go, which is quick, and then (check.go, object.go, array.go)
// follows the nodes to say what is wrong. What a fault says is in fault.go, formats are in
// format*.go.
package schema
