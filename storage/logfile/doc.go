// Package logfile is the format of a log in one file: a header, and the records
// one after the other. FORMAT.md, section File, has the tables.
//
// Package filelog keeps a database in such a file. Marshal makes one of the records
// of any log, and Unmarshal reads it.
package logfile
