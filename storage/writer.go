//go:build !js

package storage

import (
	"encoding/binary"
	"math/rand/v2"
)

func randomWriter() (w Writer) {
	binary.LittleEndian.PutUint64(w[:], rand.Uint64())
	return w
}

func randomIdentity() (id Identity) {
	binary.LittleEndian.PutUint64(id[:], rand.Uint64())
	binary.LittleEndian.PutUint64(id[8:], rand.Uint64())
	return id
}
