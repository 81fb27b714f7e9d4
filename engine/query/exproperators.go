package query

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// An exprOperator is one operator of $expr.
type exprOperator struct {
	name        string
	least, most int // operands
	apply       func(operands [][]byte) []byte
}

// many is as many operands as a condition may have.
const many = math.MaxInt32

var exprOperators = []exprOperator{
	{"$eq", 2, 2, comparing(func(c int) bool { return c == 0 })},
	{"$ne", 2, 2, comparing(func(c int) bool { return c != 0 })},
	{"$gt", 2, 2, comparing(func(c int) bool { return c > 0 })},
	{"$gte", 2, 2, comparing(func(c int) bool { return c >= 0 })},
	{"$lt", 2, 2, comparing(func(c int) bool { return c < 0 })},
	{"$lte", 2, 2, comparing(func(c int) bool { return c <= 0 })},
	{"$cmp", 2, 2, func(of [][]byte) []byte { return msgpack.AppendInt(nil, int64(msgpack.Compare(of[0], of[1]))) }},
	{"$and", 0, many, func(of [][]byte) []byte { return boolean(count(of, true) == len(of)) }},
	{"$or", 0, many, func(of [][]byte) []byte { return boolean(count(of, true) > 0) }},
	{"$not", 1, 1, func(of [][]byte) []byte { return boolean(!isTruthy(of[0])) }},
	{"$cond", 3, 3, func(of [][]byte) []byte {
		if isTruthy(of[0]) {
			return of[1]
		}
		return of[2]
	}},
	{"$ifNull", 2, many, func(of [][]byte) []byte {
		for _, v := range of {
			if msgpack.KindOf(v) > msgpack.Null {
				return v
			}
		}
		return of[len(of)-1]
	}},
	{"$add", 0, many, func(of [][]byte) []byte { return added(of) }},
	{"$subtract", 2, 2, subtracted},
	{"$multiply", 0, many, func(of [][]byte) []byte { return folded(of, wholeOr(1, true, 1), multiply) }},
	{"$divide", 2, 2, withNumbers(func(a, b number) (number, bool) { return number{x: a.x / b.x}, b.x != 0 })},
	{"$mod", 2, 2, withNumbers(func(a, b number) (number, bool) {
		if a.whole && b.whole && b.n != 0 && b.n != -1 {
			return wholeOr(a.n%b.n, true, 0), true
		}
		return number{x: math.Mod(a.x, b.x)}, b.x != 0
	})},
	{"$abs", 1, 1, func(of [][]byte) []byte {
		n, ok := numberOf(of[0])
		switch {
		case !ok:
			return null
		case n.x >= 0:
			return of[0]
		}
		return subtract(wholeOr(0, true, 0), n).value()
	}},
	{"$floor", 1, 1, rounding(math.Floor)},
	{"$ceil", 1, 1, rounding(math.Ceil)},
	{"$round", 1, 2, rounded},
	{"$concat", 0, many, concatenated},
	{"$toLower", 1, 1, func(of [][]byte) []byte { return msgpack.AppendString(nil, bytes.ToLower(msgpack.Str(of[0]))) }},
	{"$toUpper", 1, 1, func(of [][]byte) []byte { return msgpack.AppendString(nil, bytes.ToUpper(msgpack.Str(of[0]))) }},
	{"$strLenCP", 1, 1, func(of [][]byte) []byte {
		if msgpack.KindOf(of[0]) != msgpack.String {
			return null
		}
		return msgpack.AppendInt(nil, int64(utf8.RuneCount(msgpack.Str(of[0]))))
	}},
	{"$substrCP", 3, 3, substring},
	{"$indexOfCP", 2, 4, placeOf},
	{"$size", 1, 1, func(of [][]byte) []byte {
		if !isArray(of[0]) {
			return null
		}
		return msgpack.AppendInt(nil, int64(msgpack.Count(of[0])))
	}},
	{"$in", 2, 2, func(of [][]byte) []byte {
		return boolean(isArray(of[1]) && someElement(of[1], func(v []byte) bool { return msgpack.Equal(v, orNull(of[0])) }))
	}},
	{"$arrayElemAt", 2, 2, func(of [][]byte) []byte {
		at, whole := integer(of[1])
		if !isArray(of[0]) || !whole {
			return null
		}
		if at < 0 {
			at += int64(msgpack.Count(of[0]))
		}
		for v := range msgpack.Elements(of[0]) {
			if at == 0 {
				return v
			}
			at--
		}
		return nil
	}},
}

func exprOperatorNamed(name string) *exprOperator {
	for i := range exprOperators {
		if exprOperators[i].name == name {
			return &exprOperators[i]
		}
	}
	return nil
}

func knownExprOperators() string {
	names := make([]string, len(exprOperators))
	for i := range exprOperators {
		names[i] = exprOperators[i].name
	}
	return strings.Join(names, " ")
}

// counts says how many operands o takes: "2", "1 to 2" or "2 or more".
func (o *exprOperator) counts() string {
	least := strconv.Itoa(o.least)
	switch o.most {
	case o.least:
		return least
	case many:
		return least + " or more"
	}
	return least + " to " + strconv.Itoa(o.most)
}

func isArray(v []byte) bool { return msgpack.KindOf(v) == msgpack.Array }

// comparing compares in the order of all values, in which a missing one is the least.
func comparing(holds func(c int) bool) func([][]byte) []byte {
	return func(of [][]byte) []byte { return boolean(holds(msgpack.Compare(of[0], of[1]))) }
}

// count returns how many of values are true, or not.
func count(values [][]byte, truthy bool) (n int) {
	for _, v := range values {
		if isTruthy(v) == truthy {
			n++
		}
	}
	return n
}

// folded joins numbers; it is null if one of values is none.
func folded(values [][]byte, first number, join func(a, b number) number) []byte {
	for _, v := range values {
		n, ok := numberOf(v)
		if !ok {
			return null
		}
		first = join(first, n)
	}
	return first.value()
}

func withNumbers(of func(a, b number) (number, bool)) func([][]byte) []byte {
	return func(operands [][]byte) []byte {
		a, isA := numberOf(operands[0])
		b, isB := numberOf(operands[1])
		if isA && isB {
			if n, ok := of(a, b); ok {
				return n.value()
			}
		}
		return null
	}
}

func add(a, b number) number {
	sum := a.n + b.n
	return wholeOr(sum, a.whole && b.whole && (sum > a.n) == (b.n > 0), a.x+b.x)
}

func subtract(a, b number) number {
	difference := a.n - b.n
	return wholeOr(difference, a.whole && b.whole && (difference < a.n) == (b.n > 0), a.x-b.x)
}

func multiply(a, b number) number {
	x := a.x * b.x
	return wholeOr(a.n*b.n, a.whole && b.whole && math.Abs(x) < 1<<62, x)
}

// added adds numbers, and milliseconds to a date.
func added(values [][]byte) []byte {
	for i, v := range values {
		if msgpack.KindOf(v) == msgpack.Date {
			rest := append(append([][]byte{}, values[:i]...), values[i+1:]...)
			return moved(v, folded(rest, wholeOr(0, true, 0), add), 1)
		}
	}
	return folded(values, wholeOr(0, true, 0), add)
}

// subtracted subtracts a number from another, a date from another, which gives
// milliseconds, or milliseconds from a date.
func subtracted(of [][]byte) []byte {
	if msgpack.KindOf(of[0]) != msgpack.Date {
		return withNumbers(func(a, b number) (number, bool) { return subtract(a, b), true })(of)
	}
	if msgpack.KindOf(of[1]) == msgpack.Date {
		ms := msgpack.DateMillis(of[0]) - msgpack.DateMillis(of[1])
		return canonical(msgpack.AppendFloat(nil, ms))
	}
	return moved(of[0], of[1], -1)
}

// moved returns the date that is some milliseconds later, or earlier.
func moved(date, ms []byte, sign float64) []byte {
	n, ok := numberOf(ms)
	at := msgpack.DateMillis(date) + sign*n.x
	if !ok || !(math.Abs(at) < 1<<53) {
		return null
	}
	return msgpack.AppendDate(nil, int64(at))
}

// rounding makes numbers whole; those that are stay as they are.
func rounding(round func(float64) float64) func([][]byte) []byte {
	return func(of [][]byte) []byte {
		n, ok := numberOf(of[0])
		switch {
		case !ok:
			return null
		case n.whole:
			return of[0]
		}
		return canonical(msgpack.AppendFloat(nil, round(n.x)))
	}
}

// rounded rounds to some places after the point, or before it, a half to the even digit.
func rounded(of [][]byte) []byte {
	places := int64(0)
	if len(of) > 1 {
		var whole bool
		if places, whole = integer(of[1]); !whole || places < -20 || places > 100 {
			return null
		}
	}
	n, ok := numberOf(of[0])
	scale := math.Pow10(int(max(places, -places)))
	switch x := n.x * scale; {
	case !ok:
		return null
	case places < 0:
		n.x = math.RoundToEven(n.x/scale) * scale
	case n.whole || math.IsInf(x, 0) || math.IsNaN(x):
		return of[0]
	default:
		n.x = math.RoundToEven(x) / scale
	}
	return canonical(msgpack.AppendFloat(nil, n.x))
}

// maxText bounds texts that are joined. No document holds a longer one.
const maxText = 16 << 20

func concatenated(of [][]byte) []byte {
	size := 0
	for _, v := range of {
		if msgpack.KindOf(v) != msgpack.String {
			return null
		}
		size += len(v)
	}
	if size > maxText {
		return null
	}
	text := make([]byte, 0, size)
	for _, v := range of {
		text = append(text, msgpack.Str(v)...)
	}
	return msgpack.AppendString(nil, text)
}

// substring returns so many characters of a text from a position on.
func substring(of [][]byte) []byte {
	from, isFrom := integer(of[1])
	length, isLength := integer(of[2])
	text := msgpack.Str(of[0])
	if !isFrom || !isLength || from < 0 || length < 0 {
		return null
	}
	text = text[byteAt(text, from):]
	return msgpack.AppendString(nil, text[:byteAt(text, length)])
}

// byteAt returns where the character at a position begins; the end of text if it has
// fewer.
func byteAt(text []byte, position int64) int {
	at := 0
	for ; position > 0 && at < len(text); position-- {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}

// placeOf returns at which position a text has another one, from a position on and
// before another; -1 if it has it nowhere.
func placeOf(of [][]byte) []byte {
	if msgpack.KindOf(of[0]) != msgpack.String || msgpack.KindOf(of[1]) != msgpack.String {
		return null
	}
	text, from := msgpack.Str(of[0]), int64(0)
	if len(of) == 4 {
		end, ok := integer(of[3])
		if !ok || end < 0 {
			return null
		}
		text = text[:byteAt(text, end)]
	}
	if len(of) > 2 {
		var ok bool
		if from, ok = integer(of[2]); !ok || from < 0 {
			return null
		}
	}
	start := byteAt(text, from)
	found := bytes.Index(text[start:], msgpack.Str(of[1]))
	if found < 0 || from > int64(utf8.RuneCount(text)) {
		return msgpack.AppendInt(nil, -1)
	}
	return msgpack.AppendInt(nil, int64(utf8.RuneCount(text[:start+found])))
}
