package query

import (
	"bytes"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// An Equality is a value that a path reaches in every document that meets a condition.
type Equality struct {
	Path  Path
	Value []byte // as it was given: 2^60 as a float stays one
}

// Equalities returns the equalities of a condition, also those inside an and, in their
// order. nil is the condition that every document meets.
func (f *Filter) Equalities() (all []Equality) {
	switch {
	case f == nil:
	case f.Op == OpEq && f.given != nil:
		all = append(all, Equality{f.Path.Bare(), f.given}) // by a collation, the text and not its key
	case f.Op == OpEq:
		all = append(all, Equality{f.Path.Bare(), f.Value})
	case f.Op == OpIn && len(f.Values) == 2 && len(f.Values[0]) == 0 && msgpack.KindOf(f.Values[1]) == msgpack.Null:
		all = append(all, Equality{f.Path, f.Values[1]}) // a filter's {a: null}, which finds missing fields, too
	case f.Op == OpAnd:
		for _, kid := range f.Kids {
			all = append(all, kid.Equalities()...)
		}
	}
	return all
}

// otherThan returns a copy of given, or nil if that is the same bytes as value.
func otherThan(value, given []byte) []byte {
	if bytes.Equal(value, given) {
		return nil
	}
	return slices.Clone(given)
}
