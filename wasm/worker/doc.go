// Command worker is package httpapi inside a Durable Object of Cloudflare: one database an
// object, in the object's SQLite (the table that FORMAT.md describes, so the npm package's
// SQLiteStorage opens it too). worker.mjs is what Cloudflare runs.
//
//	GOOS=js GOARCH=wasm go build -o worker.wasm ./wasm/worker
//	cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" .
//
// Tokens are hashes, with commas between them, in the variable TOKENS; "read:" before one
// is for reading alone. Natively, the command serves a folder of files:
//
//	go run ./wasm/worker -token
//	TOKENS=… go run ./wasm/worker -folder data
//
// A request is answered in one call into Go, which waits for nothing: the storage of an
// object answers at once. JavaScript reads the body before, so nothing of a request is
// left behind in Go. There is one instance of Go for each object.
package main
