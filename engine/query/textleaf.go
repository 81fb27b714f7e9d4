package query

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// comparisons are the signs, which cannot be negated by a not before them.
var comparisons = map[string]func(Path, []byte) *Filter{
	"=": Eq, "==": Eq, ">": Gt, ">=": Gte, "<": Lt, "<=": Lte, "!=": notEq, "<>": notEq,
}

func notEq(p Path, value []byte) *Filter { return Not(Eq(p, value)) }

const (
	knownSigns = "=, !=, <, <=, >, >="
	knownWords = "in, between, matches, startsWith, contains, exists, type, size, any"
)

// leaf reads what comes after a path.
func (p *textParser) leaf(path Path) (*Filter, error) {
	if compare, ok := comparisons[p.Token.Text]; ok && p.Token.Kind == token.Sign {
		p.Next()
		value, err := p.Value(0)
		if err != nil {
			return nil, err
		}
		return compare(path, value), nil
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
	if p.Take("not") {
		return complement(p.word(path, true))
	}
	return p.word(path, false)
}

// word reads an operator that is a word, and what belongs to it.
func (p *textParser) word(path Path, negated bool) (*Filter, error) {
	switch {
	case p.Take("in"):
		return p.in(path)
	case p.Take("between"):
		return p.between(path)
	case p.Take("matches"):
		return p.matches(path)
	case p.Take("startsWith"):
		prefix, err := p.Quoted("the text it starts with, in quotes")
		if err != nil {
			return nil, err
		}
		return StartsWith(path, prefix), nil
	case p.Take("contains"):
		value, err := p.Value(0)
		if err != nil {
			return nil, err
		}
		return Contains(path, value), nil
	case p.Take("exists"):
		return Exists(path), nil
	case p.Take("type"):
		return p.isType(path)
	case p.Take("size"):
		return p.size(path)
	case p.Take("any"):
		p.inAny++
		element, err := p.parenthesis()
		p.inAny--
		if err != nil {
			return nil, err
		}
		return Any(path, element), nil
	}
	if negated {
		return nil, p.ExpectedLike("an operator", "after not comes one of "+knownWords)
	}
	return nil, p.ExpectedLike("an operator after "+token.Clipped(path.String()), "the operators are "+knownSigns+", is, not, "+knownWords)
}

func (p *textParser) in(path Path) (*Filter, error) {
	if !p.TakeSign("(") {
		return nil, p.Expected(`"(" and a list of values`)
	}
	values, err := p.List(")", 0)
	if err != nil {
		return nil, err
	}
	return In(path, values), nil
}

func (p *textParser) between(path Path) (*Filter, error) {
	low, err := p.Value(0)
	if err != nil {
		return nil, err
	}
	if !p.Take("and") {
		return nil, p.Expected(`"and" between the two ends`)
	}
	high, err := p.Value(0)
	if err != nil {
		return nil, err
	}
	return Between(path, low, high), nil
}

func (p *textParser) matches(path Path) (*Filter, error) {
	at := p.Token
	text, err := p.Quoted("a regular expression in quotes")
	if err != nil {
		return nil, err
	}
	f, err := Matches(path, text)
	if err != nil {
		return nil, p.Fault(at, err.Error())
	}
	return f, nil
}

func (p *textParser) isType(path Path) (*Filter, error) {
	t, known := TypeNamed(strings.ToLower(p.Token.Text))
	if p.Token.Kind != token.Name || !known {
		return nil, p.ExpectedLike("a type", "the types are "+KnownTypes)
	}
	p.Next()
	return IsType(path, t), nil
}

func (p *textParser) size(path Path) (*Filter, error) {
	size, err := strconv.ParseInt(p.Token.Text, 10, 32)
	if p.Token.Kind != token.Number || err != nil || size < 0 {
		return nil, p.Expected("a whole number of elements after size")
	}
	p.Next()
	return HasSize(path, int(size)), nil
}
