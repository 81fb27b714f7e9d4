package engine

import (
	"math"
	"strconv"
)

// Options configure a DB. The zero value is ready to use.
type Options struct {
	// MaxDocumentBytes refuses larger documents, measured as MessagePack
	// without an _id that the engine added. 0 means 16 MiB.
	MaxDocumentBytes int

	// MaxDepth refuses documents whose maps and arrays are nested deeper; the
	// document itself is level 1. 0 means 100.
	MaxDepth int

	// ColumnThreshold is how many documents a collection must hold before a
	// query may build a column. 0 means 256; -1 never builds one. It does not
	// change any answer, which tests check with 1 and -1.
	ColumnThreshold int

	// MaxQueryMemory bounds the bytes that one call may take for its work: for
	// groups, joins, what is sorted, and rows that are put together. It does not
	// count documents that are found, which are handed out where they lie. What
	// takes more is invalid. 0 means 512 MiB.
	MaxQueryMemory int64

	// Interrupted, if there is one, is asked again and again while a call looks at
	// documents, every few milliseconds; first says that it has not been asked for
	// this call. An error ends the call, which returns it, and what the call has
	// changed is undone. It must not use the DB.
	Interrupted func(first bool) error
}

func (o Options) withDefaults() (Options, error) {
	if o.MaxDocumentBytes < 0 || o.MaxDocumentBytes > maxChunkBytes {
		return o, Fail(CodeInvalid, "open", "MaxDocumentBytes", strconv.Itoa(o.MaxDocumentBytes)+" is outside 0 to 1 GiB")
	}
	if o.MaxDepth < 0 || o.MaxDepth > 1000 {
		return o, Fail(CodeInvalid, "open", "MaxDepth", strconv.Itoa(o.MaxDepth)+" is outside 0 to 1000")
	}
	switch {
	case o.MaxQueryMemory < 0:
		return o, Fail(CodeInvalid, "open", "MaxQueryMemory", "it is below 0")
	case o.MaxQueryMemory == 0:
		o.MaxQueryMemory = DefaultMaxQueryMemory
	}
	switch {
	case o.ColumnThreshold == 0:
		o.ColumnThreshold = 256
	case o.ColumnThreshold < 0:
		o.ColumnThreshold = math.MaxInt
	}
	if o.MaxDocumentBytes == 0 {
		o.MaxDocumentBytes = 16 << 20
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = 100
	}
	return o, nil
}
