package storage

import "syscall/js"

// randomWriter asks the host: Go's crypto/rand would reserve 32 MiB.
func randomWriter() (w Writer) {
	js.CopyBytesToGo(w[:], randomBytes(len(w)))
	return w
}

func randomIdentity() (id Identity) {
	js.CopyBytesToGo(id[:], randomBytes(len(id)))
	return id
}

// randomBytes returns a new Uint8Array.
func randomBytes(n int) js.Value {
	return js.Global().Get("crypto").Call("getRandomValues", uint8Array.New(n))
}
