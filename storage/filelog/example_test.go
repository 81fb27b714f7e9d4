//go:build darwin || linux

package filelog_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
)

// A Note is a document. The engine takes and returns MessagePack, and the package
// msgpack converts that from and to structs.
type Note struct {
	ID    int64  `msgpack:"_id,omitempty"` // absent: the next one
	Title string `msgpack:"title"`
	Stars int    `msgpack:"stars"`
}

// Example keeps notes in a file, and finds them after opening it again.
func Example() {
	folder, err := os.MkdirTemp("", "atomicdb")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "notes.atomicdb")

	if err := write(path, Note{Title: "Hello", Stars: 5}, Note{Title: "Tax", Stars: 1}, Note{Title: "Swim", Stars: 4}); err != nil {
		log.Fatal(err)
	}
	notes, err := best(path)
	if err != nil {
		log.Fatal(err)
	}
	for _, note := range notes {
		fmt.Println(note.ID, note.Title)
	}
	// Output:
	// 1 Hello
	// 3 Swim
}

// write adds notes, all or none: Update is one transaction.
func write(path string, notes ...Note) error {
	session, err := openSession(path)
	if err != nil {
		return err
	}
	defer session.Close()
	var docs bytes.Buffer
	for _, note := range notes {
		if err := msgpack.NewEncoder(&docs).Encode(note); err != nil {
			return err
		}
	}
	return session.Update(func(db *engine.DB) error {
		_, err := db.Insert("notes", docs.Bytes(), false)
		return err
	})
}

// best returns the notes of four stars and more, the best first.
func best(path string) (notes []Note, err error) {
	session, err := openSession(path)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	where, err := query.ParseText("stars >= 4")
	if err != nil {
		return nil, err
	}
	err = session.View(func(db *engine.DB) error {
		found, err := db.Find("notes", engine.Query{Where: where, Sort: []engine.SortKey{{Path: query.ParsePath("stars"), Descending: true}}})
		if err != nil {
			return err
		}
		notes = make([]Note, found.Len())
		docs, _, _ := found.Next(nil, 1<<30)
		decoder := msgpack.NewDecoder(bytes.NewReader(docs))
		for i := range notes {
			if err := decoder.Decode(&notes[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return notes, err
}

func openSession(path string) (*storage.Session, error) {
	log, err := filelog.Open(path)
	if err != nil {
		return nil, err
	}
	return storage.Open(log, storage.SessionOptions{Durability: storage.Strict})
}

// Example_relationships keeps books with their authors, and brings them to another
// version.
func Example_relationships() {
	folder, err := os.MkdirTemp("", "atomicdb")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	session, err := openSession(filepath.Join(folder, "books.atomicdb"))
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()

	err = session.Update(func(db *engine.DB) error {
		if err := db.AddRelationship(engine.Relationship{
			Type: engine.OneToMany, From: "authors", To: "books", ForeignKey: "author", OnDelete: engine.Cascade, Enforce: true,
		}); err != nil {
			return err
		}
		for _, d := range []map[string]any{{"_id": "le", "name": "Le Guin"}, {"_id": "lem", "name": "Lem"}} {
			if err := add(db, "authors", d); err != nil {
				return err
			}
		}
		return add(db, "books", map[string]any{"title": "Solaris", "author": "lem"})
	})
	if err != nil {
		log.Fatal(err)
	}
	err = session.Update(func(db *engine.DB) error { return add(db, "books", map[string]any{"author": "nobody"}) })
	fmt.Println(engine.CodeOf(err))

	err = session.Migrate(2, map[int]func(*engine.DB) error{
		2: func(db *engine.DB) error {
			_, err := db.Remove("authors", nil)
			return err
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	_ = session.View(func(db *engine.DB) error {
		books, err := db.Count("books", nil, -1)
		fmt.Println(books, "books, version", db.DataVersion())
		return err
	})
	// Output:
	// relationship
	// 0 books, version 2
}

// add inserts one document.
func add(db *engine.DB, collection string, document map[string]any) error {
	bytes, err := msgpack.Marshal(document)
	if err != nil {
		return err
	}
	_, err = db.Insert(collection, bytes, false)
	return err
}
