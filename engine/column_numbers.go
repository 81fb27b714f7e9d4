package engine

import (
	"math"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// numbers hold the number that each document has at one path, by slot, exactly:
// a column's keys have no room for the last bits of most fractions. Sums and
// means read eight bytes a document instead of walking it.
//
// Like a column, they are a cache.
type numbers struct {
	path  query.Path
	bits  []uint64 // of a float64, or one of the marks below
	stale int
	used  int
}

// Marks are NaNs that no document's number is kept as.
const (
	noNumber    uint64 = 0x7ff8a70d << 32 // the value is no number, or missing
	longNumber  uint64 = 0x7ff8a70e << 32 // an integer that float64 cannot hold: the document has it
	staleNumber uint64 = 0x7ff8a70f << 32 // the document has been replaced
	oneNaN      uint64 = 0x7ff8 << 48
)

const mostNumbers = 16

// numbers returns the numbers at a path, up to date.
func (c *content) numbers(path query.Path) *numbers {
	c.clock++
	var n *numbers
	oldest := 0
	for i, known := range c.numberCaches {
		if known.path.String() == path.String() {
			n = known
		}
		if known.used < c.numberCaches[oldest].used {
			oldest = i
		}
	}
	if n == nil {
		n = &numbers{path: path, bits: make([]uint64, 0, len(c.refs))}
		if len(c.numberCaches) < mostNumbers {
			c.numberCaches = append(c.numberCaches, n)
		} else {
			c.numberCaches[oldest] = n
		}
	}
	n.used = c.clock
	for slot := 0; n.stale > 0; slot++ {
		if n.bits[slot] == staleNumber {
			n.bits[slot] = n.bitsOf(c.doc(uint32(slot)))
			n.stale--
		}
	}
	for slot := len(n.bits); slot < len(c.refs); slot++ {
		n.bits = append(n.bits, n.bitsOf(c.doc(uint32(slot))))
	}
	return n
}

func (n *numbers) bitsOf(doc []byte) uint64 {
	if doc == nil {
		return noNumber
	}
	v := sortValue(n.path, doc)
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

// forget drops what is known of one slot.
func (n *numbers) forget(slot uint32) {
	if int(slot) < len(n.bits) && n.bits[slot] != staleNumber {
		n.bits[slot] = staleNumber
		n.stale++
	}
}

// truncate drops what is known of the slots from end on.
func (n *numbers) truncate(end uint32) {
	for len(n.bits) > int(end) {
		last := len(n.bits) - 1
		if n.bits[last] == staleNumber {
			n.stale--
		}
		n.bits = n.bits[:last]
	}
}

// floatOf returns the number that is kept as bits, which are no mark.
func floatOf(bits uint64) float64 { return math.Float64frombits(bits) }
