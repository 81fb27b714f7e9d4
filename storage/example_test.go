// The output of an example goes through a file, which a page has not.

//go:build !js

package storage_test

import (
	"fmt"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage"
)

// A program follows a database. It notes the number of a batch when it has handled
// all of it, and goes on after that number the next time.
func ExampleSession_Changes() {
	session, err := storage.Open(storage.NewMemory(), storage.SessionOptions{})
	if err != nil {
		panic(err)
	}
	defer session.Close()
	for _, name := range []string{"Ada", "Bob"} {
		err = session.Update(func(db *engine.DB) error {
			doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 1), "name"), name)
			_, err := db.Insert("users", doc, false)
			return err
		})
		if err != nil {
			panic(err)
		}
	}
	handled := uint64(0)
	for change, err := range session.Changes(handled) {
		if err != nil {
			panic(err)
		}
		fmt.Println(change.Seq, change.Type, change.Collection, string(msgpack.Str(msgpack.Lookup(change.Document, "name"))))
		if change.Last {
			handled = change.Seq
		}
	}
	fmt.Println("handled up to", handled)
	// Output:
	// 1 insert users Ada
	// 2 insert users Bob
	// handled up to 2
}
