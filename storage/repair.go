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
	// Replace replaces everything that the last Salvage has visited by one
	// snapshot, numbered seq, in one atomic step. If there is more by now, it
	// changes nothing and returns CodeConflict.
	Replace(seq uint64, snapshot Frame) error
}

// Repair brings a log to a state that can be opened again: the state that the
// newest sound snapshot and every sound batch after it lead to. It reports what
// is lost. A log without damage is left as it is. Repair closes log.
//
// A batch says what documents have become, not how, so a batch after a damaged
// one still holds. The changes of the damaged one are lost, though. A document
// may be there as it was before them, and share a value of a unique index with a
// newer one. The report names such documents; the index refuses further ones.
//
// The old records stay until the new state is stored, in one step of the Log.
// Records of a newer version and encrypted records are no damage: Repair ends
// with CodeUnsupported or CodeDecrypt. A session that is open meanwhile gets the
// repaired state when it next reads the log. If such a session writes while
// Repair runs, Repair may end with CodeConflict, and has changed nothing then.
func Repair(log Log, opts SessionOptions) (report *Report, err error) {
	defer func() {
		if closeErr := log.Close(); err == nil {
			err = closeErr
		}
	}()
	if opts.Writer == (Writer{}) {
		opts.Writer = randomWriter()
	}
	identity, err := mostlyOf(log)
	if err != nil {
		return nil, err
	}
	found, err := salvage(log, opts.Engine, maxSeq, identity)
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
		return report, engine.Fail(engine.CodeUnsupported, "repair", "", "the storage reads nothing after the damage: "+found.refusal.Error())
	}
	seq := report.LastSeq + 1
	if identity == (Identity{}) {
		identity = (&Session{log: log, opts: opts}).newIdentity()
	}
	h := header{kind: kindSnapshot, seq: seq, identity: identity, writer: opts.Writer}
	snapshot := newFrame(h, found.db.Snapshot())
	if r, ok := log.(Replacer); ok {
		return report, r.Replace(seq, snapshot)
	}
	if err := log.Append(seq, barrier(log, h, snapshot), Strict); err != nil {
		return report, err
	}
	return report, log.Compact(seq, snapshot)
}

// barrier returns the record that takes the snapshot's number until the snapshot
// is stored. It is the snapshot itself, in the place of a batch. A session
// neither applies it nor appends after it, and at its next read finds a snapshot
// that is newer than its state. After an empty batch it would go on with
// documents that the log has lost. A TornTail would cut the snapshot off as a
// torn record, so there the barrier is an empty batch.
//
// It is of version 1: the log may end with a record of another database, or with a
// damaged identity, and would refuse one with an identity.
func barrier(log Log, h header, snapshot Frame) Frame {
	if _, canTear := log.(TornTail); !canTear {
		return newFrame1(h, snapshot[1:])
	}
	h.kind = kindBatch
	return newFrame1(h, nil)
}

// maxSeq is greater than the number of any record.
const maxSeq = 1 << 63

// maxIDs is how many documents of a damaged record a report names.
const maxIDs = 100

// errCompacted ends a salvage that meets a snapshot after the last number that it
// reads.
var errCompacted = errors.New("the log was compacted meanwhile")

// A salvaged is the sound part of a log, and a report about the rest.
type salvaged struct {
	report Report
	db     *engine.DB // what the sound records lead to

	// unfinished: the last record is the barrier of a Repair.
	unfinished bool
	// refusal says why the Log reads no further.
	refusal error

	opts    engine.Options
	next    uint64 // the number of the next record
	own     Identity
	isNew   bool // a record of version 2 was sound
	canTear bool
	tail    []Record // damaged records that a crash may have left at the end
}

// salvage applies the sound records of the log up to number last to a new engine,
// from the newest sound snapshot on, and reports about all records. A torn tail,
// which Session.read would cut off, is no problem and is not counted. A record of
// another database than own is a problem; if own is zero, the first record with an
// identity decides.
func salvage(log Log, opts engine.Options, last uint64, own Identity) (*salvaged, error) {
	_, canTear := log.(TornTail)
	s := &salvaged{opts: opts, next: 1, canTear: canTear, own: own}
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

// see handles the next record. It returns an error only for what is no damage.
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

// mostlyOf returns the identity that most sound records of a log have.
func mostlyOf(log Log) (Identity, error) {
	var c census
	err := Salvage(log, func(r Record) error {
		if h, _, err := parseFrame(r.Bytes); err == nil {
			c.add(h.identity)
		}
		return nil
	})
	if engine.CodeOf(err) == engine.CodeCorrupt { // salvage reports it
		err = nil
	}
	return c.most(), err
}

// apply brings the engine to a sound record's state.
func (s *salvaged) apply(e entry) error {
	switch {
	case e.isVersion1() && s.isNew:
		return identityError(e.seq, errNoIdentity)
	case e.isVersion1():
	case s.own != e.identity && s.own != Identity{}:
		return identityError(e.seq, errOtherDatabase)
	default:
		s.own, s.isNew = e.identity, true
	}
	if e.kind == kindSnapshot {
		// If others compact the log meanwhile, it comes after batches that it replaces.
		s.report.Problems, s.report.Batches = nil, 0
		if err := s.startAnew(); err != nil {
			return err
		}
	}
	if err := s.db.Apply(e.payload); err != nil {
		return ofBatch(e.seq, err)
	}
	return nil
}

// isBarrier reports whether r is the barrier of a Repair that did not finish.
func isBarrier(r Record) bool {
	h, _, err := parseFrame(r.Bytes)
	return err == nil && !r.Snapshot && h.kind == kindSnapshot && h.seq == r.Seq
}

// count counts r, sound or damaged, and reports numbers that are missing before it.
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

// mayBeTorn reports whether r, which fails its checks, may be part of a torn
// tail; see Session.read.
func (s *salvaged) mayBeTorn(r Record) bool {
	return s.canTear && !r.Snapshot && (len(s.tail) == 0 || isZero(r.Bytes))
}

// settleTail reports the records of tail as damaged: a sound one follows them.
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
	if !isOfOtherDatabase(err) && len(r.Bytes) > headerSize1 {
		s.report.Problems[len(s.report.Problems)-1].IDs = engine.SalvageIDs(payloadOf(r.Bytes), maxIDs)
	}
}

// payloadOf returns the payload of a damaged frame.
func payloadOf(b []byte) []byte {
	if b[atVersion] == 1 || len(b) < headerSize {
		return b[headerSize1:]
	}
	return b[headerSize:]
}
