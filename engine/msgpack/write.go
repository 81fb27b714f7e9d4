package msgpack

import (
	"encoding/binary"
	"math"
)

// The Append functions add one value, in its shortest encoding, to b and
// return the longer slice, as the built-in append does.

// AppendNil appends null.
func AppendNil(b []byte) []byte { return append(b, codeNil) }

// AppendBool appends a boolean.
func AppendBool(b []byte, yes bool) []byte {
	if yes {
		return append(b, codeTrue)
	}
	return append(b, codeFalse)
}

// AppendInt appends an integer.
func AppendInt(b []byte, n int64) []byte {
	switch {
	case n >= 0:
		return AppendUint(b, uint64(n))
	case n >= -32:
		return append(b, byte(n))
	case n >= math.MinInt8:
		return append(b, codeInt8, byte(n))
	case n >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(b, codeInt16), uint16(n))
	case n >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(b, codeInt32), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, codeInt64), uint64(n))
}

// AppendUint appends an integer of 0 or more.
func AppendUint(b []byte, n uint64) []byte {
	switch {
	case n <= uint64(posFixedNumHigh):
		return append(b, byte(n))
	case n <= math.MaxUint8:
		return append(b, codeUint8, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, codeUint16), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, codeUint32), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, codeUint64), n)
}

// AppendFloat appends a float64.
func AppendFloat(b []byte, x float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, codeDouble), math.Float64bits(x))
}

// AppendString appends a string, which must be UTF-8.
func AppendString[S string | []byte](b []byte, s S) []byte {
	switch n := len(s); {
	case n < 32:
		b = append(b, fixedStrLow|byte(n))
	case n <= math.MaxUint8:
		b = append(b, codeStr8, byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, codeStr16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, codeStr32), uint32(n))
	}
	return append(b, s...)
}

// AppendBin appends bytes.
func AppendBin(b, content []byte) []byte {
	switch n := len(content); {
	case n <= math.MaxUint8:
		b = append(b, codeBin8, byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, codeBin16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, codeBin32), uint32(n))
	}
	return append(b, content...)
}

// AppendDate appends a timestamp extension for an instant in milliseconds
// since 1970.
func AppendDate(b []byte, millis int64) []byte {
	seconds, rest := millis/1000, millis%1000
	if rest < 0 {
		seconds, rest = seconds-1, rest+1000
	}
	nanos := uint64(rest) * 1e6
	switch {
	case seconds >= 0 && seconds < 1<<32 && nanos == 0:
		return binary.BigEndian.AppendUint32(append(b, codeFixExt4, 0xff), uint32(seconds))
	case seconds >= 0 && seconds < 1<<34:
		return binary.BigEndian.AppendUint64(append(b, codeFixExt8, 0xff), nanos<<34|uint64(seconds))
	}
	b = binary.BigEndian.AppendUint32(append(b, codeExt8, 12, 0xff), uint32(nanos))
	return binary.BigEndian.AppendUint64(b, uint64(seconds))
}

// AppendArray appends the header of an array; its n elements follow.
func AppendArray(b []byte, n int) []byte {
	return appendHeader(b, n, fixedArrayLow, codeArray16, codeArray32)
}

// AppendMap appends the header of a map; its n pairs of key and value follow.
func AppendMap(b []byte, n int) []byte {
	return appendHeader(b, n, fixedMapLow, codeMap16, codeMap32)
}

func appendHeader(b []byte, n int, fixed, c16, c32 byte) []byte {
	switch {
	case n < 16:
		return append(b, fixed|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, c16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, c32), uint32(n))
}
