package httpapi

import (
	"math"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage/docfile"
)

// maxDepth is how deep JSON may be nested: gjson's check calls itself for each level, so
// this is looked at first. Documents may be less deep, which the engine checks.
const maxDepth = 400

// packJSON returns one value of JSON as MessagePack.
func packJSON(name string, b []byte) ([]byte, error) {
	if isTooDeep(b) {
		return nil, invalid(name, "it is nested more than "+strconv.Itoa(maxDepth)+" levels deep")
	}
	if !gjson.ValidBytes(b) { // gjson itself expects sound JSON
		return nil, invalid(name, "it is not JSON")
	}
	p := packer{name: name}
	out := p.value(nil, gjson.ParseBytes(b), false)
	return out, p.err
}

// isTooDeep counts brackets outside of strings.
func isTooDeep(b []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

type packer struct {
	name string
	err  error
}

// value appends v. isLiteral says that an object with one key stands for itself.
func (p *packer) value(out []byte, v gjson.Result, isLiteral bool) []byte {
	switch {
	case v.Type == gjson.Null:
		return msgpack.AppendNil(out)
	case v.Type == gjson.True || v.Type == gjson.False:
		return msgpack.AppendBool(out, v.Type == gjson.True)
	case v.Type == gjson.String:
		return msgpack.AppendString(out, v.Str)
	case v.Type == gjson.Number:
		return p.number(out, v.Raw)
	case v.IsArray():
		n, body := 0, []byte(nil)
		v.ForEach(func(_, element gjson.Result) bool {
			body = p.value(body, element, false)
			n++
			return p.err == nil
		})
		return append(msgpack.AppendArray(out, n), body...)
	}
	return p.object(out, v, isLiteral)
}

func (p *packer) object(out []byte, v gjson.Result, isLiteral bool) []byte {
	n, body, only, content := 0, []byte(nil), "", []byte(nil)
	seen := map[string]bool{}
	v.ForEach(func(key, value gjson.Result) bool {
		if seen[key.Str] && p.err == nil {
			p.err = invalid(p.name, "an object has the name "+strconv.Quote(key.Str)+" twice")
		}
		seen[key.Str] = true
		body = msgpack.AppendString(body, key.Str)
		start := len(body)
		body = p.value(body, value, n == 0 && !isLiteral && key.Str == "$literal")
		only, content = key.Str, body[start:]
		n++
		return p.err == nil
	})
	if n == 1 && !isLiteral {
		if special, ok := docfile.SpecialOf(only, content); ok {
			if special == nil && p.err == nil {
				p.err = invalid(p.name, "this is no "+only)
			}
			return append(out, special...)
		}
	}
	return append(msgpack.AppendMap(out, n), body...)
}

// number appends a number: an integer if it is written as one and has 64 bits.
func (p *packer) number(out []byte, raw string) []byte {
	if n, err := strconv.ParseInt(raw, 10, 64); err == nil && raw != "-0" {
		return msgpack.AppendInt(out, n)
	}
	if n, err := strconv.ParseUint(raw, 10, 64); err == nil {
		return msgpack.AppendUint(out, n)
	}
	x, err := strconv.ParseFloat(raw, 64)
	if (err != nil || math.IsInf(x, 0)) && p.err == nil {
		p.err = invalid(p.name, "the number "+raw[:min(len(raw), 40)]+" is too large")
	}
	return msgpack.AppendFloat(out, x)
}
