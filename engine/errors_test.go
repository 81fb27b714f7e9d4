package engine_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

func TestError(t *testing.T) {
	err := fmt.Errorf("session: %w", &engine.Error{Code: engine.CodeDuplicateID, Op: "insert", Target: "users/42", Err: io.EOF})
	if !errors.Is(err, engine.CodeDuplicateID) || engine.CodeOf(err) != engine.CodeDuplicateID {
		t.Error("does not match its own code")
	}
	if errors.Is(err, engine.CodeCorrupt) {
		t.Error("matches another code")
	}
	if !errors.Is(err, io.EOF) {
		t.Error("loses its cause")
	}
	if code := engine.CodeOf(io.EOF); code != engine.CodeInternal {
		t.Errorf("an error without a code has the code %s", code)
	}
}

func TestError_text(t *testing.T) {
	cause := engine.Fail(engine.CodeCorrupt, "read", "", "its checksum differs")
	for want, err := range map[string]error{
		"insert users/42: a document with this _id exists": engine.Fail(engine.CodeDuplicateID, "insert", "users/42", "a document with this _id exists"),
		"sql: line 1":                            engine.Fail(engine.CodeInvalid, "sql", "", "line 1"),
		"open notes: read: its checksum differs": &engine.Error{Code: engine.CodeCorrupt, Op: "open", Target: "notes", Err: cause},
		"the disk is gone":                       &engine.Error{Code: engine.CodeStorage, Err: errors.New("the disk is gone")},
		"append: storage":                        &engine.Error{Code: engine.CodeStorage, Op: "append"},
		"unique":                                 engine.CodeUnique,
	} {
		if err.Error() != want {
			t.Errorf("reads %q, want %q", err, want)
		}
	}
}

func TestPanicText(t *testing.T) {
	for want, value := range map[string]any{"EOF": io.EOF, "a bug": "a bug", "panic": 7} {
		if got := engine.PanicText(value); got != want {
			t.Errorf("a panic with %v reads %q, want %q", value, got, want)
		}
	}
}
