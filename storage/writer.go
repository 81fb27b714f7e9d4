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
