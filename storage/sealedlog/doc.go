// Package sealedlog compresses and encrypts the records of another log, as the npm
// package does with compressionLevel and securityManager: each opens what the other has
// written.
//
//	key, err := sealedlog.NewKey(sealedlog.KeyOptions{Password: password})
//	log, err := filelog.Open("notes.atomicdb")
//	sealed, err := sealedlog.New(log, sealedlog.Options{Key: key})
//	session, err := storage.Open(sealed, storage.SessionOptions{})
//
// A record is compressed first and then encrypted, with AES-128-CBC and HMAC-SHA256, as
// Fernet does it. The HMAC covers the number and the identity of the record too, so
// nobody without the key can put a record into another place or another database. What
// encryption promises, and what not, is in THREATS.md of package storage.
//
// # Reading the source
//
// FORMAT.md, section Envelope, has the bytes. Log (log.go) puts frames into envelopes
// (envelope.go); a Key (key.go) gives the keys for tokens (fernet.go).
package sealedlog
