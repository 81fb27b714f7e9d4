package jsontext

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// An Extension is what a text may hold beyond JSON: NaN, Infinity and -Infinity, which
// Python writes, and objects that stand for other values.
type Extension struct {
	// ValueOf returns the value that an object stands for by its only key; nil if its
	// content is none. isOne says whether objects with that key stand for values.
	ValueOf func(key string, content []byte) (value []byte, isOne bool)
	// Literal is the key of an object whose content stands for no other value.
	Literal string
}

// Parse returns a text of JSON (RFC 8259) as MessagePack. of is nil for plain JSON. If
// the text is none, wrong says why, and at is where.
func Parse(text []byte, maxDepth int, of *Extension) (value []byte, at int, wrong string) {
	p := parser{text: text, out: make([]byte, 0, len(text)), of: of}
	p.value(maxDepth)
	if p.space(); p.wrong == "" && p.at < len(text) {
		p.fail("expected the end")
	}
	return p.out, p.at, p.wrong
}

// A parser appends the values that it reads from text to out. After a fault, it
// stays at the place of the fault.
type parser struct {
	text  []byte
	at    int
	out   []byte
	wrong string
	of    *Extension
}

func (p *parser) fail(why string) {
	if p.wrong == "" {
		p.wrong = why
	}
}

// peek returns the next byte, or 0 at the end and after a fault.
func (p *parser) peek() byte {
	if p.wrong != "" || p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) accept(word string) bool {
	if p.wrong != "" || !bytes.HasPrefix(p.text[p.at:], []byte(word)) {
		return false
	}
	p.at += len(word)
	return true
}

func (p *parser) value(depth int) {
	p.space()
	switch c := p.peek(); {
	case c == '{':
		p.object(depth, false)
	case c == '[':
		p.array(depth)
	case c == '"':
		if s := p.quoted(); p.wrong == "" {
			p.out = msgpack.AppendString(p.out, s)
		}
	case p.accept("null"):
		p.out = msgpack.AppendNil(p.out)
	case p.accept("true"):
		p.out = msgpack.AppendBool(p.out, true)
	case p.accept("false"):
		p.out = msgpack.AppendBool(p.out, false)
	case p.of != nil && p.accept("NaN"):
		p.out = msgpack.AppendFloat(p.out, math.NaN())
	case p.of != nil && p.accept("Infinity"):
		p.out = msgpack.AppendFloat(p.out, math.Inf(1))
	case p.of != nil && p.accept("-Infinity"):
		p.out = msgpack.AppendFloat(p.out, math.Inf(-1))
	case c == '-' || c >= '0' && c <= '9':
		p.number()
	default:
		p.fail("expected a value")
	}
}

func (p *parser) array(depth int) {
	start := p.enter(depth)
	count := 0
	for p.space(); p.peek() != ']' && p.wrong == ""; p.space() {
		if count > 0 && !p.accept(",") {
			p.fail("expected , or ]")
			return
		}
		p.value(depth - 1)
		count++
	}
	if p.wrong == "" {
		p.at++
		p.header(start, count, msgpack.AppendArray)
	}
}

// object reads an object. A literal one stands for no other value.
func (p *parser) object(depth int, literal bool) {
	start := p.enter(depth)
	count := 0
	var key []byte
	for p.space(); p.peek() != '}' && p.wrong == ""; p.space() {
		if count > 0 && !p.accept(",") {
			p.fail("expected , or }")
			return
		}
		if p.space(); p.peek() != '"' {
			p.fail("expected a name in double quotes")
			return
		}
		key = p.quoted()
		p.out = msgpack.AppendString(p.out, key)
		if p.space(); !p.accept(":") {
			p.fail("expected :")
			return
		}
		if count == 0 && !literal && p.of != nil && string(key) == p.of.Literal {
			p.literal(depth - 1)
		} else {
			p.value(depth - 1)
		}
		count++
	}
	if p.wrong != "" {
		return
	}
	p.at++
	p.header(start, count, msgpack.AppendMap)
	if count == 1 && !literal && p.of != nil {
		p.special(start, string(key))
	}
}

// literal reads the object in a literal one, which stands for no other value.
func (p *parser) literal(depth int) {
	if p.space(); p.peek() != '{' {
		p.fail("expected an object")
		return
	}
	p.object(depth, true)
	if p.space(); p.peek() != '}' {
		p.fail("expected }")
	}
}

// enter starts an object or array, with room for the shortest header.
func (p *parser) enter(depth int) (start int) {
	if depth == 0 {
		p.fail("objects and arrays nest too deep")
	}
	p.at++
	p.out = append(p.out, 0)
	return len(p.out) - 1
}

// header writes the header of count elements before those that follow start.
func (p *parser) header(start, count int, appendHeader func([]byte, int) []byte) {
	var buf [5]byte
	header := appendHeader(buf[:0], count)
	if more := len(header) - 1; more > 0 {
		p.out = append(p.out, header[1:]...)
		copy(p.out[start+len(header):], p.out[start+1:len(p.out)-more])
	}
	copy(p.out[start:], header)
}

// special replaces the object that starts at start by the value that it stands for, if it
// does.
func (p *parser) special(start int, key string) {
	v, isOne := p.of.ValueOf(key, p.out[start+1+msgpack.Skip(p.out[start+1:]):])
	switch {
	case !isOne:
	case v == nil:
		p.fail("this is no " + key)
	default:
		p.out = append(p.out[:start], bytes.Clone(v)...)
	}
}

func (p *parser) number() {
	start, isFloat := p.at, false
	p.accept("-")
	if !p.accept("0") {
		p.digits()
	}
	if p.accept(".") {
		isFloat = true
		p.digits()
	}
	if p.accept("e") || p.accept("E") {
		isFloat = true
		_ = p.accept("+") || p.accept("-")
		p.digits()
	}
	if p.wrong != "" {
		return
	}
	digits := string(p.text[start:p.at])
	if !isFloat && digits != "-0" {
		if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
			p.out = msgpack.AppendInt(p.out, n)
			return
		}
		if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
			p.out = msgpack.AppendUint(p.out, n)
			return
		}
	}
	x, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		p.at = start
		p.fail("the number is too large")
		return
	}
	p.out = msgpack.AppendFloat(p.out, x)
}

func (p *parser) digits() {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9' {
		p.at++
	}
	if p.at == start {
		p.fail("expected a digit")
	}
}

// quoted reads a string. Without escapes, it borrows from text.
func (p *parser) quoted() []byte {
	p.at++
	start := p.at
	var unescaped []byte
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == '"':
			s := p.text[start:p.at]
			if unescaped != nil {
				s = append(unescaped, s...)
			}
			if !utf8.Valid(s) {
				p.fail("the text is not UTF-8")
			}
			p.at++
			return s
		case c == '\\':
			unescaped = append(unescaped, p.text[start:p.at]...)
			if unescaped = p.escape(unescaped); p.wrong != "" {
				return nil
			}
			start = p.at
		case c < ' ':
			p.fail("a control character in a text has to be escaped")
			return nil
		default:
			p.at++
		}
	}
	p.fail("the text has no end")
	return nil
}

const (
	escapes   = `"\/bfnrt`
	unescapes = "\"\\/\b\f\n\r\t"
)

func (p *parser) escape(s []byte) []byte {
	p.at++
	if r := p.unit(); r >= 0 {
		if utf16.IsSurrogate(r) {
			before := p.at
			second := rune(-1)
			if p.accept(`\`) {
				second = p.unit()
			}
			if r = utf16.DecodeRune(r, second); r == utf8.RuneError {
				p.at = before // half a surrogate pair, which UTF-8 cannot hold
			}
		}
		return utf8.AppendRune(s, r)
	}
	if n := bytes.IndexByte([]byte(escapes), p.peek()); n >= 0 && p.wrong == "" {
		p.at++
		return append(s, unescapes[n])
	}
	p.fail("there is no such escape")
	return s
}

// unit reads u and four hexadecimal digits; -1 if they are not there.
func (p *parser) unit() rune {
	if len(p.text)-p.at < 5 || p.text[p.at] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(p.text[p.at+1:p.at+5]), 16, 32)
	if err != nil {
		return -1
	}
	p.at += 5
	return rune(n)
}
