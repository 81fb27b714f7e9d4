//go:build !js

package sqlitelog

import (
	"context"
	"errors"
	"strconv"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/atomicdb-go/atomicdb/engine"
)

func corrupt(seq int64, why string) error {
	return engine.Fail(engine.CodeCorrupt, "read", "batch "+strconv.FormatInt(seq, 10), why)
}

// failed gives a code to an error of SQLite or database/sql.
func failed(op, table string, err error) error {
	var coded *engine.Error
	if errors.As(err, &coded) {
		return err
	}
	code := engine.CodeStorage
	switch {
	case isBusy(err) || errors.Is(err, context.DeadlineExceeded) || result(err) == sqlite3.SQLITE_INTERRUPT:
		return &engine.Error{Code: engine.CodeTimeout, Op: op, Target: table, Err: busy{err}}
	case result(err) == sqlite3.SQLITE_FULL:
		code = engine.CodeQuota
	case result(err) == sqlite3.SQLITE_CORRUPT || result(err) == sqlite3.SQLITE_NOTADB:
		code = engine.CodeCorrupt
	}
	return &engine.Error{Code: code, Op: op, Target: table, Err: err}
}

// busy is the cause of a timeout.
type busy struct{ error }

func (b busy) Error() string {
	return "another connection or process has kept this SQLite busy for too long: " + b.error.Error()
}

func (b busy) Unwrap() error { return b.error }

// isBusy reports whether another connection has the lock that was asked for.
func isBusy(err error) bool {
	return result(err) == sqlite3.SQLITE_BUSY || result(err) == sqlite3.SQLITE_LOCKED
}

// result returns SQLite's primary result code, or SQLITE_OK if err is not
// SQLite's.
func result(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return sqlite3.SQLITE_OK
	}
	return e.Code() & 0xff
}
