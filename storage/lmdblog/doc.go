// Package lmdblog keeps a database in LMDB, a memory-mapped file.
//
//	log, err := lmdblog.Open("notes.mdb")
//	session, err := storage.Open(log, storage.SessionOptions{})
//
// Any number of Logs, in this process and in others, may have the file open. LMDB
// keeps another file beside it, whose name ends in -lock. LMDB runs one write at a
// time, and readers never wait. The file has to be on a local disk. It does not
// shrink: later batches use the space that a compaction frees.
//
// LMDB is C, so this package needs cgo; without cgo it is empty.
//
// # Durability
//
// A Relaxed batch is on disk when Append returns, and LMDB's page that refers to it
// may follow later: a power cut can undo the last batch, and never damages the
// file. A Strict batch waits for that page too.
//
// # The npm package
//
// The npm package's LMDBStorage stores the same records; FORMAT.md, section LMDB,
// has them. But LMDB has two file formats. This package has LMDB 0.9, with format
// 1, and so has the package lmdb if it is installed with
//
//	npm install lmdb --build-from-source --use_data_v1=true
//
// Then each opens what the other has written, also at the same time. Installed
// otherwise it has format 2, and Open refuses its files with CodeUnsupported.
//
// # Reading the source
//
// Start at Log (log.go). transaction.go and key.go read and write its records. The
// Logs of one file share an environment (environment.go), which grows the map.
package lmdblog
