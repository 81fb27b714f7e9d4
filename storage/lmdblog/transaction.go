//go:build cgo && !js

package lmdblog

import (
	"bytes"

	"github.com/PowerDNS/lmdb-go/lmdb"

	"github.com/atomicdb-go/atomicdb/storage"
)

// A value is a byte that says what the record is, and the frame.
const (
	isBatch    = 0
	isSnapshot = 1
)

// A transaction is one of LMDB. The bytes that lmdb returns in it are the file's:
// they must not be changed, nor used after the transaction.
type transaction struct {
	*lmdb.Txn
	root lmdb.DBI
}

func (e *environment) transaction(txn *lmdb.Txn) transaction {
	txn.RawRead = true
	return transaction{txn, e.root}
}

// last returns the number of the last record, or 0 if there is none, and its value.
func (t transaction) last() (seq uint64, value []byte, err error) {
	cursor, err := t.OpenCursor(t.root)
	if err != nil {
		return 0, nil, err
	}
	defer cursor.Close()
	key, value, err := cursor.Get(nil, nil, lmdb.Last)
	if lmdb.IsNotFound(err) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, err
	}
	seq, err = seqAt(key)
	return seq, value, err
}

func seqAt(key []byte) (uint64, error) {
	seq, ok := seqOf(key)
	if !ok {
		return 0, corrupt(0, "this LMDB holds what is no batch")
	}
	return seq, nil
}

// batch returns the batch of that number, or nil if there is none, or a snapshot.
func (t transaction) batch(seq uint64) ([]byte, error) {
	value, err := t.Get(t.root, keyOf(min(seq, maxSeq)))
	if lmdb.IsNotFound(err) {
		return nil, nil
	}
	if err != nil || len(value) == 0 || value[0] != isBatch {
		return nil, err
	}
	return value[1:], nil
}

// put stores a record.
func (t transaction) put(seq uint64, kind byte, frame storage.Frame) error {
	value, err := t.PutReserve(t.root, keyOf(seq), 1+frame.Len(), 0)
	if err != nil {
		return err
	}
	value[0] = kind
	value = value[1:]
	for _, part := range frame {
		value = value[copy(value, part):]
	}
	return nil
}

// removeUpTo removes the records up to a number.
func (t transaction) removeUpTo(seq uint64) error {
	cursor, err := t.OpenCursor(t.root)
	if err != nil {
		return err
	}
	defer cursor.Close()
	for {
		key, _, err := cursor.Get(nil, nil, lmdb.First)
		if lmdb.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		at, err := seqAt(key)
		if err != nil || at > seq {
			return err
		}
		if err := cursor.Del(0); err != nil {
			return err
		}
	}
}

// A page is the records that Read reads at once.
type page struct {
	records []storage.Record
	bytes   int64 // of the records
	more    bool  // there are records after them
	all     int64 // about the bytes of all records in the file
}

// page returns copies of the records after a number, about pageBytes of them.
func (t transaction) page(after uint64) (p page, err error) {
	if after >= maxSeq {
		return p, nil
	}
	stat, err := t.Stat(t.root)
	if err != nil {
		return p, err
	}
	p.all = int64(stat.LeafPages+stat.OverflowPages) * int64(stat.PSize)
	cursor, err := t.OpenCursor(t.root)
	if err != nil {
		return p, err
	}
	defer cursor.Close()
	key, value, err := cursor.Get(keyOf(after+1), nil, lmdb.SetRange)
	for ; err == nil; key, value, err = cursor.Get(nil, nil, lmdb.Next) {
		if p.bytes >= pageBytes {
			p.more = true
			return p, nil
		}
		seq, err := seqAt(key)
		if err != nil {
			return p, err
		}
		if len(value) == 0 || value[0] > isSnapshot {
			return p, corrupt(seq, "this LMDB holds what is no batch")
		}
		p.records = append(p.records, storage.Record{Seq: seq, Snapshot: value[0] == isSnapshot, Bytes: bytes.Clone(value[1:])})
		p.bytes += int64(len(value))
	}
	if lmdb.IsNotFound(err) {
		err = nil
	}
	return p, err
}
