package engine_test

import (
	"math"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// TestKey_negative: the key of a negative number whose last bits are ones is as
// short as that of one whose are zeros is exact.
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
