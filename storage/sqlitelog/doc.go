// Package sqlitelog keeps a database in a table of a SQLite.
//
//	db, err := sql.Open("sqlite", "notes.sqlite")
//	log, err := sqlitelog.New(db, sqlitelog.Options{})
//	session, err := storage.Open(log, storage.SessionOptions{})
//
// It is made for modernc.org/sqlite, SQLite without cgo, which importing this
// package registers as the driver "sqlite". Other tables of the SQLite are left
// alone, and closing the Log leaves it open: it is yours.
//
// The table is the one that the npm package's SQLiteStorage makes, so what one
// has written the other opens; FORMAT.md, section SQLite, has its columns. Any
// number of Logs, in any number of processes, may stand for one table: SQLite
// has one write at a time. A write waits for the others, up to
// Options.BusyTimeout.
//
// How durable a Relaxed batch is, the connection's PRAGMA synchronous decides. A
// Strict one is written with FULL at least.
//
// # Reading the source
//
// Start at Log (log.go). Rows become records in assembler.go; transaction.go
// waits for other writers, and errors.go tells a full disk from a broken one.
package sqlitelog
