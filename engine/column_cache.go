package engine

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A slotCache holds one word for each document, by slot: what the document has
// at one path. Columns, dictionaries and numbers are slot caches, which differ
// in what a word says.
//
// It can be dropped at any moment. A write only marks the slots that it changes,
// and the next use looks at those documents again.
type slotCache[W ~uint32 | ~uint64] struct {
	cacheHead
	marks  marks[W]
	bySlot []W // the word of a removed document is whatever it was
	stale  int // how many words are marks.stale
	unsure int // how many words are marks.unsure
}

// marks are the words that are no value's.
type marks[W ~uint32 | ~uint64] struct {
	stale  W // the document has been replaced
	unsure W // only the document can tell
}

// A cacheHead is what a slot cache is found by, and when it makes room.
type cacheHead struct {
	path query.Path
	used int // when it was last used, by content.clock
}

func (h *cacheHead) head() *cacheHead { return h }

// An anyCache is a slotCache of any word.
type anyCache interface {
	head() *cacheHead
	forget(slot uint32)
	truncate(end uint32)
	check(c *content) string
}

// maxCaches bounds how many caches of one type a collection has, and so the
// memory they take: 8 bytes a document each, or 4 for a dictionary. The one
// that was not used for longest makes room.
const maxCaches = 16

// cacheOf returns the cache of type T of a path, which is now in use; a new one
// that knows no slot yet if there is none.
func cacheOf[T anyCache](c *content, path query.Path, create func() T) T {
	c.clock++
	cache, known := knownCache[T](c, path)
	if !known {
		cache = create()
		cache.head().path = path
		addCache(c, cache)
	}
	cache.head().used = c.clock
	return cache
}

// knownCache returns the cache of type T of a path, if there is one.
func knownCache[T anyCache](c *content, path query.Path) (cache T, known bool) {
	for _, other := range c.caches {
		if t, ok := other.(T); ok && t.head().path.String() == path.String() {
			return t, true
		}
	}
	return cache, false
}

func addCache[T anyCache](c *content, cache T) {
	count, oldest := 0, 0
	for i, other := range c.caches {
		if _, ok := other.(T); !ok {
			continue
		}
		if count++; count == 1 || other.head().used < c.caches[oldest].head().used {
			oldest = i
		}
	}
	if count < maxCaches {
		c.caches = append(c.caches, cache)
	} else {
		c.caches[oldest] = cache
	}
}

// refresh calls fill with each range of slots whose documents came or changed
// since the last use: fill puts a word for each, or returns false to stop. A call
// of a function for each document would take 7 % longer (js/wasm).
func (s *slotCache[W]) refresh(c *content, fill func(from, to int) bool) bool {
	for slot := 0; s.stale > 0; slot++ {
		if s.bySlot[slot] == s.marks.stale && !fill(slot, slot+1) {
			return false
		}
	}
	return len(s.bySlot) == len(c.refs) || fill(len(s.bySlot), len(c.refs))
}

// put sets the word of a stale slot, or of the next new one.
func (s *slotCache[W]) put(slot int, word W) {
	if word == s.marks.unsure {
		s.unsure++
	}
	if slot == len(s.bySlot) {
		s.bySlot = append(s.bySlot, word)
	} else {
		s.bySlot[slot] = word
		s.stale--
	}
}

// forget drops what is known of one slot, which now holds another document.
func (s *slotCache[W]) forget(slot uint32) {
	if int(slot) >= len(s.bySlot) || s.bySlot[slot] == s.marks.stale {
		return
	}
	if s.bySlot[slot] == s.marks.unsure {
		s.unsure--
	}
	s.bySlot[slot] = s.marks.stale
	s.stale++
}

// truncate drops what is known of the slots from end on.
func (s *slotCache[W]) truncate(end uint32) {
	for len(s.bySlot) > int(end) {
		last := len(s.bySlot) - 1
		switch s.bySlot[last] {
		case s.marks.stale:
			s.stale--
		case s.marks.unsure:
			s.unsure--
		}
		s.bySlot = s.bySlot[:last]
	}
}

// checkWords returns what is wrong with the words: agrees reports whether one
// is right for a document.
func (s *slotCache[W]) checkWords(c *content, agrees func(word W, doc []byte) bool) string {
	stale, unsure := 0, 0
	for slot, word := range s.bySlot {
		if word == s.marks.stale {
			stale++
			continue
		}
		if word == s.marks.unsure {
			unsure++
		}
		if doc := c.doc(uint32(slot)); doc != nil && !agrees(word, doc) {
			return "differs from the document in slot " + strconv.Itoa(slot)
		}
	}
	if len(s.bySlot) > len(c.refs) || stale != s.stale || unsure != s.unsure {
		return "has lost count"
	}
	return ""
}
