// Package filelog keeps a database in one file.
//
//	log, err := filelog.Open("notes.atomicdb")
//	session, err := storage.Open(log, storage.SessionOptions{})
//
// Any number of Logs, in this process and in others, may have the file open.
// A call that writes holds the file's lock (flock) from when it reads the end of
// the file until it has written there. A call that reads holds it only to learn
// how long the file is. The lock ends with the process, also with one that is
// killed. A process that is stopped while it holds the lock makes the others wait.
//
// The file has to be on a local disk: network file systems differ in what they
// promise about flock, rename and fsync. On a system without flock, such as
// Windows, Open returns CodeUnsupported.
//
// # Crashes
//
// A record is written after the last one, so a crash can tear only the last. The
// next Append or Compact cuts a torn record off, or Log.CutTail when a session
// reads it. A damaged record with others after it is never cut: it is corrupt, and
// Repair (repair.go) keeps the others. A compaction writes a new file beside the
// old one, and renames it.
//
// # Reading the source
//
// FORMAT.md, section File, and package logfile have the bytes. A scanner (scan.go)
// finds the records, and tells torn from damaged ones. Log (log.go, append.go,
// compact.go) uses it while it holds the lock (opened.go).
package filelog
