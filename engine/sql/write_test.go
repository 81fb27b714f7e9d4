package sql_test

import (
	"errors"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// TestWrites runs statements that change something, each on the same data, and looks
// what they have made.
func TestWrites(t *testing.T) {
	for _, tt := range []struct{ before, text, want, check, found string }{
		// INSERT … SELECT.
		{"", "INSERT INTO old SELECT _id, name FROM people WHERE age > 30", "{_id: 'ada'}\n{_id: 'cy'}", "SELECT * FROM old", "{_id: 'ada', name: 'Ada'}\n{_id: 'cy', name: 'Cy'}"},
		{"", "INSERT INTO sums (who, sum.all) SELECT by, SUM(total) FROM orders WHERE by IS NOT NULL GROUP BY by", "{_id: 1}\n{_id: 2}\n{_id: 3}",
			"SELECT who, sum.all FROM sums", "{who: 'ada', all: 12.5}\n{who: 'cy', all: 7}\n{who: 'nobody', all: 1}"},
		{"", "INSERT INTO orders SELECT * FROM (SELECT 50 + _id AS _id, total FROM orders) WHERE total > 8 RETURNING total * 2 AS twice", "{twice: 20}", "SELECT * FROM orders WHERE _id > 5", "{_id: 51, total: 10}"},
		{"", "WITH x AS (SELECT name FROM people WHERE age = 20) INSERT INTO b SELECT name FROM x RETURNING *", "{_id: 1, name: 'Bob'}", "SELECT COUNT(*) AS n FROM b", "{n: 1}"},
		{"", "INSERT INTO b SELECT 1 AS x UNION ALL SELECT 2", "{_id: 1}\n{_id: 2}", "SELECT x FROM b", "{x: 1}\n{x: 2}"},
		// A document that is there.
		{"", "INSERT OR IGNORE INTO people (_id, name) VALUES ('ada', 'New'), ('eve', 'Eve')", "{_id: 'eve'}", "SELECT name FROM people WHERE _id IN ('ada', 'eve')", "{name: 'Ada'}\n{name: 'Eve'}"},
		{"", "INSERT OR REPLACE INTO people (_id, name) VALUES ('ada', 'New'), ('eve', 'Eve')", "{_id: 'ada'}\n{_id: 'eve'}", "SELECT * FROM people WHERE _id IN ('ada', 'eve')", "{_id: 'ada', name: 'New'}\n{_id: 'eve', name: 'Eve'}"},
		{"CREATE UNIQUE INDEX ON people (name)", "REPLACE INTO people (_id, name) VALUES ('eve', 'Ada')", "{_id: 'eve'}", "SELECT _id FROM people WHERE name = 'Ada'", "{_id: 'eve'}"},
		{"CREATE UNIQUE INDEX ON people (name)", "REPLACE INTO people (_id, name) VALUES ('bob', 'Ada')", "{_id: 'bob'}", "SELECT _id FROM people", "{_id: 'cy'}\n{_id: 'dee'}\n{_id: 'bob'}"},
		{"CREATE UNIQUE INDEX ON people (name)", "INSERT INTO people (name) VALUES ('Ada'), ('New') ON CONFLICT DO NOTHING RETURNING name", "{name: 'New'}", "SELECT COUNT(*) AS n FROM people", "{n: 5}"},
		{"CREATE UNIQUE INDEX ON people (name)", "INSERT INTO people (name) VALUES ('Ada'), ('Ada') ON CONFLICT (name) DO NOTHING", "", "SELECT COUNT(*) AS n FROM people", "{n: 4}"},
		{"", "INSERT INTO people (_id, age) VALUES ('ada', 1), ('ada', 5), ('eve', 1) ON CONFLICT (_id) DO UPDATE SET age = age + excluded.age, nick = excluded._id RETURNING age, nick",
			"{age: 37, nick: 'ada'}\n{age: 42, nick: 'ada'}\n{age: 1, nick: null}", "SELECT age, name FROM people WHERE _id = 'ada'", "{age: 42, name: 'Ada'}"},
		{"CREATE UNIQUE INDEX ON people (name)", "INSERT INTO people AS p (name, age) SELECT name, 1 FROM people WHERE age > 0 ON CONFLICT (name) DO UPDATE SET age = p.age + excluded.age WHERE p.age > 30",
			"{_id: 'ada'}\n{_id: 'cy'}", "SELECT age FROM people", "{age: 37}\n{age: 20}\n{age: 53}\n{age: null}"},
		// RETURNING.
		{"", "INSERT INTO people (name) VALUES ('Eve') RETURNING _id, upper(name) AS loud", "{_id: 1, loud: 'EVE'}", "SELECT COUNT(*) AS n FROM people", "{n: 5}"},
		{"", "INSERT INTO people (name) VALUES ('Eve') RETURNING *", "{_id: 1, name: 'Eve'}", "SELECT COUNT(*) AS n FROM people", "{n: 5}"},
		{"", "UPDATE people SET age = 1 WHERE age > 30 RETURNING name, age", "{name: 'Ada', age: 1}\n{name: 'Cy', age: 1}", "SELECT COUNT(*) AS n FROM people WHERE age = 1", "{n: 2}"},
		{"", "DELETE FROM people WHERE age > 30 RETURNING name, (SELECT COUNT(*) FROM orders WHERE by = people._id) AS n", "{name: 'Ada', n: 2}\n{name: 'Cy', n: 1}", "SELECT name FROM people", "{name: 'Bob'}\n{name: 'Dee 100%'}"},
		{"", "DELETE FROM people RETURNING name AS n", "{n: 'Ada'}\n{n: 'Bob'}\n{n: 'Cy'}\n{n: 'Dee 100%'}", "SELECT name FROM people", ""},
		{"", "UPDATE people SET (age, nick) = (age + 1, name), (address.zip) = ('1') WHERE _id = 'bob'", "{updated: 1}", "SELECT age, nick, address.zip FROM people WHERE age = 21", "{age: 21, nick: 'Bob', zip: '1'}"},
		// Queries in them.
		{"", "DELETE FROM people WHERE _id NOT IN (SELECT by FROM orders WHERE by IS NOT NULL)", "{removed: 2}", "SELECT name FROM people", "{name: 'Ada'}\n{name: 'Cy'}"},
		{"", "UPDATE people SET spent = (SELECT SUM(total) FROM orders WHERE by = people._id) WHERE EXISTS (SELECT 1 FROM orders WHERE by = people._id)", "{updated: 2}", "SELECT spent FROM people", "{spent: 12.5}\n{spent: null}\n{spent: 7}\n{spent: null}"},
		{"", "UPDATE people AS p SET spent = x.sum FROM (SELECT by, SUM(total) AS sum FROM orders GROUP BY by) x WHERE x.by = p._id RETURNING spent", "{spent: 12.5}\n{spent: 7}", "SELECT COUNT(spent) AS n FROM people", "{n: 2}"},
		{"", "UPDATE people SET last = o.total FROM orders o WHERE o.by = people._id", "{updated: 2}", "SELECT last FROM people WHERE last EXISTS", "{last: 10}\n{last: 7}"},
		{"", "INSERT INTO people (name, age) VALUES ('Eve', (SELECT MAX(age) FROM people) + 1)", "{_id: 1}", "SELECT age FROM people WHERE name = 'Eve'", "{age: 53}"},
		// Tables.
		{"", "CREATE TABLE IF NOT EXISTS people (a)", "", "SELECT COUNT(*) AS n FROM people", "{n: 4}"},
		{"CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, price DECIMAL(10, 2), at, UNIQUE (price, at))", "INSERT OR IGNORE INTO t (id, name, price, at) VALUES (1, 'a', 1, 1), (1, 'b', 2, 2), (2, 'a', 3, 3), (3, 'c', 1, 1), (4, 'd', 1, 2) RETURNING id", "{id: 1}\n{id: 4}", "SELECT COUNT(*) AS n FROM t", "{n: 2}"},
		{"CREATE TABLE t (_id TEXT PRIMARY KEY)", "DROP TABLE t", "", "SELECT * FROM t", ""},
		{"", "DROP TABLE IF EXISTS nothing", "", "SELECT * FROM nothing", ""},
		{"", "DROP TABLE people", "", "SELECT * FROM people", ""},
	} {
		db := newDB(t)
		if tt.before != "" {
			if _, err := run(t, db, tt.before, nil); err != nil {
				t.Fatalf("%s: %v", tt.before, err)
			}
		}
		got, err := run(t, db, tt.text, nil)
		if err != nil || got != tt.want {
			t.Errorf("%s\n%v\ngot\n%s\nwant\n%s", tt.text, err, got, tt.want)
		}
		if found, err := run(t, db, tt.check, nil); err != nil || found != tt.found {
			t.Errorf("after %s\n%v\n%s\nwant\n%s", tt.text, err, found, tt.found)
		}
	}
}

// TestWrites_undone: a statement that fails in its midst has changed nothing.
func TestWrites_undone(t *testing.T) {
	for text, code := range map[string]engine.Code{
		"INSERT INTO people SELECT _id + 100 AS _id, name FROM (SELECT 1 AS _id, 'New' AS name UNION ALL SELECT 2, 'Ada')": engine.CodeUnique,
		"INSERT INTO people (_id, name) VALUES ('x', 'New'), ('ada', 'Newer') ON CONFLICT (name) DO NOTHING":               engine.CodeDuplicateID,
		"INSERT INTO people (_id, name) VALUES ('x', 'New'), ('ada', 'x') ON CONFLICT (_id) DO UPDATE SET name = 'Bob'":    engine.CodeUnique,
		"INSERT INTO people (_id, name) VALUES ('x', 'New'), ('ada', 'x') ON CONFLICT (_id) DO UPDATE SET _id = 5":         engine.CodeInvalid,
		"INSERT OR REPLACE INTO people (_id, name) VALUES ('ada', 'New'), ([1], 'x')":                                      engine.CodeInvalid,
		"UPDATE people SET name = 'Same' RETURNING name":                                                                   engine.CodeUnique,
		"CREATE TABLE t (a.b UNIQUE, a.b UNIQUE, \"a.b\" UNIQUE, UNIQUE (a, a))":                                           engine.CodeInvalid,
		"DROP TABLE nothing": engine.CodeNotFound,
	} {
		db := newDB(t)
		if _, err := run(t, db, "CREATE UNIQUE INDEX ON people (name)", nil); err != nil {
			t.Fatal(err)
		}
		before := db.Version()
		_, err := run(t, db, text, nil)
		if !errors.Is(err, code) {
			t.Errorf("%s: %v, want %s", text, err, code)
		}
		if got, _ := run(t, db, "SELECT name FROM people", nil); got != "{name: 'Ada'}\n{name: 'Bob'}\n{name: 'Cy'}\n{name: 'Dee 100%'}" || len(db.Collections()) != 2 {
			t.Errorf("%s: left is\n%s\nand %v (version %d, %d before)", text, got, db.Collections(), db.Version(), before)
		}
	}
}
