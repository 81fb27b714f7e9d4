package sealedlog

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"math"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// The layout of an envelope; FORMAT.md has the table.
const (
	magic           = "AtDS"
	frameMagic      = "AtDB"
	envelopeVersion = 2

	flagCompressed = 1
	flagEncrypted  = 2

	atVersion    = 4
	atFlags      = 5
	atSaltLength = 6
	atLength     = 8
	atIterations = 12
	atCheck      = 16
	atIdentity   = 20 // in version 1, the salt begins here
	atSalt       = 36
)

// An envelope is what the header of one says.
type envelope struct {
	version   byte
	flags     byte
	length    int // of the frame
	by        derivation
	atContent int
}

// headerOf returns the header of the envelope of a frame.
func headerOf(flags byte, frame []byte, by derivation) ([]byte, error) {
	if uint64(len(frame)) > math.MaxUint32 {
		return nil, engine.Fail(engine.CodeInvalid, "seal", "batch", "it is too large for an envelope, which holds up to 4 GiB")
	}
	h := make([]byte, atSalt, atSalt+len(by.salt))
	copy(h, magic)
	h[atVersion] = envelopeVersion
	h[atFlags] = flags
	h[atSaltLength] = byte(len(by.salt))
	binary.LittleEndian.PutUint32(h[atLength:], uint32(len(frame)))
	binary.LittleEndian.PutUint32(h[atIterations:], uint32(by.iterations))
	identity := storage.IdentityOf(frame)
	copy(h[atIdentity:], identity[:])
	h = append(h, by.salt...)
	binary.LittleEndian.PutUint32(h[atCheck:], checkOf(h))
	return h, nil
}

// checkOf returns the check of a header: of bytes 0 to 15, and of as many bytes from 20
// on as the salt has. In version 1 that is the rest of the header. So every version
// tells a damaged header from one of a newer version.
func checkOf(sealed []byte) uint32 {
	check := fnv.New32a()
	check.Write(sealed[:atCheck])
	check.Write(sealed[atIdentity : atIdentity+int(sealed[atSaltLength])])
	return check.Sum32()
}

// parse reads the header of what begins with magic.
func parse(sealed []byte) (e envelope, err error) {
	if len(sealed) < atIdentity || len(sealed) < atIdentity+int(sealed[atSaltLength]) || binary.LittleEndian.Uint32(sealed[atCheck:]) != checkOf(sealed) {
		return e, damaged("the header of the envelope is damaged")
	}
	e = envelope{
		version: sealed[atVersion],
		flags:   sealed[atFlags],
		length:  int(binary.LittleEndian.Uint32(sealed[atLength:])),
	}
	salt := atSalt
	switch e.version {
	case 1:
		salt = atIdentity
	case envelopeVersion:
	default:
		return e, engine.Fail(engine.CodeUnsupported, "unseal", "record", "a newer AtomicDB has sealed it")
	}
	e.atContent = salt + int(sealed[atSaltLength])
	if len(sealed) < e.atContent {
		return e, damaged("the header of the envelope is damaged")
	}
	e.by = derivation{bytes.Clone(sealed[salt:e.atContent]), int(binary.LittleEndian.Uint32(sealed[atIterations:]))}
	return e, nil
}

//go:noinline
func damaged(why string) error { return engine.Fail(engine.CodeCorrupt, "unseal", "record", why) }
