//go:build cgo && !js

package lmdblog

import (
	"errors"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/PowerDNS/lmdb-go/lmdb"

	"github.com/atomicdb-go/atomicdb/engine"
)

// firstMap is how much address space a file gets at first; it grows as needed.
const firstMap = 64 << 20

// A shared is the environment of a file, of which LMDB allows a process only
// one, for all Logs on it.
type shared struct {
	path  string
	env   *lmdb.Env
	table lmdb.DBI
	users int

	// Held by transactions; alone by who changes the size of the map, which
	// must not happen during one.
	mapping sync.RWMutex
}

var (
	environments = map[string]*shared{} // by path
	opening      sync.Mutex             // guards it, and users
)

// share returns the environment of the file at path.
func share(path string) (*shared, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	opening.Lock()
	defer opening.Unlock()
	if s := environments[path]; s != nil {
		s.users++
		return s, nil
	}
	env, err := lmdb.NewEnv()
	if err != nil {
		return nil, err
	}
	s := &shared{path: path, env: env, users: 1}
	err = env.SetMapSize(firstMap)
	if err == nil {
		err = env.Open(path, lmdb.NoSubdir, 0o600)
	}
	if err == nil {
		err = s.run(func(env *lmdb.Env) error {
			return env.View(func(txn *lmdb.Txn) (err error) {
				s.table, err = txn.OpenRoot(0)
				return err
			})
		})
	}
	if err != nil {
		env.Close()
		return nil, err
	}
	environments[path] = s
	return s, nil
}

// release ends the use of a Log.
func (s *shared) release() error {
	opening.Lock()
	defer opening.Unlock()
	if s.users--; s.users > 0 {
		return nil
	}
	delete(environments, s.path)
	if err := s.env.Close(); err != nil {
		return failed("close", s.path, err)
	}
	return nil
}

// run has work use the environment, again and again while its map is too small.
func (s *shared) run(work func(*lmdb.Env) error) error {
	for {
		s.mapping.RLock()
		info, err := s.env.Info()
		if err == nil {
			err = work(s.env)
		}
		s.mapping.RUnlock()
		switch {
		case lmdb.IsMapFull(err):
			err = s.resize(info.MapSize, 2*info.MapSize)
		case lmdb.IsMapResized(err): // by another process, to as much as the file has
			err = s.resize(info.MapSize, 0)
		default:
			return err
		}
		if err != nil {
			return err
		}
	}
}

// resize changes the size of the map, unless somebody has since it was from.
func (s *shared) resize(from, to int64) error {
	s.mapping.Lock()
	defer s.mapping.Unlock()
	info, err := s.env.Info()
	if err != nil || info.MapSize != from {
		return err
	}
	return s.env.SetMapSize(to)
}

func fail(code engine.Code, op, target, why string) error {
	return &engine.Error{Code: code, Op: op, Target: target, Err: errors.New(why)}
}

// failed gives a code to what LMDB or the system has answered.
func failed(op, path string, err error) error {
	var coded *engine.Error
	if err == nil || errors.As(err, &coded) {
		return err
	}
	code := engine.CodeStorage
	switch {
	case lmdb.IsErrnoSys(err, syscall.ENOSPC) || lmdb.IsErrnoSys(err, syscall.EDQUOT):
		code = engine.CodeQuota
	case lmdb.IsErrno(err, lmdb.Invalid) || lmdb.IsErrno(err, lmdb.VersionMismatch) || lmdb.IsErrno(err, lmdb.Corrupted) || lmdb.IsErrno(err, lmdb.PageNotFound):
		code = engine.CodeCorrupt
	}
	return &engine.Error{Code: code, Op: op, Target: path, Err: err}
}
