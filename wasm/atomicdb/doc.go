// Command atomicdb is the engine of the npm package, built for GOOS=js and
// GOARCH=wasm. npm/src/engine/bridge.ts runs it.
package main
