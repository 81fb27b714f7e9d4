package engine

import (
	"math"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// numbers hold the number that each document has at one path, exactly: a
// column's keys have no room for the last bits of most fractions. Sums and means
// read eight bytes a document instead of walking it. A word is the bits of a
// float64.
type numbers struct{ slotCache[uint64] }

// Marks are NaNs. A NaN of a document is kept as oneNaN.
const (
	noNumber    uint64 = 0x7ff8a70d << 32 // the value is no number, or missing
	longNumber  uint64 = 0x7ff8a70e << 32 // an integer that may not fit a float64: only the document can tell
	staleNumber uint64 = 0x7ff8a70f << 32 // the document has been replaced
	oneNaN      uint64 = 0x7ff8 << 48
)

// numbers returns the numbers at a path, up to date.
func (c *content) numbers(path query.Path) *numbers {
	n := cacheOf(c, path, func() *numbers {
		return &numbers{slotCache[uint64]{bySlot: make([]uint64, 0, len(c.refs)), marks: marks[uint64]{stale: staleNumber, unsure: longNumber}}}
	})
	n.refresh(c, func(from, to int) bool {
		for slot := from; slot < to; slot++ {
			n.put(slot, n.bitsOf(c.doc(uint32(slot))))
		}
		return true
	})
	return n
}

// bitsOf returns the word of a document, nil if it has been removed.
func (n *numbers) bitsOf(doc []byte) uint64 {
	if doc == nil {
		return noNumber
	}
	v := n.path.First(doc)
	if msgpack.KindOf(v) != msgpack.Number {
		return noNumber
	}
	x := msgpack.Float(v)
	switch {
	case x != x:
		return oneNaN
	case msgpack.IsInt(v) && math.Abs(x) >= 1<<53:
		return longNumber
	}
	return math.Float64bits(x)
}

// floatOf returns the number of a word that is no mark.
func floatOf(bits uint64) float64 { return math.Float64frombits(bits) }

func (n *numbers) check(c *content) string {
	return n.checkWords(c, func(bits uint64, doc []byte) bool { return bits == n.bitsOf(doc) })
}
