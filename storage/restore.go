package storage

import (
	"bytes"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A Restorer is a Log that stores the records of another in one atomic step.
type Restorer interface {
	// Restore stores records under their numbers. If the log has a record already,
	// it returns CodeInvalid and changes nothing.
	Restore(records []Record) error
}

// maxFillers is how many empty records Restore appends at most, for numbers that
// a snapshot has replaced or that are missing.
const maxFillers = 1_000_000

// Restore stores the records of another log in an empty one, damaged records
// too. It closes log. CodeInvalid means that log is not empty, CodeConflict that
// another session wrote meanwhile. After any other error log is empty again.
//
// A Log that is no Restorer counts from 1. Restore first appends empty records
// up to the number of the snapshot, and then the snapshot replaces them. A
// number that is missing among records becomes an empty record too, which is
// damaged. A record of another database than the others becomes damaged,
// because a Log refuses it; it counted for nothing before. If the process ends before Restore does, the log is damaged or ends
// too early: destroy it and begin again.
func Restore(log Log, records []Record) (err error) {
	defer func() {
		if closeErr := log.Close(); err == nil {
			err = closeErr
		}
	}()
	if r, ok := log.(Restorer); ok {
		return r.Restore(records)
	}
	err = log.Read(0, func(Record) error { return notEmpty("restore") })
	if err != nil {
		return err
	}
	if n := len(records); n > 0 && records[n-1].Seq > uint64(n+maxFillers) {
		return engine.Fail(engine.CodeUnsupported, "restore", "", "its last batch has the number "+strconv.FormatUint(records[n-1].Seq, 10)+", and this storage takes numbers only one by one")
	}
	err = fill(log, records)
	if err != nil && engine.CodeOf(err) != engine.CodeConflict {
		_ = log.Destroy() // the log was empty; err says what went wrong
	}
	return err
}

func fill(log Log, records []Record) error {
	next := uint64(1)
	own := IdentityOfMost(records)
	for i, r := range records {
		if identity := IdentityOf(r.Bytes); identity != own && identity != (Identity{}) {
			r.Bytes = bytes.Clone(r.Bytes)
			r.Bytes[atVersion] = 0
		}
		for ; next < r.Seq || r.Snapshot && next == r.Seq; next++ {
			if err := log.Append(next, Frame{}, Relaxed); err != nil {
				return err
			}
		}
		if r.Snapshot {
			if err := log.Compact(r.Seq, Frame{r.Bytes}); err != nil {
				return err
			}
			continue
		}
		d := Relaxed
		if i == len(records)-1 {
			d = Strict
		}
		if err := log.Append(r.Seq, Frame{r.Bytes}, d); err != nil {
			return err
		}
		next = r.Seq + 1
	}
	return nil
}

func notEmpty(op string) error {
	return engine.Fail(engine.CodeInvalid, op, "", "the storage is not empty; destroy it first, or take another name")
}
