package engine

import (
	"math"
	"math/bits"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// An accumulator is what one output of an aggregate knows of one group so far.
type accumulator struct {
	n int64 // values, or numbers, that were counted

	// The sum of whole numbers, in 128 bits, and the sum of all others, with the
	// digits that adding to a large sum loses (Neumaier's algorithm, 1974).
	high      int64
	low       uint64
	sum, lost float64
	fractions bool

	// The least or greatest value: its slot and its key.
	slot uint32
	key  key

	codes []uint64 // the codes of a dictionary that were seen, a bit each
	seen  valueSet // other values that were seen, or their keys by a collation
	shown [][]byte // by a collation: of each of seen, the least value with that key
}

// addInt adds a whole number.
func (acc *accumulator) addInt(x int64) {
	acc.n++
	low, carry := bits.Add64(acc.low, uint64(x), 0)
	acc.low = low
	acc.high += x>>63 + int64(carry)
}

// addUint adds a whole number that no int64 holds.
func (acc *accumulator) addUint(x uint64) {
	acc.n++
	low, carry := bits.Add64(acc.low, x, 0)
	acc.low = low
	acc.high += int64(carry)
}

// addFloat adds a number. It adds a whole number that fits an int64 exactly,
// because JavaScript sends large whole numbers as floats.
func (acc *accumulator) addFloat(x float64) {
	if x >= -1<<63 && x < 1<<63 {
		if whole := int64(x); float64(whole) == x {
			acc.addInt(whole)
			return
		}
	}
	acc.n++
	acc.fractions = true
	sum := acc.sum + x
	if math.Abs(acc.sum) >= math.Abs(x) {
		acc.lost += acc.sum - sum + x
	} else {
		acc.lost += x - sum + acc.sum
	}
	acc.sum = sum
}

// addNumber adds v if it is a number.
func (acc *accumulator) addNumber(v []byte) {
	if msgpack.KindOf(v) != msgpack.Number {
		return
	}
	if n, ok := msgpack.Int(v); ok {
		acc.addInt(n)
	} else if n, ok := msgpack.Uint(v); ok {
		acc.addUint(n)
	} else {
		acc.addFloat(msgpack.Float(v))
	}
}

// addWhole adds v if it is a number, or takes it back. It returns false, and does
// nothing, for a number that is not added exactly: the sum of such depends on their
// order.
func (acc *accumulator) addWhole(v []byte, takeBack bool) bool {
	if msgpack.KindOf(v) != msgpack.Number {
		return true
	}
	n, ok := msgpack.Int(v)
	if !ok {
		x := msgpack.Float(v)
		if n = int64(x); !(x >= -1<<63 && x < 1<<63) || float64(n) != x || msgpack.IsInt(v) {
			return false
		}
	}
	if acc.fractions {
		return false
	}
	if !takeBack {
		acc.addInt(n)
		return true
	}
	acc.n--
	low, borrow := bits.Sub64(acc.low, uint64(n), 0)
	acc.low = low
	acc.high -= n>>63 + int64(borrow)
	return true
}

// total returns the sum as a float64.
func (acc *accumulator) total() float64 {
	whole := float64(acc.high)*(1<<64) + float64(acc.low)
	if acc.high == int64(acc.low)>>63 {
		whole = float64(int64(acc.low))
	}
	if !acc.fractions {
		return whole
	}
	if sum := acc.sum + acc.lost; sum-sum == 0 {
		return whole + sum
	}
	return whole + acc.sum // infinite or NaN: no digits were lost
}

// appendSum appends the sum: an integer if only whole numbers were added and
// MessagePack has an integer as large.
func (acc *accumulator) appendSum(b []byte) []byte {
	switch {
	case acc.fractions:
	case acc.high == int64(acc.low)>>63:
		return msgpack.AppendInt(b, int64(acc.low))
	case acc.high == 0:
		return msgpack.AppendUint(b, acc.low)
	}
	return msgpack.AppendFloat(b, acc.total())
}

// see adds a value to the distinct ones: of an array, its elements.
func (acc *accumulator) see(m *meter, v []byte) {
	if msgpack.KindOf(v) != msgpack.Array {
		acc.add(m, v)
	}
	for element := range msgpack.Elements(v) {
		acc.add(m, element)
	}
}

func (acc *accumulator) add(m *meter, v []byte) {
	before := len(acc.seen.values)
	acc.seen.add(positiveZero(v))
	if m.spend(1); len(acc.seen.values) > before {
		m.hold(len(v) + distinctBytes)
	}
}

// distinctBytes is what a different value takes besides its bytes, about.
const distinctBytes = 64

// seeAll adds the values that a path reaches in documents to the distinct ones, by
// their codes if there is a dictionary.
func (acc *accumulator) seeAll(c *content, slots []uint32, path query.Path, d *dictionary) {
	for _, slot := range slots {
		if d != nil && d.bySlot[slot] != severalCode {
			acc.seeCode(c.meter, d.bySlot[slot])
			continue
		}
		path.Bare().Visit(c.doc(slot), func(v []byte, _ bool) bool {
			if path.IsCollated() {
				acc.seeBy(c.meter, path, v)
			} else {
				acc.see(c.meter, v)
			}
			return true
		})
	}
}

// seeBy adds a value to those that are different by the collation of path: of an array,
// its elements.
func (acc *accumulator) seeBy(m *meter, path query.Path, v []byte) {
	if msgpack.KindOf(v) != msgpack.Array {
		acc.addBy(m, path, v)
	}
	for element := range msgpack.Elements(v) {
		acc.addBy(m, path, element)
	}
}

func (acc *accumulator) addBy(m *meter, path query.Path, v []byte) {
	v = positiveZero(v)
	switch number := acc.seen.add(path.Key(v)); {
	case int(number) == len(acc.shown):
		m.hold(2*len(v) + distinctBytes)
		acc.shown = append(acc.shown, slices.Clone(v))
	case msgpack.Compare(v, acc.shown[number]) < 0: // so that the order of the documents does not count
		acc.shown[number] = slices.Clone(v)
	}
	m.spend(1)
}

// positiveZero returns v, or 0 for -0. The two are one value, and which of them
// is seen first depends on the plan.
func positiveZero(v []byte) []byte {
	if msgpack.IsDouble(v) && msgpack.Float(v) == 0 {
		return zero
	}
	return v
}

var zero = msgpack.AppendInt(nil, 0)

// seeCode adds the value of a dictionary's code to the distinct ones.
func (acc *accumulator) seeCode(m *meter, code uint32) {
	for int(code/64) >= len(acc.codes) {
		m.hold(8)
		acc.codes = append(acc.codes, 0)
	}
	acc.codes[code/64] |= 1 << (code % 64)
}

// different returns the distinct values, in the order of values. The codes that
// were seen are codes of d.
func (acc *accumulator) different(m *meter, d *dictionary) [][]byte {
	for w, word := range acc.codes {
		for ; word != 0; word &= word - 1 {
			if v := d.values[w*64+bits.TrailingZeros64(word)]; v != nil {
				acc.see(m, v)
			}
		}
	}
	values := slices.Clone(acc.seen.values)
	slices.SortFunc(values, msgpack.Compare)
	if acc.shown == nil {
		return values
	}
	for i, key := range values {
		values[i] = acc.shown[acc.seen.add(key)]
	}
	return values
}
