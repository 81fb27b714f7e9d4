package storage_test

import (
	"errors"
	"strings"
	"syscall/js"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// run evaluates the body of an async JavaScript function whose arguments are
// called a, b and c, and returns what it resolves to.
func run(t *testing.T, body string, args ...any) js.Value {
	t.Helper()
	function := js.Global().Call("eval", "(async (a, b, c) => {"+body+"})")
	result, err := storage.Await(function.Invoke(args...))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return result
}

// patch evaluates body, which changes the host, and undoes that when the test
// ends, with the function that body returns.
func patch(t *testing.T, body string, args ...any) (undo func()) {
	t.Helper()
	restore := js.Global().Call("eval", "((a, b, c) => {"+body+"})").Invoke(args...)
	undone := false
	undo = func() {
		if !undone {
			restore.Invoke()
		}
		undone = true
	}
	t.Cleanup(undo)
	return undo
}

// wantError checks err's code and that its text says something.
func wantError(t *testing.T, err error, code engine.Code, says string) {
	t.Helper()
	if !errors.Is(err, code) || !strings.Contains(err.Error(), says) {
		t.Errorf("got error %v, want code %s and a text with %q", err, code, says)
	}
}

func appendText(t *testing.T, log storage.Log, seq uint64, text string) {
	t.Helper()
	if err := log.Append(seq, storage.Frame{[]byte(text)}, storage.Relaxed); err != nil {
		t.Fatal(err)
	}
}

// tryAppend is an Append whose error is expected.
func tryAppend(log storage.Log, seq uint64) error {
	return log.Append(seq, storage.Frame{[]byte("refused")}, storage.Relaxed)
}

// wantTexts compares what log holds.
func wantTexts(t *testing.T, log storage.Log, want ...string) {
	t.Helper()
	var got []string
	err := log.Read(0, func(r storage.Record) error {
		got = append(got, string(r.Bytes))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the log holds %.60q, want %.60q", got, want)
	}
}
