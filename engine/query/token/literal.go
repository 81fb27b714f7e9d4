package token

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// Value reads a literal as MessagePack. depth is how many arrays and maps are
// around it.
func (r *Reader) Value(depth int) ([]byte, error) {
	t := r.Token
	switch {
	case t.Kind == String:
		r.Next()
		return msgpack.AppendString(nil, t.Text), nil
	case t.Kind == Blob:
		r.Next()
		return msgpack.AppendBin(nil, []byte(t.Text)), nil
	case t.Kind == Number:
		number, ok := parseNumber(t.Text)
		if !ok {
			return nil, r.tooLarge(t)
		}
		r.Next()
		return number, nil
	case t.IsSign("-"): // only in SQL; text has it in the number
		return r.negative()
	case r.Take("null"):
		return msgpack.AppendNil(nil), nil
	case r.Take("true"):
		return msgpack.AppendBool(nil, true), nil
	case r.Take("false"):
		return msgpack.AppendBool(nil, false), nil
	case r.Take("nan"):
		return msgpack.AppendFloat(nil, math.NaN()), nil
	case r.Take("inf"):
		return msgpack.AppendFloat(nil, math.Inf(1)), nil
	case t.Is("date"):
		return r.call(r.date)
	case t.Is("bytes"):
		return r.call(r.bytes)
	case t.IsSign("["), t.IsSign("{"):
		if depth == MaxDepth {
			return nil, r.Fault(t, "expected at most "+strconv.Itoa(MaxDepth)+" arrays and maps inside one another")
		}
		r.Next()
		if t.Text == "[" {
			return r.array(depth + 1)
		}
		return r.object(depth + 1)
	case t.Kind == Name:
		return nil, r.ExpectedLike("a value", "text goes in quotes")
	}
	return nil, r.ExpectedLike("a value", "values are text in quotes, numbers, true, false, null, date('…'), bytes('…'), [lists] and {maps: …}")
}

// negative reads a number after its dash.
func (r *Reader) negative() ([]byte, error) {
	r.Next()
	t := r.Token
	if t.Is("inf") {
		r.Next()
		return msgpack.AppendFloat(nil, math.Inf(-1)), nil
	}
	if t.Kind != Number {
		return nil, r.Expected("a number after the dash")
	}
	t.Text = "-" + t.Text
	number, ok := parseNumber(t.Text)
	if !ok {
		return nil, r.tooLarge(t)
	}
	r.Next()
	return number, nil
}

func (r *Reader) tooLarge(t Token) error {
	return r.Fault(t, "expected a number, found one too large to hold; infinity is written inf")
}

// parseNumber returns an integer if text is written as one and fits, else a
// float; false if text is too large and does not say inf.
func parseNumber(text string) ([]byte, bool) {
	if digits := strings.TrimPrefix(text, "-"); isHex(digits) {
		bits, err := strconv.ParseUint(digits[2:], 16, 64)
		n := int64(bits)
		if len(digits) < len(text) {
			n = -n
		}
		return msgpack.AppendInt(nil, n), err == nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return msgpack.AppendInt(nil, n), true
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return msgpack.AppendUint(nil, n), true
	}
	x, err := strconv.ParseFloat(text, 64)
	return msgpack.AppendFloat(nil, x), err == nil
}

// Quoted reads a string. what names it in the error if something else comes
// next.
func (r *Reader) Quoted(what string) (string, error) {
	t := r.Token
	if t.Kind != String {
		return "", r.Expected(what)
	}
	r.Next()
	return t.Text, nil
}

// List reads values up to the closing sign; the opening one has been read.
func (r *Reader) List(closing string, depth int) (values [][]byte, err error) {
	if r.TakeSign(closing) {
		return nil, nil
	}
	for {
		v, err := r.Value(depth)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		if r.TakeSign(closing) {
			return values, nil
		}
		if !r.TakeSign(",") {
			return nil, r.Expected(`"," or "` + closing + `"`)
		}
	}
}

func (r *Reader) array(depth int) ([]byte, error) {
	values, err := r.List("]", depth)
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
func (r *Reader) object(depth int) ([]byte, error) {
	var body []byte
	count := 0
	for !r.TakeSign("}") {
		if count > 0 && !r.TakeSign(",") {
			return nil, r.Expected(`"," or "}"`)
		}
		t := r.Token
		isKey := t.Kind == String || t.Kind == Name && !t.Quoted && !strings.Contains(t.Text, ".")
		switch {
		case !isKey:
			return nil, r.ExpectedLike("a key", "as in {a: 1, 'b c': 2}")
		case t.Text == "__proto__":
			return nil, r.Fault(t, "expected a key, found __proto__, which no document can have")
		}
		r.Next()
		if !r.TakeSign(":") {
			return nil, r.Expected(`":" and a value`)
		}
		v, err := r.Value(depth)
		if err != nil {
			return nil, err
		}
		body = append(msgpack.AppendString(body, t.Text), v...)
		count++
	}
	return append(msgpack.AppendMap(nil, count), body...), nil
}

// call reads a literal like date('…'): its name, which comes next, and in
// parentheses its argument, by read.
func (r *Reader) call(read func(argument Token) (value []byte, err error)) ([]byte, error) {
	name := r.Token.Text
	r.Next()
	if !r.TakeSign("(") {
		return nil, r.Expected(`"(" after ` + name)
	}
	v, err := read(r.Token)
	if err != nil {
		return nil, err
	}
	r.Next()
	if !r.TakeSign(")") {
		return nil, r.Expected(`")"`)
	}
	return v, nil
}

func (r *Reader) date(t Token) ([]byte, error) {
	switch t.Kind {
	case String:
		when, wrong := ParseDate(t.Text)
		if wrong != "" {
			return nil, r.Fault(t, "expected "+dateForm+", found "+string(AppendText(nil, Clipped(t.Text)))+", which "+wrong)
		}
		return AppendTime(nil, when), nil
	case Number:
		if millis, err := strconv.ParseInt(t.Text, 10, 64); err == nil {
			return msgpack.AppendDate(nil, millis), nil
		}
	}
	return nil, r.Expected(dateForm + " or whole milliseconds since 1970")
}

func (r *Reader) bytes(t Token) ([]byte, error) {
	if t.Kind == String {
		if content, err := base64.StdEncoding.DecodeString(t.Text); err == nil {
			return msgpack.AppendBin(nil, content), nil
		}
	}
	return nil, r.ExpectedLike("base64 in quotes", "its length is padded with = to a multiple of four")
}
