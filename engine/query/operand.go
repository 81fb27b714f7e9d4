package query

import (
	"math"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// What follows reads the operands that the condition builder's tree and
// MongoDB-style filters have in common.

// checkValues refuses values nested deeper than text can be.
func (p place) checkValues(values [][]byte) error {
	for _, v := range values {
		if _, err := msgpack.Validate(v, maxDepth); err != nil {
			return p.fail("expected at most " + strconv.Itoa(maxDepth) + " arrays and objects inside one another in a value")
		}
	}
	return nil
}

func (p place) compared(leaf func(Path, []byte) *Filter, path Path, value []byte) (*Filter, error) {
	if msgpack.Lookup(value, "$regex") != nil {
		return nil, p.fail("expected a value to compare with, found a regular expression; those go with $regex or matches")
	}
	if err := p.checkValues([][]byte{value}); err != nil {
		return nil, err
	}
	return leaf(path, value), nil
}

// in reads a list whose regular expressions, if any, may also match.
func (p place) in(path Path, list []byte) (*Filter, error) {
	if msgpack.KindOf(list) != msgpack.Array {
		return nil, p.expected("an array of values", list)
	}
	var values [][]byte
	var patterns []*Filter
	for i, v := range elementsOf(list) {
		if msgpack.Lookup(v, "$regex") == nil {
			values = append(values, v)
			continue
		}
		f, err := p.at(strconv.Itoa(i)).regexObject(path, v)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, f)
	}
	if err := p.checkValues(values); err != nil {
		return nil, err
	}
	return Or(append([]*Filter{In(path, values)}, patterns...)...), nil
}

func (p place) matches(path Path, text []byte) (*Filter, error) {
	if msgpack.KindOf(text) != msgpack.String {
		return nil, p.expected("a regular expression", text)
	}
	f, err := Matches(path, string(msgpack.Str(text)))
	if err != nil {
		return nil, p.fail(err.Error())
	}
	return f, nil
}

// exists takes a number for a boolean, as MongoDB does.
func (p place) exists(path Path, yes []byte) (*Filter, error) {
	isTrue := false
	switch kind := msgpack.KindOf(yes); {
	case isBool(kind):
		isTrue = kind == msgpack.True
	case kind == msgpack.Number:
		isTrue = msgpack.Float(yes) != 0
	default:
		return nil, p.expected("true or false", yes)
	}
	if isTrue {
		return Exists(path), nil
	}
	return Not(Exists(path)), nil
}

func (p place) size(path Path, size []byte) (*Filter, error) {
	n := msgpack.Float(size)
	if n != math.Trunc(n) || n < 0 || n > math.MaxInt32 {
		return nil, p.expected("a whole number of elements", size)
	}
	return HasSize(path, int(n)), nil
}

// elementsOf returns the elements of an array, borrowed.
func elementsOf(array []byte) [][]byte {
	count, pos := msgpack.Container(array)
	elements := make([][]byte, count)
	for i := range elements {
		n := msgpack.Skip(array[pos:])
		elements[i] = array[pos : pos+n]
		pos += n
	}
	return elements
}

// A field is a name in a map and its value, which is borrowed.
type field struct {
	name  string
	value []byte
}

// fieldsOf returns the fields of v, none if it is no map.
func fieldsOf(v []byte) []field {
	if msgpack.KindOf(v) != msgpack.Map {
		return nil
	}
	count, pos := msgpack.Container(v)
	fields := make([]field, count)
	for i := range fields {
		fields[i].name = string(msgpack.Str(v[pos:]))
		pos += msgpack.Skip(v[pos:])
		n := msgpack.Skip(v[pos:])
		fields[i].value = v[pos : pos+n]
		pos += n
	}
	return fields
}

// describe names a value in an error, as JavaScript would.
func describe(v []byte) string {
	switch msgpack.KindOf(v) {
	case msgpack.String, msgpack.Number, msgpack.Null, msgpack.True, msgpack.False:
		return token.Clipped(string(token.AppendValue(nil, v)))
	case msgpack.Array:
		if count, _ := msgpack.Container(v); count == 0 {
			return "an empty array"
		}
		return "an array"
	case msgpack.Map:
		if count, _ := msgpack.Container(v); count == 0 {
			return "an empty object"
		}
		return "an object"
	case msgpack.Bytes:
		return "bytes"
	}
	return "a date"
}
