package msgpack_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

func integer(n int64) []byte   { return msgpack.AppendInt(nil, n) }
func unsigned(n uint64) []byte { return msgpack.AppendUint(nil, n) }
func float(x float64) []byte   { return msgpack.AppendFloat(nil, x) }

// ascending lists values in the total order; those in one row are equal.
var ascending = [][][]byte{
	{nil, {}},
	{bin("c0")},
	{bin("c2")},
	{bin("c3")},

	{float(math.NaN()), bin("ca 7fc00000"), bin("cb fff8000000000001")},
	{float(math.Inf(-1)), bin("ca ff800000")},
	{float(-math.MaxFloat64)},
	{float(-1 << 63 * 2), bin("ca df800000")},
	{float(math.Nextafter(-1<<63, math.Inf(-1)))},
	{integer(math.MinInt64), float(-1 << 63), bin("ca df000000")},
	{integer(math.MinInt64 + 1)}, // no float64 is equal to this
	{integer(-1<<53 - 1)},
	{integer(-1 << 53), float(-1 << 53)},
	{integer(-1<<53 + 1), float(-1<<53 + 1)},
	{float(-1.5), bin("ca bfc00000")},
	{integer(-1), float(-1), bin("d0 ff"), bin("d1 ffff"), bin("d2 ffffffff"), bin("d3 ffffffffffffffff")},
	{float(-0.5)},
	{float(-math.SmallestNonzeroFloat64)},
	{integer(0), float(0), float(math.Copysign(0, -1)), bin("ca 00000000"), bin("ca 80000000"), bin("cc 00"), bin("d3 0000000000000000")},
	{float(math.SmallestNonzeroFloat64)},
	{float(0.1)},
	{bin("ca 3dcccccd")}, // the float32 nearest to 0.1 is a little more
	{float(0.5), bin("ca 3f000000")},
	{integer(1), float(1), bin("ca 3f800000"), bin("cc 01"), bin("cd 0001"), bin("ce 00000001"), bin("cf 0000000000000001"), bin("d0 01")},
	{float(math.Nextafter(1, 2))},
	{integer(127), bin("cc 7f"), float(127)},
	{integer(128), bin("d1 0080"), float(128)},
	{integer(255), float(255)},
	{integer(256), float(256)},
	{bin("ca 4b800000"), integer(1 << 24)},
	{integer(1<<24 + 1)}, // no float32 is
	{integer(1 << 32), float(1 << 32)},
	{integer(1<<53 - 1), float(1<<53 - 1)},
	{integer(1 << 53), float(1 << 53)},
	{integer(1<<53 + 1)}, // as a float64 it would be 2^53
	{integer(1<<53 + 2), float(1<<53 + 2)},
	{float(math.Nextafter(1<<63, 0))},
	{integer(math.MaxInt64 - 1)},
	{integer(math.MaxInt64)}, // as a float64 it would be 2^63
	{unsigned(1 << 63), float(1 << 63), bin("ca 5f000000")},
	{unsigned(1<<63 + 1)},
	{unsigned(1<<63 + 2048), float(1<<63 + 2048)},
	{unsigned(1<<64 - 2048), float(1<<64 - 2048)},
	{unsigned(math.MaxUint64 - 1)},
	{unsigned(math.MaxUint64)}, // as a float64 it would be 2^64
	{float(1 << 64), bin("ca 5f800000")},
	{float(math.MaxFloat32), bin("ca 7f7fffff")},
	{float(math.MaxFloat64)},
	{float(math.Inf(1)), bin("ca 7f800000")},

	{str(""), bin("d9 00"), bin("da 0000"), bin("db 00000000")},
	{str("\x00")},
	{str("A")},
	{str("a"), bin("d9 01 61"), bin("da 0001 61"), bin("db 00000001 61")},
	{str("a\x00")},
	{str("aa")},
	{str("ab")},
	{str("b")},
	{str(strings.Repeat("x", 31))},
	{str(strings.Repeat("x", 32)), bin("da 0020" + strings.Repeat("78", 32))},
	{str(strings.Repeat("x", 300))},
	{str("é")},
	{str("\uffff")},
	{str("𐍈")}, // after U+FFFF here; before it in UTF-16

	{msgpack.AppendBin(nil, nil), bin("c5 0000")},
	{msgpack.AppendBin(nil, []byte{0})},
	{msgpack.AppendBin(nil, []byte{1}), bin("c5 0001 01"), bin("c6 00000001 01")},
	{msgpack.AppendBin(nil, []byte{1, 0})},
	{msgpack.AppendBin(nil, []byte{2})},
	{msgpack.AppendBin(nil, []byte{0xff})},

	{bin("c7 0c ff 00000000 8000000000000000")},
	{msgpack.AppendDate(nil, -8_640_000_000_000_000)},
	{msgpack.AppendDate(nil, -1001)},
	{msgpack.AppendDate(nil, -1)},
	{msgpack.AppendDate(nil, 0), bin("d7 ff 0000000000000000"), bin("c7 0c ff 00000000 0000000000000000")},
	{bin("d7 ff 0000000400000000"), bin("c7 0c ff 00000001 0000000000000000")}, // one nanosecond
	{msgpack.AppendDate(nil, 1)},
	{msgpack.AppendDate(nil, 1000), bin("d7 ff 0000000000000001"), bin("c7 0c ff 00000000 0000000000000001")},
	{bin("d6 ff ffffffff"), bin("d7 ff 00000000ffffffff")},
	{bin("d7 ff ee6b27ffffffffff"), bin("c7 0c ff 3b9ac9ff 00000003ffffffff")},
	{msgpack.AppendDate(nil, 8_640_000_000_000_000)},

	{list(), bin("dc 0000"), bin("dd 00000000")},
	{list(bin("c0"))},
	{list(bin("c0"), bin("c0"))},
	{list(integer(1)), list(float(1)), bin("dc 0001 01"), bin("dd 00000001 01")},
	{list(integer(1), bin("c0"))},
	{list(integer(1), integer(2), integer(9)), list(float(1), bin("cc 02"), bin("ca 41100000"))},
	{list(integer(1), integer(3))},
	{list(integer(2))},
	{list(str("a"))},
	{list(list())},
	{list(list(), integer(1))},
	{list(list(integer(1)))},
	{list(object())},

	{object(), bin("de 0000"), bin("df 00000000")},
	{object("", integer(9))},
	{object("a", bin("c0"))},
	{object("a", bin("c0"), "b", bin("c0")), object("b", bin("c0"), "a", bin("c0"))},
	{object("a", integer(1)), object("a", float(1)), bin("de 0001 a161 01"), bin("81 d90161 01")},
	{
		object("a", integer(1), "b", integer(2), "c", integer(3)),
		object("c", integer(3), "a", integer(1), "b", integer(2)),
		object("b", float(2), "c", integer(3), "a", integer(1)),
		bin("df 00000003 a162 02 db00000001 61 01 a163 03"),
	},
	// Written in one order, and later written first: the smaller key decides.
	{object("b", integer(9), "a", integer(2)), object("a", integer(2), "b", integer(9))},
	{object("b", integer(1), "a", integer(3)), object("a", integer(3), "b", integer(1))},
	{object("a", list(integer(1), object("x", integer(1), "y", integer(2)))), object("a", list(integer(1), object("y", integer(2), "x", integer(1))))},
	{object("a", list(integer(1), object("x", integer(1), "y", integer(3))))},
	{object("aa", bin("c0"))},
	{object("b", bin("c0"))},
	{object("b", bin("c0"), "c", integer(1)), object("c", integer(1), "b", bin("c0"))},
	{object("b", bin("c0"), "d", bin("c0"))},
	{object(strings.Repeat("k", 40), integer(1)), bin("81 da0028" + strings.Repeat("6b", 40) + "01")},
}

// TestCompare compares each two values of ascending, both ways.
func TestCompare(t *testing.T) {
	for i, rowA := range ascending {
		for j, rowB := range ascending {
			for _, a := range rowA {
				for _, b := range rowB {
					want := cmp.Compare(i, j)
					if got := msgpack.Compare(a, b); got != want {
						t.Errorf("Compare(%x, %x) = %d, want %d", a, b, got, want)
					}
					if got := msgpack.Equal(a, b); got != (want == 0) {
						t.Errorf("Equal(%x, %x) = %t", a, b, got)
					}
				}
			}
		}
	}
}

func TestCompare_isCheapOnHostileNesting(t *testing.T) {
	// At each level the keys agree but for the last: an implementation that
	// compared the values before it noticed would take 2^200 steps.
	nest := func(last string) []byte {
		v := integer(1)
		for range 200 {
			v = object("a", v, last, integer(1))
		}
		return v
	}
	if got := msgpack.Compare(nest("x"), nest("y")); got != -1 {
		t.Errorf("Compare = %d, want -1", got)
	}
}

func TestCompare_allocatesNothing(t *testing.T) {
	a, b := order(), append(order()[:299:299], 'R') // differ in the last byte
	if n := testing.AllocsPerRun(10, func() { msgpack.Compare(a, b); msgpack.Equal(a, b) }); n != 0 {
		t.Errorf("%v allocations for two documents of one shape, want 0", n)
	}
}

// modelCompare is the order's definition over decoded values, slow and plain.
func modelCompare(a, b any) int {
	if c := cmp.Compare(modelRank(a), modelRank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case string:
		return strings.Compare(a, b.(string))
	case blob:
		return strings.Compare(string(a), string(b.(blob)))
	case instant:
		b := b.(instant)
		return cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.nanos, b.nanos))
	case []any:
		return slices.CompareFunc(a, b.([]any), modelCompare)
	case map[string]any:
		return slices.CompareFunc(modelPairs(a), modelPairs(b.(map[string]any)), modelCompare)
	case nil, bool, nan:
		return 0
	}
	return exact(a).Cmp(exact(b))
}

func modelRank(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 2
		}
		return 1
	case nan:
		return 3
	case int64, uint64, float64:
		return 4
	case string:
		return 5
	case blob:
		return 6
	case instant:
		return 7
	case []any:
		return 8
	}
	return 9
}

// modelPairs is a map as the list of [key, value] that it compares as.
func modelPairs(m map[string]any) []any {
	var pairs []any
	for _, key := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, []any{key, m[key]})
	}
	return pairs
}

func exact(n any) *big.Float {
	x := new(big.Float).SetPrec(2000)
	switch n := n.(type) {
	case int64:
		return x.SetInt64(n)
	case uint64:
		return x.SetUint64(n)
	case float64:
		return x.SetFloat64(n)
	}
	panic(fmt.Sprintf("%T is no number", n))
}

// FuzzCompare: Compare is a total order over whatever Validate accepts, the
// one that modelCompare defines, and Equal agrees with it.
func FuzzCompare(f *testing.F) {
	for i := range ascending {
		near := func(step int) []byte { row := ascending[(i+step)%len(ascending)]; return row[step%len(row)] }
		f.Add(near(0), near(1), near(2))
		f.Add(near(0), near(len(ascending)/3), near(len(ascending)/2))
	}
	f.Add(person(), order(), variant(3))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		values := [][]byte{a, b, c}
		for i, v := range values {
			n, err := msgpack.Validate(v, 16)
			if err != nil {
				return
			}
			values[i] = v[:n:n]
		}
		for _, x := range values {
			if msgpack.Compare(x, x) != 0 {
				t.Fatalf("%x is not equal to itself", x)
			}
			for _, y := range values {
				xy, yx := msgpack.Compare(x, y), msgpack.Compare(y, x)
				if xy != -yx || xy < -1 || xy > 1 {
					t.Fatalf("Compare(%x, %x) = %d, but %d the other way", x, y, xy, yx)
				}
				if msgpack.Equal(x, y) != (xy == 0) {
					t.Fatalf("Compare(%x, %x) = %d, but Equal = %t", x, y, xy, xy != 0)
				}
				if kx, ky := msgpack.KindOf(x), msgpack.KindOf(y); kx != ky && xy != cmp.Compare(kx, ky) {
					t.Fatalf("Compare(%x, %x) = %d, but the kinds are %v and %v", x, y, xy, kx, ky)
				}
				for _, z := range values {
					if xy <= 0 && msgpack.Compare(y, z) <= 0 && msgpack.Compare(x, z) > 0 {
						t.Fatalf("%x <= %x <= %x, but not the first <= the last", x, y, z)
					}
				}
				if hasEqualKeys(x) || hasEqualKeys(y) {
					continue // the model has no opinion
				}
				if want := modelCompare(byOracle(t, x), byOracle(t, y)); xy != want {
					t.Fatalf("Compare(%x, %x) = %d, the model says %d", x, y, xy, want)
				}
			}
		}
	})
}
