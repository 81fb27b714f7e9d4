package storage

import (
	"strings"
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
)

const (
	objectStore   = "log"
	schemaVersion = 1

	// identityKey holds random bytes from the database's creation. After a lost
	// connection they tell whether the database is still the same one: a user
	// may have cleared the site's data, and another page created it anew.
	identityKey   = 0
	identityBytes = 16

	// openTimeout bounds the wait for a database that is being deleted.
	openTimeout = 10_000
	// deleteTimeout bounds the wait for pages that do not let go.
	deleteTimeout = 5_000
)

// A connection is an IDBDatabase that is opened when it is needed, and again
// when the browser has closed it.
type connection struct {
	name     string
	db       js.Value     // undefined: not open
	handlers              // of db
	current  *transaction // the one last begun
	identity string       // of the database first opened
	ended    error        // once set, what every further call gets
}

// attempt runs work on an open connection. If the connection turns out to be
// lost, it opens it again and retries, three times within half a second.
func (c *connection) attempt(op, target string, work func() error) error {
	if target == "" {
		target = c.name
	}
	for wait := 50; ; wait *= 2 {
		err := c.open()
		if err == nil {
			err = work()
		}
		if err == nil {
			return nil
		}
		if c.ended != nil { // while work was under way
			return c.ended
		}
		if wait > 200 || !c.isLost(err) {
			return storageError(op, target, err)
		}
		c.close()
		pause(wait)
	}
}

// isLost reports whether err comes from a connection that is gone: the browser
// closes one when its storage process ends, and tells of it in several ways.
func (c *connection) isLost(err error) bool {
	e, ok := err.(*exception)
	if !ok {
		return false
	}
	switch e.name {
	case "InvalidStateError", "UnknownError":
		return true
	case "AbortError":
		return !c.works()
	}
	return strings.Contains(e.message, "Connection to Indexed Database server lost") // WebKit
}

// works reports whether the connection takes transactions.
func (c *connection) works() bool {
	if c.db.IsUndefined() {
		return false
	}
	_, err := try(func() js.Value { return c.db.Call("transaction", objectStore, "readonly") })
	return err == nil
}

// open opens the database, unless it is open.
func (c *connection) open() error {
	if c.ended != nil {
		return c.ended
	}
	if !c.db.IsUndefined() {
		return nil
	}
	db, err := openDatabase(c.name)
	if err != nil {
		return err
	}
	c.db = db
	c.on(db, "close", func(js.Value) { c.lost() })
	c.on(db, "versionchange", func(event js.Value) {
		// Whoever wants to change the database waits until we let go of it.
		why := "a newer AtomicDB in another page has upgraded it; reload this page"
		if event.Get("newVersion").IsNull() {
			why = "another page has destroyed the database"
		}
		c.ended = fail(engine.CodeClosed, "use", c.name, why)
		c.close()
	})

	identity, err := c.readIdentity()
	if err == nil && c.identity != "" && c.identity != identity {
		c.ended = fail(engine.CodeClosed, "open", c.name, "the database was deleted and created anew; open it again")
		err = c.ended
	}
	if err != nil {
		c.close()
		return err
	}
	c.identity = identity
	return nil
}

// lost notes that the browser has closed the connection. Chromium then fires
// no event at a transaction that was about to end: it would wait for ever.
func (c *connection) lost() {
	c.forget()
	if c.current != nil {
		select {
		case c.current.done <- &exception{name: "UnknownError", message: "the browser has closed the connection"}:
		default: // it has ended long ago
		}
	}
}

// close lets go of the database. The next call opens it again.
func (c *connection) close() {
	if !c.db.IsUndefined() {
		c.db.Call("close")
		c.forget()
	}
}

func (c *connection) forget() {
	c.release()
	c.db = js.Undefined()
}

func (c *connection) readIdentity() (string, error) {
	t, err := c.begin("readonly", Relaxed)
	if err != nil {
		return "", err
	}
	request := t.request("get", identityKey)
	if err := t.wait(); err != nil {
		return "", err
	}
	identity := request.Get("result")
	if !isBytes(identity) {
		return "", fail(engine.CodeCorrupt, "open", c.name, "this database of the browser is not AtomicDB's")
	}
	return string(bytesToGo(nil, identity)), nil
}

// openDatabase opens the database, creating it if there is none.
func openDatabase(name string) (js.Value, error) {
	var cause error // why it could not be created
	db, err := settle("open", openTimeout, "another page is deleting or upgrading the database", func(factory js.Value, h *handlers) js.Value {
		request := factory.Call("open", name, schemaVersion)
		h.on(request, "upgradeneeded", func(js.Value) {
			_, cause = try(func() js.Value {
				store := request.Get("result").Call("createObjectStore", objectStore)
				return store.Call("add", randomBytes(identityBytes), identityKey)
			})
			if cause != nil { // the request's error event says only that it was aborted
				_, _ = try(func() js.Value { return request.Get("transaction").Call("abort") })
			}
		})
		return request
	})
	if cause != nil {
		err = cause
	}
	return db, err
}

func deleteDatabase(name string) error {
	_, err := settle("destroy", deleteTimeout, "a page still has the database open; it will be deleted when that page closes", func(factory js.Value, _ *handlers) js.Value {
		return factory.Call("deleteDatabase", name)
	})
	return err
}

// settle waits for the request that ask makes of the IDBFactory. It does not
// rely on the blocked event, which not every wait announces, but waits for a
// bounded time. A database that is opened too late is closed again.
func settle(op string, timeout int, whyLate string, ask func(factory js.Value, h *handlers) js.Value) (js.Value, error) {
	factory, err := indexedDB()
	if err != nil {
		return js.Undefined(), err
	}
	var h handlers
	var request js.Value
	if _, err := try(func() js.Value { request = ask(factory, &h); return request }); err != nil {
		h.release()
		return js.Undefined(), openError(err)
	}
	done := make(chan error, 2)
	late := false
	h.on(request, "success", func(js.Value) {
		if db := request.Get("result"); late {
			h.release()
			if db.Type() == js.TypeObject {
				db.Call("close")
			}
		}
		done <- nil
	})
	h.on(request, "error", func(event js.Value) {
		event.Call("preventDefault") // Firefox would report it as uncaught
		if late {
			h.release()
		}
		done <- exceptionOf(request.Get("error"))
	})
	stop := after(timeout, func() {
		done <- fail(engine.CodeTimeout, op, "", whyLate)
	})
	defer stop()

	err = <-done
	if engine.CodeOf(err) == engine.CodeTimeout {
		late = true
		return js.Undefined(), err
	}
	h.release()
	if err != nil {
		return js.Undefined(), openError(err)
	}
	return request.Get("result"), nil
}

// indexedDB returns the page's IDBFactory.
func indexedDB() (js.Value, error) {
	// Reading the property throws in Firefox if site data is blocked, and what
	// Value.Get throws cannot be recovered.
	factory, err := try(func() js.Value { return js.Global().Get("Reflect").Call("get", js.Global(), "indexedDB") })
	if err != nil {
		return js.Undefined(), openError(err)
	}
	if factory.Type() != js.TypeObject {
		return js.Undefined(), fail(engine.CodeStorage, "open", "IndexedDB", "this host has none: use inMemory: true or another storage")
	}
	return factory, nil
}

// openError turns what browsers say where a page may not store anything into a
// sentence that tells what to do.
func openError(err error) error {
	e, ok := err.(*exception)
	if !ok {
		return err
	}
	switch e.name {
	case "UnknownError":
		// Chromium with site data blocked; other unknown errors may pass.
		if !strings.Contains(e.message, "denied permission") {
			return err
		}
		return denied(e)
	case "SecurityError", "NotAllowedError", "InvalidStateError": // the last is Firefox before 115 in a private window
		return denied(e)
	case "VersionError":
		return fail(engine.CodeUnsupported, "open", "IndexedDB", "a newer AtomicDB than this one has written the database")
	}
	return err
}

func denied(e *exception) error {
	return fail(engine.CodeStorage, "open", "IndexedDB",
		"the browser denies it to this page (private window, sandboxed frame or blocked site data): use inMemory: true or another storage ("+e.Error()+")")
}
