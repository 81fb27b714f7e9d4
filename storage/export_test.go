package storage

import "bytes"

// FrameBytes returns a well-formed frame around any payload.
func FrameBytes(seq uint64, snapshot bool, payload []byte) []byte {
	kind := kindBatch
	if snapshot {
		kind = kindSnapshot
	}
	return bytes.Join(newFrame(header{kind: kind, seq: seq}, [][]byte{payload}), nil)
}
