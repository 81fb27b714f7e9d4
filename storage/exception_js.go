package storage

import (
	"strings"
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
)

// An exception is a value that JavaScript threw, or rejected a promise with.
type exception struct {
	name, message string
	code          string // errors of Node and of AtomicDB have one
}

// Error returns the message, after the name if that says something.
func (e *exception) Error() string {
	isPlain := e.name == "Error" || e.name == "AtomicDBError"
	switch {
	case e.message == "" && isPlain:
		return "the storage has failed without saying why"
	case e.message == "":
		return e.name
	case isPlain:
		return e.message
	}
	return e.name + ": " + e.message
}

// exceptionOf reads v, which may be of any type: JavaScript throws any value.
func exceptionOf(v js.Value) *exception {
	if t := typeOf(v); t != js.TypeObject && t != js.TypeFunction {
		return &exception{name: "Error", message: text(v)}
	}
	e := &exception{name: "Error", message: text(v.Get("message")), code: text(v.Get("code"))}
	if name := text(v.Get("name")); name != "" {
		e.name = name
	}
	return e
}

// text returns a string, or "" for other values.
func text(v js.Value) string {
	if typeOf(v) != js.TypeString {
		return ""
	}
	return v.String()
}

// storageError returns the error of a Log for an error of the host: an
// *exception becomes an engine.Error, others stay as they are.
//
//go:noinline
func storageError(op, target string, err error) error {
	e, ok := err.(*exception)
	if !ok {
		return err
	}
	if strings.HasPrefix(e.message, op+" ") { // an error of the engine that came back, as of DocumentFile
		return &engine.Error{Code: e.storageCode(), Err: e}
	}
	return &engine.Error{Code: e.storageCode(), Op: op, Target: target, Err: e}
}

// storageCode returns the code of an engine.Error for the exception.
func (e *exception) storageCode() engine.Code {
	switch code := engine.Code(e.code); code {
	case engine.CodeConflict, engine.CodeQuota, engine.CodeCorrupt, engine.CodeDecrypt,
		engine.CodeTimeout, engine.CodeClosed, engine.CodeUnsupported, engine.CodeInvalid:
		return code // an AtomicDBError, or an error made to look like one
	case "ENOSPC", "EDQUOT":
		return engine.CodeQuota
	}
	switch e.name {
	case "QuotaExceededError":
		return engine.CodeQuota
	case "VersionError":
		return engine.CodeUnsupported
	}
	return engine.CodeStorage
}
