// Package filelog keeps a database in one file.
//
//	log, err := filelog.Open("notes.atomicdb")
//	session, err := storage.Open(log, storage.SessionOptions{})
//
// Any number of Logs, in this process and in others, may have the file open.
// Each call that writes holds the file's lock (flock) from looking at its end
// until it has written there; reading holds it only to learn how long the file
// is. The lock belongs to the process, so it ends with it, however it ends. A
// stopped process that holds it makes the others wait.
//
// The file has to be on a local disk: what a network file system promises about
// flock, rename and fsync differs. A system without flock, such as Windows, gets
// CodeUnsupported.
//
// # Crashes
//
// A record is written behind the last one, so a crash can leave only the last
// torn. The next Append or Compact cuts it off, or Log.Cut when a session meets
// it. A record that is damaged and has others behind it is never cut: it is
// corrupt, and Repair (repair.go) keeps the others. A compaction writes a new
// file beside the old one, and renames it.
//
// # Reading the source
//
// The bytes are in FORMAT.md, section File, and package logfile. A scanner (scan.go)
// finds the records and judges what is torn; Log (log.go, append.go, compact.go)
// does so under the lock of opened.go.
package filelog
