package docfile

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// twice returns a key that one of the maps in v has twice, at any depth; nil if
// there is none. The engine would use the first value, and JavaScript the second.
func twice(v []byte) []byte {
	switch msgpack.KindOf(v) {
	case msgpack.Array:
		for element := range msgpack.Elements(v) {
			if key := twice(element); key != nil {
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

// ids are the ids of one collection. If two documents had the same, the second
// would silently replace the first.
type ids map[any]struct{}

// add reports whether the id is there already. The engine refuses values that
// cannot be ids.
func (s ids) add(id []byte) bool {
	key := idOf(id)
	if key == nil {
		return false
	}
	before := len(s)
	s[key] = struct{}{}
	return len(s) == before
}

// idOf returns a string, or an integer in its shortest encoding; nil for other values.
func idOf(id []byte) any {
	if msgpack.KindOf(id) == msgpack.String {
		return string(msgpack.Str(id))
	}
	if n, ok := msgpack.Int(id); ok {
		return n
	}
	return nil
}

func idText(id []byte) string {
	if n, ok := msgpack.Int(id); ok {
		return strconv.FormatInt(n, 10)
	}
	return strconv.Quote(string(msgpack.Str(id)))
}
