package query

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// Type names what a value is, in the words the type condition uses.
type Type uint8

// The types. A number is an int or a float by how it is stored.
const (
	TypeInt Type = iota
	TypeFloat
	TypeNumber
	TypeStr
	TypeBool
	TypeList
	TypeDict
	TypeNull
	TypeBytes
	TypeDate
)

var typeNames = [...]string{"int", "float", "number", "str", "bool", "list", "dict", "null", "bytes", "date"}

// KnownTypes lists the names for an error.
var KnownTypes = strings.Join(typeNames[:], ", ")

// String returns the type's name in all three spellings.
func (t Type) String() string { return typeNames[t] }

// Has reports whether v is of type t.
func (t Type) Has(v []byte) bool {
	switch kind := msgpack.KindOf(v); kind {
	case msgpack.Number:
		switch t {
		case TypeInt:
			return msgpack.IsInt(v)
		case TypeFloat:
			return !msgpack.IsInt(v)
		}
		return t == TypeNumber
	case msgpack.True, msgpack.False:
		return t == TypeBool
	case msgpack.String:
		return t == TypeStr
	case msgpack.Array:
		return t == TypeList
	case msgpack.Map:
		return t == TypeDict
	case msgpack.Null:
		return t == TypeNull
	case msgpack.Bytes:
		return t == TypeBytes
	case msgpack.Date:
		return t == TypeDate
	}
	return false
}

// TypeNamed returns the type of that name.
func TypeNamed(name string) (Type, bool) {
	for t, known := range typeNames {
		if known == name {
			return Type(t), true
		}
	}
	return 0, false
}

// mongoTypes are MongoDB's names for $type; the numbers are its type codes.
var mongoTypes = []struct {
	name string
	code int64
	t    Type
}{
	{"double", 1, TypeFloat},
	{"string", 2, TypeStr},
	{"object", 3, TypeDict},
	{"array", 4, TypeList},
	{"binData", 5, TypeBytes},
	{"bool", 8, TypeBool},
	{"date", 9, TypeDate},
	{"null", 10, TypeNull},
	{"int", 16, TypeInt},
	{"long", 18, TypeInt},
}

// mongoType returns the type that v stands for: v is a name of ours, a name of
// MongoDB's, or a code of MongoDB's.
func mongoType(v []byte) (Type, bool) {
	name := string(msgpack.Str(v))
	if t, known := TypeNamed(name); known {
		return t, true
	}
	code := msgpack.Float(v)
	for _, m := range mongoTypes {
		if m.name == name || float64(m.code) == code {
			return m.t, true
		}
	}
	return 0, false
}
