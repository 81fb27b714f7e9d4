package engine

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// The hashes of ids and values take multiplications of 32 bits alone, because
// JavaScript computes those of texts and whole numbers too: it finds a document in the
// tables of this package without a call. npm/src/engine/tables.ts has the same functions,
// and testdata/hashes.json what both must return.

// hashID hashes an id, a string or an integer. Two encodings of one integer have
// the same hash.
func hashID(id []byte) uint32 {
	if n, ok := msgpack.Int(id); ok {
		return hashInteger(n)
	}
	return hashText(msgpack.Str(id))
}

// hashValue hashes a value, not its encoding: equal values have the same hash.
func hashValue(v []byte) uint32 {
	switch msgpack.KindOf(v) {
	case msgpack.String:
		return hashText(msgpack.Str(v))
	case msgpack.Bytes:
		return hashText(msgpack.Bin(v))
	case msgpack.Number:
		if n, ok := msgpack.Int(v); ok && uint64(n+maxSafeID) <= 2*maxSafeID {
			return hashInteger(n)
		}
		if f := msgpack.Float(v); math.Abs(f) <= maxSafeID && f == math.Trunc(f) {
			return hashInteger(int64(f))
		}
	}
	// Equal values have the same key, and different numbers or dates mostly do not.
	return uint32(uint64(keyOf(v)>>1) * 0x9e3779b97f4a7c15 >> 32)
}

// hashText is MurmurHash3_x86_32 by Austin Appleby, with the seed 0.
func hashText(text []byte) uint32 {
	h, rest := uint32(0), text
	for ; len(rest) >= 4; rest = rest[4:] {
		h = bits.RotateLeft32(h^scrambled(binary.LittleEndian.Uint32(rest)), 13)*5 + 0xe6546b64
	}
	tail := uint32(0)
	for i, c := range rest {
		tail |= uint32(c) << (8 * i)
	}
	return finished(h ^ scrambled(tail) ^ uint32(len(text)))
}

func scrambled(k uint32) uint32 { return bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593 }

// hashInteger lets consecutive integers land far apart. Integers of 32 bits have different hashes.
func hashInteger(n int64) uint32 { return finished(uint32(n) ^ scrambled(uint32(n>>32))) }

// finished is the end of MurmurHash3_x86_32: each bit of h changes half of the result.
func finished(h uint32) uint32 {
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
