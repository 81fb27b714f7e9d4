package sealedlog

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
)

// A token, which Fernet writes as base64: version, seconds since 1970 (big-endian), IV,
// AES-128-CBC of the data with PKCS #7 padding, and an HMAC-SHA256.
const (
	tokenVersion = 0x80
	atTime       = 1
	atIV         = 9
	atCiphertext = 25
	half         = keyBytes / 2
)

// seal appends a token of data to header, which the HMAC covers too.
func seal(key, header, data []byte) []byte {
	padding := aes.BlockSize - len(data)%aes.BlockSize
	n := atCiphertext + len(data) + padding
	b := append(make([]byte, 0, len(header)+n+sha256.Size), header...)
	b = append(b, make([]byte, n)...)
	token := b[len(header):]
	token[0] = tokenVersion
	binary.BigEndian.PutUint64(token[atTime:], uint64(max(0, time.Now().Unix())))
	rand.Read(token[atIV:atCiphertext]) // it never fails
	text := token[atCiphertext:]
	copy(text[copy(text, data):], bytes.Repeat([]byte{byte(padding)}, padding))
	block, _ := aes.NewCipher(key[half:]) // of 16 bytes, so there is no error
	cipher.NewCBCEncrypter(block, token[atIV:atCiphertext]).CryptBlocks(text, text)
	return append(b, signature(key, b)...)
}

func signature(key, data []byte) []byte {
	mac := hmac.New(sha256.New, key[:half])
	mac.Write(data)
	return mac.Sum(nil)
}

// unseal returns the data of the token in sealed that follows a header of so many bytes.
// isSigned says that the HMAC covers the header. The error has CodeDecrypt.
func unseal(key, sealed []byte, header int, isSigned bool) ([]byte, error) {
	token := sealed[header:]
	signed := len(token) - sha256.Size
	if signed < atCiphertext+aes.BlockSize || (signed-atCiphertext)%aes.BlockSize != 0 || token[0] != tokenVersion {
		return nil, refused("these bytes are not encrypted, or have been changed")
	}
	covered := token[:signed]
	if isSigned {
		covered = sealed[:header+signed]
	}
	if !hmac.Equal(token[signed:], signature(key, covered)) {
		return nil, refused("the password or key is another one, or bytes have been changed")
	}
	text := bytes.Clone(token[atCiphertext:signed])
	block, _ := aes.NewCipher(key[half:])
	cipher.NewCBCDecrypter(block, token[atIV:atCiphertext]).CryptBlocks(text, text)
	padding := int(text[len(text)-1])
	if padding < 1 || padding > aes.BlockSize || !bytes.Equal(text[len(text)-padding:], bytes.Repeat([]byte{byte(padding)}, padding)) {
		return nil, refused("the padding of the token is wrong") // the HMAC holds, so this tells an attacker nothing
	}
	return text[:len(text)-padding], nil
}

//go:noinline
func refused(why string) error { return engine.Fail(engine.CodeDecrypt, "unseal", "record", why) }
