package schema

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// Functions that the compiler would copy to where they are called, for the code that
// need not be fast: the wasm is smaller with one of each.

//go:noinline
func str(v []byte) []byte { return msgpack.Str(v) }

//go:noinline
func container(v []byte) (count, header int) { return msgpack.Container(v) }

//go:noinline
func lookup(v []byte, name string) []byte { return msgpack.Lookup(v, name) }

//go:noinline
func itoa(n int) string { return strconv.Itoa(n) }

//go:noinline
func quoted(text string) string { return strconv.Quote(text) }

//go:noinline
func cut(text, separator string) (before, after string, ok bool) {
	return strings.Cut(text, separator)
}

//go:noinline
func encoded(text string) []byte { return msgpack.AppendString(nil, text) }

// field returns the name and the value that follow at a place of a map, and where the
// next ones do.
//
//go:noinline
func field(v []byte, pos int) (name, value []byte, next int) {
	name = str(v[pos:])
	pos += sizeOf(v[pos:])
	next = pos + sizeOf(v[pos:])
	return name, v[pos:next:next], next
}

// A part is a field of a map, or an element of an array with its number.
type part struct {
	name  string
	value []byte
}

// partsOf returns what is in a map or an array, in order; nothing of other kinds.
//
//go:noinline
func partsOf(v []byte) []part {
	isMap := msgpack.KindOf(v) == msgpack.Map
	count, pos := container(v)
	parts := make([]part, count)
	for i := range parts {
		p := &parts[i]
		if isMap {
			var name []byte
			name, p.value, pos = field(v, pos)
			p.name = string(name)
			continue
		}
		end := pos + sizeOf(v[pos:])
		p.name, p.value, pos = itoa(i), v[pos:end:end], end
	}
	return parts
}
