package engine

import (
	"math/bits"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A columnFilter answers a filter from columns, a block of slots at a time, in
// three values: a document passes for sure, or for sure does not, or has to be
// looked at. Each node of the filter gives two bitmaps: the slots that may pass,
// and those among them that do for sure. And, or and not are operations on their
// words.
type columnFilter struct {
	op    query.Op
	kids  []*columnFilter
	blind bool // it tells nothing: every document may pass

	// A leaf lets the keys from low to high pass: for sure, unless asks is set or
	// a key equals a bound.
	col                   *column
	low, high             key
	asks, bounded         bool
	lowStrict, highStrict bool
	among                 []key // of an in-list: the keys that may pass instead, sorted

	// Or it lets codes pass, and is sure of all documents but those with several
	// values.
	codes *dictionary
	pass  []uint8 // by code: 1 or 0
}

const (
	blockWords = 64
	blockSlots = 64 * blockWords
)

type bitmap [blockWords]uint64

func (c *content) newColumnFilter(where *query.Filter) *columnFilter {
	f := &columnFilter{op: where.Op}
	if worthCodes(where) {
		if f.codes = c.dictionary(where.Path); f.codes != nil {
			f.pass = f.codes.passing(where.Stoppable(c.meter.spend))
			return f
		}
	}
	switch where.Op {
	case query.OpAnd, query.OpOr, query.OpNot:
		blind := 0
		for _, kid := range where.Kids {
			k := c.newColumnFilter(kid)
			f.kids = append(f.kids, k)
			if k.blind {
				blind++
			}
		}
		f.blind = blind == len(f.kids) || where.Op == query.OpOr && blind > 0
	case query.OpEq:
		f.low = keyOf(where.Value)
		f.high = f.low
		f.bounded = true
	case query.OpIn:
		if last := where.Values[len(where.Values)-1]; len(where.Values[0]) == 0 && msgpack.KindOf(last) <= msgpack.Null {
			f.high = keyOf(last) // no value, or null: the first keys of all
			break
		}
		for _, v := range where.Values {
			f.among = append(f.among, keyOf(v)&^inexact)
		}
		f.among = slices.Compact(f.among)
		f.asks = true
	case query.OpExists:
		f.low, f.high = key(msgpack.Null)<<60, staleKey-1
	case query.OpMatches, query.OpContains:
		f.low, f.high = key(msgpack.String)<<60, key(msgpack.String+1)<<60-1
		f.asks = true
		if where.Op == query.OpMatches && where.Prefix() != "" {
			var b valueRange
			b.narrow(query.StartsWith(where.Path, where.Prefix()))
			f.low, f.high = keyOf(b.low), keyOf(b.high)
		}
	case query.OpMod, query.OpBitsAllSet, query.OpBitsAnySet, query.OpBitsAllClear, query.OpBitsAnyClear:
		f.low, f.high = key(msgpack.Number)<<60, key(msgpack.Bytes+1)<<60-1
		f.asks = true
	case query.OpAny, query.OpSize:
		f.low, f.high = 2, 0 // no key, with or without the flag: only arrays may pass, and they have otherKey
	default:
		var b valueRange
		if !b.narrow(where) {
			f.blind = true
			break
		}
		f.low, f.lowStrict = keyOf(b.low), b.lowStrict
		f.high, f.highStrict = keyOf(b.high), b.highStrict
		f.bounded = true
	}
	if !f.blind && len(where.Kids) == 0 || where.Op == query.OpAny {
		f.col = c.column(where.Path)
	}
	return f
}

// worthCodes reports whether codes tell more about a leaf than keys do. A key holds
// only the start of a text, and no range of keys is a type.
func worthCodes(f *query.Filter) bool {
	switch f.Op {
	case query.OpMatches, query.OpContains, query.OpMod, query.OpBitsAllSet, query.OpBitsAnySet, query.OpBitsAllClear, query.OpBitsAnyClear:
		return true
	case query.OpType:
		// 2 and 2.0 are one value, so they have one code.
		return f.Type != query.TypeInt && f.Type != query.TypeFloat
	case query.OpEq, query.OpStartsWith:
		return keyOf(f.Value)&inexact != 0
	case query.OpIn:
		return slices.ContainsFunc(f.Values, func(v []byte) bool { return keyOf(v)&inexact != 0 })
	}
	return false
}

// paths appends the paths of the columns and dictionaries that f reads.
func (f *columnFilter) paths(to []string) []string {
	path := ""
	switch {
	case f.col != nil:
		path = f.col.path.String()
	case f.codes != nil:
		path = f.codes.path.String()
	}
	if path != "" && !slices.Contains(to, path) {
		to = append(to, path)
	}
	for _, kid := range f.kids {
		to = kid.paths(to)
	}
	return to
}

// run fills may with the slots of a block that may pass, and sure with those among
// them that do for sure. The slots of removed documents may be in both.
func (f *columnFilter) run(block int, may, sure *bitmap) {
	switch {
	case f.blind:
		for i := range may {
			may[i], sure[i] = ^uint64(0), 0
		}
	case f.op == query.OpNot:
		f.kids[0].run(block, sure, may) // what the kid does not let pass for sure may pass, and the other way round
		for i := range may {
			may[i], sure[i] = ^may[i], ^sure[i]
		}
	case f.op == query.OpAnd, f.op == query.OpOr:
		f.kids[0].run(block, may, sure)
		var m, y bitmap
		for _, kid := range f.kids[1:] {
			kid.run(block, &m, &y)
			for i := range may {
				if f.op == query.OpAnd {
					may[i] &= m[i]
					sure[i] &= y[i]
				} else {
					may[i] |= m[i]
					sure[i] |= y[i]
				}
			}
		}
	case f.codes != nil:
		codes := f.codes.bySlot[block*blockSlots:]
		f.coded(codes[:min(len(codes), blockSlots)], may, sure)
	default:
		keys := f.col.bySlot[block*blockSlots:]
		f.leaf(keys[:min(len(keys), blockSlots)], may, sure)
	}
}

func (f *columnFilter) leaf(keys []key, may, sure *bitmap) {
	*may, *sure = bitmap{}, bitmap{}
	if f.among != nil {
		f.member(keys, may)
	} else if low, high := f.low&^inexact, f.high|inexact; low < high {
		between(keys, low, high, may)
	}
	if !f.asks {
		*sure = *may
		if f.bounded {
			f.ties(keys, may, sure)
		}
	}
	if f.col.unsure > 0 {
		for i, k := range keys {
			if k == otherKey {
				may[i/64] |= 1 << (i % 64)
			}
		}
	}
}

// coded is leaf with codes instead of keys.
func (f *columnFilter) coded(codes []uint32, may, sure *bitmap) {
	*may = bitmap{}
	several := f.codes.unsure > 0
	for w := 0; w*64 < len(codes); w++ {
		var word, unsure uint64
		for i, code := range codes[w*64 : min(w*64+64, len(codes))] {
			if several && code == severalCode {
				unsure |= 1 << i
				continue
			}
			word |= uint64(f.pass[code]) << i
		}
		may[w], sure[w] = word|unsure, word
	}
	for w := (len(codes) + 63) / 64; w < blockWords; w++ {
		sure[w] = 0
	}
}

// between sets the bits of the keys from low to high.
func between(keys []key, low, high key, may *bitmap) {
	width := high - low
	for w := 0; len(keys) > 0; w++ {
		n := min(len(keys), 64)
		var word uint64
		for i, k := range keys[:n] {
			if k-low <= width {
				word |= 1 << i
			}
		}
		may[w] = word
		keys = keys[n:]
	}
}

// member sets the bits of the keys that are in f.among.
func (f *columnFilter) member(keys []key, may *bitmap) {
	for i, k := range keys {
		if _, found := slices.BinarySearch(f.among, k&^inexact); found {
			may[i/64] |= 1 << (i % 64)
		}
	}
}

// ties decides about the keys that equal a bound. If the key or the bound is
// inexact, the document must be looked at; else a strict bound refuses it.
func (f *columnFilter) ties(keys []key, may, sure *bitmap) {
	for w, word := range may {
		for ; word != 0; word &= word - 1 {
			bit := word & -word
			k := keys[w*64+bits.TrailingZeros64(word)]
			low, high := k>>1 == f.low>>1, k>>1 == f.high>>1
			if !low && !high {
				continue
			}
			if (k|f.low)&inexact != 0 && low || (k|f.high)&inexact != 0 && high {
				sure[w] &^= bit
			} else if low && f.lowStrict || high && f.highStrict {
				may[w] &^= bit
				sure[w] &^= bit
			}
		}
	}
}

// cost is what it costs to test a block, in units of work: to test a document by a
// column takes 3 ns, a fiftieth of a look at it.
func (f *columnFilter) cost() int {
	if f == nil {
		return 1
	}
	cost := blockSlots / 50
	for _, kid := range f.kids {
		cost += kid.cost()
	}
	return cost
}

// blocks returns how many blocks the slots fill.
func (c *content) blocks() int { return (len(c.refs) + blockSlots - 1) / blockSlots }

// filtered returns the slots that appendBlock finds in all blocks; the first enough
// of them if enough is above 0.
func (c *content) filtered(f *columnFilter, where *query.Filter, enough int) (slots []uint32) {
	if f == nil {
		room := c.live
		if enough > 0 {
			room = min(enough, room)
		}
		slots = make([]uint32, 0, room)
	}
	cost := f.cost()
	for block := range c.blocks() {
		c.meter.spend(cost)
		if slots = c.appendBlock(slots, block, f, where, enough); enough > 0 && len(slots) >= enough {
			break
		}
	}
	return slots
}

// appendBlock appends the slots of a block that f lets pass. It looks at the
// documents that f is not sure of, to test where. It stops once there are enough
// slots if enough is above 0. If f is nil, all documents pass.
func (c *content) appendBlock(slots []uint32, block int, f *columnFilter, where *query.Filter, enough int) []uint32 {
	first := block * blockSlots
	sizes := c.sizes[first:min(first+blockSlots, len(c.sizes))]
	if f == nil {
		for i, size := range sizes {
			if size != 0 {
				if slots = append(slots, uint32(first+i)); len(slots) == enough {
					break
				}
			}
		}
		return slots
	}
	var may, sure bitmap
	f.run(block, &may, &sure)
	cost := costOf(where)
	for w := range may {
		for word := may[w]; word != 0; word &= word - 1 {
			i := w*64 + bits.TrailingZeros64(word)
			if i >= len(sizes) {
				return slots
			}
			slot := uint32(first + i)
			if sizes[i] == 0 {
				continue
			}
			if sure[w]&(word&-word) == 0 {
				doc := c.doc(slot)
				if !c.meter.match(where, doc, cost) {
					continue
				}
			}
			if slots = append(slots, slot); len(slots) == enough {
				return slots
			}
		}
	}
	return slots
}
