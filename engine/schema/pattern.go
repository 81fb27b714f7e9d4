package schema

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A pattern is a regular expression of ECMA-262, as JSON Schema has it, in the engine
// of RE2. The two are nearly one language; translate writes what differs.
type pattern struct {
	text       string
	translated string // as RE2
	regexp     *regexp.Regexp
	parts      int // each may take time for each character of a text
	// What the pattern is if it is only text and perhaps ^ before it: comparing takes a
	// tenth of the time.
	literal   string
	fromStart bool
	isLiteral bool
}

const (
	maxPattern = 10_000 // bytes
	maxParts   = 50_000 // of all patterns of a schema, when their repetitions are written out
)

// compilePattern also returns of how many parts a pattern consists, each of which
// takes time for each character of a text, or why it is refused.
func compilePattern(text string) (p *pattern, parts int, why string) {
	p, why = readPattern(text)
	if why != "" || p.isLiteral {
		return p, 0, why
	}
	parsed, err := syntax.Parse(p.translated, syntax.Perl)
	if err != nil {
		return nil, 0, "is no regular expression: " + syntaxText(err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, 0, "is no regular expression: " + syntaxText(err)
	}
	if parts = len(program.Inst); parts > maxParts {
		return nil, parts, ""
	}
	if p.regexp, err = regexp.Compile(p.translated); err != nil {
		return nil, 0, "is no regular expression: " + syntaxText(err)
	}
	p.parts = parts
	return p, parts, ""
}

// readPattern returns a pattern that is not compiled yet.
func readPattern(text string) (*pattern, string) {
	if len(text) > maxPattern {
		return nil, "is a pattern of " + itoa(len(text)) + " bytes; the limit is " + itoa(maxPattern)
	}
	p := &pattern{text: text}
	if rest := strings.TrimPrefix(text, "^"); !strings.ContainsAny(rest, `\^$.*+?()[]{}|`) {
		p.literal, p.fromStart, p.isLiteral = rest, rest != text, true
		return p, ""
	}
	t := translator{rest: text}
	t.all()
	switch {
	case t.wrong != "":
		return nil, "is no regular expression: " + t.wrong
	case t.beyond != "":
		return nil, "has " + t.beyond + ", which AtomicDB cannot search for: its patterns are matched in linear time, by RE2"
	}
	p.translated = string(t.out)
	return p, ""
}

func syntaxText(err error) string {
	var fault *syntax.Error
	if errors.As(err, &fault) {
		return string(fault.Code) + ": " + clipped(fault.Expr)
	}
	return err.Error()
}

// isPattern reports whether text is a regular expression of ECMA-262, also one that
// compilePattern refuses.
func isPattern(text []byte) bool {
	if len(text) > maxPattern {
		return false
	}
	t := translator{rest: string(text)}
	t.all()
	if t.wrong != "" {
		return false
	}
	_, err := syntax.Parse(string(t.out), syntax.Perl)
	return err == nil
}

func (p *pattern) match(text []byte) bool {
	switch {
	case !p.isLiteral:
		return p.regexp.Match(text)
	case p.fromStart:
		return len(text) >= len(p.literal) && string(text[:len(p.literal)]) == p.literal
	}
	return strings.Contains(string(text), p.literal)
}

// A translator writes a pattern of ECMA-262, with its flag u, as one of RE2. What
// RE2 has not is in beyond, and something else of the same syntax in out.
type translator struct {
	rest   string
	out    []byte
	wrong  string
	beyond string
}

// What \s stands for, which in RE2 is ASCII alone, and what is left.
const (
	spaces    = `\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`
	notSpaces = `\x{0}-\x{8}\x{e}-\x{1f}!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}`
)

//go:noinline
func (t *translator) fail(why string) {
	if t.wrong == "" {
		t.wrong = why
	}
	t.rest = ""
}

//go:noinline
func (t *translator) refuse(what string) {
	if t.beyond == "" {
		t.beyond = what
	}
}

//go:noinline
func (t *translator) write(s string) { t.out = append(t.out, s...) }

// take removes a prefix if it is there.
//
//go:noinline
func (t *translator) take(prefix string) bool {
	if !strings.HasPrefix(t.rest, prefix) {
		return false
	}
	t.rest = t.rest[len(prefix):]
	return true
}

func (t *translator) all() {
	for t.rest != "" {
		switch c := t.rest[0]; c {
		case '\\':
			t.rest = t.rest[1:]
			t.escape(false)
		case '[':
			t.rest = t.rest[1:]
			t.class()
		case '(':
			t.rest = t.rest[1:]
			t.group()
		case '.':
			t.rest = t.rest[1:]
			t.write(`[^\n\r\x{2028}\x{2029}]`)
		default:
			t.out = append(t.out, c)
			t.rest = t.rest[1:]
		}
	}
}

// group writes what begins with a parenthesis.
func (t *translator) group() {
	switch {
	case !strings.HasPrefix(t.rest, "?"), strings.HasPrefix(t.rest, "?:"):
		t.write("(")
	case t.take("?="), t.take("?!"):
		t.refuse("look-ahead")
		t.write("(?:")
	case t.take("?<="), t.take("?<!"):
		t.refuse("look-behind")
		t.write("(?:")
	case t.take("?<"):
		name, rest, ok := cut(t.rest, ">")
		if !ok || name == "" || isDigit(name[0]) || strings.ContainsAny(name, `()[]{}*+?.,-|^/\ `) {
			t.fail("a group has a name that is none")
			return
		}
		t.rest = rest
		t.write("(") // nobody asks for the name
	default:
		// (?i:…) and (?i-s:…), but not (?i) nor what other languages have.
		end := strings.IndexAny(t.rest, ":()")
		if end < 2 || t.rest[end] != ':' || strings.Trim(t.rest[1:end], "ims-") != "" {
			t.fail("(" + clipped(t.rest) + " is no group of ECMA-262")
			return
		}
		t.write("(" + t.rest[:end+1])
		t.rest = t.rest[end+1:]
	}
}

// class writes what is in brackets.
func (t *translator) class() {
	switch {
	case t.take("^]"):
		t.write(`(?s:.)`)
		return
	case t.take("]"):
		t.write(`[^\x{0}-\x{10ffff}]`)
		return
	}
	t.write("[")
	if t.take("^") {
		t.write("^")
	}
	for {
		switch {
		case t.rest == "":
			t.fail("a [ is not closed")
			return
		case t.take("]"):
			t.write("]")
			return
		case t.take("["):
			t.write(`\[`)
		case t.take(`\`):
			t.escape(true)
		default:
			t.out = append(t.out, t.rest[0])
			t.rest = t.rest[1:]
		}
		if t.wrong != "" {
			return
		}
	}
}

// escape writes what follows a backslash.
func (t *translator) escape(inClass bool) {
	if t.rest == "" {
		t.fail("it ends with a backslash")
		return
	}
	c := t.rest[0]
	t.rest = t.rest[1:]
	switch {
	case strings.IndexByte("dDwWtnvfr", c) >= 0, !inClass && (c == 'b' || c == 'B'):
		t.out = append(t.out, '\\', c)
	case c == 'b':
		t.write(`\x08`)
	case c == 's' && inClass:
		t.write(spaces)
	case c == 'S' && inClass:
		t.write(notSpaces)
	case c == 's':
		t.write("[" + spaces + "]")
	case c == 'S':
		t.write("[" + notSpaces + "]")
	case c == '0' && (t.rest == "" || !isDigit(t.rest[0])):
		t.character(0)
	case isDigit(c) && !inClass:
		for t.rest != "" && isDigit(t.rest[0]) {
			t.rest = t.rest[1:]
		}
		t.refuse("a back-reference")
		t.write("(?:)")
	case c == 'k' && !inClass:
		_, rest, ok := cut(t.rest, ">")
		if !ok || t.rest[0] != '<' {
			t.fail(`\k has no name`)
			return
		}
		t.rest = rest
		t.refuse("a back-reference")
		t.write("(?:)")
	case c == 'c' && t.rest != "" && isLetter(t.rest[0]):
		t.character(rune(t.rest[0] & 0x1f))
		t.rest = t.rest[1:]
	case c == 'x':
		if r, ok := t.hex(2); ok {
			t.character(r)
		}
	case c == 'u':
		t.unicode()
	case c == 'p' || c == 'P':
		t.property(c)
	case isLetter(c) || isDigit(c):
		t.fail(`\` + string(c) + " is no escape of ECMA-262")
	case c < utf8.RuneSelf:
		t.character(rune(c))
	default:
		t.out = append(t.out, c) // the first byte of a character that stands for itself
	}
}

// character writes a character by its number.
//
//go:noinline
func (t *translator) character(r rune) {
	t.write(`\x{` + strconv.FormatInt(int64(r), 16) + "}")
}

func (t *translator) hex(digits int) (rune, bool) {
	if len(t.rest) >= digits {
		if n, err := strconv.ParseUint(t.rest[:digits], 16, 32); err == nil {
			t.rest = t.rest[digits:]
			return rune(n), true
		}
	}
	t.fail("an escape has too few hexadecimal digits")
	return 0, false
}

// unicode writes \u1234, \u{12345}, and two surrogates as one character.
func (t *translator) unicode() {
	if t.take("{") {
		digits, rest, ok := cut(t.rest, "}")
		n, err := strconv.ParseUint(digits, 16, 32)
		if !ok || err != nil || n > utf8.MaxRune {
			t.fail(`\u{ is not followed by the number of a character`)
			return
		}
		t.rest = rest
		t.character(rune(n))
		return
	}
	r, ok := t.hex(4)
	if !ok {
		return
	}
	if utf16.IsSurrogate(r) && t.take(`\u`) {
		low, ok := t.hex(4)
		if !ok {
			return
		}
		r = utf16.DecodeRune(r, low)
	}
	if utf16.IsSurrogate(r) {
		r = utf8.RuneError // text never has half a character
	}
	t.character(r)
}

// property writes \p{…}, whose names RE2 has too.
func (t *translator) property(c byte) {
	name, rest, ok := cut(t.rest, "}")
	if !ok || name == "" || name[0] != '{' {
		t.fail(`\` + string(c) + " has no name in braces")
		return
	}
	name = name[1:]
	for _, kind := range []string{"Script=", "sc=", "Script_Extensions=", "scx=", "General_Category=", "gc="} {
		name = strings.TrimPrefix(name, kind)
	}
	if _, err := syntax.Parse(`\p{`+name+"}", syntax.Perl); err != nil {
		t.refuse(`\p{` + clipped(name) + "}")
		name = "L"
	}
	t.rest = rest
	t.write(`\` + string(c) + "{" + name + "}")
}
