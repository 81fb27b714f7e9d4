//go:build cgo && !js

package lmdblog

import (
	"github.com/atomicdb-go/atomicdb/storage"
)

// pageBytes is about how many bytes Read reads from LMDB at once.
const pageBytes = 1 << 20

// A Log is a storage.Log in an LMDB file. Open makes one.
type Log struct {
	env    *environment
	closed bool
}

var _ storage.Log = (*Log)(nil)

// Open opens the file at path, and makes one if there is none, which only the user
// can read. Its folder has to exist. The error has CodeCorrupt for a file that is
// not of LMDB, CodeUnsupported for one of another version of LMDB, else
// CodeInvalid, CodeStorage or CodeQuota.
func Open(path string) (*Log, error) {
	env, err := acquire(path)
	if err != nil {
		return nil, failed("open", path, err)
	}
	err = env.view(func(t transaction) error {
		_, _, err := t.last()
		return err
	})
	if err != nil {
		env.release()
		return nil, failed("open", path, err)
	}
	return &Log{env: env}, nil
}

// Read implements storage.Log. No transaction is open while visit runs: one would
// keep LMDB from using pages again, and the map from growing.
func (l *Log) Read(after uint64, visit func(storage.Record) error) error {
	var left int64
	for isFirst, more := true, true; more; isFirst = false {
		var p page
		err := l.view("read", func(t transaction) (err error) {
			p, err = t.page(after)
			return err
		})
		if err != nil {
			return err
		}
		if more = p.more; !more {
			left = p.bytes
		} else if isFirst {
			left = p.all
		}
		for _, r := range p.records {
			left -= 1 + int64(len(r.Bytes))
			r.Rest = max(left, 0)
			after = r.Seq
			if err := visit(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// Append implements storage.Log.
func (l *Log) Append(seq uint64, frame storage.Frame, d storage.Durability) error {
	return l.update("append", d, func(t transaction) error {
		last, value, err := t.last()
		if err != nil {
			return err
		}
		if seq != last+1 || seq > maxSeq || len(value) > 0 && storage.IsForeign(value[1:], frame) {
			return storage.ConflictError(seq)
		}
		return t.put(seq, isBatch, frame)
	})
}

// Compact implements storage.Log. It is Relaxed: a power cut may undo it, and then
// the batches that it replaced are there again.
func (l *Log) Compact(seq uint64, snapshot storage.Frame) error {
	return l.update("compact", storage.Relaxed, func(t transaction) error {
		batch, err := t.batch(seq)
		if err != nil || batch == nil || storage.IsForeign(batch, snapshot) {
			return err
		}
		if err := t.removeUpTo(seq); err != nil {
			return err
		}
		return t.put(seq, isSnapshot, snapshot)
	})
}

// Close implements storage.Log.
func (l *Log) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	if err := l.env.release(); err != nil {
		return failed("close", l.env.path, err)
	}
	return nil
}

// Destroy implements storage.Log. The file stays, empty: after a deletion, another
// process that has it open would go on with a file that no other process sees.
func (l *Log) Destroy() error {
	err := l.update("destroy", storage.Strict, func(t transaction) error { return t.Drop(t.root, false) })
	if closeErr := l.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (l *Log) view(op string, read func(transaction) error) error {
	if l.closed {
		return storage.ClosedError(op)
	}
	if err := l.env.view(read); err != nil {
		return failed(op, l.env.path, err)
	}
	return nil
}

func (l *Log) update(op string, d storage.Durability, write func(transaction) error) error {
	if l.closed {
		return storage.ClosedError(op)
	}
	if err := l.env.update(d, write); err != nil {
		return failed(op, l.env.path, err)
	}
	return nil
}
