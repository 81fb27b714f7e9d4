package engine

import (
	"bytes"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// An indexSpec declares an index.
type indexSpec struct {
	paths  []query.Path
	name   string // what SQL knows it by; most have none
	unique bool
	sparse bool // leaves out documents that lack one of the paths

	// ofRelation marks the index on a foreign key that no declared index is on. It
	// comes and goes with the relationship.
	ofRelation bool
}

// title reads "country, name".
func (s *indexSpec) title() string { return strings.Join(s.pathTexts(), ", ") }

func (s *indexSpec) pathTexts() []string {
	texts := make([]string, len(s.paths))
	for i, p := range s.paths {
		texts[i] = p.String()
	}
	return texts
}

func (s *indexSpec) samePaths(paths []string) bool { return slices.Equal(s.pathTexts(), paths) }

// An index keeps the slots of a collection sorted by the values of its paths.
// An array stands for each of its elements, so a document may have several
// entries. An empty array counts as no value. An index does not answer
// conditions that compare with a whole array: such arrays would be most of its
// size, and sorting them most of the time that building takes.
//
// It is a cache: it can be dropped at any moment, and the next query that uses
// it builds it again, by sorting once. It is not stored, because that saves
// little: for 100,000 documents (js/wasm), building takes 56 ms for texts, 27 ms
// for fractions and 23 ms for small numbers. Making the entries from a stored
// list of sorted slots takes 50, 43 and 30 ms, because it reads documents in no
// order of memory; storing and loading the list comes on top.
//
// A unique index on one path has a hash too, see index_hash.go. Either is built when
// it is first asked for.
type index struct {
	indexSpec
	in     *content
	list   *blockList // nil: not built
	hash   *idTable   // of a unique index on one path; nil: not built
	arrays int        // documents where a path crosses an array or reaches one, if either is built

	isCrowded bool // too many values have one hash, so there is none

	debt int // documents looked at because the index was not built

	// searchKey holds the values that a search looks for, while it runs. An
	// entry whose slot is searchSlot stands for them.
	searchKey [][]byte
	found     [][]byte     // reused by combinations
	ranges    []valueRange // reused by rangesFor
}

func newIndex(s indexSpec, in *content) *index { return &index{indexSpec: s, in: in} }

// same reports whether both documents have the same values on all paths, and
// so the same entries. Most updates touch no indexed field.
func (ix *index) same(a, b []byte) bool {
	for _, p := range ix.paths {
		va, plainA := p.Lookup(a)
		vb, plainB := p.Lookup(b)
		if !plainA || !plainB || !bytes.Equal(va, vb) {
			return false
		}
	}
	return true
}

// add adds the document of a slot, which the content already holds.
func (ix *index) add(slot uint32, doc []byte) {
	isThroughArray := false
	if ix.hash != nil {
		isThroughArray = ix.addHashes(slot, doc)
	}
	if ix.list != nil {
		isThroughArray = ix.entries(slot, doc, func(e entry) { ix.list.insert(ix, e) })
	}
	if isThroughArray {
		ix.arrays++
	}
}

// isBuilt reports whether ix has to hear of changes.
func (ix *index) isBuilt() bool { return ix.list != nil || ix.hash != nil }

// remove removes the document of a slot, which the content still holds.
func (ix *index) remove(slot uint32, doc []byte) {
	isThroughArray := false
	if ix.hash != nil {
		isThroughArray = ix.hashValues(doc, func(hash uint32) { ix.hash.remove(hash, slot) })
	}
	if ix.list != nil {
		isThroughArray = ix.entries(slot, doc, func(e entry) { ix.list.remove(ix, e) })
	}
	if isThroughArray {
		ix.arrays--
	}
}

// build builds the index if it is not built.
func (ix *index) build() {
	if ix.list != nil {
		return
	}
	all := make([]entry, 0, ix.in.live)
	ix.arrays = 0
	take := func(e entry) { all = append(all, e) }
	for slot := range ix.in.refs {
		if doc := ix.in.doc(uint32(slot)); doc != nil {
			if ix.entries(uint32(slot), doc, take) {
				ix.arrays++
			}
		}
	}
	all = ix.sortEntries(all)
	if invariants && !slices.IsSortedFunc(all, ix.compare) {
		panic("engine: the index on " + ix.title() + " was not built in order")
	}
	ix.list = newBlockList(all)
}

// BuildIndexes builds the declared indexes of the collections that have at most so many
// documents, which their first queries would have to do; with onlyUnique only those
// that the first write needs.
func (db *DB) BuildIndexes(documents int, onlyUnique bool) {
	for _, c := range db.collections {
		if c.live > documents {
			continue
		}
		for _, ix := range c.indexes {
			switch {
			case (onlyUnique || ix.list == nil) && ix.hashed():
			case ix.unique || !onlyUnique:
				ix.build()
			}
		}
	}
}

// drop frees the memory of the index.
func (ix *index) drop() { ix.list, ix.hash, ix.isCrowded, ix.arrays, ix.debt = nil, nil, false, 0, 0 }

// reserve makes room for so many more documents. To grow by doubling touches twice the
// memory, which for the first documents of a page is new.
func (c *content) reserve(documents int) {
	if documents < minReserved {
		return
	}
	c.refs = slices.Grow(c.refs, documents)
	c.sizes = slices.Grow(c.sizes, documents)
	c.ids.reserve(documents)
	for _, ix := range c.indexes {
		if ix.hash != nil {
			ix.hash.reserve(documents)
		}
	}
}

const minReserved = 64

// expect prepares for n more bytes of documents. It drops the indexes that would
// more than double: sorting once is cheaper than inserting one by one. Columns
// need nothing, because they look at new documents when they are next used.
func (c *content) expect(n int64) {
	c.arena.soon = int(n + n/8) // ids may be added
	for _, ix := range c.indexes {
		switch {
		case n <= c.bytes:
		case ix.list == nil:
		case ix.hashed(): // by which each document is checked
			ix.list = nil
		case !ix.unique:
			ix.drop()
		}
	}
}
