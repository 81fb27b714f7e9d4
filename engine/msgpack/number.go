package msgpack

import (
	"encoding/binary"
	"math"
)

// A form is how Go holds a number.
type form uint8

const (
	notNumber form = iota
	small          // an int64
	huge           // a uint64 above the int64 range
	double         // a float64
)

// number returns the bits of v in the form that it returns with them.
func number(v []byte) (bits uint64, f form) {
	if len(v) == 0 {
		return 0, notNumber
	}
	c := v[0]
	if int8(c) >= -32 { // the fixed numbers are themselves
		return uint64(int8(c)), small
	}
	switch c {
	case codeUint8:
		return uint64(v[1]), small
	case codeUint16:
		return uint64(binary.BigEndian.Uint16(v[1:])), small
	case codeUint32:
		return uint64(binary.BigEndian.Uint32(v[1:])), small
	case codeUint64:
		bits = binary.BigEndian.Uint64(v[1:])
		if bits > math.MaxInt64 {
			return bits, huge
		}
		return bits, small
	case codeInt8:
		return uint64(int8(v[1])), small
	case codeInt16:
		return uint64(int16(binary.BigEndian.Uint16(v[1:]))), small
	case codeInt32:
		return uint64(int32(binary.BigEndian.Uint32(v[1:]))), small
	case codeInt64:
		return binary.BigEndian.Uint64(v[1:]), small
	case codeDouble:
		return binary.BigEndian.Uint64(v[1:]), double
	case codeFloat:
		return math.Float64bits(float64(math.Float32frombits(binary.BigEndian.Uint32(v[1:])))), double
	}
	return 0, notNumber
}

// IsInt reports whether v is a number in one of the integer encodings.
func IsInt(v []byte) bool {
	return KindOf(v) == Number && !IsDouble(v)
}

// IsDouble reports whether v is encoded as a float, of either width.
func IsDouble(v []byte) bool {
	return len(v) > 0 && (v[0] == codeDouble || v[0] == codeFloat)
}

// Int returns the integer v; false if v is no integer or above the int64 range.
func Int(v []byte) (int64, bool) {
	bits, f := number(v)
	if f != small {
		return 0, false
	}
	return int64(bits), true
}

// Uint returns the integer v; false if v is no integer or below 0.
func Uint(v []byte) (uint64, bool) {
	bits, f := number(v)
	return bits, f == huge || f == small && int64(bits) >= 0
}

// Float returns the number v, rounded to the nearest float64 where it is an
// integer beyond 2^53; NaN for other kinds.
func Float(v []byte) float64 {
	switch bits, f := number(v); f {
	case small:
		return float64(int64(bits))
	case huge:
		return float64(bits)
	case double:
		return math.Float64frombits(bits)
	}
	return math.NaN()
}
