package query

import (
	"bytes"
	"errors"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

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
}

// A regular expression takes time for each of its parts and each character of a
// text. MaxPatternBytes is how long one may be, and MaxPatternParts of how many parts
// it may consist when its repetitions are written out.
const (
	MaxPatternBytes = 32 << 10
	MaxPatternParts = 50_000
)

// checkSize refuses a regular expression that is too large.
func checkSize(text string) error {
	const small = 200
	if len(text) > MaxPatternBytes {
		return errors.New("the regular expression is too long: it has " + strconv.Itoa(len(text)) + " bytes, and " + strconv.Itoa(MaxPatternBytes) + " are allowed")
	}
	if len(text) < small && !strings.Contains(text, "{") {
		return nil
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil // which compile explains
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err == nil && len(program.Inst) > MaxPatternParts {
		return errors.New("the regular expression is too large: it has " + strconv.Itoa(len(program.Inst)) + " parts, and " + strconv.Itoa(MaxPatternParts) + " are allowed")
	}
	return nil
}

// compile refuses what is not RE2, or too large; the error says why.
func compile(text string) (*pattern, error) {
	if err := checkSize(text); err != nil {
		return nil, err
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		return nil, errors.New(refusal(err))
	}
	p := &pattern{regexp: compiled}
	if parsed, err := syntax.Parse(text, syntax.Perl); err == nil {
		p.simplify(parsed.Simplify())
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
