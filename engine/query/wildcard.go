package query

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
)

// A Wildcard is a pattern of SQL's LIKE or GLOB. It is matched as it is: as a regular
// expression, in which each letter has two cases, it takes four times as long.
type Wildcard struct {
	parts   []wildPart
	anyCase bool // of ASCII letters, as LIKE in SQLite
	stars   int
}

// A wildPart matches any text, or one character.
type wildPart struct {
	kind wildKind
	char rune   // wildChar
	set  []rune // wildSet: pairs, of the first and the last of a range
	not  bool   // wildSet: any character but those
}

type wildKind uint8

const (
	wildChar wildKind = iota
	wildOne           // any character
	wildSet
	wildAny // any text
)

// ParseLike reads a pattern of LIKE, in which % is any text and _ any character, unless
// escape stands before them; it is -1 for none.
func ParseLike(pattern string, escape rune) (*Wildcard, error) {
	w := &Wildcard{anyCase: true}
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped || r != '%' && r != '_' && r != escape:
			w.add(wildPart{kind: wildChar, char: lowered(r)})
			escaped = false
		case r == escape:
			escaped = true
		case r == '%':
			w.add(wildPart{kind: wildAny})
		default:
			w.add(wildPart{kind: wildOne})
		}
	}
	if escaped {
		return nil, errors.New("expected a character after the last escape character")
	}
	return w, w.check(pattern)
}

// TextInAnyCase returns the pattern that text alone matches, its ASCII letters in any
// case.
func TextInAnyCase(text string) *Wildcard {
	w := &Wildcard{anyCase: true}
	for _, r := range text {
		w.add(wildPart{kind: wildChar, char: lowered(r)})
	}
	return w
}

// ParseGlob reads a pattern of GLOB, in which * is any text, ? any character, and [a-c]
// or [^a-c] one of a set. It compares case.
func ParseGlob(pattern string) (*Wildcard, error) {
	w := &Wildcard{}
	for rest := pattern; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
		switch r {
		case '*':
			w.add(wildPart{kind: wildAny})
		case '?':
			w.add(wildPart{kind: wildOne})
		case '[':
			part, after, ok := parseSet(rest)
			if !ok {
				return nil, errors.New("expected a ] after the [ in the pattern; the character [ itself is [[]")
			}
			rest = after
			w.add(part)
		default:
			w.add(wildPart{kind: wildChar, char: r})
		}
	}
	return w, w.check(pattern)
}

// parseSet reads a set after its [. A ] that comes first belongs to the set.
func parseSet(text string) (part wildPart, rest string, ok bool) {
	part.kind = wildSet
	if text, ok = strings.CutPrefix(text, "^"); ok {
		part.not = true
	}
	end := strings.IndexByte(text, ']')
	if end == 0 {
		if end = strings.IndexByte(text[1:], ']'); end >= 0 {
			end++
		}
	}
	if end < 0 {
		return part, "", false
	}
	chars := []rune(text[:end])
	for i := 0; i < len(chars); i++ {
		last := chars[i]
		if i+2 < len(chars) && chars[i+1] == '-' {
			last = chars[i+2]
			if chars[i] <= last { // else it holds nothing
				part.set = append(part.set, chars[i], last)
			}
			i += 2
			continue
		}
		part.set = append(part.set, last, last)
	}
	return part, text[end+1:], true
}

func (w *Wildcard) add(part wildPart) {
	if n := len(w.parts); part.kind == wildAny {
		if n > 0 && w.parts[n-1].kind == wildAny {
			return
		}
		w.stars++
	}
	w.parts = append(w.parts, part)
}

func (w *Wildcard) check(pattern string) error {
	if len(pattern) > MaxPatternBytes {
		return errors.New("the pattern is too long: it has " + strconv.Itoa(len(pattern)) + " bytes, and " + strconv.Itoa(MaxPatternBytes) + " are allowed")
	}
	return nil
}

func lowered(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func isLetter(r rune) bool { return lowered(r) >= 'a' && lowered(r) <= 'z' }

// Match reports whether the whole of text matches. spend, unless it is nil, is called
// while that takes long; see [Filter.Stoppable].
func (w *Wildcard) Match(text []byte, spend func(units int)) bool {
	at, star, mark, steps := 0, -1, 0, 0
	for pos := 0; pos < len(text); {
		if at < len(w.parts) {
			part := &w.parts[at]
			if part.kind == wildAny {
				star, mark = at, pos
				if at++; at == len(w.parts) {
					return true
				}
				continue
			}
			r, size := rune(text[pos]), 1
			if r >= utf8.RuneSelf {
				r, size = utf8.DecodeRune(text[pos:])
			}
			if part.matches(r, w.anyCase) {
				pos += size
				at++
				continue
			}
		}
		if star < 0 {
			return false
		}
		if steps++; steps%stepsOfWildcard == 0 && spend != nil {
			spend(stepsOfWildcard * (1 + len(w.parts)/16) / 8)
		}
		// The last % takes one character more.
		_, size := utf8.DecodeRune(text[mark:])
		mark += size
		pos, at = mark, star+1
	}
	for at < len(w.parts) && w.parts[at].kind == wildAny {
		at++
	}
	return at == len(w.parts)
}

// stepsOfWildcard is after how many steps of a search spend is called.
const stepsOfWildcard = 1024

func (part *wildPart) matches(r rune, anyCase bool) bool {
	switch part.kind {
	case wildOne:
		return true
	case wildSet:
		for i := 0; i < len(part.set); i += 2 {
			if r >= part.set[i] && r <= part.set[i+1] {
				return !part.not
			}
		}
		return part.not
	}
	return r == part.char || anyCase && lowered(r) == part.char
}

// Like holds where p reaches a string that w matches. A pattern that is a text, or the
// start of one, in one case, becomes an equality or StartsWith, which indexes answer.
func Like(p Path, w *Wildcard) *Filter {
	plain := make([]rune, 0, len(w.parts))
	for _, part := range w.parts {
		if part.kind != wildChar || w.anyCase && isLetter(part.char) {
			break
		}
		plain = append(plain, part.char)
	}
	text := string(plain)
	switch rest := w.parts[len(plain):]; {
	case len(rest) == 0:
		return Eq(p, msgpack.AppendString(nil, text))
	case len(rest) == 1 && rest[0].kind == wildAny:
		return StartsWith(p, text)
	}
	return &Filter{Op: OpMatches, Path: p, Pattern: w.regexp(), regexp: &pattern{wildcard: w, prefix: text, parts: w.stars}}
}

// regexp is the same pattern in RE2 syntax, by which it is printed and compared.
func (w *Wildcard) regexp() string {
	var b strings.Builder
	b.WriteString("(?s)^")
	for _, part := range w.parts {
		switch {
		case part.kind == wildAny:
			b.WriteString(".*")
		case part.kind == wildOne:
			b.WriteByte('.')
		case part.kind == wildSet:
			part.appendSet(&b)
		case w.anyCase && isLetter(part.char):
			b.WriteString("[" + string(part.char) + strings.ToUpper(string(part.char)) + "]")
		default:
			writeQuoted(&b, part.char)
		}
	}
	b.WriteByte('$')
	return b.String()
}

func (part *wildPart) appendSet(b *strings.Builder) {
	switch {
	case len(part.set) == 0 && part.not:
		b.WriteByte('.')
		return
	case len(part.set) == 0:
		b.WriteString(`[^\x00-\x{10FFFF}]`)
		return
	}
	b.WriteByte('[')
	if part.not {
		b.WriteByte('^')
	}
	for i := 0; i < len(part.set); i += 2 {
		writeQuoted(b, part.set[i])
		b.WriteByte('-')
		writeQuoted(b, part.set[i+1])
	}
	b.WriteByte(']')
}

func writeQuoted(b *strings.Builder, r rune) {
	if r < utf8.RuneSelf && strings.ContainsRune(`\.+*?()|[]{}^$-`, r) {
		b.WriteByte('\\')
	}
	b.WriteRune(r)
}
