package sql_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	vmihailenco "github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/sql"
)

type m = map[string]any
type a = []any

func encode(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := vmihailenco.NewEncoder(&b)
	e.SetSortMapKeys(true)
	e.UseCompactInts(true)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// newDB has people and orders.
func newDB(t testing.TB) *engine.DB { return newDBWith(t, engine.Options{ColumnThreshold: 1}) }

func newDBWith(t testing.TB, options engine.Options) *engine.DB {
	t.Helper()
	db, err := engine.New(options)
	if err != nil {
		t.Fatal(err)
	}
	insert := func(collection string, docs ...m) {
		for _, d := range docs {
			if _, err := db.Insert(collection, encode(t, d), false); err != nil {
				t.Fatal(err)
			}
		}
	}
	insert("people",
		m{"_id": "ada", "name": "Ada", "age": 36, "address": m{"city": "Oslo", "zip": "0150"}, "tags": a{"x", "y"}, "active": true},
		m{"_id": "bob", "name": "Bob", "age": 20, "address": m{"city": "Bergen"}, "tags": a{}, "active": false},
		m{"_id": "cy", "name": "Cy", "age": 52, "address": m{"city": "Oslo"}, "nick": nil},
		m{"_id": "dee", "name": "Dee 100%", "address": m{"city": "Tromsø"}, "lines": a{m{"n": 1}, m{"n": 5}}},
	)
	insert("orders", m{"_id": 1, "by": "ada", "total": 10}, m{"_id": 2, "by": "ada", "total": 2.5}, m{"_id": 3, "by": "cy", "total": 7}, m{"_id": 4, "by": "nobody", "total": 1}, m{"_id": 5, "total": 3})
	return db
}

// run returns the rows as text, one a line, the fields in order.
func run(t testing.TB, db *engine.DB, text string, params any) (string, error) {
	t.Helper()
	s, err := sql.Parse(text)
	if err != nil {
		return "", err
	}
	var bound []byte
	if params != nil {
		bound = encode(t, params)
	}
	rows, err := s.Run(db, bound)
	if err != nil {
		return "", err
	}
	var lines []string
	for rows.Len() > 0 {
		piece, count, left := rows.Next(nil, 0)
		if count == 0 || left != rows.Len() {
			t.Fatalf("%s: a piece of %d rows, %d left of %d", text, count, left, rows.Len())
		}
		for len(piece) > 0 {
			n, err := msgpack.Validate(piece, 1000)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			lines = append(lines, show(piece[:n]))
			piece = piece[n:]
		}
	}
	return strings.Join(lines, "\n"), nil
}

// show writes a value as text conditions do.
func show(v []byte) string {
	f := query.Eq(query.ParsePath("v"), v)
	return strings.TrimPrefix(f.String(), "v = ")
}

func TestSelect(t *testing.T) {
	db := newDB(t)
	for _, tt := range []struct {
		text   string
		params any
		want   string
	}{
		{"SELECT name, age FROM people WHERE age > 18 ORDER BY age DESC", nil, "{name: 'Cy', age: 52}\n{name: 'Ada', age: 36}\n{name: 'Bob', age: 20}"},
		{"select name from people where address.city = 'Oslo' and not age < 40", nil, "{name: 'Cy'}"},
		{"SELECT p.name AS who, address.city FROM people p WHERE p.age BETWEEN 30 AND 40", nil, "{who: 'Ada', city: 'Oslo'}"},
		{"SELECT * FROM orders WHERE total >= ? LIMIT 1 OFFSET 1", a{3}, "{_id: 3, by: 'cy', total: 7}"},
		{"SELECT name FROM people WHERE age = :age OR name = :name", m{"age": 20, "name": "Cy"}, "{name: 'Bob'}\n{name: 'Cy'}"},
		{"SELECT name FROM people WHERE age IS NULL", nil, "{name: 'Dee 100%'}"},
		{"SELECT name FROM people WHERE nick IS NULL AND nick IS NOT MISSING", nil, "{name: 'Cy'}"},
		{"SELECT name FROM people WHERE age != 20", nil, "{name: 'Ada'}\n{name: 'Cy'}"},
		{"SELECT name FROM people WHERE age > ? OR age <= ?", a{nil, nil}, ""},
		{"SELECT name FROM people WHERE name LIKE 'A%' OR name LIKE '_y'", nil, "{name: 'Ada'}\n{name: 'Cy'}"},
		{"SELECT name FROM people WHERE name LIKE '%!%' ESCAPE '!'", nil, "{name: 'Dee 100%'}"},
		{"SELECT name FROM people WHERE name LIKE '%0!%' ESCAPE '!' OR name ILIKE 'ADA'", nil, "{name: 'Ada'}\n{name: 'Dee 100%'}"},
		{"SELECT name FROM people WHERE name REGEXP '^[AB]' AND tags CONTAINS 'x'", nil, "{name: 'Ada'}"},
		{"SELECT name FROM people WHERE EXISTS(tags) AND tags SIZE 0", nil, "{name: 'Bob'}"},
		{"SELECT name FROM people WHERE active", nil, "{name: 'Ada'}"},
		{"SELECT name FROM people WHERE _id IN ('cy', 'ada') AND age NOT IN (52, 1)", nil, "{name: 'Ada'}"},
		{"SELECT name FROM people WHERE _id IN ?", a{a{"cy", "bob"}}, "{name: 'Bob'}\n{name: 'Cy'}"},
		{"SELECT name FROM people WHERE lines ANY (n > 4)", nil, "{name: 'Dee 100%'}"},
		{"SELECT tags[0] AS first, length(name) AS n, upper(name) || '!' AS loud FROM people WHERE age + 4 = 40", nil, "{first: 'x', n: 3, loud: 'ADA!'}"},
		{"SELECT 7 / 2 AS a, 6 / 2 AS b, -7 % 3 AS c, 1 / 0 AS d, 2 + 3 * 4 AS e, -(2) AS f, 'a' || 1 AS g", nil, "{a: 3, b: 3, c: -1, d: null, e: 14, f: -2, g: 'a1'}"},
		{"SELECT CASE WHEN age > 30 THEN 'old' WHEN age > 1 THEN 'young' END AS x, COALESCE(age, 0) AS age FROM people ORDER BY 2, name", nil, "{x: null, age: 0}\n{x: 'young', age: 20}\n{x: 'old', age: 36}\n{x: 'old', age: 52}"},
		{"SELECT CASE address.city WHEN 'Oslo' THEN 1 WHEN 'Bergen' THEN 2 ELSE 3 END AS x FROM people WHERE CASE WHEN age IS NULL THEN false ELSE true END", nil, "{x: 1}\n{x: 2}\n{x: 1}"},
		{"SELECT DISTINCT nick, age FROM people ORDER BY nick DESC, age", nil, "{nick: null, age: null}\n{nick: null, age: 20}\n{nick: null, age: 36}\n{nick: null, age: 52}"},
		{"SELECT DISTINCT address.city FROM people ORDER BY city LIMIT 1 OFFSET 2", nil, "{city: 'Tromsø'}"},
		{"SELECT DISTINCT address.city FROM people ORDER BY city", nil, "{city: 'Bergen'}\n{city: 'Oslo'}\n{city: 'Tromsø'}"},
		{"SELECT address.city, COUNT(*) AS n, AVG(age) AS mean FROM people GROUP BY address.city HAVING n > 1 OR AVG(age) IS NULL ORDER BY n DESC", nil, "{city: 'Oslo', n: 2, mean: 44}\n{city: 'Tromsø', n: 1, mean: null}"},
		{"SELECT address.city, COUNT(*) AS n, AVG(age) AS mean FROM people GROUP BY address.city HAVING COUNT(*) > 1 OR AVG(age) IS NULL ORDER BY n DESC", nil, "{city: 'Oslo', n: 2, mean: 44}\n{city: 'Tromsø', n: 1, mean: null}"},
		{"SELECT COUNT(*), COUNT(age), SUM(age), MIN(name), MAX(age) FROM people WHERE age > 1000", nil, "{'COUNT(*)': 0, 'COUNT(age)': 0, 'SUM(age)': null, 'MIN(name)': null, 'MAX(age)': null}"},
		{"SELECT COUNT(DISTINCT address.city) AS n, SUM(age * 2) AS twice FROM people", nil, "{n: 3, twice: 216}"},
		{"SELECT age > 30 AS old, COUNT(*) AS n FROM people GROUP BY age > 30 ORDER BY 1", nil, "{old: null, n: 1}\n{old: false, n: 1}\n{old: true, n: 2}"},
		{"SELECT p.name, o.total FROM people p JOIN orders o ON o.by = p._id WHERE o.total > 3 ORDER BY o.total", nil, "{name: 'Cy', total: 7}\n{name: 'Ada', total: 10}"},
		{"SELECT p.name, o.total FROM people p LEFT JOIN orders o ON o.by = p._id AND o.total < 10", nil, "{name: 'Ada', total: 2.5}\n{name: 'Bob', total: null}\n{name: 'Cy', total: 7}\n{name: 'Dee 100%', total: null}"},
		{"SELECT p.name, SUM(o.total) AS sum FROM people p LEFT JOIN orders o ON p._id = o.by GROUP BY p.name", nil, "{name: 'Ada', sum: 12.5}\n{name: 'Bob', sum: null}\n{name: 'Cy', sum: 7}\n{name: 'Dee 100%', sum: null}"},
		{"SELECT * FROM orders o JOIN people p ON p._id = o.by WHERE o._id = 3", nil, "{o: {_id: 3, by: 'cy', total: 7}, p: {_id: 'cy', address: {city: 'Oslo'}, age: 52, name: 'Cy', nick: null}}"},
		{"SELECT o.*, p.name AS by FROM orders o JOIN people p ON p._id = o.by WHERE o._id = 3", nil, "{_id: 3, by: 'Cy', total: 7}"},
		{"SELECT p.name FROM people p LEFT JOIN orders o ON o.by = p._id WHERE o.total IS NULL", nil, "{name: 'Bob'}\n{name: 'Dee 100%'}"},
		{"SELECT a.name, b.name AS other FROM people a JOIN people b ON a.nick = b.nick", nil, ""},
		{"SELECT name FROM people WHERE nick + 0 = nick + 0 OR age BETWEEN age AND 18 * 2", nil, "{name: 'Ada'}\n{name: 'Bob'}"},
		{"SELECT MAX(DISTINCT age) AS max, MIN(DISTINCT age) AS min, SUM(DISTINCT age) AS sum FROM people", nil, "{max: 52, min: 20, sum: 108}"},
		{"SELECT name FROM nothing", nil, ""},
		{"SELECT COUNT(*) AS n FROM nothing;", nil, "{n: 0}"},
		{"-- a comment\nSELECT name FROM people LIMIT 0", nil, ""},
	} {
		got, err := run(t, db, tt.text, tt.params)
		if err != nil || got != tt.want {
			t.Errorf("%s\n%v\ngot\n%s\nwant\n%s", tt.text, err, got, tt.want)
		}
	}
}

func TestChange(t *testing.T) {
	for _, tt := range []struct {
		text   string
		params any
		want   string
		check  string
		found  string
	}{
		{"INSERT INTO people (name, address.city, address.zip) VALUES ('Eve', 'Oslo', ?), ('Finn', NULL, '2')", a{"1"}, "{_id: 1}\n{_id: 2}",
			"SELECT * FROM people WHERE name IN ('Eve', 'Finn')", "{_id: 1, name: 'Eve', address: {city: 'Oslo', zip: '1'}}\n{_id: 2, name: 'Finn', address: {city: null, zip: '2'}}"},
		{"INSERT INTO people VALUES (:doc)", m{"doc": m{"_id": "z", "n": 1}}, "{_id: 'z'}", "SELECT * FROM people WHERE n = 1", "{_id: 'z', n: 1}"},
		{"UPDATE people SET age = age + 1, address.zip = 'x' WHERE age >= 36", nil, "{updated: 2}", "SELECT age, address.zip FROM people WHERE age > 30", "{age: 37, zip: 'x'}\n{age: 53, zip: 'x'}"},
		{"UPDATE people SET nick = 'none' WHERE nick IS NULL", nil, "{updated: 4}", "SELECT COUNT(*) AS n FROM people WHERE nick = 'none'", "{n: 4}"},
		{"DELETE FROM people WHERE age * 2 > 50", nil, "{removed: 2}", "SELECT name FROM people", "{name: 'Bob'}\n{name: 'Dee 100%'}"},
		{"DELETE FROM people", nil, "{removed: 4}", "SELECT name FROM people", ""},
		{"CREATE INDEX by_age ON people (age)", nil, "", "SELECT name FROM people WHERE age = 20", "{name: 'Bob'}"},
	} {
		db := newDB(t)
		got, err := run(t, db, tt.text, tt.params)
		if err != nil || got != tt.want {
			t.Errorf("%s\n%v\ngot\n%s\nwant\n%s", tt.text, err, got, tt.want)
		}
		if found, err := run(t, db, tt.check, nil); err != nil || found != tt.found {
			t.Errorf("after %s\n%v\n%s\nwant\n%s", tt.text, err, found, tt.found)
		}
	}
}

func TestIndexes(t *testing.T) {
	db := newDB(t)
	do := func(text string) string {
		t.Helper()
		got, err := run(t, db, text, nil)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return got
	}
	do("CREATE INDEX IF NOT EXISTS by_city ON people (address.city, age)")
	do("SELECT name FROM people WHERE address.city = 'Oslo'") // an index is built when it is asked for again
	if got := do("EXPLAIN SELECT name FROM people WHERE address.city = 'Oslo' AND age > 40"); !strings.Contains(got, "index(address.city, age)") || !strings.Contains(got, "returned: 1") {
		t.Error(got)
	}
	do("DROP INDEX by_city")
	do("DROP INDEX IF EXISTS by_city")
	if got := do("EXPLAIN SELECT name FROM people WHERE address.city = 'Oslo'"); strings.Contains(got, "index(") {
		t.Error(got)
	}
	do("CREATE UNIQUE INDEX ON people (name)")
	if _, err := run(t, db, "INSERT INTO people (name) VALUES ('New'), ('Ada')", nil); !errors.Is(err, engine.CodeUnique) {
		t.Errorf("a name that is taken gave %v", err)
	}
	if got := do("SELECT COUNT(*) AS n FROM people"); got != "{n: 4}" {
		t.Errorf("half an insert was kept: %s", got)
	}
	do("DROP INDEX ON people (name)")
}

func TestErrors(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		"":                                  "SELECT",
		"SELEC name FROM people":            "did you mean SELECT?",
		"SELECT name FORM people":           "did you mean FROM?",
		"SELECT name FROM people WHER":      "did you mean WHERE?",
		"SELECT name, COUNT(*) FROM people": "GROUP BY",
		"SELECT name FROM people WHERE COUNT(*) > 1":                                         "HAVING",
		"SELECT json_each(tags) FROM people":                                                 "stands after FROM or JOIN",
		"SELECT json_object('a') FROM people":                                                "a value for each key",
		"SELECT * FROM json_each(1, 2, 3)":                                                   "at most 2",
		"SELECT * FROM people p RIGHT JOIN json_each(p.tags) t ON 1 = 1":                     "LEFT JOIN",
		"SELECT json_group_object(DISTINCT name, age) FROM people":                           "no DISTINCT",
		"SELECT t.x FROM json_each('[1]') t":                                                 "its columns are key, value",
		"DELETE FROM json_each(1)":                                                           "expected a collection",
		"UPDATE people SET (age, name) = (1)":                                                "as many values as fields, 2, found 1",
		"UPDATE people SET (age, name) = (SELECT 1, 2)":                                      "UPDATE … FROM",
		"UPDATE people SET (age, name) = 1":                                                  "values of the fields",
		"SELECT lowr(name) FROM people":                                                      "did you mean LOWER?",
		"UPDTAE people SET a = 1":                                                            "did you mean UPDATE?",
		"NISERT INTO people (a) VALUES (1)":                                                  "did you mean INSERT?",
		"SELECT name FROM people WHERE name MATCHES '('":                                     "^",
		"SELECT name FROM people WHERE name ILIKE tags":                                      "not a field; LIKE and GLOB take fields",
		"SELECT name FROM people LIMIT 1.5":                                                  "whole number",
		"SELECT name FROM people WHERE age IN (SELECT a, b FROM x)":                          "one column",
		"SELECT (SELECT * FROM people) AS x":                                                 "a star",
		"SELECT lower(SELECT name FROM people) AS x":                                         "parentheses of its own",
		"SELECT SELECT 1 AS x":                                                               "in parentheses",
		"SELECT name FROM people WHERE tags ANY (this IN (SELECT 1))":                        "ANY",
		"SELECT 1 UNION SELECT 1, 2":                                                         "as many columns",
		"SELECT 1 UNION SELECT * FROM people":                                                "as many columns",
		"SELECT name FROM people ORDER BY name UNION SELECT 1":                               "end of the statement",
		"SELECT _id FROM people p, orders o":                                                 "as in p._id: o has it too",
		"SELECT x.c FROM (SELECT 1 AS a, 2 AS b) x":                                          "its columns are a, b",
		"SELECT c FROM (SELECT 1 AS a, 2 AS b) x":                                            "its columns are a, b",
		"SELECT 1 FROM people NATURAL JOIN orders USING (x)":                                 "without ON and USING",
		"SELECT 1 FROM people p JOIN (orders o LEFT JOIN people q ON o.by = q._id) ON 1 = 1": "parenthesis",
		"WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a":                              "is taken",
		"WITH a (x, y) AS (SELECT 1) SELECT * FROM a":                                        "as many names",
		"WITH RECURSIVE a AS (SELECT * FROM a) SELECT * FROM a":                              "does not read a first",
		"WITH RECURSIVE a AS (SELECT 1 AS n EXCEPT SELECT n FROM a) SELECT * FROM a":         "UNION ALL",
		"VALUES (1, 2), (3)":                                                                 "first row",
		"WITH a AS (SELECT 1) CREATE INDEX ON b (c)":                                         "INSERT",
		"EXPLAIN EXPLAIN SELECT 1":                                                           "a statement to explain",
		"EXPLAIN QUERY SELECT 1":                                                             "PLAN",
		"SELECT name FROM people WHERE RANK() OVER () = 1":                                   "stand in SELECT and ORDER BY",
		"SELECT RANK() FROM people":                                                          "expected OVER",
		"SELECT SUM(DISTINCT age) OVER () FROM people":                                       "no DISTINCT",
		"SELECT FIRST(age) OVER () FROM people":                                              "FIRST_VALUE",
		"SELECT SUM(age) OVER w FROM people":                                                 "that WINDOW names",
		"SELECT SUM(age) OVER (w ORDER BY age) FROM people WINDOW w AS (ORDER BY name)":      "only ORDER BY and a frame",
		"SELECT SUM(age) OVER (ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM people":        "before it ends",
		"SELECT SUM(age) OVER (RANGE 1 PRECEDING) FROM people":                               "one term of ORDER BY",
		"SELECT SUM(age) OVER (ORDER BY age ROWS -1 PRECEDING) FROM people":                  "0 or more",
		"SELECT NTILE(0) OVER () FROM people":                                                "from 1 on",
		"SELECT 1 FROM people NATURAL orders":                                                "JOIN",
		"WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT MAX(i) FROM n) SELECT i FROM n": "no aggregate",
		"DROP VIEW people":                                                                   "TABLE or INDEX",
		"DROP TABLE":                                                                         "name of a collection",
		"CREATE TABLE people (a)":                                                            "the collection exists",
		"CREATE TABLE new (a INTEGER CHECK (a > 1))":                                         "a schema",
		"CREATE TABLE new (a VARCHAR(b))":                                                    "length of a type",
		"CREATE TABLE new (a DEFAULT 5)":                                                     "a schema",
		"CREATE TABLE new AS SELECT 1":                                                       "columns",
		"INSERT OR FAIL INTO people (a) VALUES (1)":                                          "everything that it says or nothing",
		"INSERT OR IGNORE INTO people (a) VALUES (1) ON CONFLICT DO NOTHING":                 "either",
		"INSERT INTO people (a) VALUES (1) ON CONFLICT (a) DO NOTHING":                       "unique index",
		"INSERT INTO new (a) VALUES (1) ON CONFLICT (a) DO NOTHING":                          "unique index",
		"INSERT INTO people (a) VALUES (1) ON CONFLICT DO UPDATE SET a = 1":                  "of what",
		"INSERT INTO people (a, b) SELECT name FROM people":                                  "as many columns",
		"INSERT INTO people (a, b) SELECT * FROM people":                                     "as many columns",
		"INSERT INTO people SELECT name AS _id, 1 AS a FROM people ON CONFLICT (b":           ")",
		"INSERT INTO people (a) VALUES (1) RETURNING COUNT(*)":                               "aggregates",
		"UPDATE x SET a = 1 FROM":                                                            "collection",
		"WITH x AS (SELECT 1) DELETE FROM x":                                                 "the name of a query",
		"INSERT INTO people VALUES (1, 2)":                                                   "no order of fields",
		"BEGIN; DELETE FROM people":                                                          "db.transaction",
		"BEGIN":                                                                              "db.transaction",
		"COMMIT":                                                                             "expected BEGIN",
		"BEGIN; COMMIT; ROLLBACK":                                                            "expected BEGIN",
		"BEGIN; BEGIN; COMMIT":                                                               "do not nest",
		"SELECT 1; SELEC 2":                                                                  "did you mean SELECT?",
		"SELECT 1; SELECT 2 AS a FROM b c d":                                                 "the end of the statement",
		";;":                                                                                 "SELECT",
		"INSERT INTO people (a, b) VALUES (1)":                                               "as many values",
		"INSERT INTO people (a, a.b) VALUES (1, 2)":                                          "inside another",
		"INSERT INTO people VALUES (5)":                                                      "document",
		"UPDATE people SET _id = 3":                                                          "_id",
		"SELECT * FROM people WHERE age > ?":                                                 "parameters",
		"SELECT * FROM people ORDER BY 3":                                                    "number of a column",
		"SELECT MAX(*) FROM people":                                                          "COUNT",
		"SELECT SUM(COUNT(*)) FROM people":                                                   "nest",
		"SELECT name AS __proto__ FROM people":                                               "__proto__",
		"SELECT name \"__proto__\" FROM people":                                              "__proto__",
		"SELECT address.__proto__ FROM people":                                               "__proto__",
		"SELECT people.`__proto__` FROM people":                                              "__proto__",
		"SELECT * FROM people AS __proto__ JOIN orders o ON 1 = 1":                           "__proto__",
		"INSERT INTO people (a.__proto__.b) VALUES (1)":                                      "__proto__",
		"UPDATE people SET __proto__ = 1":                                                    "__proto__",
		"CREATE INDEX ON people (__proto__)":                                                 "__proto__",
		"SELECT MAX(age) AS n FROM people WHERE n > 1":                                       "HAVING",
		"SELECT COUNT(*) AS n FROM people GROUP BY n":                                        "GROUP BY comes before",
		"SELECT $ FROM people":                                                               "the name of a parameter",
		"SELECT $a.b FROM people":                                                            "the name of a parameter",
		"SELECT @":                                                                           "the name of a parameter",
		"SELECT name AS $a FROM people":                                                      "double quotes",
		"INSERT INTO people ($a) VALUES (1)":                                                 "double quotes",
		"SELECT ? + @a FROM people":                                                          "found both",
		"SELECT " + strings.Repeat("(", 500) + "1":                                           "inside one another",
		"SELECT * FROM people JOIN people ON people._id=people._id":                          "another name",
		"SELECT * FROM people WHERE name LIKE [5]":                                           "text",
		"SELECT * FROM people WHERE name LIKE 'a!' ESCAPE '!'":                               "after the last escape",
		"SELECT * FROM people WHERE name LIKE 'a' ESCAPE 'ab'":                               "one character",
		"SELECT * FROM people WHERE name GLOB '[a'":                                          "]",
		"SELECT x'0'":                "hex digits",
		"SELECT 'a":                  "second '",
		"SELECT 0x12345678901234567": "expected a number",
		"SELECT 1 COLLATE x":         "BINARY, NOCASE and RTRIM",
		"SELECT name FROM people ORDER BY name NULLS":              "FIRST or LAST",
		"SELECT name FROM people ORDER BY name NULLS first last":   "the end",
		"SELECT COUNT(*) FROM people GROUP BY name COLLATE NOCASE": "COLLATE",
		"SELECT DISTINCT name COLLATE NOCASE FROM people":          "COLLATE",
		"SELECT MIN(name COLLATE NOCASE) FROM people":              "COLLATE",
	} {
		_, err := run(t, db, text, nil)
		if engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
}

// TestConstants: an expression of literals has a value wherever one may stand, also
// where there is no document.
func TestConstants(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		"1 NOT IN (2)":                        "true",
		"1 IN (2, 1)":                         "true",
		"1 IS NOT NULL":                       "true",
		"NULL IS NULL":                        "true",
		"1 IS NOT MISSING":                    "true",
		"NOT 1 = 2":                           "true",
		"NOT NOT 1 = 2":                       "false",
		"1 = 1 AND 2 = 2":                     "true",
		"1 = 1 AND 2 = 3":                     "false",
		"1 = 2 OR NOT 2 = 3":                  "true",
		"1 = 2 OR NULL IS NULL":               "true",
		"2 NOT BETWEEN 1 AND 3":               "false",
		"'ab' NOT LIKE 'a%'":                  "false",
		"'ab' NOT REGEXP '^b'":                "true",
		"[1, 2] CONTAINS 2":                   "true",
		"NOT [1, 2] ANY (this > 2)":           "true",
		"'x' NOT STARTSWITH 'x'":              "false",
		"1 IS TRUE":                           "true",
		"CASE WHEN 1 NOT IN (2) THEN 'y' END": "'y'",
		"-(2 - 3) * 2 % 3":                    "2",
		"typeof(1 = 1)":                       "'bool'",
	} {
		for position, statement := range map[string]string{
			"SELECT":   "SELECT " + text + " AS v",
			"rows":     "SELECT " + text + " AS v FROM people LIMIT 1",
			"group":    "SELECT " + text + " AS v, COUNT(*) AS n FROM people",
			"GROUP BY": "SELECT " + text + " AS v, COUNT(*) AS n FROM people GROUP BY (" + text + ") = 0, (" + text + ")",
			"ORDER BY": "SELECT " + text + " AS v, COUNT(*) AS n FROM people ORDER BY n, (" + text + ") || ''",
		} {
			got, err := run(t, db, statement, nil)
			if n := strings.TrimSuffix(strings.TrimPrefix(got, "{v: "+want), "}"); err != nil || n != "" && n != ", n: 4" {
				t.Errorf("%s: %s\n%s, %v; want %s", position, statement, got, err, want)
			}
		}
		if want != "true" && want != "false" {
			continue
		}
		for position, statement := range map[string]string{
			"WHERE":  "SELECT COUNT(*) > 0 AS v FROM people WHERE " + text,
			"HAVING": "SELECT COUNT(*) AS n FROM people GROUP BY age > 100 HAVING " + text,
			"join":   "SELECT COUNT(*) > 0 AS v FROM people p JOIN orders o ON o.by = p._id AND (" + text + ")",
			"left":   "SELECT COUNT(o.total) > 0 AS v FROM people p LEFT JOIN orders o ON (" + text + ") AND o.by = p._id",
			"both":   "SELECT COUNT(*) > 0 AS v FROM people WHERE age > 0 AND (" + text + ")",
			"either": "SELECT COUNT(*) > 0 AS v FROM people WHERE age > 100 OR " + text,
		} {
			got, err := run(t, db, statement, nil)
			if position == "HAVING" {
				got = "{v: " + map[bool]string{true: "true", false: "false"}[got != ""] + "}"
			}
			if err != nil || got != "{v: "+want+"}" {
				t.Errorf("%s: %s\n%s, %v; want %s", position, statement, got, err, want)
			}
		}
		if got, err := run(t, db, "UPDATE people SET v = "+text+" WHERE _id = 'ada' AND NOT 1 = 2", nil); err != nil {
			t.Errorf("SET v = %s: %s, %v", text, got, err)
		}
	}
}

// TestNames: a name is a field if a document has it; ORDER BY, which is about rows,
// takes a column first.
func TestNames(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		"SELECT total % 2 AS total, COUNT(*) AS n FROM orders GROUP BY total":                          "{total: 0, n: 1}\n{total: 0, n: 1}\n{total: 1, n: 1}\n{total: 1, n: 1}\n{total: 1, n: 1}",
		"SELECT total > 5 AS big, COUNT(*) AS n FROM orders GROUP BY big":                              "{big: true, n: 2}\n{big: false, n: 3}",
		"SELECT total > 5 AS big, COUNT(*) AS n FROM orders WHERE big GROUP BY big":                    "{big: true, n: 2}",
		"SELECT total * 2 AS twice FROM orders WHERE twice > 10 ORDER BY twice + 1":                    "{twice: 14}\n{twice: 20}",
		"SELECT age AS nick, name FROM people WHERE nick > 1":                                          "",
		"SELECT o.total AS sum FROM people p JOIN orders o ON o.by = p._id WHERE sum > 5 ORDER BY sum": "{sum: 7}\n{sum: 10}",
		"SELECT total % 2 AS total FROM orders WHERE total > 5 ORDER BY total":                         "{total: 0}\n{total: 1}",
		"SELECT -total AS total FROM orders ORDER BY total LIMIT 1":                                    "{total: -10}",
		"SELECT -total AS total FROM orders ORDER BY total + 0 LIMIT 1":                                "{total: -1}",
	} {
		if got, err := run(t, db, text, nil); err != nil || got != want {
			t.Errorf("%s\n%s, %v; want %s", text, got, err, want)
		}
	}
}

// TestParameters: :name, @name and $name are one parameter, and every value must
// have one.
func TestParameters(t *testing.T) {
	db := newDB(t)
	for text, params := range map[string]m{
		"SELECT name FROM people WHERE name = $name":                  {"name": "Bob"},
		"SELECT name FROM people WHERE name = @name":                  {"name": "Bob"},
		"SELECT name FROM people WHERE name = :name AND name = $name": {"name": "Bob"},
		"SELECT name FROM people WHERE name IN $names LIMIT @n":       {"names": a{"Bob", "Cy"}, "n": 1},
		"SELECT name FROM people WHERE name IN ($a, @b) LIMIT $n":     {"a": "Bob", "b": "x", "n": 1},
		"SELECT name FROM people WHERE $one = 1 AND age = $age":       {"age": 20, "one": 1},
	} {
		if got, err := run(t, db, text, params); err != nil || got != "{name: 'Bob'}" {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	if got, err := run(t, db, `SELECT "$name" AS n FROM people LIMIT 1`, nil); err != nil || got != "{n: null}" {
		t.Errorf("a field in quotes: %s, %v", got, err)
	}
	for text, want := range map[string]string{
		"SELECT $a AS v":              "the statement has no parameter b",
		"SELECT 1 AS v":               "the statement has no parameter a",
		"DELETE FROM people":          "the statement has no parameter a",
		"SELECT ? AS v":               "as an array",
		"SELECT $a AS v, :b AS w, @c": "the parameters have no c",
	} {
		if _, err := run(t, db, text, m{"a": 1, "b": 2}); engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := run(t, db, "SELECT 1 AS v", m{"$a": 1}); err == nil || !strings.Contains(err.Error(), "by their names alone, as in {a: …}") {
		t.Errorf("a name with its sign: %v", err)
	}
}

// TestParameters_numbered: ?2 is the second value, and a ? the one after all before it.
func TestParameters_numbered(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		"SELECT ?1 AS a, ?2 AS b, ?1 AS c": "{a: 1, b: 2, c: 1}",
		"SELECT ?2 AS a, ?1 AS b":          "{a: 2, b: 1}",
		"SELECT ?1 AS a, ? AS b":           "{a: 1, b: 2}",
	} {
		if got, err := run(t, db, text, a{1, 2}); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"SELECT ?2 AS a":        "no parameter ?1",
		"SELECT ?1 AS a":        "1, found 2",
		"SELECT ?3 AS a, ?1":    "3, found 2",
		"SELECT ?0 AS a":        "the number of a parameter",
		"SELECT ?1 AS a, :b":    "either ? or names",
		"SELECT ?99999999 AS a": "the number of a parameter",
		"SELECT ? 1 AS a":       "expected",
	} {
		if _, err := run(t, db, text, a{1, 2}); engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestRows: rows of values are compared value by value, the first that differ decide.
func TestRows(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		"(1, 2) = (1, 2)": "true", "(1, 2) = (1, 3)": "false", "(1, NULL) = (1, 2)": "null", "(1, NULL) = (2, 2)": "false", "(1, 2) <> (1, 3)": "true", "(1, 2) != (1, 2)": "false", "(1, NULL) <> (2, NULL)": "true",
		"(1, 2) < (1, 3)": "true", "(1, 3) < (1, 3)": "false", "(1, 3) <= (1, 3)": "true", "(2, 1) > (1, 9)": "true", "(1, 9) >= (2, 1)": "false", "(1, NULL) < (2, 0)": "true", "(1, NULL) < (1, 0)": "null", "(1, 1, 5) < (1, 1, 6)": "true", "('a', 2) > ('a', 1)": "true",
		"(1, 2) IN ((1, 2), (3, 4))": "true", "(1, 2) NOT IN ((1, 3))": "true", "(1, 2) IN ((1, NULL))": "null",
	} {
		if got, err := run(t, db, "SELECT "+text+" AS v", nil); err != nil || got != "{v: "+want+"}" {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	if got, err := run(t, db, "SELECT name FROM people WHERE (age, name) > (?, ?) ORDER BY age, name LIMIT 1", a{20, "Bob"}); err != nil || got != "{name: 'Ada'}" {
		t.Errorf("the page after one: %s, %v", got, err)
	}
	for text, want := range map[string]string{
		"SELECT (1, 2) AS v": "expected one value", "SELECT (1, 2) = 1 AS v": "on both sides of =", "SELECT (1, 2) < (1, 2, 3) AS v": "on both sides of <", "SELECT (1, 2) + 1 AS v": "expected one value",
		"SELECT name FROM people ORDER BY (age, name)": "expected one value", "SELECT (1, 2) IN (SELECT 1) AS v": "a list of rows", "SELECT (1, 2) IN (1) AS v": "on both sides", "SELECT ABS((1, 2)) AS v": "expected one value",
		"SELECT (1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17) = 1 AS v": "16",
	} {
		if _, err := run(t, db, text, nil); engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestNames_withDots: a dot that a backslash stands before is a part of the name.
func TestNames_withDots(t *testing.T) {
	db := newDB(t)
	for _, step := range [][2]string{
		{`INSERT INTO hosts (_id, "ssh.a@b\.com", p."x\.y") VALUES (1, 5, 6)`, "{_id: 1}"},
		{`INSERT INTO hosts (_id, "ssh\.a@b\.com".port) VALUES (2, 22)`, "{_id: 2}"},
		{`UPDATE hosts SET "ssh\.a@b\.com".port = 23 WHERE "ssh\.a@b\.com".port = 22`, "{updated: 1}"},
		{`SELECT "ssh\.a@b\.com" FROM hosts WHERE _id = 2`, "{'ssh.a@b.com': {port: 23}}"},
		{`SELECT h."ssh\.a@b\.com".port, h.p."x\.y" FROM hosts h ORDER BY h.p."x\.y"`, "{port: 23, 'x.y': null}\n{port: null, 'x.y': 6}"},
		{`SELECT "a\.b" FROM (SELECT 1 AS "a.b")`, "{'a.b': 1}"},
	} {
		if got, err := run(t, db, step[0], nil); err != nil || got != step[1] {
			t.Errorf("%s: %s, %v, want %s", step[0], got, err, step[1])
		}
	}
}

// TestWholeNumbers: integers are exact as far as MessagePack has one; beyond, they
// are floats, as in SQLite.
func TestWholeNumbers(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		"9223372036854775807 - 1":                     "9223372036854775806",
		"typeof(9223372036854775807 + 1)":             "'float'",
		"typeof(-9223372036854775808 - 1)":            "'float'",
		"typeof(-(-9223372036854775808))":             "'float'",
		"typeof(3037000500 * 3037000500)":             "'float'",
		"18446744073709551615 - 1":                    "18446744073709551614",
		"18446744073709551615 % 10":                   "5",
		"18446744073709551615 / 5":                    "3689348814741910323",
		"typeof(18446744073709551615 + 1)":            "'float'",
		"18446744073709551615 || ''":                  "'18446744073709551615'",
		"abs(18446744073709551615)":                   "18446744073709551615",
		"18446744073709551615 > 18446744073709551614": "true",
	} {
		if got, err := run(t, db, "SELECT "+text+" AS v", nil); err != nil || got != "{v: "+want+"}" {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}

// TestSpellings: a condition is the same tree in SQL, in text, and as a filter
// of MongoDB's or of the builder.
func TestSpellings(t *testing.T) {
	db := newDB(t)
	for _, tt := range []struct {
		sql, text string
		wire      any
	}{
		{"age = 5", "age = 5", m{"age": 5}},
		{"age == 5.0", "age = 5", a{"eq", "age", 5}},
		{"5 = age", "age = 5", m{"age": m{"$eq": 5}}},
		{"age <> 5", "age exists and age != null and age != 5", a{"and", a{"exists", "age", true}, a{"not", a{"eq", "age", nil}}, a{"not", a{"eq", "age", 5}}}},
		{"NOT NOT age = 5", "age = 5", m{"age": m{"$eq": 5}}},
		{"age > 5 AND age <= 9", "age > 5 and age <= 9", m{"age": m{"$gt": 5, "$lte": 9}}},
		{"5 < age AND age <= 9", "(age > 5) and (age <= 9)", m{"$and": a{m{"age": m{"$gt": 5}}, m{"age": m{"$lte": 9}}}}},
		{"age < 5 OR name = 'x'", "age < 5 or name = 'x'", m{"$or": a{m{"age": m{"$lt": 5}}, m{"name": "x"}}}},
		{"age = 1 AND (name = 'x' OR name = 'y') AND active = TRUE", "age = 1 and (name = 'x' or name = 'y') and active = true", m{"$and": a{m{"age": 1}, m{"$or": a{m{"name": "x"}, m{"name": "y"}}}, m{"active": true}}}},
		{"age = 1 OR name = 'x' AND active = TRUE", "age = 1 or name = 'x' and active = true", m{"$or": a{m{"age": 1}, m{"$and": a{m{"name": "x"}, m{"active": true}}}}}},
		{"address.city IN ('a', 'b')", "address.city in ('a', 'b')", m{"address.city": m{"$in": a{"b", "a"}}}},
		{"name MATCHES '^J'", "name matches '^J'", m{"name": m{"$regex": "^J"}}},
		{"tags SIZE 2", "tags size 2", m{"tags": m{"$size": 2}}},
		{"tags EXISTS", "tags exists", m{"tags": m{"$exists": true}}},
		{"NOT EXISTS(tags)", "tags not exists", m{"tags": m{"$exists": false}}},
		{"tags[0] = 'x'", "tags.0 = 'x'", m{"tags.0": "x"}},
		{"tags ANY (n > 4 AND this.m = 1)", "tags any (n > 4 and m = 1)", m{"tags": m{"$elemMatch": m{"$and": a{m{"n": m{"$gt": 4}}, m{"m": 1}}}}}},
		{"age IS NULL", "age not exists or age = null", a{"or", a{"exists", "age", false}, a{"eq", "age", nil}}},
		{"age IS NOT MISSING", "age exists", a{"exists", "age", true}},
		{"age BETWEEN 1 AND 5", "age between 1 and 5", a{"between", "age", 1, 5}},
		{"name GLOB 'J*'", "name startsWith 'J'", a{"startsWith", "name", "J"}},
		{"name LIKE '5%'", "name startsWith '5'", a{"startsWith", "name", "5"}},
		{"name GLOB 'J'", "name = 'J'", a{"eq", "name", "J"}},
		{"name LIKE 'J_%.'", `name matches '(?s)^[jJ]..*\\.$'`, a{"matches", "name", `(?s)^[jJ]..*\.$`}},
		{"tags CONTAINS 'x'", "tags contains 'x'", a{"contains", "tags", "x"}},
		{"age TYPE int", "age type int", a{"type", "age", "int"}},
	} {
		f, err := query.ParseText(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		for _, more := range []string{"", " ORDER BY age LIMIT 3"} {
			if where, err := sql.WhereOf(db, "SELECT * FROM people p WHERE "+tt.sql+more); err != nil || !same(where, f) {
				t.Errorf("%s is %v, %v in SQL", tt.text, where, err)
			}
		}
		if wire, err := query.Parse(encode(t, tt.wire)); err != nil || !same(wire, f) {
			t.Errorf("%s is %v, %v as %v", tt.text, wire, err, tt.wire)
		}
	}
}

// same reports whether two filters are the same tree.
func same(f, g *query.Filter) bool {
	if f == nil || g == nil {
		return f == g
	}
	return f.Op == g.Op && f.Path.String() == g.Path.String() && bytes.Equal(f.Value, g.Value) && bytes.Equal(f.High, g.High) &&
		slices.EqualFunc(f.Values, g.Values, bytes.Equal) && f.Pattern == g.Pattern && f.Type == g.Type && f.Size == g.Size &&
		slices.EqualFunc(f.Kids, g.Kids, same)
}

func FuzzRun(f *testing.F) {
	for _, text := range []string{
		"SELECT a.b, COUNT(*) AS n FROM people a LEFT JOIN orders o ON a._id = o.by WHERE a.age > 1 AND NOT o.total IN (1, 2) GROUP BY a.b HAVING n > 1 ORDER BY 1 LIMIT 3",
		"SELECT DISTINCT CASE WHEN age > 1 THEN lower(name) ELSE 'x' || 1 END AS x FROM people ORDER BY x", "UPDATE people SET a = a + 1 WHERE b LIKE 'x%_'",
		"DELETE FROM people WHERE round(a, 2) IS NOT MISSING", "INSERT INTO people (a, b.c) VALUES (1, -inf)", "CREATE UNIQUE INDEX x ON people (a)", "DROP INDEX ON people (a)", "EXPLAIN SELECT * FROM people WHERE tags ANY (this > 4)",
		"SELECT (SELECT MAX(age) FROM people q WHERE q.age < p.age) AS m FROM people p WHERE _id NOT IN (SELECT by FROM orders) AND EXISTS (SELECT 1 FROM orders o WHERE o.by = p._id) ORDER BY (SELECT 1)",
		"SELECT a FROM (SELECT age AS a FROM people UNION ALL SELECT total FROM orders ORDER BY 1 LIMIT 9) x GROUP BY a HAVING a > (SELECT 1) EXCEPT VALUES (1), (2) INTERSECT SELECT 3",
		"WITH RECURSIVE n(i, j) AS (SELECT 1, 2 UNION ALL SELECT i + 1, j FROM n WHERE i < 9), m AS (SELECT * FROM n) SELECT n.i, m.j FROM n JOIN m USING (i) LIMIT 3, 2",
		"SELECT p.name, total FROM people p, orders o FULL JOIN people q ON q._id = o.by RIGHT JOIN (orders r CROSS JOIN people s) ON 1 = 1 WHERE p.age > r.total",
		"INSERT OR REPLACE INTO people (_id, name) SELECT by, total FROM orders WHERE by EXISTS RETURNING *, name AS n", "REPLACE INTO people VALUES ({_id: 1})",
		"INSERT INTO people (_id, age) VALUES ('ada', 1) ON CONFLICT (_id) DO UPDATE SET age = age + excluded.age WHERE age > 1 RETURNING age; DROP TABLE IF EXISTS people",
		"BEGIN; UPDATE people AS p SET a = o.total FROM orders o WHERE o.by = p._id; DELETE FROM orders RETURNING _id; ROLLBACK; CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b VARCHAR(2) NOT NULL, UNIQUE (a, b))",
		"SELECT CAST(age AS TEXT) || printf('%-5.2f|%*d', age, 3, 4) AS a, strftime('%Y-%j', 0, 'unixepoch', '+1.5 months', 'weekday 2') AS b, json_extract(address, '$.city[0]') AS c FROM people",
		"SELECT replace(name, 'a', x'00') GLOB '[^a-c]*' AS a, ~age << 3 & 0xF AS b, min(age, 1) IS NOT DISTINCT FROM NULL AS c FROM people ORDER BY name COLLATE NOCASE DESC NULLS FIRST",
		"SELECT SUM(age) FILTER (WHERE age > 1) OVER (w ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES) AS a, NTH_VALUE(name, 2) OVER w AS b FROM people NATURAL LEFT JOIN orders WINDOW w AS (PARTITION BY name ORDER BY age DESC NULLS LAST) ORDER BY RANK() OVER (ORDER BY age RANGE 1.5 PRECEDING)",
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n ORDER BY 1 DESC LIMIT 20) SELECT AVG(i) OVER (ORDER BY i GROUPS 2 PRECEDING) AS x, LAG(i, 2, 0) OVER (ORDER BY i) AS y FROM n LIMIT 3",
		"EXPLAIN QUERY PLAN UPDATE people SET age = 1 WHERE age > (SELECT 1); EXPLAIN INSERT INTO people (a) SELECT 1 UNION SELECT 2",
		"WITH RECURSIVE w(v) AS (SELECT json('[1, [2]]') UNION ALL SELECT e.value FROM w, json_each(w.v) e) SELECT json_array(v, v -> 0 ->> '$.a') AS a, json_valid(v) AS b FROM w LIMIT 9",
		"SELECT p.name, json_group_array(DISTINCT t.atom) FILTER (WHERE t.key > 0) AS a, json_group_object(t.fullkey, t.id) AS o FROM people p LEFT JOIN json_tree(p.tags, '$[0]') t ON t.type = 'text' WHERE p.age < date('2024-01-31') GROUP BY p.name",
		"SELECT GROUP_CONCAT(DISTINCT name, ';') FILTER (WHERE age NOT IN (1, NULL)) AS g, TOTAL(age > 1) AS t FROM people GROUP BY address.city HAVING NOT g LIKE '%!%' ESCAPE '!'",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		slow := time.AfterFunc(2*time.Second, func() { panic("takes too long: " + text) })
		defer slow.Stop()
		checkWriting(t, text)
		asked := 0
		_, err := run(t, newDBWith(t, engine.Options{ColumnThreshold: 1, MaxQueryMemory: 16 << 20, Interrupted: func(bool) error {
			if asked++; asked > 5 {
				return engine.Fail(engine.CodeTimeout, "query", "", "enough")
			}
			return nil
		}}), text, nil)
		switch engine.CodeOf(err) {
		case engine.CodeInvalid, engine.CodeUnique, engine.CodeDuplicateID, engine.CodeNotFound, engine.CodeTimeout:
		default:
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}

// TestDocument runs every example of SQL.md, in turn.
func TestDocument(t *testing.T) {
	document, err := os.ReadFile("SQL.md")
	if err != nil {
		t.Fatal(err)
	}
	db, examples := newDB(t), 0
	for line := range strings.Lines(string(document)) {
		text, want, ok := strings.Cut(strings.TrimSpace(line), "-- →")
		if !ok {
			continue
		}
		examples++
		got, err := run(t, db, text, nil)
		if got = strings.ReplaceAll(got, "\n", ", "); err != nil || got != strings.TrimSpace(want) {
			t.Errorf("%s\n%v\ngot\n%s\nwant\n%s", text, err, got, strings.TrimSpace(want))
		}
	}
	if examples < 18 {
		t.Errorf("found %d examples", examples)
	}
	_, message, _ := strings.Cut(string(document), "```\nline")
	_, err = run(t, db, "SELECT name FORM people", nil)
	if message, _, _ = strings.Cut(message, "\n```"); err == nil || !strings.HasSuffix(err.Error(), "line"+message) {
		t.Errorf("the error reads\n%v", err)
	}
}
