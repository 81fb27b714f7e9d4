package sql

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/jsontext"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// maxJSONDepth is how deep a value may be nested that these functions make. A document
// may be as deep, and what reads a value goes as deep into itself.
const maxJSONDepth = 1000

// jsonValue returns the value that an argument stands for: a text is JSON, and any other
// value is one; nil for a text that is none. An object that has a key twice, or a key
// that no document can have, is none.
func jsonValue(v []byte) []byte {
	if msgpack.KindOf(v) != msgpack.String {
		return v
	}
	parsed, _, wrong := jsontext.Parse(msgpack.Str(v), token.MaxDepth, nil)
	if wrong != "" || jsontext.Twice(parsed) != nil || hasProto(parsed) {
		return nil
	}
	return parsed
}

// hasProto reports whether an object in v has the key __proto__.
func hasProto(v []byte) bool {
	for key, value := range msgpack.Fields(v) {
		if string(key) == protoKey || hasProto(value) {
			return true
		}
	}
	for _, value := range msgpack.List(v) {
		if hasProto(value) {
			return true
		}
	}
	return false
}

// protoKey is a key that no document can have, because no object of JavaScript holds it
// safely.
const protoKey = "__proto__"

// json is the value that a text of JSON is of.
func json(args [][]byte) []byte { return orNull(jsonValue(args[0])) }

func jsonValid(args [][]byte) []byte {
	switch {
	case isNull(args[0]):
		return null
	case jsonValue(args[0]) == nil:
		return number(0)
	}
	return number(1)
}

// jsonArray makes an array of its arguments.
func jsonArray(args [][]byte) []byte {
	array, room := msgpack.AppendArray(nil, len(args)), maxConcatBytes
	for _, v := range args {
		room = engine.CheckRoom(room, len(v), maxConcatBytes)
		array = append(array, orNull(v)...)
	}
	return shallow(array)
}

// jsonObject makes an object of keys and values, in turn; null if one of the keys is no
// text. Of a key that comes again, the last value counts.
func jsonObject(args [][]byte) []byte {
	var pairs []byte
	room := maxConcatBytes
	for i := 0; i+1 < len(args); i += 2 {
		key, ok := textOf(args[i])
		room = engine.CheckRoom(room, len(key)+len(args[i+1]), maxConcatBytes)
		if !ok || key == protoKey {
			return null
		}
		pairs = append(appendText(pairs, key), orNull(args[i+1])...)
	}
	return shallow(objectOf(len(args)/2, pairs))
}

// shallow returns v; null if it is nested too deep.
func shallow(v []byte) []byte {
	if _, err := msgpack.Validate(v, maxJSONDepth); err != nil {
		return null
	}
	return v
}

// objectOf returns the object of so many pairs. Of a key that comes again, the last value
// counts.
func objectOf(count int, pairs []byte) []byte {
	object := append(msgpack.AppendMap(nil, count), pairs...)
	last := make(map[string][]byte, count)
	for key, v := range msgpack.Fields(object) {
		last[string(key)] = v
	}
	if len(last) == count {
		return object
	}
	unique := msgpack.AppendMap(nil, len(last))
	for key := range msgpack.Fields(object) {
		if v := last[string(key)]; v != nil {
			unique = append(msgpack.AppendString(unique, key), v...)
			last[string(key)] = nil
		}
	}
	return unique
}

// merged returns the elements of two arrays as one, or the fields of two objects.
func merged(a, b []byte) []byte {
	count := msgpack.Count(a) + msgpack.Count(b)
	_, headerA := msgpack.Container(a)
	_, headerB := msgpack.Container(b)
	if msgpack.KindOf(a) == msgpack.Map {
		return objectOf(count, append(a[headerA:len(a):len(a)], b[headerB:]...))
	}
	return append(append(msgpack.AppendArray(nil, count), a[headerA:]...), b[headerB:]...)
}

// What stands between a value and what leads to a part of it: -> and ->>. The part is a
// value, and no text of JSON. A text that the second leads to may be JSON again.
var (
	jsonArrow  = function{"->", 2, many, func(args [][]byte) []byte { return jsonParts(args, false) }, takesValues}
	jsonArrows = function{"->>", 2, many, func(args [][]byte) []byte { return jsonParts(args, true) }, takesValues}
)

// jsonText makes a text of JSON of a text that is a value.
var jsonText = function{"json text", 1, 1, func(args [][]byte) []byte {
	if msgpack.KindOf(args[0]) != msgpack.String {
		return args[0]
	}
	b := []byte{'"'}
	for _, c := range msgpack.Str(args[0]) {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', '0'+c>>4, "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return textValue(string(append(b, '"')))
}, takesAny}

// asJSON returns e, which is read as JSON. What -> and json lead to is a value, so a text
// there is not read again.
func (e *expr) asJSON() *expr {
	if e.op == opCall && (e.function == &jsonArrow || e.function.name == "json") {
		return &expr{op: opCall, function: &jsonText, start: e.start, end: e.end, kids: []*expr{e}}
	}
	return e
}

// jsonParts follows several arrows. Each leads to a field by its name, to an element by
// its number, from the end if that is negative, or along a path that begins with $.
func jsonParts(args [][]byte, again bool) []byte {
	v := args[0]
	for i, step := range args[1:] {
		if i == 0 || again {
			v = jsonValue(v)
		}
		text := string(msgpack.Str(step))
		switch n, isWhole := intOf(step); {
		case isWhole:
			elements := msgpack.List(v)
			if n < 0 {
				n += int64(len(elements))
			}
			if v = nil; n >= 0 && n < int64(len(elements)) {
				v = elements[n]
			}
		case strings.HasPrefix(text, "$"):
			v, _ = jsonAt(v, step)
		case msgpack.KindOf(step) == msgpack.String && msgpack.KindOf(v) == msgpack.Map:
			v = msgpack.Lookup(v, text)
		default:
			return null
		}
	}
	return orNull(v)
}

// jsonColumns are the columns of json_each and json_tree.
var jsonColumns = []string{"key", "value", "type", "atom", "id", "parent", "fullkey", "path"}

// A jsonTable is json_each or json_tree after FROM.
type jsonTable struct {
	args   []*expr
	isTree bool
	bound  []*expr
}

// rows calls yield with the rows for a tuple that meet a condition, or nil, until it
// returns false.
func (j *jsonTable) rows(x *execution, t *tuple, where *query.Filter, yield func(row []byte) bool) {
	args := make([][]byte, len(j.bound))
	for i, e := range j.bound {
		args[i] = e.eval(t)
	}
	j.each(args, func(row []byte) bool {
		x.db.Spend(1 + len(row)>>10)
		if where != nil && !where.Match(row) {
			return true
		}
		x.db.Hold(len(row))
		return yield(bytes.Clone(row))
	})
}

// each calls yield with a row for each element of a value, or of what a path leads to in
// it, until it returns false. A row is borrowed.
func (j *jsonTable) each(args [][]byte, yield func(row []byte) bool) {
	root, path := jsonValue(args[0]), "$"
	if len(args) > 1 {
		if isNull(args[1]) {
			return
		}
		path = string(msgpack.Str(args[1]))
		root, _ = jsonAt(root, args[1])
	}
	if root == nil || isNull(args[0]) {
		return
	}
	w := &jsonWalk{yield: yield, isTree: j.isTree}
	kind := msgpack.KindOf(root)
	if isContainer := kind == msgpack.Array || kind == msgpack.Map; isContainer && !j.isTree {
		w.inside(root, null, path)
		return
	}
	above, key := path, null
	if j.isTree {
		above, key = lastStep(path)
	}
	w.row(key, root, null, path, above)
}

// lastStep cuts the last step off a path, and returns what it leads to: a name or a
// number; null for the whole.
func lastStep(path string) (above string, key []byte) {
	end := len(path) - 1
	switch {
	case path == "$":
		return path, null
	case path[end] == ']':
		at := strings.LastIndexByte(path, '[')
		n, err := strconv.Atoi(path[at+1 : end])
		if err != nil { // [#-1]
			return path[:at], null
		}
		return path[:at], number(n)
	case path[end] == '"':
		at := strings.LastIndexByte(path[:end], '"')
		return path[:at-1], textValue(path[at+1 : end])
	}
	at := strings.LastIndexByte(path, '.')
	return path[:at], textValue(path[at+1:])
}

// A jsonWalk makes the rows of elements.
type jsonWalk struct {
	yield   func(row []byte) bool
	isTree  bool
	isEnded bool
	id      int
	buffer  []byte
}

// inside makes the rows of what is in a container, to which path leads.
func (w *jsonWalk) inside(container, parent []byte, path string) {
	at := 0
	for element := range msgpack.Elements(container) {
		if w.isEnded {
			return
		}
		w.id++
		w.row(number(at), element, parent, path+"["+strconv.Itoa(at)+"]", path)
		at++
	}
	for name, v := range msgpack.Fields(container) {
		if w.isEnded {
			return
		}
		w.id++
		step := string(name)
		if !isPlainKey(step) {
			step = `"` + step + `"`
		}
		w.row(textValue(string(name)), v, parent, path+"."+step, path)
	}
}

// isPlainKey reports whether a name stands in a path without quotes.
func isPlainKey(name string) bool {
	for i, c := range name {
		if isLetter := c|0x20 >= 'a' && c|0x20 <= 'z'; !isLetter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

func (w *jsonWalk) row(key, v, parent []byte, fullkey, path string) {
	id := number(w.id)
	kind := msgpack.KindOf(v)
	isContainer := kind == msgpack.Array || kind == msgpack.Map
	atom := v
	if isContainer {
		atom = null
	}
	w.buffer = appendFields(w.buffer[:0], []field{
		{"key", key}, {"value", v}, {"type", typeOfJSON(v)}, {"atom", atom}, {"id", id}, {"parent", parent},
		{"fullkey", text(fullkey)}, {"path", text(path)},
	})
	if w.isEnded = !w.yield(w.buffer); !w.isEnded && w.isTree && isContainer {
		w.inside(v, id, fullkey)
	}
}

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
	var all [][]byte
	root := jsonValue(args[0])
	for _, path := range args[1:] {
		v, _ := jsonAt(root, path)
		if len(args) == 2 {
			return orNull(v)
		}
		all = append(all, v)
	}
	return jsonArray(all)
}

// jsonOf returns the value that json_type and json_array_length are about; nil for none.
func jsonOf(args [][]byte) []byte {
	v := jsonValue(args[0])
	if len(args) > 1 {
		v, _ = jsonAt(v, args[1])
	}
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
	if isNull(args[0]) {
		return null
	}
	return typeOfJSON(jsonOf(args))
}

// typeOfJSON names the type of a value; null for nothing, and for a value that JSON has
// not.
func typeOfJSON(v []byte) []byte {
	kind := msgpack.KindOf(v)
	name := jsonTypes[kind]
	switch {
	case kind == msgpack.Number && msgpack.IsDouble(v):
		name = "real"
	case kind == msgpack.Number:
		name = "integer"
	case name == "":
		return null
	}
	return textValue(name)
}
