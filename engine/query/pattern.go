package query

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// A pattern is a compiled regular expression. Most of those that people write
// are a literal with or without anchors. They are compared as text: in wasm it
// takes 25 ns to find that "^J" does not match, and package regexp takes 160
// ns.
type pattern struct {
	regexp  *regexp.Regexp
	literal []byte // if isLiteral, what must be found
	prefix  string // what every match starts with, if that is easy to tell
	fromStart,
	toEnd,
	isLiteral bool
	parts int       // unless isLiteral, each may take time for each character of a text
	spend func(int) // of a Stoppable filter

	wildcard *Wildcard // what is matched instead, if it is not nil
}

// A regular expression takes time for each of its parts and each character of a
// text. MaxPatternBytes is how long one may be, and MaxPatternParts of how many parts
// it may consist when its repetitions are written out.
const (
	MaxPatternBytes = 32 << 10
	MaxPatternParts = 50_000
)

// compile refuses what is not RE2, or too large; the error says why.
func compile(text string) (*pattern, error) {
	if len(text) > MaxPatternBytes {
		return nil, errors.New("the regular expression is too long: it has " + strconv.Itoa(len(text)) + " bytes, and " + strconv.Itoa(MaxPatternBytes) + " are allowed")
	}
	p := &pattern{}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err == nil {
		parsed = parsed.Simplify()
		p.simplify(parsed)
		if program, err := syntax.Compile(parsed); err == nil && !p.isLiteral {
			p.parts = len(program.Inst)
		}
	}
	if p.parts > MaxPatternParts {
		return nil, errors.New("the regular expression is too large: it has " + strconv.Itoa(p.parts) + " parts, and " + strconv.Itoa(MaxPatternParts) + " are allowed")
	}
	if p.regexp, err = regexp.Compile(text); err != nil {
		return nil, errors.New(refusal(err))
	}
	return p, nil
}

// refusal is the text of a syntax error. It names the dialect, because most
// refused patterns are valid in JavaScript.
func refusal(err error) string {
	why := err.Error()
	var fault *syntax.Error
	if errors.As(err, &fault) {
		why = string(fault.Code) + ": `" + token.Clipped(fault.Expr) + "`"
	}
	return "the regular expression is refused: " + why + "; its syntax is RE2, without look-around and back-references, and \\x{1F600} is a character by number"
}

// simplify recognises ^literal$, either anchor being optional.
func (p *pattern) simplify(parsed *syntax.Regexp) {
	parts := []*syntax.Regexp{parsed}
	if parsed.Op == syntax.OpConcat {
		parts = parsed.Sub
	}
	if len(parts) > 0 && parts[0].Op == syntax.OpBeginText {
		p.fromStart, parts = true, parts[1:]
	}
	if n := len(parts); n > 0 && parts[n-1].Op == syntax.OpEndText {
		p.toEnd, parts = true, parts[:n-1]
	}
	if p.fromStart && len(parts) > 0 && parts[0].Op == syntax.OpLiteral && parts[0].Flags&syntax.FoldCase == 0 {
		p.prefix = string(parts[0].Rune)
	}
	if len(parts) == 1 && parts[0].Op == syntax.OpLiteral && parts[0].Flags&syntax.FoldCase == 0 {
		p.isLiteral, p.literal = true, []byte(string(parts[0].Rune))
	}
}

// Prefix returns what every string starts with in which f, a Matches, finds its
// pattern: "Jan" for ^Jan(e|et)$. It is empty if that is not easy to tell.
func (f *Filter) Prefix() string { return f.regexp.prefix }

func (p *pattern) match(text []byte) bool {
	switch {
	case p.wildcard != nil:
		return p.wildcard.Match(text, p.spend)
	case !p.isLiteral && p.spend != nil && len(text)*p.parts > longSteps:
		return p.regexp.MatchReader(&stoppableText{text: text, spend: p.spend, units: 1 + p.parts/8})
	case !p.isLiteral:
		return p.regexp.Match(text)
	case p.fromStart && p.toEnd:
		return bytes.Equal(text, p.literal)
	case p.fromStart:
		return bytes.HasPrefix(text, p.literal)
	case p.toEnd:
		return bytes.HasSuffix(text, p.literal)
	}
	return bytes.Contains(text, p.literal)
}

// longSteps is how many steps, one for each part and byte, a search may take that cannot
// be stopped: some 0.1 s as js/wasm, where a step takes 90 ns at worst.
const longSteps = 1 << 20

// Parts returns of how many parts the regular expression of f, a Matches, consists: what
// it takes to search a text grows with them. It is 0 for one that is only a literal.
// Those of an expression are its operators and operands.
func (f *Filter) Parts() int {
	if f.Op == OpExpr {
		return f.expr.parts()
	}
	return f.regexp.parts
}

// Stoppable returns a filter of the same meaning that calls spend while it searches a long
// text for a regular expression, with the units of work of each character, and while it
// works out an expression, a unit being about 150 ns as js/wasm. spend may panic to stop the search. It returns f if there
// is nothing to search for.
func (f *Filter) Stoppable(spend func(units int)) *Filter {
	if f.Op == OpMatches {
		if f.regexp.isLiteral {
			return f
		}
		stoppable, p := *f, *f.regexp
		p.spend, stoppable.regexp = spend, &p
		return &stoppable
	}
	if f.Op == OpExpr {
		stoppable := *f
		stoppable.spend = spend
		return &stoppable
	}
	for i, kid := range f.Kids {
		if k := kid.Stoppable(spend); k != kid {
			stoppable := *f
			stoppable.Kids = slices.Clone(f.Kids)
			stoppable.Kids[i] = k
			for j := i + 1; j < len(f.Kids); j++ {
				stoppable.Kids[j] = f.Kids[j].Stoppable(spend)
			}
			return &stoppable
		}
	}
	return f
}

// A stoppableText hands its characters out one by one, and spends units for each.
type stoppableText struct {
	text  []byte
	spend func(int)
	units int
}

func (t *stoppableText) ReadRune() (r rune, size int, err error) {
	if len(t.text) == 0 {
		return 0, 0, io.EOF
	}
	t.spend(t.units)
	r, size = utf8.DecodeRune(t.text)
	t.text = t.text[size:]
	return r, size, nil
}
