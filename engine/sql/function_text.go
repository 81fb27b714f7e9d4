package sql

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// textual returns a change of the text of v.
func textual(v []byte, change func(string) string) []byte {
	text, ok := textOf(v)
	if !ok {
		return null
	}
	return textValue(change(text))
}

// trim(text, characters) removes those characters from its ends. Default: spaces.
func trim(args [][]byte, from func(text, set string) string) []byte {
	set, ok := " ", true
	if len(args) == 2 {
		if set, ok = textOf(args[1]); !ok {
			return null
		}
	}
	return textual(args[0], func(text string) string { return from(text, set) })
}

// texts returns the texts of all args; false if one has none.
func allTexts(args [][]byte) (all []string, ok bool) {
	for _, v := range args {
		text, ok := textOf(v)
		if !ok {
			return nil, false
		}
		all = append(all, text)
	}
	return all, true
}

// replace(text, old, new) puts new for each old.
func replace(args [][]byte) []byte {
	all, ok := allTexts(args[:2])
	if !ok {
		return null
	}
	text, old := all[0], all[1]
	if old == "" {
		return args[0]
	}
	with, ok := textOf(args[2])
	if !ok {
		return null
	}
	if n := strings.Count(text, old); len(with) > len(old) {
		// Checked before it is made: a short text may ask for a very long one.
		engine.CheckRoom(maxConcatBytes-min(len(text), maxConcatBytes), n*(len(with)-len(old)), maxConcatBytes)
	}
	return textValue(strings.ReplaceAll(text, old, with))
}

// instr(text, part) is where the part stands first, in characters from 1; 0 if it does not.
func instr(args [][]byte) []byte {
	if msgpack.KindOf(args[0]) == msgpack.Bytes && msgpack.KindOf(args[1]) == msgpack.Bytes {
		return number(1 + strings.Index(string(msgpack.Bin(args[0])), string(msgpack.Bin(args[1]))))
	}
	all, ok := allTexts(args)
	if !ok {
		return null
	}
	at := strings.Index(all[0], all[1])
	if at < 0 {
		return number(0)
	}
	return number(1 + utf8.RuneCountInString(all[0][:at]))
}

// concatWith(separator, …) joins what is not null.
func concatWith(args [][]byte) []byte {
	separator, ok := textOf(args[0])
	if !ok {
		return null
	}
	return joined(separator, args[1:])
}

// joined returns the texts of the values that are not null, with separator between them.
func joined(separator string, values [][]byte) []byte {
	var b strings.Builder
	room, some := maxConcatBytes, false
	for _, v := range values {
		text, ok := textOf(v)
		if !ok {
			continue
		}
		if some {
			text = separator + text
		}
		some = true
		room = engine.CheckRoom(room, len(text), maxConcatBytes)
		b.WriteString(text)
	}
	return textValue(b.String())
}

const hexDigits = "0123456789ABCDEF"

func hexText(content string) string {
	b := make([]byte, 0, 2*len(content))
	for i := range len(content) {
		b = append(b, hexDigits[content[i]>>4], hexDigits[content[i]&15])
	}
	return string(b)
}

// bytesOf returns the bytes of a value, which are those of its text unless it has some.
func bytesOf(v []byte) (string, bool) {
	if msgpack.KindOf(v) == msgpack.Bytes {
		return string(msgpack.Bin(v)), true
	}
	return textOf(v)
}

// hex returns the bytes of a value as hex digits; none for null.
func hex(args [][]byte) []byte {
	content, _ := bytesOf(args[0])
	return textValue(hexText(content))
}

func unhex(args [][]byte) []byte {
	text, ok := textOf(args[0])
	if !ok {
		return null
	}
	content, ok := token.Unhexed(text)
	if !ok {
		return null
	}
	return msgpack.AppendBin(nil, content)
}

// quote returns a value as a literal of SQL.
func quote(args [][]byte) []byte {
	return textValue(quoted(args[0]))
}

func quoted(v []byte) string {
	switch msgpack.KindOf(v) {
	case msgpack.Missing, msgpack.Null:
		return "NULL"
	case msgpack.String:
		return "'" + strings.ReplaceAll(string(msgpack.Str(v)), "'", "''") + "'"
	case msgpack.Bytes:
		return "X'" + hexText(string(msgpack.Bin(v))) + "'"
	case msgpack.Number:
		text, _ := textOf(v)
		return text
	}
	return string(token.AppendValue(nil, v))
}

// unicodeOf is the number of the first character of a text.
func unicodeOf(args [][]byte) []byte {
	text, ok := textOf(args[0])
	if !ok || text == "" {
		return null
	}
	r, _ := utf8.DecodeRuneInString(text)
	return number(int(r))
}

// char returns the text of characters by their numbers.
func char(args [][]byte) []byte {
	var b strings.Builder
	for _, v := range args {
		r := rune(0)
		if n := numericOf(v); n != nil {
			r = utf8.RuneError
			if i := wholePart(n); i >= 0 && i <= utf8.MaxRune {
				r = rune(i)
			}
		}
		b.WriteRune(r)
	}
	return textValue(b.String())
}

// A directive is one % of printf.
type directive struct {
	left, plus, space, zero, group, long bool
	width, precision                     int // precision is -1 if it says none
}

// maxPrintfWidth keeps a short format from making a long text.
const maxPrintfWidth = 1 << 20

// printf(format, …) writes values as SQLite's printf does: %d %f %e %g %s %c %x %X %o %q
// %Q %w %%.
func printf(args [][]byte) []byte {
	format, ok := textOf(args[0])
	if !ok {
		return null
	}
	rest := args[1:]
	next := func() (v []byte) {
		if len(rest) > 0 {
			v, rest = rest[0], rest[1:]
		}
		return v
	}
	integer := func() int64 { return integerOf(next()) }
	var b strings.Builder
	room := maxConcatBytes
	put := func(text string) {
		room = engine.CheckRoom(room, len(text), maxConcatBytes)
		b.WriteString(text)
	}
	for {
		before, after, found := strings.Cut(format, "%")
		put(before)
		if !found {
			break
		}
		d := directive{precision: -1}
		i := 0
	flags:
		for ; i < len(after); i++ {
			switch after[i] {
			case '-':
				d.left = true
			case '+':
				d.plus = true
			case ' ':
				d.space = true
			case '0':
				d.zero = true
			case ',':
				d.group = true
			case '!':
				d.long = true
			case '#':
			default:
				break flags
			}
		}
		count := func() (n int) {
			if i < len(after) && after[i] == '*' {
				i++
				return int(min(max(integer(), -maxPrintfWidth), maxPrintfWidth))
			}
			for ; i < len(after) && after[i] >= '0' && after[i] <= '9'; i++ {
				n = min(10*n+int(after[i]-'0'), maxPrintfWidth)
			}
			return n
		}
		if d.width = count(); d.width < 0 {
			d.left, d.width = true, -d.width
		}
		if i < len(after) && after[i] == '.' {
			i++
			d.precision = max(count(), 0)
		}
		for i < len(after) && after[i] == 'l' {
			i++
		}
		if i == len(after) { // a % that is not finished
			break
		}
		kind := after[i]
		format = after[i+1:]
		switch kind {
		case '%':
			put("%")
		case 'd', 'i', 'u':
			n := integer()
			put(d.number(n < 0, strings.TrimPrefix(strconv.FormatInt(n, 10), "-")))
		case 'x', 'X', 'o':
			base := 16
			if kind == 'o' {
				base = 8
			}
			text := strconv.FormatUint(uint64(integer()), base)
			if kind == 'X' {
				text = strings.ToUpper(text)
			}
			put(d.number(false, text))
		case 'f', 'e', 'E', 'g', 'G':
			x := 0.0
			if n := numericOf(next()); n != nil {
				x = msgpack.Float(n)
			}
			put(d.float(kind, x))
		case 'c':
			text, _ := textOf(next())
			if text == "" {
				text = "\x00"
			}
			_, size := utf8.DecodeRuneInString(text)
			put(d.padded(text[:size]))
		case 's', 'z':
			text, _ := textOf(next())
			put(d.text(text))
		case 'q', 'w', 'Q':
			v := next()
			text, ok := textOf(v)
			mark := "'"
			if kind == 'w' {
				mark = `"`
			}
			text = strings.ReplaceAll(text, mark, mark+mark)
			switch {
			case kind == 'Q' && !ok:
				text = "NULL"
			case kind == 'Q':
				text = "'" + text + "'"
			case !ok:
				text = "(NULL)"
			}
			put(d.text(text))
		default:
			return textValue(b.String()) // as SQLite, which stops there
		}
	}
	return textValue(b.String())
}

func (d *directive) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case d.plus:
		return "+"
	case d.space:
		return " "
	}
	return ""
}

// number writes the digits of a whole number.
func (d *directive) number(negative bool, digits string) string {
	sign := d.sign(negative)
	least := d.precision
	if d.zero && !d.left {
		least = max(least, d.width-len(sign))
	}
	if short := least - len(digits); short > 0 {
		digits = string(spaced(nil, '0', short)) + digits
	}
	if d.group {
		digits = grouped(digits)
	}
	return d.padded(sign + digits)
}

func grouped(digits string) string {
	var b strings.Builder
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// halfUp rounds x to what a directive shows of it. SQLite rounds the decimal digits, a half
// up, where Go takes the nearest number, and of two the even one.
func halfUp(x float64, kind byte, precision int) float64 {
	text := strconv.FormatFloat(x, 'e', 16, 64) // d.dddddddddddddddde+dd
	mantissa, exponent, ok := strings.Cut(text, "e")
	if !ok { // infinite, or no number
		return x
	}
	power, _ := strconv.Atoi(exponent)
	digits := mantissa[:1] + mantissa[2:]
	keep := precision
	switch kind {
	case 'f':
		keep += power + 1
	case 'e', 'E':
		keep++
	}
	if keep < 0 || keep >= len(digits) {
		return x
	}
	kept, _ := strconv.Atoi("0" + digits[:keep])
	if digits[keep] >= '5' {
		kept++
	}
	rounded, _ := strconv.ParseFloat(strconv.Itoa(kept)+"e"+strconv.Itoa(power+1-keep), 64)
	return rounded
}

func (d *directive) float(kind byte, x float64) string {
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	precision = min(precision, 100)
	if (kind == 'g' || kind == 'G') && precision == 0 {
		precision = 1
	}
	text := strconv.FormatFloat(halfUp(math.Abs(x), kind, precision), kind, precision, 64)
	switch {
	case math.IsNaN(x):
		return d.padded("NaN")
	case math.IsInf(x, 0):
		return d.padded(d.sign(x < 0) + "Inf")
	}
	if kind == 'f' && math.Abs(x) >= 1e16 { // SQLite shows 16 digits, and zeros for the others
		point := strings.IndexByte(text+".", '.')
		digits := strconv.FormatFloat(math.Abs(x), 'e', 15, 64)
		text = digits[:1] + digits[2:17] + strings.Repeat("0", point-16) + text[point:]
	}
	sign := d.sign(x < 0)
	if d.group {
		whole, fraction, ok := strings.Cut(text, ".")
		if text = grouped(whole); ok {
			text += "." + fraction
		}
	}
	if short := d.width - len(sign) - len(text); d.zero && !d.left && short > 0 {
		text = string(spaced(nil, '0', short)) + text
	}
	return d.padded(sign + text)
}

// text writes a text, of which precision counts the characters.
func (d *directive) text(text string) string {
	if d.precision >= 0 {
		if runes := []rune(text); len(runes) > d.precision {
			text = string(runes[:d.precision])
		}
	}
	return d.padded(text)
}

func (d *directive) padded(text string) string {
	short := d.width - utf8.RuneCountInString(text)
	switch {
	case short <= 0:
		return text
	case d.left:
		return string(spaced([]byte(text), ' ', short))
	}
	return string(append(spaced(nil, ' ', short), text...))
}
