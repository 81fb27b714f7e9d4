package storage_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
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
	log := storage.NewIndexedDB(name, js.Undefined())
	t.Cleanup(func() { log.Close() })
	return log
}

func TestIndexedDB(t *testing.T) {
	storagetest.TestLog(t, func(t *testing.T) storagetest.Share {
		name := newName(t)
		return func(t *testing.T) storage.Log { return open(t, name) }
	})
}

func TestIndexedDB_recreation(t *testing.T) {
	storagetest.TestRecreation(t, func(t *testing.T) storagetest.Share {
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

// TestIndexedDB_stray: a page that does not know of a compaction appends where the
// records before are gone.
func TestIndexedDB_stray(t *testing.T) {
	name := newName(t)
	log, stale := open(t, name), open(t, name)
	appendText(t, stale, 1, "one")
	appendText(t, log, 2, "two")
	appendText(t, log, 3, "three")
	if err := log.Compact(3, storage.Frame{[]byte("all")}); err != nil {
		t.Fatal(err)
	}
	keys := func() string { return run(t, readKeys, name).String() }

	wantError(t, tryAppend(stale, 2), engine.CodeConflict, "")
	if got := keys(); got != "0,3" {
		t.Errorf("after the conflict there are the keys %s", got)
	}

	// As after a page that ended before it removed its record.
	changeStore(t, name, "store.put(new Uint8Array(5), 1)")
	appendText(t, log, 4, "four")
	for after := range uint64(2) {
		var seqs []uint64
		err := open(t, name).Read(after, func(r storage.Record) error {
			seqs = append(seqs, r.Seq)
			return nil
		})
		if err != nil || !slices.Equal(seqs, []uint64{3, 4}) {
			t.Errorf("after %d there are %d, %v", after, seqs, err)
		}
	}
	if err := log.Compact(4, storage.Frame{[]byte("all")}); err != nil {
		t.Fatal(err)
	}
	if got := keys(); got != "0,4" {
		t.Errorf("after a compaction there are the keys %s", got)
	}
}

// TestIndexedDB_overtakenCompaction: another page compacts the log further just
// before this one does.
func TestIndexedDB_overtakenCompaction(t *testing.T) {
	name := newName(t)
	log := open(t, name)
	for seq := range uint64(4) {
		appendText(t, log, seq+1, "text")
	}
	undo := patch(t, `
		const { transaction } = IDBDatabase.prototype
		IDBDatabase.prototype.transaction = function (store, mode, options) {
			if (mode === 'readwrite') {
				IDBDatabase.prototype.transaction = transaction
				const faster = this.transaction('log', 'readwrite').objectStore('log')
				faster.put({ snapshot: new Uint8Array(7), seq: 4 }, 4)
				faster.delete(IDBKeyRange.bound(1, 3))
			}
			return transaction.call(this, store, mode, options)
		}
		return () => { IDBDatabase.prototype.transaction = transaction }`)
	err := log.Compact(3, storage.Frame{[]byte("older")})
	undo()
	if err != nil {
		t.Fatal(err)
	}
	if got := run(t, readKeys, name).String(); got != "0,4" {
		t.Errorf("there are the keys %s, want 0,4", got)
	}

	// As after a page that ended before it removed its snapshot.
	changeStore(t, name, "store.put({ snapshot: new Uint8Array(5), seq: 2 }, 2)")
	appendText(t, log, 5, "five")
	var seqs []uint64
	err = open(t, name).Read(1, func(r storage.Record) error {
		seqs = append(seqs, r.Seq)
		return nil
	})
	if err != nil || !slices.Equal(seqs, []uint64{4, 5}) {
		t.Errorf("there are %d, %v", seqs, err)
	}
}

// TestIndexedDB_silentAbort: when a committed transaction is aborted in Firefox or
// WebKit, only the request says why.
func TestIndexedDB_silentAbort(t *testing.T) {
	log := open(t, newName(t))
	appendText(t, log, 1, "one")
	for _, says := range []string{"null", "new DOMException('A request was aborted', 'AbortError')"} {
		undo := patch(t, `
			const { error } = Object.getOwnPropertyDescriptors(IDBTransaction.prototype)
			Object.defineProperty(IDBTransaction.prototype, 'error', { configurable: true, get: () => `+says+` })
			return () => Object.defineProperty(IDBTransaction.prototype, 'error', error)`)
		wantError(t, tryAppend(log, 1), engine.CodeConflict, "")
		undo()
	}
}

// TestIndexedDB_commits: a transaction that is not committed at once holds up other
// pages while this one stands still.
func TestIndexedDB_commits(t *testing.T) {
	log := open(t, newName(t))
	undo := patch(t, `
		const { transaction } = IDBDatabase.prototype, { commit } = IDBTransaction.prototype
		const begun = new Set()
		globalThis.uncommitted = []
		IDBDatabase.prototype.transaction = function (...args) {
			const tx = transaction.apply(this, args)
			begun.add(tx)
			Promise.resolve().then(() => { if (begun.has(tx)) uncommitted.push(args[1]) })
			return tx
		}
		IDBTransaction.prototype.commit = function () {
			begun.delete(this)
			return commit.call(this)
		}
		return () => Object.assign(IDBDatabase.prototype, { transaction }) && Object.assign(IDBTransaction.prototype, { commit })`)
	appendText(t, log, 1, "one")
	appendText(t, log, 2, "two")
	wantError(t, tryAppend(log, 2), engine.CodeConflict, "")
	nothing := func(storage.Record) error { return nil }
	err := errors.Join(log.Read(0, nothing), log.Salvage(nothing), log.Compact(1, storage.Frame{[]byte("one")}))
	wantError(t, tryAppend(log, 1), engine.CodeConflict, "")
	undo()
	if err != nil {
		t.Fatal(err)
	}
	if modes := js.Global().Get("uncommitted").Call("join").String(); modes != "" {
		t.Errorf("not committed at once: %s", modes)
	}
}

const readKeys = `
	const request = indexedDB.open('atomicdb:' + a)
	await new Promise((resolve) => { request.onsuccess = resolve })
	const keys = request.result.transaction('log').objectStore('log').getAllKeys()
	await new Promise((resolve) => { keys.onsuccess = resolve })
	request.result.close()
	return String(keys.result)`

func TestIndexedDB_asksForDurability(t *testing.T) {
	log := open(t, newName(t))
	appendText(t, log, 1, "opened")
	undo := patch(t, `
		const { transaction } = IDBDatabase.prototype
		globalThis.asked = []
		IDBDatabase.prototype.transaction = function (store, mode, options) {
			if (mode === 'readwrite') asked.push(options.durability)
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
	want := "relaxed, strict, strict" // one transaction for each
	if got := run(t, "return asked.join(', ')").String(); got != want {
		t.Errorf("the writes were %s, want %s", got, want)
	}
}

func TestIndexedDB_fullDisk(t *testing.T) {
	log := open(t, newName(t))
	// Chromium remembers for some seconds how much room there was, unless it
	// forgets the origin.
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

// TestIndexedDB_sessions: two sessions count in one database, and get each other's
// messages as pages do.
func TestIndexedDB_sessions(t *testing.T) {
	name := newName(t)
	first := openSession(t, open(t, name), storage.SessionOptions{})
	if err := first.Update(func(db *engine.DB) error { put(t, db, "sum", 0); return nil }); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for range 2 {
		s := openSession(t, open(t, name), storage.SessionOptions{CompactAfter: 5000})
		both.Go(func() {
			for range 100 {
				if err := s.Update(func(db *engine.DB) error { add(t, db); return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	both.Wait()
	wantReplay(t, open(t, name), "sum=200")
}

// TestIndexedDB_gap deletes a record between others. Read does not ask for each
// key, because a log has no gaps, so the session has to notice.
func TestIndexedDB_gap(t *testing.T) {
	name := newName(t)
	s := openSession(t, open(t, name), storage.SessionOptions{})
	for i := range 5 {
		put(t, s.DB(), "a", i)
		flush(t, s, storage.Stored)
	}
	changeStore(t, name, "store.delete(3)")
	_, err := storage.Open(open(t, name), storage.SessionOptions{})
	wantError(t, err, engine.CodeCorrupt, "batch 3")
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
			changeStore(t, name, tt.put)
			wantError(t, open(t, name).Read(0, nil), engine.CodeCorrupt, tt.says)
		})
	}
}

// changeStore runs a statement on the database's object store, which the Logs that
// have it open do not notice.
func changeStore(t *testing.T, name, statement string) {
	t.Helper()
	run(t, `
		const request = indexedDB.open('atomicdb:' + a)
		await new Promise((resolve) => { request.onsuccess = resolve })
		const tx = request.result.transaction('log', 'readwrite'), store = tx.objectStore('log')
		`+statement+`
		await new Promise((resolve) => { tx.oncomplete = resolve })
		request.result.close()`, name)
}

func TestIndexedDB_watch(t *testing.T) {
	name := newName(t)
	log, other := open(t, name), open(t, name)
	heard := make(chan string, 10)
	stop := other.Watch(func(seq uint64, bytes []byte) { heard <- fmt.Sprint(seq, " ", len(bytes), " ", bytes != nil) })
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
	// A page in the back/forward cache has no channel: a message would end it there.
	seq := uint64(2)
	for _, back := range []string{"document.dispatchEvent(new Event('resume'))", "window.dispatchEvent(new Event('pageshow'))"} {
		run(t, "document.dispatchEvent(new Event('freeze'))")
		appendText(t, log, seq+1, "unheard")
		appendText(t, other, seq+2, "what is stored while the page stands still is told all the same")
		appendText(t, log, seq+3, "unheard too")
		run(t, back)
		wantHeard("0 0 false")
		appendText(t, log, seq+4, "heard")
		seq += 4
		wantHeard(fmt.Sprint(seq, " 5 true"))
	}
	run(t, "window.dispatchEvent(new Event('pagehide'))") // many pages get this that are not frozen
	run(t, "new BroadcastChannel('atomicdb:' + a).postMessage('noise')", name)
	run(t, "new BroadcastChannel('atomicdb:' + a).postMessage(null)", name)
	run(t, "new BroadcastChannel('atomicdb:' + a).postMessage({ seq: 7, bytes: [1] })", name)
	wantHeard("7 0 false")

	// A listener that is not removed would call a released function, which Go
	// reports on the console.
	stop()
	patch(t, "const { error } = console; globalThis.complaints = 0; console.error = () => { complaints++ }; return () => { console.error = error }")
	run(t, "document.dispatchEvent(new Event('visibilitychange')); window.dispatchEvent(new Event('pageshow'))")
	appendText(t, log, seq+1, "unheard")
	if complaints := js.Global().Get("complaints").Int(); complaints != 0 || len(heard) != 0 {
		t.Errorf("after stop: %d complaints, heard %d times", complaints, len(heard))
	}
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

func BenchmarkIndexedDB_Append(b *testing.B) {
	for _, d := range []storage.Durability{storage.Relaxed, storage.Strict} {
		b.Run(d.String(), func(b *testing.B) {
			log := openBenchmark(b)
			frame := storage.Frame{make([]byte, 200)}
			seq := uint64(0)
			for b.Loop() {
				seq++
				if err := log.Append(seq, frame, d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkIndexedDB_Read(b *testing.B) {
	for _, shape := range []struct{ records, bytes int }{{5000, 200}, {200, 100_000}, {1, 20_000_000}} {
		b.Run(fmt.Sprintf("%dx%d", shape.records, shape.bytes), func(b *testing.B) {
			log := openBenchmark(b)
			frame := storage.Frame{make([]byte, shape.bytes)}
			for i := range shape.records {
				if err := log.Append(uint64(i+1), frame, storage.Relaxed); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(shape.records * shape.bytes))
			for b.Loop() {
				if err := log.Read(0, func(storage.Record) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func openBenchmark(b *testing.B) storage.Log {
	if js.Global().Get("IDBFactory").IsUndefined() {
		b.Skip("this host has no IndexedDB")
	}
	databases++
	log := storage.NewIndexedDB(fmt.Sprint("benchmark ", databases), js.Undefined())
	b.Cleanup(func() { log.Destroy() })
	return log
}
