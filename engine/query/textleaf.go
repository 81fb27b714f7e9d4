package query

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// leaf reads what comes after a path.
func (p *textParser) leaf(path Path) (*Filter, error) {
	if o := TakeSign(&p.Reader); o != nil {
		return p.operands(o, path)
	}
	if p.Take("is") {
		negate := p.Take("not")
		if !p.Take("null") {
			return nil, p.ExpectedLike(`"null"`, "other values compare with = and !=")
		}
		f := Eq(path, msgpack.AppendNil(nil))
		if negate {
			f = Not(f)
		}
		return f, nil
	}
	negate := p.Take("not")
	switch o := TakeWord(&p.Reader); {
	case o != nil && negate:
		return complement(p.operands(o, path))
	case o != nil:
		return p.operands(o, path)
	case negate:
		return nil, p.ExpectedLike("an operator", "after not comes one of "+KnownWords())
	}
	return nil, p.ExpectedLike("an operator after "+token.Clipped(path.String()),
		"the operators are "+strings.Join(knownSigns, ", ")+", is, not, "+KnownWords())
}

// operands reads what o takes.
func (p *textParser) operands(o *Operator, path Path) (*Filter, error) {
	start := p.Token
	given := Operands{Yes: true}
	var err error
	switch o.Takes {
	case TakesValue:
		given.Value, err = p.Value(0)
	case TakesEnds:
		if given.Value, err = p.Value(0); err != nil {
			return nil, err
		}
		if !p.Take("and") {
			return nil, p.Expected(`"and" between the two ends`)
		}
		given.High, err = p.Value(0)
	case TakesList:
		if !p.TakeSign("(") {
			return nil, p.Expected(`"(" and a list of values`)
		}
		given.Values, err = p.list()
	case TakesText:
		given.Text, err = p.Quoted("text in quotes")
	case TakesPattern:
		given.Text, err = p.Quoted("a regular expression in quotes")
	case TakesType:
		given.Type, err = TakeType(&p.Reader)
	case TakesSize:
		size, fault := strconv.ParseInt(p.Token.Text, 10, 32)
		if p.Token.Kind != token.Number || fault != nil || size < 0 {
			return nil, p.Expected("a whole number of elements after " + o.Text)
		}
		given.Size = int(size)
		p.Next()
	case TakesCondition:
		p.inAny++
		given.Element, err = p.parenthesis()
		p.inAny--
	}
	if err != nil {
		return nil, err
	}
	f, err := p.collation.leaf(o, path, given)
	if err != nil {
		return nil, p.Fault(start, err.Error())
	}
	return f, nil
}

// missing is the word for a missing field, which only a list may have.
const missing = "missing"

// list reads the values of an in-list; its opening parenthesis has been read.
func (p *textParser) list() (values [][]byte, err error) {
	if p.TakeSign(")") {
		return nil, nil
	}
	for {
		var v []byte
		if !p.Take(missing) {
			if v, err = p.Value(0); err != nil {
				return nil, err
			}
		}
		values = append(values, v)
		if p.TakeSign(")") {
			return values, nil
		}
		if !p.TakeSign(",") {
			return nil, p.Expected(`"," or ")"`)
		}
	}
}

// TakeType consumes the name of a type.
func TakeType(r *token.Reader) (Type, error) {
	t, known := TypeNamed(strings.ToLower(r.Token.Text))
	if r.Token.Kind != token.Name || !known {
		return 0, r.ExpectedLike("a type", "the types are "+KnownTypes)
	}
	r.Next()
	return t, nil
}
