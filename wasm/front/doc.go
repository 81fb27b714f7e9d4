// Command front is a Worker of Cloudflare before the objects of command worker: it knows
// tokens and tenants, and sends a request on to the object of one tenant's database.
// demo/worker-go has both in one Worker.
//
// A token is looked up by its hash in the binding TENANTS, which is a namespace of KV or a
// database of D1. What is there says who the tenant is, which databases the token is for,
// and whether it is for reading alone. In D1, it is a row of this table:
//
//	CREATE TABLE tenants (hash TEXT PRIMARY KEY, tenant TEXT, databases TEXT, read_only INTEGER)
//
// Natively, the command prints a new token, and what to store for it in either:
//
//	go run ./wasm/front -tenant acme -databases notes,tasks
//
// The object of acme's notes has the name acme/notes in the namespace DATABASES. It knows
// two tokens, which are secrets of this command: OBJECT_TOKEN, and OBJECT_READ_TOKEN for
// reading alone. Their hashes are in its variable TOKENS.
//
// Each request has an instance of Go of its own, as github.com/syumai/workers runs
// programs by default. So no request waits for another one, and nothing of a request is
// left behind: that package keeps about 29 kB of each in the instance that answers it. To
// start one takes most of the 11 ms that GET /health takes in local workerd (median of
// 100); worker.mjs, which knows no tenants, needs none.
package main
