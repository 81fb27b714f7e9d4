// The output of an example goes through a file, which a page has not.

//go:build !js

package storage_test

import (
	"fmt"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/sql"
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

// A program that keeps a first name and a last name brings data that has one name to
// its version. Data of an earlier version goes through each step, once.
func ExampleSession_Migrate() {
	session, err := storage.Open(storage.NewMemory(), storage.SessionOptions{DataVersion: 3})
	if err != nil {
		panic(err)
	}
	defer session.Close()
	err = session.Update(func(db *engine.DB) error {
		doc := msgpack.AppendString(msgpack.AppendString(msgpack.AppendMap(nil, 1), "name"), "Ada")
		_, err := db.Insert("users", doc, false)
		return err
	})
	if err != nil {
		panic(err)
	}
	steps := map[int]func(*engine.DB) error{
		2: func(db *engine.DB) error {
			rename, err := sql.Parse("UPDATE users SET first = name, name = NULL")
			if err != nil {
				return err
			}
			_, err = rename.Run(db, nil)
			return err
		},
		3: func(db *engine.DB) error { return db.CreateIndex("users", []string{"first"}, engine.IndexOptions{}) },
	}
	for range 2 { // the second time, nothing is left to do
		fmt.Println(session.Migrate(3, steps), session.DB().DataVersion())
	}
	fmt.Println(session.Migrate(2, nil)) // an earlier program
	// Output:
	// <nil> 3
	// <nil> 3
	// migrate: the data is of version 3, and this program knows versions up to 2: load the newer program; reading is possible
}
