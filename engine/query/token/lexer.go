package token

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A lexer cuts UTF-8 text into tokens.
type lexer struct {
	text string
	pos  int
	sql  bool
	err  *Error // the reason for the first Bad token
}

func (l *lexer) bad(pos int, message string) Token {
	if l.err == nil {
		l.err = At(l.text, pos, message)
	}
	return Token{Kind: Bad, Pos: pos}
}

// signs lists the longer ones first, so that >= is not read as >.
var signs = []string{"==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ":"}

// hints say what to write instead of a character that starts no token.
var hints = map[byte]string{
	'&': `expected "and", found "&"`,
	'|': `expected "or", found "|"`,
	'!': `expected "not" or "!=", found "!"`,
	';': `expected one condition, found ";"`,
	'-': "expected a number after the dash; a name with a dash in it goes in back-quotes: `first-name`",
	'.': "expected a digit or a name before the dot",
}

// sqlSigns are the signs that only SQL has.
var sqlSigns = []string{"||", "->>", "->", "<<", ">>", "+", "-", "*", "/", "%", "?", ";", ".", "@", "&", "|", "~"}

func (l *lexer) next() Token {
	if open := l.skipSpace(); open >= 0 {
		return l.bad(open, "expected */ to end the comment that starts here")
	}
	start, rest := l.pos, l.text[l.pos:]
	if rest == "" {
		return Token{Kind: End, Pos: start}
	}
	switch c := rest[0]; {
	case c == '\'' && l.sql:
		return l.sqlText(start)
	case c == '\'' || c == '"' && !l.sql:
		return l.quotedText(c)
	case l.sql && len(rest) > 1 && c|0x20 == 'x' && rest[1] == '\'':
		return l.blob()
	case l.sql && len(rest) > 1 && c == '.' && rest[1] >= '0' && rest[1] <= '9' && (start == 0 || l.text[start-1] != ']'):
		return l.number()
	case c >= '0' && c <= '9' || c == '-' && !l.sql && len(rest) > 1 && isDigitOrInf(rest[1:]):
		return l.number()
	}
	if r, _ := utf8.DecodeRuneInString(rest); l.quotesName(rest[0]) || startsName(r) {
		return l.name()
	}
	if sign := l.sign(rest); sign != "" {
		l.pos += len(sign)
		return Token{Kind: Sign, Text: sign, Pos: start}
	}
	if hint, ok := hints[rest[0]]; ok {
		return l.bad(start, hint)
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return l.bad(start, "expected a name, a value or an operator, found the character "+string(r)+", which has a meaning only in quotes")
}

// skipSpace skips white space and, in SQL, comments. It returns where a comment
// starts that does not end; else -1.
func (l *lexer) skipSpace() (open int) {
	for {
		l.pos += len(l.text[l.pos:]) - len(strings.TrimLeftFunc(l.text[l.pos:], unicode.IsSpace))
		rest := l.text[l.pos:]
		end := ""
		switch {
		case l.sql && strings.HasPrefix(rest, "--"):
			end = "\n"
		case l.sql && strings.HasPrefix(rest, "/*"):
			end = "*/"
		default:
			return -1
		}
		length := strings.Index(rest[2:], end)
		switch {
		case length >= 0:
			l.pos += 2 + length + len(end)
		case end == "\n":
			l.pos = len(l.text)
		default:
			return l.pos
		}
	}
}

// sign returns the sign that rest starts with; "" for none.
func (l *lexer) sign(rest string) string {
	if l.sql { // first, because << is no <
		for _, sign := range sqlSigns {
			if strings.HasPrefix(rest, sign) {
				return sign
			}
		}
	}
	for _, sign := range signs {
		if strings.HasPrefix(rest, sign) {
			return sign
		}
	}
	return ""
}

// quotesName reports whether c starts and ends a name.
func (l *lexer) quotesName(c byte) bool { return c == '`' || c == '"' && l.sql }

func isDigitOrInf(s string) bool {
	return s[0] >= '0' && s[0] <= '9' || len(s) >= 3 && strings.EqualFold(s[:3], "inf")
}

func startsName(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) }

func continuesName(r rune) bool {
	return startsName(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// number reads a number, and all that looks like a part of one, so that 12abc
// is one wrong token rather than two.
func (l *lexer) number() Token {
	start := l.pos
	l.pos++
	for l.pos < len(l.text) {
		r, size := utf8.DecodeRuneInString(l.text[l.pos:])
		sign := (r == '-' || r == '+') && (l.text[l.pos-1] == 'e' || l.text[l.pos-1] == 'E')
		if !sign && r != '.' && !continuesName(r) {
			break
		}
		l.pos += size
	}
	text := l.text[start:l.pos]
	if l.sql {
		text = completed(text)
	}
	if !isNumber(text) && !(l.sql && isHex(text)) {
		return l.bad(start, "expected a number, found "+Clipped(text)+"; text goes in quotes, and a name that starts with a digit in back-quotes")
	}
	return Token{Kind: Number, Text: text, Pos: start}
}

// completed returns a number of SQL with a digit on both sides of the point.
func completed(text string) string {
	whole, fraction, ok := strings.Cut(text, ".")
	if !ok {
		return text
	}
	if whole == "" {
		whole = "0"
	}
	if fraction == "" || fraction[0]|0x20 == 'e' {
		fraction = "0" + fraction
	}
	return whole + "." + fraction
}

// isHex reports whether text is a whole number of 64 bits in hex digits, as 0x1F.
func isHex(text string) bool {
	if len(text) < 3 || text[0] != '0' || text[1]|0x20 != 'x' {
		return false
	}
	_, err := strconv.ParseUint(text[2:], 16, 64)
	return err == nil
}

// sqlText reads text in single quotes, in which only a quote is doubled.
func (l *lexer) sqlText(start int) Token {
	end := l.closing('\'')
	if end < 0 {
		return l.bad(start, "expected a second ' to end the text that starts here")
	}
	l.pos = end + 1
	return Token{Kind: String, Text: strings.ReplaceAll(l.text[start+1:end], "''", "'"), Pos: start}
}

// blob reads bytes in hex digits, as x'00ff'.
func (l *lexer) blob() Token {
	start := l.pos
	l.pos++
	digits := l.sqlText(start + 1)
	if digits.Kind == Bad {
		return digits
	}
	content, ok := Unhexed(digits.Text)
	if !ok {
		return l.bad(start, "expected pairs of hex digits between the quotes, as in x'00ff'")
	}
	return Token{Kind: Blob, Text: string(content), Pos: start}
}

// Unhexed returns the bytes that pairs of hex digits stand for; false if text is
// something else.
func Unhexed(text string) (content []byte, ok bool) {
	if len(text)%2 != 0 {
		return nil, false
	}
	content = make([]byte, len(text)/2)
	for i := range content {
		n, err := strconv.ParseUint(text[2*i:2*i+2], 16, 8)
		if err != nil || text[2*i] == '+' {
			return nil, false
		}
		content[i] = byte(n)
	}
	return content, true
}

// isNumber reports whether text is -?digits(.digits)?(e[+-]?digits)? or -inf.
// Other things that strconv reads, like 0x1p-2 or 1_000, are refused: each
// would be one more thing to explain.
func isNumber(text string) bool {
	rest := strings.TrimPrefix(text, "-")
	if strings.EqualFold(rest, "inf") {
		return true
	}
	digits := func() bool {
		before := rest
		rest = strings.TrimLeft(rest, "0123456789")
		return len(rest) < len(before)
	}
	if !digits() {
		return false
	}
	if after, ok := strings.CutPrefix(rest, "."); ok {
		if rest = after; !digits() {
			return false
		}
	}
	if rest != "" && (rest[0] == 'e' || rest[0] == 'E') {
		if rest = rest[1:]; rest != "" && (rest[0] == '+' || rest[0] == '-') {
			rest = rest[1:]
		}
		if !digits() {
			return false
		}
	}
	return rest == ""
}

// name reads names joined by dots. Each is an identifier, or anything in
// back-quotes (in SQL also in double quotes). From the second on, a name may
// also be a number.
func (l *lexer) name() Token {
	t := Token{Kind: Name, Pos: l.pos}
	var text []byte
	for first := true; ; first = false {
		start := l.pos
		if l.pos < len(l.text) && l.quotesName(l.text[l.pos]) {
			t.Quoted = t.Quoted || first
			quote := l.text[l.pos]
			end := l.closing(quote)
			if end < 0 {
				return l.bad(start, "expected a second "+quoteNames[quote]+" to end the name that starts here")
			}
			one := string(rune(quote))
			text = append(text, strings.ReplaceAll(l.text[start+1:end], one+one, one)...)
			l.pos = end + 1
		} else {
			for l.pos < len(l.text) {
				r, size := utf8.DecodeRuneInString(l.text[l.pos:])
				if !continuesName(r) {
					break
				}
				l.pos += size
			}
			if l.pos == start && !first {
				return l.bad(start, "expected a name after the dot")
			}
			text = append(text, l.text[start:l.pos]...)
		}
		rest := l.text[l.pos:]
		if !strings.HasPrefix(rest, ".") || l.sql && strings.HasPrefix(rest, ".*") {
			t.Text = string(text)
			return t
		}
		text = append(text, '.')
		l.pos++
	}
}

var quoteNames = map[byte]string{'`': "back-quote", '"': "double quote"}

// closing returns the position of the quote that closes the one at l.pos; -1 if
// there is none. Two quotes in a row stand for one inside.
func (l *lexer) closing(quote byte) int {
	for i := l.pos + 1; i < len(l.text); i++ {
		if l.text[i] != quote {
			continue
		}
		if i+1 == len(l.text) || l.text[i+1] != quote {
			return i
		}
		i++
	}
	return -1
}

// quotedText reads text in quotes. A doubled quote stands for one; \n \r \t \\
// \' \" and \uXXXX are escapes. Any other backslash is only a backslash:
// otherwise every regular expression would need two.
func (l *lexer) quotedText(quote byte) Token {
	start := l.pos
	var text []byte
	for i := start + 1; i < len(l.text); {
		c := l.text[i]
		switch {
		case c == quote && i+1 < len(l.text) && l.text[i+1] == quote:
			text = append(text, quote)
			i += 2
		case c == quote:
			l.pos = i + 1
			return Token{Kind: String, Text: string(text), Pos: start}
		case c != '\\' || i+1 == len(l.text):
			text = append(text, c)
			i++
		case l.text[i+1] == 'u':
			r, size := unicodeEscape(l.text[i:])
			if size == 0 {
				return l.bad(i, "expected \\u and the four hex digits of a character, or of the two halves of a surrogate pair")
			}
			text = utf8.AppendRune(text, r)
			i += size
		default:
			if plain, ok := escapes[l.text[i+1]]; ok {
				text = append(text, plain)
			} else {
				text = append(text, '\\', l.text[i+1])
			}
			i += 2
		}
	}
	return l.bad(start, "expected a second "+string(rune(quote))+" to end the text that starts here")
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '\'': '\'', '"': '"'}

// unicodeEscape reads \uXXXX, or the two of a surrogate pair; size is 0 if s
// does not start with either.
func unicodeEscape(s string) (r rune, size int) {
	high, ok := hex4(s)
	switch {
	case !ok, high >= 0xdc00 && high <= 0xdfff:
		return 0, 0
	case high < 0xd800 || high > 0xdfff:
		return high, 6
	}
	low, ok := hex4(s[6:])
	if !ok || low < 0xdc00 || low > 0xdfff {
		return 0, 0
	}
	return (high-0xd800)<<10 + (low - 0xdc00) + 0x10000, 12
}

func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}
