package engine

import (
	"math"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A valueRange is a range of an index: the values that entries must have at the
// first paths and, if low is given, the limits of the value at the path after
// them.
type valueRange struct {
	equal                 [][]byte
	low, high             []byte // both nil or both values
	lowStrict, highStrict bool
}

// hasRange reports whether what meets an operator can be a range of values. Indexes
// and columns answer such an operator by narrow.
func hasRange(op query.Op) bool {
	switch op {
	case query.OpGt, query.OpGte, query.OpLt, query.OpLte, query.OpBetween, query.OpStartsWith:
		return true
	}
	return false
}

// narrow makes b the part of it that meets f. It returns false if f has no
// range, or one of another kind of value.
func (b *valueRange) narrow(f *query.Filter) bool {
	if !hasRange(f.Op) {
		return false
	}
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
			b.lower(first, true) // no value is of two kinds
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

// prefixEnd returns the least string after all strings that start with prefix;
// nil if there is none.
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

// searchEntry makes values the search key and returns the entry that stands
// before or after all entries with these values.
func (ix *index) searchEntry(values [][]byte, after bool) entry {
	ix.searchKey = values
	e := entry{slot: searchSlot}
	if after {
		e.nth = searchAfter
	}
	e.keys = ix.keysOf(values)
	return e
}

// An entryRange is the entries of an index from one position to another.
type entryRange struct {
	from, to position
	count    int
}

// rangeOf finds the entries within b.
func (ix *index) rangeOf(b valueRange) entryRange {
	ix.build()
	if b.low == nil && len(b.equal) == 0 {
		return entryRange{to: position{len(ix.list.blocks), 0}, count: ix.list.count}
	}
	from, to := b.equal, b.equal
	fromAfter, toAfter := false, true
	if b.low != nil {
		if msgpack.Compare(b.low, b.high) > 0 {
			return entryRange{}
		}
		from, fromAfter = append(slices.Clip(b.equal), b.low), b.lowStrict
		to, toAfter = append(slices.Clip(b.equal), b.high), !b.highStrict
	}
	r := entryRange{from: ix.list.lower(ix, ix.searchEntry(from, fromAfter))}
	r.to = ix.end(r.from, ix.searchEntry(to, toAfter))
	r.count = ix.list.between(r.from, r.to)
	ix.searchKey = nil
	return r
}

// end returns the position of the first entry after search, which is at from or
// later. It looks at the next few first, because an equality finds few.
func (ix *index) end(from position, search entry) position {
	if from.block == len(ix.list.blocks) {
		return from
	}
	const near = 3
	block := ix.list.blocks[from.block]
	for i := from.at; i < min(from.at+near, len(block)); i++ {
		if ix.compare(block[i], search) > 0 {
			return position{from.block, i}
		}
	}
	return ix.list.lower(ix, search)
}

// eachBlock calls visit with the entries of r, in order and block by block, until
// it returns false.
func (ix *index) eachBlock(r entryRange, visit func([]entry) bool) {
	if r.count > 0 {
		ix.list.eachBlock(r.from, r.to, visit)
	}
}
