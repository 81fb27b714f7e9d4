package schema

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A decimal is digits * 10^exponent. A number is taken as it is written: 0.0075 is a
// multiple of 0.0001, though the float64 of neither is exact.
type decimal struct {
	digits   uint64
	exponent int
}

// decimalOf returns the number of v without its sign; false if it is no finite
// number.
func decimalOf(v []byte) (decimal, bool) {
	if n, ok := msgpack.Int(v); ok {
		if n < 0 {
			return decimal{digits: -uint64(n)}, true
		}
		return decimal{digits: uint64(n)}, true
	}
	if n, ok := msgpack.Uint(v); ok {
		return decimal{digits: n}, true
	}
	x := math.Abs(msgpack.Float(v))
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return decimal{}, false
	}
	// The shortest text that reads back as x has at most 17 digits: d.ddde±dd.
	var room [32]byte
	text := strconv.AppendFloat(room[:0], x, 'e', -1, 64)
	var d decimal
	for i, c := range text {
		switch {
		case c == 'e':
			exponent := 0
			for _, digit := range text[i+2:] {
				exponent = exponent*10 + int(digit-'0')
			}
			if text[i+1] == '-' {
				exponent = -exponent
			}
			d.exponent += exponent
			return d, true
		case c != '.':
			d.digits = d.digits*10 + uint64(c-'0')
			if i > 0 {
				d.exponent--
			}
		}
	}
	return d, true
}

// isMultipleOf reports whether d is a whole number of times m, which is not 0.
func (d decimal) isMultipleOf(m decimal) bool {
	if d.digits == 0 {
		return true
	}
	rest, divisor := d.digits%m.digits, m.digits
	for power := d.exponent - m.exponent; power < 0; power++ {
		over, low := bits.Mul64(divisor, 10)
		if over > 0 {
			return false // a divisor that is larger than d
		}
		divisor, rest = low, d.digits%low
	}
	factor := 10 % divisor
	for power := d.exponent - m.exponent; power > 0; power >>= 1 {
		if power&1 == 1 {
			rest = timesModulo(rest, factor, divisor)
		}
		factor = timesModulo(factor, factor, divisor)
	}
	return rest == 0
}

// timesModulo returns a*b modulo m; a and b are below m.
//
//go:noinline
func timesModulo(a, b, m uint64) uint64 {
	high, low := bits.Mul64(a, b)
	_, rest := bits.Div64(high, low, m)
	return rest
}

// isWhole reports whether v is an integer by its value: 1.0 is one.
//
//go:noinline
func isWhole(v []byte) bool {
	if !msgpack.IsDouble(v) {
		return true
	}
	x := msgpack.Float(v)
	return x == math.Trunc(x) && !math.IsInf(x, 0)
}

// isNaN reports whether the number v is NaN.
func isNaN(v []byte) bool { return msgpack.IsDouble(v) && math.IsNaN(msgpack.Float(v)) }

// limitKinds are the limits that a number may have, those below it first.
var limitKinds = [...]struct {
	keyword, relation string
	isExclusive       bool
}{
	{"minimum", "at least ", false},
	{"exclusiveMinimum", "more than ", true},
	{"maximum", "at most ", false},
	{"exclusiveMaximum", "less than ", true},
}

// limitsAbove is where in limitKinds the limits above a number begin.
const limitsAbove = 2

// setRange computes low and high, and those of floats. The integers stay empty if a limit is no integer of int64,
// or if there is a multipleOf.
func (r *numberRules) setRange() {
	r.low, r.high = math.MinInt64, math.MaxInt64
	r.lowFloat, r.highFloat = math.Inf(-1), math.Inf(1)
	ok := r.factorText == nil
	for i, v := range r.limits {
		if v == nil {
			continue
		}
		inside := int64(0)
		if limitKinds[i].isExclusive {
			inside = 1
		}
		n, isInt := msgpack.Int(v)
		ok = ok && isInt && n != math.MinInt64 && n != math.MaxInt64
		// A limit is rounded by less than a part in 2^52, and a float that is further inside fits.
		x := msgpack.Float(v)
		margin := math.Abs(x)/(1<<51) + float64(inside)
		if i < limitsAbove {
			r.lowFloat, r.low = max(r.lowFloat, x+margin), max(r.low, n+inside)
		} else {
			r.highFloat, r.high = min(r.highFloat, x-margin), min(r.high, n-inside)
		}
	}
	if !ok {
		r.low, r.high = 1, 0
	}
	if r.factorText != nil {
		r.lowFloat, r.highFloat = 1, 0
	}
}
