package engine

import "slices"

// A blockList keeps entries sorted, in blocks. A search looks at the first
// entries of blocks and then into one block, and compares two words at nearly
// every step, where a library of B-trees calls a function: to find a document by
// a text takes 3.3 µs, with such a library 6.8 µs (20,000 documents, js/wasm). A
// list of entries that are sorted already is those entries, cut into blocks.
// An insert moves half a block, 6 kB; only one that splits a block moves the list
// of blocks, which has 100 kB for a million entries.
type blockList struct {
	blocks [][]entry // none is empty
	count  int
}

const (
	maxInBlock = 512
	minInBlock = 64 // a smaller block is joined with its neighbour, if there is room
)

// A position is the place of an entry in a blockList. The end is the start of the
// block after the last one.
type position struct{ block, at int }

// newBlockList returns a list of entries that are sorted already. It owns them.
func newBlockList(sorted []entry) *blockList {
	const filled = maxInBlock / 2
	l := &blockList{count: len(sorted)}
	l.blocks = make([][]entry, 0, len(sorted)/filled+1)
	for block := range slices.Chunk(sorted, filled) { // of full capacity, so that growing one copies it
		l.blocks = append(l.blocks, block)
	}
	return l
}

// lower returns the position of the first entry that is not before e in ix.
func (l *blockList) lower(ix *index, e entry) position {
	first := e.keys[0] >> 1
	before := func(other *entry) bool {
		if k := other.keys[0] >> 1; k != first {
			return k < first
		}
		return ix.compare(*other, e) < 0
	}
	// The last block that starts before e holds the position, or ends at it.
	low, high := 0, len(l.blocks)
	for low < high {
		middle := int(uint(low+high) / 2)
		if before(&l.blocks[middle][0]) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low == 0 {
		return position{}
	}
	block := l.blocks[low-1]
	from, to := 1, len(block)
	for from < to {
		middle := int(uint(from+to) / 2)
		if before(&block[middle]) {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return l.normal(position{low - 1, from})
}

// normal returns p, or the start of the next block if p is the end of one.
func (l *blockList) normal(p position) position {
	if p.block < len(l.blocks) && p.at == len(l.blocks[p.block]) {
		return position{p.block + 1, 0}
	}
	return p
}

// insert adds an entry that is not there.
func (l *blockList) insert(ix *index, e entry) {
	l.count++
	p := l.lower(ix, e)
	if p.at == 0 && p.block > 0 { // rather at the end of a block than at the start of the next
		p = position{p.block - 1, len(l.blocks[p.block-1])}
	}
	switch {
	case len(l.blocks) == 0:
		l.blocks = [][]entry{append(make([]entry, 0, minInBlock), e)}
		return
	case len(l.blocks[p.block]) == maxInBlock:
		p = l.split(p)
	}
	l.blocks[p.block] = slices.Insert(l.blocks[p.block], p.at, e)
}

// split makes room at p, in a full block, and returns where p is then. At the end
// of the list it starts a new block, so that ascending values fill their blocks.
func (l *blockList) split(p position) position {
	block := l.blocks[p.block]
	half := len(block) / 2
	if p.block == len(l.blocks)-1 && p.at == len(block) {
		half = len(block)
	}
	l.blocks[p.block] = block[:half:half]
	l.blocks = slices.Insert(l.blocks, p.block+1, append(make([]entry, 0, maxInBlock), block[half:]...))
	if p.at > half || half == len(block) {
		return position{p.block + 1, p.at - half}
	}
	return p
}

// remove removes an entry, if it is there.
func (l *blockList) remove(ix *index, e entry) {
	p := l.lower(ix, e)
	if p.block == len(l.blocks) || l.blocks[p.block][p.at] != e {
		return
	}
	l.count--
	block := slices.Delete(l.blocks[p.block], p.at, p.at+1)
	l.blocks[p.block] = block
	if len(block) >= minInBlock {
		return
	}
	if p.block > 0 {
		p.block--
	}
	l.join(p.block)
}

// join makes one block of a block and the next, if there is room. It always
// removes an empty one.
func (l *blockList) join(first int) {
	next := first + 1
	if next == len(l.blocks) {
		if len(l.blocks[first]) == 0 {
			l.blocks = l.blocks[:first]
		}
		return
	}
	if a, b := l.blocks[first], l.blocks[next]; len(a) == 0 || len(b) == 0 || len(a)+len(b) <= maxInBlock/2 {
		l.blocks[first] = append(a[:len(a):len(a)], b...)
		l.blocks = slices.Delete(l.blocks, next, next+1)
	}
}

// between returns how many entries there are from one position to another.
func (l *blockList) between(from, to position) int {
	if from.block == to.block {
		return max(to.at-from.at, 0)
	}
	n := 0
	for block := from.block; block < to.block; block++ {
		n += len(l.blocks[block])
	}
	return n - from.at + to.at
}

// eachBlock calls visit with the entries from one position to another, block by
// block, until it returns false. The entries are borrowed.
func (l *blockList) eachBlock(from, to position, visit func([]entry) bool) {
	for block := from.block; block <= to.block && block < len(l.blocks); block++ {
		entries := l.blocks[block]
		if block == to.block {
			entries = entries[:to.at]
		}
		if block == from.block {
			entries = entries[min(from.at, len(entries)):]
		}
		if len(entries) > 0 && !visit(entries) {
			return
		}
	}
}

// eachBlockBackwards is eachBlock from the last block to the first. The entries
// of a block come in ascending order all the same.
func (l *blockList) eachBlockBackwards(from, to position, visit func([]entry) bool) {
	for block := min(to.block, len(l.blocks)-1); block >= from.block; block-- {
		entries := l.blocks[block]
		if block == to.block {
			entries = entries[:to.at]
		}
		if block == from.block {
			entries = entries[min(from.at, len(entries)):]
		}
		if len(entries) > 0 && !visit(entries) {
			return
		}
	}
}

// all returns every entry, in order.
func (l *blockList) all() []entry { return slices.Concat(l.blocks...) }
