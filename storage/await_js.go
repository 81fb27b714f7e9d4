package storage

import "syscall/js"

// These functions block the calling goroutine until the event loop has run, so
// exported wasm functions and callbacks of js.Func must not call them. Those
// start a goroutine first.

// await returns the value that promise resolves to. Its error is an *exception.
// If promise is no promise, await returns it.
func await(promise js.Value) (js.Value, error) {
	if typeOf(promise) != js.TypeObject || typeOf(promise.Get("then")) != js.TypeFunction {
		return promise, nil
	}
	type settled struct {
		value js.Value
		err   error
	}
	done := make(chan settled, 2)
	onValue := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- settled{value: argument(args, 0)}
		return nil
	})
	defer onValue.Release()
	onError := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- settled{err: exceptionOf(argument(args, 0))}
		return nil
	})
	defer onError.Release()
	if _, err := try(func() js.Value { return promise.Call("then", onValue, onError) }); err != nil {
		return js.Undefined(), err
	}
	s := <-done
	return s.value, s.err
}

// callAsync calls a method of object and awaits what it returns.
func callAsync(object js.Value, method string, args ...any) (js.Value, error) {
	promise, err := try(func() js.Value { return object.Call(method, args...) })
	if err != nil {
		return js.Undefined(), err
	}
	return await(promise)
}

// try returns the result of call. What call throws becomes an *exception.
func try(call func() js.Value) (v js.Value, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case js.Error:
			err = exceptionOf(p.Value)
		default:
			panic(p)
		}
	}()
	return call(), nil
}

// pause blocks for some milliseconds.
func pause(ms int) {
	done := make(chan struct{}, 1)
	defer after(ms, func() { done <- struct{}{} })()
	<-done
}

// after calls f after some milliseconds, unless stop is called before. The
// caller must call stop in any case.
func after(ms int, f func()) (stop func()) {
	callback := js.FuncOf(func(js.Value, []js.Value) any {
		f()
		return nil
	})
	timer := js.Global().Get("setTimeout").Invoke(callback, ms)
	return func() {
		js.Global().Get("clearTimeout").Invoke(timer)
		callback.Release()
	}
}

// handlers are event handlers of any number of targets that are released together.
type handlers struct {
	set []handler
}

type handler struct {
	target js.Value
	name   string
	f      js.Func
}

// on sets the target's handler of an event, "success" for onsuccess. It runs
// inside the event: it must not block.
func (h *handlers) on(target js.Value, event string, handle func(event js.Value)) {
	f := js.FuncOf(func(_ js.Value, args []js.Value) any {
		handle(argument(args, 0))
		return nil
	})
	target.Set("on"+event, f)
	h.set = append(h.set, handler{target, "on" + event, f})
}

// release removes every handler from its target.
func (h *handlers) release() {
	for _, one := range h.set {
		one.target.Set(one.name, js.Null())
		one.f.Release()
	}
	h.set = nil
}

// typeOf returns v.Type(). A BigInt, which that panics at, counts as undefined:
// scripts of the page and storages of users may send one, and in a callback of
// the host nobody recovers.
func typeOf(v js.Value) (t js.Type) {
	defer func() { _ = recover() }()
	return v.Type()
}

// seqOf returns the number of a batch, 0 if v is none.
func seqOf(v js.Value) uint64 {
	if typeOf(v) != js.TypeNumber {
		return 0
	}
	if f := v.Float(); f >= 1 && f <= maxSafeInteger {
		return uint64(f)
	}
	return 0
}

// maxSafeInteger is the largest integer that JavaScript holds exactly.
const maxSafeInteger = 1<<53 - 1

// argument returns args[i], or undefined.
func argument(args []js.Value, i int) js.Value {
	if i < len(args) {
		return args[i]
	}
	return js.Undefined()
}
