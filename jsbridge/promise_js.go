package jsbridge

import (
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
)

// newDeferred is the bridge object's method defer, which makes a Promise:
//
//	() => { promise, resolve, reject }
//
// To make a Promise with syscall/js takes a function that JavaScript calls back,
// and twice the time: 40 us instead of 20.
var newDeferred js.Value

// promise runs work on its own goroutine and returns a Promise of its result.
// Every function that waits uses it, so only here a Go error or a panic becomes a
// rejection.
func promise(op string, work func() (any, error)) js.Value {
	deferred := newDeferred.Invoke()
	go func() {
		result, err := recovered(op, work)
		if err != nil {
			deferred.Call("reject", jsError(err))
			return
		}
		deferred.Call("resolve", result)
	}()
	return deferred.Get("promise")
}

// recovered turns a panic of work into CodeInternal. Unrecovered, it would end the
// instance, and every open database in the page with it.
func recovered(op string, work func() (any, error)) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(op, p)
		}
	}()
	return work()
}

// jsError returns an Error with the code, and with the faults of what breaks a schema,
// of which npm/src/engine/bridge.ts makes an AtomicDBError.
func jsError(err error) js.Value {
	e := js.Global().Get("Error").New(err.Error())
	e.Set("code", string(engine.CodeOf(err)))
	if faults := faultsOf(err); faults != nil {
		list := make([]any, len(faults))
		for i, f := range faults {
			list[i] = []any{f.Path, f.Keyword, f.Message}
		}
		e.Set("faults", list)
	}
	return e
}

// function sets object[name] to a JavaScript function that returns a Promise
// of work's result.
func function(object js.Value, name string, work func(args []js.Value) (any, error)) js.Func {
	f := js.FuncOf(func(_ js.Value, args []js.Value) any {
		return promise(name, func() (any, error) { return work(args) })
	})
	object.Set(name, f)
	return f
}
