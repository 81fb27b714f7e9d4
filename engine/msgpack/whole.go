package msgpack

import (
	"math"
	"math/bits"
)

// A Whole is a whole number from -2^63 to 2^64-1, which are all that MessagePack
// has an integer for. What is computed from numbers that an int64 holds is out of
// range where no int64 holds it: unsigned numbers come only of unsigned ones.
type Whole struct {
	negative bool
	size     uint64 // without the sign
}

// WholeOf returns the number of v; false if v is not in one of the integer
// encodings.
func WholeOf(v []byte) (Whole, bool) {
	switch bits, f := number(v); f {
	case small:
		if n := int64(bits); n < 0 {
			return Whole{true, -uint64(n)}, true
		}
		return Whole{false, bits}, true
	case huge:
		return Whole{false, bits}, true
	}
	return Whole{}, false
}

// WholeOfFloat returns the number of x; false if x is no whole number of the
// range.
func WholeOfFloat(x float64) (Whole, bool) {
	if x != math.Trunc(x) || x < -1<<63 || x >= 1<<64 {
		return Whole{}, false
	}
	return Whole{x < 0, uint64(math.Abs(x))}, true
}

// Append appends w as an integer.
func (w Whole) Append(b []byte) []byte {
	if w.negative {
		return AppendInt(b, int64(-w.size))
	}
	return AppendUint(b, w.size)
}

// Int64 returns w as an int64; false if none holds it.
func (w Whole) Int64() (int64, bool) {
	if w.negative {
		return int64(-w.size), true
	}
	return int64(w.size), !w.isUnsigned()
}

// IsSafe reports whether float64, and so JavaScript's number, holds w and both of
// its neighbours.
func (w Whole) IsSafe() bool { return w.size < 1<<53 }

// isUnsigned reports whether no int64 holds w.
func (w Whole) isUnsigned() bool { return !w.negative && w.size > math.MaxInt64 }

// result returns the number of that sign and size, computed from w and x; false if
// it is out of range.
func (w Whole) result(x Whole, negative bool, size uint64) (Whole, bool) {
	r := Whole{negative && size > 0, size}
	if r.negative {
		return r, size <= 1<<63
	}
	return r, !r.isUnsigned() || w.isUnsigned() || x.isUnsigned()
}

// Negated returns -w; false if it is out of range.
func (w Whole) Negated() (Whole, bool) { return w.result(w, !w.negative, w.size) }

// Plus returns w + x; false if it is out of range.
func (w Whole) Plus(x Whole) (Whole, bool) {
	if w.negative == x.negative {
		size, carry := bits.Add64(w.size, x.size, 0)
		sum, ok := w.result(x, w.negative, size)
		return sum, ok && carry == 0
	}
	if w.size < x.size {
		return w.result(x, x.negative, x.size-w.size)
	}
	return w.result(x, w.negative, w.size-x.size)
}

// Minus returns w - x; false if it is out of range.
func (w Whole) Minus(x Whole) (Whole, bool) {
	if w.negative != x.negative {
		size, carry := bits.Add64(w.size, x.size, 0)
		difference, ok := w.result(x, w.negative, size)
		return difference, ok && carry == 0
	}
	if w.size < x.size {
		return w.result(x, !w.negative, x.size-w.size)
	}
	return w.result(x, w.negative, w.size-x.size)
}

// Times returns w * x; false if it is out of range.
func (w Whole) Times(x Whole) (Whole, bool) {
	over, size := bits.Mul64(w.size, x.size)
	product, ok := w.result(x, w.negative != x.negative, size)
	return product, ok && over == 0
}

// Over returns w / x without its fraction; false if it is out of range, or if x is 0.
func (w Whole) Over(x Whole) (Whole, bool) {
	if x.size == 0 {
		return Whole{}, false
	}
	return w.result(x, w.negative != x.negative, w.size/x.size)
}

// Modulo returns what w leaves after division by x, with the sign of w; false if
// x is 0.
func (w Whole) Modulo(x Whole) (Whole, bool) {
	if x.size == 0 {
		return Whole{}, false
	}
	return w.result(x, w.negative, w.size%x.size)
}
