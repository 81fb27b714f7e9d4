package storage

import (
	"strings"
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
)

// HostLog is a Log in any JavaScript object that implements StorageBackend: one
// of the user's, or one of the npm package's. NewHostLog makes one.
type HostLog struct {
	backend      js.Value
	compactEvery int
	mayRevoke    bool
	closed       bool
}

// A hostWatcher is the part of a HostLog whose object has a method watch.
type hostWatcher struct{ backend js.Value }

// A hostTail is the part of a HostLog whose object has a method cutTail.
type hostTail struct{ backend js.Value }

var (
	_ Log            = (*HostLog)(nil)
	_ CompactionHint = (*HostLog)(nil)
	_ Salvager       = (*HostLog)(nil)
	_ Revocable      = (*HostLog)(nil)
	_ Watcher        = hostWatcher{}
	_ TornTail       = hostTail{}
)

// NewHostLog returns the Log in backend. If backend lacks methods, the error has
// CodeInvalid and names them.
func NewHostLog(backend js.Value) (Log, error) {
	if t := typeOf(backend); t != js.TypeObject && t != js.TypeFunction {
		return nil, engine.Fail(engine.CodeInvalid, "open", "storage", "it is not an object")
	}
	var missing []string
	for _, method := range []string{"read", "append", "compact", "destroy", "close"} {
		if typeOf(backend.Get(method)) != js.TypeFunction {
			missing = append(missing, method)
		}
	}
	if missing != nil {
		return nil, engine.Fail(engine.CodeInvalid, "open", "storage", "it has no method "+strings.Join(missing, ", "))
	}
	log := &HostLog{backend: backend, mayRevoke: backend.Get("mayRevoke").Truthy()}
	if every := backend.Get("compactEvery"); typeOf(every) == js.TypeNumber {
		log.compactEvery = int(every.Float())
	}
	watches := typeOf(backend.Get("watch")) == js.TypeFunction
	tears := typeOf(backend.Get("cutTail")) == js.TypeFunction
	switch {
	case watches && tears:
		return struct {
			*HostLog
			hostWatcher
			hostTail
		}{log, hostWatcher{backend}, hostTail{backend}}, nil
	case watches:
		return struct {
			*HostLog
			hostWatcher
		}{log, hostWatcher{backend}}, nil
	case tears:
		return struct {
			*HostLog
			hostTail
		}{log, hostTail{backend}}, nil
	}
	return log, nil
}

// CompactEvery implements CompactionHint, with the object's property compactEvery.
func (l *HostLog) CompactEvery() int { return l.compactEvery }

// MayRevoke implements Revocable, with the object's property mayRevoke.
func (l *HostLog) MayRevoke() bool { return l.mayRevoke }

// Read implements Log.
func (l *HostLog) Read(after uint64, visit func(Record) error) error {
	if l.closed {
		return ClosedError("read")
	}
	return l.visit(visit, "read", float64(after))
}

// Salvage implements Salvager, with the object's method salvage if it has one.
func (l *HostLog) Salvage(visit func(Record) error) error {
	if l.closed {
		return ClosedError("salvage")
	}
	if typeOf(l.backend.Get("salvage")) != js.TypeFunction {
		return l.Read(0, visit)
	}
	return l.visit(visit, "salvage")
}

// visit calls a method of the object and visits the records that it resolves to.
func (l *HostLog) visit(visit func(Record) error, method string, args ...any) error {
	found, err := callAsync(l.backend, method, args...)
	if err != nil {
		return storageError(method, "", err)
	}
	if typeOf(found) != js.TypeObject || typeOf(found.Get("length")) != js.TypeNumber {
		return wrongResult(method, "", "must resolve to an array of {seq, snapshot, bytes}")
	}
	var records []jsRecord // grows with what is there: the length may be any number
	for i := range found.Length() {
		record, err := hostRecord(method, found.Index(i))
		if err != nil {
			return err
		}
		records = append(records, record)
	}
	return visitRecords(records, 0, visit)
}

func hostRecord(method string, v js.Value) (jsRecord, error) {
	var seq uint64
	if typeOf(v) == js.TypeObject {
		seq = seqOf(v.Get("seq"))
	}
	if seq == 0 {
		return jsRecord{}, wrongResult(method, "", "must give each batch a seq of 1 or more")
	}
	if !isBytes(v.Get("bytes")) {
		return jsRecord{}, wrongResult(method, batchName(seq), "must give the bytes as a Uint8Array")
	}
	snapshot := v.Get("snapshot")
	return newJSRecord(seq, typeOf(snapshot) != js.TypeUndefined && snapshot.Truthy(), v.Get("bytes")), nil // SQL keeps a boolean as 0 or 1
}

// Append implements Log.
func (l *HostLog) Append(seq uint64, frame Frame, d Durability) error {
	if l.closed {
		return ClosedError("append")
	}
	stored, err := callAsync(l.backend, "append", float64(seq), bytesToJS(frame), d.String())
	switch {
	case err != nil:
		return storageError("append", batchName(seq), err)
	case typeOf(stored) != js.TypeBoolean:
		return wrongResult("append", batchName(seq), "must resolve to true, or to false if the number is taken")
	case !stored.Bool():
		return ConflictError(seq)
	}
	return nil
}

// Compact implements Log.
func (l *HostLog) Compact(seq uint64, snapshot Frame) error {
	if l.closed {
		return ClosedError("compact")
	}
	_, err := callAsync(l.backend, "compact", float64(seq), bytesToJS(snapshot))
	return storageError("compact", batchName(seq), err)
}

// Watch implements Watcher. A backend may give its listener the bytes too.
func (w hostWatcher) Watch(listener func(seq uint64, bytes []byte)) (stop func()) {
	onAppend := js.FuncOf(func(_ js.Value, args []js.Value) any {
		seq := seqOf(argument(args, 0))
		var bytes []byte
		if v := argument(args, 1); isBytes(v) {
			bytes = bytesToGo(nil, v)
		}
		listener(seq, bytes)
		return nil
	})
	unwatch, err := try(func() js.Value { return w.backend.Call("watch", onAppend) })
	if err != nil { // without watching, conflicts tell of other writers
		onAppend.Release()
		return func() {}
	}
	return func() {
		if typeOf(unwatch) == js.TypeFunction {
			_, _ = try(func() js.Value { return unwatch.Invoke() })
		}
		onAppend.Release()
	}
}

// CutTail implements TornTail.
func (t hostTail) CutTail(seq uint64, torn []byte) error {
	_, err := callAsync(t.backend, "cutTail", float64(seq), bytesToJS(Frame{torn}))
	return storageError("cut", batchName(seq), err)
}

// Close implements Log.
func (l *HostLog) Close() error {
	if l.closed {
		return nil
	}
	l.closed = true
	_, err := callAsync(l.backend, "close")
	return storageError("close", "", err)
}

// Destroy implements Log.
func (l *HostLog) Destroy() error {
	l.closed = true
	_, err := callAsync(l.backend, "destroy")
	return storageError("destroy", "", err)
}

func wrongResult(method, target, rule string) error {
	return engine.Fail(engine.CodeStorage, method, target, "the storage's method "+method+"() "+rule)
}
