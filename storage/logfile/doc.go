// Package logfile is the format of a log in one file: a header, and the records
// one behind the other. FORMAT.md, section File, has the tables.
//
// Package filelog keeps a database in such a file. Marshal and Unmarshal make
// one of any log, and back.
package logfile
