package token

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// An Error says what is wrong with a condition, and where: in text a line and
// column, in a filter the keys that lead to the fault.
type Error struct {
	Message string // what was expected, and what was found
	Path    string // in a filter: the keys, joined by dots; empty for the filter itself

	Line    int    // in text: counted from 1; 0 in a filter
	Column  int    // in text: counted in characters from 1
	Excerpt string // in text: the line, and under it a caret at the column; empty if the text is blank
}

// Error reads "filter at age.$gt: …", or "line 1, column 8: …" and then the
// excerpt on lines of its own.
func (e *Error) Error() string {
	switch {
	case e.Line > 0:
		at := "line " + strconv.Itoa(e.Line) + ", column " + strconv.Itoa(e.Column) + ": " + e.Message
		if e.Excerpt == "" {
			return at
		}
		return at + "\n" + e.Excerpt
	case e.Path != "":
		return "filter at " + e.Path + ": " + e.Message
	}
	return "filter: " + e.Message
}

// At returns the Error for the byte offset pos of text, which is UTF-8.
func At(text string, pos int, message string) *Error {
	start := strings.LastIndexByte(text[:pos], '\n') + 1
	line := text[start:]
	if end := strings.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	before := text[start:pos]
	return &Error{
		Message: message,
		Line:    1 + strings.Count(text[:pos], "\n"),
		Column:  1 + utf8.RuneCountInString(before),
		Excerpt: excerpt(before, line[len(before):]),
	}
}

// excerptSide is how many characters an excerpt shows before the caret, and
// how many from it on.
const excerptSide = 40

// excerpt shows a line, given as what is before the caret and what is not.
// Tabs stay tabs above and below, so that the caret stays in its column.
func excerpt(before, after string) string {
	if strings.TrimSpace(before+after) == "" {
		return ""
	}
	if runes := []rune(before); len(runes) > excerptSide {
		before = "…" + string(runes[len(runes)-excerptSide+1:])
	}
	if runes := []rune(after); len(runes) > excerptSide {
		after = string(runes[:excerptSide-1]) + "…"
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	return "  " + before + strings.TrimRight(after, "\r") + "\n  " + pad + "^"
}
