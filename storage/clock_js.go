package storage

import "syscall/js"

// hostTime returns the milliseconds since 1970; 0 while the page has replaced its
// clock by something else. Package time does not work here; see jsbridge.
func hostTime() uint64 {
	now := js.Global().Get("Date").Call("now")
	if now.Type() != js.TypeNumber || !(now.Float() > 0 && now.Float() < 1<<53) {
		return 0
	}
	return uint64(now.Float())
}
