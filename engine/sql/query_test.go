package sql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/sql"
)

// TestQueries: queries in one another, and several that make one answer.
func TestQueries(t *testing.T) {
	db := newDB(t)
	for _, tt := range []struct {
		text   string
		params any
		want   string
	}{
		// A value.
		{"SELECT (SELECT MAX(age) FROM people) AS most", nil, "{most: 52}"},
		{"SELECT (SELECT name FROM people WHERE age > 1000) AS none", nil, "{none: null}"},
		{"SELECT name FROM people WHERE age = (SELECT MAX(age) FROM people)", nil, "{name: 'Cy'}"},
		{"SELECT name, (SELECT COUNT(*) FROM orders o WHERE o.by = p._id) AS n FROM people p", nil, "{name: 'Ada', n: 2}\n{name: 'Bob', n: 0}\n{name: 'Cy', n: 1}\n{name: 'Dee 100%', n: 0}"},
		{"SELECT name FROM people p WHERE (SELECT SUM(total) FROM orders WHERE by = p._id) > 7", nil, "{name: 'Ada'}"},
		{"SELECT name FROM people p WHERE age > (SELECT AVG(age) FROM people WHERE address.city = p.address.city)", nil, "{name: 'Cy'}"},
		{"SELECT address.city, (SELECT COUNT(*) FROM orders WHERE total > n) AS more, COUNT(*) AS n FROM people GROUP BY address.city", nil, "{city: 'Oslo', more: 0, n: 2}\n{city: 'Bergen', more: 0, n: 1}\n{city: 'Tromsø', more: 0, n: 1}"},
		{"SELECT age > 30 AS old, (SELECT MIN(total) FROM orders) AS least FROM people GROUP BY old HAVING COUNT(*) = (SELECT 2)", nil, "{old: true, least: 1}"},
		{"SELECT name FROM people ORDER BY (SELECT MAX(total) FROM orders WHERE by = people._id) DESC, name LIMIT (SELECT 2)", nil, "{name: 'Ada'}\n{name: 'Cy'}"},
		{"SELECT (SELECT (SELECT MAX(o.total) FROM orders o WHERE o.by = p._id) + q.age FROM people q WHERE q._id = p._id) AS x FROM people p WHERE p.age > ?", a{30}, "{x: 46}\n{x: 59}"},
		// Three truth values.
		{"SELECT EXISTS (SELECT 1) = 1 AS a, 2 IN (SELECT total FROM orders) = 0 AS b, 9 NOT IN (SELECT NULL) AS c", nil, "{a: true, b: true, c: null}"},
		{"SELECT name FROM people WHERE NOT (age > 30 AND age IN (SELECT NULL))", nil, "{name: 'Bob'}"},
		{"SELECT name FROM people WHERE NOT (age > 100 OR age IN (SELECT 36))", nil, "{name: 'Bob'}\n{name: 'Cy'}"},
		{"SELECT name FROM people p JOIN orders o ON NOT (o.by <> p._id) WHERE total = 7", nil, "{name: 'Cy'}"},
		{"SELECT CASE WHEN 1 = 1 THEN (SELECT 5) ELSE (SELECT 6) END AS x", nil, "{x: 5}"},
		// Whether there is one.
		{"SELECT name FROM people p WHERE EXISTS (SELECT 1 FROM orders o WHERE o.by = p._id)", nil, "{name: 'Ada'}\n{name: 'Cy'}"},
		{"SELECT name FROM people p WHERE NOT EXISTS (SELECT * FROM orders o WHERE o.by = p._id AND o.total > 8)", nil, "{name: 'Bob'}\n{name: 'Cy'}\n{name: 'Dee 100%'}"},
		{"SELECT EXISTS (SELECT 1 FROM orders LIMIT 0) AS no, EXISTS (VALUES (1)) AS yes", nil, "{no: false, yes: true}"},
		// Whether a value is among them.
		{"SELECT name FROM people WHERE _id IN (SELECT by FROM orders)", nil, "{name: 'Ada'}\n{name: 'Cy'}"},
		{"SELECT name FROM people WHERE _id NOT IN (SELECT by FROM orders WHERE by IS NOT NULL)", nil, "{name: 'Bob'}\n{name: 'Dee 100%'}"},
		{"SELECT name FROM people WHERE _id NOT IN (SELECT by FROM orders)", nil, ""}, // one has none
		{"SELECT name FROM people WHERE NOT _id IN (SELECT by FROM orders)", nil, ""},
		{"SELECT name FROM people WHERE age NOT IN (SELECT by FROM orders WHERE total > 1000)", nil, "{name: 'Ada'}\n{name: 'Bob'}\n{name: 'Cy'}\n{name: 'Dee 100%'}"},
		{"SELECT 1 IN (SELECT 1) AS a, 2 IN (SELECT 1) AS b, NULL IN (SELECT 1) AS c, 2 NOT IN (VALUES (1), (NULL)) AS d, 1 NOT IN (VALUES (1), (NULL)) AS e, NULL IN (SELECT 1 WHERE 1 = 2) AS f", nil, "{a: true, b: false, c: null, d: null, e: false, f: false}"},
		{"SELECT name FROM people p WHERE 10 IN (SELECT total FROM orders WHERE by = p._id)", nil, "{name: 'Ada'}"},
		{"SELECT name FROM people p WHERE address.city IN (SELECT address.city FROM people q WHERE q._id != p._id)", nil, "{name: 'Ada'}\n{name: 'Cy'}"},
		// After FROM.
		{"SELECT x.city, x.n FROM (SELECT address.city, COUNT(*) AS n FROM people GROUP BY address.city) AS x WHERE x.n > 1", nil, "{city: 'Oslo', n: 2}"},
		{"SELECT city FROM (SELECT address.city FROM people) GROUP BY city HAVING COUNT(*) > 1", nil, "{city: 'Oslo'}"},
		{"SELECT * FROM (SELECT name, age AS x FROM people) ORDER BY 2 DESC LIMIT 1", nil, "{name: 'Cy', x: 52}"},
		{"SELECT x.name FROM (SELECT * FROM people WHERE age > 30) x JOIN orders o ON o.by = x._id WHERE o.total < 8", nil, "{name: 'Ada'}\n{name: 'Cy'}"},
		{"SELECT p.name, x.sum FROM people p LEFT JOIN (SELECT by, SUM(total) AS sum FROM orders GROUP BY by) x ON x.by = p._id", nil, "{name: 'Ada', sum: 12.5}\n{name: 'Bob', sum: null}\n{name: 'Cy', sum: 7}\n{name: 'Dee 100%', sum: null}"},
		{"SELECT name, (SELECT n FROM (SELECT COUNT(*) AS n FROM orders WHERE by = p._id)) AS n FROM people p LIMIT 1", nil, "{name: 'Ada', n: 2}"},
		{"SELECT COUNT(*) AS n FROM (SELECT 1 AS \"1\", 2 UNION ALL SELECT 3, 4)", nil, "{n: 2}"},
		// Several.
		{"SELECT 1 AS a UNION SELECT 2 UNION SELECT 1", nil, "{a: 1}\n{a: 2}"},
		{"SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 1", nil, "{a: 1}\n{a: 2}\n{a: 1}"},
		{"SELECT 1 AS a UNION ALL SELECT 1 EXCEPT SELECT 2", nil, "{a: 1}"},
		{"SELECT name, age FROM people UNION SELECT by, total FROM orders ORDER BY age DESC, 1 LIMIT 3", nil, "{name: 'Cy', age: 52}\n{name: 'Ada', age: 36}\n{name: 'Bob', age: 20}"},
		{"SELECT _id FROM people INTERSECT SELECT by FROM orders", nil, "{_id: 'ada'}\n{_id: 'cy'}"},
		{"SELECT _id FROM people EXCEPT SELECT by FROM orders ORDER BY _id DESC", nil, "{_id: 'dee'}\n{_id: 'bob'}"},
		{"SELECT * FROM orders WHERE total > 5 EXCEPT SELECT * FROM orders WHERE by = 'ada'", nil, "{_id: 3, by: 'cy', total: 7}"},
		{"SELECT nick FROM people UNION SELECT nick FROM people", nil, "{nick: null}"},
		{"VALUES (1, 'a'), (2, 'b') ORDER BY 1 DESC", nil, "{column1: 2, column2: 'b'}\n{column1: 1, column2: 'a'}"},
		{"SELECT column2 FROM (VALUES (1, 'a'), (2, ?)) WHERE column1 > 1", a{"c"}, "{column2: 'c'}"},
		// By name.
		{"WITH old AS (SELECT name FROM people WHERE age > 30) SELECT COUNT(*) AS n FROM old", nil, "{n: 2}"},
		{"WITH a (x, y) AS (VALUES (1, 2), (3, 4)), b AS (SELECT x + y AS z FROM a) SELECT a.x, b.z FROM a, b WHERE z > 3 ORDER BY 1", nil, "{x: 1, z: 7}\n{x: 3, z: 7}"},
		{"WITH people AS (SELECT 1 AS x) SELECT * FROM people", nil, "{x: 1}"},
		{"WITH a AS (SELECT _id FROM people) SELECT name, (SELECT COUNT(*) FROM a WHERE _id < p._id) AS n FROM people p LIMIT 2", nil, "{name: 'Ada', n: 0}\n{name: 'Bob', n: 1}"},
		{"SELECT name FROM people p WHERE EXISTS (WITH mine AS (SELECT total FROM orders WHERE by = p._id) SELECT 1 FROM mine WHERE total > 8)", nil, "{name: 'Ada'}"},
		{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT SUM(i) AS sum, COUNT(*) AS n FROM n", nil, "{sum: 15, n: 5}"},
		{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i % 3 = 0 LIMIT 2 OFFSET 1", nil, "{i: 6}\n{i: 9}"},
		{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3) SELECT SUM(i) AS sum FROM n", nil, "{sum: 6}"},
		{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT name, (SELECT i FROM n WHERE i * i > age) AS root FROM people WHERE age > 30", nil, "{name: 'Ada', root: 7}\n{name: 'Cy', root: 8}"},
		{"SELECT name, (WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 10 FROM n WHERE i < p.age) SELECT MAX(i) FROM n) AS tens FROM people p WHERE age EXISTS", nil, "{name: 'Ada', tens: 40}\n{name: 'Bob', tens: 20}\n{name: 'Cy', tens: 60}"},
		{"WITH RECURSIVE n(i, d) AS (SELECT 1, 0 UNION ALL SELECT i * 2, d + 1 FROM n WHERE d < 2 UNION ALL SELECT i * 2 + 1, d + 1 FROM n WHERE d < 2 ORDER BY 2 DESC) SELECT GROUP_CONCAT(i) AS tree FROM n", nil, "{tree: '1,2,4,5,3,6,7'}"},
		// Windows.
		{"SELECT name, ROW_NUMBER() OVER (ORDER BY age DESC) AS n FROM people", nil, "{name: 'Ada', n: 2}\n{name: 'Bob', n: 3}\n{name: 'Cy', n: 1}\n{name: 'Dee 100%', n: 4}"},
		{"SELECT name, SUM(age) OVER (PARTITION BY address.city ORDER BY age) AS sum FROM people", nil, "{name: 'Ada', sum: 36}\n{name: 'Bob', sum: 20}\n{name: 'Cy', sum: 88}\n{name: 'Dee 100%', sum: null}"},
		{"SELECT name, LAG(name, 1, '-') OVER (ORDER BY name) AS last, MAX(age) OVER (ORDER BY name ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS most FROM people ORDER BY RANK() OVER (ORDER BY name DESC) LIMIT 3", nil, "{name: 'Dee 100%', last: 'Cy', most: null}\n{name: 'Cy', last: 'Bob', most: 52}\n{name: 'Bob', last: 'Ada', most: 52}"},
		{"SELECT DISTINCT address.city, AVG(age) OVER w AS mean FROM people WINDOW w AS (PARTITION BY address.city) ORDER BY 2 DESC LIMIT 1", nil, "{city: 'Oslo', mean: 44}"},
		{"SELECT address.city, SUM(COUNT(*)) OVER (ORDER BY address.city) AS n FROM people GROUP BY address.city ORDER BY 1 LIMIT 2", nil, "{city: 'Bergen', n: 1}\n{city: 'Oslo', n: 3}"},
		{"SELECT p.name, x.n FROM people p NATURAL JOIN (SELECT 'Ada' AS name, 5 AS n) x", nil, "{name: 'Ada', n: 5}"},
		{"WITH RECURSIVE n(i) AS (VALUES (1), (1) UNION SELECT (i * 2) % 7 FROM n) SELECT i FROM n", nil, "{i: 1}\n{i: 2}\n{i: 4}"},
		{"WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < (SELECT COUNT(*) FROM people)) SELECT i FROM n ORDER BY i DESC LIMIT 2", nil, "{i: 4}\n{i: 3}"},
		{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2 + (SELECT MIN(i) FROM n) AND i < 9) SELECT COUNT(*) AS n FROM n", nil, "{n: 9}"},
		{"SELECT name AS with FROM people WHERE values IS NULL LIMIT 1", nil, "{with: 'Ada'}"},
	} {
		if got, err := run(t, db, tt.text, tt.params); err != nil || got != tt.want {
			t.Errorf("%s\n%v\ngot\n%s\nwant\n%s", tt.text, err, got, tt.want)
		}
	}
}

// TestJoins: every kind of join, with and without an equality.
func TestJoins(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		"SELECT p.name, o.total FROM people p, orders o WHERE o.by = p._id AND total > 5":                                                              "{name: 'Ada', total: 10}\n{name: 'Cy', total: 7}",
		"SELECT COUNT(*) AS n FROM people, orders":                                                                                                     "{n: 20}",
		"SELECT COUNT(*) AS n FROM people CROSS JOIN orders CROSS JOIN people q":                                                                       "{n: 80}",
		"SELECT COUNT(*) AS n FROM people JOIN orders":                                                                                                 "{n: 20}",
		"SELECT name, total FROM people JOIN orders ON total > age / 4":                                                                                "{name: 'Ada', total: 10}\n{name: 'Bob', total: 10}\n{name: 'Bob', total: 7}",
		"SELECT name, total FROM people LEFT JOIN orders ON total > age / 4":                                                                           "{name: 'Ada', total: 10}\n{name: 'Bob', total: 10}\n{name: 'Bob', total: 7}\n{name: 'Cy', total: null}\n{name: 'Dee 100%', total: null}",
		"SELECT p.name, o._id FROM people p RIGHT JOIN orders o ON o.by = p._id":                                                                       "{name: 'Ada', _id: 1}\n{name: 'Ada', _id: 2}\n{name: 'Cy', _id: 3}\n{name: null, _id: 4}\n{name: null, _id: 5}",
		"SELECT p.name, o._id FROM people p RIGHT JOIN orders o ON o.by = p._id AND o.total > 5 WHERE o._id < 4":                                       "{name: 'Ada', _id: 1}\n{name: 'Cy', _id: 3}\n{name: null, _id: 2}",
		"SELECT p.name, o._id FROM people p RIGHT JOIN orders o ON o.by = p._id WHERE p.name IS NULL":                                                  "{name: null, _id: 4}\n{name: null, _id: 5}",
		"SELECT p.name, o._id FROM people p RIGHT JOIN orders o ON o.by = p._id WHERE p.name = 'Cy'":                                                   "{name: 'Cy', _id: 3}",
		"SELECT p.name, o._id FROM people p FULL OUTER JOIN orders o ON o.by = p._id ORDER BY o._id, p.name":                                           "{name: 'Bob', _id: null}\n{name: 'Dee 100%', _id: null}\n{name: 'Ada', _id: 1}\n{name: 'Ada', _id: 2}\n{name: 'Cy', _id: 3}\n{name: null, _id: 4}\n{name: null, _id: 5}",
		"SELECT p.name, o._id, q.name AS other FROM people p FULL JOIN orders o ON o.by = p._id JOIN people q ON q._id = o.by WHERE p._id IS NOT NULL": "{name: 'Ada', _id: 1, other: 'Ada'}\n{name: 'Ada', _id: 2, other: 'Ada'}\n{name: 'Cy', _id: 3, other: 'Cy'}",
		"SELECT _id, name, n FROM people JOIN (SELECT by AS _id, COUNT(*) AS n FROM orders GROUP BY by) USING (_id)":                                   "{_id: 'ada', name: 'Ada', n: 2}\n{_id: 'cy', name: 'Cy', n: 1}",
		"SELECT _id, name FROM people RIGHT JOIN (VALUES ('ada'), ('eve')) v ON v.column1 = _id ORDER BY name":                                         "{_id: null, name: null}\n{_id: 'ada', name: 'Ada'}",
		"WITH v(_id) AS (VALUES ('ada'), ('eve')) SELECT _id, name FROM people FULL JOIN v USING (_id) ORDER BY _id":                                   "{_id: 'ada', name: 'Ada'}\n{_id: 'bob', name: 'Bob'}\n{_id: 'cy', name: 'Cy'}\n{_id: 'dee', name: 'Dee 100%'}\n{_id: 'eve', name: null}",
		"SELECT x._id AS a, y._id AS b FROM (people x JOIN orders y ON y.by = x._id) WHERE y.total > 7":                                                "{a: 'ada', b: 1}",
		"SELECT p.name FROM people p JOIN (orders o CROSS JOIN people q) ON o.by = p._id AND q._id = 'bob' LIMIT 1":                                    "{name: 'Ada'}",
		"SELECT p.name, q.name FROM people p, people q WHERE p.age < q.age AND q.age < 50":                                                             "{name: 'Bob', 'name:1': 'Ada'}",
		"SELECT x._id FROM people x JOIN orders ON by = x._id WHERE x.age = 52":                                                                        "{_id: 'cy'}",
	} {
		if got, err := run(t, db, text, nil); err != nil || got != want {
			t.Errorf("%s\n%v\ngot\n%s\nwant\n%s", text, err, got, want)
		}
	}
}

// TestColumns: a row has all columns, in the order of the statement, also where
// JavaScript would list a name first.
func TestColumns(t *testing.T) {
	db := newDB(t)
	for text, want := range map[string]string{
		"SELECT name, age AS name, 1 AS name FROM people LIMIT 1": "{name: 'Ada', 'name:1': 36, 'name:2': 1}",
		"SELECT 1 AS \"a:1\", 2 AS a, 3 AS a":                     "{'a:1': 1, a: 2, 'a:2': 3}",
		"SELECT 1 AS a, 2 AS a, 3 AS \"a:1\"":                     "{a: 1, 'a:1': 2, 'a:1:1': 3}",
		"SELECT age, 5 FROM people LIMIT 1":                       "{age: 36, '(5)': 5}",
		"SELECT 0, age FROM people LIMIT 1":                       "{'0': 0, age: 36}",
		"SELECT 5":                                                "{'5': 5}",
		"SELECT 5, 7, age, 8, 5 FROM people LIMIT 1":              "{'5': 5, '7': 7, age: 36, '(8)': 8, '(5)': 5}",
		"SELECT 7, 5, 5, 1.5, -1":                                 "{'7': 7, '(5)': 5, '(5):1': 5, '1.5': 1.5, '-1': -1}",
		// JavaScript takes the names up to 4294967294 for places of an array.
		"SELECT age, 4294967295, 4294967294 FROM people LIMIT 1":                         "{age: 36, '4294967295': 4294967295, '(4294967294)': 4294967294}",
		"SELECT *, 1 AS total FROM orders LIMIT 1":                                       "{_id: 1, by: 'ada', total: 1}",
		"SELECT x.\"name:1\" AS n FROM (SELECT name, age AS name FROM people) x LIMIT 1": "{n: 36}",
	} {
		if got, err := run(t, db, text, nil); err != nil || got != want {
			t.Errorf("%s\n%v\ngot\n%s\nwant\n%s", text, err, got, want)
		}
	}
}

// TestCollections: a statement knows every collection that it reads, wherever it
// stands, so that a live query hears of each.
func TestCollections(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT (SELECT 1 FROM a), b IN (SELECT c FROM d) FROM e JOIN (SELECT * FROM f) g ON EXISTS (SELECT 1 FROM h) ORDER BY (SELECT 1 FROM i)": "e a d f h i",
		"SELECT 1 FROM a UNION SELECT 1 FROM b EXCEPT SELECT 1 FROM c ORDER BY (SELECT 1 FROM d)":                                                 "a b c d",
		"WITH x AS (SELECT 1 FROM a), y AS (SELECT 1 FROM x, b) SELECT 1 FROM y, c WHERE EXISTS (SELECT 1 FROM x)":                                "a b c",
		"WITH RECURSIVE x AS (SELECT n FROM a UNION SELECT b.n FROM b JOIN x ON b.up = x.n) SELECT n FROM x LIMIT (SELECT n FROM d)":              "a b d",
		"VALUES ((SELECT 1 FROM a))": "a",
	} {
		s, err := sql.Parse(text)
		if err != nil {
			t.Error(err)
			continue
		}
		found := map[string]bool{}
		for _, name := range s.Collections() {
			found[name] = true
		}
		for _, name := range strings.Fields(want) {
			if !found[name] {
				t.Errorf("%s: it does not know that it reads %s: %v", text, name, s.Collections())
			}
		}
		if len(found) != len(strings.Fields(want)) {
			t.Errorf("%s: %v, want %s", text, s.Collections(), want)
		}
	}
}

// TestInterrupted_queries: what runs for ever, or nearly, ends when its host says so,
// or when it has taken too much memory.
func TestInterrupted_queries(t *testing.T) {
	stop, asked := errors.New("enough"), 0
	db, err := engine.New(engine.Options{MaxQueryMemory: 8 << 20, Interrupted: func(bool) error {
		if asked++; asked > 3 {
			return stop
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if _, err := db.Insert("docs", encode(t, m{"_id": i}), false); err != nil {
			t.Fatal(err)
		}
	}
	deep := "a._id"
	for range 20 {
		deep = "(SELECT x FROM (SELECT " + deep + " AS x) GROUP BY x, x HAVING x = x ORDER BY x, x)"
	}
	for _, text := range []string{
		"SELECT a._id FROM docs a, docs b, docs c, docs d WHERE a._id + b._id + c._id + d._id < 0",
		"SELECT COUNT(*) AS n FROM docs a WHERE EXISTS (SELECT 1 FROM docs b WHERE a._id + b._id < (SELECT COUNT(*) FROM docs c WHERE c._id < a._id + b._id))",
		"WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) AS n FROM n",
		"WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i FROM n) SELECT DISTINCT i FROM n LIMIT 2",
	} {
		asked = 0
		if _, err := takenRows(db, text); err != stop {
			t.Errorf("%.100s: the error is %v", text, err)
		}
	}
	asked = -1_000_000
	if got, err := takenRows(db, "SELECT "+deep+" AS x FROM docs a"); err != nil || len(got) == 0 {
		t.Errorf("queries inside one another: %v", err)
	}
	if _, err := takenRows(db, "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) AS n FROM n"); engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), "bytes of memory") {
		t.Errorf("the error is %v", err)
	}
}
