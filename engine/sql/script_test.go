package sql_test

import (
	"errors"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// TestScripts: several statements in one text change everything or nothing, and the
// last one answers.
func TestScripts(t *testing.T) {
	for _, tt := range []struct {
		text   string
		params any
		want   string
		names  string // in people afterwards
	}{
		{"DELETE FROM people WHERE age > 30; SELECT COUNT(*) AS n FROM people;", nil, "{n: 2}", "{name: 'Bob'}\n{name: 'Dee 100%'}"},
		{";; SELECT 1 AS a ;; SELECT 2 AS b ; -- the end", nil, "{b: 2}", "{name: 'Ada'}\n{name: 'Bob'}\n{name: 'Cy'}\n{name: 'Dee 100%'}"},
		{"DELETE FROM people; INSERT INTO people (name) VALUES (?), (?); SELECT name, ? AS x FROM people LIMIT 1", a{"A", "B", 3}, "{name: 'A', x: 3}", "{name: 'A'}\n{name: 'B'}"},
		{"UPDATE people SET name = :a WHERE age = 20; UPDATE people SET name = :b WHERE name = :a; DELETE FROM people WHERE name NOT IN (:a, :b)", m{"a": "x", "b": "y"}, "{removed: 3}", "{name: 'y'}"},
		{"BEGIN; DELETE FROM people WHERE age > 30; COMMIT", nil, "{removed: 2}", "{name: 'Bob'}\n{name: 'Dee 100%'}"},
		{"BEGIN IMMEDIATE TRANSACTION; DELETE FROM people; SELECT COUNT(*) AS n FROM people; ROLLBACK TRANSACTION", nil, "{n: 0}", "{name: 'Ada'}\n{name: 'Bob'}\n{name: 'Cy'}\n{name: 'Dee 100%'}"},
		{"DELETE FROM people WHERE age = 20; BEGIN; DELETE FROM people; SELECT * FROM orders LIMIT 1; ROLLBACK; BEGIN; DELETE FROM people WHERE age > 30; END", nil, "{removed: 2}", "{name: 'Dee 100%'}"},
		{"BEGIN; SELECT name FROM people WHERE age > 30; COMMIT", nil, "{name: 'Ada'}\n{name: 'Cy'}", "{name: 'Ada'}\n{name: 'Bob'}\n{name: 'Cy'}\n{name: 'Dee 100%'}"},
		{"BEGIN; COMMIT", nil, "", "{name: 'Ada'}\n{name: 'Bob'}\n{name: 'Cy'}\n{name: 'Dee 100%'}"},
		// Uniqueness is a property of the state after BEGIN … COMMIT.
		{"CREATE UNIQUE INDEX ON people (name); BEGIN; UPDATE people SET name = 'Ada' WHERE age = 20; UPDATE people SET name = 'Bob' WHERE age = 36; COMMIT", nil, "{updated: 1}", "{name: 'Bob'}\n{name: 'Ada'}\n{name: 'Cy'}\n{name: 'Dee 100%'}"},
		{"INSERT INTO people (name, x) VALUES ('Eve', 1); SELECT x FROM people WHERE x = (SELECT MAX(x) FROM people); UPDATE people SET x = 2 WHERE x = 1; SELECT x FROM people WHERE x = (SELECT MAX(x) FROM people)", nil, "{x: 2}", "{name: 'Ada'}\n{name: 'Bob'}\n{name: 'Cy'}\n{name: 'Dee 100%'}\n{name: 'Eve'}"},
	} {
		db := newDB(t)
		if got, err := run(t, db, tt.text, tt.params); err != nil || got != tt.want {
			t.Errorf("%s\n%v\ngot\n%s\nwant\n%s", tt.text, err, got, tt.want)
		}
		if got, err := run(t, db, "SELECT name FROM people", nil); err != nil || got != tt.names {
			t.Errorf("after %s\n%v\n%s\nwant\n%s", tt.text, err, got, tt.names)
		}
		if db.HasSavepoint() {
			t.Errorf("%s leaves a savepoint", tt.text)
		}
	}
	for text, code := range map[string]engine.Code{
		"DELETE FROM people; INSERT INTO people (_id) VALUES (1), (1)":                                      engine.CodeDuplicateID,
		"DELETE FROM orders; CREATE TABLE x (a); BEGIN; DELETE FROM people; COMMIT; DROP TABLE nothing":     engine.CodeNotFound,
		"CREATE UNIQUE INDEX ON people (name); BEGIN; UPDATE people SET name = 'Ada'; COMMIT; SELECT 1":     engine.CodeUnique,
		"DELETE FROM people; SELECT 1 FROM people WHERE name MATCHES '('":                                   engine.CodeInvalid,
		"BEGIN; DELETE FROM people; UPDATE orders SET _id = 5; COMMIT":                                      engine.CodeInvalid,
		"DELETE FROM people; WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i FROM n) SELECT 1 FROM n": engine.CodeInvalid,
	} {
		db, err := engine.New(engine.Options{MaxQueryMemory: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []m{{"_id": "ada", "name": "Ada"}, {"_id": "bob", "name": "Bob"}} {
			for _, c := range []string{"people", "orders"} {
				if _, err := db.Insert(c, encode(t, d), false); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, inTransaction := range []bool{false, true} {
			if inTransaction {
				if code == engine.CodeUnique {
					continue // the transaction's end finds that
				}
				db.Savepoint()
			}
			if _, err := run(t, db, text, nil); !errors.Is(err, code) {
				t.Errorf("%s: %v, want %s", text, err, code)
			}
			if got, _ := run(t, db, "SELECT name FROM people UNION ALL SELECT name FROM orders", nil); got != "{name: 'Ada'}\n{name: 'Bob'}\n{name: 'Ada'}\n{name: 'Bob'}" || len(db.Collections()) != 2 {
				t.Errorf("%s: left is\n%s\nand %v", text, got, db.Collections())
			}
			if db.HasSavepoint() != inTransaction {
				t.Errorf("%s leaves a savepoint", text)
			}
		}
	}
}
