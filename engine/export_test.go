package engine

import (
	"slices"
	"strconv"
)

// Dump lists what batches and snapshots carry, for tests to compare: by collection,
// its next id, the time of its last change, its declared indexes and its documents in order.
func (db *DB) Dump() map[string][]string {
	dump := map[string][]string{}
	for name, c := range db.collections {
		lines := []string{string(rune(c.nextID)), strconv.FormatUint(c.updated, 10)}
		for _, ix := range c.indexes {
			lines = append(lines, ix.title(), ix.name, boolText[ix.unique], boolText[ix.sparse])
		}
		for slot := range c.refs {
			if doc := c.doc(uint32(slot)); doc != nil {
				lines = append(lines, string(doc))
			}
		}
		dump[name] = lines
	}
	return dump
}

var boolText = map[bool]string{true: "yes", false: "no"}

// ArenaBytes returns what the arenas hold, garbage included.
func (db *DB) ArenaBytes() (n int) {
	for _, c := range db.collections {
		for _, chunk := range c.arena.chunks {
			n += len(chunk)
		}
	}
	return n
}

// Caches counts the columns and dictionaries of a collection.
func (db *DB) Caches(collection string) int { return len(db.collections[collection].caches) }

// Miscount makes the engine believe that a collection takes so many bytes more.
func (db *DB) Miscount(collection string, bytes int64) { db.collections[collection].bytes += bytes }

// KeyOf and CompareKeys show keys to tests.
func KeyOf(v []byte) uint64 { return uint64(keyOf(v)) }

func CompareKeys(a, b uint64) (c int, sure bool) { return compareKeys(key(a), key(b)) }

// BuildIndex builds the first index of a collection anew.
func (db *DB) BuildIndex(collection string) {
	ix := db.collections[collection].indexes[0]
	ix.drop()
	ix.build()
}

// BuiltIndexes counts the indexes that are built.
func (db *DB) BuiltIndexes() (n int) {
	for _, c := range db.collections {
		for _, ix := range c.indexes {
			if ix.isBuilt() {
				n++
			}
		}
	}
	return n
}

// Hashes counts the indexes that have a hash.
func (db *DB) Hashes() (n int) {
	for _, c := range db.collections {
		for _, ix := range c.indexes {
			if ix.hash != nil {
				n++
			}
		}
	}
	return n
}

// Lists counts the indexes that have a sorted list.
func (db *DB) Lists() (n int) {
	for _, c := range db.collections {
		for _, ix := range c.indexes {
			if ix.list != nil {
				n++
			}
		}
	}
	return n
}

// DropCaches drops columns, dictionaries, numbers and built indexes of all
// collections: which has a bit for each, 64 in turn.
func (db *DB) DropCaches(which uint64) {
	turn := func() bool {
		which = which>>1 | which<<63
		return which>>63 == 1
	}
	for _, c := range db.collections {
		c.caches = slices.DeleteFunc(c.caches, func(anyCache) bool { return turn() })
		for _, ix := range c.indexes {
			if turn() {
				ix.drop()
			}
		}
	}
}

// LiveState says how many contents are watched for live queries, and how many bytes
// these keep.
func (db *DB) LiveState() (watched, kept int) {
	for _, c := range db.collections {
		if c.watch != nil {
			watched++
		}
	}
	if db.live != nil {
		kept = db.live.kept
	}
	return watched, kept
}

// FirstByte returns the address of the first byte of a collection's documents.
func (db *DB) FirstByte(collection string) *byte {
	return &db.collections[collection].arena.chunks[0][0]
}
