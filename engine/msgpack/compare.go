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
	if bytes.Equal(a, b) {
		return true
	}
	kind := KindOf(a)
	switch {
	case kind != KindOf(b):
		return false
	case kind == String:
		return bytes.Equal(Str(a), Str(b))
	}
	return Compare(a, b) == 0
}

func compareNumbers(a, b []byte) int {
	x, fx := number(a)
	y, fy := number(b)
	switch {
	case fx == double && fy == double:
		return cmp.Compare(math.Float64frombits(x), math.Float64frombits(y)) // puts NaN first
	case fx == double:
		return compareFloatInt(math.Float64frombits(x), y, fy)
	case fy == double:
		return -compareFloatInt(math.Float64frombits(y), x, fx)
	case fx == fy && fx == small:
		return cmp.Compare(int64(x), int64(y))
	case fx == fy:
		return cmp.Compare(x, y)
	}
	return cmp.Compare(fx, fy) // every huge integer is above every small one
}

// compareFloatInt compares x with an integer exactly: as a float64 that could
// be rounded, and then 2^53 would equal 2^53+1.
func compareFloatInt(x float64, bits uint64, f form) int {
	switch {
	case !(x >= -1<<63): // also NaN
		return -1
	case x >= 1<<64:
		return 1
	case f == huge && x >= 1<<63:
		return cmp.Compare(uint64(x), bits) // up here every float64 is whole
	case f == huge:
		return -1
	case x >= 1<<63:
		return 1
	}
	whole := math.Trunc(x)
	return cmp.Or(cmp.Compare(int64(whole), int64(bits)), cmp.Compare(x, whole))
}

func compareArrays(a, b []byte) int {
	na, pa := Container(a)
	nb, pb := Container(b)
	for range min(na, nb) {
		if c := Compare(a[pa:], b[pb:]); c != 0 {
			return c
		}
		pa += Skip(a[pa:])
		pb += Skip(b[pb:])
	}
	return cmp.Compare(na, nb)
}

func compareMaps(a, b []byte) int {
	if sameKeys(a, b) {
		return compareInStep(a, b)
	}
	pa, pb := sortedPairs(a), sortedPairs(b)
	for i := range min(len(pa), len(pb)) {
		if c := bytes.Compare(pa[i].key, pb[i].key); c != 0 {
			return c
		}
		if c := Compare(pa[i].value, pb[i].value); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(pa), len(pb))
}

// sameKeys reports whether two maps have the same keys in the same order, as
// most documents of one program do; then nothing must be sorted.
func sameKeys(a, b []byte) bool {
	na, pa := Container(a)
	nb, pb := Container(b)
	if na != nb {
		return false
	}
	for range na {
		if !bytes.Equal(Str(a[pa:]), Str(b[pb:])) {
			return false
		}
		pa += Skip(a[pa:])
		pb += Skip(b[pb:])
		pa += Skip(a[pa:])
		pb += Skip(b[pb:])
	}
	return true
}

// compareInStep compares two maps that have the same keys. The first
// difference in the order of the keys decides, wherever it was written.
func compareInStep(a, b []byte) int {
	count, pa := Container(a)
	_, pb := Container(b)
	var result int
	var decisive []byte // the key of the values that gave result
	for range count {
		key := Str(a[pa:])
		pa += Skip(a[pa:])
		pb += Skip(b[pb:])
		if result == 0 || bytes.Compare(key, decisive) < 0 {
			if c := Compare(a[pa:], b[pb:]); c != 0 {
				result, decisive = c, key
			}
		}
		pa += Skip(a[pa:])
		pb += Skip(b[pb:])
	}
	return result
}

// A pair is one field of a map.
type pair struct{ key, value []byte }

func sortedPairs(m []byte) []*pair {
	pairs := make([]*pair, 0, Count(m))
	for key, value := range Fields(m) {
		pairs = append(pairs, &pair{key, value})
	}
	slices.SortStableFunc(pairs, func(x, y *pair) int { return bytes.Compare(x.key, y.key) })
	return pairs
}
