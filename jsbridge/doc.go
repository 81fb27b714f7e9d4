// Package jsbridge is how JavaScript calls the engine.
//
// There are two ways in. Calls that only use memory are exported functions over
// two shared buffers: JavaScript writes the arguments into one, calls adb_call
// with the number of an [op], and reads the result from the other. Calls that wait
// for storage (open, flush, close) are functions that return a Promise. JavaScript
// caches results (npm/src/connection/query-cache.ts): adb_version tells whether
// anything has changed since, and the op stillValid whether a change touches a
// cached result.
//
// A transaction is a savepoint that stays open over several turns of the event
// loop. Until it is released or rolled back, Flush refuses, and batches of other
// writers wait (onPutOff). JavaScript holds its write lock
// (npm/src/storage/write-lock.ts), and suspends the savepoint before a
// read outside the transaction.
//
// Only the *_js.go files have syscall/js and the exported functions. The rest is
// ordinary Go and tested natively.
//
// # What the JavaScript side has to do
//
//   - One request is adb_in, writing, adb_call, reading at adb_out, with
//     nothing in between. Any call may grow the memory, which detaches every
//     view of it, and may move both buffers.
//   - Never call while Go is on the stack, that is, from a function that Go
//     has called. Go's collector runs other goroutines during an exported
//     call. If one of them calls JavaScript that enters Go again, the instance
//     ends: "unknown caller pc", "traceback did not unwind".
//   - After a fatal error, such as memory running out, an exported function
//     returns a meaningless number, and so do all later ones; only go.exit is
//     called. After an exception out of one (a RangeError, when the stack is
//     full) the runtime is in an unknown state. Both end the instance.
//
// # What the Go side has to do
//
//   - An exported function never blocks: no channel, no contended mutex. A
//     goroutine that it starts or wakes runs in some later call.
//   - No timers of package time anywhere in the program: a goroutine whose
//     timer is due runs in the next exported call that collects garbage, where
//     entering Go from JavaScript is fatal. JavaScript's setTimeout is safe.
//   - adb_in yields now and then ([Bridge.ShouldYield]). Without that, exported
//     calls never reach the scheduler, so the collector's workers and the
//     finalizers wait for the next event. Once the collector takes half of the
//     time, the runtime stops the allocating goroutine's share of the work too,
//     and no collection ends: 50,000 updates took 157 MiB instead of 46, and a
//     program of small allocations grew to 2 GiB over 4 MB of live data.
//   - Recursion is bounded, for example by the depth of arguments: a full stack
//     in the host ends the instance. 1,100 levels fit V8's default.
//
// # Costs, measured in V8 on a busy machine of two cores
//
//   - an exported function 15 ns, the deferred recover 30 ns, a yield 450 ns,
//     a recovered panic 1,400 ns; a js.FuncOf call 12,000 ns
//   - adb_call: count 400 ns, get 600 ns, both without an allocation; an error
//     3,000 ns
//   - flush with nothing to store 38 us, and 41 us with one document and no
//     log: that is the event into Go and the Promise
//   - start: 4 MiB of memory; see npm/scripts/startup.mjs for the time
//
// # Reading the source
//
// Start at the table of ops (ops.go) and Bridge.Call (bridge.go), then follow
// one op (ops_write.go, ops_read.go). exports_js.go and async_js.go are what
// JavaScript sees.
package jsbridge
