package filelog

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"github.com/atomicdb-go/atomicdb/engine"
)

// The layout of the file; FORMAT.md has the tables.
const (
	fileMagic   = "AtDL"
	recordMagic = "AtDR"
	fileVersion = 1

	atVersion      = 4
	atIdentity     = 8
	atSnapshot     = 24
	atFileSum      = 32
	fileHeaderSize = 40

	atKind           = 4
	atSeq            = 8
	atLength         = 16
	atRecordSum      = 24
	recordHeaderSize = 32

	kindBatch    = 1
	kindSnapshot = 2
)

// fileHeader is what the start of a file says about the rest.
type fileHeader struct {
	// identity is chosen when the database is made, and stays when a compaction
	// replaces the file. It tells a database from one made later in its place.
	identity [16]byte

	// snapshot is the seq of the snapshot that the first record must be; 0 means
	// that the first record is batch 1. Without it, a snapshot with a damaged
	// header would look like a torn batch, and be cut.
	snapshot uint64
}

func (h fileHeader) encode() []byte {
	b := make([]byte, fileHeaderSize)
	copy(b, fileMagic)
	b[atVersion] = fileVersion
	copy(b[atIdentity:], h.identity[:])
	binary.LittleEndian.PutUint64(b[atSnapshot:], h.snapshot)
	binary.LittleEndian.PutUint64(b[atFileSum:], xxhash.Sum64(b[:atFileSum]))
	return b
}

// decodeFileHeader returns CodeCorrupt for bytes that are no header, and
// CodeUnsupported for one of a later version.
func decodeFileHeader(b []byte) (h fileHeader, err error) {
	if len(b) < fileHeaderSize || string(b[:len(fileMagic)]) != fileMagic {
		return h, fail(engine.CodeCorrupt, "open", "", "the file does not start like a database of AtomicDB")
	}
	if binary.LittleEndian.Uint64(b[atFileSum:]) != xxhash.Sum64(b[:atFileSum]) {
		return h, fail(engine.CodeCorrupt, "open", "", "the checksum of the file's header differs")
	}
	if b[atVersion] != fileVersion {
		return h, fail(engine.CodeUnsupported, "open", "", "a newer AtomicDB wrote the file")
	}
	h.identity = [16]byte(b[atIdentity:])
	h.snapshot = binary.LittleEndian.Uint64(b[atSnapshot:])
	return h, nil
}

// isUnfinished reports whether b, all that a file holds, is what a crash can
// leave of its creation: a header cut short, or room whose bytes were never
// written. The header is on disk before the first record is.
func isUnfinished(b []byte) bool {
	if len(b) > fileHeaderSize {
		return false
	}
	_, err := decodeFileHeader(b)
	n := min(len(b), len(fileMagic))
	isStart := len(b) < fileHeaderSize && string(b[:n]) == fileMagic[:n]
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

// recordHeader comes before each frame.
type recordHeader struct {
	seq      uint64
	snapshot bool
	length   int64 // bytes of the frame
}

func (h recordHeader) encode() []byte {
	b := make([]byte, recordHeaderSize)
	copy(b, recordMagic)
	b[atKind] = kindBatch
	if h.snapshot {
		b[atKind] = kindSnapshot
	}
	binary.LittleEndian.PutUint64(b[atSeq:], h.seq)
	binary.LittleEndian.PutUint64(b[atLength:], uint64(h.length))
	binary.LittleEndian.PutUint64(b[atRecordSum:], xxhash.Sum64(b[:atRecordSum]))
	return b
}

// decodeRecordHeader reports whether the first bytes of b are a header.
func decodeRecordHeader(b []byte) (h recordHeader, ok bool) {
	if len(b) < recordHeaderSize || string(b[:len(recordMagic)]) != recordMagic ||
		binary.LittleEndian.Uint64(b[atRecordSum:]) != xxhash.Sum64(b[:atRecordSum]) {
		return h, false
	}
	kind := binary.LittleEndian.Uint32(b[atKind:]) // with the reserved bytes, which are 0
	h.seq = binary.LittleEndian.Uint64(b[atSeq:])
	h.snapshot = kind == kindSnapshot
	h.length = int64(binary.LittleEndian.Uint64(b[atLength:]))
	return h, (kind == kindBatch || h.snapshot) && h.seq > 0 && h.length >= 0
}
