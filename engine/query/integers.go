package query

import (
	"errors"
	"iter"
	"math"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// Mod holds where p reaches a number that leaves a remainder when it is divided:
// operand is the array of the divisor and the remainder. A fraction counts without
// what is after its point, as in MongoDB.
func Mod(p Path, operand []byte) (*Filter, error) {
	f := &Filter{Op: OpMod, Path: p, Value: canonical(operand)}
	ok := msgpack.KindOf(operand) == msgpack.Array && msgpack.Count(operand) == 2
	if ok {
		list := msgpack.List(operand)
		var is [2]bool
		f.divisor, is[0] = truncated(list[0])
		f.remainder, is[1] = truncated(list[1])
		ok = is[0] && is[1] && f.divisor != 0
	}
	if !ok {
		return nil, errors.New("expected [divisor, remainder]: two numbers, the first of which is not 0")
	}
	return f, nil
}

// truncated returns the integer of a number without what is after its point; false if
// v is no number, or beyond 64 bits.
func truncated(v []byte) (int64, bool) {
	if n, ok := msgpack.Int(v); ok {
		return n, true
	}
	x := math.Trunc(msgpack.Float(v))
	if msgpack.KindOf(v) != msgpack.Number || !(x >= -1<<63 && x < 1<<63) {
		return 0, false
	}
	return int64(x), true
}

func (f *Filter) leaves(v []byte) bool {
	n, ok := truncated(v)
	return ok && (f.divisor == -1 && f.remainder == 0 || f.divisor != -1 && n%f.divisor == f.remainder)
}

// ofBits returns the constructor of an operator on the bits of integers and bytes. Its
// operand, the mask, is an integer, bytes, or an array of the positions of bits.
func ofBits(op Op) func(Path, Operands) (*Filter, error) {
	return func(p Path, o Operands) (*Filter, error) {
		if !isMask(o.Value) {
			return nil, errors.New("expected an integer from 0 on, bytes, or an array of positions of bits, from 0 on")
		}
		f := &Filter{Op: op, Path: p, Value: canonical(o.Value)}
		for at := range positions(f.Value) {
			f.mask |= 1 << min(at, 63) // beyond 63, all bits are that of the sign
		}
		return f, nil
	}
}

func isMask(v []byte) bool {
	switch msgpack.KindOf(v) {
	case msgpack.Bytes:
		return true
	case msgpack.Array:
		for position := range msgpack.Elements(v) {
			if x := msgpack.Float(position); x != math.Trunc(x) || x < 0 || x > math.MaxInt32 {
				return false
			}
		}
		return true
	}
	n, whole := integer(v)
	return whole && n >= 0
}

// integer returns the integer that a number is, however it is stored.
func integer(v []byte) (int64, bool) {
	n, ok := truncated(v)
	return n, ok && (msgpack.IsInt(v) || float64(n) == msgpack.Float(v))
}

// positions yields the positions of the bits that a mask asks for.
func positions(mask []byte) iter.Seq[uint] {
	return func(yield func(uint) bool) {
		if msgpack.KindOf(mask) == msgpack.Array {
			for position := range msgpack.Elements(mask) {
				if !yield(uint(msgpack.Float(position))) {
					return
				}
			}
			return
		}
		bytes := msgpack.Bin(mask)
		if n, ok := msgpack.Int(mask); ok {
			bytes = make([]byte, 8)
			for i := range bytes {
				bytes[i] = byte(n >> (8 * i))
			}
		}
		for i, b := range bytes {
			for bit := range uint(8) {
				if b>>bit&1 == 1 && !yield(uint(i)*8+bit) {
					return
				}
			}
		}
	}
}

// hasBits reports whether the bits of v, an integer or bytes, are as f asks.
func (f *Filter) hasBits(v []byte) bool {
	if msgpack.KindOf(v) != msgpack.Bytes {
		n, ok := integer(v)
		word := uint64(n)
		if !ok {
			if word, ok = msgpack.Uint(v); !ok {
				return false
			}
		}
		return f.asked(f.mask&^word == 0, f.mask&word == 0)
	}
	bytes := msgpack.Bin(v)
	all, none := true, true
	for at := range positions(f.Value) {
		if at/8 < uint(len(bytes)) && bytes[at/8]>>(at%8)&1 == 1 {
			none = false
		} else {
			all = false
		}
	}
	return f.asked(all, none)
}

// asked returns what f asks of bits that are all set, that are all clear, or neither.
func (f *Filter) asked(all, none bool) bool {
	switch f.Op {
	case OpBitsAllSet:
		return all
	case OpBitsAnySet:
		return !none
	case OpBitsAllClear:
		return none
	}
	return !all
}
