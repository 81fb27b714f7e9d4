package engine_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/schema"
)

// Documents that break the schema of their collection are refused, with all that is
// wrong with them.
func ExampleDB_CreateCollectionWith() {
	db, err := engine.New(engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	source, err := msgpack.Marshal(map[string]any{
		"properties": map[string]any{
			"age":   map[string]any{"type": "integer", "minimum": 0},
			"email": map[string]any{"type": "string", "format": "email"},
		},
		"required": []string{"name"},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := db.CreateCollectionWith("users", source, engine.SchemaOptions{}); err != nil {
		log.Fatal(err)
	}
	doc, err := msgpack.Marshal(map[string]any{"age": -3})
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.Insert("users", doc, false)
	var faults *schema.Faults
	if errors.As(err, &faults) {
		for _, f := range faults.List {
			fmt.Println(f.Path, f.Keyword, f.Message)
		}
	}
	fmt.Println(err)
	// Output:
	// age minimum must be at least 0, is -3
	// name required is required
	// insert users/1: age: must be at least 0, is -3; name: is required
}

// A schema may refer to others, which are handed over and kept with it.
func ExampleSchemaOptions() {
	pack := func(v map[string]any) []byte {
		b, err := msgpack.Marshal(v)
		if err != nil {
			log.Fatal(err)
		}
		return b
	}
	address := pack(map[string]any{"$id": "https://example.com/address", "required": []string{"city"}})
	user := pack(map[string]any{"properties": map[string]any{"home": map[string]any{"$ref": "https://example.com/address"}}})

	db, err := engine.New(engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(db.CreateCollectionWith("users", user, engine.SchemaOptions{}))
	if err := db.CreateCollectionWith("users", user, engine.SchemaOptions{Schemas: [][]byte{address}}); err != nil {
		log.Fatal(err)
	}
	_, err = db.Insert("users", pack(map[string]any{"home": map[string]any{"zip": "5003"}}), false)
	fmt.Println(err)
	// Output:
	// createCollection users: properties.home.$ref leads to "https://example.com/address", which is not there: nothing is fetched, so hand that schema over in schemas, or put it into $defs, with its $id
	// insert users/1: home.city: is required
}

// A user's posts are put into the user, and both collections tell what they hold.
func ExampleDB_Metadata() {
	db, err := engine.New(engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	err = db.AddRelationship(engine.Relationship{Type: engine.OneToMany, From: "users", To: "posts", ForeignKey: "user_id"})
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range []struct {
		collection string
		fields     map[string]any
	}{{"users", map[string]any{"name": "Ada"}}, {"posts", map[string]any{"user_id": 1}}, {"posts", map[string]any{"user_id": 1}}} {
		doc, err := msgpack.Marshal(d.fields)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := db.Insert(d.collection, doc, false); err != nil {
			log.Fatal(err)
		}
	}
	result, err := db.Find("users", engine.Query{Populate: []string{"posts"}})
	if err != nil {
		log.Fatal(err)
	}
	bytes, _, _ := result.Next(nil, 1)
	var user struct {
		Name  string           `msgpack:"name"`
		Posts []map[string]any `msgpack:"posts"`
	}
	if err := msgpack.Unmarshal(bytes, &user); err != nil {
		log.Fatal(err)
	}
	fmt.Println(user.Name, "has", len(user.Posts), "posts")

	posts, err := db.Metadata("posts")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(posts.Documents, "documents,", posts.Indexes[0].Entries, "entries by", posts.Indexes[0].Paths)
	// Output:
	// Ada has 2 posts
	// 2 documents, 2 entries by [user_id]
}
