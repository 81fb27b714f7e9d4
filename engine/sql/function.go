package sql

import (
	"bytes"
	"math"
	"strconv"

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

// substr(text, from, count) is the part of a text from a character on, of at
// most count characters. from counts from 1, or from the end if it is negative.
// Without count, it is all that follows.
func substr(args [][]byte) []byte {
	from, ok := intOf(args[1])
	if msgpack.KindOf(args[0]) != msgpack.String || !ok {
		return null
	}
	text := []rune(string(msgpack.Str(args[0])))
	n := int64(len(text))
	switch {
	case from < 0:
		from = max(n+from, 0)
	case from > 0:
		from = min(from-1, n)
	}
	end := n
	if len(args) == 3 {
		count, ok := intOf(args[2])
		if !ok {
			return null
		}
		if count < n-from {
			end = from + max(count, 0)
		}
	}
	return msgpack.AppendString(nil, string(text[from:end]))
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

// negated returns -v of a number.
func negated(v []byte) []byte {
	if n, ok := msgpack.WholeOf(v); ok {
		if n, ok = n.Negated(); ok {
			return n.Append(nil)
		}
	}
	return msgpack.AppendFloat(nil, -msgpack.Float(v))
}

// arithmetic returns a sign b. Whole numbers are exact as long as an integer of
// MessagePack holds the result; all else is computed as in JavaScript. Dividing by
// 0 gives null.
//
//go:noinline
func arithmetic(sign byte, a, b []byte) []byte {
	a, b = asNumberValue(a), asNumberValue(b)
	if msgpack.KindOf(a) != msgpack.Number || msgpack.KindOf(b) != msgpack.Number {
		return null
	}
	x, y := msgpack.Float(a), msgpack.Float(b)
	if (sign == '/' || sign == '%') && y == 0 {
		return null
	}
	m, ok1 := wholeOf(a)
	n, ok2 := wholeOf(b)
	if ok1 && ok2 {
		if whole, ok := wholeArithmetic(sign, m, n); ok {
			return whole.Append(nil)
		}
	}
	switch sign {
	case '+':
		x += y
	case '-':
		x -= y
	case '*':
		x *= y
	case '/':
		x /= y
	default:
		x = math.Mod(x, y)
	}
	return msgpack.AppendFloat(nil, x)
}

// wholeOf returns the whole number that v is: an integer, or a float that
// JavaScript would send as one.
func wholeOf(v []byte) (msgpack.Whole, bool) {
	if n, ok := msgpack.WholeOf(v); ok {
		return n, true
	}
	n, ok := msgpack.WholeOfFloat(msgpack.Float(v))
	return n, ok && n.IsSafe()
}

func wholeArithmetic(sign byte, m, n msgpack.Whole) (msgpack.Whole, bool) {
	switch sign {
	case '+':
		return m.Plus(n)
	case '-':
		return m.Minus(n)
	case '*':
		return m.Times(n)
	case '/':
		return m.Over(n)
	}
	return m.Modulo(n)
}

// textOf returns v as part of a concatenation; false if it has no text.
func textOf(v []byte) (string, bool) {
	switch msgpack.KindOf(v) {
	case msgpack.String:
		return string(msgpack.Str(v)), true
	case msgpack.Number:
		if n, ok := msgpack.Int(v); ok {
			return strconv.FormatInt(n, 10), true
		}
		if n, ok := msgpack.Uint(v); ok {
			return strconv.FormatUint(n, 10), true
		}
		return strconv.FormatFloat(msgpack.Float(v), 'f', -1, 64), true
	case msgpack.True:
		return "true", true
	case msgpack.False:
		return "false", true
	}
	return "", false
}
