package sql

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// jsonAt returns what a path of SQLite's JSON functions leads to in a value, as in
// $.a[0].b or $."a b"[#-1]; nil if nothing is there, false if it is no such path.
func jsonAt(v, path []byte) (found []byte, ok bool) {
	rest, ok := strings.CutPrefix(string(msgpack.Str(path)), "$")
	if !ok {
		return nil, false
	}
	for rest != "" {
		switch rest[0] {
		case '.':
			rest = rest[1:]
			end := strings.IndexAny(rest, ".[")
			name := rest
			switch {
			case strings.HasPrefix(rest, `"`):
				if end = strings.IndexByte(rest[1:], '"'); end < 0 {
					return nil, false
				}
				name, rest = rest[1:1+end], rest[end+2:]
			case end >= 0:
				name, rest = rest[:end], rest[end:]
			default:
				rest = ""
			}
			if name == "" {
				return nil, false
			}
			v = msgpack.Lookup(v, name)
		case '[':
			text, after, closed := strings.Cut(rest[1:], "]")
			fromEnd, isFromEnd := strings.CutPrefix(text, "#-")
			n, err := strconv.ParseUint(fromEnd, 10, 31)
			if err != nil || !closed {
				return nil, false
			}
			elements := msgpack.List(v)
			at := int(n)
			if isFromEnd {
				at = len(elements) - at
			}
			v, rest = nil, after
			if at >= 0 && at < len(elements) {
				v = elements[at]
			}
		default:
			return nil, false
		}
	}
	return v, true
}

// jsonExtract returns what stands at a path of a value, or an array of what stands at
// several.
func jsonExtract(args [][]byte) []byte {
	all := msgpack.AppendArray(nil, len(args)-1)
	for _, path := range args[1:] {
		v, _ := jsonAt(args[0], path)
		if len(args) == 2 {
			return orNull(v)
		}
		all = append(all, orNull(v)...)
	}
	return all
}

// jsonOf returns the value that json_type and json_array_length are about; nil for none.
func jsonOf(args [][]byte) []byte {
	if len(args) == 1 {
		return args[0]
	}
	v, _ := jsonAt(args[0], args[1])
	return v
}

func jsonArrayLength(args [][]byte) []byte {
	v := jsonOf(args)
	switch {
	case v == nil || isNull(args[0]):
		return null
	case msgpack.KindOf(v) == msgpack.Array:
		return number(msgpack.Count(v))
	}
	return number(0)
}

var jsonTypes = map[msgpack.Kind]string{
	msgpack.Null: "null", msgpack.True: "true", msgpack.False: "false", msgpack.String: "text", msgpack.Array: "array", msgpack.Map: "object",
}

func jsonType(args [][]byte) []byte {
	v := jsonOf(args)
	kind := msgpack.KindOf(v)
	name := jsonTypes[kind]
	switch {
	case isNull(args[0]):
		return null
	case kind == msgpack.Number && msgpack.IsDouble(v):
		name = "real"
	case kind == msgpack.Number:
		name = "integer"
	case name == "": // nothing, or a value that JSON has not
		return null
	}
	return textValue(name)
}
