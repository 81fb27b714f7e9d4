package main

import (
	"strings"

	"github.com/atomicdb-go/atomicdb/storage/httpapi"
)

// tokensOf reads the hashes of tokens, with commas between them. One with "read:" before
// it is for reading alone.
func tokensOf(text string) (tokens []httpapi.Token) {
	for _, hash := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' }) {
		hash, isReadOnly := strings.CutPrefix(hash, "read:")
		tokens = append(tokens, httpapi.Token{Hash: hash, Databases: []string{"*"}, ReadOnly: isReadOnly})
	}
	return tokens
}
