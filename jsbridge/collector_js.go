package jsbridge

import (
	"runtime"
	"syscall/js"
	_ "unsafe" // for go:linkname
)

// firstGCPercent is GOGC until the first collection, which then starts at 16 MiB
// of heap instead of 4.
//
// A page that begins by filling a database would otherwise collect four times
// within its first 20,000 documents, 1 to 6 ms each, and V8 would compile the
// collector beside everything else that is new. In Chromium this takes 45 of 142
// ms from such an insertMany.
const firstGCPercent = 400

// filledBytes is how many bytes of arguments fill a database: when a call that
// is no insert follows, the first collection is put off no longer.
const filledBytes = 1 << 20

// closesPerCollection is how many databases may be closed, while others are open,
// until their remains are collected.
const closesPerCollection = 16

// closes counts them.
var closes = 0

// isLate is whether the first collection is put off. passedBytes counts the bytes
// of arguments until there are filledBytes, and callsSince the calls after that.
var isLate, passedBytes, callsSince = false, 0, 0

// collectLate puts off the first collection, and only that one: if a large heap
// could grow fivefold before it is collected, most of the memory would be garbage.
func collectLate() {
	isLate = true
	setGCPercent(firstGCPercent)
	noteCollection()
}

// noteCollection calls collectAsUsual after the next collection that the growth of
// the heap has caused.
func noteCollection() {
	// The object is too large for the allocator to put it beside others, which may
	// stay alive.
	runtime.SetFinalizer(new([64]byte), func(*[64]byte) {
		if isForced {
			isForced = false
			noteCollection()
		} else {
			collectAsUsual()
		}
	})
}

// isForced is whether the first collection is one of collectClosed.
var isForced = false

// collectClosed collects what closed databases have left. JavaScript may free a
// value that Go has held, such as an IDBDatabase, a BroadcastChannel and all that
// a callback refers to, only when Go's collector has found that nothing holds it;
// and a page that is idle would not collect again. When the last database is
// closed, there is little to look through.
func collectClosed() {
	closes++
	if bridge.isAnyOpen() && closes < closesPerCollection {
		return
	}
	closes = 0
	if isCollecting {
		return
	}
	isCollecting = true
	go func() { // when the goroutine that closes has ended too
		isForced = isLate
		runtime.GC()
		isCollecting = false
	}()
}

// isCollecting is whether collectClosed collects. Go 1.26.8 as js/wasm ends with
// "marked free object in span" where many goroutines call runtime.GC at once.
var isCollecting = false

// collectAsUsual ends what collectLate began. It may block, so exported calls run
// it on another goroutine.
func collectAsUsual() {
	if isLate {
		isLate = false
		setGCPercent(100)
	}
}

// A collection says what to do about the first one, after a call.
type collection uint8

const (
	collectLater collection = iota
	collectSoon             // in a turn of its own
	collectNow              // when a call yields
)

const (
	// manyChanges is how many documents a call changes that may allocate much.
	manyChanges = 1000
	// maxCallsSince is after how many calls no turn of its own is waited for: a host
	// may never give one, as Cloudflare to a request that is over.
	maxCallsSince = 4096
)

// afterCall says what to do after a call with n bytes of arguments that has changed
// so many documents. Until a call that is no insert follows many bytes of inserts,
// it is nothing.
//
// Then a collection is due, which takes 10 to 30 ms of a page with 20,000 documents.
// In a turn of its own no caller waits for it: a live query over them heard of the
// 21st insert after 22 ms, and of the others after 0.1. But a call that changes many
// documents, for example an update of all, may allocate much at once, and no
// goroutine can react to the first collection meanwhile. Three updates of 20,000
// documents took 140 MiB, and 85 with a heap that only doubles.
func afterCall(op, n uint32, changes uint64) collection {
	if passedBytes < filledBytes {
		passedBytes += int(n)
	}
	o := opOf(op)
	if passedBytes < filledBytes || o == nil || callsSince == 0 && (o.name == "insert" || o.name == "savepoint" || o.name == "release") {
		return collectLater
	}
	callsSince++
	switch {
	case changes >= manyChanges || callsSince == maxCallsSince:
		return collectNow
	case callsSince == 1:
		return collectSoon
	}
	return collectLater
}

// collectInTurn calls collectAsUsual in a turn of its own.
func collectInTurn() {
	var turn js.Func
	turn = js.FuncOf(func(js.Value, []js.Value) any {
		turn.Release()
		go collectAsUsual()
		return nil
	})
	js.Global().Call("setTimeout", turn)
}

// setGCPercent is debug.SetGCPercent without the rest of its package, which
// would add 46 kB to the download.
//
//go:linkname setGCPercent runtime/debug.setGCPercent
func setGCPercent(percent int32) int32
