package jsbridge

import (
	"bytes"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// TestCall_refuses: bad arguments get a code and a message that says which one
// is wrong, and change nothing.
func TestCall_refuses(t *testing.T) {
	for _, tt := range []struct {
		name, op  string
		arguments array
		docs      array
		code      engine.Code
		message   string // a part of it
	}{
		{"collection", "insert", array{7, false}, nil, engine.CodeInvalid, "collection: expected a string"},
		{"empty name", "insert", array{"", false}, array{object{}}, engine.CodeInvalid, "the name is empty"},
		{"flag", "insert", array{"people", 1}, nil, engine.CodeInvalid, "upsert: expected true or false"},
		{"few", "insert", array{"people"}, nil, engine.CodeInvalid, "expected an array of 2 arguments"},
		{"many", "ids", array{"people", 1}, nil, engine.CodeInvalid, "expected an array of 1 arguments"},
		{"document", "insert", array{"people", false}, array{array{1}}, engine.CodeInvalid, "a document must be an object"},
		{"id", "insert", array{"people", false}, array{object{"_id": 1.5}}, engine.CodeInvalid, "_id must be a string or a safe integer"},
		{"taken id", "insert", array{"people", false}, array{object{"_id": "new"}, object{"_id": "ada"}}, engine.CodeDuplicateID, "insert people/ada"},
		{"after the arguments", "ids", array{"people"}, array{1}, engine.CodeInvalid, "bytes after the arguments"},
		{"limit", "count", array{"people", nil, 1.5}, nil, engine.CodeInvalid, "limit: expected an integer"},
		{"limit below -1", "count", array{"people", nil, -2}, nil, engine.CodeInvalid, "limit: expected an integer"},
		{"limit of text", "count", array{"people", nil, "2"}, nil, engine.CodeInvalid, "limit: expected an integer"},
		{"skip below 0", "find", array{"people", nil, nil, -1, 1, nil}, nil, engine.CodeInvalid, "skip:"},
		{"sort", "find", array{"people", nil, "age", 0, 1, nil}, nil, engine.CodeInvalid, "sort: expected an array"},
		{"sort key", "find", array{"people", nil, array{array{"age"}}, 0, 1, nil}, nil, engine.CodeInvalid, "sort:"},
		{"sort direction", "find", array{"people", nil, array{array{"age", "desc"}}, 0, 1, nil}, nil, engine.CodeInvalid, "sort:"},
		{"fields", "find", array{"people", nil, nil, 0, 1, array{1}}, nil, engine.CodeInvalid, "fields: expected an array of paths"},
		{"condition", "remove", array{"people", 5}, nil, engine.CodeInvalid, "remove where:"},
		{"text condition", "remove", array{"people", "age >"}, nil, engine.CodeInvalid, "remove where:"},
		{"operator", "remove", array{"people", object{"age": object{"$near": 1}}}, nil, engine.CodeInvalid, "$near"},
		{"pattern", "remove", array{"people", array{"matches", "name", "("}}, nil, engine.CodeInvalid, "remove where:"},
		{"change", "update", array{"people", 5, nil}, nil, engine.CodeInvalid, "update people:"},
		{"pairs", "updateEach", array{"people", 5}, nil, engine.CodeInvalid, "update"},
		{"pair", "updateEach", array{"people", array{1}}, nil, engine.CodeInvalid, "pairs of id and update"},
		{"pair's id", "updateEach", array{"people", array{array{nil, object{}}}}, nil, engine.CodeInvalid, "_id must be"},
		{"index options", "createIndex", array{"people", array{"age"}, nil}, nil, engine.CodeInvalid, "options: expected an object"},
		{"index option", "createIndex", array{"people", array{"age"}, object{"uniq": true}}, nil, engine.CodeInvalid, "no option named uniq"},
		{"index name", "createIndex", array{"people", array{"age"}, object{"name": true}}, nil, engine.CodeInvalid, "createIndex options: name: expected a string"},
		{"index option that is not there", "createIndex", array{"people", array{"age"}, object{"$x": "a"}}, nil, engine.CodeInvalid, "createIndex options: there is no option named $x"},
		{"index option's value", "createIndex", array{"people", array{"age"}, object{"unique": 1}}, nil, engine.CodeInvalid, "unique: expected true or false"},
		{"index paths", "createIndex", array{"people", array{}, object{}}, nil, engine.CodeInvalid, "at least one path"},
		{"no index", "dropIndex", array{"people", array{"age"}}, nil, engine.CodeNotFound, "there is no index on age"},
		{"schema", "createCollection", array{"dogs", object{"typ": "object"}, object{}}, nil, engine.CodeInvalid, "typ is no keyword"},
		{"schema that documents break", "setSchema", array{"people", object{"required": array{"none"}}, object{}, nil}, nil, engine.CodeSchema, "3 documents do not fit"},
		{"options of a schema", "createCollection", array{"dogs", true, object{"strict": 1}}, nil, engine.CodeInvalid, "strict: expected true or false"},
		{"schemas of a schema", "createCollection", array{"dogs", true, object{"schemas": object{}}}, nil, engine.CodeInvalid, "schemas: expected an array of schemas"},
		{"a schema of a schema", "unfit", array{"dogs", true, object{"schemas": array{object{"$id": "urn:a", "typ": 1}}}}, nil, engine.CodeInvalid, "schemas.0.typ is no keyword"},
		{"other options of a schema", "unfit", array{"dogs", true, object{"unique": true}}, nil, engine.CodeInvalid, "no option named unique"},
		{"schema of nothing", "setSchema", array{"dogs", true, object{}, nil}, nil, engine.CodeNotFound, "no collection"},
		{"reserved name", "createCollection", array{"_dogs", nil, object{}}, nil, engine.CodeInvalid, "reserved"},
		{"no cursor", "more", nil, nil, engine.CodeInvalid, "no rows are left"},
		{"groups", "aggregate", array{"people", nil, "age", array{}, nil, nil, 0, -1}, nil, engine.CodeInvalid, "groupBy: expected an array"},
		{"group path", "aggregate", array{"people", nil, array{1}, array{}, nil, nil, 0, -1}, nil, engine.CodeInvalid, "groupBy: expected an array of strings"},
		{"outputs", "aggregate", array{"people", nil, nil, nil, nil, nil, 0, -1}, nil, engine.CodeInvalid, "select: expected an array"},
		{"output", "aggregate", array{"people", nil, nil, array{array{"n", "count"}}, nil, nil, 0, -1}, nil, engine.CodeInvalid, "select: expected an array of [name, operator, path]"},
		{"output's path", "aggregate", array{"people", nil, nil, array{array{"n", "count", true}}, nil, nil, 0, -1}, nil, engine.CodeInvalid, "select: expected an array of [name, operator, path]"},
		{"operator of an output", "aggregate", array{"people", nil, nil, array{array{"n", "average", "age"}}, nil, nil, 0, -1}, nil, engine.CodeInvalid, "select: there is no operator average"},
		{"outputs of one name", "aggregate", array{"people", nil, nil, array{array{"n", "count", ""}, array{"n", "sum", "age"}}, nil, nil, 0, -1}, nil, engine.CodeInvalid, "n"},
		{"output named as a group", "aggregate", array{"people", nil, array{"age.x"}, array{array{"age", "count", ""}}, nil, nil, 0, -1}, nil, engine.CodeInvalid, "age"},
		{"groups of one path", "aggregate", array{"people", nil, array{"age", "age"}, array{}, nil, nil, 0, -1}, nil, engine.CodeInvalid, "age"},
		{"group inside a group", "aggregate", array{"people", nil, array{"age", "age.x"}, array{}, nil, nil, 0, -1}, nil, engine.CodeInvalid, "age"},
		{"having", "aggregate", array{"people", nil, nil, array{}, "n >", nil, 0, -1}, nil, engine.CodeInvalid, "aggregate having:"},
		{"collection of groups", "aggregate", array{"", nil, nil, array{array{"n", "count", ""}}, nil, nil, 0, -1}, nil, engine.CodeInvalid, "the name is empty"},
		{"sql text", "sql", array{5, nil}, nil, engine.CodeInvalid, "sql text: expected a string"},
		{"sql params", "sql", array{"SELECT * FROM people", 5}, nil, engine.CodeInvalid, "sql params: expected an array or an object"},
		{"sql syntax", "sql", array{"SELECT FROM people", nil}, nil, engine.CodeInvalid, "^"},
		{"no sql", "sql", array{"", nil}, nil, engine.CodeInvalid, "SELECT"},
		{"few params", "sql", array{"SELECT * FROM people WHERE age > ?", array{}}, nil, engine.CodeInvalid, "?"},
		{"many params", "sql", array{"SELECT * FROM people", array{1}}, nil, engine.CodeInvalid, "parameter"},
		{"no params", "sql", array{"SELECT * FROM people WHERE age > :low", nil}, nil, engine.CodeInvalid, "low"},
		{"a write as a read", "sql", array{"DELETE FROM people", nil}, nil, engine.CodeInvalid, "sqlWrite"},
		{"a read as a write", "sqlWrite", array{"SELECT * FROM people", nil}, nil, engine.CodeInvalid, "op sql"},
		{"half of an insert", "sqlWrite", array{"INSERT INTO people (_id, age) VALUES (7, 1), ('ada', 2)", nil}, nil, engine.CodeDuplicateID, "ada"},
		{"half of an update", "sqlWrite", array{"UPDATE people SET _id = 9", nil}, nil, engine.CodeInvalid, "_id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := withPeople(t)
			before := bytes.Join(c.db().Snapshot(), nil)
			_, failure := c.call(tt.op, tt.arguments, tt.docs...)
			if failure == nil {
				t.Fatal("succeeds")
			}
			if failure.code != tt.code || !strings.Contains(failure.message, tt.message) {
				t.Errorf("got %s: %q, want %s: …%s…", failure.code, failure.message, tt.code, tt.message)
			}
			if strings.Contains(failure.message, string(tt.code)+": ") {
				t.Errorf("the message %q repeats the code", failure.message)
			}
			if !bytes.Equal(bytes.Join(c.db().Snapshot(), nil), before) {
				t.Error("has changed the database")
			}
		})
	}
}

// goodArguments are a value of each argument that is taken.
var goodArguments = map[string]any{
	"collection": "people", "upsert": false, "where": nil, "sort": nil, "skip": 0, "limit": -1, "fields": nil,
	"id": 1, "path": "age", "change": object{"age": 1}, "pairs": array{}, "schema": nil, "paths": array{"age"}, "options": object{}, "schemaOptions": object{}, "migrate": nil,
	"groupBy": nil, "select": array{array{"n", "count", ""}}, "having": nil, "text": "SELECT * FROM people", "params": nil,
	"populate": array{}, "one": false, "op": 1, "number": 0, "relationship": object{}, "name": "a", "version": 1, "seq": 1, "call": "update",
	"ids": []byte{1}, "replace": false, "arrayFilters": nil, "returned": 0, "changes": 0, "count": 0, "last": 0, "snapshot": false, "arguments": nil,
}

// TestCall_afterTheArguments: no call ignores bytes after its arguments, but those that
// take something else from there.
func TestCall_afterTheArguments(t *testing.T) {
	takesMore := map[string]bool{"insert": true, "stillValid": true, "apply": true, "revert": true}
	for i := range ops {
		o := &ops[i]
		arguments := make(array, len(o.args))
		for j, name := range o.args {
			arguments[j] = goodArguments[name]
		}
		if _, failure := withPeople(t).call(o.name, arguments, 1); failure == nil || !takesMore[o.name] && !strings.Contains(failure.message, "after the arguments") {
			t.Errorf("%s with a number after its arguments: got %+v", o.name, failure)
		}
	}
}

// TestCall_everyArgument: each argument with a value of every other kind is refused
// or has a meaning, and never causes an internal error.
func TestCall_everyArgument(t *testing.T) {
	odd := array{nil, true, false, -1, 1 << 40, 1.5, "", "people", "\x00", []byte{1}, array{}, array{nil}, array{array{}}, object{}, object{"$x": 1}, object{"": nil}}
	for i := range ops {
		o := &ops[i]
		for place := range o.args {
			for _, v := range odd {
				c := withPeople(t)
				arguments := make(array, len(o.args))
				for j, name := range o.args {
					arguments[j] = goodArguments[name]
				}
				arguments[place] = v
				if _, failure := c.call(o.name, arguments); failure != nil && failure.code == engine.CodeInternal {
					t.Errorf("%s with %s = %#v: %s", o.name, o.args[place], v, failure.message)
				}
			}
		}
	}
}

func TestCall_refusesNumbers(t *testing.T) {
	c := newClient(t)
	for _, number := range []uint32{0, uint32(len(ops) + 1), 1 << 31} {
		if _, failure := c.raw(number, []byte{0x90}); failure == nil || failure.code != engine.CodeInvalid {
			t.Errorf("op %d got %v, want invalid", number, failure)
		}
	}
	for _, length := range []int{-1, 1 << 30} {
		n := c.bridge.Call(c.handle, 1, length)
		if n >= 0 || decode(t, c.bridge.Output()[:^n]).(array)[0] != string(engine.CodeInvalid) {
			t.Errorf("arguments of length %d are not invalid", length)
		}
	}
}
