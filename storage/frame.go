package storage

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"

	"github.com/cespare/xxhash/v2"

	"github.com/atomicdb-go/atomicdb/engine"
)

// The layout of a frame's header; FORMAT.md has the table.
const (
	frameMagic   = "AtDB"
	sealedMagic  = "AtDS" // an envelope; see npm/src/storage/envelope-sealer.ts
	frameVersion = 1

	atVersion  = 4
	atKind     = 5
	atReserved = 6
	atSeq      = 8
	atWriter   = 16
	atLength   = 24
	atChecksum = 32
	headerSize = 40
)

type frameKind byte

const (
	kindBatch    frameKind = 1
	kindSnapshot frameKind = 2
)

// A Writer identifies a session in the frames it writes, so that the session
// knows its own frame when an Append has succeeded but the reply was lost.
// Random bytes do.
type Writer [8]byte

// header says what a frame's payload is.
type header struct {
	kind     frameKind
	seq      uint64
	writer   Writer
	checksum uint64 // set by newFrame and parseFrame
}

// name returns what h is of: "batch 3", or "a snapshot up to batch 3".
func (h header) name() string {
	if h.kind == kindSnapshot {
		return "a snapshot up to " + batchName(h.seq)
	}
	return batchName(h.seq)
}

// newFrame puts a header before the payload, whose parts it borrows.
func newFrame(h header, payload [][]byte) Frame {
	b := make([]byte, headerSize)
	copy(b, frameMagic)
	b[atVersion] = frameVersion
	b[atKind] = byte(h.kind)
	binary.LittleEndian.PutUint64(b[atSeq:], h.seq)
	copy(b[atWriter:], h.writer[:])
	binary.LittleEndian.PutUint64(b[atLength:], uint64(Frame(payload).Len()))

	digest := xxhash.New()
	digest.Write(b[:atChecksum])
	for _, part := range payload {
		digest.Write(part)
	}
	binary.LittleEndian.PutUint64(b[atChecksum:], digest.Sum64())

	return append(Frame{b}, payload...)
}

// checksum returns the checksum in f's header.
func (f Frame) checksum() uint64 { return binary.LittleEndian.Uint64(f[0][atChecksum:]) }

// equal reports whether b is f's parts, concatenated.
func (f Frame) equal(b []byte) bool {
	for _, part := range f {
		if !bytes.HasPrefix(b, part) {
			return false
		}
		b = b[len(part):]
	}
	return len(b) == 0
}

// isEnvelope reports whether b starts with the header of an envelope. Its check,
// FNV-1a of the rest of the header and the salt, tells it from the bytes that a
// crash may leave.
func isEnvelope(b []byte) bool {
	const atSaltLength, atCheck, atSalt = 6, 16, 20
	if !bytes.HasPrefix(b, []byte(sealedMagic)) || len(b) < atSalt || len(b) < atSalt+int(b[atSaltLength]) {
		return false
	}
	check := fnv.New32a()
	check.Write(b[:atCheck])
	check.Write(b[atSalt : atSalt+int(b[atSaltLength])])
	return check.Sum32() == binary.LittleEndian.Uint32(b[atCheck:])
}

// parseFrame checks every byte of a frame and returns its header and its
// payload, which borrows from b. The error has CodeCorrupt, CodeUnsupported for a
// whole frame of a later version, or CodeDecrypt for one in an envelope.
func parseFrame(b []byte) (h header, payload []byte, err error) {
	if isEnvelope(b) {
		return h, nil, engine.Fail(engine.CodeDecrypt, "read", "frame",
			"it is compressed or encrypted: open the storage with the compressionLevel and the securityManager that it was written with")
	}
	if len(b) < headerSize {
		return h, nil, badFrame("it is shorter than its header")
	}
	if string(b[:len(frameMagic)]) != frameMagic {
		return h, nil, badFrame("it does not start like a frame")
	}
	payload = b[headerSize:]
	digest := xxhash.New()
	digest.Write(b[:atChecksum])
	digest.Write(payload)
	h.checksum = binary.LittleEndian.Uint64(b[atChecksum:])
	if digest.Sum64() != h.checksum {
		return h, nil, badFrame("its checksum differs")
	}

	// The checksum holds, so a program has written these bytes on purpose.
	if b[atVersion] != frameVersion {
		return h, nil, engine.Fail(engine.CodeUnsupported, "read", "frame", "a newer AtomicDB wrote it")
	}
	h.kind = frameKind(b[atKind])
	if h.kind != kindBatch && h.kind != kindSnapshot {
		return h, nil, badFrame("it is neither a batch nor a snapshot")
	}
	if b[atReserved] != 0 || b[atReserved+1] != 0 {
		return h, nil, badFrame("its reserved bytes are not 0")
	}
	if binary.LittleEndian.Uint64(b[atLength:]) != uint64(len(payload)) {
		return h, nil, badFrame("its length differs")
	}
	h.seq = binary.LittleEndian.Uint64(b[atSeq:])
	h.writer = Writer(b[atWriter:])
	return h, payload, nil
}

func badFrame(why string) error {
	return engine.Fail(engine.CodeCorrupt, "read", "frame", why)
}
