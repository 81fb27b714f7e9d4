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
	Seq  uint64 // of the record; of the first if several are missing; 0 if it is about no record
	Code engine.Code
	Why  string

	// IDs name the documents that it is about: those of a damaged record as far as
	// it can be read, or those that share the values of a unique index. An id
	// reads "users/5", or "users/*" if the record emptied the collection.
	IDs []string
}

// String says what is wrong in a line, for Go's errors and tests.
func (p Problem) String() string {
	if p.Seq == 0 {
		return p.Why
	}
	return strconv.FormatUint(p.Seq, 10) + ": " + p.Why
}

// A Salvager is a Log that has more of damaged data than Read visits. A Log whose
// Read visits every record with its number, damaged or not, needs no Salvage.
type Salvager interface {
	// Salvage is Read(0) that also visits the records at which Read fails, with
	// the bytes that are left of them. It changes nothing.
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

// Verify reads the whole log again. It checks every record against its checksum
// and its number, compares the state that the records lead to with the session's
// engine, and checks the engine's own structures. Before, the session applies
// what others have stored; batches that they store meanwhile are not checked.
// The error is about a Log that cannot be read; a damaged one is no error but a
// problem in the report.
//
// Nothing may be pending, and no savepoint may be open.
func (s *Session) Verify() (*Report, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := s.usable("verify"); err != nil {
		return nil, err
	}
	if s.db.HasSavepoint() || s.unsettled != nil || s.db.HasChanges() && s.log != nil {
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
			last = maxSeq // the report is about the records that the session could not apply
		default:
			return nil, err
		}
		found, err := salvage(s.log, s.opts.Engine, last, s.identity)
		if err == errCompacted {
			continue // another session has replaced the records by a snapshot
		}
		if err != nil && isDamage(engine.CodeOf(err)) {
			found.report.add(0, err)
			return &found.report, nil
		}
		if err != nil {
			return nil, err
		}
		report := &found.report
		if len(report.Problems) == 0 && report.LastSeq < s.head && s.isRevocable() {
			if err := s.reload(); err != nil {
				return nil, err
			}
			continue
		}
		if found.unfinished {
			report.add(report.LastSeq, engine.Fail(engine.CodeCorrupt, "read", batchName(report.LastSeq), "a repair did not finish; repair the log again"))
		}
		if len(report.Problems) == 0 && !found.db.Equal(s.db) {
			report.add(0, engine.Fail(engine.CodeInternal, "verify", "", "the log leads to another state than the one in memory"))
		}
		return report, nil
	}
	return nil, engine.Fail(engine.CodeConflict, "verify", "", "other writers were faster 100 times")
}

// isDamage reports whether an error of the log means damage. CodeDecrypt does,
// because the session has decrypted the log before.
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
		count, _ := db.Count(name, nil, 0) // it cannot fail without a condition
		n += count
	}
	return n
}
