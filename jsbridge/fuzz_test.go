package jsbridge

import (
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// FuzzCall: each of a few calls, made of any bytes, succeeds or is refused with a
// code that the caller can act on, no savepoint is left half done, and the database
// stays usable. The input is a list of calls: the op's number, the length of its
// arguments, its arguments.
func FuzzCall(f *testing.F) {
	for _, calls := range fuzzSeeds(f) {
		f.Add(calls)
	}
	f.Fuzz(func(t *testing.T, calls []byte) {
		c := withPeople(t)
		c.must("createIndex", array{"people", array{"age"}, object{}})
		for len(calls) >= 2 {
			number, n := uint32(calls[0]), min(int(calls[1]), len(calls)-2)
			arguments := calls[2 : 2+n]
			calls = calls[2+n:]
			_, failure := c.raw(number, arguments)
			if failure != nil && failure.code == engine.CodeInternal {
				t.Fatalf("op %d with %x: %s", number, arguments, failure.message)
			}
			if err := c.db().Check(); err != nil {
				t.Fatalf("after op %d with %x: %v", number, arguments, err)
			}
		}
		c.call("resume", nil) // refused, unless a savepoint was left suspended
		c.must("savepoint", nil)
		id := decode(t, c.must("insert", array{"probe", false}, object{"probe": true})).(array)[0]
		if doc := c.must("get", array{"probe", id}); len(doc) == 0 {
			t.Fatal("an inserted document is not found")
		}
		c.must("rollback", nil)
	})
}

// fuzzSeeds returns one list of calls for each op, and one of all these calls.
func fuzzSeeds(t testing.TB) (seeds [][]byte) {
	var all []byte
	seeded := map[string]bool{}
	for _, call := range []struct {
		op        string
		arguments array
		docs      array
	}{
		{"live", array{2, array{"people", "age > 1", array{array{"age", true}}, 1, 2, array{"age"}}}, nil},
		{"live", array{8, array{"people", nil, 2}}, nil},
		{"savepoint", nil, nil},
		{"insert", array{"people", false}, array{object{"_id": "x", "age": 1}, object{}}},
		{"insert", array{"people", true}, array{object{"_id": "x", "age": 2.5}}},
		{"find", array{"people", object{"age": object{"$gt": 1}}, array{array{"age", true}}, 0, 2, array{"age"}}, nil},
		{"matching", array{"people", "age > 1", array{array{"age", true}}, 0, -1}, nil},
		{"among", array{"people", []byte{0xa1, 'x', 1}, "age > 1", array{"age", array{"tags", -2, 1}}, nil}, nil},
		{"more", nil, nil},
		{"get", array{"people", "x"}, nil},
		{"tables", array{"people", "_id"}, nil},
		{"count", array{"people", array{"and", array{"exists", "age", true}, array{"not", array{"eq", "age", 3}}}, -1}, nil},
		{"ids", array{"people"}, nil},
		{"distinct", array{"people", "tags", "age > 1"}, nil},
		{"update", array{"people", object{"$inc": object{"age": 1}, "$push": object{"tags": "t"}}, nil}, nil},
		{"modify", array{"people", object{"$setOnInsert": object{"age": 1}, "$currentDate": object{"at": true}}, object{"name": "x"}, array{array{"age", true}}, true, true, false, nil, 2}, nil},
		{"modify", array{"people", object{"$inc": object{"a.$.n": 1, "b.$[x].c": 2, "d.$[]": 3}}, object{"a.n": 5}, nil, false, false, false, array{object{"x.c": object{"$gt": 1}}}, 0}, nil},
		{"updateEach", array{"people", array{array{"x", object{"age": 3}}}}, nil},
		{"remove", array{"people", array{"between", "age", 1, 9}}, nil},
		{"liveChanges", nil, nil},
		{"endLive", array{1}, nil},
		{"clear", array{"people"}, nil},
		{"collections", nil, nil},
		{"createCollection", array{"cats", object{"required": array{"a"}, "properties": object{"a": object{"type": "string"}}}, object{"defaults": true}}, nil},
		{"setSchema", array{"people", object{"minProperties": 1}, object{"strict": false, "schemas": array{object{"$id": "urn:a"}}}, object{"a": 1}}, nil},
		{"schema", array{"people"}, nil},
		{"unfit", array{"people", false, object{}}, nil},
		{"createIndex", array{"people", array{"tags", "age"}, object{"sparse": true}}, nil},
		{"dropIndex", array{"people", array{"age"}}, nil},
		{"aggregate", array{"people", "age > 1", array{"tags"}, array{array{"n", "count", ""}, array{"mean", "avg", "age"}}, object{"n": 1}, array{array{"mean", true}}, 0, 2}, nil},
		{"sql", array{"SELECT age, COUNT(*) AS n FROM people WHERE age > ? GROUP BY age ORDER BY n", array{1}}, nil},
		{"sqlWrite", array{"UPDATE people SET age = age + :more WHERE _id = 'x'", object{"more": 1}}, nil},
		{"explain", array{"people", "age between 1 and 5", nil, 0, -1}, nil},
		{"addRelationship", array{object{"name": "pets", "type": "one_to_many", "from": "people", "to": "cats", "foreignKey": "of", "onDelete": "cascade", "enforce": true}}, nil},
		{"populated", array{"people", nil, nil, 0, -1, nil, array{"pets"}}, nil},
		{"relationships", nil, nil},
		{"removeRelationship", array{"pets"}, nil},
		{"revert", array{"undo"}, array{array{"people", 2, "y", nil, object{"_id": "y", "age": 1}}, array{"people", 0, "z", object{"_id": "z"}, nil}}},
		{"setDataVersion", array{2}, nil},
		{"dataVersion", nil, nil},
		{"metadata", array{"people"}, nil},
		{"usage", nil, nil},
		{"dropCollection", array{"people"}, nil},
		{"parse", array{"name matches '^a' or tags contains 'x'"}, nil},
		{"settle", nil, nil},
		{"cut", nil, nil},
		{"apply", array{1, false}, nil},
		{"snapshot", nil, nil},
		{"beginFlush", nil, nil},
		{"endFlush", nil, nil},
		{"suspend", nil, nil},
		{"resume", nil, nil},
		{"rollback", nil, nil},
		{"release", nil, nil},
	} {
		seeded[call.op] = true
		arguments := input(t, call.arguments, call.docs...)
		one := append([]byte{byte(numberOf(t, call.op)), byte(len(arguments))}, arguments...)
		seeds = append(seeds, one)
		all = append(all, one...)
	}
	for _, op := range ops {
		if !seeded[op.name] && op.name != "stillValid" { // its arguments are those of two ops
			t.Errorf("no seed calls %s", op.name)
		}
	}
	return append(seeds, all)
}
