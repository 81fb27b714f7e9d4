package token

import "strconv"

// Kind says what a token is.
type Kind uint8

// The kinds of tokens.
const (
	End    Kind = iota
	Name        // a word or a path; Text is without its quotes
	String      // Text is without its quotes and escapes
	Number      // Text is as written
	Blob        // only in SQL: Text are the bytes
	Sign        // brackets, the comparisons, and what else is no word
	Bad         // what no token starts with; the Reader has the error
)

// A Token is a piece of a text.
type Token struct {
	Kind   Kind
	Text   string
	Quoted bool // a name whose first part is in quotes, so no keyword
	Pos    int  // where it starts, in bytes
}

// Is reports whether t is the keyword word, in any case.
//
//go:noinline
func (t Token) Is(word string) bool {
	return t.Kind == Name && !t.Quoted && SameWord(t.Text, word)
}

// IsSign reports whether t is that sign.
//
//go:noinline
func (t Token) IsSign(sign string) bool { return t.Kind == Sign && t.Text == sign }

// SameWord compares ASCII letters without regard to case. strings.EqualFold
// would take "falſe" for a keyword, and it may be a field's name.
func SameWord(name, word string) bool {
	if len(name) != len(word) {
		return false
	}
	for i := range len(name) {
		if name[i]|0x20 != word[i]|0x20 {
			return false
		}
	}
	return true
}

// IsWord reports whether name is one of words.
func IsWord(name string, words []string) bool {
	for _, word := range words {
		if SameWord(name, word) {
			return true
		}
	}
	return false
}

// Clipped keeps a long name or text from burying the error it stands in.
func Clipped(s string) string {
	if runes := []rune(s); len(runes) > excerptSide {
		return string(runes[:excerptSide-1]) + "…"
	}
	return s
}

// found describes t in an error; reserved are the words that are no names.
func (t Token) found(reserved []string) string {
	switch t.Kind {
	case End:
		return "the end of the text"
	case Name:
		if !t.Quoted && IsWord(t.Text, reserved) {
			return "the word " + strconv.Quote(t.Text)
		}
		return "the name " + Clipped(t.Text)
	case String:
		return "the text " + string(AppendText(nil, Clipped(t.Text)))
	case Blob:
		return "bytes"
	case Number:
		return "the number " + Clipped(t.Text)
	}
	return strconv.Quote(t.Text)
}
