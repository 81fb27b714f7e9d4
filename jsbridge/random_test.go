package jsbridge

import (
	"flag"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

var seed = flag.Uint64("seed", 0, "replay one failing run of TestRandomCalls; 0 picks a new seed")

// TestRandomCalls makes calls whose arguments mostly make sense. None is an internal
// error, the invariants of the database hold, a write that is refused changes
// nothing, and a rollback undoes the others.
func TestRandomCalls(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	defer func() {
		if t.Failed() {
			t.Logf("replay: go test ./jsbridge -run TestRandomCalls -seed %d", *seed)
		}
	}()
	r := &randomCalls{Rand: rand.New(rand.NewPCG(*seed, 0)), t: t}

	c := withPeople(t)
	answered := map[string]int{}
	for step := range 3000 {
		if step%500 == 0 { // now and then an empty database, and stored writes that cannot be undone
			c.db().Cut(0)
			c.db().Confirm()
			if _, refused := c.call("clear", array{"people"}); refused != nil { // by a relationship
				for _, one := range decode(t, c.must("relationships", nil)).(array) {
					one := one.(object)
					c.must("removeRelationship", array{one["from"].(string) + "." + one["name"].(string)})
				}
				c.must("clear", array{"people"})
			}
			for _, path := range []string{"a", "b", "c.d"} { // those that were dropped
				c.call("createIndex", array{"people", array{path}, object{}}) // refused if there is one with other options
			}
		}
		o := &ops[r.IntN(len(ops))]
		if control[o.name] {
			continue
		}
		before := contents(t, c)
		c.must("savepoint", nil)
		version := c.bridge.Version(c.handle)
		arguments := r.arguments(o)
		answer, failure := c.raw(numberOf(t, o.name), append(input(t, arguments), r.documents(t, o)...))
		what := func() string { return "step " + strconv.Itoa(step) + ": " + o.name }
		if failure != nil && failure.code == engine.CodeInternal {
			t.Fatalf("%s %v: %s", what(), arguments, failure.message)
		}
		if err := c.db().Check(); err != nil {
			t.Fatalf("%s %v: %v", what(), arguments, err)
		}
		if (failure != nil || !o.writes) && contents(t, c) != before {
			t.Fatalf("%s %v: has changed something, though refused or not a write: %v", what(), arguments, failure)
		}
		if same := c.bridge.Version(c.handle) == version; same && contents(t, c) != before || !same && !o.writes {
			t.Fatalf("%s %v: same version: %t", what(), arguments, same)
		}
		if failure == nil {
			answered[o.name]++
		}
		if o.name == "savepoint" {
			c.must("release", nil)
		}
		if r.IntN(3) == 0 {
			after := contents(t, c)
			c.must("suspend", nil)
			if contents(t, c) != before {
				t.Fatalf("%s %v, set aside: something is left", what(), arguments)
			}
			c.must("resume", nil)
			if contents(t, c) != after {
				t.Fatalf("%s %v, brought back: it is not as before", what(), arguments)
			}
			if err := c.db().Check(); err != nil {
				t.Fatalf("%s %v, brought back: %v", what(), arguments, err)
			}
		}
		if failure == nil && r.IntN(3) > 0 {
			_, refused := c.call("release", nil)
			if refused == nil {
				continue
			}
			// An update may have left two documents of one value, or an id that no document has.
			if refused.code != engine.CodeUnique && refused.code != engine.CodeRelationship {
				t.Fatalf("%s %v: %s", what(), arguments, refused.message)
			}
		}
		version, after := c.bridge.Version(c.handle), contents(t, c)
		c.must("rollback", nil)
		if after != before && c.bridge.Version(c.handle) == version {
			t.Fatalf("%s %v, undone: the version is the same", what(), arguments)
		}
		if contents(t, c) != before {
			t.Fatalf("%s %v: undo leaves something of %x", what(), arguments, answer)
		}
		if err := c.db().Check(); err != nil {
			t.Fatalf("%s %v, undone: %v", what(), arguments, err)
		}
	}
	for _, o := range ops {
		if o.name == "more" || control[o.name] { // only a result of several MiB has more
			continue
		}
		if answered[o.name] < 3 {
			t.Errorf("only %d calls of %s were answered: the arguments make too little sense", answered[o.name], o.name)
		}
	}
}

// control are the ops that are not picked at random: those that the test above
// calls around each savepoint, and those that need a log.
var control = map[string]bool{"release": true, "rollback": true, "suspend": true, "resume": true, "settle": true, "cut": true, "apply": true, "snapshot": true, "beginFlush": true, "endFlush": true}

// cacheable are the ops whose results stillValid checks.
var cacheable = func() (cacheable []*op) {
	for i := range ops {
		if ops[i].stillValid != nil {
			cacheable = append(cacheable, &ops[i])
		}
	}
	return cacheable
}()

// contents returns everything that a user can see.
func contents(t *testing.T, c *client) string {
	var all []byte
	for _, name := range decode(t, c.must("collections", nil)).(array) {
		all = append(all, name.(string)...)
		all = append(all, c.must("schema", array{name})...)
		all = append(all, c.must("find", array{name, nil, nil, 0, -1, nil})...)
	}
	return string(all)
}

// randomCalls makes arguments of few values, so that calls use the same ones.
type randomCalls struct {
	*rand.Rand
	t     *testing.T
	asked *op // the op whose result stillValid checks
}

func oneOf[T any](r *randomCalls, values ...T) T { return values[r.IntN(len(values))] }

func (r *randomCalls) arguments(o *op) array {
	arguments := make(array, len(o.args))
	for i, name := range o.args {
		if r.IntN(40) == 0 {
			arguments[i] = r.value(2)
		} else {
			arguments[i] = r.argument(name, o.writes)
		}
	}
	return arguments
}

func (r *randomCalls) argument(name string, writes bool) any {
	switch name {
	case "collection":
		return oneOf(r, "people", "people", "people", "cats")
	case "arrayFilters":
		return oneOf[any](r, nil, nil, array{object{"x": r.value(1)}}, array{object{"x.a": object{"$gte": 1}}})
	case "returned":
		return r.IntN(3)
	case "upsert", "one", "replace":
		return r.IntN(2) == 0
	case "where":
		return r.where(2)
	case "sort":
		return oneOf[any](r, nil, array{array{r.path(), true}}, array{array{r.path(), false}, array{r.path(), true}})
	case "skip":
		return r.IntN(4)
	case "limit":
		return r.IntN(6) - 1
	case "fields":
		return oneOf[any](r, nil, array{r.path(), r.path()}, array{array{r.path(), r.IntN(5) - 2, r.IntN(3)}})
	case "op":
		r.asked = oneOf(r, cacheable...)
		return numberOf(r.t, r.asked.name)
	case "arguments": // of the op that was picked last
		if r.asked == nil {
			return array{}
		}
		return r.arguments(r.asked)
	case "number":
		return r.IntN(200)
	case "changes", "count":
		return r.IntN(4)
	case "id", "last":
		return r.id()
	case "ids":
		return append(encode(r.t, r.id()), encode(r.t, oneOf[any](r, 1, 2, "x"))...)
	case "path":
		return r.path()
	case "change":
		return r.change()
	case "pairs":
		return array{array{r.id(), r.change()}, array{r.id(), r.change()}}
	case "paths":
		return oneOf(r, array{"a"}, array{"b"}, array{"a", "b"}, array{"c.d"})
	case "groupBy":
		return oneOf[any](r, nil, array{r.path()}, array{"a", "c.d"})
	case "select":
		return array{array{"n", "count", ""}, array{"m", oneOf(r, "count", "sum", "avg", "min", "max", "first", "last", "distinct", "countDistinct"), r.path()}}
	case "having":
		return oneOf[any](r, nil, "n > 1", array{"gte", "m", r.value(1)}, object{"n": object{"$lt": 3}})
	case "text":
		return r.statement(writes)
	case "params":
		return array{r.value(1), r.value(1)}
	case "schema":
		return oneOf[any](r, nil, true, object{"properties": object{"a": object{"type": array{"number", "string"}}}}, object{"required": array{"a"}, "maxProperties": 5}, object{"$ref": "urn:a"})
	case "schemaOptions":
		return oneOf(r, object{}, object{"strict": false}, object{"schemas": array{object{"$id": "urn:a", "type": "object"}}})
	case "migrate":
		return oneOf[any](r, nil, object{"a": 1}, array{array{r.id(), object{"a": "x"}}})
	case "relationship":
		return object{
			"name": r.relationship(), "type": oneOf(r, "one_to_one", "one_to_many", "many_to_one", "many_to_many"), "from": oneOf(r, "people", "cats"),
			"to": oneOf(r, "people", "cats"), "foreignKey": oneOf(r, "a", "b", "c.d"), "onDelete": oneOf(r, "none", "restrict", "cascade", "set_null"), "enforce": r.IntN(8) == 0,
		}
	case "call":
		return "undo"
	case "name":
		return r.relationship()
	case "populate":
		return array{oneOf(r, "", r.relationship()+".") + r.relationship()}[:r.IntN(2)]
	case "version":
		return r.IntN(4)
	case "options":
		return object{"unique": r.IntN(4) == 0, "sparse": r.IntN(3) == 0}
	}
	return nil
}

// statement returns an SQL text with two parameters.
func (r *randomCalls) statement(writes bool) string {
	where := " WHERE " + oneOf(r, "a > ? OR b = ?", "a IN (?, ?)", "a BETWEEN ? AND ?", "a + 1 < ? OR NOT (c.d != ?)", "a IS NULL AND b != ? AND b != ?")
	if !writes {
		return oneOf(r, "SELECT * FROM people", "SELECT a, c.d + 1 AS e FROM people", "SELECT a, COUNT(*) AS n, MAX(b) AS m FROM people",
			"SELECT DISTINCT a FROM people") + where + oneOf(r, "", "", " ORDER BY a LIMIT 3", " GROUP BY a")
	}
	return oneOf(r,
		"INSERT INTO people (a, c.d) VALUES (?, ?), (1, 2)", "INSERT INTO cats (_id, a) VALUES (?, ?)", "UPDATE people SET a = 5, c.d = a"+where, "UPDATE people SET a = a + 1"+where,
		"UPDATE people SET b = ?, a = ?", "DELETE FROM people"+where)
}

func (r *randomCalls) documents(t *testing.T, o *op) (docs []byte) {
	if o.name == "stillValid" && r.asked != nil {
		return input(t, r.arguments(r.asked))
	}
	if o.name == "revert" {
		id := r.id()
		return encode(t, array{"people", 2, id, nil, object{"_id": id, "a": r.value(1)}})
	}
	if o.name != "insert" {
		return nil
	}
	for range r.IntN(4) {
		doc := object{"a": r.value(1), "b": r.value(2)}
		if r.IntN(3) > 0 {
			doc["_id"] = r.id()
		}
		if r.IntN(2) == 0 {
			doc["c"] = object{"d": r.value(1)}
		}
		docs = append(docs, encode(t, doc)...)
	}
	return docs
}

func (r *randomCalls) relationship() string { return oneOf(r, "r1", "r2", "r3") }

func (r *randomCalls) id() any { return oneOf[any](r, 1, 2, 3, 4, "ada", "x", 1.5) }

func (r *randomCalls) path() string { return oneOf(r, "a", "b", "c.d", "b.0", "_id", "b.a", "none") }

func (r *randomCalls) value(depth int) any {
	if depth > 0 && r.IntN(4) == 0 {
		return oneOf[any](r, array{r.value(depth - 1), r.value(depth - 1)}, object{"a": r.value(depth - 1)}, array{})
	}
	return oneOf[any](r, 0, 1, 2, -1, 1.5, 1<<40, "", "x", "ada", nil, true, false, []byte("x"))
}

func (r *randomCalls) where(depth int) any {
	if depth > 0 && r.IntN(3) == 0 {
		return oneOf(r,
			array{"and", r.where(depth - 1), r.where(depth - 1)}, array{"or", r.where(depth - 1), r.where(depth - 1)},
			array{"not", r.where(depth - 1)}, array{"any", r.path(), r.where(depth - 1)})
	}
	switch r.IntN(6) {
	case 0:
		return nil
	case 1:
		return array{"in", r.path(), array{r.value(1), r.value(1)}}
	case 2:
		return object{r.path(): object{oneOf(r, "$gt", "$lte", "$ne", "$eq"): r.value(1)}}
	case 3:
		return oneOf(r, "a > 1", "b.a = 'x' or a < 2", "exists c.d", "not (a exists)", "a between 0 and 2")
	case 4:
		return array{"between", r.path(), r.value(0), r.value(0)}
	}
	return array{oneOf(r, "eq", "ne", "gt", "gte", "lt", "lte", "contains"), r.path(), r.value(1)}
}

func (r *randomCalls) change() any {
	if r.IntN(2) == 0 {
		return object{r.path(): r.value(1)}
	}
	operator := oneOf(r, "$set", "$unset", "$inc", "$push", "$pull", "$min", "$max", "$rename", "$setOnInsert", "$currentDate")
	if operator == "$rename" {
		return object{operator: object{r.path(): r.path()}}
	}
	return object{operator: object{r.path() + oneOf(r, "", "", "", ".$", ".$[]", ".$[x]"): r.value(1)}}
}
