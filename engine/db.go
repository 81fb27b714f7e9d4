package engine

import (
	"slices"
	"strconv"
	"unicode/utf8"
)

// A DB is a set of collections. It is not safe for concurrent use;
// storage.Session gives it a single owner.
type DB struct {
	opts        Options
	collections map[string]*collection
	relations   []*relation // of the catalog, by From and in the order of their declaration

	dataVersion int // of the catalog; 0: it declares none

	journal     []change // what Rollback undoes, the oldest first
	cuts        []int    // where in the journal each cut batch ends
	savepoints  []int    // places in the journal, the innermost last
	suspended   []change // what ResumeSavepoint does again, the oldest first
	isSuspended bool
	doubts      []doubt // see settle
	sealed      int     // journal entries before this one accept no more documents
	version     uint64  // see Version
	history     history
	live        *liveQueries // nil: there has been none
	meter       *meter
}

// New returns an empty DB, or CodeInvalid if opts cannot be honoured.
func New(opts Options) (*DB, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	meter := &meter{max: opts.MaxQueryMemory, interrupted: opts.Interrupted}
	return &DB{opts: opts, collections: map[string]*collection{}, meter: meter}, nil
}

// Collections returns the names of the collections, sorted.
func (db *DB) Collections() []string {
	names := make([]string, 0, len(db.collections))
	for name := range db.collections {
		if name != catalogName {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Size returns the bytes of all documents, without the garbage that removed and
// replaced ones left.
func (db *DB) Size() (live int64) {
	for _, c := range db.collections {
		live += c.bytes
	}
	return live
}

const maxNameBytes = 255

// checkName refuses names that no collection may have.
func checkName(op, name string) error {
	switch {
	case name == "":
		return Fail(CodeInvalid, op, "collection", "the name is empty")
	case len(name) > maxNameBytes:
		return Fail(CodeInvalid, op, "collection", "the name is longer than 255 bytes")
	case !utf8.ValidString(name):
		return Fail(CodeInvalid, op, "collection", "the name is not well-formed Unicode")
	case name[0] == '_':
		return Fail(CodeInvalid, op, name, "collection names that start with _ are reserved")
	}
	return nil
}

// maxCollections is how many collections a database may have. Each takes about
// 350 bytes of memory, also when it is empty, and is asked in each export.
const maxCollections = 100_000

// checkEnsure refuses what ensure must not create: a name that no collection may
// have, and one collection more than a database may have.
func (db *DB) checkEnsure(op, name string) error {
	if err := checkName(op, name); err != nil {
		return err
	}
	count := len(db.collections)
	if db.collections[catalogName] != nil {
		count--
	}
	if count < maxCollections || db.collections[name] != nil {
		return nil
	}
	return Fail(CodeInvalid, op, name, "the database has "+strconv.Itoa(maxCollections)+" collections, and cannot have more; drop one first")
}

// ensure returns the collection of that name, created if there is none.
func (db *DB) ensure(name string) *collection {
	if c := db.collections[name]; c != nil {
		return c
	}
	c := &collection{name: name, content: newContent(db.opts.ColumnThreshold, db.meter)}
	db.collections[name] = c
	if len(db.relations) > 0 {
		db.holdRelations(c)
	}
	db.note(change{kind: created, c: c})
	return c
}

// Version counts the changes, and what was undone, since New. While it is the
// same, the same query has the same answer.
func (db *DB) Version() uint64 { return db.version }

// HasChanges reports whether anything has changed since the last Cut.
func (db *DB) HasChanges() bool { return len(db.journal) > db.lastCut() }

func (db *DB) lastCut() int {
	if len(db.cuts) == 0 {
		return 0
	}
	return db.cuts[len(db.cuts)-1]
}

// Cut returns every change since the last Cut as the payload of one batch, in
// parts to be concatenated. The parts borrow memory of the DB that stays valid.
// The caller stores them, then calls Confirm or Rollback.
//
// now is the caller's clock, in milliseconds since 1970, and goes into the batch,
// so that every replica tells the same of Metadata.Updated. 0, and what is beyond
// 2^53: the time is not known.
func (db *DB) Cut(now uint64) [][]byte {
	if now > maxSafeID {
		now = 0
	}
	first := db.lastCut()
	for i, last := first, len(db.journal); i < last; i++ {
		db.stamp(db.journal[i].c, now)
	}
	parts := db.encode(db.journal[first:], now)
	db.cuts = append(db.cuts, db.mark())
	return parts
}

// Confirm says that the oldest batch that was cut is stored. Its changes cannot
// be undone any more.
func (db *DB) Confirm() {
	if len(db.cuts) == 0 {
		panic("engine: Confirm without Cut")
	}
	n := db.cuts[0]
	db.cuts = slices.Delete(db.cuts, 0, 1)
	for i := range db.cuts {
		db.cuts[i] -= n
	}
	db.journal = slices.Delete(db.journal, 0, n)
	db.sealed = max(0, db.sealed-n)
	db.tidy()
}

// Uncut takes back the newest Cut: its changes are part of the next batch.
func (db *DB) Uncut() {
	if len(db.cuts) == 0 {
		panic("engine: Uncut without Cut")
	}
	db.cuts = db.cuts[:len(db.cuts)-1]
}

// Rollback undoes everything that is not confirmed, cut or not.
func (db *DB) Rollback() {
	db.rollbackTo(0)
	db.cuts, db.savepoints = db.cuts[:0], db.savepoints[:0]
	db.cutDoubts(0)
	db.forgetSuspended()
	db.tidy()
}

// tidy moves collections with too much garbage to new memory. It does so only when
// nothing can be rolled back, because undoing needs the old bytes.
func (db *DB) tidy() {
	if len(db.journal) > 0 {
		return
	}
	if cap(db.journal) > 1024 {
		db.journal = nil
	}
	for _, c := range db.collections {
		if fresh := c.content.compacted(); fresh != c.content {
			c.content = fresh
			db.history.forget(db.version) // the slots have changed
		}
	}
}

// whole runs work, and undoes all that it did if it fails or leaves what a unique
// index or a relationship forbids.
func (db *DB) whole(work func() error) error {
	mark := db.Mark()
	err := work()
	if err == nil && len(db.doubts) > mark.doubts {
		err = db.settle(mark.doubts)
	}
	if err != nil {
		db.UndoTo(mark)
	}
	return err
}

// A Mark is a state that UndoTo restores. Other than a savepoint, it says nothing
// of where a transaction begins.
type Mark struct{ journal, doubts int }

// Mark returns the present state.
func (db *DB) Mark() Mark { return Mark{db.mark(), len(db.doubts)} }

// UndoTo undoes every change after a mark. No savepoint may have been opened or
// ended since, and no batch cut.
func (db *DB) UndoTo(m Mark) {
	db.rollbackTo(m.journal)
	db.cutDoubts(m.doubts)
}
