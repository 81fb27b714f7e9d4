package jsbridge

import (
	"runtime"
	"unsafe"
)

// The bridge of all exported functions.
var bridge = New()

// adbIn returns the address of the in-buffer, with room for n bytes; 0 if that is
// too much for one call. Every request starts with it. It may yield, and other
// goroutines may then move both buffers: at this moment neither is in use.
//
//go:wasmexport adb_in
func adbIn(n uint32) uint32 {
	if bridge.ShouldYield() {
		runtime.Gosched()
	}
	return address(bridge.Input(int(n)))
}

// adbCall is [Bridge.Call].
//
//go:wasmexport adb_call
func adbCall(handle, op, n uint32) int32 {
	if !isLate {
		return bridge.Call(handle, op, int(n))
	}
	before := bridge.Version(handle)
	result := bridge.Call(handle, op, int(n))
	switch afterCall(op, n, bridge.Version(handle)-before) {
	case collectNow:
		go collectAsUsual() // when the next call yields
	case collectSoon:
		collectInTurn()
	}
	return result
}

// adbVersion is [Bridge.Version], as JavaScript holds numbers.
//
//go:wasmexport adb_version
func adbVersion(handle uint32) float64 { return float64(bridge.Version(handle)) }

// adbHead is [Bridge.Head], as JavaScript holds numbers.
//
//go:wasmexport adb_head
func adbHead(handle uint32) float64 { return float64(bridge.Head(handle)) }

// adbOut returns the address of the out-buffer. It is valid until the next call.
//
//go:wasmexport adb_out
func adbOut() uint32 { return address(bridge.Output()) }

func address(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }
