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
	// Read calls visit for each record numbered after the given seq, in order,
	// until visit returns an error, which Read then returns, or the records end.
	// A snapshot stands for everything before it. It comes first, or in place of
	// records not yet visited when somebody compacts the log meanwhile.
	Read(after uint64, visit func(Record) error) error

	// Append stores frame as number seq and returns once it is stored as durably
	// as d asks. If seq is not the next number, because another writer has taken
	// it or because its predecessor is missing, it stores nothing and returns
	// CodeConflict. After any other error the frame may be stored or not.
	Append(seq uint64, frame Frame, d Durability) error

	// Compact replaces everything up to seq by one snapshot record numbered seq,
	// in one atomic step; later records stay. If no record is numbered seq, a
	// newer snapshot has replaced it, and Compact does nothing.
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
	// the Log can tell. It serves progress bars only; after the last it is 0.
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

// A Watcher is a Log that hears of what others append to the same data.
type Watcher interface {
	// Watch calls listener with the seq, and if they are at hand the bytes, of
	// each record that another Log has appended, until stop is called. A seq of
	// 0 means that there may be something new. The bytes are given away, and
	// listener does not block.
	Watch(listener func(seq uint64, bytes []byte)) (stop func())
}

// A Cutter is a Log whose last record a crash can leave torn: cut short, or
// with bytes that were never written. Logs that store a record whole or not at
// all have no Cut, and a bad record in them is corrupt.
type Cutter interface {
	// Cut removes the last record if it is numbered seq and holds exactly the
	// torn bytes, and does nothing otherwise: another session may have cut it
	// and appended in its place.
	Cut(seq uint64, torn []byte) error
}

func batchName(seq uint64) string { return "batch " + strconv.FormatUint(seq, 10) }

// ConflictError is the error of an Append whose seq is not the next number.
func ConflictError(seq uint64) error {
	return engine.Fail(engine.CodeConflict, "append", batchName(seq), "another writer has stored this number, or the one before it is missing")
}

// ClosedError is the error of every call to a closed Log.
func ClosedError(op string) error {
	return engine.Fail(engine.CodeClosed, op, "", "the log has been closed")
}
