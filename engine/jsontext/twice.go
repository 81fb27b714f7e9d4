package jsontext

import "github.com/atomicdb-go/atomicdb/engine/msgpack"

// Twice returns a key that one of the maps in v has twice, at any depth; nil if
// there is none. The engine would use the first value, and JavaScript the second.
func Twice(v []byte) []byte {
	switch msgpack.KindOf(v) {
	case msgpack.Array:
		for element := range msgpack.Elements(v) {
			if key := Twice(element); key != nil {
				return key
			}
		}
	case msgpack.Map:
		var few [16]string
		keys := few[:0]
		var many map[string]bool
		if count := msgpack.Count(v); count > len(few) {
			many = make(map[string]bool, count)
		}
		for key, value := range msgpack.Fields(v) {
			if has(keys, key) || many[string(key)] {
				return key
			}
			if many != nil {
				many[string(key)] = true
			} else {
				keys = append(keys, string(key))
			}
			if key := Twice(value); key != nil {
				return key
			}
		}
	}
	return nil
}

func has(keys []string, key []byte) bool {
	for _, k := range keys {
		if k == string(key) {
			return true
		}
	}
	return false
}
