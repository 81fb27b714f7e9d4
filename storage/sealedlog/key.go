package sealedlog

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"sync"

	"github.com/atomicdb-go/atomicdb/engine"
)

// Bounds and defaults of keys, the same as in npm/src/security/security-manager.ts.
const (
	keyBytes             = 32
	saltBytes            = 16
	maxSaltBytes         = 255
	defaultIterations    = 480_000
	defaultMaxIterations = 2_000_000
	mostIterations       = 10_000_000
)

// KeyOptions say what a Key is derived from. Only the password must be given.
type KeyOptions struct {
	// Password is what keys are derived from.
	Password string
	// Salt is that of a new database; an existing one has its own. nil: 16 random bytes.
	Salt []byte
	// Iterations are the rounds of PBKDF2-HMAC-SHA256 of a new database. 0: 480,000.
	Iterations int
	// MaxIterations is the most that a stored database may ask for, because whoever can
	// write there must not decide how long opening takes. 0: 2,000,000, or Iterations if
	// those are more.
	MaxIterations int
}

// A Key encrypts records. It is what SecurityManager is in the npm package. Several Logs
// and goroutines may use one, which derives each key once.
type Key struct {
	password      string
	own           derivation // of new databases
	maxIterations int

	mu   sync.Mutex
	keys map[string][]byte // by the name of their derivation
}

// A derivation says how a key comes from the password. Zero: it was given.
type derivation struct {
	salt       []byte
	iterations int
}

func (d derivation) name() string { return strconv.Itoa(d.iterations) + " " + string(d.salt) }

func (d derivation) equal(other derivation) bool {
	return d.iterations == other.iterations && bytes.Equal(d.salt, other.salt)
}

// NewKey returns a Key that is derived from a password when it is first used.
func NewKey(opts KeyOptions) (*Key, error) {
	if opts.Password == "" {
		return nil, badKey("Password", "the password is empty")
	}
	if opts.Salt == nil {
		opts.Salt = make([]byte, saltBytes)
		rand.Read(opts.Salt) // it never fails
	}
	if len(opts.Salt) == 0 || len(opts.Salt) > maxSaltBytes {
		return nil, badKey("Salt", "expected 1 to "+strconv.Itoa(maxSaltBytes)+" bytes, found "+strconv.Itoa(len(opts.Salt)))
	}
	if opts.Iterations == 0 {
		opts.Iterations = defaultIterations
	}
	if opts.MaxIterations == 0 {
		opts.MaxIterations = defaultMaxIterations
	}
	if opts.Iterations < 1 || opts.Iterations > mostIterations || opts.MaxIterations < 1 || opts.MaxIterations > mostIterations {
		return nil, badKey("Iterations", "Iterations and MaxIterations are from 1 to "+strconv.Itoa(mostIterations))
	}
	return &Key{
		password:      opts.Password,
		own:           derivation{bytes.Clone(opts.Salt), opts.Iterations},
		maxIterations: max(opts.Iterations, opts.MaxIterations),
		keys:          map[string][]byte{},
	}, nil
}

// KeyOf returns the Key of a text that SecurityManager.exportKey or Fernet's
// generate_key has returned: 32 bytes as url-safe base64.
func KeyOf(text string) (*Key, error) {
	b, err := base64.URLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != keyBytes || len(text) != base64.URLEncoding.EncodedLen(keyBytes) { // a decoder passes over line breaks
		return nil, badKey("key", "expected 32 bytes as url-safe base64") // without the text, which may be a secret
	}
	return &Key{keys: map[string][]byte{derivation{}.name(): b}}, nil
}

//go:noinline
func badKey(target, why string) error { return engine.Fail(engine.CodeInvalid, "key", target, why) }

// of returns the key of a derivation: the first half signs, the second encrypts.
func (k *Key) of(d derivation) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key := k.keys[d.name()]; key != nil {
		return key, nil
	}
	switch {
	case k.password == "":
		return nil, refused("the data was encrypted with a password, not with a key")
	case d.iterations == 0:
		return nil, refused("the data was encrypted with a key, not with a password")
	case d.iterations > k.maxIterations:
		return nil, refused("the key would take " + strconv.Itoa(d.iterations) + " iterations, more than the " + strconv.Itoa(k.maxIterations) + " that are allowed; if the data can be trusted, KeyOptions.MaxIterations allows more")
	}
	key, err := pbkdf2.Key(sha256.New, k.password, d.salt, d.iterations, keyBytes)
	if err != nil {
		return nil, &engine.Error{Code: engine.CodeUnsupported, Op: "key", Err: err}
	}
	k.keys[d.name()] = key
	return key, nil
}
