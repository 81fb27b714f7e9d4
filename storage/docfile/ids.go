package docfile

import (
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

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
