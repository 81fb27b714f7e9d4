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
)

// A connection is an IDBDatabase that is opened when it is needed, and again
// when the browser has closed it.
type connection struct {
	name     string
	db       js.Value     // undefined: not open
	handlers              // of db
	current  *transaction // the one last begun
	idle     []*transaction
	commits  *bool  // see canCommit
	identity string // of the database first opened
	ended    error  // once set, what every further call gets
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
		return "", engine.Fail(engine.CodeCorrupt, "open", c.name, "this database of the browser is not AtomicDB's")
	}
	return string(bytesToGo(nil, identity)), nil
}
