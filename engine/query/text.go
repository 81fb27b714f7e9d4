package query

import (
	"strconv"
	"strings"
	"unicode/utf8"
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
		return nil, p.expected(`"and", "or" or the end of the text`)
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

func (p *textParser) expected(what string) error { return p.expectedLike(what, "") }

// expectedLike adds a hint to what was expected and what was found.
func (p *textParser) expectedLike(what, hint string) error {
	if hint != "" {
		hint = "; " + hint
	}
	return p.fault(p.token, "expected "+what+", found "+p.token.found()+hint)
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
		return nil, p.expected(`"(" and a condition`)
	}
	p.depth++
	f, err := p.or()
	p.depth--
	if err == nil && !p.takeSign(")") {
		return nil, p.expected(`"and", "or" or ")"`)
	}
	return f, err
}

func (p *textParser) path() (Path, error) {
	t := p.token
	switch {
	case t.kind == tokenString:
		return Path{}, p.expectedLike("a field name", "field names stand first, without quotes or in back-quotes")
	case t.kind == tokenNumber:
		return Path{}, p.expectedLike("a field name", "field names stand first, as in age >= 18")
	case t.kind != tokenName:
		return Path{}, p.expectedLike("a condition", "one is written like age >= 18")
	case isReserved(t.text) && !t.quoted && !t.is("this"):
		return Path{}, p.expectedLike("a condition", "a field of that name goes in back-quotes")
	}
	text := t.text
	if name, rest, dotted := strings.Cut(text, "."); !t.quoted && sameWord(name, "this") {
		if p.inAny == 0 {
			return Path{}, p.fault(t, `expected a field name; "this" is the element inside any (…), and a field of that name goes in back-quotes`)
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
