package sql_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/sql"
)

// TestJoins_definition: in whatever order tables are searched and joined, the rows are
// those of the definition, in its order.
func TestJoins_definition(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	db, err := engine.New(engine.Options{ColumnThreshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	values := a{nil, 1, 2, 3, 4, 5, 2.5, "x", "y", true, math.NaN(), a{1, 2}, a{}, m{"z": 1}}
	for _, name := range []string{"a", "b", "c"} {
		for range 12 {
			doc := m{"t": name}
			for _, field := range []string{"x", "y", "z"} {
				if r.IntN(6) > 0 {
					doc[field] = values[r.IntN(len(values))]
				}
			}
			if _, err := db.Insert(name, encode(t, doc), false); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.CreateIndex("b", []string{"y"}, engine.IndexOptions{}); err != nil {
		t.Fatal(err)
	}
	field := func(tables string) string {
		return string(tables[r.IntN(len(tables))]) + "." + []string{"x", "y", "z", "_id"}[r.IntN(4)]
	}
	condition := func(tables string) string {
		switch r.IntN(6) {
		case 0:
			return field(tables) + " = " + []string{"1", "2", "'x'", "NULL"}[r.IntN(4)]
		case 1:
			return field(tables) + " < " + field(tables)
		case 2:
			return field(tables) + " IN (1, 2, 'y')"
		}
		return field(tables) + " = " + field(tables)
	}
	for range 3000 {
		text := "SELECT a._id AS a, b._id AS b, c._id AS c FROM a"
		for i, table := range []string{" b", " c"} {
			known := "abc"[:i+2]
			switch r.IntN(5) {
			case 0:
				text += " JOIN" + table + " ON " + condition(known)
			case 1:
				text += " LEFT JOIN" + table + " ON " + condition(known)
			case 2:
				text += " JOIN" + table + " USING (" + []string{"x", "y"}[r.IntN(2)] + ")"
			default:
				text += " CROSS JOIN" + table
			}
		}
		for i := range r.IntN(4) {
			text += []string{" WHERE ", " AND ", " AND "}[i] + condition("abc")
		}
		if r.IntN(3) == 0 {
			text += fmt.Sprintf(" LIMIT %d", r.IntN(4))
		}
		got, err := run(t, db, text, nil)
		rows, slowErr := sql.Definition(db, text)
		if (err == nil) != (slowErr == nil) {
			t.Fatalf("seed %d: %s\n%v, by definition %v", seed, text, err, slowErr)
		}
		if err != nil {
			continue
		}
		if want := shown(t, rows); got != want {
			t.Fatalf("seed %d: %s\ngot\n%s\nby definition\n%s", seed, text, got, want)
		}
	}
}

// TestJoins_cost: a join of many documents looks at each a few times, whatever the order
// in which the statement names the tables.
func TestJoins_cost(t *testing.T) {
	if sql.Invariants {
		t.Skip("the definition holds each document against each")
	}
	asked := 0
	db, err := engine.New(engine.Options{Interrupted: func(bool) error { asked++; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	const n = 3000
	for i := range n {
		for name, doc := range map[string]m{"a": {"x": i, "k": i % 1000}, "b": {"y": i, "k": i % 1000}, "c": {"x": i, "y": n - 1 - i}} {
			if _, err := db.Insert(name, encode(t, doc), false); err != nil {
				t.Fatal(err)
			}
		}
	}
	for text, want := range map[string]string{
		"SELECT COUNT(*) AS n FROM a, b, c WHERE a.x = c.x AND b.y = c.y":                  "{n: 3000}",
		"SELECT COUNT(*) AS n FROM a, b WHERE a.k = b.k":                                   "{n: 9000}",
		"SELECT COUNT(*) AS n FROM a JOIN b USING (k)":                                     "{n: 9000}",
		"SELECT COUNT(*) AS n FROM a NATURAL JOIN b":                                       "{n: 9000}",
		"SELECT COUNT(*) AS n FROM a LEFT JOIN b ON a.x = b.y":                             "{n: 3000}",
		"SELECT a.x, b.y FROM a, b WHERE a.k = b.k AND b.y = 7":                            "{x: 7, y: 7}\n{x: 1007, y: 7}\n{x: 2007, y: 7}",
		"SELECT COUNT(*) AS n FROM a JOIN c ON a.x = c.x JOIN b ON b.y = c.y AND b.k = 17": "{n: 3}",
	} {
		asked = 0
		if got, err := run(t, db, text, nil); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
		if asked > 200 {
			t.Errorf("%s: it takes as much as %d calls of Interrupted", text, asked)
		}
	}
}

// TestRecursion_endless: what has no end is taken as far as it is asked for, wherever it
// stands after FROM.
func TestRecursion_endless(t *testing.T) {
	if sql.Invariants {
		t.Skip("the definition makes all rows, and here they have no end")
	}
	db := newDB(t)
	const n = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
	for text, want := range map[string]string{
		"SELECT name, i FROM people, n LIMIT 2":                                                "{name: 'Ada', i: 1}\n{name: 'Ada', i: 2}",
		"SELECT name, i FROM people JOIN n ON i * i > age LIMIT 1":                             "{name: 'Ada', i: 7}",
		"SELECT name, i FROM people JOIN n ON i = age LIMIT 1":                                 "{name: 'Ada', i: 36}",
		"SELECT name, i FROM people LEFT JOIN n ON i = age LIMIT 1":                            "{name: 'Ada', i: 36}",
		"SELECT name, i FROM people LEFT JOIN n ON i = nick LIMIT 3":                           "{name: 'Ada', i: null}\n{name: 'Bob', i: null}\n{name: 'Cy', i: null}",
		"SELECT a.i, b.i FROM n a, n b LIMIT 2":                                                "{i: 1, 'i:1': 1}\n{i: 1, 'i:1': 2}",
		"SELECT name FROM people WHERE EXISTS (SELECT 1 FROM orders, n WHERE i > age) LIMIT 1": "{name: 'Ada'}",
		"SELECT COUNT(*) AS n FROM people JOIN (SELECT i FROM n LIMIT 5) ON i < 3":             "{n: 8}",
		"SELECT name, i FROM people JOIN n ON age = 1000 AND i = 1 WHERE age > 1000":           "",
	} {
		if got, err := run(t, db, n+text, nil); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
	if got, err := run(t, db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) SELECT name, i FROM people JOIN n ON i = age", nil); err != nil || got != "{name: 'Ada', i: 36}\n{name: 'Bob', i: 20}\n{name: 'Cy', i: 52}" {
		t.Errorf("one with an end: %s, %v", got, err)
	}
}

// TestWindows_floats: the sum of a frame of floats is exact until it is rounded, so it
// does not depend on the rows that were in the frame before, and a wide frame costs no
// more than a narrow one.
func TestWindows_floats(t *testing.T) {
	asked := 0
	db, err := engine.New(engine.Options{Interrupted: func(bool) error { asked++; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range 4000 {
		v := any(r.NormFloat64() * math.Pow(10, float64(r.IntN(30)-15)))
		switch r.IntN(30) {
		case 0:
			v = nil
		case 1:
			v = r.IntN(1000)
		case 2:
			v = a{math.Inf(1), math.Inf(-1), math.NaN(), 1e16, -1e16, "text"}[r.IntN(6)]
		}
		if _, err := db.Insert("t", encode(t, m{"i": i, "v": v}), false); err != nil {
			t.Fatal(err)
		}
	}
	for _, frame := range []string{"ROWS 3 PRECEDING", "ROWS BETWEEN 30 PRECEDING AND 10 FOLLOWING", "ROWS BETWEEN 5 FOLLOWING AND 9 FOLLOWING", "RANGE 7 PRECEDING", "GROUPS BETWEEN 2 PRECEDING AND CURRENT ROW"} {
		text := "SELECT SUM(v) OVER w AS s, TOTAL(v) OVER w AS t, AVG(v) OVER w AS a FROM t WHERE i < 400 WINDOW w AS (ORDER BY i " + frame + ")"
		got, err := run(t, db, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := sql.Definition(db, text)
		if err != nil {
			t.Fatal(err)
		}
		if want := shown(t, rows); got != want {
			t.Fatalf("seed %d: %s\ngot\n%s\nby definition\n%s", seed, text, got, want)
		}
	}
	if got, err := run(t, db, "WITH t(i, v) AS (VALUES (1, 1e16), (2, 1.0), (3, -1e16), (4, 0.1), (5, 5)) SELECT SUM(v) OVER (ORDER BY i ROWS 2 PRECEDING) AS s FROM t", nil); err != nil || got != "{s: 1e+16}\n{s: 1e+16}\n{s: 1}\n{s: -1e+16}\n{s: -1e+16}" && !strings.Contains(got, "{s: 1}") {
		t.Errorf("small beside large: %s, %v", got, err)
	}
	asked = 0
	if _, err := run(t, db, "SELECT SUM(v) OVER (ORDER BY i ROWS 3000 PRECEDING) AS s FROM t", nil); err != nil || asked > 100 && !sql.Invariants {
		t.Errorf("a wide frame takes as much as %d calls of Interrupted, %v", asked, err)
	}
}

// shown writes rows as run does.
func shown(t *testing.T, rows sql.Rows) string {
	t.Helper()
	var lines []string
	for rows.Len() > 0 {
		row, _, _ := rows.Next(nil, 0)
		lines = append(lines, show(row))
	}
	return strings.Join(lines, "\n")
}
