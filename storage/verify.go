package storage

import (
	"strconv"
	"strings"

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
	Seq  uint64 // of the record; of several that are missing, the first; 0: it is about none
	Code engine.Code
	Why  string

	// IDs are documents that it is about: those of a damaged record as far as it
	// can be read, of which there may have been more, or those that share the
	// values of a unique index. "users/5", or "users/*" where the record emptied
	// the collection.
	IDs []string
}

// String says what is wrong in a line, for Go's errors and tests.
func (p Problem) String() string {
	if p.Seq == 0 {
		return p.Why
	}
	return strconv.FormatUint(p.Seq, 10) + ": " + p.Why
}

// A Salvager is a Log that knows more of damaged data than Read gives out. A Log
// whose Read gives every record with its number, damaged or not, needs none.
type Salvager interface {
	// Salvage is Read(0), and also visits what Read would fail at, with whatever
	// bytes are left. It changes nothing.
	Salvage(visit func(Record) error) error
}

// Salvage visits all records of log, damaged ones too: by its own Salvage if it
// has one, and by Read.
func Salvage(log Log, visit func(Record) error) error {
	if s, ok := log.(Salvager); ok {
		return s.Salvage(visit)
	}
	return log.Read(0, visit)
}

// Verify reads the whole log again and compares: every record against its
// checksum and its number, the state that they lead to against what the session
// holds, and that against its own bookkeeping. The session takes in what others
// have stored; what they store meanwhile is not looked at. The error is about
// the Log: one that refuses to be read has problems that Verify cannot list, and
// that is one of them.
//
// Nothing may be pending, and no stretch of calls have begun.
func (s *Session) Verify() (*Report, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.usable("verify"); err != nil {
		return nil, err
	}
	if s.db.HasSavepoint() || s.doubt != nil || s.db.HasChanges() && s.log != nil {
		return nil, engine.Fail(engine.CodeInvalid, "verify", "", "changes are pending: commit or flush them first")
	}
	report := &Report{}
	if s.log != nil {
		var err error
		if report, err = s.compare(); err != nil {
			return nil, err
		}
	}
	if err := s.db.Check(); err != nil {
		report.add(0, err)
	}
	report.addShared(s.db)
	report.Documents = documentsOf(s.db)
	return report, nil
}

// compare reports about the log, and whether it leads to what the session holds.
func (s *Session) compare() (*Report, error) {
	for range 100 {
		err := s.catchUp()
		last := s.head
		switch code := engine.CodeOf(err); {
		case err == nil:
		case isDamage(code):
			last = maxSeq // what the session could not take in is what there is to report
		default:
			return nil, err
		}
		found, err := salvage(s.log, s.opts.Engine, last)
		if err == errCompacted {
			continue // others have put a snapshot in the place of what the session holds
		}
		if err != nil && isDamage(engine.CodeOf(err)) {
			found.report.add(0, err)
			return &found.report, nil
		}
		if err != nil {
			return nil, err
		}
		report := &found.report
		if found.unfinished {
			report.add(report.LastSeq, engine.Fail(engine.CodeCorrupt, "read", batchName(report.LastSeq), "a repair has not come to its end; repair it again"))
		}
		if len(report.Problems) == 0 && !found.db.Equal(s.db) {
			report.add(0, engine.Fail(engine.CodeInternal, "verify", "", "what is stored leads to another state than the one in memory"))
		}
		return report, nil
	}
	return nil, engine.Fail(engine.CodeConflict, "verify", "", "other writers were faster 100 times")
}

// isDamage reports whether an error of the log means damage. To a session that has
// decrypted the log before, CodeDecrypt does.
func isDamage(code engine.Code) bool {
	return code == engine.CodeCorrupt || code == engine.CodeDecrypt
}

func (r *Report) add(seq uint64, err error) {
	r.Problems = append(r.Problems, Problem{Seq: seq, Code: engine.CodeOf(err), Why: err.Error()})
}

// addShared reports what db's unique indexes should have refused.
func (r *Report) addShared(db *engine.DB) {
	for _, s := range db.Duplicates() {
		r.add(0, engine.Fail(engine.CodeUnique, "verify", s.Collection, "documents share the values of the unique index on "+s.Index+": "+strings.Join(s.IDs, ", ")))
		r.Problems[len(r.Problems)-1].IDs = s.IDs
	}
}

func documentsOf(db *engine.DB) (n int) {
	for _, name := range db.Collections() {
		count, _ := db.Count(name, nil, 0) // all of them: there is nothing to fail
		n += count
	}
	return n
}
