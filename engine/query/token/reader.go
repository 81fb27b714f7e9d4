package token

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how many conditions or expressions may be nested in one another,
// and how many containers in a value. Hostile input must not use up the stack:
// in wasm that ends the instance.
const MaxDepth = 100

// A Reader takes a text apart. Parsers embed it and descend, one method per
// level of precedence.
type Reader struct {
	Token    Token // the one that comes next
	Consumed int   // where the token before it ended
	lexer    lexer
	reserved []string
}

// A Dialect is what text conditions and SQL spell differently.
type Dialect struct {
	// SQL is SQL: text in double quotes is a name, a dash is an operator, and
	// two start a comment.
	SQL bool
	// Reserved are the words that errors call words rather than names.
	Reserved []string
}

// NewReader returns a Reader at the first token of text, or an error if text
// is not UTF-8, or too long.
func NewReader(text string, d Dialect) (Reader, error) {
	if len(text) > MaxTextBytes {
		return Reader{}, At("", 0, "expected at most "+strconv.Itoa(MaxTextBytes)+" bytes of text; long lists and values go into parameters or filters")
	}
	if !utf8.ValidString(text) {
		at := 0
		for i, r := range text {
			if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD") {
				at = i
				break
			}
		}
		return Reader{}, At(text[:at], at, "expected UTF-8, found the byte 0x"+strconv.FormatUint(uint64(text[at]), 16))
	}
	r := Reader{lexer: lexer{text: text, sql: d.SQL}, reserved: d.Reserved}
	r.Next()
	return r, nil
}

// Text returns what is read.
func (r *Reader) Text() string { return r.lexer.text }

// Next goes on to the next token.
func (r *Reader) Next() {
	r.Consumed = r.lexer.pos
	r.Token = r.lexer.next()
}

// Peek returns the token after the next.
func (r *Reader) Peek() Token {
	ahead := r.lexer
	return ahead.next()
}

// Take consumes the keyword if it comes next.
func (r *Reader) Take(keyword string) bool {
	if !r.Token.Is(keyword) {
		return false
	}
	r.Next()
	return true
}

// TakeSign consumes the sign if it comes next.
func (r *Reader) TakeSign(sign string) bool {
	if !r.Token.IsSign(sign) {
		return false
	}
	r.Next()
	return true
}

// Expected is the error for a next token that is something else.
//
//go:noinline
func (r *Reader) Expected(what string) error { return r.ExpectedLike(what, "") }

// ExpectedLike adds a hint to what was expected and what was found.
func (r *Reader) ExpectedLike(what, hint string) error {
	if hint != "" {
		hint = "; " + hint
	}
	return r.Fault(r.Token, "expected "+what+", found "+r.Token.found(r.reserved)+hint)
}

// Fault places message at t, unless the lexer knows better what is wrong there.
//
//go:noinline
func (r *Reader) Fault(t Token, message string) error {
	if t.Kind == Bad {
		return r.lexer.err
	}
	return At(r.lexer.text, t.Pos, message)
}
