//go:build darwin || linux

package typed_test

import (
	"path/filepath"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
	"github.com/atomicdb-go/atomicdb/storage/sealedlog"
	"github.com/atomicdb-go/atomicdb/storage/sqlitelog"
	"github.com/atomicdb-go/atomicdb/storage/typed"
)

func sealed(t *testing.T) sealedlog.Options {
	key, err := sealedlog.NewKey(sealedlog.KeyOptions{Password: "correct horse", Iterations: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return sealedlog.Options{Key: key, CompressionLevel: 6}
}

// TestStorages keeps a database in each kind of file, and opens it again: with this
// package, and with the log alone.
func TestStorages(t *testing.T) {
	for name, c := range map[string]struct {
		options []typed.Option
		log     func(path string) (storage.Log, error)
	}{
		"filelog":   {nil, func(path string) (storage.Log, error) { return filelog.Open(path) }},
		"strict":    {[]typed.Option{typed.Strict()}, func(path string) (storage.Log, error) { return filelog.Open(path) }},
		"sqlitelog": {[]typed.Option{typed.Storage(sqlitelog.Open)}, func(path string) (storage.Log, error) { return sqlitelog.Open(path) }},
		"lmdblog":   lmdb,
		"sealed": {[]typed.Option{typed.Sealed(sealed(t))}, func(path string) (storage.Log, error) {
			log, err := filelog.Open(path)
			if err != nil {
				return nil, err
			}
			return sealedlog.New(log, sealed(t))
		}},
	} {
		if c.log == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "users.atomicdb")
			db, err := typed.Open(path, c.options...)
			if err != nil {
				t.Fatal(err)
			}
			insertThree(t, db)
			second, err := typed.Open(path, c.options...) // while the first is open
			if err != nil {
				t.Fatal(err)
			}
			wantNames(t, second, nil, "Ada Bob Cy")
			wantCode(t, "Insert", typed.In[user](second, "users").Insert(t.Context(), &user{Name: "Di"}), "")
			wantCode(t, "Insert after another process", typed.In[user](db, "users").Insert(t.Context(), &user{Name: "Eve"}), "")
			wantCode(t, "Close", second.Close(), "")
			wantCode(t, "Close", db.Close(), "")

			log, err := c.log(path)
			if err != nil {
				t.Fatal(err)
			}
			session, err := storage.Open(log, storage.SessionOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if n, err := session.DB().Count("users", nil, 0); n != 5 || err != nil {
				t.Errorf("the log holds %d documents, %v, want 5", n, err)
			}
			wantCode(t, "Close", session.Close(), "")
		})
	}
}

func TestOpen_refuses(t *testing.T) {
	folder := t.TempDir()
	_, err := typed.Open(filepath.Join(folder, "no", "such", "folder"))
	wantCode(t, "Open in no folder", err, engine.CodeStorage)
	_, err = typed.Open(filepath.Join(folder, "no", "such", "folder"), typed.Storage(sqlitelog.Open))
	wantCode(t, "Open of SQLite in no folder", err, engine.CodeStorage)
	_, err = typed.Open("", typed.Storage(sqlitelog.Open))
	wantCode(t, "Open of SQLite at no path", err, engine.CodeInvalid)
	_, err = typed.Open(filepath.Join(folder, "a"), typed.Sealed(sealedlog.Options{CompressionLevel: -1}))
	wantCode(t, "Open with a wrong level", err, engine.CodeInvalid)
	_, err = typed.Open("", typed.InMemory(), typed.Session(storage.SessionOptions{Engine: engine.Options{MaxDepth: -1}}))
	wantCode(t, "Open with a wrong depth", err, engine.CodeInvalid)
}
