//go:build !cgo && (darwin || linux)

package typed_test

import (
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/typed"
)

// lmdb is no row of TestStorages without cgo.
var lmdb struct {
	options []typed.Option
	log     func(path string) (storage.Log, error)
}
