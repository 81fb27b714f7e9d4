//go:build cgo && !js

package lmdblog

import (
	"errors"
	"slices"
	"strconv"
	"syscall"

	"github.com/PowerDNS/lmdb-go/lmdb"

	"github.com/atomicdb-go/atomicdb/engine"
)

func corrupt(seq uint64, why string) error {
	return engine.Fail(engine.CodeCorrupt, "read", "batch "+strconv.FormatUint(seq, 10), why)
}

// failed gives a code to an error of LMDB or the system.
func failed(op, path string, err error) error {
	var coded *engine.Error
	if errors.As(err, &coded) {
		return err
	}
	code := engine.CodeStorage
	switch {
	case lmdb.IsErrno(err, lmdb.VersionMismatch):
		code, err = engine.CodeUnsupported, errOtherLMDB
	case isOneOf(err, lmdb.Invalid, lmdb.Corrupted, lmdb.PageNotFound, lmdb.Incompatible):
		code = engine.CodeCorrupt
	case isOneOf(err, syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG):
		code = engine.CodeQuota
	case isOneOf(err, syscall.EIO) && isDiskFull(path): // a write of which only a part had room
		code = engine.CodeQuota
	}
	return &engine.Error{Code: code, Op: op, Target: path, Err: err}
}

// errOtherLMDB is the error for a file of another LMDB, or one that another LMDB has open.
var errOtherLMDB = errors.New("another version of LMDB has made this file or has it open; " +
	`the npm package lmdb is one unless installed with "--build-from-source --use_data_v1=true"`)

// isOneOf reports whether err is one of codes, of LMDB or the system.
func isOneOf(err error, codes ...error) bool {
	return lmdb.IsErrnoFn(err, func(err error) bool { return slices.Contains(codes, err) })
}
