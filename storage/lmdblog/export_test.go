//go:build cgo && !js

package lmdblog

import "github.com/PowerDNS/lmdb-go/lmdb"

// Resize gives the map another size.
func (l *Log) Resize(size int64) error {
	before, err := l.MapSize()
	if err != nil {
		return err
	}
	return l.env.resize(before, size)
}

// MapSize returns the size of the map.
func (l *Log) MapSize() (int64, error) { return l.env.shared(func() error { return nil }) }

// Put stores any key and value.
func (l *Log) Put(key, value []byte) error {
	return l.env.lmdb.Update(func(txn *lmdb.Txn) error { return txn.Put(l.env.root, key, value, 0) })
}

// OnSync calls hear before LMDB syncs its file, until stop is called. An error that
// hear returns is the error of the sync.
func OnSync(hear func() error) (stop func()) {
	before := syncLMDB
	syncLMDB = func(env *lmdb.Env) error {
		if err := hear(); err != nil {
			return err
		}
		return before(env)
	}
	return func() { syncLMDB = before }
}

var KeyOf = keyOf
