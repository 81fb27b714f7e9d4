package storage

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"

	"github.com/cespare/xxhash/v2"

	"github.com/atomicdb-go/atomicdb/engine"
)

// The layout of a frame's header; FORMAT.md has the tables.
const (
	frameMagic   = "AtDB"
	sealedMagic  = "AtDS" // an envelope; see npm/src/storage/envelope-sealer.ts
	frameVersion = 2

	atVersion  = 4
	atKind     = 5
	atFlags    = 6
	atReserved = 7
	atSeq      = 8
	atIdentity = 16
	atChecksum = 32 // in every version
	atWriter   = 40
	headerSize = 48

	// Version 1 has no identity, and the length of the payload.
	atWriter1   = 16
	atLength1   = 24
	headerSize1 = 40
)

// flagContinues marks the batch before which all records are of version 1.
const flagContinues = 1

type frameKind byte

const (
	kindBatch    frameKind = 1
	kindSnapshot frameKind = 2
)

// A Writer identifies a session in the frames it writes, so that the session
// knows its own frame when an Append has succeeded but the reply was lost.
// Random bytes do.
type Writer [8]byte

// A Group is how the Writers of sessions begin that belong together, for example
// those of one program. Random bytes do.
type Group [4]byte

// header says what a frame's payload is.
type header struct {
	kind      frameKind
	continues bool // it is a batch, and the records before it are of version 1
	seq       uint64
	identity  Identity // zero: the frame is of version 1
	writer    Writer
	checksum  uint64 // set by parseFrame
}

func (h header) isVersion1() bool { return h.identity == Identity{} }

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
	if h.continues {
		b[atFlags] = flagContinues
	}
	binary.LittleEndian.PutUint64(b[atSeq:], h.seq)
	copy(b[atIdentity:], h.identity[:])
	copy(b[atWriter:], h.writer[:])
	binary.LittleEndian.PutUint64(b[atChecksum:], checksumOf(b, payload...))
	return append(Frame{b}, payload...)
}

// newFrame1 is newFrame in version 1, without the identity.
func newFrame1(h header, payload [][]byte) Frame {
	b := make([]byte, headerSize1)
	copy(b, frameMagic)
	b[atVersion] = 1
	b[atKind] = byte(h.kind)
	binary.LittleEndian.PutUint64(b[atSeq:], h.seq)
	copy(b[atWriter1:], h.writer[:])
	binary.LittleEndian.PutUint64(b[atLength1:], uint64(Frame(payload).Len()))
	binary.LittleEndian.PutUint64(b[atChecksum:], checksumOf(b, payload...))
	return append(Frame{b}, payload...)
}

// checksumOf returns the checksum of a frame, whose first bytes b holds: of all
// bytes but those of the checksum.
func checksumOf(b []byte, payload ...[]byte) uint64 {
	digest := xxhash.New()
	digest.Write(b[:atChecksum])
	digest.Write(b[atChecksum+8:])
	for _, part := range payload {
		digest.Write(part)
	}
	return digest.Sum64()
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
	if len(b) < headerSize1 {
		return h, nil, badFrame("it is shorter than its header")
	}
	if string(b[:len(frameMagic)]) != frameMagic {
		return h, nil, badFrame("it does not start like a frame")
	}
	h.checksum = binary.LittleEndian.Uint64(b[atChecksum:])
	if checksumOf(b) != h.checksum {
		return h, nil, badFrame("its checksum differs")
	}

	// The checksum holds, so a program has written these bytes on purpose.
	h.kind = frameKind(b[atKind])
	h.seq = binary.LittleEndian.Uint64(b[atSeq:])
	switch b[atVersion] {
	case 1:
		payload = b[headerSize1:]
		h.writer = Writer(b[atWriter1:])
		if b[atFlags] != 0 {
			return h, nil, badFrame("its reserved bytes are not 0")
		}
		if binary.LittleEndian.Uint64(b[atLength1:]) != uint64(len(payload)) {
			return h, nil, badFrame("its length differs")
		}
	case frameVersion:
		if len(b) < headerSize {
			return h, nil, badFrame("it is shorter than its header")
		}
		payload = b[headerSize:]
		h.writer = Writer(b[atWriter:])
		h.identity = Identity(b[atIdentity:])
		h.continues = b[atFlags] == flagContinues
		if h.isVersion1() {
			return h, nil, badFrame("it has no identity")
		}
		if b[atFlags] > flagContinues || h.continues && h.kind != kindBatch {
			return h, nil, badFrame("its flags are unknown")
		}
	default:
		return h, nil, engine.Fail(engine.CodeUnsupported, "read", "frame", "a newer AtomicDB wrote it")
	}
	if h.kind != kindBatch && h.kind != kindSnapshot {
		return h, nil, badFrame("it is neither a batch nor a snapshot")
	}
	if b[atReserved] != 0 {
		return h, nil, badFrame("its reserved bytes are not 0")
	}
	return h, payload, nil
}

func badFrame(why string) error {
	return engine.Fail(engine.CodeCorrupt, "read", "frame", why)
}
