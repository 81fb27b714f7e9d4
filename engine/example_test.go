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
