package storage

import (
	"bytes"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine"
)

// CatchUp applies what other sessions have appended. It does nothing while
// changes are pending, whose Flush will meet the others' batches, and while a
// savepoint is open; see SessionOptions.OnPutOff.
func (s *Session) CatchUp() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := s.usable("catch up"); err != nil {
		return err
	}
	return s.catchUp()
}

func (s *Session) catchUp() error {
	if s.log == nil || s.putsOff() {
		return nil
	}
	entries, err := s.collect()
	if err != nil {
		return err
	}
	if s.putsOff() { // what keeps them off came while collect waited for the log
		return nil
	}
	return s.applyForeign(entries)
}

// putsOff reports whether batches of others cannot be applied now.
func (s *Session) putsOff() bool {
	if s.db.HasSavepoint() {
		if s.opts.OnPutOff != nil {
			s.opts.OnPutOff()
		}
		return true
	}
	return s.doubt != nil || s.db.HasChanges()
}

// heard takes in the record that a Watcher tells of, if its bytes are at hand
// and it is the next one, and reads the log otherwise. A failure is left to
// the next call, which meets the same log.
func (s *Session) heard(seq uint64, record []byte) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.usable("watch") != nil || seq != 0 && seq <= s.head || s.putsOff() {
		return
	}
	if record != nil && seq == s.head+1 {
		if e, err := verify(Record{Seq: seq, Bytes: record}); err == nil && s.applyForeign([]entry{e}) == nil {
			return
		}
	}
	_ = s.catchUp()
}

// settleConflict finds out who has stored number seq. If it was this session
// itself, and only the answer to the Append was lost, the batch is confirmed.
// Otherwise everything unconfirmed is rolled back and the others' batches are
// applied, in one step.
//
// One case cannot be told apart: the answer was lost, and before the session
// looked, others have put a snapshot in the batch's place. Then the work is
// done again although it is stored.
func (s *Session) settleConflict(seq uint64, frame Frame) (Outcome, error) {
	entries, err := s.collect()
	if err != nil {
		s.rollback()
		return Stored, err
	}
	if len(entries) > 0 && frame.equal(entries[0].bytes) {
		s.confirm(seq, frame)
		if s.db.HasChanges() {
			return Stored, nil
		}
		return Stored, s.applyForeign(entries[1:])
	}

	s.db.Rollback()
	before := s.head
	err = s.applyForeign(entries)
	if s.opts.OnRollback != nil {
		s.opts.OnRollback()
	}
	if err == nil && s.head == before {
		// Running the work again would meet the same conflict for ever.
		err = engine.Fail(engine.CodeStorage, "append", batchName(seq),
			"the log no longer holds "+batchName(before)+": it was cleared or replaced; open the database again")
	}
	if err != nil {
		return Stored, err
	}
	return Conflict, nil
}

// applyForeign applies entries and tells of it.
func (s *Session) applyForeign(entries []entry) error {
	before := s.head
	var err error
	for _, e := range entries {
		if err = s.apply(e); err != nil {
			break
		}
		// The writer of the batch that made the log too long compacts it.
		if s.isLong(s.batches, s.tail) {
			s.batches, s.tail = 0, 0
		}
	}
	if s.head != before && s.opts.OnForeign != nil {
		s.opts.OnForeign()
	}
	return err
}

// An entry is a record that has passed its checks.
type entry struct {
	header
	bytes   []byte
	payload []byte // part of bytes
}

// verify checks a record, and that it is the one the log says.
func verify(r Record) (entry, error) {
	h, payload, err := parseFrame(r.Bytes)
	if err != nil {
		return entry{}, &engine.Error{Code: engine.CodeOf(err), Op: "read", Target: batchName(r.Seq), Err: err}
	}
	if h.seq != r.Seq || (h.kind == kindSnapshot) != r.Snapshot {
		return entry{}, engine.Fail(engine.CodeCorrupt, "read", batchName(r.Seq), "the record is another one: "+batchName(h.seq))
	}
	return entry{header: h, bytes: r.Bytes, payload: payload}, nil
}

// apply brings the engine to e's seq. Nothing may be pending. If it fails, the
// session is as before.
func (s *Session) apply(e entry) error {
	switch {
	case e.kind == kindSnapshot && e.seq > s.head:
		// It does not say which documents are gone since head: start afresh.
		db, err := engine.New(s.opts.Engine)
		if err != nil {
			return err
		}
		if err := db.Apply(e.payload); err != nil {
			return &engine.Error{Code: engine.CodeOf(err), Op: "read", Target: batchName(e.seq), Err: err}
		}
		s.db, s.batches, s.tail = db, 0, 0
	case e.kind == kindBatch && e.seq == s.head+1:
		if err := s.db.Apply(e.payload); err != nil {
			return &engine.Error{Code: engine.CodeOf(err), Op: "read", Target: batchName(e.seq), Err: err}
		}
		s.batches++
		s.tail += int64(len(e.bytes))
	case e.seq == s.head && e.checksum == s.last:
		return nil // the same record once more
	default:
		return engine.Fail(engine.CodeCorrupt, "read", batchName(e.seq), "it does not follow "+batchName(s.head))
	}
	s.head, s.last = e.seq, e.checksum
	return nil
}

// collect returns the records after head. They are copies, because applying
// them has to wait until all are read: the engine has to go from one state to
// the other in one step.
func (s *Session) collect() ([]entry, error) {
	var entries []entry
	err := s.read(func(e entry, _ int64) error {
		r := Record{Seq: e.seq, Snapshot: e.kind == kindSnapshot, Bytes: bytes.Clone(e.bytes)}
		e.bytes = r.Bytes
		e.payload = r.Bytes[headerSize:]
		entries = append(entries, e)
		return nil
	})
	return entries, err
}

const progressBytes = 256 << 10

// replay applies the whole log to the empty engine.
func (s *Session) replay() error {
	var done, told int64
	err := s.read(func(e entry, rest int64) error {
		done += int64(len(e.bytes))
		if err := s.apply(e); err != nil {
			return err
		}
		if s.opts.OnProgress != nil && done-told >= progressBytes && rest > 0 {
			told = done
			s.opts.OnProgress(done, done+rest)
		}
		return nil
	})
	if err == nil && done > 0 && s.opts.OnProgress != nil {
		s.opts.OnProgress(done, done)
	}
	return err
}

// read visits the records after head, each checked. What a crash has torn at
// the end is cut off the log, if it is a log where that can happen.
func (s *Session) read(visit func(e entry, rest int64) error) error {
	cutter, canTear := s.log.(Cutter)
	var torn []Record
	var tornErr error
	err := s.log.Read(s.head, func(r Record) error {
		if tornErr != nil {
			// A power cut can leave zeros where several records were. Behind
			// anything else it was not the last.
			if !isZero(r.Bytes) {
				return tornErr
			}
			torn = append(torn, Record{Seq: r.Seq, Bytes: bytes.Clone(r.Bytes)})
			return nil
		}
		e, err := verify(r)
		if err != nil && canTear && !r.Snapshot && engine.CodeOf(err) == engine.CodeCorrupt {
			torn, tornErr = []Record{{Seq: r.Seq, Bytes: bytes.Clone(r.Bytes)}}, err
			return nil
		}
		if err != nil {
			return err
		}
		return visit(e, r.Rest)
	})
	for _, r := range slices.Backward(torn) {
		if err == nil {
			err = cutter.Cut(r.Seq, r.Bytes)
		}
	}
	return err
}

func isZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }
