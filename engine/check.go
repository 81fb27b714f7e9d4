package engine

import (
	"bytes"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// Check looks at every document, id, index and cache. It returns CodeInternal with
// the first thing that is wrong with them; nil if they are right. It takes time in
// proportion to the data.
func (db *DB) Check() error {
	for name, c := range db.collections {
		if broken := c.check(); broken != "" {
			return Fail(CodeInternal, "check", name, broken)
		}
		if c.name != name {
			return Fail(CodeInternal, "check", name, "is named "+c.name)
		}
	}
	return nil
}

// Duplicates are two or more documents with the same values of a unique index. No
// write makes them; replaying a log that lost a batch can.
type Duplicates struct {
	Collection string
	Index      string   // its paths: "country, name"
	IDs        []string // "users/5", in the order of the index; at most 100
}

// Duplicates returns what unique indexes should have refused. It takes time in
// proportion to the data of the collections that have a unique index.
func (db *DB) Duplicates() (all []Duplicates) {
	for _, name := range db.Collections() {
		c := db.collections[name]
		for _, ix := range c.indexes {
			if !ix.unique {
				continue
			}
			fresh := newIndex(ix.indexSpec, c.content) // the one in use stays as it is
			if ids := fresh.duplicates(c); ids != nil {
				all = append(all, Duplicates{Collection: name, Index: ix.title(), IDs: ids})
			}
		}
	}
	return all
}

// Equal reports whether two DBs have the same collections, and in each collection
// the same documents in the same order and the same next id.
func (db *DB) Equal(other *DB) bool {
	if len(db.collections) != len(other.collections) {
		return false
	}
	for name, a := range db.collections {
		b := other.collections[name]
		if b == nil || a.live != b.live || a.nextID != b.nextID {
			return false
		}
		at := uint32(0)
		for slot := range a.refs {
			doc := a.doc(uint32(slot))
			if doc == nil {
				continue
			}
			for b.doc(at) == nil {
				at++
			}
			if !bytes.Equal(doc, b.doc(at)) {
				return false
			}
			at++
		}
	}
	return true
}

func (c *content) check() string {
	live, bytes := 0, int64(0)
	for slot := range c.refs {
		doc := c.doc(uint32(slot))
		if doc == nil {
			continue
		}
		live++
		bytes += int64(len(doc))
		where := "slot " + strconv.Itoa(slot)
		if n, err := msgpack.Validate(doc, maxReplayDepth); err != nil || n != len(doc) {
			return where + " does not hold one document"
		}
		if found, ok := c.slotOf(idOf(doc)); !ok || found != uint32(slot) {
			return where + " is not found by its id"
		}
		if n, ok := msgpack.Int(idOf(doc)); ok && n >= c.nextID {
			return where + " has an id that the engine would give again"
		}
	}
	switch {
	case live != c.live:
		return "counts " + strconv.Itoa(c.live) + " documents, has " + strconv.Itoa(live)
	case bytes != c.bytes:
		return "counts " + strconv.FormatInt(c.bytes, 10) + " bytes, has " + strconv.FormatInt(bytes, 10)
	case live != c.ids.used:
		return "has " + strconv.Itoa(c.ids.used) + " ids for " + strconv.Itoa(live) + " documents"
	}
	stored := int64(0)
	for _, chunk := range c.arena.chunks {
		stored += int64(len(chunk))
	}
	if stored != c.bytes+c.dead {
		return "counts " + strconv.FormatInt(c.dead, 10) + " bytes of garbage, has " + strconv.FormatInt(stored-c.bytes, 10)
	}
	for _, ix := range c.indexes {
		if broken := ix.check(); broken != "" {
			return "index on " + ix.title() + " " + broken
		}
	}
	for _, cache := range c.caches {
		if broken := cache.check(c); broken != "" {
			return "the cache of " + cache.head().path.String() + " " + broken
		}
	}
	return ""
}

// differs says what is wrong with t if it should have what other has.
func (t *idTable) differs(other *idTable) string {
	words := 0
	for _, word := range t.words {
		if word != 0 {
			words++
		}
	}
	if words != t.used || t.used != other.used {
		return "counts " + strconv.Itoa(t.used) + " hashes, has " + strconv.Itoa(words) + " instead of " + strconv.Itoa(other.used)
	}
	for _, word := range other.words {
		if word == 0 {
			continue
		}
		if _, found := t.find(uint32(word>>32), func(slot uint32) bool { return slot == uint32(word)-1 }); !found {
			return "does not find the hash of slot " + strconv.Itoa(int(uint32(word)-1))
		}
	}
	return ""
}

// check compares an index, as far as it is built, with a new one.
func (ix *index) check() string {
	if ix.hash != nil {
		fresh := newIndex(ix.indexSpec, ix.in)
		fresh.buildHash()
		if broken := ix.hash.differs(fresh.hash); broken != "" {
			return broken
		}
		if ix.arrays != fresh.arrays {
			return "counts " + strconv.Itoa(ix.arrays) + " documents with arrays instead of " + strconv.Itoa(fresh.arrays) + ", by its hash"
		}
	}
	if ix.list == nil {
		return ""
	}
	fresh := newIndex(ix.indexSpec, ix.in)
	fresh.build()
	have, want := ix.list.all(), fresh.list.all()
	if len(have) != ix.list.count {
		return "counts " + strconv.Itoa(ix.list.count) + " entries, has " + strconv.Itoa(len(have))
	}
	if len(have) != len(want) {
		return "has " + strconv.Itoa(len(have)) + " entries instead of " + strconv.Itoa(len(want))
	}
	for i := range have {
		if have[i] != want[i] {
			return "differs from a new index at entry " + strconv.Itoa(i)
		}
		if i > 0 && ix.compare(have[i-1], have[i]) >= 0 {
			return "is not sorted at entry " + strconv.Itoa(i)
		}
		for nth := range ix.paths {
			if ix.sparse && ix.value(have[i], nth) == nil {
				return "is sparse, but holds a document without " + ix.paths[nth].String()
			}
		}
	}
	if ix.arrays != fresh.arrays {
		return "counts " + strconv.Itoa(ix.arrays) + " documents with arrays instead of " + strconv.Itoa(fresh.arrays)
	}
	return ""
}
