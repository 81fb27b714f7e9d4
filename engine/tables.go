package engine

// Tables are where a collection has its documents, for who reads them in memory without
// a call. They are borrowed until the next call that is no read.
type Tables struct {
	Words  []uint64 // open addressing with linear probing: 32 bits of hash above slot+1; 0 is empty
	Refs   []ref    // by slot: where its document starts, a chunk above 20 bits of offset
	Sizes  []uint32 // by slot
	Chunks [][]byte
}

// Tables returns the tables of a collection that find a document by its id, if path is
// "_id", or by what a unique index has at a path. It returns false if there are none:
// Find has to be asked, because there is no such index, or because arrays stand for
// their elements there.
func (db *DB) Tables(name string, path []byte) (t Tables, ok bool) {
	c := db.collections[name]
	if c == nil {
		return t, false
	}
	table := &c.ids
	if string(path) != "_id" {
		ix := c.uniqueOn(path)
		if ix == nil || !ix.hashed() || ix.arrays > 0 {
			return t, false
		}
		table = ix.hash
	}
	return Tables{table.words, c.refs, c.sizes, c.arena.chunks}, len(table.words) > 0
}
