package storage

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A Restorer is a Log that takes in the records of another in one atomic step.
type Restorer interface {
	// Restore stores records under their numbers, or returns CodeInvalid and
	// changes nothing if there is a record already.
	Restore(records []Record) error
}

// mostFillers bounds how many records Restore makes up for those that a
// snapshot has replaced, or that are missing.
const mostFillers = 1_000_000

// Restore puts records, as they come from another log, into an empty one, damaged
// ones too. CodeInvalid means that something is stored there already. After
// another error nothing is, unless somebody else has begun to write meanwhile:
// then it is CodeConflict. Restore closes log.
//
// A Log that is no Restorer counts from 1, so up to the number of the snapshot
// it gets empty records first, which the snapshot then replaces. If the process
// ends before Restore does, what is there is a log that is damaged or ends
// earlier: destroy it and begin again. A number that is missing among records
// becomes an empty one there, which is damaged too.
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
	if n := len(records); n > 0 && records[n-1].Seq > uint64(n+mostFillers) {
		return engine.Fail(engine.CodeUnsupported, "restore", "", "the numbers of its batches go up to "+strconv.FormatUint(records[n-1].Seq, 10)+", which this storage can only count up to, one by one")
	}
	err = fill(log, records)
	if err != nil && engine.CodeOf(err) != engine.CodeConflict {
		_ = log.Destroy() // it was empty; the error says what has happened
	}
	return err
}

func fill(log Log, records []Record) error {
	next := uint64(1)
	for i, r := range records {
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
	return engine.Fail(engine.CodeInvalid, op, "", "something is stored there already; destroy it first, or take another name")
}
