package storage

import (
	"slices"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A Report says what a log holds, and what is wrong with it.
type Report struct {
	Batches     int    // records that are sound
	SnapshotSeq uint64 // of the snapshot it starts with; 0: there is none
	LastSeq     uint64 // of the last record
	Bytes       int64  // of all records
	Documents   int    // in the state that the sound records lead to
	Problems    []Problem
}

// A Problem is one thing that is wrong.
type Problem struct {
	Seq  uint64 // of the record; 0: it is about none
	Code engine.Code
	Why  string

	// IDs are documents that a damaged record was about, as far as it can be
	// read: "users/5". There may have been more.
	IDs []string
}

// Verify reads the whole log again and compares: every record against its
// checksum and its number, the state that they lead to against what the session
// holds, and that against its own bookkeeping. The session takes in what others
// have stored. The error is about the Log: one that refuses to be read has
// problems that Verify cannot list, and that is one of them.
//
// Nothing may be pending, and no stretch of calls have begun.
func (s *Session) Verify() (*Report, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.usable("verify"); err != nil {
		return nil, err
	}
	if s.db.Begun() || s.doubt != nil || s.db.HasChanges() && s.log != nil {
		return nil, fail(engine.CodeInvalid, "verify", "", "changes are pending")
	}
	report := &Report{}
	if s.log != nil {
		if err := s.catchUp(); err != nil && engine.CodeOf(err) != engine.CodeCorrupt {
			return nil, err
		}
		stored, err := s.salvage(report, s.head)
		if err != nil {
			return nil, err
		}
		if len(report.Problems) == 0 && !stored.Equal(s.db) {
			report.add(0, fail(engine.CodeInternal, "verify", "", "what is stored leads to another state than the one in memory"))
		}
	}
	if err := s.db.Check(); err != nil {
		report.add(0, err)
	}
	report.Documents = documentsOf(s.db)
	return report, nil
}

func (r *Report) add(seq uint64, err error) {
	r.Problems = append(r.Problems, Problem{Seq: seq, Code: engine.CodeOf(err), Why: err.Error()})
}

// salvage applies every sound record of the log up to number last to a new
// engine, from the newest sound snapshot on, and reports about all of them.
func (s *Session) salvage(report *Report, last uint64) (*engine.DB, error) {
	db, err := engine.New(s.opts.Engine)
	if err != nil {
		return nil, err
	}
	next := uint64(1) // the number that is to follow
	err = s.log.Read(0, func(r Record) error {
		if r.Seq > last {
			return nil
		}
		report.Bytes += int64(len(r.Bytes))
		if r.Snapshot {
			report.SnapshotSeq, next = r.Seq, r.Seq
		}
		for ; next < r.Seq; next++ {
			report.add(next, fail(engine.CodeCorrupt, "read", batchName(next), "it is missing"))
		}
		next, report.LastSeq = r.Seq+1, r.Seq
		e, err := verify(r)
		if err == nil && r.Snapshot {
			db, err = engine.New(s.opts.Engine)
		}
		if err == nil {
			if err = db.Apply(e.payload); err != nil {
				err = &engine.Error{Code: engine.CodeOf(err), Op: "read", Target: batchName(r.Seq), Err: err}
			}
		}
		if engine.CodeOf(err) == engine.CodeUnsupported || engine.CodeOf(err) == engine.CodeDecrypt {
			return err // nobody may call that damage
		}
		if err != nil {
			report.add(r.Seq, err)
			if len(r.Bytes) > headerSize {
				report.Problems[len(report.Problems)-1].IDs = engine.Glimpse(r.Bytes[headerSize:], mostIDs)
			}
			return nil
		}
		report.Batches++
		return nil
	})
	if engine.CodeOf(err) == engine.CodeCorrupt {
		report.add(0, err) // the Log knows by itself, and gives nothing behind it
		err = nil
	}
	report.Documents = documentsOf(db)
	return db, err
}

const mostIDs = 100

func documentsOf(db *engine.DB) (n int) {
	for _, name := range db.Collections() {
		count, _ := db.Count(name, nil, 0) // all of them: there is nothing to fail
		n += count
	}
	return n
}

// Repair brings a log to a state that can be opened again: what the newest
// sound snapshot and every sound batch after it lead to. It reports what is lost;
// a log without problems is left as it is.
//
// A batch says what documents have become, not how, so one that follows a
// damaged one still means what it says. What the damaged one has put or
// removed is not done, though: a document may be there as it was before.
//
// The new state is appended as a batch and then put in the place of everything
// before it, in one step of the Log: until then, all is as it was. Nobody else
// should write meanwhile; if somebody does, the error is CodeConflict. Repair
// closes log.
func Repair(log Log, opts SessionOptions) (report *Report, err error) {
	defer func() {
		if closeErr := log.Close(); err == nil {
			err = closeErr
		}
	}()
	if opts.Writer == (Writer{}) {
		opts.Writer = randomWriter()
	}
	s := &Session{opts: opts, log: log}
	report = &Report{}
	db, err := s.salvage(report, 1<<63)
	if err != nil || len(report.Problems) == 0 {
		return report, err
	}
	if slices.ContainsFunc(report.Problems, func(p Problem) bool { return p.Seq == 0 }) {
		return report, fail(engine.CodeUnsupported, "repair", "", "the storage gives out nothing behind the damage: "+report.Problems[len(report.Problems)-1].Why)
	}
	seq := report.LastSeq + 1
	if err := log.Append(seq, newFrame(header{kind: kindBatch, seq: seq, writer: opts.Writer}, nil), Strict); err != nil {
		return report, err
	}
	return report, log.Compact(seq, newFrame(header{kind: kindSnapshot, seq: seq, writer: opts.Writer}, db.Snapshot()))
}

// String says what is wrong in a line, for Go's errors and tests.
func (p Problem) String() string {
	if p.Seq == 0 {
		return p.Why
	}
	return strconv.FormatUint(p.Seq, 10) + ": " + p.Why
}
