package query

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// maxDepth is how many conditions may be nested in one another, and how many
// containers in a value: hostile input must not run the stack out, above all
// not in wasm, where that ends the instance.
const maxDepth = 100

// ParseText reads a condition written as text:
//
//	age >= 18 and (name matches '^J' or not city in ('Oslo', 'Bergen'))
//
// Keywords may be in any case; not binds tighter than and, and that tighter
// than or. The error is an [*Error].
//
//	condition = condition "or" condition | condition "and" condition | "not" condition
//	          | "(" condition ")" | "true" | "false" | leaf
//	leaf      = path ("=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=") value
//	          | path "is" ["not"] "null"
//	          | path ["not"] word
//	word      = "in" "(" [value {"," value}] ")" | "between" value "and" value
//	          | "matches" string | "startsWith" string | "contains" value
//	          | "exists" | "type" name | "size" number | "any" "(" condition ")"
//	path      = name {"." name}; inside any, "this" is the element itself
//	name      = identifier | "`" anything "`" | digits, but not first
//	value     = string | number | "true" | "false" | "null" | "nan" | ["-"] "inf"
//	          | "date" "(" string | number ")" | "bytes" "(" string ")"
//	          | "[" [value {"," value}] "]" | "{" [key ":" value {"," key ":" value}] "}"
//	key       = identifier | string
//
// A string is in single or double quotes; see lexer.go for its escapes. date
// takes ISO 8601 or milliseconds since 1970, and bytes takes base64.
func ParseText(text string) (*Filter, error) {
	if !utf8.ValidString(text) {
		at := 0
		for i, r := range text {
			if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
				at = i
				break
			}
		}
		return nil, errorAt(text[:at], at, "expected UTF-8, found the byte 0x"+strconv.FormatUint(uint64(text[at]), 16))
	}
	p := textParser{lexer: lexer{text: text}}
	return p.whole()
}

// whole reads the text from its start to its end.
func (p *textParser) whole() (*Filter, error) {
	p.next()
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.token.kind != tokenEnd {
		return nil, p.expected("and, or, or the end of the text")
	}
	return f, nil
}

// A textParser descends one method per level of precedence. token is the one
// not yet consumed.
type textParser struct {
	lexer lexer
	token token
	depth int // parentheses open
	inAny int // of them, those of an any
}

func (p *textParser) next() { p.token = p.lexer.next() }

// take consumes the keyword if it comes next.
func (p *textParser) take(keyword string) bool {
	if !p.token.is(keyword) {
		return false
	}
	p.next()
	return true
}

// takeSign consumes the sign if it comes next.
func (p *textParser) takeSign(sign string) bool {
	if !p.token.isSign(sign) {
		return false
	}
	p.next()
	return true
}

func (p *textParser) expected(what string) error {
	return p.fault(p.token, "expected "+what+", found "+p.token.found())
}

// fault places message at t, unless the lexer knows better what is wrong there.
func (p *textParser) fault(t token, message string) error {
	if t.kind == tokenBad {
		return p.lexer.err
	}
	return errorAt(p.lexer.text, t.pos, message)
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
		if !p.take(word) {
			return join(kids...), nil
		}
	}
}

func (p *textParser) not() (*Filter, error) {
	negate := false
	for p.take("not") {
		negate = !negate
	}
	f, err := p.primary()
	if err == nil && negate {
		f = Not(f)
	}
	return f, err
}

func (p *textParser) primary() (*Filter, error) {
	switch {
	case p.token.isSign("("):
		return p.parenthesis()
	case p.take("true"):
		return True(), nil
	case p.take("false"):
		return False(), nil
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	return p.leaf(path)
}

func (p *textParser) parenthesis() (*Filter, error) {
	if p.depth == maxDepth {
		return nil, p.fault(p.token, "expected at most "+strconv.Itoa(maxDepth)+" conditions inside one another")
	}
	if !p.takeSign("(") {
		return nil, p.expected("( and a condition")
	}
	p.depth++
	f, err := p.or()
	p.depth--
	if err == nil && !p.takeSign(")") {
		return nil, p.expected("and, or, or )")
	}
	return f, err
}

func (p *textParser) path() (Path, error) {
	t := p.token
	switch {
	case t.kind == tokenString:
		return Path{}, p.fault(t, "expected a field name, found "+t.found()+"; the field comes first, and needs no quotes or else back-quotes")
	case t.kind == tokenNumber:
		return Path{}, p.fault(t, "expected a field name, found "+t.found()+"; the field comes first: age >= 18")
	case t.kind != tokenName:
		return Path{}, p.expected("a condition, like age >= 18")
	case isReserved(t.text) && !t.quoted && !t.is("this"):
		return Path{}, p.fault(t, "expected a condition, found "+t.found()+"; a field of that name goes in back-quotes")
	}
	text := t.text
	if name, rest, dotted := strings.Cut(text, "."); !t.quoted && strings.EqualFold(name, "this") {
		if p.inAny == 0 {
			return Path{}, p.fault(t, "expected a field name; this is the element inside any (...), a field of that name goes in back-quotes")
		}
		if !dotted {
			p.next()
			return Path{}, nil
		}
		text = rest
	}
	if why := badPath(text); why != "" {
		return Path{}, p.fault(t, "expected a field name; "+why)
	}
	p.next()
	return ParsePath(text), nil
}

// badPath says what is wrong with a path of one name or more; "" if nothing is.
func badPath(text string) string {
	switch {
	case text == "":
		return "this one is empty"
	case text[0] == '.' || text[len(text)-1] == '.' || strings.Contains(text, ".."):
		return "this one has a dot without a name before or after it"
	}
	return ""
}

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
			return nil, p.expected("null after is; other values compare with = and !=")
		}
		f := Eq(path, msgpack.AppendNil(nil))
		if negate {
			f = Not(f)
		}
		return f, nil
	}
	if p.take("not") {
		f, err := p.word(path, "one of "+knownWords+" after not")
		if err != nil {
			return nil, err
		}
		return Not(f), nil
	}
	return p.word(path, "an operator after "+clipped(path.String())+" ("+knownSigns+", is, not, "+knownWords+")")
}

// word reads an operator that is a word, and what belongs to it; expected says
// what belongs here if there is none.
func (p *textParser) word(path Path, expected string) (*Filter, error) {
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
	return nil, p.expected(expected)
}

func (p *textParser) in(path Path) (*Filter, error) {
	if !p.takeSign("(") {
		return nil, p.expected("( and a list of values")
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
		return nil, p.expected("and, then the upper end of between")
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
		return nil, p.fault(at, "expected a regular expression, found "+err.Error())
	}
	return f, nil
}

func (p *textParser) isType(path Path) (*Filter, error) {
	t, known := typeNamed(strings.ToLower(p.token.text))
	if p.token.kind != tokenName || !known {
		return nil, p.expected("a type (" + knownTypes + ")")
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
