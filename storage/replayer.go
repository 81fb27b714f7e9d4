package storage

import "github.com/atomicdb-go/atomicdb/engine"

// historyBytes is about how many bytes of changes are read from a log at a time.
var historyBytes = 4 << 20 // tests change it

// A replayer follows a log with an engine of its own, which knows the state before
// each batch.
type replayer struct {
	op       string // what errors say that it is for
	log      Log
	opts     engine.Options
	identity Identity          // of the records; zero: of whatever the log holds
	isLocal  func(Writer) bool // nil: none is

	after uint64     // the batch that was told last; those up to it are not told
	db    *engine.DB // nil: nothing has been read
	at    uint64     // the newest batch that db holds
	last  uint64     // that batch's checksum
}

// read returns the changes of the next batches, up to batch last and until they have
// limit bytes. Batches without changes are not among them. None means that the log
// has no more.
func (r *replayer) read(last uint64, limit int) ([]toldBatch, error) {
	if r.db == nil {
		db, err := engine.New(r.opts)
		if err != nil {
			return nil, err
		}
		r.db = db
	}
	var batches []toldBatch
	size, newest := 0, r.at
	err := r.log.Read(r.at, func(record Record) error {
		newest = record.Seq
		if record.Snapshot && r.at < r.after && record.Seq > r.after {
			return errGone(r.op, r.after, "the log does not have it any more: it goes back to batch "+number(record.Seq)+", up to which a snapshot has replaced the batches"+r.hint(record.Seq))
		}
		if record.Seq > max(last, r.after) || size >= limit {
			return errEnough
		}
		e, err := verify(record)
		if err != nil {
			return err
		}
		b := toldBatch{seq: e.seq}
		if err := r.apply(e, &b); err != nil {
			return err
		}
		if len(b.changes) > 0 {
			batches = append(batches, b)
			size += b.size
		}
		return nil
	})
	if err == errEnough {
		err = nil
	}
	if err == nil && r.at < r.after {
		err = errGone(r.op, r.after, "the log has no batch of this number yet; its last is "+number(newest))
	}
	return batches, err
}

// apply brings the engine to e, and adds the changes to b if they are to be told.
func (r *replayer) apply(e entry, b *toldBatch) error {
	if !e.isVersion1() && r.identity != (Identity{}) && e.identity != r.identity {
		return ofBatch(e.seq, errOtherDatabase)
	}
	if e.seq == r.at && e.checksum == r.last {
		return nil // the same record again
	}
	visit := b.add
	if e.seq <= r.after {
		visit = nil
	}
	switch {
	case e.kind == kindSnapshot:
		db, err := engine.New(r.opts)
		if err != nil {
			return err
		}
		if err := db.Apply(e.payload); err != nil {
			return ofBatch(e.seq, err)
		}
		if visit != nil {
			engine.VisitDifference(r.db, db, visit)
		}
		r.db = db
	case e.seq != r.at+1:
		return engine.Fail(engine.CodeCorrupt, "read", batchName(e.seq), "it does not follow "+batchName(r.at))
	default:
		b.local = r.isLocal != nil && r.isLocal(e.writer)
		if err := r.db.ApplyVisiting(e.payload, visit); err != nil {
			return ofBatch(e.seq, err)
		}
	}
	if !e.isVersion1() {
		r.identity = e.identity
	}
	r.at, r.last, r.after = e.seq, e.checksum, max(r.after, e.seq)
	return nil
}

// hint says what to do when the log goes back to a batch only.
func (r *replayer) hint(seq uint64) string {
	if r.op == "at" {
		return ""
	}
	return "; ask for the changes since " + number(seq) + ", or since 0 for all that it has"
}
