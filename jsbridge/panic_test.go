package jsbridge

import (
	"errors"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// withOp adds an op to the end of the table while a test runs.
func withOp(t *testing.T, o op) {
	ops = append(ops, o)
	t.Cleanup(func() { ops = ops[:len(ops)-1] })
}

// TestCall_panic: a panic in a write is an error of code internal with the panic's
// text. The changes of the call are undone, and the database stays usable.
func TestCall_panic(t *testing.T) {
	for _, tt := range []struct {
		name string
		fail func()
		text string
	}{
		{"text", func() { panic("a bug") }, "a bug"},
		{"error", func() { panic(errors.New("a bug")) }, "a bug"},
		{"runtime error", func() { var db *engine.DB; db.Savepoint() }, "nil pointer"},
		{"other", func() { panic(7) }, "panic"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			withOp(t, op{name: "fault", writes: true, run: func(c *call) error {
				if _, err := c.db().Insert("people", encode(t, object{"_id": "half"}), false); err != nil {
					return err
				}
				if _, err := c.db().Remove("people", nil); err != nil {
					return err
				}
				tt.fail()
				return nil
			}})
			c := withPeople(t)
			c.must("savepoint", nil)
			c.must("insert", array{"people", false}, object{"_id": "kept"})

			_, failure := c.call("fault", nil)
			if failure == nil || failure.code != engine.CodeInternal || !strings.Contains(failure.message, tt.text) {
				t.Fatalf("got %v, want internal: …%s…", failure, tt.text)
			}
			equal(t, decode(t, c.must("ids", array{"people"})), array{"ada", int64(1), int64(2), "kept"})
			equal(t, decode(t, c.must("insert", array{"people", false}, object{})), array{int64(3)})
			c.must("rollback", nil) // the savepoint that was open before the call
			equal(t, decode(t, c.must("ids", array{"people"})), array{"ada", int64(1), int64(2)})
		})
	}
}

// TestCall_panicInRead: reads have no changes to undo.
func TestCall_panicInRead(t *testing.T) {
	withOp(t, op{name: "fault", run: func(c *call) error { panic("a bug") }})
	c := withPeople(t)
	if _, failure := c.call("fault", nil); failure == nil || failure.code != engine.CodeInternal {
		t.Fatalf("got %v, want internal", failure)
	}
	equal(t, decode(t, c.must("count", array{"people", nil, -1})), int64(3))
}

// TestCall_panicInError: an error whose text panics becomes an internal error.
func TestCall_panicInError(t *testing.T) {
	withOp(t, op{name: "fault", run: func(c *call) error { return &engine.Error{Code: engine.CodeInvalid, Err: (*engine.Error)(nil)} }})
	c := withPeople(t)
	if _, failure := c.call("fault", nil); failure == nil || failure.code != engine.CodeInternal {
		t.Fatalf("got %v, want internal", failure)
	}
}

// TestCall_panicThatCannotBeUndone: the engine's state is unknown then, so every
// call is refused.
func TestCall_panicThatCannotBeUndone(t *testing.T) {
	withOp(t, op{name: "fault", writes: true, run: func(c *call) error {
		c.db().Cut(0)
		c.db().Confirm() // what is confirmed cannot be undone
		panic("a bug")
	}})
	c := withPeople(t)
	_, failure := c.call("fault", nil)
	if failure == nil || failure.code != engine.CodeInternal || !strings.Contains(failure.message, "open the database again") {
		t.Fatalf("got %v, want internal: …open the database again…", failure)
	}
	if _, failure := c.call("count", array{"people", nil, -1}); failure == nil || failure.code != engine.CodeInternal {
		t.Errorf("the next call got %v, want internal", failure)
	}

	other := *c
	other.handle = c.open()
	if got := decode(t, other.must("count", array{"people", nil, -1})); got != int64(0) {
		t.Errorf("another database answers %v", got)
	}
	c.handle = other.handle // the one to check at the end
}
