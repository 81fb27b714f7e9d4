// Package sqlitelog keeps a database in a table of a SQLite database.
//
//	db, err := sql.Open("sqlite", "notes.sqlite")
//	log, err := sqlitelog.New(db, sqlitelog.Options{})
//	session, err := storage.Open(log, storage.SessionOptions{})
//
// It is made for modernc.org/sqlite, SQLite without cgo, which this package
// registers as the driver "sqlite". It does not touch other tables, and closing the
// Log leaves the SQLite database open.
//
// The npm package's SQLiteStorage makes the same table, so each opens what the
// other has written; FORMAT.md, section SQLite, has its columns. Any number of
// Logs, in any number of processes, may use one table. SQLite runs one write at a
// time; a write waits for the others, up to Options.BusyTimeout.
//
// A Relaxed batch is as durable as the connection's PRAGMA synchronous says. A
// Strict one is written with EXTRA.
//
// # Reading the source
//
// Start at Log (log.go). Rows become records in assembler.go; transaction.go
// waits for other writers, and errors.go tells a full disk from a broken one.
package sqlitelog
