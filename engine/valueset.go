package engine

import (
	"github.com/cespare/xxhash/v2"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A valueSet numbers different values in the order in which they are added. It
// keeps copies.
type valueSet struct {
	table  idTable // by number instead of by slot
	values [][]byte
}

// add returns the number of v, a new one if v equals no value of the set.
func (s *valueSet) add(v []byte) uint32 {
	hash := hashValue(v)
	if number, known := s.table.find(hash, func(n uint32) bool { return msgpack.Equal(s.values[n], v) }); known {
		return number
	}
	number := uint32(len(s.values))
	s.values = append(s.values, append([]byte(nil), v...))
	s.table.add(hash, number)
	return number
}

// hashValue hashes a value, not its encoding: equal values have the same hash.
func hashValue(v []byte) uint32 {
	switch msgpack.KindOf(v) {
	case msgpack.String:
		return uint32(xxhash.Sum64(msgpack.Str(v)) >> 32)
	case msgpack.Bytes:
		return uint32(xxhash.Sum64(msgpack.Bin(v)) >> 32)
	}
	// Equal values have the same key, and different numbers or dates mostly do not.
	return uint32(uint64(keyOf(v)>>1) * 0x9e3779b97f4a7c15 >> 32)
}
