// Package token reads what text conditions and SQL have in common: tokens,
// literals, and errors that point at a place in the text.
//
// A [Reader] hands out tokens, which lexer.go cuts, and reads the literals of
// literal.go as MessagePack. print.go writes values as those literals.
package token
