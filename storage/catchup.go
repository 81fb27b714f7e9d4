package storage

import (
	"bytes"
	"slices"

	"github.com/atomicdb-go/atomicdb/engine"
)

// CatchUp applies the batches that other sessions have appended. It does
// nothing while changes are pending, because their Flush meets these batches,
// nor while a savepoint is open; see SessionOptions.OnPutOff.
func (s *Session) CatchUp() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if err := s.usable("catch up"); err != nil {
		return err
	}
	return s.catchUp()
}

func (s *Session) catchUp() error {
	if s.log == nil || s.mustPutOff() {
		return nil
	}
	entries, err := s.collect()
	if err != nil {
		return err
	}
	if s.mustPutOff() { // the engine has changed while collect waited for the log
		return nil
	}
	return s.asReplaced(s.applyForeign(entries))
}

// mustPutOff reports whether batches of other sessions cannot be applied now.
func (s *Session) mustPutOff() bool {
	if s.db.HasSavepoint() {
		if s.opts.OnPutOff != nil {
			s.opts.OnPutOff()
		}
		return true
	}
	return s.unsettled != nil || s.db.HasChanges()
}

// noticeAppend handles what a Watcher tells. It applies the record if it is the
// next one, its bytes came along, and they are of this database; any script of an
// origin can send a message. It reads the log otherwise. It ignores an error: the
// next call meets the same log.
func (s *Session) noticeAppend(seq uint64, record []byte) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.usable("watch") != nil || seq != 0 && seq <= s.head || s.mustPutOff() {
		return
	}
	if record != nil && seq == s.head+1 {
		e, err := verify(Record{Seq: seq, Bytes: record})
		if err == nil && !e.isVersion1() && e.identity == s.identity && s.applyForeign([]entry{e}) == nil {
			return
		}
	}
	_ = s.catchUp()
}

// settleConflict finds out which session has stored number seq. If it was this
// one, and only the reply to the Append was lost, the batch is confirmed.
// Otherwise everything unconfirmed is rolled back and the batches of the other
// sessions are applied, in one step.
//
// One case looks like a conflict and is none: the reply was lost, and another
// session has replaced the batch by a snapshot before this one looked. Then the
// work is done again although it is stored.
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
		return Stored, s.asReplaced(s.applyForeign(entries[1:]))
	}

	s.db.Rollback()
	before := s.head
	err = s.applyForeign(entries)
	if s.opts.OnRollback != nil {
		s.opts.OnRollback()
	}
	if err == nil && s.head == before && s.isRevocable() {
		return Conflict, s.reload()
	}
	if err == nil && s.head == before {
		// The work would meet the same conflict for ever.
		err = s.deletedError(seq)
		s.broken = err // also if somebody creates the log anew: it will be another
	}
	if err != nil {
		return Stored, s.asReplaced(err)
	}
	return Conflict, nil
}

// deletedError is the error of an Append whose predecessor the log does not hold
// any more, and nothing after it.
func (s *Session) deletedError(seq uint64) error {
	return engine.Fail(engine.CodeClosed, "append", batchName(seq),
		"the stored data was deleted: the log no longer holds "+batchName(s.head)+"; open the database again")
}

// A Revocable log is one whose host may take back what it has stored. A Durable
// Object does, when its ctx.storage.transaction fails with our appends in it.
type Revocable interface {
	// MayRevoke reports whether the host may.
	MayRevoke() bool
}

func (s *Session) isRevocable() bool {
	l, ok := s.log.(Revocable)
	return ok && l.MayRevoke()
}

// reload replaces the engine by what the log holds, which has lost batches that
// the engine holds. Nothing may be pending.
func (s *Session) reload() error {
	db, err := engine.New(s.opts.Engine)
	if err != nil {
		return err
	}
	before := s.state
	s.state = state{db: db}
	s.feeds.silence(true, 0)
	err = s.replay()
	s.feeds.silence(false, before.head)
	if err != nil {
		s.state = before
		return err
	}
	loaded := s.db
	s.db = before.db
	s.tellDifference(s.head, loaded)
	s.db = loaded
	s.db.TakeLiveQueries(before.db)
	if s.opts.OnForeign != nil {
		s.opts.OnForeign()
	}
	return nil
}

// tellDifference tells what leads from the session's engine to another one, which
// holds batch seq.
func (s *Session) tellDifference(seq uint64, to *engine.DB) {
	_ = s.feeds.apply(seq, false, func(visit func(engine.DocumentChange)) error {
		if visit != nil {
			engine.VisitDifference(s.db, to, visit)
		}
		return nil
	})
}

// applyForeign applies entries and calls OnForeign.
func (s *Session) applyForeign(entries []entry) error {
	before := s.head
	var err error
	for _, e := range entries {
		if err = s.apply(e); err != nil {
			break
		}
		// The session that wrote the batch compacts the log.
		if s.isLong(s.batches, s.tail) || e.continues {
			s.batches, s.tail, s.size, s.isOld = 0, 0, LogSize{1, s.db.Size()}, false
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

// verify checks a record, and that its number and kind are those of the log.
func verify(r Record) (entry, error) {
	h, payload, err := parseFrame(r.Bytes)
	if err != nil {
		return entry{}, ofBatch(r.Seq, err)
	}
	if h.seq != r.Seq || (h.kind == kindSnapshot) != r.Snapshot {
		return entry{}, engine.Fail(engine.CodeCorrupt, "read", batchName(r.Seq), "the record in its place is "+h.name())
	}
	return entry{header: h, bytes: r.Bytes, payload: payload}, nil
}

// ofBatch returns err, which is about the bytes of batch seq, with the name of
// the batch in the place of err's own.
func ofBatch(seq uint64, err error) error {
	cause := err
	if e, ok := err.(*engine.Error); ok && e.Err != nil {
		cause = e.Err
	}
	return &engine.Error{Code: engine.CodeOf(err), Op: "read", Target: batchName(seq), Err: cause}
}

// apply brings the engine to e's seq. Nothing may be pending. After an error
// the session is as before.
func (s *Session) apply(e entry) error {
	if e.seq > s.head {
		if err := s.checkIdentity(e.header); err != nil {
			return err
		}
	}
	switch {
	case e.kind == kindSnapshot && e.seq > s.head:
		// A snapshot does not say which documents are gone since head.
		db, err := engine.New(s.opts.Engine)
		if err != nil {
			return err
		}
		if err := db.Apply(e.payload); err != nil {
			return ofBatch(e.seq, err)
		}
		s.tellDifference(e.seq, db)
		db.TakeLiveQueries(s.db)
		s.db, s.batches, s.tail, s.size, s.isOld = db, 0, 0, LogSize{1, int64(len(e.bytes))}, false
	case e.kind == kindBatch && e.seq == s.head+1:
		err := s.feeds.apply(e.seq, s.isLocal(e.writer), func(visit func(engine.DocumentChange)) error {
			return s.db.ApplyVisiting(e.payload, visit)
		})
		if err != nil {
			return ofBatch(e.seq, err)
		}
		s.addBatch(int64(len(e.bytes)))
	case e.seq == s.head && e.checksum == s.last:
		return nil // the same record again
	default:
		return engine.Fail(engine.CodeCorrupt, "read", batchName(e.seq), "it does not follow "+batchName(s.head))
	}
	s.head, s.last, s.identity = e.seq, e.checksum, e.identity
	s.isOld = s.isOld || e.isVersion1()
	return nil
}

// collect returns copies of the records after head. They are applied when all
// are read, so that the engine changes in one step.
func (s *Session) collect() ([]entry, error) {
	var entries []entry
	err := s.read(func(e entry, _ int64) error {
		r := Record{Seq: e.seq, Snapshot: e.kind == kindSnapshot, Bytes: bytes.Clone(e.bytes)}
		e.payload = r.Bytes[len(r.Bytes)-len(e.payload):]
		e.bytes = r.Bytes
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

// read checks the records after head and visits them. If the log is a TornTail,
// read cuts off what a crash has torn at its end.
func (s *Session) read(visit func(e entry, rest int64) error) error {
	tornTail, canTear := s.log.(TornTail)
	var torn []Record
	var tornErr error
	err := s.log.Read(s.head, func(r Record) error {
		if tornErr != nil {
			// A power cut can leave zeros where several records were. Any other
			// record after the damaged one means that it was not the last.
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
			err = tornTail.CutTail(r.Seq, r.Bytes)
		}
	}
	return err
}

func isZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }
