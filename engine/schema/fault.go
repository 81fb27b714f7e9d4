package schema

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// MaxFaults is how many faults of a value are listed.
const MaxFaults = 100

// A Fault is one thing that is wrong with a value.
type Fault struct {
	Path    string // "address.city", "tags.2"; empty for the value itself
	Keyword string // of the schema: "minimum". "false" is a schema that allows nothing
	Message string // "must be at least 0, is -3"
}

// String reads "age: must be at least 0, is -3".
func (f *Fault) String() string {
	if f.Path == "" {
		return f.Message
	}
	return f.Path + ": " + f.Message
}

// Faults are all that is wrong with a value.
type Faults struct {
	List []Fault // at most MaxFaults
	More int     // how many others there are
}

// Error reads "age: must be at least 0, is -3; email: is required". It has the first
// ten.
func (f *Faults) Error() string {
	const maxListed = 10
	var b strings.Builder
	for i := range min(len(f.List), maxListed) {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f.List[i].String())
	}
	if rest := len(f.List) + f.More - maxListed; rest > 0 {
		b.WriteString("; and " + itoa(rest) + " more")
	}
	return b.String()
}

func (f *Faults) count() int {
	if f == nil {
		return 0
	}
	return len(f.List) + f.More
}

func (f *Faults) add(fault Fault) {
	if len(f.List) == MaxFaults {
		f.More++
		return
	}
	f.List = append(f.List, fault)
}

// note adds a fault of the value at path, or of the part of it with a name.
//
//go:noinline
func (f *Faults) note(path []string, keyword, name, why string) {
	if len(f.List) == MaxFaults {
		f.More++
		return
	}
	where := strings.Join(path, ".")
	if name != "" {
		where = join(where, name)
	}
	f.add(Fault{Path: where, Keyword: keyword, Message: why})
}

// describe names a value in a message: 5, "Ada", an object.
//
//go:noinline
func describe(v []byte) string {
	switch kind := msgpack.KindOf(v); kind {
	case msgpack.Number:
		if n, ok := msgpack.Int(v); ok {
			return strconv.FormatInt(n, 10)
		}
		if n, ok := msgpack.Uint(v); ok {
			return strconv.FormatUint(n, 10)
		}
		return strconv.FormatFloat(msgpack.Float(v), 'g', -1, 64)
	case msgpack.String:
		return quoted(clipped(string(str(v))))
	case msgpack.Array:
		return "an array"
	case msgpack.Map:
		return "an object"
	case msgpack.Date:
		return "a date"
	default:
		return kind.String()
	}
}

// clipped shortens what a message quotes.
//
//go:noinline
func clipped(text string) string { return clippedTo(60, text) }

//go:noinline
func clippedTo(maxRunes int, text string) string {
	n := 0
	for i := range text {
		if n++; n > maxRunes {
			return text[:i] + "…"
		}
	}
	return text
}

// counted returns "1 element" or "3 elements".
//
//go:noinline
func counted(n int, what string) string {
	switch {
	case n == 1:
	case what == "property":
		what = "properties"
	default:
		what += "s"
	}
	return itoa(n) + " " + what
}

// typesText returns "a string or null".
func typesText(types uint16) string {
	text := ""
	for i := range typeNames {
		t := &typeNames[i]
		if types&t.bits != t.bits || t.bits == wholeBit && types&(1<<msgpack.Number) != 0 {
			continue
		}
		if text != "" {
			text += " or "
		}
		text += t.text
	}
	return text
}

// valuesText returns "must be one of 1, 2".
func valuesText(list [][]byte) string {
	const maxListed = 10
	switch len(list) {
	case 0:
		return "must be one of no values"
	case 1:
		return "must be " + describe(list[0])
	}
	text := "must be one of "
	for i, v := range list {
		if i == maxListed {
			return text + " and " + itoa(len(list)-i) + " others"
		}
		if i > 0 {
			text += ", "
		}
		text += describe(v)
	}
	return text
}
