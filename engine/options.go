package engine

import "strconv"

// Options configure a DB. The zero value is ready to use.
type Options struct {
	// MaxDocumentBytes refuses larger documents, measured as MessagePack
	// without an _id that the engine added. 0 means 16 MiB.
	MaxDocumentBytes int

	// MaxDepth refuses documents whose maps and arrays are nested deeper; the
	// document itself is level 1. 0 means 100.
	MaxDepth int
}

func (o Options) withDefaults() (Options, error) {
	if o.MaxDocumentBytes < 0 || o.MaxDocumentBytes > maxChunkBytes {
		return o, fail(CodeInvalid, "open", "MaxDocumentBytes", strconv.Itoa(o.MaxDocumentBytes)+" is outside 0 to 1 GiB")
	}
	if o.MaxDepth < 0 || o.MaxDepth > 1000 {
		return o, fail(CodeInvalid, "open", "MaxDepth", strconv.Itoa(o.MaxDepth)+" is outside 0 to 1000")
	}
	if o.MaxDocumentBytes == 0 {
		o.MaxDocumentBytes = 16 << 20
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = 100
	}
	return o, nil
}
