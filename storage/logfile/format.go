package logfile

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"github.com/atomicdb-go/atomicdb/engine"
)

// The layout as other packages use it.
const (
	HeaderSize       = 40     // bytes of a Header
	RecordHeaderSize = 32     // bytes of a RecordHeader
	RecordMagic      = "AtDR" // what a RecordHeader starts with
)

// The rest of the layout; FORMAT.md has the tables.
const (
	fileMagic   = "AtDL"
	fileVersion = 1

	atVersion  = 4
	atIdentity = 8
	atSnapshot = 24
	atFileSum  = 32

	atKind      = 4
	atSeq       = 8
	atLength    = 16
	atRecordSum = 24

	kindBatch    = 1
	kindSnapshot = 2
)

// Header is the start of a file.
type Header struct {
	// Identity is chosen when the database is made, and stays when a compaction
	// replaces the file. It tells a database from one made later in its place.
	Identity [16]byte

	// Snapshot is the seq of the snapshot that the first record must be; 0 means
	// that the first record is batch 1. Without it, a snapshot with a damaged
	// header would look like a torn batch, and be cut.
	Snapshot uint64
}

// Encode returns the HeaderSize bytes that DecodeHeader reads.
func (h Header) Encode() []byte {
	b := make([]byte, HeaderSize)
	copy(b, fileMagic)
	b[atVersion] = fileVersion
	copy(b[atIdentity:], h.Identity[:])
	binary.LittleEndian.PutUint64(b[atSnapshot:], h.Snapshot)
	binary.LittleEndian.PutUint64(b[atFileSum:], xxhash.Sum64(b[:atFileSum]))
	return b
}

// DecodeHeader returns CodeCorrupt for bytes that are no header, and
// CodeUnsupported for one of a later version.
func DecodeHeader(b []byte) (h Header, err error) {
	if len(b) < HeaderSize || string(b[:len(fileMagic)]) != fileMagic {
		return h, engine.Fail(engine.CodeCorrupt, "open", "", "the file does not start like a database of AtomicDB: it is another kind of file, or damaged")
	}
	if binary.LittleEndian.Uint64(b[atFileSum:]) != xxhash.Sum64(b[:atFileSum]) {
		return h, engine.Fail(engine.CodeCorrupt, "open", "", "the checksum of the file's header differs")
	}
	if b[atVersion] != fileVersion {
		return h, engine.Fail(engine.CodeUnsupported, "open", "", "a newer AtomicDB wrote the file")
	}
	h.Identity = [16]byte(b[atIdentity:])
	h.Snapshot = binary.LittleEndian.Uint64(b[atSnapshot:])
	return h, nil
}

// IsUnfinished reports whether a crash during its creation can leave a file with
// the bytes b: a header cut short, or space whose bytes were never written. The
// header is on disk before the first record is.
func IsUnfinished(b []byte) bool {
	if len(b) > HeaderSize {
		return false
	}
	_, err := DecodeHeader(b)
	n := min(len(b), len(fileMagic))
	isStart := len(b) < HeaderSize && string(b[:n]) == fileMagic[:n]
	return err != nil && (isStart || isZero(b))
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// RecordHeader comes before each frame.
type RecordHeader struct {
	Seq      uint64
	Snapshot bool
	Length   int64 // bytes of the frame
}

// Encode returns the RecordHeaderSize bytes that DecodeRecordHeader reads.
func (h RecordHeader) Encode() []byte {
	b := make([]byte, RecordHeaderSize)
	copy(b, RecordMagic)
	b[atKind] = kindBatch
	if h.Snapshot {
		b[atKind] = kindSnapshot
	}
	binary.LittleEndian.PutUint64(b[atSeq:], h.Seq)
	binary.LittleEndian.PutUint64(b[atLength:], uint64(h.Length))
	binary.LittleEndian.PutUint64(b[atRecordSum:], xxhash.Sum64(b[:atRecordSum]))
	return b
}

// DecodeRecordHeader reports whether the first bytes of b are a header.
func DecodeRecordHeader(b []byte) (h RecordHeader, ok bool) {
	if len(b) < RecordHeaderSize || string(b[:len(RecordMagic)]) != RecordMagic ||
		binary.LittleEndian.Uint64(b[atRecordSum:]) != xxhash.Sum64(b[:atRecordSum]) {
		return h, false
	}
	kind := binary.LittleEndian.Uint32(b[atKind:]) // with the reserved bytes, which are 0
	h.Seq = binary.LittleEndian.Uint64(b[atSeq:])
	h.Snapshot = kind == kindSnapshot
	h.Length = int64(binary.LittleEndian.Uint64(b[atLength:]))
	return h, (kind == kindBatch || h.Snapshot) && h.Seq > 0 && h.Length >= 0
}
