package msgpack

import (
	"bytes"
	"cmp"
	"math"
	"slices"
)

// Compare returns -1, 0 or 1 as a comes before, with or after b in the total
// order over values: missing, null, false, true, numbers, strings, bytes,
// dates, arrays, maps.
//
//   - Numbers compare by their exact value, whatever their encoding; NaN comes
//     first and equals itself; -0 equals 0.
//   - Strings compare by their UTF-8 bytes, which is code point order.
//   - Arrays compare element by element, and a prefix comes first.
//   - Maps compare as the list of their pairs sorted by key, so the order in
//     which fields were written does not count.
func Compare(a, b []byte) int {
	ka, kb := KindOf(a), KindOf(b)
	if ka != kb {
		return cmp.Compare(ka, kb)
	}
	switch ka {
	case Number:
		return compareNumbers(a, b)
	case String:
		return bytes.Compare(Str(a), Str(b))
	case Bytes:
		return bytes.Compare(Bin(a), Bin(b))
	case Date:
		as, an := Time(a)
		bs, bn := Time(b)
		return cmp.Or(cmp.Compare(as, bs), cmp.Compare(an, bn))
	case Array:
		return compareArrays(a, b)
	case Map:
		return compareMaps(a, b)
	}
	return 0
}

// Equal reports whether Compare(a, b) is 0.
func Equal(a, b []byte) bool {
	if len(a) > 0 && len(a) == len(b) && KindOf(a) == String {
		return bytes.Equal(a, b) // of one whole length, so equal text has an equal header too
	}
	return Compare(a, b) == 0
}

func compareNumbers(a, b []byte) int {
	na, bigA, intA := integer(a)
	nb, bigB, intB := integer(b)
	switch {
	case intA && intB:
		if bigA || bigB {
			// A uint64 above the int64 range is larger than every int64, and
			// two of them compare by their bits.
			if bigA && bigB {
				return cmp.Compare(uint64(na), uint64(nb))
			}
			return cmp.Compare(btoi(bigA), btoi(bigB))
		}
		return cmp.Compare(na, nb)
	case intA:
		return -compareFloatInt(Float(b), na, bigA)
	case intB:
		return compareFloatInt(Float(a), nb, bigB)
	}
	return cmp.Compare(Float(a), Float(b)) // cmp puts NaN first
}

// compareFloatInt compares x with the integer n (with its bits, if big)
// exactly: float64(n) could round, and then 2^53 would equal 2^53+1.
func compareFloatInt(x float64, n int64, big bool) int {
	switch {
	case math.IsNaN(x):
		return -1
	case x >= 1<<64:
		return 1
	case x < -1<<63:
		return -1
	case big || x >= 1<<63:
		if x < 1<<63 {
			return -1
		}
		if !big {
			return 1
		}
		return cmp.Compare(uint64(x), uint64(n)) // at 2^63 and above every float64 is whole
	}
	whole := math.Trunc(x)
	return cmp.Or(cmp.Compare(int64(whole), n), cmp.Compare(x, whole))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareArrays(a, b []byte) int {
	na, pa := Container(a)
	nb, pb := Container(b)
	for range min(na, nb) {
		la, lb := Skip(a[pa:]), Skip(b[pb:])
		if c := Compare(a[pa:pa+la], b[pb:pb+lb]); c != 0 {
			return c
		}
		pa, pb = pa+la, pb+lb
	}
	return cmp.Compare(na, nb)
}

// A pair is one field of a map.
type pair struct{ key, value []byte }

func compareMaps(a, b []byte) int {
	pa, pb := sortedPairs(a), sortedPairs(b)
	for i := range min(len(pa), len(pb)) {
		if c := cmp.Or(bytes.Compare(pa[i].key, pb[i].key), Compare(pa[i].value, pb[i].value)); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(pa), len(pb))
}

func sortedPairs(m []byte) []pair {
	count, pos := Container(m)
	pairs := make([]pair, 0, count)
	for range count {
		key := Str(m[pos:])
		pos += Skip(m[pos:])
		n := Skip(m[pos:])
		pairs = append(pairs, pair{key, m[pos : pos+n]})
		pos += n
	}
	slices.SortStableFunc(pairs, func(x, y pair) int { return bytes.Compare(x.key, y.key) })
	return pairs
}

// IsDouble reports whether v is encoded as a float, of either width.
func IsDouble(v []byte) bool {
	return len(v) > 0 && (v[0] == codeDouble || v[0] == codeFloat)
}
