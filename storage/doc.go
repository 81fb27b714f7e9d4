// Package storage keeps an engine and a log of its batches in step.
//
// The log is the truth, and every engine is a replica of it. A [Log] keeps
// batches: in memory, in IndexedDB, or in any JavaScript object with the right
// methods. A [Session] is one engine and one Log. It replays the log into the
// engine and appends the engine's changes. When another session was faster, it
// rolls back, applies the other's batches and has the work done again. A Log
// appends a batch only if its number is the next one. Nothing else coordinates
// sessions: they hold no locks and elect no leader.
//
// # Vocabulary
//
//   - batch: what one commit did, as bytes; the unit of the log
//   - seq: a batch's number; the first is 1, and none is skipped
//   - snapshot: the batch that stands for all batches from 1 to its seq
//   - frame: a batch or snapshot as stored, with its header; see FORMAT.md
//   - head: the seq of the newest batch that a session has applied
//   - change: what a batch did to one document
//   - feed: what hands out the changes of a session, batch by batch
//   - identity: random bytes that tell a database from every other
//
// # Reading the source
//
// Start at Log (log.go) and the bytes it is given (frame.go, FORMAT.md). Then
// Session.Flush (session.go), and what it does when another session was faster
// (catchup.go). Memory (memory.go) is the shortest Log. Verify (verify.go) checks
// a log and Repair (repair.go) repairs it. Restore (restore.go) stores the
// records of another log, and package logfile makes a file of them. What keeps
// databases apart is in identity.go.
//
// Changes (changes.go) come from a Feed (feed.go). It takes the latest ones from
// what the session keeps for all its feeds (feeds.go), at the moment when a batch is
// confirmed or applied, because the engine then still has the documents of before.
// For older ones it replays the log (replayer.go), as At does (at.go).
//
// # Why IndexedDB is written in Go
//
// Of the storages of a browser, IndexedDB alone is an adapter here; the others
// are TypeScript, which HostLog calls. It is the default, so it is on the path
// of every page, and this way a batch crosses between Go and JavaScript once
// each way: from Go's memory into the value that IndexedDB stores. A batch that
// is compressed or encrypted crosses once too, because the sealer works on
// JavaScript's side of that one crossing. Through an object of JavaScript that
// calls back into Go, as IndexedDBStorage is for other callers, it crosses three
// times: a single durable insert of an encrypted document then took 1.14 ms
// instead of 0.96, and 100,000 encrypted documents took 199 ms to open instead of
// 191 (medians of ten in headless Chromium on two cores). The adapter also handles
// what browsers do with lost connections, and tests of that run in Chromium.
//
// # Logs for Go programs
//
// Each is a package below this one. All pass the same tests, and any number of
// processes may share a log.
//
//   - filelog: a file of its own, without dependencies. Take it unless you need
//     something that another one has. A Relaxed batch has been written to the
//     file; a Strict one is followed by an fsync.
//   - sqlitelog: one table of a SQLite database, which the npm package's
//     SQLiteStorage can open too; it works on Windows. A Relaxed batch is as
//     durable as the connection's PRAGMA synchronous says; a Strict one is
//     written with FULL.
//   - lmdblog: an LMDB file, with cgo, which the npm package's LMDBStorage can open
//     too if both have the same format of LMDB. Every batch is flushed. If the
//     last batch was Relaxed, which costs less than Strict, a power cut may undo it.
//   - Memory, here: for tests, and for data that may end with the program.
//
// Package sealedlog compresses and encrypts any of them as the npm package does.
// Package typed opens a database for a program that keeps structs, and package httpapi
// serves databases over HTTP.
package storage
