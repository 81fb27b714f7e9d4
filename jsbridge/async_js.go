package jsbridge

import (
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// Start adds the functions that wait for storage to the object atomicdbBridge,
// and then calls its method ready. JavaScript has made the object, with ready and
// defer (see newDeferred). Each function but wake returns a Promise:
//
//	protocol                        as in npm/src/engine/ops.ts
//	open(name, backend, options)  → handle; backend null: in memory only
//	flush(handle)                 → 0: stored; 1: rolled back by a conflict, do it again
//	commit(handle)                → stores everything at once; after an error nothing is undone
//	catchUp(handle)
//	compact(handle)               → replaces the batches of the log by a snapshot
//	buildIndexes(handle, documents, onlyUnique)  of the collections that have at most so many
//	close(handle)
//	destroy(backend)
//	log(backend)                  → a StorageBackend over the Log written in Go
//	wake()                        → undefined, when goroutines have run
//
// and those of [startFiles], [startRepair] and [startChanges].
//
// A backend is {kind: 'indexeddb', name, sealer}, where the sealer may be absent,
// or an object with the methods of StorageBackend. The options of open are those of [sessionOptions].
func Start() {
	collectLate()
	object := js.Global().Get("atomicdbBridge")
	newDeferred = object.Get("defer")
	object.Set("protocol", float64(protocol()))
	function(object, "open", open)
	function(object, "flush", flush)
	function(object, "commit", commit)
	function(object, "catchUp", catchUp)
	function(object, "compact", compact)
	function(object, "buildIndexes", buildIndexes)
	function(object, "close", closeDatabase)
	object.Set("wake", js.FuncOf(func(js.Value, []js.Value) any { return nil })) // an event, in which goroutines run
	function(object, "destroy", destroy)
	function(object, "log", newLogObject)
	startFiles(object)
	startRepair(object)
	startChanges(object)
	object.Call("ready")
}

func open(args []js.Value) (any, error) {
	backend, options := args[1], args[2]
	var log storage.Log
	if !backend.IsNull() {
		var err error
		if log, err = newLog(backend); err != nil {
			return nil, err
		}
	}
	session, err := storage.Open(log, sessionOptions(options))
	if err != nil {
		return nil, err
	}
	handle, err := bridge.Open(session)
	if err != nil {
		session.Close()
		return nil, err
	}
	return float64(handle), nil
}

// newLog returns the Log of a backend.
func newLog(backend js.Value) (storage.Log, error) {
	if backend.Type() != js.TypeObject {
		return storage.NewHostLog(backend) // it says what is wrong
	}
	if kind := backend.Get("kind"); kind.Type() == js.TypeString && backend.Get("append").IsUndefined() {
		if kind.String() != "indexeddb" {
			return nil, engine.Fail(engine.CodeInvalid, "open", "storage", "there is no storage named "+kind.String())
		}
		return storage.NewIndexedDB(backend.Get("name").String(), backend.Get("sealer")), nil
	}
	return storage.NewHostLog(backend)
}

// sessionOptions reads the options of open. Each may be absent:
//
//	durability        'relaxed' or 'strict'
//	maxDocumentBytes  see engine.Options
//	maxDepth          see engine.Options
//	maxQueryMemory    see engine.Options
//	interrupted       engine.Options.Interrupted: returns undefined, or why the call must end
//	version           SessionOptions.DataVersion
//	onProgress        called with the bytes done and in all while the log is read
//	onForeign         called when batches of others have been applied. Only the tests
//	                  of the bridge use it; live queries will
//	onRollback        called when everything unconfirmed has been undone
//	onStored          called when there is something for a feed to take
//	group             four bytes: the batches of engines with the same are local to each other
//	onPutOff          called when batches of others wait for a savepoint; call catchUp when it is released
//
// onProgress, onForeign and onStored run as microtasks, so they may call the engine.
// interrupted, onRollback and onPutOff run with Go on the stack, so they must not.
func sessionOptions(options js.Value) storage.SessionOptions {
	o := storage.SessionOptions{Engine: engine.Options{
		MaxDocumentBytes: number(options.Get("maxDocumentBytes")),
		MaxDepth:         number(options.Get("maxDepth")),
		MaxQueryMemory:   int64(number(options.Get("maxQueryMemory"))),
	}, DataVersion: number(options.Get("version"))}
	if f := options.Get("interrupted"); f.Type() == js.TypeFunction {
		o.Engine.Interrupted = func(first bool) error {
			if why := f.Invoke(first); why.Type() == js.TypeString {
				return engine.Fail(engine.CodeTimeout, "query", "", why.String())
			}
			return nil
		}
	}
	if d := options.Get("durability"); d.Type() == js.TypeString && d.String() == storage.Strict.String() {
		o.Durability = storage.Strict
	}
	if f := options.Get("onProgress"); f.Type() == js.TypeFunction {
		o.OnProgress = func(done, total int64) { soon(f, float64(done), float64(total)) }
	}
	if f := options.Get("onForeign"); f.Type() == js.TypeFunction {
		o.OnForeign = func() { soon(f) }
	}
	if f := options.Get("onRollback"); f.Type() == js.TypeFunction {
		o.OnRollback = func() { f.Invoke() }
	}
	if f := options.Get("onPutOff"); f.Type() == js.TypeFunction {
		o.OnPutOff = func() { f.Invoke() }
	}
	if f := options.Get("onStored"); f.Type() == js.TypeFunction {
		o.OnStored = func() { soon(f) }
	}
	if group := options.Get("group"); group.Type() == js.TypeObject {
		js.CopyBytesToGo(o.Group[:], group)
	}
	return o
}

// number returns v, or 0 if it is not a number.
func number(v js.Value) int {
	if v.Type() != js.TypeNumber {
		return 0
	}
	return v.Int()
}

// soon calls f as a microtask, when Go is off the stack.
func soon(f js.Value, args ...any) {
	bound := f.Call("bind", append([]any{js.Undefined()}, args...)...)
	js.Global().Get("queueMicrotask").Invoke(bound)
}

func flush(args []js.Value) (any, error) {
	session, err := sessionOf("flush", args)
	if err != nil {
		return nil, err
	}
	outcome, err := session.Flush()
	if outcome == storage.Conflict {
		return 1, err
	}
	return 0, err
}

func commit(args []js.Value) (any, error) {
	session, err := sessionOf("commit", args)
	if err != nil {
		return nil, err
	}
	return nil, session.Commit()
}

func catchUp(args []js.Value) (any, error) {
	session, err := sessionOf("catchUp", args)
	if err != nil {
		return nil, err
	}
	return nil, session.CatchUp()
}

func compact(args []js.Value) (any, error) {
	session, err := sessionOf("compact", args)
	if err != nil {
		return nil, err
	}
	return nil, session.Compact()
}

func buildIndexes(args []js.Value) (any, error) {
	session, err := sessionOf("buildIndexes", args)
	if err != nil {
		return nil, err
	}
	session.DB().BuildIndexes(args[1].Int(), args[2].Bool())
	return nil, nil
}

// closeDatabase releases the handle at once, and then waits for the call that is
// running. Closing twice is no error.
func closeDatabase(args []js.Value) (any, error) {
	session := bridge.Release(handleOf(args))
	if session == nil {
		return nil, nil
	}
	defer collectClosed()
	return nil, session.Close()
}

func destroy(args []js.Value) (any, error) {
	log, err := newLog(args[0])
	if err != nil {
		return nil, err
	}
	return nil, log.Destroy()
}

func handleOf(args []js.Value) uint32 { return uint32(args[0].Int()) }

func sessionOf(op string, args []js.Value) (*storage.Session, error) {
	return bridge.Session(op, handleOf(args))
}
