package sealedlog

import (
	"bytes"
	"testing"

	"github.com/atomicdb-go/atomicdb/storage"
)

// FuzzUnseal: no bytes make a Log panic, and what it opens it has sealed, or npm.
func FuzzUnseal(f *testing.F) {
	key, err := KeyOf("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		f.Fatal(err)
	}
	frame := storage.Frame{append([]byte("AtDB\x02"), bytes.Repeat([]byte("payload "), 20)...)}
	for _, opts := range []Options{{}, {CompressionLevel: 9}, {Key: key}, {Key: key, CompressionLevel: 9}} {
		sealed, err := (&sealedLog{opts: opts}).seal(frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.Join(sealed, nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, opts := range []Options{{}, {Key: key}} {
			l := &sealedLog{opts: opts}
			opened, err := l.unseal(b)
			if err == nil && opts.Key != nil && !bytes.HasPrefix(b, []byte(magic)) {
				t.Errorf("opened %x, which is not encrypted, to %x", b, opened)
			}
		}
	})
}

// TestVersion1 opens an envelope without an identity, whose token is signed alone.
func TestVersion1(t *testing.T) {
	key, err := KeyOf("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("a frame of version 1")
	header, err := headerOf(flagEncrypted, content, derivation{})
	if err != nil {
		t.Fatal(err)
	}
	header[atVersion] = 1
	check := checkOf(header)
	header[atCheck], header[atCheck+1], header[atCheck+2], header[atCheck+3] = byte(check), byte(check>>8), byte(check>>16), byte(check>>24)
	k, _ := key.of(derivation{})
	sealed := append(header[:atIdentity:atIdentity], seal(k, nil, content)...)
	opened, err := (&sealedLog{opts: Options{Key: key}}).unseal(sealed)
	if err != nil || !bytes.Equal(opened, content) {
		t.Errorf("opened %q, %v", opened, err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := (&sealedLog{opts: Options{Key: key}}).unseal(sealed); err == nil {
		t.Error("opened what was changed")
	}
}
