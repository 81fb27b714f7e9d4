package query

import (
	"bytes"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// Match reports whether doc, a valid map, meets the condition. It is the
// definition of what every operator means; see the package comment.
//
// It allocates nothing, except to compare maps and to work out expressions.
func (f *Filter) Match(doc []byte) bool {
	if f.Op >= OpEq {
		if value, plain := f.Path.Lookup(doc); plain {
			return f.Holds(value)
		}
		return !f.Path.VisitWays(doc, func(value []byte, isElement bool) bool {
			if isElement && f.Op < OpContains {
				return !f.passes(value) // what is asked of an element is not asked of what is in it
			}
			return !f.Holds(value)
		})
	}
	switch f.Op {
	case OpAnd:
		for _, kid := range f.Kids {
			if !kid.Match(doc) {
				return false
			}
		}
		return true
	case OpOr:
		for _, kid := range f.Kids {
			if kid.Match(doc) {
				return true
			}
		}
		return false
	case OpNot:
		return !f.Kids[0].Match(doc)
	}
	return f.Op == OpTrue
}

// Holds reports whether the leaf f holds for a document in which its path
// reaches this one value. nil stands for a missing field.
func (f *Filter) Holds(value []byte) bool {
	if len(value) == 0 {
		return f.Op == OpIn && len(f.Values[0]) == 0
	}
	if f.Op < OpContains {
		return f.passes(value) || msgpack.KindOf(value) == msgpack.Array && someElement(value, f.passes)
	}
	isArray := msgpack.KindOf(value) == msgpack.Array
	switch f.Op {
	case OpContains:
		if isArray {
			return someElement(value, f.operand.equal)
		}
		return f.text != nil && msgpack.KindOf(value) == msgpack.String && bytes.Contains(msgpack.Str(value), f.text)
	case OpAny:
		return isArray && someElement(value, f.Kids[0].Match)
	case OpSize:
		return isArray && msgpack.Count(value) == f.Size
	case OpExpr:
		return isTruthy(f.expr.valueIn(value, f.spend))
	}
	return true
}

// passes reports whether v, a reached value or an element of one, is what the
// leaf asks for.
func (f *Filter) passes(v []byte) bool {
	switch f.Op {
	case OpEq:
		return f.operand.equal(v)
	case OpGt:
		c, comparable := f.operand.compare(v)
		return comparable && c > 0
	case OpGte:
		c, comparable := f.operand.compare(v)
		return comparable && c >= 0
	case OpLt:
		c, comparable := f.operand.compare(v)
		return comparable && c < 0
	case OpLte:
		c, comparable := f.operand.compare(v)
		return comparable && c <= 0
	case OpBetween:
		low, comparable := f.operand.compare(v)
		if !comparable || low < 0 {
			return false
		}
		high, _ := f.high.compare(v)
		return high <= 0
	case OpIn:
		_, found := slices.BinarySearchFunc(f.Values, v, msgpack.Compare)
		return found
	case OpMatches:
		return msgpack.KindOf(v) == msgpack.String && f.regexp.match(msgpack.Str(v))
	case OpStartsWith:
		return msgpack.KindOf(v) == msgpack.String && bytes.HasPrefix(msgpack.Str(v), f.text)
	case OpType:
		return f.Type.Has(v)
	case OpMod:
		return f.leaves(v)
	case OpBitsAllSet, OpBitsAnySet, OpBitsAllClear, OpBitsAnyClear:
		return f.hasBits(v)
	}
	return false
}

// someElement reports whether some element of array passes.
func someElement(array []byte, passes func([]byte) bool) bool {
	for element := range msgpack.Elements(array) {
		if passes(element) {
			return true
		}
	}
	return false
}
