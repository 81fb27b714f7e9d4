package storage

import (
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
)

// IndexedDB is a Log in the browser's IndexedDB. NewIndexedDB makes one.
//
// The database is called atomicdb:<name>, version 1, with one object store,
// "log", whose keys are the seqs; FORMAT.md describes the values. A value is
// stored whole or not at all, so a record that fails its checks is corrupt, and
// IndexedDB is no TornTail.
type IndexedDB struct {
	connection connection
	channel    channel
	sealer     sealer
	closed     bool
}

var (
	_ Log      = (*IndexedDB)(nil)
	_ Watcher  = (*IndexedDB)(nil)
	_ Salvager = (*IndexedDB)(nil)
	_ Restorer = (*IndexedDB)(nil)
)

// NewIndexedDB returns the Log of that name. The database is opened, and
// created if there is none, by the first call that needs it.
//
// seals is the object of JavaScript behind a sealer; undefined stores records
// as they are.
func NewIndexedDB(name string, seals js.Value) *IndexedDB {
	name = "atomicdb:" + name
	return &IndexedDB{connection: connection{name: name}, channel: channel{name: name}, sealer: sealer{seals}}
}

// Read implements Log. It reads in pieces, each in a transaction of its own, so
// that a large log is not in memory twice.
func (l *IndexedDB) Read(after uint64, visit func(Record) error) error {
	if l.closed {
		return ClosedError("read")
	}
	for count := firstPiece; ; {
		var p piece
		err := l.connection.attempt("read", "", func() (err error) {
			p, err = l.readPiece(after, count)
			return err
		})
		if err != nil || len(p.records) == 0 {
			return err
		}
		if err := l.sealer.openPiece(&p); err != nil {
			return storageError("read", "", err)
		}
		if err := visitRecords(p.records, p.rest, visit); err != nil || p.rest == 0 {
			return err
		}
		after = p.records[len(p.records)-1].seq
		count = p.nextCount()
	}
}

// Append implements Log. One transaction looks for the predecessor and stores the
// record, without waiting in between: a write costs one round trip to the
// browser's storage process.
//
// The result of the look is checked after the transaction. To wait for it inside,
// and only then commit, took 0.25 of 0.8 ms. The predecessor is missing only if
// another page has compacted the log further than this one has read. Then the
// record is a stray: no message tells of it, and it is removed again. If this
// page ends before that, the stray stays until the next compaction. It lies before
// the snapshot, so no session reads it.
func (l *IndexedDB) Append(seq uint64, frame Frame, d Durability) error {
	if l.closed {
		return ClosedError("append")
	}
	bytes, err := l.sealer.seal(frame)
	if err != nil {
		return storageError("append", batchName(seq), err)
	}
	isNext := true
	// A retry is safe: if the first attempt was stored after all, the second is a
	// conflict with the caller's own bytes, which the caller looks for.
	err = l.connection.attempt("append", batchName(seq), func() (err error) {
		isNext, err = l.append(seq, bytes, d)
		return err
	})
	if err == nil && !isNext {
		l.removeStray(seq)
		return ConflictError(seq)
	}
	if err == nil {
		l.tell(seq, bytes, frame.Len())
	}
	return err
}

// append stores the record, and reports whether its predecessor was there.
func (l *IndexedDB) append(seq uint64, bytes js.Value, d Durability) (isNext bool, err error) {
	t, err := l.connection.begin(jsReadwrite, d)
	if err != nil {
		return false, err
	}
	// Before the first there must be no record; before others, their predecessor.
	query := seqsFrom(1)
	if seq > 1 {
		query = js.ValueOf(float64(seq - 1))
	}
	before := t.requestKey(query)
	t.request("add", bytes, float64(seq))

	err = t.wait()
	if e, ok := err.(*exception); ok && e.name == "ConstraintError" { // add found the key taken
		return false, ConflictError(seq)
	}
	if err != nil {
		return false, err
	}
	return keyOf(before).IsUndefined() == (seq == 1), nil
}

// removeStray removes a record that has no predecessor. If that fails, the record
// stays where no session reads it.
func (l *IndexedDB) removeStray(seq uint64) {
	_ = l.connection.attempt("append", batchName(seq), func() error {
		t, err := l.connection.begin(jsReadwrite, Relaxed)
		if err != nil {
			return err
		}
		t.request("delete", float64(seq))
		return t.wait()
	})
}

// Compact implements Log. It is strict even if the batches were relaxed: it
// deletes batches that are known to be stored.
//
// It first looks whether the record is there: if not, a newer snapshot has
// replaced it. If that happens after the look, the snapshot stored here is a
// stray, as in Append. A look inside the transaction could make other pages wait;
// see transaction.commit.
func (l *IndexedDB) Compact(seq uint64, snapshot Frame) error {
	if l.closed {
		return ClosedError("compact")
	}
	isThere, wasThere := false, true
	err := l.connection.attempt("compact", batchName(seq), func() (err error) {
		isThere, err = l.has(seq)
		return err
	})
	if err != nil || !isThere {
		return err
	}
	bytes, err := l.sealer.seal(snapshot)
	if err != nil {
		return storageError("compact", batchName(seq), err)
	}
	value := snapshotValue(seq, bytes)
	err = l.connection.attempt("compact", batchName(seq), func() error {
		t, err := l.connection.begin(jsReadwrite, Strict)
		if err != nil {
			return err
		}
		before := t.requestKey(float64(seq))
		t.request("put", value, float64(seq))
		t.request("delete", seqsBetween(0, seq))
		if err := t.wait(); err != nil {
			return err
		}
		wasThere = !keyOf(before).IsUndefined()
		return nil
	})
	if err == nil && !wasThere {
		l.removeStray(seq)
	}
	return err
}

// has reports whether there is a record of that number.
func (l *IndexedDB) has(seq uint64) (bool, error) {
	t, err := l.connection.begin(jsReadonly, Relaxed)
	if err != nil {
		return false, err
	}
	key := t.requestKey(float64(seq))
	err = t.wait()
	return err == nil && !keyOf(key).IsUndefined(), err
}

// Salvage implements Salvager. Read assumes that no number is missing, and counts
// the records after a gap wrong.
func (l *IndexedDB) Salvage(visit func(Record) error) error {
	if l.closed {
		return ClosedError("salvage")
	}
	if l.sealer.isNone() {
		return l.salvagePieces(func(records []jsRecord) error { return visitRecords(records, 0, visit) })
	}
	// One record that opens tells that the key is right, and all others are damaged.
	var all []jsRecord
	err := l.salvagePieces(func(records []jsRecord) error {
		all = append(all, records...)
		return nil
	})
	if err != nil {
		return err
	}
	if err := l.sealer.open("salvage", all); err != nil {
		return storageError("salvage", "", err)
	}
	return visitRecords(all, 0, visit)
}

// salvagePieces calls take with all records, piece by piece.
func (l *IndexedDB) salvagePieces(take func([]jsRecord) error) error {
	for after, count := uint64(0), firstPiece; ; {
		var p piece
		err := l.connection.attempt("salvage", "", func() (err error) {
			p, err = l.salvagePiece(after, count)
			return err
		})
		if err != nil || len(p.records) == 0 {
			return err
		}
		if err := take(p.records); err != nil {
			return err
		}
		after = p.records[len(p.records)-1].seq
		count = p.nextCount()
	}
}

// salvagePiece is readPiece that also reads the number of each record. A value
// that is no record becomes one without bytes.
func (l *IndexedDB) salvagePiece(after uint64, count int) (p piece, err error) {
	t, err := l.connection.begin(jsReadonly, Relaxed)
	if err != nil {
		return p, err
	}
	keys := t.request("getAllKeys", seqsFrom(after+1), count)
	values := t.request("getAll", seqsFrom(after+1), count)
	if err := t.wait(); err != nil {
		return p, err
	}
	for i := range keys.Get("result").Length() {
		r, ok := storedRecord(uint64(keys.Get("result").Index(i).Float()), values.Get("result").Index(i))
		if !ok {
			r = newJSRecord(r.seq, false, uint8Array.New())
		}
		if r.snapshot {
			p.records = p.records[:0] // strays, if any
		}
		p.records = append(p.records, r)
	}
	return p, nil
}

// Restore implements Restorer.
func (l *IndexedDB) Restore(records []Record) error {
	if l.closed {
		return ClosedError("restore")
	}
	values := make([]js.Value, len(records))
	for i, r := range records {
		bytes, err := l.sealer.seal(Frame{r.Bytes})
		if err != nil {
			return storageError("restore", batchName(r.Seq), err)
		}
		values[i] = bytes
		if r.Snapshot {
			values[i] = snapshotValue(r.Seq, bytes)
		}
	}
	isEmpty := false
	err := l.connection.attempt("restore", "", func() error {
		t, err := l.connection.begin(jsReadwrite, Strict)
		if err != nil {
			return err
		}
		t.onSuccess(t.request("getKey", seqsFrom(1)), func(key js.Value) {
			if isEmpty = key.IsUndefined(); !isEmpty {
				return
			}
			for i, r := range records {
				t.request("add", values[i], float64(r.Seq))
			}
		})
		return t.wait()
	})
	if err == nil && !isEmpty {
		return notEmpty("restore")
	}
	return err
}

// Watch implements Watcher. Without BroadcastChannel, listener is called only
// when this page becomes visible.
func (l *IndexedDB) Watch(listener func(seq uint64, bytes []byte)) (stop func()) {
	if l.sealer.isNone() {
		return l.channel.watch(listener)
	}
	return l.channel.watch(func(seq uint64, _ []byte) { listener(seq, nil) }) // a page of an older version may send sealed bytes
}

// tell tells other pages that a record is stored. Sealed bytes stay out of the
// message, because their readers would have to wait for the sealer.
func (l *IndexedDB) tell(seq uint64, bytes js.Value, length int) {
	if length > maxSentBytes || !l.sealer.isNone() {
		bytes = js.Undefined()
	}
	l.channel.tell(seq, bytes)
}

// Close implements Log.
func (l *IndexedDB) Close() error {
	l.closed = true
	l.channel.close()
	l.connection.close()
	return nil
}

// Destroy implements Log. Other pages that have the database open close it, and
// their sessions end. If one does not within 5 s, Destroy fails with CodeTimeout.
func (l *IndexedDB) Destroy() error {
	l.Close()
	return storageError("destroy", l.connection.name, deleteDatabase(l.connection.name))
}

const (
	// pieceBytes is about how much one request of Read asks for.
	pieceBytes = 4 << 20
	// firstPiece is how many records the first request asks for, when their sizes
	// are not known yet.
	firstPiece = 16
	// maxPiece bounds the records of a request, however small they are.
	maxPiece = 4096
)

// A piece is some records in a row.
type piece struct {
	records []jsRecord
	rest    int64 // about how many bytes the records after it hold
}

// readPiece returns up to count records numbered greater than after.
func (l *IndexedDB) readPiece(after uint64, count int) (p piece, err error) {
	t, err := l.connection.begin(jsReadonly, Relaxed)
	if err != nil {
		return p, err
	}
	// Only between a stray (see Append) and a snapshot there may be a gap, and a
	// snapshot holds its own number. So the first number and the last tell all
	// others; getAllKeys and count would take as long again as getAll.
	following := seqsFrom(after + 1)
	first := t.requestKey(following)
	last := t.request("openKeyCursor", following, "prev")
	values := t.request("getAll", following, count)
	if err := t.wait(); err != nil || keyOf(first).IsUndefined() {
		return p, err
	}

	result := values.Get("result")
	n := result.Length()
	p.records = make([]jsRecord, 0, n)
	seq := uint64(keyOf(first).Float())
	batchBytes, batches := int64(0), int64(0)
	for i := range n {
		r, ok := storedRecord(seq, result.Index(i))
		if !ok {
			return p, engine.Fail(engine.CodeCorrupt, "read", batchName(r.seq), "the stored value is neither a batch nor a snapshot")
		}
		if r.snapshot {
			p.records, batchBytes, batches = p.records[:0], 0, 0 // strays, if any
		} else {
			batchBytes += r.size
			batches++
		}
		p.records = append(p.records, r)
		seq = r.seq + 1
	}
	if more := int64(last.Get("result").Get("key").Float()) - int64(seq) + 1; more > 0 {
		p.rest = more * max(1, batchBytes/max(1, batches))
	}
	return p, nil
}

// storedRecord takes a value apart: a batch is its bytes, a snapshot is an
// object with the bytes in it and its seq.
func storedRecord(seq uint64, value js.Value) (r jsRecord, ok bool) {
	if isBytes(value) {
		return newJSRecord(seq, false, value), true
	}
	if value.Type() == js.TypeObject && isBytes(value.Get("snapshot")) && value.Get("seq").Type() == js.TypeNumber {
		return newJSRecord(uint64(value.Get("seq").Float()), true, value.Get("snapshot")), true
	}
	return jsRecord{seq: seq}, false
}

// snapshotValue is what storedRecord takes for a snapshot.
func snapshotValue(seq uint64, bytes js.Value) js.Value {
	value := js.Global().Get("Object").New()
	value.Set("snapshot", bytes)
	value.Set("seq", float64(seq))
	return value
}

// nextCount returns how many records to ask for next, by the sizes of p's.
func (p piece) nextCount() int {
	count := int64(len(p.records)) * pieceBytes / max(1, p.size())
	return int(min(max(1, count), maxPiece))
}

// size returns how many bytes p's records have.
func (p piece) size() (bytes int64) {
	for _, r := range p.records {
		bytes += r.size
	}
	return bytes
}

// seqsFrom is the range of all seqs from first on. Key 0 is no seq but the key of
// the database's identity.
func seqsFrom(first uint64) js.Value {
	return js.Global().Get("IDBKeyRange").Call("lowerBound", float64(first))
}

// seqsBetween is the range of the seqs between low and high, both left out.
func seqsBetween(low, high uint64) js.Value {
	return js.Global().Get("IDBKeyRange").Call("bound", float64(low), float64(high), true, true)
}
