package query

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// maxDepth is how many conditions may be nested in one another.
const maxDepth = token.MaxDepth

// reserved are the words that, without back-quotes, cannot be a field's name.
var reserved = []string{"and", "or", "not", "true", "false", "this"}

// An Error says what is wrong with a condition, and where.
type Error = token.Error

// ParseText reads a condition written as text:
//
//	age >= 18 and (name matches '^J' or not city in ('Oslo', 'Bergen'))
//
// Keywords may be in any case. "not" binds tighter than "and", which binds
// tighter than "or". The error is an [*Error].
//
//	condition = condition "or" condition | condition "and" condition | "not" condition
//	          | "(" condition ")" | "true" | "false" | leaf | "expr" object
//	leaf      = path ("=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=") value
//	          | path "is" ["not"] "null"
//	          | path ["not"] word
//	word      = an operator of operators.go by its word, then what it takes: value,
//	            value "and" value, "(" [item {"," item}] ")", string, name, number,
//	            "(" condition ")" or nothing
//	item      = value | "missing", which a missing field is
//	path      = name {"." name}; inside any, "this" is the element itself
//	name      = identifier | "`" anything "`" | digits, but not first; in back-quotes, dots go
//	            between names, and "\." is a dot in a name
//	value     = string | number | "true" | "false" | "null" | "nan" | ["-"] "inf"
//	          | "date" "(" string | number ")" | "bytes" "(" string ")"
//	          | "[" [value {"," value}] "]" | "{" [key ":" value {"," key ":" value}] "}"
//	key       = identifier | string
//
// A string is in single or double quotes; see token/lexer.go for its escapes. date
// takes ISO 8601 or milliseconds since 1970, and bytes takes base64.
func ParseText(text string) (*Filter, error) { return parseText(text, 0, 0, new(int), Collation{}) }

// parseText reads a text that stands inside depth conditions, of which inAny
// are an any. terms counts conditions.
func parseText(text string, depth, inAny int, terms *int, collation Collation) (*Filter, error) {
	r, err := token.NewReader(text, token.Dialect{Reserved: reserved})
	if err != nil {
		return nil, err
	}
	p := textParser{Reader: r, depth: depth, inAny: inAny, terms: terms, collation: collation}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.Token.Kind != token.End {
		return nil, p.Expected(`"and", "or" or the end of the text`)
	}
	return f, nil
}

// A textParser descends one method per level of precedence.
type textParser struct {
	token.Reader
	depth int // open parentheses
	inAny int // how many of them belong to an any
	terms *int

	collation Collation
}

func (p *textParser) or() (*Filter, error)  { return p.chain("or", Or, (*textParser).and) }
func (p *textParser) and() (*Filter, error) { return p.chain("and", And, (*textParser).not) }

func (p *textParser) chain(word string, join func(...*Filter) *Filter, operand func(*textParser) (*Filter, error)) (*Filter, error) {
	var kids []*Filter
	for {
		kid, err := operand(p)
		if err != nil {
			return nil, err
		}
		kids = append(kids, kid)
		if !p.Take(word) {
			return join(kids...), nil
		}
	}
}

func (p *textParser) not() (*Filter, error) {
	negate := false
	for p.Take("not") {
		negate = !negate
	}
	f, err := p.primary()
	if err == nil && negate {
		f = Not(f)
	}
	return f, err
}

func (p *textParser) primary() (*Filter, error) {
	if *p.terms++; *p.terms > token.MaxTerms {
		return nil, p.Fault(p.Token, token.TooManyTerms("conditions in one; many values of a field go in a list"))
	}
	switch {
	case p.Token.IsSign("("):
		return p.parenthesis()
	case p.Take("true"):
		return True(), nil
	case p.Take("false"):
		return False(), nil
	}
	if p.Token.Is(expression) && p.Peek().IsSign("{") {
		return p.expr()
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	return p.leaf(path)
}

func (p *textParser) parenthesis() (*Filter, error) {
	if p.depth == maxDepth {
		return nil, p.Fault(p.Token, "expected at most "+strconv.Itoa(maxDepth)+" conditions inside one another")
	}
	if !p.TakeSign("(") {
		return nil, p.Expected(`"(" and a condition`)
	}
	p.depth++
	f, err := p.or()
	p.depth--
	if err == nil && !p.TakeSign(")") {
		return nil, p.Expected(`"and", "or" or ")"`)
	}
	return f, err
}

// expr reads an expression, which is written as in MongoDB's $expr.
func (p *textParser) expr() (*Filter, error) {
	start := p.Token
	p.Next()
	v, err := p.Value(0)
	if err != nil {
		return nil, err
	}
	f, err := parser{inAny: p.inAny > 0, terms: p.terms}.expr(v)
	if err != nil {
		var fault *Error
		if errors.As(err, &fault) && fault.Path != "" {
			return nil, p.Fault(start, "at "+fault.Path+": "+fault.Message)
		}
		return nil, p.Fault(start, fault.Message)
	}
	return f, nil
}

func (p *textParser) path() (Path, error) {
	t := p.Token
	switch {
	case t.Kind == token.String:
		return Path{}, p.ExpectedLike("a field name", "field names stand first, without quotes or in back-quotes")
	case t.Kind == token.Number:
		return Path{}, p.ExpectedLike("a field name", "field names stand first, as in age >= 18")
	case t.Kind != token.Name:
		return Path{}, p.ExpectedLike("a condition", "one is written like age >= 18")
	case token.IsWord(t.Text, reserved) && !t.Quoted && !t.Is("this"):
		return Path{}, p.ExpectedLike("a condition", "a field of that name goes in back-quotes")
	}
	text := t.Text
	if name, rest, dotted := strings.Cut(text, "."); !t.Quoted && token.SameWord(name, "this") {
		if p.inAny == 0 {
			return Path{}, p.Fault(t, `expected a field name; "this" is the element inside any (…), and a field of that name goes in back-quotes`)
		}
		if !dotted {
			p.Next()
			return Path{}, nil
		}
		text = rest
	}
	if p.inAny > 0 && t.Quoted && strings.HasPrefix(text, collationMark) { // the element, by a collation
		p.Next()
		return ParsePath(text), nil
	}
	if why := BadPath(text); why != "" {
		return Path{}, p.Fault(t, "expected a field name; "+why)
	}
	p.Next()
	return ParsePath(text), nil
}

// BadPath says what is wrong with a path of one name or more; "" if nothing is.
func BadPath(text string) string {
	text, _ = cutCollation(text)
	switch {
	case text == "":
		return "this one is empty"
	case (text[0] == '.' || text[len(text)-1] == '.' || strings.Contains(text, "..")) && slices.Contains(SplitPath(text), ""):
		return "this one has a dot without a name before or after it"
	}
	return CheckPath(text)
}
