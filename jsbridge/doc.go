// Package jsbridge is how JavaScript calls the engine.
//
// There are two ways in. Calls that only touch memory are exported functions
// over two shared buffers: JavaScript writes the arguments into one, calls
// adb_call with the number of an [op], and reads the answer from the other.
// What waits for storage (open, flush, close) is a function that returns a
// Promise.
//
// Everything that is not about JavaScript itself is ordinary Go and tested
// natively; syscall/js and the exported functions are in the *_js.go files.
//
// # What the JavaScript side has to do
//
//   - One request is adb_in, writing, adb_call, reading at adb_out, with
//     nothing in between. Any call may grow the memory, which detaches every
//     view of it, and may move both buffers.
//   - Never call while Go is on the stack, that is, from a function that Go
//     has called. Go's collector runs other goroutines during an exported
//     call, and one of them that enters Go from JavaScript then ends the
//     instance: "unknown caller pc", "traceback did not unwind".
//   - After a fatal error, such as memory running out, an exported function
//     returns a senseless number, and so do all later ones: only go.exit hears
//     of it. After an exception out of one (a RangeError, with the stack full)
//     the runtime is in the middle of something. Both end the instance.
//
// # What the Go side has to do
//
//   - An exported function never blocks and starts no goroutines: no channel,
//     no contended mutex.
//   - No timers of package time anywhere in the program: a goroutine whose
//     timer is due runs in the next exported call that collects garbage, where
//     entering Go from JavaScript is fatal. JavaScript's setTimeout is safe.
//   - adb_in yields now and then ([Bridge.Tired]): exported calls never reach
//     the scheduler otherwise, so the collector's workers and the finalizers
//     starve. Measured after 22,000 calls into Go: 10 M small allocations in
//     exported functions grew the memory to 1.4 GiB without one completed
//     collection, and to 12 MiB with a yield every 64 calls.
//
// # Costs, measured in V8 on one core
//
// An exported function costs 15 ns, the deferred recover 30 ns more, a
// js.FuncOf call 8,000 to 18,000 ns, a yield 450 ns, a recovered panic
// 2,000 ns. See BenchmarkCall and npm/scripts/startup.mjs for what they make.
//
// # Reading the source
//
// Start at the table of ops (ops.go) and Bridge.Call (bridge.go), then follow
// one op (ops_write.go, ops_read.go). exports_js.go and async_js.go are what
// JavaScript sees.
package jsbridge
