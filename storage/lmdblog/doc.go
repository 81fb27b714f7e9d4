// Package lmdblog keeps a database in LMDB, a memory-mapped file:
//
//	log, err := lmdblog.Open("notes.mdb")
//	session, err := storage.Open(log, storage.SessionOptions{})
//
// It needs cgo; without it the package is empty. Any number of Logs, in this
// process and in others, may have the file open. Every batch is flushed to the
// disk, so Relaxed and Strict are the same: LMDB without flushing may lose the
// whole file with the power.
//
// The file is not the one of the npm package's LMDBStorage: that package, lmdb
// 3.5, has a later LMDB, whose files the LMDB of lmdb-go 1.9 takes for none, so
// that Open returns CodeCorrupt. A database goes from one to the other by export
// and import, or through storage/sqlitelog.
//
// # Reading the source
//
// Log (log.go) is the records; shared.go the one environment that LMDB allows a
// process for each file, and the size of its map.
package lmdblog
