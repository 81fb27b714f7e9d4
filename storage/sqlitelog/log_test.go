//go:build !js

package sqlitelog_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/sqlitelog"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

func TestMain(m *testing.M) { storagetest.Main(m, openLog) }

func TestLog(t *testing.T) {
	for _, journal := range []string{"delete", "wal"} {
		t.Run(journal, func(t *testing.T) {
			storagetest.TestLog(t, func(t *testing.T) storagetest.Share {
				path := filepath.Join(t.TempDir(), "test.sqlite")
				return func(t *testing.T) storage.Log { return open(t, openDB(t, path+"?_pragma=journal_mode("+journal+")")) }
			})
		})
	}
	t.Run("one connection in memory", func(t *testing.T) {
		storagetest.TestLog(t, func(t *testing.T) storagetest.Share {
			db := openDB(t, ":memory:")
			db.SetMaxOpenConns(1)
			return func(t *testing.T) storage.Log { return open(t, db) }
		})
	})
	t.Run("a table beside another", func(t *testing.T) {
		storagetest.TestLog(t, func(t *testing.T) storagetest.Share {
			db := openDB(t, filepath.Join(t.TempDir(), "test.sqlite"))
			other := open(t, db)
			mustAppend(t, other, 1, "of another table")
			t.Cleanup(func() { wantRecords(t, other, "1 of another table") })
			return func(t *testing.T) storage.Log {
				log, err := sqlitelog.New(db, sqlitelog.Options{Table: "order"}) // a word of SQL
				if err != nil {
					t.Fatal(err)
				}
				return log
			}
		})
	})
}

func TestForeign(t *testing.T) {
	storagetest.TestForeign(t, func(t *testing.T) storagetest.Share {
		path := filepath.Join(t.TempDir(), "test.sqlite")
		return func(t *testing.T) storage.Log { return open(t, openDB(t, path)) }
	})
}

func TestSession(t *testing.T) {
	storagetest.TestSession(t, func(t *testing.T) storagetest.Share {
		path := filepath.Join(t.TempDir(), "test.sqlite")
		return func(t *testing.T) storage.Log { return open(t, openDB(t, path)) }
	})
}

func TestProcesses(t *testing.T) { storagetest.TestProcesses(t, openLog) }

func TestCrashes(t *testing.T) {
	storagetest.TestCrashes(t, func(t *testing.T) storagetest.Share {
		path := filepath.Join(t.TempDir(), "test.sqlite")
		return func(t *testing.T) storage.Log { return open(t, openDB(t, path)) }
	})
}

// openLog is for tests that kill their process, which closes the SQLite database.
func openLog(path string) (storage.Log, error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	log, err := sqlitelog.New(db, sqlitelog.Options{})
	if err != nil {
		return nil, err
	}
	return owner{log, db}, nil
}

// An owner is a Log that closes its SQLite database.
type owner struct {
	storage.Log
	db *sql.DB
}

func (o owner) Close() error {
	if err := o.Log.Close(); err != nil {
		return err
	}
	return o.db.Close()
}

func openDB(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func open(t *testing.T, db *sql.DB) *sqlitelog.Log {
	t.Helper()
	log, err := sqlitelog.New(db, sqlitelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return log
}
