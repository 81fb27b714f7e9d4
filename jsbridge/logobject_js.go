package jsbridge

import (
	"sync"
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// A logObject is a Log written in Go as a JavaScript object with the methods
// of StorageBackend, so that it can be used on its own or wrapped in another.
type logObject struct {
	lock      sync.Mutex // a Log is for one caller at a time, and JavaScript may not wait for its promises
	log       storage.Log
	object    js.Value
	functions []js.Func
}

// newLogObject returns the object for a backend. After close or destroy, its
// methods reject with the code closed; closing again is no error.
func newLogObject(args []js.Value) (any, error) {
	log, err := newLog(args[0])
	if err != nil {
		return nil, err
	}
	o := &logObject{log: log, object: js.Global().Get("Object").New()}
	o.method("read", func(args []js.Value) (any, error) {
		return recordsToJS(func(visit func(storage.Record) error) error { return log.Read(uint64(args[0].Float()), visit) })
	})
	o.method("salvage", func([]js.Value) (any, error) {
		return recordsToJS(func(visit func(storage.Record) error) error { return storage.Salvage(log, visit) })
	})
	o.method("append", o.append)
	o.method("compact", o.compact)
	o.method("close", func([]js.Value) (any, error) { return nil, o.end(log.Close) })
	o.method("destroy", func([]js.Value) (any, error) { return nil, o.end(log.Destroy) })
	if watcher, ok := log.(storage.Watcher); ok {
		o.watch(watcher)
	}
	return o.object, nil
}

func (o *logObject) method(name string, work func(args []js.Value) (any, error)) {
	o.functions = append(o.functions, function(o.object, name, func(args []js.Value) (any, error) {
		o.lock.Lock()
		defer o.lock.Unlock()
		return work(args)
	}))
}

// recordsToJS returns the records that read visits as an array.
func recordsToJS(read func(visit func(storage.Record) error) error) (any, error) {
	records := js.Global().Get("Array").New()
	err := read(func(r storage.Record) error {
		record := js.Global().Get("Object").New()
		record.Set("seq", float64(r.Seq))
		record.Set("snapshot", r.Snapshot)
		record.Set("bytes", bytesToJS(r.Bytes))
		records.Call("push", record)
		return nil
	})
	return records, err
}

func (o *logObject) append(args []js.Value) (any, error) {
	d := storage.Relaxed
	if len(args) > 2 && args[2].Type() == js.TypeString && args[2].String() == storage.Strict.String() {
		d = storage.Strict
	}
	err := o.log.Append(uint64(args[0].Float()), storage.Frame{bytesToGo(args[1])}, d)
	if err != nil && engine.CodeOf(err) == engine.CodeConflict {
		return false, nil
	}
	return true, err
}

func (o *logObject) compact(args []js.Value) (any, error) {
	return nil, o.log.Compact(uint64(args[0].Float()), storage.Frame{bytesToGo(args[1])})
}

// watch adds the method watch, which returns the function that ends the watching.
// It is the only method that returns no Promise.
func (o *logObject) watch(watcher storage.Watcher) {
	watch := js.FuncOf(func(_ js.Value, args []js.Value) any {
		listener := args[0]
		stop := watcher.Watch(func(seq uint64, _ []byte) { soon(listener, float64(seq)) })
		var unwatch js.Func
		unwatch = js.FuncOf(func(js.Value, []js.Value) any {
			stop()
			unwatch.Release()
			return nil
		})
		return unwatch
	})
	o.object.Set("watch", watch)
	o.functions = append(o.functions, watch)
}

// end closes the log with close, and replaces the object's methods by functions
// that are never released. A call that waits for the lock still runs.
func (o *logObject) end(close func() error) error {
	err := close()
	for _, name := range []string{"read", "salvage", "append", "compact", "destroy", "watch"} {
		o.object.Set(name, refuseClosed)
	}
	o.object.Set("close", alreadyClosed)
	for _, f := range o.functions {
		f.Release()
	}
	o.functions = nil
	return err
}

var (
	refuseClosed = js.FuncOf(func(js.Value, []js.Value) any {
		return promise("call", func() (any, error) { return nil, storage.ClosedError("call") })
	})
	alreadyClosed = js.FuncOf(func(js.Value, []js.Value) any {
		return promise("close", func() (any, error) { return nil, nil })
	})
)

func bytesToJS(b []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(array, b)
	return array
}

// bytesToGo copies a Uint8Array. Copying one whose buffer was transferred, with length
// 0, would throw in Go's own JavaScript, which ends the engine.
func bytesToGo(array js.Value) []byte {
	b := make([]byte, array.Get("length").Int())
	if len(b) > 0 {
		js.CopyBytesToGo(b, array)
	}
	return b
}
