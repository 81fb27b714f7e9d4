package sql

import (
	"bytes"
	"math"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A function is scalar: its value depends on its arguments alone. For null, and
// for an argument of a type that it does not take, the value is null.
type function struct {
	name     string
	min, max int // how many arguments
	call     func(args [][]byte) []byte
}

var functions = []function{
	{"lower", 1, 1, ofText(bytes.ToLower)},
	{"upper", 1, 1, ofText(bytes.ToUpper)},
	{"trim", 1, 1, ofText(bytes.TrimSpace)},
	{"length", 1, 1, length},
	{"substr", 2, 3, substr},
	{"abs", 1, 1, abs},
	{"round", 1, 2, round},
	{"floor", 1, 1, ofNumber(math.Floor)},
	{"ceil", 1, 1, ofNumber(math.Ceil)},
	{"coalesce", 1, 100, coalesce},
	{"typeof", 1, 1, typeOf},
}

// functionNamed returns the function of that name in lower case; nil if there
// is none.
func functionNamed(name string) *function {
	for i := range functions {
		if functions[i].name == name {
			return &functions[i]
		}
	}
	return nil
}

func ofText(change func([]byte) []byte) func([][]byte) []byte {
	return func(args [][]byte) []byte {
		if msgpack.KindOf(args[0]) != msgpack.String {
			return null
		}
		return msgpack.AppendString(nil, change(msgpack.Str(args[0])))
	}
}

func ofNumber(change func(float64) float64) func([][]byte) []byte {
	return func(args [][]byte) []byte {
		v := args[0]
		if msgpack.KindOf(v) != msgpack.Number {
			return null
		}
		if msgpack.IsInt(v) {
			return v
		}
		return wholeOrFloat(change(msgpack.Float(v)))
	}
}

// wholeOrFloat encodes x as an integer if it is one that JavaScript holds.
func wholeOrFloat(x float64) []byte {
	if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return msgpack.AppendInt(nil, int64(x))
	}
	return msgpack.AppendFloat(nil, x)
}

// length counts the characters of a text, the elements of an array, the fields
// of a map or the bytes of a binary value.
func length(args [][]byte) []byte {
	switch v := args[0]; msgpack.KindOf(v) {
	case msgpack.String:
		return number(len([]rune(string(msgpack.Str(v)))))
	case msgpack.Bytes:
		return number(len(msgpack.Bin(v)))
	case msgpack.Array, msgpack.Map:
		return number(msgpack.Count(v))
	}
	return null
}

// substr(text, from, count) is the part of a text from a character on, of count
// characters; if count is negative, those before it. from counts from 1, or from the end
// if it is negative; 0 is the place before the first character. Without count, it is all
// that follows. Of bytes it is bytes.
func substr(args [][]byte) []byte {
	from, count := int64(0), int64(1<<62)
	for i, n := range []*int64{&from, &count}[:len(args)-1] {
		v := numericOf(args[i+1])
		if v == nil {
			return null
		}
		*n = min(max(wholePart(v), -1<<62), 1<<62)
	}
	if msgpack.KindOf(args[0]) == msgpack.Bytes {
		content := msgpack.Bin(args[0])
		start, end := part(int64(len(content)), from, count)
		return msgpack.AppendBin(nil, content[start:end])
	}
	whole, ok := textOf(args[0])
	if !ok {
		return null
	}
	text := []rune(whole)
	start, end := part(int64(len(text)), from, count)
	return msgpack.AppendString(nil, string(text[start:end]))
}

// part is the part of size characters that substr asks for.
func part(size, from, count int64) (start, end int64) {
	before := count < 0
	if before {
		count = -count
	}
	switch {
	case from < 0:
		if from += size; from < 0 {
			count = max(count+from, 0)
			from = 0
		}
	case from > 0:
		from--
	case count > 0:
		count--
	}
	if before {
		if from -= count; from < 0 {
			count += from
			from = 0
		}
	}
	start = min(from, size)
	return start, min(start+max(count, 0), size)
}

func abs(args [][]byte) []byte {
	v := args[0]
	if msgpack.KindOf(v) != msgpack.Number {
		return null
	}
	if msgpack.Float(v) < 0 {
		return negated(v)
	}
	return v
}

// round(number, decimals) rounds halves away from zero. Default: 0 decimals.
func round(args [][]byte) []byte {
	v, digits := args[0], int64(0)
	if len(args) == 2 {
		var ok bool
		if digits, ok = intOf(args[1]); !ok {
			return null
		}
	}
	if msgpack.KindOf(v) != msgpack.Number || msgpack.IsInt(v) && digits >= 0 {
		if msgpack.KindOf(v) == msgpack.Number {
			return v
		}
		return null
	}
	scale := math.Pow(10, float64(digits))
	if x := math.Round(msgpack.Float(v)*scale) / scale; x-x == 0 {
		return wholeOrFloat(x)
	}
	return v // too large to have decimals
}

func coalesce(args [][]byte) []byte {
	for _, v := range args {
		if !isNull(v) {
			return v
		}
	}
	return null
}

// typeOf names the type as TYPE does, and a missing value "missing".
func typeOf(args [][]byte) []byte {
	for t := query.TypeInt; t <= query.TypeDate; t++ {
		if t.Has(args[0]) {
			return msgpack.AppendString(nil, t.String())
		}
	}
	return msgpack.AppendString(nil, "missing")
}

//go:noinline
func isNull(v []byte) bool { return msgpack.KindOf(v) <= msgpack.Null }

// intOf returns the whole number that v is.
func intOf(v []byte) (int64, bool) {
	if msgpack.KindOf(v) != msgpack.Number {
		return 0, false
	}
	if n, ok := msgpack.Int(v); ok {
		return n, true
	}
	if x := msgpack.Float(v); x == math.Trunc(x) && math.Abs(x) < 1<<53 {
		return int64(x), true
	}
	return 0, false
}
