package storage

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"

	"github.com/cespare/xxhash/v2"
)

// FrameBytes returns a well-formed frame around any payload.
func FrameBytes(seq uint64, snapshot bool, payload []byte) []byte {
	kind := kindBatch
	if snapshot {
		kind = kindSnapshot
	}
	return bytes.Join(newFrame(header{kind: kind, seq: seq}, [][]byte{payload}), nil)
}

// FrameOfLaterVersion returns a frame as a later version may write it.
func FrameOfLaterVersion(frame []byte) []byte {
	b := bytes.Clone(frame)
	b[atVersion]++
	digest := xxhash.New()
	digest.Write(b[:atChecksum])
	digest.Write(b[headerSize:])
	binary.LittleEndian.PutUint64(b[atChecksum:], digest.Sum64())
	return b
}

// Envelope returns a frame as a sealed storage stores it, as far as this package
// reads it.
func Envelope(frame []byte) []byte {
	b := append([]byte(sealedMagic), make([]byte, 16)...)
	check := fnv.New32a()
	check.Write(b[:16])
	binary.LittleEndian.PutUint32(b[16:], check.Sum32())
	return append(b, frame...)
}
