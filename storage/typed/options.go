package typed

import (
	"time"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/sealedlog"
)

// An Option says how Open opens a database.
type Option func(*settings)

// settings are what options have set.
type settings struct {
	open    func(path string) (storage.Log, error)
	wrap    func(storage.Log) (storage.Log, error)
	session storage.SessionOptions
	every   time.Duration
}

// Storage keeps the database in another log than filelog: open is lmdblog.Open,
// sqlitelog.Open, or a function of your own.
//
//	db, err := typed.Open("notes.sqlite", typed.Storage(sqlitelog.Open))
func Storage[L storage.Log](open func(path string) (L, error)) Option {
	return func(s *settings) {
		s.open = func(path string) (storage.Log, error) { return open(path) }
	}
}

// InMemory keeps the database in memory alone. The path is ignored.
func InMemory() Option {
	return func(s *settings) {
		s.open = func(string) (storage.Log, error) { return nil, nil }
	}
}

// Sealed compresses and encrypts what is stored, as the npm package does with
// compressionLevel and securityManager: each opens what the other has written.
func Sealed(options sealedlog.Options) Option {
	return func(s *settings) {
		s.wrap = func(log storage.Log) (storage.Log, error) { return sealedlog.New(log, options) }
	}
}

// Strict stores every batch so that it survives a power cut. By default, it survives
// the end of the process.
func Strict() Option {
	return func(s *settings) { s.session.Durability = storage.Strict }
}

// Session opens the database with other options of a session: limits, a clock, the
// version of the data. Of several options, the later one counts.
func Session(options storage.SessionOptions) Option {
	return func(s *settings) { s.session = options }
}

// CatchUpEvery applies what other processes have stored each time so much time has
// passed, so that reads and live queries see it. Without it, only DB.CatchUp and writes
// do.
func CatchUpEvery(interval time.Duration) Option {
	return func(s *settings) { s.every = interval }
}
