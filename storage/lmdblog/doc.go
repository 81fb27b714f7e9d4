// Package lmdblog keeps a database in LMDB, a memory-mapped file.
//
//	log, err := lmdblog.Open("notes.mdb")
//	session, err := storage.Open(log, storage.SessionOptions{})
//
// Any number of Logs, in this process and in others, may have the file open;
// beside it is another whose name ends in -lock. LMDB has one write at a time,
// and readers never wait. The file has to be on a local disk, and it does not
// shrink: what a compaction frees, later batches use.
//
// LMDB is C, so this package needs cgo; without it there is nothing in it.
//
// # Durability
//
// A Relaxed batch is on disk before LMDB's note that it is there, which may
// lag: a power cut can take back the last batch, and never damages the file. A
// Strict one waits for the note too.
//
// # The npm package
//
// The records are those of the npm package's LMDBStorage; FORMAT.md, section
// LMDB, has them. But LMDB has two file formats. This package has LMDB 0.9, with
// format 1, and so has the package lmdb if it is installed with
//
//	npm install lmdb --build-from-source --use_data_v1=true
//
// Then what one has written the other opens, also at the same time. As it is
// installed otherwise it has format 2: Open refuses such a file with
// CodeUnsupported.
//
// # Reading the source
//
// Start at Log (log.go). What it reads and writes is in transaction.go and
// key.go. The Logs of one file share an environment (environment.go), which
// grows the map.
package lmdblog
