package storage

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A Log keeps records in the order of their seq. Every adapter passes
// storagetest.TestLog; a caller may rely on nothing else.
//
// Several Logs, in other pages, processes or machines, may stand for the same
// stored data. One Log is used by one goroutine at a time. After Close or
// Destroy every call returns CodeClosed.
type Log interface {
	// Read calls visit for each record numbered after the given seq, in order. If
	// visit returns an error, Read stops and returns it. A snapshot stands for
	// everything before it. It comes first, or, when another session compacts the
	// log meanwhile, in the place of records not yet visited.
	Read(after uint64, visit func(Record) error) error

	// Append stores frame as number seq and returns once it is stored as durably
	// as d asks. If seq is not the next number, because another writer has taken
	// it or because its predecessor is missing, it stores nothing and returns
	// CodeConflict; also if its predecessor is of another database, see IsForeign.
	// After any other error the frame may or may not be stored.
	Append(seq uint64, frame Frame, d Durability) error

	// Compact replaces everything up to seq by one snapshot record numbered seq,
	// in one atomic step; later records stay. If no record is numbered seq, a
	// newer snapshot has replaced it, and Compact does nothing; nor if the record
	// is of another database, see IsForeign.
	Compact(seq uint64, snapshot Frame) error

	// Close releases what the Log holds. The stored data stays.
	Close() error

	// Destroy closes the Log and deletes the stored data.
	Destroy() error
}

// A Frame is the bytes of one record in parts, to be concatenated. A Log that
// is given one borrows the parts until its call returns.
type Frame [][]byte

// Len returns the bytes of all parts.
func (f Frame) Len() int {
	n := 0
	for _, part := range f {
		n += len(part)
	}
	return n
}

// A Record is one entry of a Log.
type Record struct {
	Seq      uint64
	Snapshot bool   // stands for everything up to Seq
	Bytes    []byte // borrowed: valid until visit returns

	// Rest is about how many bytes the records after this one hold, as far as
	// the Log can tell. It is for progress bars only; in the last record it is 0.
	Rest int64
}

// Durability says what an Append has to survive.
type Durability uint8

const (
	// Relaxed returns once the storage has accepted the batch: it survives the
	// end of the page or process. It is the default.
	Relaxed Durability = iota
	// Strict returns once the batch survives a power cut.
	Strict
)

// String returns the name that JavaScript uses: "relaxed" or "strict".
func (d Durability) String() string {
	if d == Strict {
		return "strict"
	}
	return "relaxed"
}

// A Watcher is a Log that tells of records that others append to the same data.
type Watcher interface {
	// Watch calls listener for each record that another Log has appended, until
	// stop is called. bytes is nil if the Log does not have them at hand. A seq of
	// 0 means that there may be new records. The bytes belong to listener, which
	// does not block.
	Watch(listener func(seq uint64, bytes []byte)) (stop func())
}

// A TornTail is a Log whose last record a crash can leave torn: cut short, or
// with bytes that were never written. Other logs store a record whole or not at
// all, so a bad record in them is corrupt.
type TornTail interface {
	// CutTail removes the last record if it is numbered seq and holds exactly the
	// torn bytes. Otherwise it does nothing: another session may have cut it and
	// appended in its place.
	CutTail(seq uint64, torn []byte) error
}

//go:noinline
func batchName(seq uint64) string { return "batch " + strconv.FormatUint(seq, 10) }

// ConflictError is the error of an Append whose seq is not the next number.
//
//go:noinline
func ConflictError(seq uint64) error {
	return engine.Fail(engine.CodeConflict, "append", batchName(seq), "another writer has stored this number, or the one before it is missing")
}

// ClosedError is the error of every call to a closed Log.
//
//go:noinline
func ClosedError(op string) error {
	return engine.Fail(engine.CodeClosed, op, "", "the log has been closed")
}
