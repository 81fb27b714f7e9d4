package storage

import (
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A sealer compresses and encrypts the bytes of records before IndexedDB stores
// them, and opens them again. It is an object of JavaScript (see
// npm/src/storage/envelope-sealer.ts) whose methods return Promises:
//
//	seal(batch)      → the bytes to store
//	open(batches)    → an array of the batches that were sealed, in the same order
//	salvage(batches) → as open, with empty bytes for damaged batches
//
// Sealed bytes never enter Go's memory. The zero value seals nothing.
type sealer struct{ js js.Value }

func (s sealer) isNone() bool { return s.js.IsUndefined() }

// seal returns the value that is stored for frame.
func (s sealer) seal(frame Frame) (js.Value, error) {
	bytes := bytesToJS(frame)
	if s.isNone() {
		return bytes, nil
	}
	return callAsync(s.js, "seal", bytes)
}

// open replaces the bytes of records by what was sealed. The method is "open" or
// "salvage".
func (s sealer) open(method string, records []jsRecord) error {
	if s.isNone() || len(records) == 0 {
		return nil
	}
	sealed := js.Global().Get("Array").New(len(records))
	for i, r := range records {
		sealed.SetIndex(i, r.bytes)
	}
	opened, err := callAsync(s.js, method, sealed)
	if err != nil {
		return err
	}
	for i, r := range records {
		records[i] = newJSRecord(r.seq, r.snapshot, opened.Index(i))
	}
	return nil
}

// openPiece is open for the records of p. p's rest then counts opened bytes too.
func (s sealer) openPiece(p *piece) error {
	if s.isNone() {
		return nil
	}
	sealed := p.size()
	if err := s.open("open", p.records); err != nil {
		return err
	}
	p.rest = p.rest * p.size() / max(1, sealed)
	return nil
}

// Reseal is WithIdentities for records that a sealer may have sealed, which it then
// seals again. If it cannot open them, because its key is another, or sealer is
// undefined, sealed records keep their identity.
func Reseal(seals js.Value, records []Record, identity Identity) error {
	s := sealer{seals}
	if s.isNone() {
		WithIdentities(records, identity)
		return nil
	}
	sealed := make([]jsRecord, len(records))
	for i, r := range records {
		sealed[i] = newJSRecord(r.Seq, r.Snapshot, bytesToJS(Frame{r.Bytes}))
	}
	err := storageError("import", "", s.open("salvage", sealed))
	if engine.CodeOf(err) == engine.CodeDecrypt {
		return nil
	}
	if err != nil {
		return err
	}
	opened := make([]Record, len(records))
	for i, r := range sealed {
		opened[i].Bytes = bytesToGo(nil, r.bytes)
	}
	WithIdentities(opened, identity)
	for i, r := range opened {
		if IdentityOf(r.Bytes) != identity {
			continue // it is damaged, or of version 1
		}
		again, err := s.seal(Frame{r.Bytes})
		if err != nil {
			return storageError("import", batchName(records[i].Seq), err)
		}
		records[i].Bytes = bytesToGo(nil, again)
	}
	return nil
}
