package storage

import (
	"bytes"
	"syscall/js"
)

var uint8Array = js.Global().Get("Uint8Array")

// bytesToJS copies frame into a new Uint8Array: a short frame in one call, a long
// one part by part.
func bytesToJS(frame Frame) js.Value {
	n := frame.Len()
	array := uint8Array.New(n)
	if n <= 4<<10 {
		js.CopyBytesToJS(array, bytes.Join(frame, nil))
		return array
	}
	at := 0
	for _, part := range frame {
		js.CopyBytesToJS(array.Call("subarray", at, at+len(part)), part)
		at += len(part)
	}
	return array
}

// isBytes reports whether v is a Uint8Array; Node's Buffer is one.
func isBytes(v js.Value) bool {
	return typeOf(v) == js.TypeObject && v.InstanceOf(uint8Array)
}

// bytesToGo copies a Uint8Array into buffer, or into a new one if it is too small. An
// array whose buffer was transferred has length 0; copying it would throw in Go's own
// JavaScript, which ends the engine.
func bytesToGo(buffer []byte, array js.Value) []byte {
	n := array.Length()
	if cap(buffer) < n {
		buffer = make([]byte, n)
	}
	buffer = buffer[:n]
	if n > 0 {
		js.CopyBytesToGo(buffer, array)
	}
	return buffer
}

// A jsRecord is a record whose bytes JavaScript holds.
type jsRecord struct {
	seq      uint64
	snapshot bool
	bytes    js.Value
	size     int64
}

func newJSRecord(seq uint64, snapshot bool, bytes js.Value) jsRecord {
	return jsRecord{seq, snapshot, bytes, int64(bytes.Length())}
}

// visitRecords visits records, after which there are about rest bytes more.
func visitRecords(records []jsRecord, rest int64, visit func(Record) error) error {
	for _, r := range records {
		rest += r.size
	}
	var buffer []byte
	for _, r := range records {
		rest -= r.size
		buffer = bytesToGo(buffer, r.bytes)
		if err := visit(Record{Seq: r.seq, Snapshot: r.snapshot, Bytes: buffer, Rest: rest}); err != nil {
			return err
		}
	}
	return nil
}
