package msgpack_test

import (
	"encoding/binary"
	"flag"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	oracle "github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// The oracle is vmihailenco's package, which shares no code with this one.
// Both sides are brought to the same Go values: nil, bool, int64, uint64
// above the int64 range, float64, nan, string, blob, instant, []any and map[string]any.
type (
	blob    string
	instant struct{ seconds, nanos int64 }
	nan     struct{} // equal to itself, unlike math.NaN
)

// byOracle decodes the one value in b.
func byOracle(t testing.TB, b []byte) any {
	t.Helper()
	var v any
	if err := oracle.Unmarshal(b, &v); err != nil {
		t.Fatalf("the oracle cannot decode %x: %v", b, err)
	}
	return plain(t, v)
}

func plain(t testing.TB, v any) any {
	switch v := v.(type) {
	case nil, bool, string, int64:
		return v
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v)
		}
		return v
	case float32:
		return plain(t, float64(v))
	case float64:
		if math.IsNaN(v) {
			return nan{}
		}
		return v
	case []byte:
		return blob(v)
	case time.Time:
		return instant{v.Unix(), int64(v.Nanosecond())}
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(t, v[i])
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for key := range v {
			m[key] = plain(t, v[key])
		}
		return m
	}
	t.Fatalf("a value of type %T", v)
	return nil
}

// byUs decodes v, a whole value, with the readers of this package. Of equal
// keys the last counts, as for the oracle.
func byUs(t testing.TB, v []byte) any {
	switch kind := msgpack.KindOf(v); kind {
	case msgpack.Null:
		return nil
	case msgpack.False, msgpack.True:
		return kind == msgpack.True
	case msgpack.Number:
		return number(t, v)
	case msgpack.String:
		return string(msgpack.Str(v))
	case msgpack.Bytes:
		return blob(msgpack.Bin(v))
	case msgpack.Date:
		seconds, nanos := msgpack.Time(v)
		return instant{seconds, int64(nanos)}
	case msgpack.Array:
		list := make([]any, 0, msgpack.Count(v))
		for element := range msgpack.Elements(v) {
			list = append(list, byUs(t, element))
		}
		return list
	case msgpack.Map:
		m := make(map[string]any, msgpack.Count(v))
		for key, value := range msgpack.Fields(v) {
			m[string(key)] = byUs(t, value)
		}
		return m
	}
	t.Fatalf("%x is no value", v)
	return nil
}

func number(t testing.TB, v []byte) any {
	n, isInt64 := msgpack.Int(v)
	x := msgpack.Float(v)
	switch {
	case isInt64:
		if !msgpack.IsInt(v) || msgpack.IsDouble(v) || x != float64(n) {
			t.Fatalf("%x: Int = %d, IsInt = %t, IsDouble = %t, Float = %g", v, n, msgpack.IsInt(v), msgpack.IsDouble(v), x)
		}
		return n
	case msgpack.IsInt(v):
		n := binary.BigEndian.Uint64(v[1:])
		if x != float64(n) {
			t.Fatalf("%x: Float = %g, want %d", v, x, n)
		}
		return n
	case !msgpack.IsDouble(v):
		t.Fatalf("%x is neither an int nor a double", v)
	case math.IsNaN(x):
		return nan{}
	}
	return x
}

// hasEqualKeys reports whether some map in v has a key twice: Go's maps, and so
// both decoders, keep one of them.
func hasEqualKeys(v []byte) bool {
	for element := range msgpack.Elements(v) {
		if hasEqualKeys(element) {
			return true
		}
	}
	keys := map[string]bool{}
	for key, value := range msgpack.Fields(v) {
		if keys[string(key)] || hasEqualKeys(value) {
			return true
		}
		keys[string(key)] = true
	}
	return false
}

var seed = flag.Uint64("seed", 0, "replay one failing run of a random test; 0 picks a new seed")

// random returns a source for one test, which says how to replay it.
func random(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("replay: go test ./engine/msgpack -run '^%s$' -seed %d", t.Name(), s)
		}
	})
	return rand.New(rand.NewPCG(s, 0))
}

// randomValue returns a Go value that the oracle can encode, with at most
// depth containers around its innermost value.
func randomValue(rng *rand.Rand, depth int) any {
	// Lengths on both sides of the limits between encodings, and of words.
	edge := func() int { return []int{0, 1, 7, 8, 9, 14, 15, 16, 17, 31, 32, 33, 255, 256}[rng.IntN(14)] }
	count := func() int { return edge() / (1 + rng.IntN(40)) }
	choices := 10
	if depth == 0 {
		choices = 8
	}
	switch rng.IntN(choices) {
	case 0:
		return []any{nil, true, false}[rng.IntN(3)]
	case 1:
		n := int64(1)<<rng.IntN(64) + int64(rng.IntN(5)) - 2
		return []any{n, -n}[rng.IntN(2)]
	case 2:
		return rng.Uint64()
	case 3:
		return []any{rng.NormFloat64(), float32(rng.NormFloat64()), math.Inf(1), math.NaN(), math.Copysign(0, -1)}[rng.IntN(5)]
	case 4, 5:
		return randomText(rng, edge())
	case 6:
		return []byte(randomText(rng, edge()))
	case 7:
		seconds := int64(1)<<rng.IntN(40) - int64(rng.IntN(3))
		return time.Unix(seconds*int64(1-2*rng.IntN(2)), int64(rng.IntN(2)*rng.IntN(1e9))).UTC()
	case 8:
		list := make([]any, count())
		for i := range list {
			list[i] = randomValue(rng, depth-1)
		}
		return list
	}
	m := map[string]any{}
	for range count() {
		m[randomText(rng, rng.IntN(40))+strconv.Itoa(len(m))] = randomValue(rng, depth-1)
	}
	return m
}

func randomText(rng *rand.Rand, runes int) string {
	alphabet := []rune("abcdefghijklmnopqrstuvwxyz")
	if rng.IntN(4) == 0 {
		alphabet = []rune("aé€𐍈\x00\x7f\ufffd")
	}
	text := make([]rune, runes)
	for i := range text {
		text[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(text)
}
