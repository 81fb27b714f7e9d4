//go:build cgo && !js

package lmdblog

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/PowerDNS/lmdb-go/lmdb"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// An environment is a file that this process has open in LMDB. A process must not
// open a file twice, because closing one would end the locks of both. So all Logs
// of a path share one.
type environment struct {
	path string
	logs int // that use it; guarded by inUse

	// Transactions hold lock shared. It is held exclusively to change lmdb or the
	// size of its map, while no transaction may be open.
	lock sync.RWMutex
	lmdb *lmdb.Env // nil: it has to be opened again
	root lmdb.DBI
}

// inUse are the environments of this process by path.
var inUse = struct {
	sync.Mutex
	byPath map[string]*environment
}{byPath: map[string]*environment{}}

// acquire returns the environment of the file at path, and makes the file if there
// is none. The caller releases the environment.
func acquire(path string) (*environment, error) {
	path, err := prepare(path)
	if err != nil {
		return nil, err
	}
	inUse.Lock()
	defer inUse.Unlock()
	e := inUse.byPath[path]
	if e == nil {
		e = &environment{path: path}
		if err := e.open(); err != nil {
			return nil, err
		}
		inUse.byPath[path] = e
	}
	e.logs++
	return e, nil
}

// prepare makes the file at path if there is none, and returns its path without
// links: through a link, LMDB would use another lock file.
func prepare(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", errors.Join(err, engine.Fail(engine.CodeInvalid, "open", path, "it is no regular file"))
	}
	if isFormat2(file) {
		return "", &engine.Error{Code: engine.CodeUnsupported, Op: "open", Target: path, Err: errOtherLMDB}
	}
	return filepath.EvalSymlinks(path)
}

// isFormat2 reports whether the file has format 2, which our LMDB takes for another
// kind of file: LMDB's magic number is eight bytes further on there.
func isFormat2(file *os.File) bool {
	start := make([]byte, 32)
	if _, err := file.ReadAt(start, 0); err != nil {
		return false
	}
	const magic = 0xbeefc0de
	return binary.NativeEndian.Uint32(start[16:]) != magic && binary.NativeEndian.Uint32(start[24:]) == magic
}

// release closes the environment after the last Log that used it.
func (e *environment) release() error {
	inUse.Lock()
	defer inUse.Unlock()
	if e.logs--; e.logs > 0 {
		return nil
	}
	delete(inUse.byPath, e.path)
	if e.lmdb == nil {
		return nil
	}
	return e.lmdb.Close()
}

// open opens the file in LMDB, which initializes an empty file.
func (e *environment) open() (err error) {
	env, err := lmdb.NewEnv()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			env.Close()
		}
	}()
	// Without a size, the map gets that of the file, or 1 MiB.
	if err := env.Open(e.path, lmdb.NoSubdir|lmdb.NoMetaSync, 0o600); err != nil {
		return err
	}
	if _, err := env.ReaderCheck(); err != nil { // of processes that were killed
		return err
	}
	err = env.View(func(txn *lmdb.Txn) (err error) {
		e.root, err = txn.OpenRoot(0)
		return err
	})
	if err != nil {
		return err
	}
	if err := syncDirectory(e.path); err != nil {
		return err
	}
	e.lmdb = env
	return nil
}

// syncDirectory writes the name of the file at path to the disk. Windows does that
// itself.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}

// view runs read in a transaction that sees one state. It may run it again.
func (e *environment) view(read func(transaction) error) error {
	return e.retry(func() error {
		return e.lmdb.View(func(txn *lmdb.Txn) error { return read(e.transaction(txn)) })
	})
}

// update runs write in a transaction, while no other writer can write. If write
// fails, nothing of it stays. update may run it again.
func (e *environment) update(d storage.Durability, write func(transaction) error) error {
	isStored := false
	return e.retry(func() error {
		if !isStored {
			err := e.lmdb.Update(func(txn *lmdb.Txn) error { return write(e.transaction(txn)) })
			if err != nil {
				return err
			}
			isStored = true
		}
		if d != storage.Strict {
			return nil
		}
		if err := syncLMDB(e.lmdb); err != nil {
			// Not CodeQuota, which promises that nothing is stored.
			return &engine.Error{Code: engine.CodeStorage, Op: "sync", Target: e.path, Err: err}
		}
		return nil
	})
}

// syncLMDB writes everything to the disk, with the page that refers to the newest
// transaction. Tests replace it.
var syncLMDB = func(env *lmdb.Env) error { return env.Sync(true) }

// retry repeats try while it fails because of the size of the map, or because of
// readers that are dead.
func (e *environment) retry(try func() error) error {
	for {
		size, err := e.shared(try)
		switch {
		case err == errNotOpen || isOneOf(err, lmdb.Panic):
			err = e.reopen()
		case isOneOf(err, lmdb.MapFull):
			err = e.resize(size, 2*size)
		case isOneOf(err, lmdb.MapResized): // by another process
			err = e.resize(size, 0)
		default:
			return err
		}
		if err != nil {
			return err
		}
	}
}

var errNotOpen = errors.New("LMDB is not open")

// shared runs try while lmdb and its map do not change, and returns the map's
// size. It removes dead readers, which keep LMDB from using pages again.
func (e *environment) shared(try func() error) (mapSize int64, err error) {
	e.lock.RLock()
	defer e.lock.RUnlock()
	if e.lmdb == nil {
		return 0, errNotOpen
	}
	err = try()
	if isOneOf(err, lmdb.MapFull, lmdb.ReadersFull) {
		if dead, _ := e.lmdb.ReaderCheck(); dead > 0 {
			err = try()
		}
	}
	info, infoErr := e.lmdb.Info()
	if infoErr != nil {
		return 0, infoErr
	}
	return info.MapSize, err
}

// resize gives the map another size, unless it no longer has the size before. A
// size of 0 is that in the file.
func (e *environment) resize(before, size int64) error {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.lmdb == nil {
		return nil
	}
	info, err := e.lmdb.Info()
	if err != nil || info.MapSize != before {
		return err
	}
	if err := e.lmdb.SetMapSize(size); err != nil {
		// LMDB has no map now, and every other call would crash.
		e.lmdb.Close()
		e.lmdb = nil
		return err
	}
	return nil
}

// reopen opens LMDB again after an error that has made it unusable.
func (e *environment) reopen() error {
	e.lock.Lock()
	defer e.lock.Unlock()
	if e.lmdb != nil {
		e.lmdb.Close()
		e.lmdb = nil
	}
	return e.open()
}
