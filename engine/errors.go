package engine

import "errors"

// Code names a kind of failure. Codes cross to JavaScript unchanged as
// AtomicDBError.code, so a released code never changes its meaning.
type Code string

// The codes, each with what the caller can conclude from it.
const (
	CodeInvalid      Code = "invalid"      // an argument the caller can correct
	CodeSchema       Code = "schema"       // the document breaks its collection's schema
	CodeDuplicateID  Code = "duplicate_id" // insert of an id that exists
	CodeUnique       Code = "unique"       // a unique index holds these values already
	CodeNotFound     Code = "not_found"    // no collection, index or document of that name
	CodeRelationship Code = "relationship" // a relationship forbids the write
	CodeConflict     Code = "conflict"     // another writer stored this batch number first
	CodeQuota        Code = "quota"        // the storage is full; the write is undone
	CodeStorage      Code = "storage"      // the storage failed; the write is undone
	CodeCorrupt      Code = "corrupt"      // stored bytes fail their checks
	CodeDecrypt      Code = "decrypt"      // wrong key, or tampered bytes
	CodeTimeout      Code = "timeout"      // a bounded wait ran out
	CodeClosed       Code = "closed"       // the database has been closed
	CodeUnsupported  Code = "unsupported"  // this host or version cannot do that
	CodeInternal     Code = "internal"     // a bug in AtomicDB
)

// Error implements error, so a Code is its own sentinel:
//
//	if errors.Is(err, engine.CodeDuplicateID) { … }
func (c Code) Error() string { return string(c) }

// An Error says which operation failed, on what, and why.
type Error struct {
	Code   Code
	Op     string // what the caller asked for: "insert", "find"; may be empty
	Target string // what it was asked of: "users/42", "users.age"; may be empty
	Err    error  // the cause; may be nil
}

// Error reads "insert users/42: a document with this _id exists". The code,
// which CodeOf and errors.Is tell, stands there only if there is no cause.
func (e *Error) Error() string {
	what, why := e.Op, string(e.Code)
	if e.Target != "" {
		what += " " + e.Target
	}
	if e.Err != nil {
		why = e.Err.Error()
	}
	if what == "" {
		return why
	}
	return what + ": " + why
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is e's code.
func (e *Error) Is(target error) bool { return target == e.Code }

// CodeOf returns err's code, or CodeInternal for an error that has none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	var c Code
	if errors.As(err, &c) {
		return c
	}
	return CodeInternal
}

// Fail returns an Error whose cause is only a sentence.
//
// Functions that only make errors are not inlined, here and wherever go:noinline
// stands at one: in the wasm, their copies at each call site took 101 kB, 22 kB of
// them after brotli.
//
//go:noinline
func Fail(code Code, op, target, why string) error {
	return &Error{Code: code, Op: op, Target: target, Err: errors.New(why)}
}

// PanicText returns what a recovered panic says: the text of an error or a
// string, and "panic" of another value.
func PanicText(p any) string {
	switch p := p.(type) {
	case error:
		return p.Error()
	case string:
		return p
	}
	return "panic"
}
