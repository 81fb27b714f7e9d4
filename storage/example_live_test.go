// The output of an example goes through a file, which a page has not.

//go:build !js

package storage_test

import (
	"bytes"
	"fmt"
	"log"

	reference "github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/storage"
)

// Example_live keeps the two best scores current while another session writes.
func Example_live() {
	memory := storage.NewMemory()
	writer, err := storage.Open(memory.Share(), storage.SessionOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer writer.Close()
	reader, err := storage.Open(memory.Share(), storage.SessionOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()

	best := engine.Query{Sort: []engine.SortKey{{Path: query.ParsePath("score"), Descending: true}}, Limit: 2}
	var shown [][]byte // copies: documents are borrowed until the next change
	ask := func(db *engine.DB) error {
		found, err := db.Find("players", best)
		if err != nil {
			return err
		}
		shown = nil
		for doc := range found.Documents() {
			shown = append(shown, bytes.Clone(doc))
		}
		return nil
	}
	err = reader.View(func(db *engine.DB) error {
		if _, err := db.LiveFind("players", best); err != nil {
			return err
		}
		return ask(db)
	})
	if err != nil {
		log.Fatal(err)
	}

	for _, player := range []map[string]any{{"_id": "Ada", "score": 3}, {"_id": "Bob", "score": 5}, {"_id": "Cy", "score": 4}, {"_id": "Bob", "score": 1}} {
		doc, err := reference.Marshal(player)
		if err != nil {
			log.Fatal(err)
		}
		err = writer.Update(func(db *engine.DB) error {
			_, err := db.Insert("players", doc, true)
			return err
		})
		if err != nil {
			log.Fatal(err)
		}
		if err := reader.CatchUp(); err != nil {
			log.Fatal(err)
		}
		err = reader.View(func(db *engine.DB) error {
			for _, update := range db.LiveChanges() {
				if update.Again {
					if err := ask(db); err != nil {
						return err
					}
				}
				for _, edit := range update.Edits {
					edit.Document = bytes.Clone(edit.Document)
					shown = edit.Apply(shown)
				}
			}
			return nil
		})
		if err != nil {
			log.Fatal(err)
		}
		names := make([]string, len(shown))
		for i, doc := range shown {
			names[i] = string(msgpack.Str(msgpack.Lookup(doc, "_id")))
		}
		fmt.Println(names)
	}
	// Output:
	// [Ada]
	// [Bob Ada]
	// [Bob Cy]
	// [Cy Ada]
}
