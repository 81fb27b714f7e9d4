package sql

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A castType is what CAST makes of a value.
type castType int

const (
	castNumeric castType = iota
	castInteger
	castReal
	castText
	castBlob
)

// castNamed returns the type that SQLite takes a name for: what counts is which words are
// in it.
func castNamed(name string) castType {
	name = strings.ToLower(name)
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(name, word) {
				return true
			}
		}
		return false
	}
	switch {
	case has("int"):
		return castInteger
	case has("char", "clob", "text", "string"):
		return castText
	case has("blob", "binary"):
		return castBlob
	case has("real", "floa", "doub"):
		return castReal
	}
	return castNumeric
}

// cast reads CAST (value AS type), from its parenthesis on.
func (p *parser) cast(start int) (*expr, error) {
	p.Next()
	p.Next()
	of, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.must("as"); err != nil {
		return nil, err
	}
	var words []string
	for p.Token.Kind == token.Name {
		words = append(words, p.Token.Text)
		p.Next()
	}
	if words == nil {
		return nil, p.ExpectedLike("a type", "as in CAST (x AS INTEGER), REAL, TEXT, BLOB or NUMERIC")
	}
	if p.TakeSign("(") { // VARCHAR(20): what stands there means nothing
		for p.Token.Kind == token.Number || p.Token.IsSign(",") {
			p.Next()
		}
		if err := p.mustSign(")"); err != nil {
			return nil, err
		}
	}
	if err := p.mustSign(")"); err != nil {
		return nil, err
	}
	return p.made(start, &expr{op: opCast, index: int(castNamed(strings.Join(words, " "))), kids: []*expr{of}}), nil
}

// of returns v as the type; null for what it cannot be.
func (c castType) of(v []byte) []byte {
	if isNull(v) {
		return null
	}
	switch c {
	case castText:
		text, ok := textOf(asNumberValue(v))
		if !ok {
			return null
		}
		return textValue(text)
	case castBlob:
		content, ok := bytesOf(asNumberValue(v))
		if !ok {
			return null
		}
		return msgpack.AppendBin(nil, []byte(content))
	}
	n := numericOf(v)
	switch {
	case n == nil:
		return null
	case c == castReal:
		return floatValue(msgpack.Float(n))
	case c == castInteger && (msgpack.IsDouble(n) || msgpack.KindOf(v) == msgpack.String || msgpack.KindOf(v) == msgpack.Bytes):
		return msgpack.AppendInt(nil, integerOf(v))
	case msgpack.IsDouble(n) && msgpack.KindOf(v) != msgpack.Number: // '2.0' is 2
		if w, ok := msgpack.WholeOfFloat(msgpack.Float(n)); ok && w.IsSafe() {
			return w.Append(nil)
		}
	}
	return n
}
