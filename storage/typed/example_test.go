//go:build darwin || linux

package typed_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/storage/typed"
)

// A Note is a document.
type Note struct {
	ID    int64  `msgpack:"_id,omitempty"` // absent: the next one
	Title string `msgpack:"title"`
	Stars int    `msgpack:"stars"`
}

// tempFile returns a path for an example, and what removes it.
func tempFile(name string) (path string, remove func()) {
	folder, err := os.MkdirTemp("", "atomicdb")
	if err != nil {
		log.Fatal(err)
	}
	return filepath.Join(folder, name), func() { os.RemoveAll(folder) }
}

// From nothing to an answer.
func Example() {
	path, remove := tempFile("notes.atomicdb")
	defer remove()
	ctx := context.Background()

	db, err := typed.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	notes := typed.In[Note](db, "notes")
	if err := notes.Insert(ctx, &Note{Title: "Hello", Stars: 5}, &Note{Title: "Tax", Stars: 1}); err != nil {
		log.Fatal(err)
	}
	for note, err := range notes.Find(ctx, "stars >= 4") {
		fmt.Println(note.ID, note.Title, err)
	}
	// Output: 1 Hello <nil>
}

// A transaction changes everything or nothing.
func ExampleDB_Update() {
	ctx := context.Background()
	db, err := typed.Open("", typed.InMemory())
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	type Account struct {
		Name  string `msgpack:"_id"`
		Cents int64  `msgpack:"cents"`
	}
	if err := typed.In[Account](db, "accounts").Insert(ctx, &Account{"Ada", 500}, &Account{"Bob", 0}); err != nil {
		log.Fatal(err)
	}

	pay := func(cents int64) error {
		return db.Update(ctx, func(tx *typed.Tx) error {
			accounts := typed.In[Account](tx, "accounts")
			add := func(name string, cents int64) error {
				_, err := accounts.Update(ctx, typed.ByID(name), map[string]any{"$inc": map[string]any{"cents": cents}})
				return err
			}
			if err := add("Bob", cents); err != nil {
				return err
			}
			if err := add("Ada", -cents); err != nil {
				return err
			}
			payer, err := accounts.Get(ctx, "Ada")
			if err == nil && payer.Cents < 0 {
				err = fmt.Errorf("%s lacks %d cents", payer.Name, -payer.Cents)
			}
			return err
		})
	}
	fmt.Println(pay(300), pay(300))
	for account, err := range typed.In[Account](db, "accounts").Find(ctx, nil) {
		fmt.Println(account.Name, account.Cents, err)
	}
	// Output:
	// <nil> Ada lacks 100 cents
	// Ada 200 <nil>
	// Bob 300 <nil>
}

// Rows of SQL become structs too.
func ExampleSQL() {
	ctx := context.Background()
	db, err := typed.Open("", typed.InMemory())
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	notes := typed.In[Note](db, "notes")
	if err := notes.Insert(ctx, &Note{Title: "Hello", Stars: 5}, &Note{Title: "Swim", Stars: 5}, &Note{Title: "Tax", Stars: 1}); err != nil {
		log.Fatal(err)
	}
	type Row struct {
		Stars int `msgpack:"stars"`
		Notes int `msgpack:"notes"`
	}
	rows, err := typed.SQL[Row](ctx, db, "SELECT stars, count(*) AS notes FROM notes WHERE stars > ? GROUP BY stars ORDER BY stars DESC", 0)
	fmt.Println(rows, err)
	// Output: [{5 2} {1 1}] <nil>
}

// A live query yields its answer again after each change.
func ExampleCollection_Live() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	db, err := typed.Open("", typed.InMemory())
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	notes := typed.In[Note](db, "notes")
	for best, err := range notes.Live(ctx, "stars >= 4", typed.Sort("-stars")) {
		fmt.Println(len(best), err)
		if len(best) == 2 {
			break
		}
		// Usually another goroutine does this.
		if err := notes.Insert(ctx, &Note{Title: "Tax", Stars: 1}, &Note{Title: "Hello", Stars: 5}); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 2 <nil>
}

// A condition that passes over case, and an index that answers it and keeps names apart
// by it.
func ExampleCollated() {
	ctx := context.Background()
	db, err := typed.Open("", typed.InMemory())
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	anyCase := query.Collation{Strength: 2}
	notes := typed.In[Note](db, "notes")
	title := anyCase.Path("title")
	if err := notes.CreateIndex(ctx, []string{title}, engine.IndexOptions{Unique: true}); err != nil {
		log.Fatal(err)
	}
	err = notes.Insert(ctx, &Note{Title: "Zoo"}, &Note{Title: "apple"}, &Note{Title: "Bear"})
	for note := range notes.Find(ctx, nil, typed.Sort(title)) {
		fmt.Print(note.Title, " ")
	}
	n, err := notes.Count(ctx, typed.Collated("title in ('APPLE', 'zoo')", anyCase))
	fmt.Println(n, err, notes.Insert(ctx, &Note{Title: "APPLE"}) != nil)
	// Output: apple Bear Zoo 2 <nil> true
}
