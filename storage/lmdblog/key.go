//go:build cgo && !js

package lmdblog

import (
	"bytes"
	"encoding/binary"
	"math"
)

// maxSeq is the largest number that JavaScript, and so a key, holds exactly.
const maxSeq = 1<<53 - 1

// keyOf returns seq as the npm package lmdb encodes numbers: the bits of a
// float64, moved by four to make room for a type, most significant first,
// without zeros at the end. LMDB orders such keys as numbers.
func keyOf(seq uint64) []byte {
	bits := math.Float64bits(float64(seq))
	key := binary.BigEndian.AppendUint64(nil, positive|bits>>4)
	key = append(key, byte(bits<<4))
	for _, length := range []int{4, 6, 8} {
		if bytes.Count(key[length:], []byte{0}) == len(key)-length {
			return key[:length]
		}
	}
	return key
}

// positive is the type of a number of at least 0.
const positive = 1 << 60

// seqOf returns the seq of a key, or false if the key is not that of a record.
func seqOf(key []byte) (seq uint64, ok bool) {
	var whole [9]byte
	copy(whole[:], key)
	bits := binary.BigEndian.Uint64(whole[:])<<4 | uint64(whole[8]>>4)
	number := math.Float64frombits(bits)
	if !(number >= 1 && number <= maxSeq) {
		return 0, false
	}
	seq = uint64(number)
	return seq, bytes.Equal(key, keyOf(seq))
}
