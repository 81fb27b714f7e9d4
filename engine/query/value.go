package query

import (
	"bytes"
	"cmp"
	"math"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// canonical returns a copy of v in canonical encoding, which is equal to v:
// strings and containers with their shortest header, whole numbers as integers
// where one fits, other numbers as float64. JavaScript sends 5e9 as a float
// and text reads it as an integer; both must make the same Filter.
func canonical(v []byte) []byte { return appendCanonical(make([]byte, 0, len(v)), v) }

func appendCanonical(b, v []byte) []byte {
	switch msgpack.KindOf(v) {
	case msgpack.Number:
		return appendNumber(b, v)
	case msgpack.String:
		return msgpack.AppendString(b, msgpack.Str(v))
	case msgpack.Bytes:
		return msgpack.AppendBin(b, msgpack.Bin(v))
	case msgpack.Date:
		return token.AppendTime(b, token.InstantOf(v))
	case msgpack.Array:
		b = msgpack.AppendArray(b, msgpack.Count(v))
		for element := range msgpack.Elements(v) {
			b = appendCanonical(b, element)
		}
		return b
	case msgpack.Map:
		b = msgpack.AppendMap(b, msgpack.Count(v))
		for key, value := range msgpack.Fields(v) {
			b = appendCanonical(msgpack.AppendString(b, key), value)
		}
		return b
	case msgpack.Missing:
		return b
	}
	return append(b, v[0])
}

func appendNumber(b, v []byte) []byte {
	if n, ok := msgpack.Int(v); ok {
		return msgpack.AppendInt(b, n)
	}
	if n, ok := msgpack.Uint(v); ok {
		return msgpack.AppendUint(b, n)
	}
	switch x := msgpack.Float(v); {
	case x != x: // one for all that have other bits
		return msgpack.AppendFloat(b, math.NaN())
	case x != math.Trunc(x), math.IsInf(x, 0):
		return msgpack.AppendFloat(b, x)
	case x >= -1<<63 && x < 1<<63:
		return msgpack.AppendInt(b, int64(x))
	case x >= 1<<63 && x < 1<<64:
		return msgpack.AppendUint(b, uint64(x))
	default:
		return msgpack.AppendFloat(b, x)
	}
}

func isNaN(v []byte) bool { return msgpack.IsDouble(v) && math.IsNaN(msgpack.Float(v)) }

// An operand is the value that a leaf compares with, taken apart once, so that
// the usual comparisons need no second look at it.
type operand struct {
	value   []byte
	kind    msgpack.Kind
	isNaN   bool
	isSmall bool // a number below 2^53, up to which float64 holds every integer
	number  float64
	text    []byte
}

func operandOf(v []byte) operand {
	o := operand{value: v, kind: msgpack.KindOf(v), isNaN: isNaN(v)}
	switch o.kind {
	case msgpack.Number:
		o.number = msgpack.Float(v)
		o.isSmall = math.Abs(o.number) < 1<<53
	case msgpack.String:
		o.text = msgpack.Str(v)
	}
	return o
}

// equal reports whether v equals o.
func (o *operand) equal(v []byte) bool {
	switch {
	case o.isSmall:
		return msgpack.Float(v) == o.number // NaN for what is no number
	case o.kind != msgpack.String:
		return msgpack.Equal(v, o.value)
	case len(v) == len(o.value):
		return string(v) == string(o.value) // equal text in encodings of one length has equal headers
	}
	return msgpack.KindOf(v) == msgpack.String && string(msgpack.Str(v)) == string(o.text)
}

// compare returns how v compares with o; false if their kinds do not compare.
// Here the two booleans are one kind, and NaN is a kind of its own.
func (o *operand) compare(v []byte) (c int, comparable bool) {
	kind := msgpack.KindOf(v)
	switch {
	case o.isSmall:
		if kind != msgpack.Number {
			return 0, false
		}
		// Rounding an integer beyond 2^53 does not move it past a small number.
		x := msgpack.Float(v)
		switch {
		case x < o.number:
			return -1, true
		case x > o.number:
			return 1, true
		}
		return 0, x == o.number
	case kind != o.kind:
		return cmp.Compare(kind, o.kind), isBool(kind) && isBool(o.kind)
	case kind == msgpack.String:
		return bytes.Compare(msgpack.Str(v), o.text), true
	case kind == msgpack.Number && isNaN(v) != o.isNaN:
		return 0, false
	}
	return msgpack.Compare(v, o.value), true
}

func isBool(k msgpack.Kind) bool { return k == msgpack.False || k == msgpack.True }

// Compare returns how a compares with b, as a leaf compares a value with its
// operand; false if their kinds do not compare.
func Compare(a, b []byte) (c int, comparable bool) {
	o := operandOf(b)
	return o.compare(a)
}

// AppendKey appends the same bytes for equal values, and different bytes for
// others.
func AppendKey(b, v []byte) []byte {
	switch msgpack.KindOf(v) {
	case msgpack.Missing:
		return b
	case msgpack.Array:
		b = msgpack.AppendArray(b, msgpack.Count(v))
		for element := range msgpack.Elements(v) {
			b = AppendKey(b, element)
		}
		return b
	case msgpack.Map:
		b = msgpack.AppendMap(b, msgpack.Count(v))
		for key, value := range msgpack.SortedFields(v) {
			b = AppendKey(msgpack.AppendString(b, key), value)
		}
		return b
	}
	return appendCanonical(b, v)
}
