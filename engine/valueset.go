package engine

import "github.com/atomicdb-go/atomicdb/engine/msgpack"

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
