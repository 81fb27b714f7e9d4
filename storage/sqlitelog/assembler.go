//go:build !js

package sqlitelog

import "github.com/atomicdb-go/atomicdb/storage"

// A row is a row of the table without its writer: a part of a record.
type row struct {
	seq, snapshot, part, parts int64
	bytes                      []byte
}

// An assembler makes records of rows, which come in the order of their seq,
// snapshot and part.
//
// A SQLite without transactions may hold records that a crash has interrupted. If a
// number has a batch and a snapshot, the snapshot counts. A snapshot that is not
// whole was never finished.
type assembler struct {
	records []storage.Record
	bytes   int64 // of all rows so far

	current row    // the latest
	own     []byte // bytes of the current record so far
	count   int64  // its rows so far
	inOrder bool   // its parts are 0, 1, 2, … of as many
	damaged error  // the error of a damaged batch, unless a snapshot of its number follows
}

// add adds the next row, whose bytes it copies.
func (a *assembler) add(r row) error {
	if r.seq <= 0 || r.snapshot != 0 && r.snapshot != 1 {
		return corrupt(r.seq, "this SQLite table holds what is no batch")
	}
	if r.seq != a.current.seq || r.snapshot != a.current.snapshot {
		a.finish()
		if a.damaged != nil && r.seq != a.current.seq {
			return a.damaged
		}
		a.own, a.count, a.inOrder = nil, 0, true
	}
	a.inOrder = a.inOrder && r.part == a.count && (a.count == 0 || r.parts == a.current.parts)
	a.count++
	a.own = append(a.own, r.bytes...)
	a.bytes += int64(len(r.bytes))
	r.bytes = nil
	a.current = r
	return nil
}

// finish ends the current record.
func (a *assembler) finish() {
	if a.count == 0 {
		return
	}
	isWhole := a.inOrder && a.count == a.current.parts
	isSnapshot := a.current.snapshot == 1
	a.count = 0
	switch {
	case isWhole:
		if isSnapshot {
			a.records, a.damaged = a.records[:0], nil
		}
		a.records = append(a.records, storage.Record{Seq: uint64(a.current.seq), Snapshot: isSnapshot, Bytes: a.own})
	case !isSnapshot:
		a.damaged = corrupt(a.current.seq, "this SQLite table does not hold all its parts")
	}
}

// end returns the records, after the last row.
func (a *assembler) end() ([]storage.Record, error) {
	a.finish()
	return a.records, a.damaged
}
