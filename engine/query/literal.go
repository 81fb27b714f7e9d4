package query

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// value reads a value of a text condition as MessagePack. depth is how many
// arrays and maps it lies in.
func (p *textParser) value(depth int) ([]byte, error) {
	t := p.token
	switch {
	case t.kind == tokenString:
		p.next()
		return msgpack.AppendString(nil, t.text), nil
	case t.kind == tokenNumber:
		number, ok := parseNumber(t.text)
		if !ok {
			return nil, p.fault(t, "expected a number, found one too large to hold; infinity is written inf")
		}
		p.next()
		return number, nil
	case p.take("null"):
		return msgpack.AppendNil(nil), nil
	case p.take("true"):
		return msgpack.AppendBool(nil, true), nil
	case p.take("false"):
		return msgpack.AppendBool(nil, false), nil
	case p.take("nan"):
		return msgpack.AppendFloat(nil, math.NaN()), nil
	case p.take("inf"):
		return msgpack.AppendFloat(nil, math.Inf(1)), nil
	case t.is("date"):
		return p.call(p.date)
	case t.is("bytes"):
		return p.call(p.bytes)
	case t.isSign("["), t.isSign("{"):
		if depth == maxDepth {
			return nil, p.fault(t, "expected at most "+strconv.Itoa(maxDepth)+" arrays and maps inside one another")
		}
		p.next()
		if t.text == "[" {
			return p.array(depth + 1)
		}
		return p.object(depth + 1)
	case t.kind == tokenName:
		return nil, p.expectedLike("a value", "text goes in quotes")
	}
	return nil, p.expectedLike("a value", "values are text in quotes, numbers, true, false, null, date('…'), bytes('…'), [lists] and {maps: …}")
}

// parseNumber returns an integer where text is written as one and fits, else a
// float; false if that would be infinite without saying so.
func parseNumber(text string) ([]byte, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return msgpack.AppendInt(nil, n), true
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return msgpack.AppendUint(nil, n), true
	}
	x, err := strconv.ParseFloat(text, 64)
	return msgpack.AppendFloat(nil, x), err == nil
}

// string reads a string; what says what it is, should there be none.
func (p *textParser) string(what string) (string, error) {
	t := p.token
	if t.kind != tokenString {
		return "", p.expected(what)
	}
	p.next()
	return t.text, nil
}

// list reads values up to the closing sign; the opening one has been read.
func (p *textParser) list(closing string, depth int) (values [][]byte, err error) {
	if p.takeSign(closing) {
		return nil, nil
	}
	for {
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		if p.takeSign(closing) {
			return values, nil
		}
		if !p.takeSign(",") {
			return nil, p.expected(`"," or "` + closing + `"`)
		}
	}
}

func (p *textParser) array(depth int) ([]byte, error) {
	values, err := p.list("]", depth)
	if err != nil {
		return nil, err
	}
	array := msgpack.AppendArray(nil, len(values))
	for _, v := range values {
		array = append(array, v...)
	}
	return array, nil
}

// object reads a map; its opening brace has been read.
func (p *textParser) object(depth int) ([]byte, error) {
	var body []byte
	count := 0
	for !p.takeSign("}") {
		if count > 0 && !p.takeSign(",") {
			return nil, p.expected(`"," or "}"`)
		}
		t := p.token
		isKey := t.kind == tokenString || t.kind == tokenName && !t.quoted && !strings.Contains(t.text, ".")
		switch {
		case !isKey:
			return nil, p.expectedLike("a key", "as in {a: 1, 'b c': 2}")
		case t.text == "__proto__":
			return nil, p.fault(t, "expected a key, found __proto__, which no document can have")
		}
		p.next()
		if !p.takeSign(":") {
			return nil, p.expected(`":" and a value`)
		}
		v, err := p.value(depth)
		if err != nil {
			return nil, err
		}
		body = append(msgpack.AppendString(body, t.text), v...)
		count++
	}
	return append(msgpack.AppendMap(nil, count), body...), nil
}

// call reads the name of a literal, which comes next, and its argument in
// parentheses, which it gives to read.
func (p *textParser) call(read func(argument token) (value []byte, err error)) ([]byte, error) {
	name := p.token.text
	p.next()
	if !p.takeSign("(") {
		return nil, p.expected(`"(" after ` + name)
	}
	v, err := read(p.token)
	if err != nil {
		return nil, err
	}
	p.next()
	if !p.takeSign(")") {
		return nil, p.expected(`")"`)
	}
	return v, nil
}

func (p *textParser) date(t token) ([]byte, error) {
	switch t.kind {
	case tokenString:
		when, wrong := parseDate(t.text)
		if wrong != "" {
			return nil, p.fault(t, "expected "+dateForm+", found "+string(appendText(nil, clipped(t.text)))+", which "+wrong)
		}
		return appendTime(nil, when), nil
	case tokenNumber:
		if millis, err := strconv.ParseInt(t.text, 10, 64); err == nil {
			return msgpack.AppendDate(nil, millis), nil
		}
	}
	return nil, p.expected(dateForm + " or whole milliseconds since 1970")
}

func (p *textParser) bytes(t token) ([]byte, error) {
	if t.kind == tokenString {
		if content, err := base64.StdEncoding.DecodeString(t.text); err == nil {
			return msgpack.AppendBin(nil, content), nil
		}
	}
	return nil, p.expectedLike("base64 in quotes", "its length is padded with = to a multiple of four")
}
