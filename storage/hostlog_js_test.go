package storage_test

import (
	"fmt"
	"slices"
	"syscall/js"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

// backendClass is a minimal StorageBackend: `new Backend(shared)` over an object
// that several of them share.
const backendClass = `
class Backend {
	constructor(shared) { this.shared = shared }
	async read(after) { return this.shared.records.filter(({ seq }) => seq > after) }
	async append(seq, bytes, durability) {
		const { records } = this.shared
		if (seq !== (records.at(-1)?.seq ?? 0) + 1) return false
		records.push({ seq, snapshot: false, bytes })
		this.shared.durability = durability
		for (const [owner, listener] of this.shared.listeners) if (owner !== this) setTimeout(listener, 0, seq)
		return true
	}
	async compact(seq, snapshot) {
		const { shared } = this
		if (!shared.records.some((record) => record.seq === seq)) return
		shared.records = [{ seq, snapshot: true, bytes: snapshot }, ...shared.records.filter((record) => record.seq > seq)]
	}
	watch(listener) {
		this.shared.listeners.set(this, listener)
		return () => this.shared.listeners.delete(this)
	}
	async destroy() { this.shared.records = [] }
	async close() { this.shared.closed = true }
}
const shared = a ?? { records: [], listeners: new Map() }
`

// newBackend returns a StorageBackend after change, which is JavaScript that
// alters the variable backend.
func newBackend(t *testing.T, change string) js.Value {
	t.Helper()
	return run(t, backendClass+"const backend = new Backend(shared); "+change+"; return { backend }").Get("backend")
}

func hostLog(t *testing.T, backend js.Value) storage.Log {
	t.Helper()
	log, err := storage.NewHostLog(backend)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func TestHostLog(t *testing.T) {
	storagetest.TestLog(t, func(t *testing.T) storagetest.Share {
		shared := newBackend(t, "").Get("shared")
		return func(t *testing.T) storage.Log {
			return hostLog(t, run(t, backendClass+"return { backend: new Backend(shared) }", shared).Get("backend"))
		}
	})
}

func TestHostLog_passesDurability(t *testing.T) {
	backend := newBackend(t, "")
	log := hostLog(t, backend)
	for i, d := range []storage.Durability{storage.Relaxed, storage.Strict} {
		if err := log.Append(uint64(i+1), storage.Frame{}, d); err != nil {
			t.Fatal(err)
		}
		if got, want := backend.Get("shared").Get("durability").String(), []string{"relaxed", "strict"}[i]; got != want {
			t.Errorf("append got %q, want %q", got, want)
		}
	}
}

func TestHostLog_acceptsWhatJavaScriptWouldAccept(t *testing.T) {
	for _, tt := range []struct{ name, change string }{
		{"answers without promises", "backend.append = (seq, bytes) => true; backend.read = () => [{ seq: 1, snapshot: false, bytes: new Uint8Array([97]) }]"},
		{"SQL's booleans", "backend.append = async () => true; backend.read = async () => [{ seq: 1, snapshot: 0, bytes: new Uint8Array([97]) }]"},
		{"a part of a larger buffer", "backend.append = async () => true; backend.read = async () => [{ seq: 1, snapshot: false, bytes: new Uint8Array([0, 97, 0]).subarray(1, 2) }]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := hostLog(t, newBackend(t, tt.change))
			appendText(t, log, 1, "a")
			wantTexts(t, log, "a")
		})
	}
}

func TestHostLog_refusesWhatIsNoStorage(t *testing.T) {
	for _, tt := range []struct{ name, value, says string }{
		{"nothing", "undefined", "not an object"},
		{"a name", "'indexeddb'", "not an object"},
		{"an empty object", "{}", "read, append, compact, destroy, close"},
		{"one method short", "{ read() {}, append() {}, compact: 1, destroy() {}, close() {} }", "no method compact"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := storage.NewHostLog(run(t, "return { value: "+tt.value+" }").Get("value"))
			wantError(t, err, engine.CodeInvalid, tt.says)
		})
	}
}

func TestHostLog_namesTheMethodWithAWrongResult(t *testing.T) {
	for _, tt := range []struct{ method, answer, says string }{
		{"append", "undefined", "append() must resolve to true"},
		{"append", "1", "append() must resolve to true"},
		{"read", "undefined", "read() must resolve to an array"},
		{"read", "'text'", "read() must resolve to an array"},
		{"read", "[null]", "read() must give each batch a seq"},
		{"read", "[{ snapshot: false, bytes: new Uint8Array() }]", "read() must give each batch a seq"},
		{"read", "[{ seq: 0, snapshot: false, bytes: new Uint8Array() }]", "read() must give each batch a seq"},
		{"read", "[{ seq: 5, snapshot: false, bytes: [1, 2] }]", "batch 5"},
		{"read", "[{ seq: 5, snapshot: false, bytes: new ArrayBuffer(2) }]", "Uint8Array"},
	} {
		t.Run(tt.method+" "+tt.answer, func(t *testing.T) {
			log := hostLog(t, newBackend(t, "backend."+tt.method+" = async () => ("+tt.answer+")"))
			err := tryAppend(log, 1)
			if tt.method == "read" {
				err = log.Read(0, func(storage.Record) error { return nil })
			}
			wantError(t, err, engine.CodeStorage, tt.says)
		})
	}
}

func TestHostLog_keepsTheCodeOfAnError(t *testing.T) {
	for _, tt := range []struct {
		thrown string
		code   engine.Code
	}{
		{"new DOMException('full', 'QuotaExceededError')", engine.CodeQuota},
		{"Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' })", engine.CodeQuota},
		{"Object.assign(new Error('wrong key'), { code: 'decrypt' })", engine.CodeDecrypt},
		{"Object.assign(new Error('taken'), { code: 'conflict' })", engine.CodeConflict},
		{"Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })", engine.CodeStorage},
		{"new TypeError('x is not a function')", engine.CodeStorage},
		{"'a string'", engine.CodeStorage},
		{"undefined", engine.CodeStorage},
		{"null", engine.CodeStorage},
		{"42", engine.CodeStorage},
		{"{}", engine.CodeStorage},
	} {
		for _, way := range []string{"async () => { throw %s }", "() => { throw %s }"} {
			way = fmt.Sprintf(way, tt.thrown)
			t.Run(way, func(t *testing.T) {
				log := hostLog(t, newBackend(t, "for (const m of ['read', 'append', 'compact', 'close', 'destroy']) backend[m] = "+way))
				for method, err := range map[string]error{
					"read":    log.Read(0, nil),
					"append":  tryAppend(log, 1),
					"compact": log.Compact(1, nil),
					"close":   log.Close(),
					"destroy": log.Destroy(),
				} {
					wantError(t, err, tt.code, method)
				}
			})
		}
	}
}

func TestHostLog_watch(t *testing.T) {
	for _, tt := range []struct{ name, tell, want string }{
		{"a seq", "listener(7)", "7 "},
		{"a seq and bytes", "listener(7, new Uint8Array([97, 98]))", "7 ab"},
		{"nothing", "listener()", "0 "},
		{"nonsense", "listener('7', 'ab')", "0 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			backend := newBackend(t, "backend.watch = (listener) => { backend.tell = () => { "+tt.tell+" }; return () => { backend.stopped = true } }")
			heard := make(chan string, 1)
			stop := hostLog(t, backend).(storage.Watcher).Watch(func(seq uint64, bytes []byte) { heard <- fmt.Sprint(seq, " ", string(bytes)) })
			backend.Call("tell")
			if got := <-heard; got != tt.want {
				t.Errorf("heard %q, want %q", got, tt.want)
			}
			stop()
			if !backend.Get("stopped").Truthy() {
				t.Error("stop has not stopped the backend")
			}
		})
	}
}

func TestHostLog_withoutWatch(t *testing.T) {
	if _, watches := hostLog(t, newBackend(t, "backend.watch = undefined")).(storage.Watcher); watches {
		t.Error("claims to watch a backend that cannot")
	}
	log := hostLog(t, newBackend(t, "backend.watch = () => { throw new Error('not today') }"))
	log.(storage.Watcher).Watch(func(uint64, []byte) {})()
}

// TestHostLog_cutTail: a session cuts off what a crash has left, with and without watch.
func TestHostLog_cutTail(t *testing.T) {
	for _, change := range []string{"", "backend.watch = undefined; "} {
		backend := newBackend(t, change+`backend.cutTail = async (seq, torn) => {
			shared.records.pop()
			shared.cut = seq + ' ' + new TextDecoder().decode(torn)
		}`)
		shared := backend.Get("shared")
		session, err := storage.Open(hostLog(t, backend), storage.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := session.Update(func(db *engine.DB) error { return db.CreateCollection("kept") }); err != nil {
			t.Fatal(err)
		}
		shared.Get("records").Call("push", map[string]any{"seq": 2, "snapshot": false, "bytes": js.Global().Get("TextEncoder").New().Call("encode", "torn")})
		again, err := storage.Open(hostLog(t, backend), storage.SessionOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := shared.Get("cut"); got.String() != "2 torn" {
			t.Errorf("cut off %s, want 2 torn", got)
		}
		if kept := again.DB().Collections(); !slices.Contains(kept, "kept") {
			t.Errorf("the collections are %v, without what was stored before", kept)
		}
	}
	if _, tears := hostLog(t, newBackend(t, "")).(storage.TornTail); tears {
		t.Error("claims that a crash can tear a backend that cannot cut")
	}
}

func TestHostLog_closesTheBackend(t *testing.T) {
	backend := newBackend(t, "")
	log := hostLog(t, backend)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if !backend.Get("shared").Get("closed").Truthy() {
		t.Error("the backend is still open")
	}
}
