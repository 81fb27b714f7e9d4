package storage

import "syscall/js"

// A transaction is one IDBTransaction on the object store. Its requests are
// issued at once; wait returns when the browser has stored all of them, or
// none.
type transaction struct {
	c         *connection
	tx, store js.Value
	cause     error      // the reason of our abort
	failed    *exception // of the first request that failed
	done      chan error // gets the end of the transaction, and of the connection
	ended     bool       // by an event of the browser
	last      js.Value   // its last request
	watched   js.Value   // see onSuccess
	handle    func(result js.Value)

	// The handlers serve one IDBTransaction after the other: to make and release
	// them each time took a fifth of a single insert.
	onComplete, onAbort, onError, onResult, onLate js.Func
}

// Arguments that are the same each time. A Go string would be decoded at every call.
var (
	jsObjectStore      = js.ValueOf(objectStore)
	jsReadonly         = js.ValueOf("readonly")
	jsReadwrite        = js.ValueOf("readwrite")
	transactionOptions = map[Durability]js.Value{Relaxed: durabilityOption(Relaxed), Strict: durabilityOption(Strict)}
)

func durabilityOption(d Durability) js.Value {
	return js.ValueOf(map[string]any{"durability": d.String()})
}

// begin starts a transaction, jsReadonly or jsReadwrite. Its error is an
// *exception, InvalidStateError if the connection is gone.
func (c *connection) begin(mode js.Value, d Durability) (*transaction, error) {
	if c.db.IsUndefined() { // it was closed while it was being opened
		return nil, &exception{name: "InvalidStateError", message: "the connection is closed"}
	}
	t := c.idleTransaction()
	_, err := try(func() js.Value {
		t.tx = c.db.Call("transaction", jsObjectStore, mode, transactionOptions[d])
		t.store = t.tx.Call("objectStore", jsObjectStore)
		return t.store
	})
	if err != nil {
		c.putBack(t)
		return nil, err
	}
	// A request that succeeds may be undone. Only the end of the transaction counts.
	t.tx.Set("oncomplete", t.onComplete)
	t.tx.Set("onabort", t.onAbort)
	t.tx.Set("onerror", t.onError)
	c.current = t
	return t, nil
}

// idleTransaction returns one that is not in use.
func (c *connection) idleTransaction() *transaction {
	if last := len(c.idle) - 1; last >= 0 {
		t := c.idle[last]
		c.idle = c.idle[:last]
		return t
	}
	t := &transaction{c: c, done: make(chan error, 2)}
	t.onComplete = js.FuncOf(func(js.Value, []js.Value) any {
		// Chromium 156 keeps values of more than 64 KiB in files. It then completes
		// a committed transaction before the results of its reads are there.
		if t.last.Get("readyState").String() == "pending" {
			t.last.Set("onsuccess", t.onLate)
			t.last.Set("onerror", t.onLate)
		} else {
			t.end(nil)
		}
		return nil
	})
	t.onLate = js.FuncOf(func(js.Value, []js.Value) any {
		if err := t.last.Get("error"); err.Type() == js.TypeObject {
			t.end(exceptionOf(err))
		} else {
			t.end(nil)
		}
		return nil
	})
	t.onAbort = js.FuncOf(func(js.Value, []js.Value) any {
		if t.cause == nil {
			t.cause = t.abortReason()
		}
		t.end(t.cause)
		return nil
	})
	t.onError = js.FuncOf(func(_ js.Value, args []js.Value) any { // it comes from the requests
		if e := args[0].Get("target").Get("error"); t.failed == nil && e.Type() == js.TypeObject {
			if e := exceptionOf(e); e.name != "AbortError" {
				t.failed = e
			}
		}
		return nil
	})
	t.onResult = js.FuncOf(func(js.Value, []js.Value) any {
		t.handle(t.watched.Get("result"))
		t.commit()
		return nil
	})
	return t
}

func (t *transaction) end(err error) {
	t.ended = true
	t.done <- err
}

// putBack keeps t for a later begin, or releases it if the connection is closed.
func (c *connection) putBack(t *transaction) {
	if c.db.IsUndefined() {
		t.release()
		return
	}
	for len(t.done) > 0 { // the connection was lost and the transaction ended too
		<-t.done
	}
	t.tx, t.store, t.last, t.watched = js.Undefined(), js.Undefined(), js.Undefined(), js.Undefined()
	t.cause, t.failed, t.ended, t.handle = nil, nil, false, nil
	c.idle = append(c.idle, t)
}

func (t *transaction) release() {
	t.onComplete.Release()
	t.onAbort.Release()
	t.onError.Release()
	t.onResult.Release()
	t.onLate.Release()
}

// request calls a method of the object store, and aborts the transaction if it
// throws. wait must have returned before the result is read.
func (t *transaction) request(method string, args ...any) js.Value {
	request, err := try(func() js.Value { return t.store.Call(method, args...) })
	if err != nil {
		t.abort(err)
		return js.Global().Get("Object").New() // without a result, which nobody reads
	}
	t.last = request
	return request
}

// requestKey asks for the first key of query, which keyOf returns after wait. It
// is a cursor, because getKey of Chromium 156 also reads the value: 18 ms of CPU
// before the first insert after a batch of 3.6 MB in a profile without a disk,
// instead of 0.3.
func (t *transaction) requestKey(query any) js.Value {
	return t.request("openKeyCursor", query)
}

// keyOf returns what requestKey has found, undefined if there is no such key.
func keyOf(request js.Value) js.Value {
	if cursor := request.Get("result"); cursor.Type() == js.TypeObject {
		return cursor.Get("key")
	}
	return js.Undefined()
}

// onSuccess calls handle with the result of request, inside the transaction:
// handle may issue more requests. A transaction can have one such request. It is
// for rare calls only: if the page's thread stands still until the result has
// come, no other page can write.
func (t *transaction) onSuccess(request js.Value, handle func(result js.Value)) {
	t.watched, t.handle = request, handle
	request.Set("onsuccess", t.onResult)
}

// abort undoes the transaction; wait then returns cause.
func (t *transaction) abort(cause error) {
	if t.cause == nil {
		t.cause = cause
	}
	// It throws if the transaction is already on its way to the abort event.
	_, _ = try(func() js.Value { return t.tx.Call("abort") })
}

// commit says that no more requests will come. Without it the browser keeps the
// transaction open until this page has handled the results. Even a transaction
// that only reads then holds up the writes of all pages: for 60 s in a page whose
// thread stood still, after which Chromium 156 ended it. With a commit it held up
// none, also if a request failed. Safari before 15 has no commit.
func (t *transaction) commit() {
	if t.c.canCommit() {
		// It throws if a request has failed; then the abort event comes.
		_, _ = try(func() js.Value { return t.tx.Call("commit") })
	}
}

// canCommit reports whether transactions have the method.
func (c *connection) canCommit() bool {
	if c.commits == nil {
		commits := js.Global().Get("IDBTransaction").Get("prototype").Get("commit").Type() == js.TypeFunction
		c.commits = &commits
	}
	return *c.commits
}

// wait commits the transaction, unless onSuccess does, and blocks until it has
// ended. The transaction cannot be used after that.
func (t *transaction) wait() error {
	if t.watched.IsUndefined() {
		t.commit()
	}
	err := <-t.done
	if t.c.current == t {
		t.c.current = nil
	}
	if t.ended {
		t.c.putBack(t)
		return err
	}
	// The connection is lost. Events that come later must find no handlers.
	for _, event := range []string{"oncomplete", "onabort", "onerror"} {
		t.tx.Set(event, js.Null())
	}
	if !t.last.IsUndefined() {
		t.last.Set("onsuccess", js.Null())
		t.last.Set("onerror", js.Null())
	}
	if !t.watched.IsUndefined() {
		t.watched.Set("onsuccess", js.Null())
	}
	t.release()
	return err
}

// abortReason returns why the browser has aborted t. If a request failed in a
// committed transaction, the transaction of Firefox 153 and WebKit has no error,
// or says only that it was aborted; the request has the reason.
func (t *transaction) abortReason() *exception {
	reason := &exception{name: "AbortError", message: "the transaction was aborted"}
	if err := t.tx.Get("error"); err.Type() == js.TypeObject {
		reason = exceptionOf(err)
	}
	if reason.name == "AbortError" && t.failed != nil {
		return t.failed
	}
	return reason
}
