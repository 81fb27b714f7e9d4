package query

import (
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
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
	if compare, ok := comparisons[p.token.text]; ok && p.token.kind == tokenSign {
		p.next()
		value, err := p.value(0)
		if err != nil {
			return nil, err
		}
		return compare(path, value), nil
	}
	if p.take("is") {
		negate := p.take("not")
		if !p.take("null") {
			return nil, p.expectedLike(`"null"`, "other values compare with = and !=")
		}
		f := Eq(path, msgpack.AppendNil(nil))
		if negate {
			f = Not(f)
		}
		return f, nil
	}
	if p.take("not") {
		return complement(p.word(path, true))
	}
	return p.word(path, false)
}

// word reads an operator that is a word, and what belongs to it.
func (p *textParser) word(path Path, negated bool) (*Filter, error) {
	switch {
	case p.take("in"):
		return p.in(path)
	case p.take("between"):
		return p.between(path)
	case p.take("matches"):
		return p.matches(path)
	case p.take("startsWith"):
		prefix, err := p.string("the text it starts with, in quotes")
		if err != nil {
			return nil, err
		}
		return StartsWith(path, prefix), nil
	case p.take("contains"):
		value, err := p.value(0)
		if err != nil {
			return nil, err
		}
		return Contains(path, value), nil
	case p.take("exists"):
		return Exists(path), nil
	case p.take("type"):
		return p.isType(path)
	case p.take("size"):
		return p.size(path)
	case p.take("any"):
		p.inAny++
		element, err := p.parenthesis()
		p.inAny--
		if err != nil {
			return nil, err
		}
		return Any(path, element), nil
	}
	if negated {
		return nil, p.expectedLike("an operator", "after not comes one of "+knownWords)
	}
	return nil, p.expectedLike("an operator after "+clipped(path.String()), "the operators are "+knownSigns+", is, not, "+knownWords)
}

func (p *textParser) in(path Path) (*Filter, error) {
	if !p.takeSign("(") {
		return nil, p.expected(`"(" and a list of values`)
	}
	values, err := p.list(")", 0)
	if err != nil {
		return nil, err
	}
	return In(path, values), nil
}

func (p *textParser) between(path Path) (*Filter, error) {
	low, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if !p.take("and") {
		return nil, p.expected(`"and" between the two ends`)
	}
	high, err := p.value(0)
	if err != nil {
		return nil, err
	}
	return Between(path, low, high), nil
}

func (p *textParser) matches(path Path) (*Filter, error) {
	at := p.token
	text, err := p.string("a regular expression in quotes")
	if err != nil {
		return nil, err
	}
	f, err := Matches(path, text)
	if err != nil {
		return nil, p.fault(at, err.Error())
	}
	return f, nil
}

func (p *textParser) isType(path Path) (*Filter, error) {
	t, known := typeNamed(strings.ToLower(p.token.text))
	if p.token.kind != tokenName || !known {
		return nil, p.expectedLike("a type", "the types are "+knownTypes)
	}
	p.next()
	return IsType(path, t), nil
}

func (p *textParser) size(path Path) (*Filter, error) {
	size, err := strconv.ParseInt(p.token.text, 10, 32)
	if p.token.kind != tokenNumber || err != nil || size < 0 {
		return nil, p.expected("a whole number of elements after size")
	}
	p.next()
	return HasSize(path, int(size)), nil
}
