package storage

import "syscall/js"

// clock tells the time, if JavaScript has a function for it: to ask Date makes a value that
// Go's collector has to follow, which takes a tenth of a transaction's time.
var clock = func() js.Value {
	bridge := js.Global().Get("atomicdbBridge")
	if bridge.Type() != js.TypeObject {
		return js.Undefined()
	}
	return bridge.Get("now")
}()

// hostTime returns the milliseconds since 1970; 0 while the page has replaced its
// clock by something else. Package time does not work here; see jsbridge.
func hostTime() uint64 {
	var now js.Value
	if clock.Type() == js.TypeFunction {
		now = clock.Invoke()
	} else {
		now = js.Global().Get("Date").Call("now")
	}
	if now.Type() != js.TypeNumber || !(now.Float() > 0 && now.Float() < 1<<53) {
		return 0
	}
	return uint64(now.Float())
}
