//go:build !js

package sqlitelog

import (
	"database/sql"
	"errors"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// A File is a Log with a SQLite database of its own, which Close and Destroy close. Open
// makes one.
type File struct {
	*Log
	sqlite *sql.DB
}

var _ storage.Log = (*File)(nil)

// Open opens the SQLite database in the file at path, makes it if there is none, and
// returns a Log in its table "atomicdb". Use New for another table, or for a database
// that the program has open.
func Open(path string) (*File, error) {
	if path == "" {
		return nil, engine.Fail(engine.CodeInvalid, "open", "path", "the path is empty")
	}
	sqlite, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, failed("open", path, err)
	}
	log, err := New(sqlite, Options{})
	if err != nil {
		sqlite.Close()
		return nil, err
	}
	return &File{log, sqlite}, nil
}

// Close implements storage.Log.
func (f *File) Close() error { return errors.Join(f.Log.Close(), f.sqlite.Close()) }

// Destroy implements storage.Log. It drops the table; the file stays.
func (f *File) Destroy() error { return errors.Join(f.Log.Destroy(), f.sqlite.Close()) }
