package query

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// The constructors copy the MessagePack values they are given, which must be
// valid (see [msgpack.Validate]).

// True returns the condition that every document meets.
//
//go:noinline
func True() *Filter { return &Filter{Op: OpTrue} }

// False returns the condition that no document meets.
//
//go:noinline
func False() *Filter { return &Filter{Op: OpFalse} }

// And returns the condition that holds where all of kids hold; True for none.
func And(kids ...*Filter) *Filter { return join(OpAnd, OpTrue, OpFalse, kids) }

// Or returns the condition that holds where one of kids holds; False for none.
func Or(kids ...*Filter) *Filter { return join(OpOr, OpFalse, OpTrue, kids) }

// join flattens kids of the same op. A neutral kid changes nothing and is left
// out; an absorbing kid decides the whole.
func join(op, neutral, absorbing Op, kids []*Filter) *Filter {
	if len(kids) == 1 {
		return kids[0]
	}
	flat := make([]*Filter, 0, len(kids))
	for _, kid := range kids {
		switch kid.Op {
		case op:
			flat = append(flat, kid.Kids...)
		case neutral:
		case absorbing:
			return &Filter{Op: absorbing}
		default:
			flat = append(flat, kid)
		}
	}
	switch len(flat) {
	case 0:
		return &Filter{Op: neutral}
	case 1:
		return flat[0]
	}
	return &Filter{Op: op, Kids: flat}
}

// Not returns the exact complement of f.
func Not(f *Filter) *Filter {
	switch f.Op {
	case OpTrue:
		return False()
	case OpFalse:
		return True()
	case OpNot:
		return f.Kids[0]
	}
	return &Filter{Op: OpNot, Kids: []*Filter{f}}
}

// Eq holds where p reaches value.
func Eq(p Path, value []byte) *Filter {
	f := compared(OpEq, p, value)
	f.given = otherThan(f.Value, value)
	return f
}

// Gt holds where p reaches a value above value.
func Gt(p Path, value []byte) *Filter { return compared(OpGt, p, value) }

// Gte holds where p reaches value or one above it.
func Gte(p Path, value []byte) *Filter { return compared(OpGte, p, value) }

// Lt holds where p reaches a value below value.
func Lt(p Path, value []byte) *Filter { return compared(OpLt, p, value) }

// Lte holds where p reaches value or one below it.
func Lte(p Path, value []byte) *Filter { return compared(OpLte, p, value) }

func compared(op Op, p Path, value []byte) *Filter {
	if isNaN(value) { // equals itself and compares with nothing
		switch op {
		case OpGt, OpLt:
			return False()
		}
		op = OpEq
	}
	f := &Filter{Op: op, Path: p, Value: canonical(value)}
	f.operand = operandOf(f.Value)
	return f
}

// Between holds where p reaches one value from low to high, both included.
func Between(p Path, low, high []byte) *Filter {
	low, high = canonical(low), canonical(high)
	from, to := operandOf(low), operandOf(high)
	c, comparable := from.compare(high)
	switch {
	case !comparable || c < 0:
		return False()
	case c == 0:
		return Eq(p, low)
	}
	return &Filter{Op: OpBetween, Path: p, Value: low, High: high, operand: from, high: to}
}

// In holds where p reaches one of values; nowhere if there are none. nil among
// values stands for a missing field: In holds, too, where a way of p ends without a
// value, as null does in MongoDB's filters (see [Path.VisitWays]).
func In(p Path, values [][]byte) *Filter {
	sorted := inOrder(values)
	switch len(sorted) {
	case 0:
		return False()
	case 1:
		if len(sorted[0]) > 0 {
			return Eq(p, sorted[0])
		}
	}
	return &Filter{Op: OpIn, Path: p, Values: sorted}
}

// inOrder returns canonical copies of values, in value order, each once. Lists
// of thousands of ids are sent, so texts are mostly compared by their first
// bytes.
func inOrder(values [][]byte) [][]byte {
	type headed struct {
		head  uint64 // orders values as far as it goes
		value []byte
	}
	sorted := make([]headed, len(values))
	size := 0
	for _, v := range values {
		size += len(v)
	}
	room := make([]byte, 0, size)
	for i, v := range values {
		start := len(room)
		room = appendCanonical(room, v)
		var head [8]byte
		head[0] = byte(msgpack.KindOf(v))
		copy(head[1:], msgpack.Str(v))
		sorted[i] = headed{binary.BigEndian.Uint64(head[:]), room[start:len(room):len(room)]}
	}
	slices.SortFunc(sorted, func(a, b headed) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return msgpack.Compare(a.value, b.value)
	})
	once := make([][]byte, 0, len(sorted))
	for _, s := range sorted {
		if len(once) == 0 || !msgpack.Equal(once[len(once)-1], s.value) {
			once = append(once, s.value)
		}
	}
	return once
}

// Matches holds where p reaches a string in which pattern, in RE2 syntax, is
// found. The error says why pattern is refused.
func Matches(p Path, regexp string) (*Filter, error) {
	compiled, err := compile(regexp)
	if err != nil {
		return nil, err
	}
	return &Filter{Op: OpMatches, Path: p, Pattern: regexp, regexp: compiled}, nil
}

// StartsWith holds where p reaches a string that starts with prefix.
func StartsWith(p Path, prefix string) *Filter {
	return &Filter{Op: OpStartsWith, Path: p, Value: msgpack.AppendString(nil, prefix), text: []byte(prefix)}
}

// Contains holds where p reaches an array with an element equal to value or,
// if value is a string, a string that has it as a substring.
func Contains(p Path, value []byte) *Filter {
	f := &Filter{Op: OpContains, Path: p, Value: canonical(value)}
	f.operand = operandOf(f.Value)
	f.text = msgpack.Str(f.Value)
	return f
}

// Exists holds where p reaches a value, be it null.
//
//go:noinline
func Exists(p Path) *Filter { return &Filter{Op: OpExists, Path: p} }

// IsType holds where p reaches a value of type t.
func IsType(p Path, t Type) *Filter { return &Filter{Op: OpType, Path: p, Type: t} }

// Any holds where p reaches an array with an element that meets element, whose
// paths start at the element; the empty path is the element itself.
func Any(p Path, element *Filter) *Filter {
	return &Filter{Op: OpAny, Path: p, Kids: []*Filter{element}}
}

// HasSize holds where p reaches an array of size elements.
func HasSize(p Path, size int) *Filter { return &Filter{Op: OpSize, Path: p, Size: size} }
