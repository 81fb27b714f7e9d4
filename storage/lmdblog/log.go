//go:build cgo && !js

package lmdblog

import (
	"encoding/binary"

	"github.com/PowerDNS/lmdb-go/lmdb"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// A value is a frame after a byte that says what it is.
const (
	isBatch    = 0
	isSnapshot = 1
)

// pageBytes is about how much Read takes from LMDB at once.
const pageBytes = 1 << 20

// A Log is a storage.Log in an LMDB file. Open makes one.
type Log struct {
	shared *shared
	closed bool
}

var _ storage.Log = (*Log)(nil)

// Open opens the file at path, and makes it if there is none, readable by the
// user alone; its folder has to exist. Beside it is another whose name ends in
// -lock. The error is CodeCorrupt for a file that is something else, or of
// another LMDB, else CodeStorage.
func Open(path string) (*Log, error) {
	s, err := share(path)
	if err != nil {
		return nil, failed("open", path, err)
	}
	return &Log{shared: s}, nil
}

// Read implements storage.Log. No transaction is open while visit runs.
func (l *Log) Read(after uint64, visit func(storage.Record) error) error {
	rest := int64(-1)
	for {
		var page []storage.Record
		err := l.view("read", func(txn *lmdb.Txn) (err error) {
			if rest < 0 {
				if rest, err = l.bytesAfter(txn, after); err != nil {
					return err
				}
			}
			page, err = l.page(txn, after)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, r := range page {
			rest = max(0, rest-int64(len(r.Bytes)))
			r.Rest = rest
			if err := visit(r); err != nil {
				return err
			}
			after = r.Seq
		}
	}
}

// page returns the next records, about pageBytes of them.
func (l *Log) page(txn *lmdb.Txn, after uint64) (page []storage.Record, err error) {
	bytes := 0
	err = l.each(txn, after, func(seq uint64, value []byte) bool {
		page = append(page, storage.Record{Seq: seq, Snapshot: value[0] == isSnapshot, Bytes: append([]byte(nil), value[1:]...)})
		bytes += len(value)
		return bytes < pageBytes
	})
	return page, err
}

func (l *Log) bytesAfter(txn *lmdb.Txn, after uint64) (n int64, err error) {
	err = l.each(txn, after, func(_ uint64, value []byte) bool {
		n += int64(len(value)) - 1
		return true
	})
	return n, err
}

// each calls visit for the records after a number, whose bytes are LMDB's,
// until it returns false.
func (l *Log) each(txn *lmdb.Txn, after uint64, visit func(seq uint64, value []byte) bool) error {
	if after == 1<<64-1 {
		return nil
	}
	cursor, err := txn.OpenCursor(l.shared.table)
	if err != nil {
		return err
	}
	defer cursor.Close()
	txn.RawRead = true
	for op, key := uint(lmdb.SetRange), keyOf(after+1); ; op, key = lmdb.Next, nil {
		found, value, err := cursor.Get(key, nil, op)
		if lmdb.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(found) != 8 || len(value) == 0 || value[0] > isSnapshot {
			return fail(engine.CodeCorrupt, "read", l.shared.path, "this LMDB holds what is no batch")
		}
		if !visit(binary.BigEndian.Uint64(found), value) {
			return nil
		}
	}
}

// Append implements storage.Log.
func (l *Log) Append(seq uint64, frame storage.Frame, _ storage.Durability) error {
	return l.update("append", func(txn *lmdb.Txn) error {
		last, err := l.last(txn)
		if err != nil {
			return err
		}
		if seq != last+1 {
			return storage.ConflictError(seq)
		}
		return l.put(txn, seq, isBatch, frame)
	})
}

// Compact implements storage.Log.
func (l *Log) Compact(seq uint64, snapshot storage.Frame) error {
	return l.update("compact", func(txn *lmdb.Txn) error {
		value, err := txn.Get(l.shared.table, keyOf(seq))
		if lmdb.IsNotFound(err) || err == nil && value[0] != isBatch {
			return nil // a newer snapshot has been faster
		}
		if err != nil {
			return err
		}
		var older []uint64
		err = l.each(txn, 0, func(n uint64, _ []byte) bool {
			if n < seq {
				older = append(older, n)
			}
			return n < seq
		})
		for _, n := range older {
			if err == nil {
				err = txn.Del(l.shared.table, keyOf(n), nil)
			}
		}
		if err != nil {
			return err
		}
		return l.put(txn, seq, isSnapshot, snapshot)
	})
}

// last returns the newest number; 0 if there is none.
func (l *Log) last(txn *lmdb.Txn) (uint64, error) {
	cursor, err := txn.OpenCursor(l.shared.table)
	if err != nil {
		return 0, err
	}
	defer cursor.Close()
	key, _, err := cursor.Get(nil, nil, lmdb.Last)
	if lmdb.IsNotFound(err) {
		return 0, nil
	}
	if err == nil && len(key) != 8 {
		err = fail(engine.CodeCorrupt, "append", l.shared.path, "this LMDB holds what is no batch")
	}
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(key), nil
}

func (l *Log) put(txn *lmdb.Txn, seq uint64, kind byte, frame storage.Frame) error {
	value, err := txn.PutReserve(l.shared.table, keyOf(seq), 1+frame.Len(), 0)
	if err != nil {
		return err
	}
	value[0] = kind
	at := 1
	for _, part := range frame {
		at += copy(value[at:], part)
	}
	return nil
}

func keyOf(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// Close implements storage.Log.
func (l *Log) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	return l.shared.release()
}

// Destroy implements storage.Log. The file stays, and is empty: another
// process that has it mapped would go on with one that nobody else sees.
func (l *Log) Destroy() error {
	err := l.update("destroy", func(txn *lmdb.Txn) error { return txn.Drop(l.shared.table, false) })
	if closeErr := l.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (l *Log) view(op string, work lmdb.TxnOp) error {
	if l.closed {
		return storage.ClosedError(op)
	}
	return failed(op, l.shared.path, l.shared.run(func(env *lmdb.Env) error { return env.View(work) }))
}

func (l *Log) update(op string, work lmdb.TxnOp) error {
	if l.closed {
		return storage.ClosedError(op)
	}
	return failed(op, l.shared.path, l.shared.run(func(env *lmdb.Env) error { return env.Update(work) }))
}
