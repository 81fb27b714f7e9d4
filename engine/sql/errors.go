package sql

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// invalid wraps a fault, which says where in the text it lies.
//
//go:noinline
func invalid(fault error) error {
	return &engine.Error{Code: engine.CodeInvalid, Op: "sql", Err: fault}
}

// nearest returns the word that name is most likely a misspelling of; "" if it
// is like none.
func nearest(name string, words []string) string {
	name = strings.ToLower(name)
	best, least := "", 1+len(name)/4
	for _, word := range words {
		if d := distance(name, word); d <= least && d < len(word) {
			best, least = word, d-1
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap between a and b.
func distance(a, b string) int {
	if len(a) > 20 || len(b) > 20 {
		return 20
	}
	var rows [3][21]int
	for j := range len(b) + 1 {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		rows[2][0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[1][j]+1, rows[2][j-1]+1, rows[1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[0][j-2]+1)
			}
			rows[2][j] = d
		}
		rows[0], rows[1] = rows[1], rows[2]
	}
	return rows[1][len(b)]
}

// meant is the hint that a misspelled name deserves.
func meant(name string, words []string) string {
	if word := nearest(name, words); word != "" {
		return "did you mean " + strings.ToUpper(word) + "?"
	}
	return ""
}

// at places a message in the text of a statement.
//
//go:noinline
func at(text string, pos int, message string) error { return token.At(text, pos, message) }
