package storage_test

import (
	"fmt"
	"strings"
	"syscall/js"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/storagetest"
)

var databases int

// newName returns the name of a database that no test has used.
func newName(t *testing.T) string {
	t.Helper()
	if js.Global().Get("IDBFactory").IsUndefined() {
		t.Skip("this host has no IndexedDB; `make test-wasm` runs this in Chromium")
	}
	databases++
	return fmt.Sprint("test ", databases)
}

func open(t *testing.T, name string) *storage.IndexedDB {
	log := storage.NewIndexedDB(name)
	t.Cleanup(func() { log.Close() })
	return log
}

func TestIndexedDB(t *testing.T) {
	storagetest.TestLog(t, func(t *testing.T) storagetest.Share {
		name := newName(t)
		return func(t *testing.T) storage.Log { return open(t, name) }
	})
}

func TestIndexedDB_format(t *testing.T) {
	name := newName(t)
	log := open(t, name)
	appendText(t, log, 1, "one")
	appendText(t, log, 2, "two")
	appendText(t, log, 3, "three")
	if err := log.Compact(2, storage.Frame{[]byte("both")}); err != nil {
		t.Fatal(err)
	}
	got := run(t, `
		const request = indexedDB.open('atomicdb:' + a)
		await new Promise((resolve, reject) => { request.onsuccess = resolve; request.onerror = reject })
		const db = request.result, text = (bytes) => new TextDecoder().decode(bytes)
		const entries = []
		const tx = db.transaction(db.objectStoreNames)
		tx.objectStore('log').openCursor().onsuccess = ({ target: { result: cursor } }) => {
			if (!cursor) return
			const { key, value } = cursor
			entries.push(key + ': ' + (key === 0 ? value.length + ' bytes' : value.snapshot ? 'snapshot ' + text(value.snapshot) : text(value)))
			cursor.continue()
		}
		await new Promise((resolve) => { tx.oncomplete = resolve })
		const described = 'version ' + db.version + ', ' + [...db.objectStoreNames] + ', ' + entries.join(', ')
		db.close()
		return described`, name).String()
	if want := "version 1, log, 0: 16 bytes, 2: snapshot both, 3: three"; got != want {
		t.Errorf("the database is %q, want %q", got, want)
	}
}

func TestIndexedDB_asksForDurability(t *testing.T) {
	log := open(t, newName(t))
	appendText(t, log, 1, "opened")
	undo := patch(t, `
		const { transaction } = IDBDatabase.prototype
		globalThis.asked = []
		IDBDatabase.prototype.transaction = function (store, mode, options) {
			asked.push(mode + ' ' + options.durability)
			return transaction.call(this, store, mode, options)
		}
		return () => { IDBDatabase.prototype.transaction = transaction }`)
	if err := log.Append(2, storage.Frame{}, storage.Relaxed); err != nil {
		t.Fatal(err)
	}
	if err := log.Append(3, storage.Frame{}, storage.Strict); err != nil {
		t.Fatal(err)
	}
	if err := log.Compact(3, storage.Frame{}); err != nil {
		t.Fatal(err)
	}
	undo()
	want := "readwrite relaxed, readwrite strict, readwrite strict" // one transaction for each
	if got := run(t, "return asked.join(', ')").String(); got != want {
		t.Errorf("the transactions were %s, want %s", got, want)
	}
}

func TestIndexedDB_fullDisk(t *testing.T) {
	log := open(t, newName(t))
	// Chromium remembers for some seconds how much room there was: it has to
	// forget the origin first.
	run(t, "await setQuota(1_000_000); await clearStorage()")
	t.Cleanup(func() { run(t, "await setQuota()") })
	appendText(t, log, 1, "fits")
	err := log.Append(2, storage.Frame{[]byte(strings.Repeat("0123456789", 1<<20))}, storage.Relaxed)
	wantError(t, err, engine.CodeQuota, "QuotaExceededError")
	wantTexts(t, log, "fits")

	run(t, "await setQuota()")
	appendText(t, log, 2, "fits again")
	wantTexts(t, log, "fits", "fits again")
}

func TestIndexedDB_abortedTransaction(t *testing.T) {
	log := open(t, newName(t))
	appendText(t, log, 1, "stored")
	undo := patch(t, `
		const { commit } = IDBTransaction.prototype
		IDBTransaction.prototype.commit = function () { this.abort() }
		return () => { IDBTransaction.prototype.commit = commit }`)
	wantError(t, tryAppend(log, 2), engine.CodeStorage, "AbortError")
	undo()
	wantTexts(t, log, "stored")
	appendText(t, log, 2, "later")
	wantTexts(t, log, "stored", "later")
}

func TestIndexedDB_storedMeansComplete(t *testing.T) {
	log := open(t, newName(t))
	appendText(t, log, 1, "opened")
	// A request that has succeeded, in a transaction that is then aborted.
	undo := patch(t, `
		const { commit } = IDBTransaction.prototype, { add } = IDBObjectStore.prototype
		IDBTransaction.prototype.commit = function () {}
		IDBObjectStore.prototype.add = function (...args) {
			const request = add.apply(this, args)
			request.addEventListener('success', () => { globalThis.succeeded = true; this.transaction.abort() })
			return request
		}
		return () => { IDBTransaction.prototype.commit = commit; IDBObjectStore.prototype.add = add }`)
	wantError(t, tryAppend(log, 2), engine.CodeStorage, "abort")
	undo()
	if !js.Global().Get("succeeded").Truthy() {
		t.Error("the request has not succeeded: the test tests nothing")
	}
	wantTexts(t, log, "opened")
}

func TestIndexedDB_lostConnection(t *testing.T) {
	for _, tt := range []struct{ name, lose string }{
		{"closed behind its back", "lastDatabase.close()"},
		{"closed by the browser", "lastDatabase.close(); lastDatabase.dispatchEvent(new Event('close'))"},
		{"WebKit's lost server", `
			if (a !== 'append') return
			const { add } = IDBObjectStore.prototype
			let times = 2
			IDBObjectStore.prototype.add = function (...args) {
				if (--times === 0) IDBObjectStore.prototype.add = add
				throw new DOMException('Connection to Indexed Database server lost. Refresh the page to try again', 'UnknownError')
			}`},
		{"cannot be opened at first", `
			const { open } = IDBFactory.prototype
			let times = 2
			lastDatabase.close()
			IDBFactory.prototype.open = function (...args) {
				if (--times === 0) IDBFactory.prototype.open = open
				throw new DOMException('Internal error opening backing store for indexedDB.open.', 'UnknownError')
			}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := open(t, newName(t))
			rememberDatabase(t)
			appendText(t, log, 1, "before")
			run(t, tt.lose, "append")
			appendText(t, log, 2, "after")
			run(t, tt.lose, "read")
			wantTexts(t, log, "before", "after")
			run(t, tt.lose, "compact")
			if err := log.Compact(2, storage.Frame{[]byte("all")}); err != nil {
				t.Error(err)
			}
			wantTexts(t, log, "all")
		})
	}
}

// rememberDatabase keeps the IDBDatabase of the last transaction in a global
// variable, so that a test can break it.
func rememberDatabase(t *testing.T) {
	patch(t, `
		const { transaction } = IDBDatabase.prototype
		IDBDatabase.prototype.transaction = function (...args) {
			globalThis.lastDatabase = this
			return transaction.apply(this, args)
		}
		return () => { IDBDatabase.prototype.transaction = transaction }`)
}

func TestIndexedDB_connectionStaysLost(t *testing.T) {
	log := open(t, newName(t))
	appendText(t, log, 1, "stored")
	patch(t, `
		const { add } = IDBObjectStore.prototype
		globalThis.tries = 0
		IDBObjectStore.prototype.add = () => {
			tries++
			throw new DOMException('Connection to Indexed Database server lost. Refresh the page to try again', 'UnknownError')
		}
		return () => { IDBObjectStore.prototype.add = add }`)
	wantError(t, tryAppend(log, 2), engine.CodeStorage, "server lost")
	if tries := js.Global().Get("tries").Int(); tries != 4 {
		t.Errorf("tried %d times, want 4", tries)
	}
}

func TestIndexedDB_clearedByTheUser(t *testing.T) {
	log := open(t, newName(t))
	appendText(t, log, 1, "stored")
	run(t, "await clearStorage()")
	// Number 2 would follow nothing, and a log that others had begun anew would
	// follow something else.
	wantError(t, tryAppend(log, 2), engine.CodeClosed, "created anew")
	wantError(t, tryAppend(log, 1), engine.CodeClosed, "created anew")
}

// TestIndexedDB_clearedDuringAnAppend does it while appends are under way: each
// of them ends, one way or the other.
func TestIndexedDB_clearedDuringAnAppend(t *testing.T) {
	log := open(t, newName(t))
	appendText(t, log, 1, "stored")
	cleared := make(chan bool)
	go func() {
		run(t, "await clearStorage()")
		close(cleared)
	}()
	var err error
	for seq := uint64(2); err == nil; seq++ {
		err = tryAppend(log, seq)
	}
	<-cleared
	wantError(t, err, engine.CodeClosed, "created anew")
}

func TestIndexedDB_destroyedByAnother(t *testing.T) {
	name := newName(t)
	log, other := open(t, name), open(t, name)
	appendText(t, log, 1, "stored")
	if err := other.Destroy(); err != nil {
		t.Fatal(err)
	}
	wantError(t, tryAppend(log, 2), engine.CodeClosed, "destroyed")
	wantError(t, log.Read(0, nil), engine.CodeClosed, "destroyed")
	wantTexts(t, open(t, name))
}

func TestIndexedDB_destroyedWhileItIsOpened(t *testing.T) {
	name := newName(t)
	appendText(t, open(t, name), 1, "stored")
	patch(t, `
		const { get } = IDBObjectStore.prototype
		IDBObjectStore.prototype.get = function (key) {
			const request = get.call(this, key)
			request.addEventListener('success', () => this.transaction.db.dispatchEvent(new IDBVersionChangeEvent('versionchange', { oldVersion: 1, newVersion: null })))
			return request
		}
		return () => { IDBObjectStore.prototype.get = get }`)
	wantError(t, tryAppend(open(t, name), 2), engine.CodeClosed, "destroyed")
}

func TestIndexedDB_newerVersion(t *testing.T) {
	name := newName(t)
	log := open(t, name)
	appendText(t, log, 1, "stored")
	run(t, `
		const request = indexedDB.open('atomicdb:' + a, 2)
		await new Promise((resolve, reject) => { request.onsuccess = resolve; request.onerror = reject })
		request.result.close()`, name)
	wantError(t, tryAppend(log, 2), engine.CodeClosed, "a newer AtomicDB")
	wantError(t, tryAppend(open(t, name), 2), engine.CodeUnsupported, "a newer AtomicDB")
}

func TestIndexedDB_foreignValues(t *testing.T) {
	for _, tt := range []struct {
		name, put string
		says      string
	}{
		{"another value", "store.put('text', 1)", "batch 1"},
		{"another database", "store.put('text', 0)", "not AtomicDB's"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := newName(t)
			log := open(t, name)
			appendText(t, log, 1, "stored")
			run(t, `
				const request = indexedDB.open('atomicdb:' + a)
				await new Promise((resolve) => { request.onsuccess = resolve })
				const tx = request.result.transaction('log', 'readwrite'), store = tx.objectStore('log')
				`+tt.put+`
				await new Promise((resolve) => { tx.oncomplete = resolve })
				request.result.close()`, name)
			wantError(t, open(t, name).Read(0, nil), engine.CodeCorrupt, tt.says)
		})
	}
}

func TestIndexedDB_denied(t *testing.T) {
	newName(t)
	for _, tt := range []struct{ name, indexedDB, says string }{
		{"missing", "value: undefined", "inMemory: true"},
		{"getter throws", "get() { throw new DOMException('The operation is insecure.', 'SecurityError') }", "inMemory: true"},
		{"open throws", "value: { open() { throw new DOMException('access to the Indexed Database API is denied in this context.', 'SecurityError') } }", "private window"},
		{"open fails", `value: { open() {
			const request = { error: new DOMException('A mutation operation was attempted on a database that did not allow mutations.', 'InvalidStateError') }
			setTimeout(() => request.onerror(new Event('error')))
			return request
		} }`, "private window"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			patch(t, `
				const original = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
				Object.defineProperty(globalThis, 'indexedDB', { configurable: true, `+tt.indexedDB+` })
				return () => Object.defineProperty(globalThis, 'indexedDB', original)`)
			log := storage.NewIndexedDB("denied")
			wantError(t, tryAppend(log, 1), engine.CodeStorage, tt.says)
			wantError(t, log.Read(0, nil), engine.CodeStorage, tt.says)
		})
	}
}

// TestIndexedDB_blocked has a page that does not let go: nothing may wait for
// it for ever.
func TestIndexedDB_blocked(t *testing.T) {
	name := newName(t)
	log := open(t, name)
	appendText(t, log, 1, "stored")
	run(t, `
		const request = indexedDB.open('atomicdb:' + a)
		await new Promise((resolve) => { request.onsuccess = resolve })
		globalThis.stubborn = request.result`, name)
	hurry := patch(t, "const { setTimeout } = globalThis; globalThis.setTimeout = (f, ms) => setTimeout(f, ms / 20); return () => { globalThis.setTimeout = setTimeout }")
	wantError(t, log.Destroy(), engine.CodeTimeout, "still has the database open")

	late := open(t, name)
	wantError(t, tryAppend(late, 1), engine.CodeTimeout, "another page is deleting")
	hurry()

	// When the page lets go, the database is deleted, and the open that came too
	// late succeeds: if it kept its connection, deleting again would be blocked.
	run(t, "stubborn.close()")
	if err := open(t, name).Destroy(); err != nil {
		t.Error(err)
	}
	appendText(t, late, 1, "anew")
}

func TestIndexedDB_watch(t *testing.T) {
	name := newName(t)
	log, other := open(t, name), open(t, name)
	heard := make(chan string, 10)
	stop := other.Watch(func(seq uint64, bytes []byte) { heard <- fmt.Sprint(seq, " ", len(bytes), " ", bytes != nil) })
	defer stop()
	wantHeard := func(want string) {
		t.Helper()
		if got := <-heard; got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
	appendText(t, log, 1, strings.Repeat("x", 64<<10))
	wantHeard("1 65536 true")
	appendText(t, log, 2, strings.Repeat("x", 64<<10+1))
	wantHeard("2 0 false")
	run(t, "document.dispatchEvent(new Event('visibilitychange'))")
	wantHeard("0 0 false")
	run(t, "window.dispatchEvent(new Event('pageshow'))")
	wantHeard("0 0 false")
	run(t, "new BroadcastChannel('atomicdb:' + a).postMessage('noise')", name)
	run(t, "new BroadcastChannel('atomicdb:' + a).postMessage(null)", name)
	run(t, "new BroadcastChannel('atomicdb:' + a).postMessage({ seq: 7, bytes: [1] })", name)
	wantHeard("7 0 false")
}

func TestIndexedDB_withoutBroadcastChannel(t *testing.T) {
	name := newName(t)
	patch(t, "const { BroadcastChannel } = globalThis; delete globalThis.BroadcastChannel; return () => { globalThis.BroadcastChannel = BroadcastChannel }")
	log := open(t, name)
	stop := log.Watch(func(uint64, []byte) {})
	appendText(t, log, 1, "stored")
	stop()
	wantTexts(t, log, "stored")
}
