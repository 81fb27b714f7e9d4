package msgpack_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	oracle "github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// check expects the oracle, and the readers of this package, to see want in
// value, and Validate and Skip to see nothing wrong with it.
func check(t *testing.T, value []byte, want any) {
	t.Helper()
	if got := byOracle(t, value); !reflect.DeepEqual(got, want) {
		t.Fatalf("the oracle decodes %x as %#v, want %#v", value, got, want)
	}
	if n, err := msgpack.Validate(value, 100); err != nil || n != len(value) {
		t.Fatalf("Validate(%x) = %d, %v; the value has %d bytes", value, n, err, len(value))
	}
	if n := msgpack.Skip(value); n != len(value) {
		t.Fatalf("Skip(%x) = %d; the value has %d bytes", value, n, len(value))
	}
	if got := byUs(t, value); !reflect.DeepEqual(got, want) {
		t.Fatalf("the readers see %#v in %x, want %#v", got, value, want)
	}
}

// encoded expects value to be what the oracle makes of v, byte for byte:
// it also takes the shortest encoding.
func encoded(t *testing.T, value []byte, v any) {
	t.Helper()
	var want bytes.Buffer
	e := oracle.NewEncoder(&want)
	e.UseCompactInts(true)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(value, want.Bytes()) {
		t.Fatalf("%x, but the oracle encodes %v as %x", value, v, want.Bytes())
	}
}

func TestAppend_scalars(t *testing.T) {
	check(t, msgpack.AppendNil(nil), nil)
	check(t, msgpack.AppendBool(nil, true), true)
	check(t, msgpack.AppendBool(nil, false), false)
	for _, x := range []float64{0, 1, -1.5, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1)} {
		check(t, msgpack.AppendFloat(nil, x), x)
		encoded(t, msgpack.AppendFloat(nil, x), x)
	}
	check(t, msgpack.AppendFloat(nil, math.NaN()), nan{})
	if x := msgpack.Float(msgpack.AppendFloat(nil, math.Copysign(0, -1))); x != 0 || !math.Signbit(x) {
		t.Errorf("-0 is read as %g", x)
	}
}

func TestAppend_integers(t *testing.T) {
	for shift := range 64 {
		for step := range int64(5) {
			n := int64(1)<<shift + step - 2
			for _, n := range []int64{n, -n} {
				check(t, msgpack.AppendInt(nil, n), n)
				if n != math.MinInt64 { // the oracle writes that one, but not compactly
					encoded(t, msgpack.AppendInt(nil, n), n)
				}
			}
			u := uint64(1)<<shift + uint64(step) - 2
			encoded(t, msgpack.AppendUint(nil, u), u)
			if u <= math.MaxInt64 {
				check(t, msgpack.AppendUint(nil, u), int64(u))
			} else {
				check(t, msgpack.AppendUint(nil, u), u)
			}
		}
	}
}

// Lengths on both sides of every limit between encodings.
var lengths = []int{0, 1, 15, 16, 31, 32, 33, 255, 256, 65535, 65536}

func TestAppend_textAndBytes(t *testing.T) {
	for _, n := range lengths {
		text := strings.Repeat("x", n)
		check(t, msgpack.AppendString(nil, text), text)
		encoded(t, msgpack.AppendString(nil, text), text)
		if from := msgpack.AppendString(nil, []byte(text)); !bytes.Equal(from, msgpack.AppendString(nil, text)) {
			t.Errorf("text of %d bytes: a string and a []byte of it are written differently", n)
		}
		check(t, msgpack.AppendBin(nil, []byte(text)), blob(text))
		encoded(t, msgpack.AppendBin(nil, []byte(text)), []byte(text))
	}
}

func TestAppend_containers(t *testing.T) {
	for _, n := range lengths {
		array, elements := msgpack.AppendArray(nil, n), make([]any, n)
		for i := range elements {
			array, elements[i] = msgpack.AppendInt(array, int64(i)), int64(i)
		}
		check(t, array, elements)

		m, fields := msgpack.AppendMap(nil, n), make(map[string]any, n)
		for i := range n {
			key := strings.Repeat("k", i%7) + time.Duration(i).String()
			m, fields[key] = msgpack.AppendInt(msgpack.AppendString(m, key), int64(i)), int64(i)
		}
		check(t, m, fields)
	}
}

func TestAppendDate(t *testing.T) {
	for _, millis := range []int64{
		0, 1, 999, 1000, 1500, 1_714_557_600_123, -1, -999, -1000, -1001, -62_135_596_800_000,
		1<<32*1000 - 1000, 1<<32*1000 - 1, 1 << 32 * 1000, // between 32 and 64 bits
		1<<34*1000 - 1000, 1<<34*1000 - 1, 1 << 34 * 1000, // between 64 and 96 bits
		8_640_000_000_000_000, -8_640_000_000_000_000, // the limits of JavaScript's Date
	} {
		v := msgpack.AppendDate(nil, millis)
		at := time.UnixMilli(millis)
		check(t, v, instant{at.Unix(), int64(at.Nanosecond())})
		encoded(t, v, at)
		if got := msgpack.DateMillis(v); got != float64(millis) {
			t.Errorf("DateMillis(AppendDate(%d)) = %v", millis, got)
		}
	}
}

func TestAppend_addsToTheEnd(t *testing.T) {
	b := []byte("kept")
	b = msgpack.AppendMap(b, 1)
	b = msgpack.AppendString(b, "a")
	b = msgpack.AppendArray(b, 4)
	b = msgpack.AppendDate(b, 1000)
	b = msgpack.AppendBin(b, []byte{1})
	b = msgpack.AppendBool(b, true)
	b = msgpack.AppendNil(b)
	if want := append([]byte("kept"), bin("81 a161 94 d6ff00000001 c40101 c3 c0")...); !bytes.Equal(b, want) {
		t.Errorf("%x, want %x", b, want)
	}
}

// TestOracle reads what the oracle writes, and finds in it what went in.
func TestOracle(t *testing.T) {
	rng := random(t)
	for range 2000 {
		v := randomValue(rng, 4)
		var buffer bytes.Buffer
		e := oracle.NewEncoder(&buffer)
		e.UseCompactInts(rng.IntN(2) == 0)
		e.UseCompactFloats(rng.IntN(4) == 0)
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
		b := buffer.Bytes()
		want := byOracle(t, b)
		check(t, b, want)
		fields, _ := want.(map[string]any)
		for key, want := range fields {
			if got := byUs(t, msgpack.Lookup(b, key)); !reflect.DeepEqual(got, want) {
				t.Fatalf("Lookup(%x, %q) is %#v, want %#v", b, key, got, want)
			}
		}
	}
}
