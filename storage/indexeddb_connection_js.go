package storage

import (
	"strings"
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
)

const (
	objectStore   = "log"
	schemaVersion = 1

	// identityKey is the key of random bytes that are stored when the database is
	// created. After a lost connection they tell whether it is the same database:
	// the user may have cleared the site's data, and another page may have
	// created the database anew.
	identityKey   = 0
	identityBytes = 16
)

// A connection is an IDBDatabase. It is opened when it is needed, and again after
// the browser has closed it.
type connection struct {
	name     string
	db       js.Value     // undefined: not open
	handlers              // of db
	current  *transaction // the last that was begun
	idle     []*transaction
	commits  *bool  // see canCommit
	identity string // of the database that was opened first
	ended    error  // once set, the error of every call
}

// attempt runs work on an open connection. If the connection is lost, attempt
// opens it again and retries, three times within half a second.
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
		if wait > 200 || !c.isLost(err) {
			return storageError(op, target, err)
		}
		c.close()
		pause(wait)
	}
}

// isLost reports whether err means that the connection is closed. The browser
// closes it when its storage process ends, with one of several errors.
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
		// Another page waits for this connection to close.
		why := "a newer AtomicDB in another page has upgraded it; reload this page"
		if event.Get("newVersion").IsNull() {
			why = "another page has destroyed the database"
		}
		c.ended = engine.Fail(engine.CodeClosed, "use", c.name, why)
		c.close()
	})

	identity, err := c.readIdentity()
	if err == nil && c.identity != "" && c.identity != identity {
		c.ended = engine.Fail(engine.CodeClosed, "open", c.name, "the database was deleted and created anew; open it again")
		err = c.ended
	}
	if err != nil {
		c.close()
		return err
	}
	c.identity = identity
	return nil
}

// lost notes that the browser has closed the connection. Chromium fires no event
// at a transaction that was about to end then, which would wait for ever.
func (c *connection) lost() {
	c.forget()
	if c.current != nil {
		select {
		case c.current.done <- &exception{name: "UnknownError", message: "the browser has closed the connection"}:
		default: // it has ended before
		}
	}
}

// close closes the connection. The next call opens it again.
func (c *connection) close() {
	if !c.db.IsUndefined() {
		c.db.Call("close")
		c.forget()
	}
}

func (c *connection) forget() {
	c.release()
	c.db = js.Undefined()
	for _, t := range c.idle {
		t.release()
	}
	c.idle = nil
}

func (c *connection) readIdentity() (string, error) {
	t, err := c.begin(jsReadonly, Relaxed)
	if err != nil {
		return "", err
	}
	request := t.request("get", identityKey)
	if err := t.wait(); err != nil {
		return "", err
	}
	identity := request.Get("result")
	if !isBytes(identity) {
		return "", engine.Fail(engine.CodeCorrupt, "open", c.name, "the browser has a database of this name that is not AtomicDB's")
	}
	return string(bytesToGo(nil, identity)), nil
}
