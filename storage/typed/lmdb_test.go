//go:build cgo && (darwin || linux)

package typed_test

import (
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/lmdblog"
	"github.com/atomicdb-go/atomicdb/storage/typed"
)

// lmdb is the row of TestStorages that needs cgo.
var lmdb = struct {
	options []typed.Option
	log     func(path string) (storage.Log, error)
}{[]typed.Option{typed.Storage(lmdblog.Open)}, func(path string) (storage.Log, error) { return lmdblog.Open(path) }}
