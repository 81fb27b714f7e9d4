package storage

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A Replacer is a Log that is repaired in its own way, because Append and
// Compact refuse to touch damaged data.
type Replacer interface {
	// Replace puts one snapshot, numbered seq, in the place of everything that
	// the last Salvage has visited, in one atomic step. If there is more by now,
	// it changes nothing and returns CodeConflict.
	Replace(seq uint64, snapshot Frame) error
}

// Repair brings a log to a state that can be opened again: what the newest
// sound snapshot and every sound batch after it lead to. It reports what is lost;
// a log without damage is left as it is.
//
// A batch says what documents have become, not how, so one that follows a
// damaged one still means what it says. What the damaged one has put or
// removed is not done, though: a document may be there as it was before, and
// with the values that a unique index has let another one have since. The
// report names such documents; the index refuses further ones.
//
// Until the new state is stored, in one step of the Log, all that is there stays.
// Repair ends with CodeUnsupported or CodeDecrypt if anything is of a newer
// version or encrypted: that is no damage. A session that is open meanwhile
// comes to hold the repaired state when it next looks; what it stores in that
// moment may make Repair end with CodeConflict, before it has changed anything.
// Repair closes log.
func Repair(log Log, opts SessionOptions) (report *Report, err error) {
	defer func() {
		if closeErr := log.Close(); err == nil {
			err = closeErr
		}
	}()
	if opts.Writer == (Writer{}) {
		opts.Writer = randomWriter()
	}
	found, err := salvage(log, opts.Engine, maxSeq)
	if err != nil {
		return nil, err
	}
	report = &found.report
	damaged := found.unfinished || len(report.Problems) > 0
	report.addShared(found.db)
	if !damaged {
		return report, nil
	}
	if found.refusal != nil {
		return report, engine.Fail(engine.CodeUnsupported, "repair", "", "the storage gives out nothing behind the damage: "+found.refusal.Error())
	}
	seq := report.LastSeq + 1
	h := header{kind: kindSnapshot, seq: seq, writer: opts.Writer}
	snapshot := newFrame(h, found.db.Snapshot())
	if r, ok := log.(Replacer); ok {
		return report, r.Replace(seq, snapshot)
	}
	if err := log.Append(seq, barrier(log, h, snapshot), Strict); err != nil {
		return report, err
	}
	return report, log.Compact(seq, snapshot)
}

// barrier returns what takes the number of the snapshot until it is stored. No
// session can pass it: the snapshot is no batch, so a session neither applies it
// nor appends behind it, and finds, at its next look, a snapshot that is newer
// than what it holds. Behind an empty batch it would go on with documents that
// the log has lost. On a Log that can tear, it would take the barrier for a torn
// record and cut it off; there it is an empty batch.
func barrier(log Log, h header, snapshot Frame) Frame {
	if _, canTear := log.(Cutter); !canTear {
		return snapshot
	}
	h.kind = kindBatch
	return newFrame(h, nil)
}

// maxSeq is more than any record is numbered.
const maxSeq = 1 << 63

// mostIDs is how many documents of a damaged record are named.
const mostIDs = 100

// errCompacted ends a salvage that meets a snapshot beyond the last number that
// it is to look at.
var errCompacted = errors.New("the log has been compacted meanwhile")

// A salvaged is what can be had of a log.
type salvaged struct {
	report Report
	db     *engine.DB // what the sound records lead to

	// unfinished: the last record is the barrier of a Repair.
	unfinished bool
	// refusal is why the Log gives nothing behind what it has given.
	refusal error

	opts    engine.Options
	next    uint64 // the number that is to follow
	canTear bool
	tail    []Record // damaged ones that a crash may have left at the end, so far
}

// salvage applies every sound record of the log up to number last to a new
// engine, from the newest sound snapshot on, and reports about all of them. What
// a reader would cut off as torn is no problem, and is not counted.
func salvage(log Log, opts engine.Options, last uint64) (*salvaged, error) {
	_, canTear := log.(Cutter)
	s := &salvaged{opts: opts, next: 1, canTear: canTear}
	if err := s.startAnew(); err != nil {
		return nil, err
	}
	err := Salvage(log, func(r Record) error {
		switch {
		case r.Seq <= last:
			return s.see(r)
		case r.Snapshot:
			return errCompacted
		}
		return nil
	})
	if err != nil && engine.CodeOf(err) == engine.CodeCorrupt {
		s.report.add(0, err)
		s.refusal, err = err, nil
	}
	s.report.Documents = documentsOf(s.db)
	return s, err
}

func (s *salvaged) startAnew() (err error) {
	s.db, err = engine.New(s.opts)
	return err
}

// see takes in the next record. Its error is about what is no damage.
func (s *salvaged) see(r Record) error {
	e, err := verify(r)
	if err != nil && s.mayBeTorn(r) && engine.CodeOf(err) == engine.CodeCorrupt {
		s.tail = append(s.tail, Record{Seq: r.Seq, Bytes: bytes.Clone(r.Bytes)})
		return nil
	}
	s.settleTail()
	if err != nil && isBarrier(r) {
		s.count(r)
		s.unfinished = true
		return nil
	}
	if err == nil {
		err = s.apply(e)
	}
	switch {
	case err == nil:
		s.count(r)
		s.report.Batches++
		return nil
	case engine.CodeOf(err) == engine.CodeCorrupt:
		s.lose(r, err)
		return nil
	}
	return err
}

// apply brings the engine to a sound record's state.
func (s *salvaged) apply(e entry) error {
	if e.kind == kindSnapshot {
		// Where others compact the log meanwhile, it comes after batches it stands for.
		s.report.Problems, s.report.Batches = nil, 0
		if err := s.startAnew(); err != nil {
			return err
		}
	}
	if err := s.db.Apply(e.payload); err != nil {
		return &engine.Error{Code: engine.CodeOf(err), Op: "read", Target: batchName(e.seq), Err: err}
	}
	return nil
}

// isBarrier reports whether r is what a Repair has appended that then ended.
func isBarrier(r Record) bool {
	h, _, err := parseFrame(r.Bytes)
	return err == nil && !r.Snapshot && h.kind == kindSnapshot && h.seq == r.Seq
}

// count notes that the log has r, whatever it is, and what is missing before it.
func (s *salvaged) count(r Record) {
	s.report.Bytes += int64(len(r.Bytes))
	if r.Snapshot {
		s.report.SnapshotSeq, s.next = r.Seq, r.Seq
	}
	if r.Seq > s.next {
		what := batchName(s.next) + " is"
		if r.Seq > s.next+1 {
			what = "batches " + strconv.FormatUint(s.next, 10) + " to " + strconv.FormatUint(r.Seq-1, 10) + " are"
		}
		s.report.add(s.next, engine.Fail(engine.CodeCorrupt, "read", batchName(s.next), what+" missing"))
	}
	s.next, s.report.LastSeq = r.Seq+1, r.Seq
}

// mayBeTorn reports whether r, which fails its checks, may turn out to be what a
// crash has left at the end; see Session.read.
func (s *salvaged) mayBeTorn(r Record) bool {
	return s.canTear && !r.Snapshot && (len(s.tail) == 0 || isZero(r.Bytes))
}

// settleTail reports what was not the end after all.
func (s *salvaged) settleTail() {
	for _, r := range s.tail {
		_, err := verify(r)
		s.lose(r, err)
	}
	s.tail = nil
}

// lose reports a damaged record.
func (s *salvaged) lose(r Record, err error) {
	s.count(r)
	s.report.add(r.Seq, err)
	if len(r.Bytes) > headerSize {
		s.report.Problems[len(s.report.Problems)-1].IDs = engine.SalvageIDs(r.Bytes[headerSize:], mostIDs)
	}
}
