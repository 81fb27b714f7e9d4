package engine_test

import (
	"math"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// TestKey: keys order values as the total order does, and equal keys that are
// sure belong to equal values.
func TestKey(t *testing.T) {
	rng := randomly(t)
	values := [][]byte{nil}
	for _, v := range []any{
		nil, false, true, 0, 1, -1, 0.1, -0.1, 1e300, -1e300, math.Inf(1), math.Inf(-1), math.NaN(), math.SmallestNonzeroFloat64,
		int64(1 << 53), int64(1<<53 + 1), int64(1<<63 - 1), int64(-1 << 63), uint64(1<<64 - 1), float64(1 << 63), 1<<60 - 1, 1 << 60,
		"", "a", "a\x00", "abcdefg", "abcdefgh", "abcdefgi", "abcdefg\x00", []byte{}, []byte("abcdefgh"), []any{}, []any{1}, []any{1, 2}, []any{"abcdefgh"}, M{}, M{"a": 1},
	} {
		values = append(values, encode(t, v))
	}
	for _, millis := range []int64{0, 1, -1, 1 << 40, -1 << 40, 1<<53 - 1, 1 << 60} {
		values = append(values, msgpack.AppendDate(nil, millis))
	}
	for range 300 {
		values = append(values, msgpack.AppendFloat(nil, math.Float64frombits(rng.Uint64())), msgpack.AppendInt(nil, int64(rng.Uint64())>>rng.IntN(64)))
	}
	for _, a := range values {
		for _, b := range values {
			c, sure := engine.CompareKeys(engine.KeyOf(a), engine.KeyOf(b))
			want := msgpack.Compare(a, b)
			if c != 0 && c != want || c == 0 && sure && want != 0 {
				t.Errorf("keys of %x and %x compare %d (sure: %t), the values %d", a, b, c, sure, want)
			}
		}
	}
}

// TestKey_negative: among negative numbers, a key is exact if the bits that it has
// no room for are zeros in the number, and inexact if they are ones.
func TestKey_negative(t *testing.T) {
	near := math.Float64frombits(math.Float64bits(-1) | 31)
	a, b := msgpack.AppendFloat(nil, -1), msgpack.AppendFloat(nil, near)
	c, sure := engine.CompareKeys(engine.KeyOf(a), engine.KeyOf(b))
	if c == 0 && sure {
		t.Error("keys say equal for sure")
	}
	db := newDB(t, engine.Options{ColumnThreshold: 1})
	insert(t, db, M{"x": -1.0}, M{"x": near}, M{"x": math.Float64frombits(math.Float64bits(-1) | 1)})
	count := func(text string, want int) {
		t.Helper()
		if n, err := db.Count("users", where(t, text), 0); err != nil || n != want {
			t.Error(text, "counts", n, err)
		}
	}
	count("x = -1", 1)
	count("x < -1", 2)
	if err := db.CreateIndex("users", []string{"x"}, engine.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first query does not build the index
		count("x = -1", 1)
		count("x < -1", 2)
	}
}
