// Package storage keeps an engine and a log of its batches in step.
//
// The log is the truth and every engine is a replica of it. A [Log] is where
// batches live: memory, IndexedDB, any JavaScript object with the right
// methods. A [Session] is one engine and one Log: it replays the log into the
// engine, appends what the engine has written, and when another session was
// faster it rolls back, applies what that one wrote and has the work done
// again. Appending a number only if it is the next one is the only thing that
// keeps sessions apart: there are no locks to hold and no leader to elect.
//
// # Vocabulary
//
//   - batch: what one commit did, as bytes; the unit of the log
//   - seq: a batch's number; the first is 1, and none is skipped
//   - snapshot: the batch that stands for all batches from 1 to its seq
//   - frame: a batch or snapshot as stored, with its header; see FORMAT.md
//   - head: the seq of the newest batch that a session has applied
//
// # Reading the source
//
// Start at Log (log.go) and the bytes it is given (frame.go, FORMAT.md). Then
// Session.Flush (session.go), and what it does when another session was faster
// (catchup.go). Memory (memory.go) is the shortest Log. Verify (verify.go) and
// Repair (repair.go) look after what is stored, damaged or not; Restore
// (restore.go) takes in the records of another log, and package logfile makes a
// file of them.
//
// # Logs for Go programs
//
// They are packages below this one. filelog keeps a database in one file, and
// needs nothing else; Relaxed survives the end of the process, Strict a power
// cut. sqlitelog keeps it in a table of a SQLite, beside your own tables, and
// in the very format of the npm package. lmdblog keeps it in LMDB, flushed with
// each batch; it needs cgo.
package storage
