package storage

import "syscall/js"

// A transaction is one IDBTransaction on the object store. Its requests are
// issued at once; wait returns when the browser has stored all of them, or
// none.
type transaction struct {
	tx, store js.Value
	handlers
	cause error // why we have aborted it
	done  chan error
}

// begin starts a transaction. Its error is an *exception, InvalidStateError if
// the connection is gone.
func (c *connection) begin(mode string, d Durability) (*transaction, error) {
	if c.db.IsUndefined() { // it was lost, or taken away, while it was being opened
		return nil, &exception{name: "InvalidStateError", message: "the connection is closed"}
	}
	options := js.Global().Get("Object").New()
	options.Set("durability", d.String())
	t := &transaction{done: make(chan error, 2)} // an end, and the connection's
	_, err := try(func() js.Value {
		t.tx = c.db.Call("transaction", objectStore, mode, options)
		t.store = t.tx.Call("objectStore", objectStore)
		return t.store
	})
	if err != nil {
		return nil, err
	}
	// A request's success says only that it could be done: what counts is the
	// end of the transaction.
	t.on(t.tx, "complete", func(js.Value) { t.done <- nil })
	t.on(t.tx, "abort", func(js.Value) {
		if t.cause == nil {
			t.cause = abortReason(t.tx)
		}
		t.done <- t.cause
	})
	c.current = t
	return t, nil
}

// request calls a method of the object store, and aborts the transaction if it
// throws. wait must have returned before the result is read.
func (t *transaction) request(method string, args ...any) js.Value {
	request, err := try(func() js.Value { return t.store.Call(method, args...) })
	if err != nil {
		t.abort(err)
		return js.Global().Get("Object").New() // has no result, and nobody will ask
	}
	return request
}

// onSuccess has handle take the result of request, inside the transaction: it
// may issue more.
func (t *transaction) onSuccess(request js.Value, handle func(result js.Value)) {
	t.on(request, "success", func(js.Value) { handle(request.Get("result")) })
}

// abort undoes the transaction; wait then returns cause.
func (t *transaction) abort(cause error) {
	if t.cause == nil {
		t.cause = cause
	}
	// It throws if the transaction is already on its way to the abort event.
	_, _ = try(func() js.Value { return t.tx.Call("abort") })
}

// commit says that no more requests will come, which saves the browser from
// finding out. Safari before 15 has no commit; leaving it out is slower only.
func (t *transaction) commit() {
	if t.tx.Get("commit").Type() == js.TypeFunction {
		// It throws if a request has failed meanwhile: then the abort event comes.
		_, _ = try(func() js.Value { return t.tx.Call("commit") })
	}
}

// wait blocks until the transaction has ended.
func (t *transaction) wait() error {
	defer t.release()
	return <-t.done
}

// abortReason says why the browser has aborted tx.
func abortReason(tx js.Value) *exception {
	if err := tx.Get("error"); err.Type() == js.TypeObject {
		return exceptionOf(err)
	}
	return &exception{name: "AbortError", message: "the transaction was aborted"}
}
