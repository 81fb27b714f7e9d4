package query

import (
	"math"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// leaf reads the operands of o, in the builder's tree and in MongoDB-style
// filters.
func (p parser) leaf(o *Operator, path Path, args [][]byte) (*Filter, error) {
	given := Operands{}
	arg := args[0]
	switch o.Takes {
	case TakesValue:
		if msgpack.Lookup(arg, "$regex") != nil {
			return nil, p.fail("expected a value to compare with, found a regular expression; those go with $regex or matches")
		}
		if err := p.checkValue(arg); err != nil {
			return nil, err
		}
		given.Value = arg
	case TakesEnds:
		for _, end := range args {
			if err := p.checkValue(end); err != nil {
				return nil, err
			}
		}
		given.Value, given.High = arg, args[1]
	case TakesList:
		return p.list(o, path, arg)
	case TakesText:
		if msgpack.KindOf(arg) != msgpack.String {
			return nil, p.expected("text", arg)
		}
		given.Text = string(msgpack.Str(arg))
	case TakesPattern:
		if msgpack.KindOf(arg) != msgpack.String {
			return nil, p.expected("a regular expression", arg)
		}
		given.Text = string(msgpack.Str(arg))
	case TakesYes:
		kind := msgpack.KindOf(arg)
		if !isBool(kind) {
			return nil, p.expected("true or false", arg)
		}
		given.Yes = kind == msgpack.True
	case TakesType:
		t, known := TypeNamed(string(msgpack.Str(arg)))
		if !known {
			return nil, p.expectedLike("a type", arg, "the types are "+KnownTypes)
		}
		given.Type = t
	case TakesSize:
		n := msgpack.Float(arg)
		if n != math.Trunc(n) || n < 0 || n > math.MaxInt32 {
			return nil, p.expected("a whole number of elements", arg)
		}
		given.Size = int(n)
	case TakesCondition:
		p.inAny = true
		element, err := p.condition(arg)
		if err != nil {
			return nil, err
		}
		given.Element = element
	}
	f, err := p.collation.leaf(o, path, given)
	if err != nil {
		return nil, p.fail(err.Error())
	}
	return f, nil
}

// list reads a list of values. A regular expression in it may also match.
func (p parser) list(o *Operator, path Path, list []byte) (*Filter, error) {
	if msgpack.KindOf(list) != msgpack.Array {
		return nil, p.expected("an array of values", list)
	}
	values := make([][]byte, 0, msgpack.Count(list))
	var patterns []*Filter
	for v := range msgpack.Elements(list) {
		at := len(values) + len(patterns)
		if msgpack.Lookup(v, "$regex") == nil {
			values = append(values, v)
			if err := p.checkValue(v); err != nil {
				return nil, err
			}
			if msgpack.KindOf(v) == msgpack.Map {
				if err := p.at(strconv.Itoa(at)).checkPlain(v); err != nil {
					return nil, err
				}
			}
			continue
		}
		if err := p.count(1); err != nil {
			return nil, err
		}
		f, err := p.at(strconv.Itoa(at)).regexObject(path, v)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, f)
	}
	path, given := p.collation.of(o, path, Operands{Values: values})
	f, err := o.leaf(path, given)
	if err != nil {
		return nil, p.fail(err.Error())
	}
	f = Or(append([]*Filter{f}, patterns...)...)
	if o.Negates {
		f = Not(f)
	}
	return f, nil
}

// checkValue refuses a value that is nested deeper than text can be.
func (p parser) checkValue(v []byte) error {
	if _, err := msgpack.Validate(v, maxDepth); err != nil {
		return p.fail("expected at most " + strconv.Itoa(maxDepth) + " arrays and objects inside one another in a value")
	}
	return nil
}

// describe names a value in an error, as JavaScript would.
func describe(v []byte) string {
	switch msgpack.KindOf(v) {
	case msgpack.String, msgpack.Number, msgpack.Null, msgpack.True, msgpack.False:
		return token.Clipped(string(token.AppendValue(nil, v)))
	case msgpack.Array:
		if msgpack.Count(v) == 0 {
			return "an empty array"
		}
		return "an array"
	case msgpack.Map:
		if msgpack.Count(v) == 0 {
			return "an empty object"
		}
		return "an object"
	case msgpack.Bytes:
		return "bytes"
	}
	return "a date"
}
