package token

import "strconv"

// Hostile input must cost no more than its length lets expect. What a text or a
// condition may hold at most:
const (
	// MaxTextBytes is how long a text condition or an SQL statement may be.
	MaxTextBytes = 16 << 20

	// MaxTerms is how many conditions one condition may consist of, and how many
	// values and fields one SQL statement. Values in a list of a condition do not
	// count. A term takes about 400 bytes while the condition is in use.
	MaxTerms = 250_000
)

// TooManyTerms is what is wrong with a condition or a statement of more.
func TooManyTerms(what string) string {
	return "expected at most " + strconv.Itoa(MaxTerms) + " " + what
}
