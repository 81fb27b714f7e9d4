package engine

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A tally is what one output of an aggregate knows of one group so far.
type tally struct {
	n int64 // values, or numbers, that were counted

	// The sum of whole numbers, 128 bits, and of all others, with what Neumaier's
	// algorithm (1974) saves of the digits that adding to a large sum loses.
	high      int64
	low       uint64
	sum, lost float64
	fractions bool

	// The least or greatest value: where, and its key.
	slot uint32
	key  key

	codes []uint64 // of a dictionary: those that were seen, a bit each
	seen  valueSet // other values that were seen
}

// addInt adds a whole number.
func (t *tally) addInt(x int64) {
	t.n++
	low, carry := bits.Add64(t.low, uint64(x), 0)
	t.low = low
	t.high += x>>63 + int64(carry)
}

// addUint adds a whole number that no int64 holds.
func (t *tally) addUint(x uint64) {
	t.n++
	low, carry := bits.Add64(t.low, x, 0)
	t.low = low
	t.high += int64(carry)
}

// addFloat adds a number. A whole one that an int64 holds is added exactly,
// however it is encoded: JavaScript sends large whole numbers as floats.
func (t *tally) addFloat(x float64) {
	if x >= -1<<63 && x < 1<<63 {
		if whole := int64(x); float64(whole) == x {
			t.addInt(whole)
			return
		}
	}
	t.n++
	t.fractions = true
	sum := t.sum + x
	if math.Abs(t.sum) >= math.Abs(x) {
		t.lost += t.sum - sum + x
	} else {
		t.lost += x - sum + t.sum
	}
	t.sum = sum
}

// addNumber adds v if it is a number.
func (t *tally) addNumber(v []byte) {
	if msgpack.KindOf(v) != msgpack.Number {
		return
	}
	if n, ok := msgpack.Int(v); ok {
		t.addInt(n)
	} else if msgpack.IsInt(v) {
		t.addUint(binary.BigEndian.Uint64(v[1:])) // above int64, an integer has one encoding
	} else {
		t.addFloat(msgpack.Float(v))
	}
}

// total returns the sum as a float64.
func (t *tally) total() float64 {
	whole := float64(t.high)*(1<<64) + float64(t.low)
	if t.high == int64(t.low)>>63 {
		whole = float64(int64(t.low))
	}
	if !t.fractions {
		return whole
	}
	if sum := t.sum + t.lost; sum-sum == 0 {
		return whole + sum
	}
	return whole + t.sum // infinite or NaN, of which nothing is lost
}

// appendSum appends the sum: an integer if only whole numbers were added and
// MessagePack has one as large.
func (t *tally) appendSum(b []byte) []byte {
	switch {
	case t.fractions:
	case t.high == int64(t.low)>>63:
		return msgpack.AppendInt(b, int64(t.low))
	case t.high == 0:
		return msgpack.AppendUint(b, t.low)
	}
	return msgpack.AppendFloat(b, t.total())
}

// see takes in a value for distinct: of an array, the elements.
func (t *tally) see(v []byte) {
	switch msgpack.KindOf(v) {
	case msgpack.Array:
		eachElement(v, func(v []byte) { t.seen.add(positiveZero(v)) })
	default:
		t.seen.add(positiveZero(v))
	}
}

// positiveZero returns v, or 0 for -0: the two are one value, and which of them
// is met first depends on the way that is taken.
func positiveZero(v []byte) []byte {
	if msgpack.IsDouble(v) && msgpack.Float(v) == 0 {
		return zero
	}
	return v
}

var zero = msgpack.AppendInt(nil, 0)

// seeCode takes in a value of a dictionary.
func (t *tally) seeCode(code uint32) {
	for int(code/64) >= len(t.codes) {
		t.codes = append(t.codes, 0)
	}
	t.codes[code/64] |= 1 << (code % 64)
}

// different returns the values that were seen, in the order of values. The
// codes are those of d.
func (t *tally) different(d *dictionary) [][]byte {
	for w, word := range t.codes {
		for ; word != 0; word &= word - 1 {
			if v := d.values[w*64+bits.TrailingZeros64(word)]; v != nil {
				t.see(v)
			}
		}
	}
	values := slices.Clone(t.seen.values)
	slices.SortFunc(values, msgpack.Compare)
	return values
}
