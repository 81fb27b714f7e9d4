package docfile

import "github.com/atomicdb-go/atomicdb/engine/msgpack"

// twice returns a key that one of the maps in v, however deep, has twice; nil
// if there is none. The engine would find the one, and JavaScript the other.
func twice(v []byte) []byte {
	switch msgpack.KindOf(v) {
	case msgpack.Array:
		for _, element := range elements(v) {
			if key := twice(element); key != nil {
				return key
			}
		}
	case msgpack.Map:
		count, header := msgpack.Container(v)
		rest := v[header:]
		var few [16]string
		keys := few[:0]
		var many map[string]bool
		if count > len(few) {
			many = make(map[string]bool, count)
		}
		for range count {
			key := msgpack.Str(rest)
			if has(keys, key) || many[string(key)] {
				return key
			}
			if many != nil {
				many[string(key)] = true
			} else {
				keys = append(keys, string(key))
			}
			rest = rest[msgpack.Skip(rest):]
			value := rest[:msgpack.Skip(rest)]
			rest = rest[len(value):]
			if key := twice(value); key != nil {
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
