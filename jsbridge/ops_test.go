package jsbridge

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// people is the collection that the tests below start from.
func withPeople(t testing.TB) *client {
	c := newClient(t)
	c.must("insert", array{"people", false},
		object{"_id": "ada", "name": "Ada", "age": 36, "tags": array{"math", "engine"}},
		object{"name": "Bob", "age": 17},
		object{"name": "Cy", "age": 54, "tags": array{"math"}},
	)
	return c
}

// TestOps: each op does what the table says.
func TestOps(t *testing.T) {
	for _, tt := range []struct {
		op        string
		arguments array
		docs      array
		want      any  // the result; nil: none
		isNil     bool // the result is nil
		check     func(t *testing.T, c *client)
	}{
		{op: "insert", arguments: array{"people", false}, docs: array{object{"name": "Di"}, object{"_id": "e"}}, want: array{int64(3), "e"},
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("count", array{"people", nil, -1})), int64(5))
			}},
		{op: "insert", arguments: array{"people", true}, docs: array{object{"_id": "ada", "name": "Ada L."}}, want: array{"ada"},
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("get", array{"people", "ada"})), object{"_id": "ada", "name": "Ada L."})
			}},
		{op: "insert", arguments: array{"people", false}, want: array{}},
		{op: "get", arguments: array{"people", 1}, want: object{"_id": int64(1), "name": "Bob", "age": int64(17)}},
		{op: "get", arguments: array{"people", 99}},
		{op: "get", arguments: array{"nobody", 1}},
		{op: "count", arguments: array{"people", object{"age": object{"$gt": 20}}, -1}, want: int64(2)},
		{op: "count", arguments: array{"people", nil, 2}, want: int64(2)},
		{op: "count", arguments: array{"people", nil, 0}, want: int64(0)},
		{op: "count", arguments: array{"people", nil, 2.0}, want: int64(2)},
		{op: "ids", arguments: array{"people"}, want: array{"ada", int64(1), int64(2)}},
		{op: "distinct", arguments: array{"people", "tags", nil}, want: array{"engine", "math"}},
		{op: "distinct", arguments: array{"people", "tags", "age > 40"}, want: array{"math"}},
		{op: "update", arguments: array{"people", object{"$inc": object{"age": 1}}, array{"eq", "name", "Bob"}}, want: int64(1),
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("get", array{"people", 1})), object{"_id": int64(1), "name": "Bob", "age": int64(18)})
			}},
		{op: "modify", arguments: array{"people", object{"$inc": object{"age": 1}}, "age > 1", array{array{"age", true}}, true, false, false, nil, 2},
			want: array{int64(1), nil, array{object{"_id": int64(2), "name": "Cy", "age": int64(55), "tags": array{"math"}}}}},
		{op: "modify", arguments: array{"people", object{"$currentDate": object{"at": true}, "$setOnInsert": object{"k": 1}}, object{"name": "Di"}, nil, false, true, false, nil, 0}, want: array{int64(1), int64(3), nil},
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("count", array{"people", array{"and", array{"type", "at", "date"}, array{"eq", "k", 1}, array{"eq", "name", "Di"}}, -1})), int64(1))
			}},
		{op: "modify", arguments: array{"people", object{"tags.$": "maths", "tags.$[e]": "engines"}, object{"tags": "math"}, nil, false, false, false, array{object{"e": "engine"}}, 0}, want: array{int64(2), nil, nil},
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("distinct", array{"people", "tags", nil})), array{"engines", "maths"})
			}},
		{op: "modify", arguments: array{"people", object{"n": 1}, "_id = 1", nil, true, false, true, array{}, 1}, want: array{int64(1), nil, array{object{"_id": int64(1), "name": "Bob", "age": int64(17)}}},
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("get", array{"people", 1})), object{"_id": int64(1), "n": int64(1)})
			}},
		{op: "updateEach", arguments: array{"people", array{array{1, object{"age": 1}}, array{"ada", object{"age": 2}}, array{77, object{"age": 3}}}}, want: int64(2)},
		{op: "remove", arguments: array{"people", "age < 40"}, want: int64(2),
			check: func(t *testing.T, c *client) { equal(t, decode(t, c.must("ids", array{"people"})), array{int64(2)}) }},
		{op: "clear", arguments: array{"people"},
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("collections", nil)), array{"people"})
				equal(t, decode(t, c.must("insert", array{"people", false}, object{})), array{int64(3)})
			}},
		{op: "collections", want: array{"people"}},
		{op: "addRelationship", arguments: array{object{"type": "many_to_one", "from": "people", "to": "people", "foreignKey": "age"}},
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("relationships", nil)), array{object{
					"name": "people", "type": "many_to_one", "from": "people", "to": "people", "foreignKey": "age", "onDelete": "none", "enforce": false,
				}})
				c.must("update", array{"people", object{"age": 2}, "_id = 1"})
				docs, _ := c.found(c.must("populated", array{"people", "_id = 1", nil, 0, -1, array{"name"}, array{"people"}}))
				equal(t, docs, []any{object{"_id": int64(1), "name": "Bob", "people": decode(t, c.must("get", array{"people", 2}))}})
				c.must("removeRelationship", array{"people.people"})
				equal(t, decode(t, c.must("relationships", nil)), array{})
			}},
		{op: "revert", arguments: array{"undo"}, docs: array{array{"people", 2, "new", nil, object{"_id": "new"}}}, want: array{int64(1), int64(0)},
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("get", array{"people", "new"})), object{"_id": "new"})
				if _, err := c.call("revert", array{"undo"}, array{"people", 2, "new", nil, object{"_id": "new"}}); err == nil || err.code != engine.CodeConflict {
					t.Error(err)
				}
			}},
		{op: "dataVersion", want: array{int64(0), false}},
		{op: "setDataVersion", arguments: array{3},
			check: func(t *testing.T, c *client) { equal(t, decode(t, c.must("dataVersion", nil)), array{int64(3), false}) }},
		{op: "metadata", arguments: array{"people"}, want: object{
			"documentCount": int64(3), "averageDocumentSize": 30.333333333333332, "totalSize": int64(91),
			"indexes": array{}, "relationships": array{}, "schema": nil, "schemaOptions": object{}, "stats": object{"lastUpdated": int64(0), "seq": int64(0)},
		}},
		{op: "usage", want: object{
			"documents": int64(3), "bytes": int64(91), "collections": object{"people": object{"documents": int64(3), "bytes": int64(91)}},
			"log": object{"batches": int64(0), "bytes": int64(0)},
		}},
		{op: "createCollection", arguments: array{"dogs", object{"required": array{"name"}}, object{}},
			check: func(t *testing.T, c *client) {
				_, failure := c.call("insert", array{"dogs", false}, object{"age": 36})
				if failure == nil || failure.code != engine.CodeSchema || len(failure.faults) != 1 || failure.faults[0] != [3]string{"name", "required", "is required"} {
					t.Errorf("a document without name got %v, want schema", failure)
				}
				equal(t, decode(t, c.must("schema", array{"dogs"})), object{"required": array{"name"}})
			}},
		{op: "setSchema", arguments: array{"people", object{"required": array{"tags"}}, object{"defaults": true}, object{"tags": array{}}},
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("schema", array{"people"})), object{"required": array{"tags"}})
				equal(t, decode(t, c.must("count", array{"people", "tags = []", -1})), int64(1))
				c.must("setSchema", array{"people", nil, object{}, nil})
				equal(t, decode(t, c.must("schema", array{"people"})), nil)
			}},
		{op: "schema", arguments: array{"people"}, want: nil, isNil: true},
		{op: "createCollection", arguments: array{"dogs", nil, object{}},
			check: func(t *testing.T, c *client) {
				equal(t, decode(t, c.must("collections", nil)), array{"dogs", "people"})
			}},
		{op: "dropCollection", arguments: array{"people"},
			check: func(t *testing.T, c *client) { equal(t, decode(t, c.must("collections", nil)), array{}) }},
		{op: "createIndex", arguments: array{"people", array{"age"}, object{"unique": true, "sparse": true}},
			check: func(t *testing.T, c *client) {
				_, failure := c.call("insert", array{"people", false}, object{"age": 36})
				if failure == nil || failure.code != engine.CodeUnique {
					t.Errorf("a second document of age 36 got %v, want unique", failure)
				}
				if _, failure := c.call("insert", array{"people", false}, object{}); failure != nil {
					t.Errorf("a document without age got %v", failure)
				}
			}},
		{op: "explain", arguments: array{"people", "age > 20", nil, 0, 1}, want: array{"scan → match(age > 20)", nil, int64(1), int64(1), array{array{"age > 20", "document", int64(2), int64(2)}}}},
		{op: "explain", arguments: array{"people", nil, nil, 0, 0}, want: array{"scan → match(false)", nil, int64(0), int64(0), array{}}},
		{op: "parse", arguments: array{object{"age": object{"$gte": 18}, "name": "Ada"}}, want: "age >= 18 and name = 'Ada'"},
	} {
		t.Run(tt.op, func(t *testing.T) {
			c := withPeople(t)
			answer, failure := c.call(tt.op, tt.arguments, tt.docs...)
			if failure != nil {
				t.Fatalf("%s %v: %s", tt.op, tt.arguments, failure.message)
			}
			if tt.isNil {
				equal(t, decode(t, answer), nil)
			} else if tt.want == nil {
				equal(t, len(answer), 0)
			} else {
				equal(t, decode(t, answer), tt.want)
			}
			if tt.check != nil {
				tt.check(t, c)
			}
		})
	}
}

// TestRows: the ops that return rows.
func TestRows(t *testing.T) {
	for _, tt := range []struct {
		name, op  string
		arguments array
		want      array
	}{
		{"all as one group", "aggregate", array{"people", nil, nil,
			array{array{"n", "count", ""}, array{"tagged", "count", "tags"}, array{"total", "sum", "age"}, array{"mean", "avg", "age"}, array{"low", "min", "age"}, array{"high", "max", "age"},
				array{"one", "first", "name"}, array{"other", "last", "tags"}, array{"tags", "distinct", "tags"}, array{"kinds", "countDistinct", "tags"}}, nil, nil, 0, -1},
			array{object{"n": int64(3), "tagged": int64(2), "total": int64(107), "mean": float64(107) / 3, "low": int64(17), "high": int64(54), "one": "Ada", "other": array{"math"},
				"tags": array{"engine", "math"}, "kinds": int64(2)}}},
		{"groups", "aggregate", array{"people", "age > 1", array{"tags.0"}, array{array{"n", "count", ""}}, object{"n": object{"$gt": 0}}, array{array{"n", true}, array{"tags.0", false}}, 0, -1},
			array{object{"tags": object{"0": "math"}, "n": int64(2)}, object{"tags": object{"0": nil}, "n": int64(1)}}},
		{"skip and limit", "aggregate", array{"people", nil, array{"name"}, array{}, nil, array{array{"name", false}}, 1, 1}, array{object{"name": "Bob"}}},
		{"limit 0 is none", "aggregate", array{"people", nil, nil, array{array{"n", "count", ""}}, nil, nil, 0, 0}, nil},
		{"no such collection", "aggregate", array{"nobody", nil, nil, array{array{"n", "count", ""}}, nil, nil, 0, -1}, array{object{"n": int64(0)}}},
		{"select", "sql", array{"SELECT name, age + 1 AS next FROM people WHERE age > ? ORDER BY age DESC", array{20}},
			array{object{"name": "Cy", "next": int64(55)}, object{"name": "Ada", "next": int64(37)}}},
		{"named parameters", "sql", array{"SELECT name FROM people WHERE age = :age", object{"age": 17}}, array{object{"name": "Bob"}}},
		{"insert", "sqlWrite", array{"INSERT INTO people (name, age) VALUES (?, 1), ('Eve', 2)", array{"Di"}}, array{object{"_id": int64(3)}, object{"_id": int64(4)}}},
		{"update", "sqlWrite", array{"UPDATE people SET age = age + 1 WHERE age < 40", nil}, array{object{"updated": int64(2)}}},
		{"delete", "sqlWrite", array{"DELETE FROM people WHERE name = 'Ada'", nil}, array{object{"removed": int64(1)}}},
		{"unfit", "unfit", array{"people", object{"required": array{"tags"}}, object{}}, array{object{"_id": int64(1), "name": "Bob", "age": int64(17)}}},
		{"create index", "sqlWrite", array{"CREATE INDEX ON people (age)", nil}, nil},
	} {
		t.Run(tt.op+" "+tt.name, func(t *testing.T) {
			c := withPeople(t)
			rows, left := c.found(c.must(tt.op, tt.arguments))
			equal(t, rows, []any(tt.want))
			equal(t, left, 0)
		})
	}
}

// TestRows_pieces: rows come in pieces as documents do, and those of a write
// all at once.
func TestRows_pieces(t *testing.T) {
	const documents, each = 100, 50_000
	c := newClient(t)
	var values []string
	for i := range documents {
		c.must("insert", array{"big", false}, object{"n": i, "text": strings.Repeat("x", each) + strconv.Itoa(i)})
		values = append(values, "('"+strings.Repeat("y", each)+strconv.Itoa(i)+"')")
	}
	for _, call := range []struct {
		op        string
		arguments array
	}{
		{"aggregate", array{"big", nil, array{"text"}, array{}, nil, nil, 0, -1}},
		{"sql", array{"SELECT * FROM big", nil}},
		{"sql", array{"SELECT text, n + 1 AS m FROM big WHERE n > ?", array{-1}}},
	} {
		rows, left := c.found(c.must(call.op, call.arguments))
		if left == 0 || len(c.bridge.out) > pieceBytes+each+100 {
			t.Errorf("%s: the first piece is of %d bytes, and %d rows are left", call.op, len(c.bridge.out), left)
		}
		for left > 0 {
			c.must("parse", array{strings.Repeat("a = 1 and ", 10) + "b = 2"}) // overwrites the arguments that the first call borrowed
			var more []any
			more, left = c.found(c.must("more", nil))
			rows = append(rows, more...)
		}
		equal(t, len(rows), documents)
	}

	rows, left := c.found(c.must("sqlWrite", array{"INSERT INTO long (_id) VALUES " + strings.Join(values, ", "), nil}))
	equal(t, left, 0)
	equal(t, len(rows), documents)
	if len(c.bridge.out) < 2*pieceBytes {
		t.Errorf("%d bytes of ids prove nothing", len(c.bridge.out))
	}
}

// TestStatements: at most maxStatements are kept, and never one of a faulty or long
// text.
func TestStatements(t *testing.T) {
	c := withPeople(t)
	kept := &c.bridge.sql
	for i := range 3 * maxStatements {
		c.must("sql", array{"SELECT * FROM people LIMIT " + strconv.Itoa(i), nil})
		if len(*kept) > maxStatements {
			t.Fatalf("%d texts are kept", len(*kept))
		}
	}
	before := len(*kept)
	c.must("sql", array{"SELECT * FROM people LIMIT " + strconv.Itoa(3*maxStatements-1), nil})
	c.call("sql", array{"SELECT * FROM", nil})
	c.must("sql", array{"SELECT * FROM people" + strings.Repeat(" ", maxTextBytes), nil})
	equal(t, len(*kept), before)
}

func TestFind(t *testing.T) {
	c := withPeople(t)
	for _, tt := range []struct {
		name      string
		arguments array
		want      array // names
	}{
		{"all", array{"people", nil, nil, 0, -1, nil}, array{"Ada", "Bob", "Cy"}},
		{"text", array{"people", "age > 20", nil, 0, -1, nil}, array{"Ada", "Cy"}},
		{"filter", array{"people", object{"tags": "engine"}, nil, 0, -1, nil}, array{"Ada"}},
		{"sorted", array{"people", nil, array{array{"age", true}}, 0, -1, nil}, array{"Cy", "Ada", "Bob"}},
		{"skip and limit", array{"people", nil, array{array{"age", false}}, 1, 1, nil}, array{"Ada"}},
		{"limit 0 is none", array{"people", nil, nil, 0, 0, nil}, nil},
		{"no such collection", array{"nobody", nil, nil, 0, -1, nil}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			docs, left := c.found(c.must("find", tt.arguments))
			var names array
			for _, doc := range docs {
				names = append(names, doc.(object)["name"])
			}
			equal(t, names, tt.want)
			equal(t, left, 0)
		})
	}
	t.Run("fields", func(t *testing.T) {
		docs, _ := c.found(c.must("find", array{"people", "age < 20", nil, 0, -1, array{"age"}}))
		equal(t, docs, array{object{"_id": int64(1), "age": int64(17)}})
	})
}

// TestMatching: the ids that matching tells are asked for by among, which leaves out what
// is gone or does not match any more, and keeps the order.
func TestMatching(t *testing.T) {
	c := withPeople(t)
	portions, left := c.found(c.must("matching", array{"people", "age > 1", array{array{"age", true}}, 0, -1}))
	equal(t, left, 0)
	equal(t, len(portions), 1)
	ids := []byte(portions[0].(string))
	names := func(where any) (names array) {
		docs, _ := c.found(c.must("among", array{"people", ids, where, nil, nil}))
		for _, doc := range docs {
			names = append(names, doc.(object)["name"])
		}
		return names
	}
	equal(t, names("age > 1"), array{"Cy", "Ada", "Bob"})
	c.must("update", array{"people", object{"age": 1}, "name = 'Ada'"})
	equal(t, names("age > 1"), array{"Cy", "Bob"})
	c.must("remove", array{"people", "name = 'Cy'"})
	equal(t, names(nil), array{"Ada", "Bob"})
	docs, _ := c.found(c.must("among", array{"people", ids, nil, array{"age"}, nil}))
	equal(t, docs[0].(object)["name"], nil)
	equal(t, docs[0].(object)["age"], int64(1))

	portions, _ = c.found(c.must("matching", array{"people", nil, nil, 0, 0}))
	equal(t, len(portions), 0)
	for _, wrong := range [][]byte{{0xc1}, {0xa5, 'x'}, {0xc0}, {1, 0x90}} {
		if _, failure := c.call("among", array{"people", wrong, nil, nil, nil}); failure == nil || failure.code != engine.CodeInvalid {
			t.Errorf("ids %x: got %v, want invalid", wrong, failure)
		}
	}
}

// TestMatching_portions: a portion is the ids of about so many bytes of documents, and
// all of them together are the ids of all documents.
func TestMatching_portions(t *testing.T) {
	c := newClient(t)
	for i := range 40 {
		c.must("insert", array{"big", false}, object{"n": i, "text": strings.Repeat("x", 50_000)})
	}
	portions, left := c.found(c.must("matching", array{"big", nil, nil, 0, -1}))
	equal(t, left, 0)
	equal(t, len(portions), 7) // of six documents each, the last of four
	n := 0
	for _, ids := range portions {
		docs, left := c.found(c.must("among", array{"big", []byte(ids.(string)), nil, nil, nil}))
		for left > 0 {
			more, leftNow := c.found(c.must("more", nil))
			docs, left = append(docs, more...), leftNow
		}
		for _, doc := range docs {
			equal(t, doc.(object)["n"], int64(n))
			n++
		}
	}
	equal(t, n, 40)
}

// TestFind_pieces: a result of several MiB comes in pieces of about one, whole
// and in order, and a write ends it.
func TestFind_pieces(t *testing.T) {
	const documents, each = 100, 50_000
	c := newClient(t)
	for i := range documents {
		c.must("insert", array{"big", false}, object{"n": i, "text": strings.Repeat("x", each)})
	}

	docs, left := c.found(c.must("find", array{"big", nil, nil, 0, -1, nil}))
	pieces := 1
	for left > 0 {
		before := len(docs)
		more, leftNow := c.found(c.must("more", nil))
		docs = append(docs, more...)
		equal(t, before+left, len(docs)+leftNow)
		left = leftNow
		pieces++
		if n := len(c.bridge.out); n > pieceBytes+each+100 {
			t.Fatalf("piece %d takes %d bytes", pieces, n)
		}
	}
	if want := documents * each / pieceBytes; pieces < want || pieces > want+2 {
		t.Errorf("%d pieces, want about %d", pieces, want)
	}
	for i, doc := range docs {
		equal(t, doc.(object)["n"], int64(i))
	}

	if _, failure := c.call("more", nil); failure == nil || failure.code != engine.CodeInvalid {
		t.Errorf("more after the end got %v, want invalid", failure)
	}
	c.must("find", array{"big", nil, nil, 0, -1, nil})
	c.must("remove", array{"big", array{"eq", "n", 99}})
	if _, failure := c.call("more", nil); failure == nil || failure.code != engine.CodeInvalid {
		t.Errorf("more after a write got %v, want invalid", failure)
	}
}

// TestSavepoint: rollback undoes every call since savepoint, release keeps them, and
// they nest.
func TestSavepoint(t *testing.T) {
	c := withPeople(t)
	count := func() any { return decode(t, c.must("count", array{"people", nil, -1})) }

	c.must("savepoint", nil)
	c.must("insert", array{"people", false}, object{"name": "Di"})
	c.must("savepoint", nil)
	c.must("remove", array{"people", nil})
	equal(t, count(), int64(0))
	c.must("rollback", nil)
	equal(t, count(), int64(4))
	c.must("release", nil)
	equal(t, count(), int64(4))

	c.must("savepoint", nil)
	c.must("dropCollection", array{"people"})
	c.must("insert", array{"cats", false}, object{})
	c.must("rollback", nil)
	equal(t, count(), int64(4))
	equal(t, decode(t, c.must("collections", nil)), array{"people"})

	for _, op := range []string{"release", "rollback"} {
		if _, failure := c.call(op, nil); failure == nil || failure.code != engine.CodeInvalid {
			t.Errorf("%s without savepoint got %v, want invalid", op, failure)
		}
	}
}

// TestSavepoint_suspended: reads do not see the changes since the savepoint, every
// write is refused, and resume puts the changes back.
func TestSavepoint_suspended(t *testing.T) {
	c := withPeople(t)
	count := func() any { return decode(t, c.must("count", array{"people", nil, -1})) }

	c.must("savepoint", nil)
	c.must("clear", array{"people"})
	c.must("insert", array{"people", false}, object{"name": "Di"})
	version := c.bridge.Version(c.handle)
	c.must("suspend", nil)
	if c.bridge.Version(c.handle) == version {
		t.Error("the version is the same")
	}
	equal(t, count(), int64(3))
	for _, op := range []string{"suspend", "release"} {
		if _, failure := c.call(op, nil); failure == nil || failure.code != engine.CodeInvalid {
			t.Errorf("%s while set aside got %v, want invalid", op, failure)
		}
	}
	if _, failure := c.call("insert", array{"people", false}, object{}); failure == nil || failure.code != engine.CodeInvalid {
		t.Errorf("a write while set aside got %v, want invalid", failure)
	}
	c.must("resume", nil)
	equal(t, count(), int64(1))
	c.must("release", nil)
	equal(t, decode(t, c.must("insert", array{"people", false}, object{})), array{int64(4)})
	if _, failure := c.call("resume", nil); failure == nil || failure.code != engine.CodeInvalid {
		t.Errorf("resume without suspend got %v, want invalid", failure)
	}
}

// TestStillValid: for each op whose results are cached, a result from before a change
// that it is about, and from before one that it is not.
func TestStillValid(t *testing.T) {
	c := withPeople(t)
	for _, tt := range []struct {
		op        string
		arguments array
		count     int
		last      any
		change    any
		want      bool
	}{
		{"find", array{"people", "age < 18", nil, 0, -1, nil}, 1, 1, object{"x": 1}, false},
		{"find", array{"people", "age > 18", nil, 0, -1, nil}, 2, 2, object{"x": 2}, true},
		{"find", array{"people", nil, nil, 0, 1, nil}, 1, "ada", object{"x": 3}, true}, // after its end
		{"find", array{"people", nil, nil, 0, 9, nil}, 3, 2, object{"x": 4}, false},    // it has no end
		{"find", array{"people", nil, nil, 0, 1, nil}, 1, nil, object{"x": 5}, false},  // or none that is known
		{"find", array{"people", nil, nil, 0, 0, nil}, 0, nil, object{"x": 6}, true},
		{"count", array{"people", "age < 18", -1}, 0, nil, object{"x": 7}, true},
		{"count", array{"people", "x = 7", -1}, 0, nil, object{"x": 8}, false},
		{"ids", array{"people"}, 0, nil, object{"x": 9}, true},
		{"distinct", array{"people", "name", nil}, 0, nil, object{"x": 10}, true},
		{"distinct", array{"people", "x", nil}, 0, nil, object{"x": 11}, false},
		{"aggregate", array{"people", nil, array{"name"}, array{array{"n", "count", ""}}, nil, nil, 0, -1}, 0, nil, object{"x": 12}, true},
		{"aggregate", array{"people", nil, array{"x"}, array{array{"n", "count", ""}}, nil, nil, 0, -1}, 0, nil, object{"x": 13}, false},
	} {
		version := c.bridge.Version(c.handle)
		c.must("update", array{"people", tt.change, "age < 18"})
		asked := func(changes uint64) any {
			input := append(input(t, array{numberOf(t, tt.op), changes, tt.count, tt.last}), input(t, tt.arguments)...)
			answer, failure := c.raw(numberOf(t, "stillValid"), input)
			if failure != nil {
				t.Fatalf("%s %v: %s", tt.op, tt.arguments, failure.message)
			}
			return decode(t, answer)
		}
		if got := asked(c.bridge.Version(c.handle) - version); got != tt.want {
			t.Errorf("%s %v after %v: still valid: %v, want %t", tt.op, tt.arguments, tt.change, got, tt.want)
		}
		equal(t, asked(0), true)
		equal(t, asked(c.bridge.Version(c.handle)), false) // perhaps of another engine
	}
	for _, op := range []any{numberOf(t, "get"), numberOf(t, "stillValid"), 99} {
		if _, failure := c.call("stillValid", array{op, 0, 0, nil}); failure == nil || failure.code != engine.CodeInvalid {
			t.Errorf("op %v got %v, want invalid", op, failure)
		}
	}
}

// TestCall_parseNeedsNoDatabase: conditions have text before anything is open.
func TestCall_parseNeedsNoDatabase(t *testing.T) {
	c := newClient(t)
	handle := c.handle
	c.handle = 0
	equal(t, decode(t, c.must("parse", array{array{"eq", "age", 1}})), "age = 1")
	c.handle = handle
}

func equal(t testing.TB, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
}
