package storage

import (
	"strings"
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
)

const (
	// openTimeout bounds the wait for a database that is being deleted, in ms.
	openTimeout = 10_000
	// deleteTimeout bounds the wait for pages to close the database, in ms.
	deleteTimeout = 5_000
)

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
			if cause != nil { // the request's error says only that it was aborted
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

// settle waits for the request that start makes of the IDBFactory, for timeout ms
// at most; whyLate is the text of the error then. It does not use the blocked
// event, because not every wait fires it. A database that is opened too late is
// closed again.
func settle(op string, timeout int, whyLate string, start func(factory js.Value, h *handlers) js.Value) (js.Value, error) {
	factory, err := indexedDB()
	if err != nil {
		return js.Undefined(), err
	}
	var h handlers
	var request js.Value
	if _, err := try(func() js.Value { request = start(factory, &h); return request }); err != nil {
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
		done <- engine.Fail(engine.CodeTimeout, op, "", whyLate)
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
	// In Firefox the property throws if site data is blocked, and Go cannot recover
	// from what Value.Get throws.
	factory, err := try(func() js.Value { return js.Global().Get("Reflect").Call("get", js.Global(), "indexedDB") })
	if err != nil {
		return js.Undefined(), openError(err)
	}
	if factory.Type() != js.TypeObject {
		return js.Undefined(), engine.Fail(engine.CodeUnsupported, "open", "IndexedDB", "this host does not have it; use inMemory: true or another storage")
	}
	return factory, nil
}

// openError replaces the errors of browsers that do not let a page store anything
// by a sentence that says what to do.
func openError(err error) error {
	e, ok := err.(*exception)
	if !ok {
		return err
	}
	switch e.name {
	case "UnknownError":
		// Chromium with site data blocked. Other unknown errors may be temporary.
		if !strings.Contains(e.message, "denied permission") {
			return err
		}
		return denied(e)
	case "SecurityError", "NotAllowedError", "InvalidStateError": // the last is Firefox before 115 in a private window
		return denied(e)
	case "VersionError":
		return engine.Fail(engine.CodeUnsupported, "open", "IndexedDB", "a newer AtomicDB than this one has written the database")
	}
	return err
}

func denied(e *exception) error {
	return engine.Fail(engine.CodeStorage, "open", "IndexedDB",
		"the browser denies it to this page (private window, sandboxed frame or blocked site data); use inMemory: true or another storage ("+e.Error()+")")
}
