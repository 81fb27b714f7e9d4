// Package msgpack reads, checks, compares and writes MessagePack values in place.
//
// A value is the slice of bytes that encodes it: nothing is decoded into Go
// values and nothing is allocated to read one. Results borrow from the
// argument. Only [Validate] may be given bytes of unknown origin; everything
// else expects bytes that it has accepted.
//
// The format is https://github.com/msgpack/msgpack/blob/master/spec.md,
// narrowed to what a document may hold: maps have string keys, strings are
// UTF-8, and the only extension is the timestamp (-1).
package msgpack
