package storage_test

import (
	"syscall/js"
	"testing"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

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

func TestIndexedDB_cannotBeCreatedAtFirst(t *testing.T) {
	name := newName(t)
	patch(t, `
		const { createObjectStore } = IDBDatabase.prototype
		let times = 2
		IDBDatabase.prototype.createObjectStore = function (...args) {
			if (times-- > 0) throw new DOMException('Connection to Indexed Database server lost. Refresh the page to try again', 'UnknownError')
			return createObjectStore.apply(this, args)
		}
		return () => { IDBDatabase.prototype.createObjectStore = createObjectStore }`)
	log := open(t, name)
	appendText(t, log, 1, "created")
	wantTexts(t, log, "created")
}

func TestIndexedDB_closeReleasesTheDatabase(t *testing.T) {
	log := open(t, newName(t))
	rememberDatabase(t)
	patch(t, `
		const { close } = BroadcastChannel.prototype
		globalThis.closedChannels = 0
		BroadcastChannel.prototype.close = function () { closedChannels++; close.call(this) }
		return () => { BroadcastChannel.prototype.close = close }`)
	appendText(t, log, 1, "stored")
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	left := run(t, `
		try { lastDatabase.transaction('log') } catch (error) { return error.name + ', ' + closedChannels + ' closed' }
		return 'still open'`).String()
	if want := "InvalidStateError, 1 closed"; left != want {
		t.Errorf("Close leaves database and channel: %s, want %s", left, want)
	}
}

// TestIndexedDB_lostReply loses the connection when the browser has already stored
// the batch.
func TestIndexedDB_lostReply(t *testing.T) {
	name := newName(t)
	s := openSession(t, open(t, name), storage.SessionOptions{})
	put(t, s.DB(), "sum", 0)
	flush(t, s, storage.Stored)
	undo := patch(t, `
		const { commit } = IDBTransaction.prototype
		let lost = false
		IDBTransaction.prototype.commit = function () {
			commit.call(this)
			if (lost) return
			lost = true
			this.db.close()
			this.db.dispatchEvent(new Event('close'))
		}
		return () => { IDBTransaction.prototype.commit = commit }`)
	add(t, s.DB())
	flush(t, s, storage.Stored)
	undo()
	wantContents(t, s, "sum=1")
	wantReplay(t, open(t, name), "sum=1")
}

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
	start := time.Now()
	wantError(t, tryAppend(log, 2), engine.CodeStorage, "server lost")
	if tries := js.Global().Get("tries").Int(); tries != 4 {
		t.Errorf("tried %d times, want 4", tries)
	}
	if took := time.Since(start); took < 300*time.Millisecond { // 50, 100 and 200: the storage process has to start again
		t.Errorf("gave up after %s", took)
	}
}

func TestIndexedDB_clearedByTheUser(t *testing.T) {
	log := open(t, newName(t))
	appendText(t, log, 1, "stored")
	run(t, "await clearStorage()")
	// Number 2 would follow no record, or a record of another log that others had
	// begun there.
	wantError(t, tryAppend(log, 2), engine.CodeClosed, "created anew")
	wantError(t, tryAppend(log, 1), engine.CodeClosed, "created anew")
}

// TestIndexedDB_clearedDuringAnAppend clears the site's data while appends run:
// each of them ends, stored or with an error.
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

func TestIndexedDB_denied(t *testing.T) {
	newName(t)
	for _, tt := range []struct {
		name, indexedDB string
		code            engine.Code
		says            string
	}{
		{"missing", "value: undefined", engine.CodeUnsupported, "inMemory: true"},
		{"getter throws", "get() { throw new DOMException('The operation is insecure.', 'SecurityError') }", engine.CodeStorage, "inMemory: true"},
		{"open throws", "value: { open() { throw new DOMException('access to the Indexed Database API is denied in this context.', 'SecurityError') } }", engine.CodeStorage, "private window"},
		{"open fails", `value: { open() {
			const request = { error: new DOMException('A mutation operation was attempted on a database that did not allow mutations.', 'InvalidStateError') }
			setTimeout(() => request.onerror(new Event('error')))
			return request
		} }`, engine.CodeStorage, "private window"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			patch(t, `
				const original = Object.getOwnPropertyDescriptor(globalThis, 'indexedDB')
				Object.defineProperty(globalThis, 'indexedDB', { configurable: true, `+tt.indexedDB+` })
				return () => Object.defineProperty(globalThis, 'indexedDB', original)`)
			log := storage.NewIndexedDB("denied", js.Undefined())
			wantError(t, tryAppend(log, 1), tt.code, tt.says)
			wantError(t, log.Read(0, nil), tt.code, tt.says)
		})
	}
}

// TestIndexedDB_blocked: a page does not close the database, and no call waits for
// that for ever.
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

	// When the page closes the database, it is deleted, and the open that came too
	// late succeeds. If that kept its connection, deleting again would be blocked.
	run(t, "stubborn.close()")
	if err := open(t, name).Destroy(); err != nil {
		t.Error(err)
	}
	appendText(t, late, 1, "anew")
}
