package msgpack_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// TestWhole compares with math/big, at the ends of the range and around them.
func TestWhole(t *testing.T) {
	var all []*big.Int
	for _, shift := range []uint{0, 1, 31, 32, 53, 62, 63, 64} {
		for offset := int64(-2); offset <= 2; offset++ {
			n := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), shift), big.NewInt(offset))
			all = append(all, n, new(big.Int).Neg(n))
		}
	}
	least, most := big.NewInt(math.MinInt64), new(big.Int).SetUint64(math.MaxUint64)
	inRange := func(n *big.Int) bool { return n.Cmp(least) >= 0 && n.Cmp(most) <= 0 }
	isUnsigned := func(n *big.Int) bool { return n.Sign() > 0 && !n.IsInt64() }
	encoded := func(n *big.Int) []byte {
		if n.Sign() < 0 {
			return msgpack.AppendInt(nil, n.Int64())
		}
		return msgpack.AppendUint(nil, n.Uint64())
	}
	for _, a := range all {
		if !inRange(a) {
			continue
		}
		v, ok := msgpack.WholeOf(encoded(a))
		if !ok || string(v.Append(nil)) != string(encoded(a)) {
			t.Fatalf("%v does not come back", a)
		}
		for _, b := range all {
			if !inRange(b) {
				continue
			}
			w, _ := msgpack.WholeOf(encoded(b))
			for _, op := range []struct {
				name string
				do   func(msgpack.Whole) (msgpack.Whole, bool)
				want *big.Int
			}{
				{"+", v.Plus, new(big.Int).Add(a, b)},
				{"-", v.Minus, new(big.Int).Sub(a, b)},
				{"*", v.Times, new(big.Int).Mul(a, b)},
				{"/", v.Over, divided(a, b)},
				{"%", v.Modulo, remainder(a, b)},
				{"negated", func(msgpack.Whole) (msgpack.Whole, bool) { return v.Negated() }, new(big.Int).Neg(a)},
			} {
				got, ok := op.do(w)
				switch want := op.want != nil && inRange(op.want) && (!isUnsigned(op.want) || isUnsigned(a) || isUnsigned(b) && op.name != "negated"); {
				case ok != want:
					t.Errorf("%v %s %v: in range %v, want %v", a, op.name, b, ok, want)
				case ok && string(got.Append(nil)) != string(encoded(op.want)):
					t.Errorf("%v %s %v is not %v", a, op.name, b, op.want)
				}
			}
		}
	}
	for _, x := range []float64{0.5, 1 << 64, -1<<63 - 2048, math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, ok := msgpack.WholeOfFloat(x); ok {
			t.Errorf("%v is taken for a whole number of the range", x)
		}
	}
	for _, x := range []float64{0, -7, 1 << 53, -1 << 63, 1<<64 - 2048} {
		w, ok := msgpack.WholeOfFloat(x)
		if !ok || msgpack.Float(w.Append(nil)) != x {
			t.Errorf("%v does not come back", x)
		}
	}
	for _, v := range [][]byte{nil, msgpack.AppendNil(nil), msgpack.AppendFloat(nil, 1)} {
		if _, ok := msgpack.WholeOf(v); ok {
			t.Errorf("%x is taken for an integer", v)
		}
	}
}

// divided is a/b without its fraction; nil if b is 0.
func divided(a, b *big.Int) *big.Int {
	if b.Sign() == 0 {
		return nil
	}
	return new(big.Int).Quo(a, b)
}

func remainder(a, b *big.Int) *big.Int {
	if b.Sign() == 0 {
		return nil
	}
	return new(big.Int).Rem(a, b)
}
