package engine

import (
	"math"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// bounds are a range of an order: the values of a prefix of its paths that
// entries must equal and, if low is given, the limits of the path after them.
type valueRange struct {
	equal                 [][]byte
	low, high             []byte // both nil or both values
	lowStrict, highStrict bool
}

// narrow makes b the range that also meets f, or returns false if f has no
// range, or one of another kind.
func (b *valueRange) narrow(f *query.Filter) bool {
	kind := msgpack.KindOf(f.Value)
	if kind < msgpack.Number || kind > msgpack.Date {
		return false
	}
	first, next := firstOf(kind), firstOf(kind+1)
	if b.low != nil && msgpack.KindOf(b.low) != kind {
		return false
	}
	if b.low == nil {
		// NaN, the first of the numbers, is equal to itself and in no range.
		*b = valueRange{low: first, lowStrict: kind == msgpack.Number, high: next, highStrict: true}
	}
	switch f.Op {
	case query.OpGt:
		b.raise(f.Value, true)
	case query.OpGte:
		b.raise(f.Value, false)
	case query.OpLt:
		b.lower(f.Value, true)
	case query.OpLte:
		b.lower(f.Value, false)
	case query.OpBetween:
		if msgpack.KindOf(f.High) != kind {
			b.lower(first, true) // nothing is of two kinds
			break
		}
		b.raise(f.Value, false)
		b.lower(f.High, false)
	case query.OpStartsWith:
		b.raise(f.Value, false)
		if end := prefixEnd(msgpack.Str(f.Value)); end != nil {
			b.lower(msgpack.AppendString(nil, end), true)
		}
	}
	return true
}

func (b *valueRange) raise(v []byte, strict bool) {
	if c := msgpack.Compare(v, b.low); c > 0 {
		b.low, b.lowStrict = v, strict
	} else if c == 0 {
		b.lowStrict = b.lowStrict || strict
	}
}

func (b *valueRange) lower(v []byte, strict bool) {
	if c := msgpack.Compare(v, b.high); c < 0 {
		b.high, b.highStrict = v, strict
	} else if c == 0 {
		b.highStrict = b.highStrict || strict
	}
}

// firstOf returns the least value of a kind from numbers to arrays.
func firstOf(k msgpack.Kind) []byte {
	switch k {
	case msgpack.Number:
		return msgpack.AppendFloat(nil, math.NaN())
	case msgpack.String:
		return msgpack.AppendString(nil, "")
	case msgpack.Bytes:
		return msgpack.AppendBin(nil, nil)
	case msgpack.Date:
		return leastDate
	}
	return msgpack.AppendArray(nil, 0)
}

// leastDate is the earliest instant that a timestamp can hold.
var leastDate = []byte("\xc7\x0c\xff\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00")

// prefixEnd returns the least string after all that start with prefix; nil if
// there is none.
func prefixEnd(prefix []byte) []byte {
	end := slices.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}
