package engine

import (
	"slices"
	"strconv"
	"unsafe"
)

// Metadata is what a collection takes, and what is declared for it.
type Metadata struct {
	Documents int
	Bytes     int64 // of all documents, as MessagePack
	Indexes   []IndexInfo
	// Updated is when the newest batch about the collection was cut, in
	// milliseconds since 1970, by the clock that Cut was given; 0 if nothing of it
	// has been cut, or its time is not known.
	Updated uint64
	// Relationships are those that the collection is From or To of.
	Relationships []Relationship
}

// IndexInfo says what an index is, and what it takes.
type IndexInfo struct {
	Paths          []string
	Name           string // what SQL knows it by; most have none
	Unique, Sparse bool
	Entries        int   // one for each document, or for each element of its array
	Bytes          int64 // of its entries in memory
}

// Metadata returns what is known of a collection; of one that does not exist, that
// it is empty. Every write keeps the numbers up to date, so no document is looked
// at. Only an index that nothing has used yet is built now, by one sort.
func (db *DB) Metadata(name string) (Metadata, error) {
	c := db.collections[name]
	relationships := slices.DeleteFunc(db.Relationships(), func(r Relationship) bool { return r.From != name && r.To != name })
	if c == nil {
		return Metadata{Relationships: relationships}, checkName("metadata", name)
	}
	if broken := c.checkCounts(); invariants && broken != "" {
		panic("engine: " + name + " " + broken)
	}
	m := Metadata{Documents: c.live, Bytes: c.bytes, Updated: c.updated, Relationships: relationships}
	for _, ix := range c.indexes {
		ix.build()
		m.Indexes = append(m.Indexes, IndexInfo{
			Paths: ix.pathTexts(), Name: ix.name, Unique: ix.unique, Sparse: ix.sparse,
			Entries: ix.list.count, Bytes: int64(ix.list.count) * int64(unsafe.Sizeof(entry{})),
		})
	}
	return m, nil
}

// Usage is what one collection takes.
type Usage struct {
	Collection string
	Documents  int
	Bytes      int64 // of the documents, as MessagePack
}

// Usage returns what each collection takes, sorted by name.
func (db *DB) Usage() (all []Usage) {
	for _, name := range db.Collections() {
		c := db.collections[name]
		all = append(all, Usage{name, c.live, c.bytes})
	}
	return all
}

// checkCounts says which of the counts of documents and bytes a look at every
// document does not confirm. Without the build tag invariants it looks at nothing.
func (c *content) checkCounts() string {
	if !invariants {
		return ""
	}
	live, bytes := 0, int64(0)
	for slot := range c.refs {
		if doc := c.doc(uint32(slot)); doc != nil {
			live++
			bytes += int64(len(doc))
		}
	}
	if live != c.live || bytes != c.bytes {
		return "counts " + strconv.Itoa(c.live) + " documents of " + strconv.FormatInt(c.bytes, 10) + " bytes, has " +
			strconv.Itoa(live) + " of " + strconv.FormatInt(bytes, 10)
	}
	return ""
}
