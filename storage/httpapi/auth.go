package httpapi

import (
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/crypto/blake2b"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A Token says what the bearer of a token may do. The token itself is not kept.
type Token struct {
	// Hash is what HashToken returns for the token.
	Hash string
	// Databases are the names of those that it is for; "*" means all.
	Databases []string
	// ReadOnly refuses writes.
	ReadOnly bool
}

// HashToken returns the hash of a token: BLAKE2b-256, as url-safe base64. It is quick, so
// a token must be random, 16 bytes or more, and no password that a person has chosen.
func HashToken(token string) string {
	sum := blake2b.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// A grant is a Token, with its hash as bytes.
type grant struct {
	Token
	hash []byte
}

func grantsOf(tokens []Token) ([]grant, error) {
	grants := make([]grant, len(tokens))
	for i, t := range tokens {
		hash, err := base64.RawURLEncoding.DecodeString(t.Hash)
		if err != nil || len(hash) != blake2b.Size256 {
			return nil, engine.Fail(engine.CodeInvalid, "httpapi", "Tokens", "Hash: expected what HashToken returns")
		}
		t.Databases = slices.Clone(t.Databases)
		grants[i] = grant{t, hash}
	}
	return grants, nil
}

// authorise returns what the bearer of the request's token may do. It compares the hash
// with that of every token, so the time tells nothing of them.
func (h *Handler) authorise(r *http.Request) (found Token, err error) {
	if len(h.grants) == 0 {
		return found, forbidden("no token is configured, so nothing is served but /health")
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return found, unauthorized("expected the header Authorization: Bearer and a token")
	}
	sum := blake2b.Sum256([]byte(token))
	known := false
	for _, g := range h.grants {
		if subtle.ConstantTimeCompare(sum[:], g.hash) == 1 {
			found, known = g.Token, true
		}
	}
	if !known {
		return found, unauthorized("the token is not known")
	}
	return found, nil
}

// check returns an error if the token is not for a database, or not for writing.
func (t Token) check(db string, writes bool) error {
	if !slices.Contains(t.Databases, db) && !slices.Contains(t.Databases, "*") {
		return forbidden("the token is not for this database")
	}
	if writes && t.ReadOnly {
		return forbidden("the token is for reading alone")
	}
	return nil
}
