package storage

import (
	"bytes"
	"encoding/binary"

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
