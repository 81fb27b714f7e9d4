package sql

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// A function is scalar: its value depends on its arguments alone. For null, and
// for an argument of a type that it does not take, the value is null.
type function struct {
	name     string
	min, max int // how many arguments
	call     func(args [][]byte) []byte
	takes    taking
}

// taking says what a function takes for its arguments.
type taking uint8

const (
	takesValues taking = iota // a truth as 1 or 0
	takesTime                 // a time, and what changes it
	takesAny                  // a truth as it is
)

// many is the most arguments of a function that takes any number.
const many = 100

var functions = []function{
	{"lower", 1, 1, func(args [][]byte) []byte { return textual(args[0], strings.ToLower) }, takesValues},
	{"upper", 1, 1, func(args [][]byte) []byte { return textual(args[0], strings.ToUpper) }, takesValues},
	{"trim", 1, 2, func(args [][]byte) []byte { return trim(args, strings.Trim) }, takesValues},
	{"ltrim", 1, 2, func(args [][]byte) []byte { return trim(args, strings.TrimLeft) }, takesValues},
	{"rtrim", 1, 2, func(args [][]byte) []byte { return trim(args, strings.TrimRight) }, takesValues},
	{"length", 1, 1, length, takesValues},
	{"substr", 2, 3, substr, takesValues},
	{"substring", 2, 3, substr, takesValues},
	{"replace", 3, 3, replace, takesValues},
	{"instr", 2, 2, instr, takesValues},
	{"concat", 1, many, func(args [][]byte) []byte { return joined("", args) }, takesValues},
	{"concat_ws", 2, many, concatWith, takesValues},
	{"hex", 1, 1, hex, takesValues},
	{"unhex", 1, 1, unhex, takesValues},
	{"quote", 1, 1, quote, takesValues},
	{"unicode", 1, 1, unicodeOf, takesValues},
	{"char", 0, many, char, takesValues},
	{"printf", 1, many, printf, takesValues},
	{"format", 1, many, printf, takesValues},
	{"abs", 1, 1, abs, takesValues},
	{"sign", 1, 1, sign, takesValues},
	{"round", 1, 2, round, takesValues},
	{"floor", 1, 1, func(args [][]byte) []byte { return rounded(args[0], math.Floor) }, takesValues},
	{"ceil", 1, 1, func(args [][]byte) []byte { return rounded(args[0], math.Ceil) }, takesValues},
	{"ceiling", 1, 1, func(args [][]byte) []byte { return rounded(args[0], math.Ceil) }, takesValues},
	{"trunc", 1, 1, func(args [][]byte) []byte { return rounded(args[0], math.Trunc) }, takesValues},
	{"min", 2, many, func(args [][]byte) []byte { return extreme(args, -1) }, takesAny},
	{"max", 2, many, func(args [][]byte) []byte { return extreme(args, 1) }, takesAny},
	{"coalesce", 1, many, coalesce, takesAny},
	{"ifnull", 2, 2, coalesce, takesAny},
	{"nullif", 2, 2, nullIf, takesAny},
	{"typeof", 1, 1, typeOf, takesAny},
	{"date", 0, many, func(args [][]byte) []byte { return timeText(args, "%Y-%m-%d", "") }, takesTime},
	{"time", 0, many, func(args [][]byte) []byte { return timeText(args, "", "%H:%M:%S") }, takesTime},
	{"datetime", 0, many, func(args [][]byte) []byte { return timeText(args, "%Y-%m-%d ", "%H:%M:%S") }, takesTime},
	{"julianday", 0, many, julianDay, takesTime},
	{"unixepoch", 0, many, unixEpoch, takesTime},
	{"strftime", 1, many, strftime, takesTime},
	{"json", 1, 1, json, takesValues},
	{"json_array", 0, many, jsonArray, takesValues},
	{"json_object", 0, many, jsonObject, takesValues},
	{"json_valid", 1, 1, jsonValid, takesValues},
	{"json_extract", 2, many, jsonExtract, takesValues},
	{"json_array_length", 1, 2, jsonArrayLength, takesValues},
	{"json_type", 1, 2, jsonType, takesValues},
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

// rounded returns a number without its fraction.
func rounded(v []byte, change func(float64) float64) []byte {
	if v = numericOf(v); v == nil {
		return null
	}
	if msgpack.IsDouble(v) {
		return floatValue(change(msgpack.Float(v)))
	}
	return v
}

// length counts the characters of a text, the elements of an array, the fields
// of a map or the bytes of a binary value.
func length(args [][]byte) []byte {
	switch v := args[0]; msgpack.KindOf(v) {
	case msgpack.Bytes:
		return number(len(msgpack.Bin(v)))
	case msgpack.Array, msgpack.Map:
		return number(msgpack.Count(v))
	}
	text, ok := textOf(args[0])
	if !ok {
		return null
	}
	return number(utf8.RuneCountInString(text))
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
	return textValue(string(text[start:end]))
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
	v := numericOf(args[0])
	if v == nil {
		return null
	}
	if msgpack.Float(v) < 0 {
		return negated(v)
	}
	return v
}

// sign returns -1, 0 or 1; null for text that is no number.
func sign(args [][]byte) []byte {
	v := args[0]
	if msgpack.KindOf(v) == msgpack.String {
		n, all := numberAtFront(string(msgpack.Str(v)))
		if !all {
			return null
		}
		v = n
	}
	if v = numericOf(v); v == nil {
		return null
	}
	switch x := msgpack.Float(v); {
	case x < 0:
		return number(-1)
	case x > 0:
		return number(1)
	}
	return number(0)
}

// round(number, decimals) rounds halves away from zero, to a float. Default: 0 decimals.
func round(args [][]byte) []byte {
	v, digits := numericOf(args[0]), int64(0)
	if len(args) == 2 {
		n := numericOf(args[1])
		if n == nil {
			return null
		}
		digits = min(max(wholePart(n), 0), 30)
	}
	if v == nil {
		return null
	}
	x := msgpack.Float(v)
	if math.Abs(x) >= 1<<52 { // too large to have decimals
		return floatValue(x)
	}
	if digits == 0 {
		return floatValue(math.Round(x))
	}
	// The decimal that x was meant to be, and not the binary one, decides about halves.
	text := strconv.FormatFloat(x, 'f', -1, 64)
	if _, fraction, _ := strings.Cut(text, "."); int64(len(fraction)) <= digits {
		return floatValue(x)
	}
	scale := math.Pow(10, float64(digits))
	if r := math.Round(x*scale) / scale; r-r == 0 {
		return floatValue(r)
	}
	return floatValue(x)
}

// extreme returns the least or the greatest of the values; null if one is null. Of equal
// ones, as 1 and 1.0 are, it returns the last least or the first greatest, as SQLite does.
func extreme(args [][]byte, which int) []byte {
	most := args[0]
	for _, v := range args {
		if isNull(v) {
			return null
		}
		if c := msgpack.Compare(v, most) * which; c > 0 || c == 0 && which < 0 {
			most = v
		}
	}
	return most
}

// nullIf returns the first value, or null if it equals the second.
func nullIf(args [][]byte) []byte {
	if compare(equals, args[0], args[1]) == yes {
		return null
	}
	return args[0]
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
			return textValue(t.String())
		}
	}
	return textValue("missing")
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
