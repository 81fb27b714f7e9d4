package jsbridge

import (
	"runtime"
	_ "unsafe" // for go:linkname
)

// eagerness is GOGC until the first collection: it starts at 16 MiB of heap
// then, and not at 4.
//
// A page that begins by filling a database would otherwise collect four times
// within its first 20,000 documents, 1 to 6 ms each, and V8 would compile the
// collector for speed beside everything else that is new: this takes 45 of 142
// ms from such an insertMany in Chromium.
const eagerness = 400

// filled is how many bytes of arguments make a database one that has been
// filled, when they are followed by something else than more of them.
const filled = 1 << 20

// late is whether the first collection is still to come, and passed the bytes
// of arguments until then.
var late, passed = false, 0

// collectLate puts off the first collection, and only that one: a large heap
// that may grow fivefold before it is looked at would be most of the memory.
func collectLate() {
	late = true
	setGCPercent(eagerness)
	// Too large for the allocator to put it together with others, which may
	// live on.
	runtime.SetFinalizer(new([64]byte), func(*[64]byte) { collectAsUsual() })
}

// collectAsUsual ends what collectLate began. It may block, so it needs a
// goroutine that is no exported call.
func collectAsUsual() {
	if late {
		late = false
		setGCPercent(100)
	}
}

// doneFilling reports whether a call that is not an insert follows many bytes
// of them. What comes next, an update of everything perhaps, allocates in one
// call, in which no goroutine can act on the first collection: three updates of
// 20,000 documents took 140 MiB, and 85 with a heap that may only double.
func doneFilling(op, n uint32) bool {
	if !late {
		return false
	}
	passed += int(n)
	o := opOf(op)
	if passed < filled || o == nil || o.name == "insert" || o.name == "savepoint" || o.name == "release" {
		return false
	}
	passed = 0 // once is enough
	return true
}

// setGCPercent is debug.SetGCPercent without the rest of its package, which
// would be 46 kB of the download.
//
//go:linkname setGCPercent runtime/debug.setGCPercent
func setGCPercent(percent int32) int32
