package sql_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
	"github.com/atomicdb-go/atomicdb/engine/sql"
)

// list returns n items, made by item, with commas between them.
func list(n int, by string, item func(i int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return strings.Join(items, by)
}

func numbered(name string) func(i int) string {
	return func(i int) string { return name + strconv.Itoa(i) }
}

// TestLimits: a statement at each limit is run, and one beyond it is invalid.
func TestLimits(t *testing.T) {
	db := newDB(t)
	for _, tt := range []struct {
		limit int
		what  string
		text  func(n int) string
	}{
		{token.MaxTerms, "values and fields in a statement", func(n int) string { return "SELECT " + list(n, "+", func(int) string { return "1" }) + " AS x" }},
		{64, "collections in a SELECT", func(n int) string {
			return "SELECT t0._id FROM people t0 " + list(n-1, " ", func(i int) string {
				return "JOIN people t" + strconv.Itoa(i+1) + " ON t0._id = t" + strconv.Itoa(i+1) + "._id"
			})
		}},
		{64, "queries inside one another", func(n int) string {
			return strings.Repeat("SELECT * FROM (", n-1) + "SELECT 1 AS x" + strings.Repeat(")", n-1)
		}},
		{64, "queries inside one another", func(n int) string {
			return "SELECT " + strings.Repeat("(SELECT ", n-1) + "1" + strings.Repeat(")", n-1) + " AS x"
		}},
		{500, "queries in a UNION, EXCEPT or INTERSECT", func(n int) string { return list(n, " UNION ", func(int) string { return "SELECT 1 AS x" }) }},
		{500, "queries in a WITH", func(n int) string {
			return "WITH " + list(n, ", ", func(i int) string {
				return "q" + strconv.Itoa(i) + " AS (SELECT * FROM q" + strconv.Itoa(max(i-1, 0)) + ")"
			}) + " SELECT * FROM q1"
		}},
		{engine.MaxOutputs, "values of a row", func(n int) string { return "VALUES (" + list(n, ", ", strconv.Itoa) + ")" }},
		{engine.MaxOutputs, "columns", func(n int) string {
			return "SELECT " + list(n, ", ", func(i int) string { return "1 AS c" + strconv.Itoa(i) })
		}},
		{engine.MaxGroupPaths, "expressions to group by", func(n int) string {
			return "SELECT COUNT(*) AS n FROM people GROUP BY " + list(n, ", ", numbered("f"))
		}},
		{engine.MaxSortPaths, "expressions to order by", func(n int) string { return "SELECT * FROM people ORDER BY " + list(n, ", ", numbered("f")) }},
		{engine.MaxOutputs, "fields", func(n int) string {
			return "UPDATE nothing SET " + list(n, ", ", func(i int) string { return "f" + strconv.Itoa(i) + " = 1" })
		}},
		{engine.MaxOutputs, "fields", func(n int) string {
			return "INSERT INTO wide (" + list(n, ", ", numbered("f")) + ") VALUES (" + list(n, ", ", strconv.Itoa) + ")"
		}},
	} {
		if _, err := run(t, db, tt.text(tt.limit), nil); err != nil {
			t.Errorf("%s: %v", tt.what, err)
		}
		_, err := run(t, db, tt.text(tt.limit+1), nil)
		if want := "expected at most " + strconv.Itoa(tt.limit) + " " + tt.what; !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected %q", err, want)
		}
	}
	if _, err := run(t, db, "SELECT "+list(1999, ", ", func(i int) string { return "SUM(age + " + strconv.Itoa(i) + ") AS c" + strconv.Itoa(i) })+" FROM people", nil); !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), "different aggregates") {
		t.Errorf("the error is %v", err)
	}
	for text, want := range map[string]string{
		"SELECT * FROM " + strings.Repeat("(", 100_000):                "parentheses inside one another",
		"SELECT a" + strings.Repeat("[0]", 1_000_000) + " FROM people": "at most 1000 names",
		"/*" + strings.Repeat("*", token.MaxTextBytes) + "*/ SELECT 1": "at most 16777216 bytes of text",
	} {
		if _, err := run(t, db, text, nil); !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected %q", err, want)
		}
	}
}

// TestMemory: what a statement works out is bounded.
func TestMemory(t *testing.T) {
	db, err := engine.New(engine.Options{MaxQueryMemory: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	var docs []byte
	for i := range 1000 {
		docs = append(docs, encode(t, m{"_id": i, "one": 1, "text": strings.Repeat("x", 2000)})...)
	}
	if _, err := db.Insert("docs", docs, false); err != nil {
		t.Fatal(err)
	}
	joins := func(n int) string {
		return " FROM docs t0 " + list(n-1, " ", func(i int) string {
			return "JOIN docs t" + strconv.Itoa(i+1) + " ON t0._id = t" + strconv.Itoa(i+1) + "._id"
		})
	}
	for name, text := range map[string]string{
		"a join of all with all":       "SELECT a._id FROM docs a JOIN docs b ON a.one = b.one",
		"a join with itself":           "SELECT t0.*, t1.*" + joins(60),
		"all of all in one row":        "SELECT *" + joins(60),
		"rows":                         "SELECT text || 'y' AS t FROM docs ORDER BY text || 'y'",
		"groups of expressions":        "SELECT COUNT(*) AS n FROM docs GROUP BY text || 'y', _id",
		"different rows":               "SELECT DISTINCT text || 'y' AS t, _id FROM docs",
		"updates":                      "UPDATE docs SET text = text || 'y'",
		"one row":                      "SELECT " + list(1000, ", ", func(i int) string { return "text AS c" + strconv.Itoa(i) }) + " FROM docs",
		"one row of a sum of all rows": "SELECT " + list(1000, ", ", func(i int) string { return "MIN(text) AS c" + strconv.Itoa(i) + ", MAX(text) AS d" + strconv.Itoa(i) }) + " FROM docs",
	} {
		_, err := takenRows(db, text)
		if !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), "bytes") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
	if rows, err := takenRows(db, "SELECT text FROM docs"); err != nil || len(rows) < 2_000_000 {
		t.Errorf("documents as they lie do not count: %v", err)
	}
	if n, err := db.Count("docs", nil, 0); n != 1000 || err != nil {
		t.Errorf("%d documents are left (%v)", n, err)
	}
}

// TestInterrupted_inOneText: a search for a regular expression in one long text ends
// soon after its host says so, also where the engine does not ask.
func TestInterrupted_inOneText(t *testing.T) {
	stop, asked := errors.New("enough"), 0
	db, err := engine.New(engine.Options{Interrupted: func(bool) error {
		if asked++; asked > 3 {
			return stop
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Insert("docs", encode(t, m{"_id": 1, "text": strings.Repeat("a", 2_000)}), false); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"SELECT _id FROM docs WHERE text REGEXP '(a?){1000}b'",
		"SELECT _id FROM docs WHERE text || 'a' REGEXP '(a?){1000}b'",
		"SELECT a._id FROM docs a LEFT JOIN docs b ON a._id = b._id WHERE b.text REGEXP '(a?){1000}b' OR a.text = b._id",
		"SELECT MAX(text) AS most FROM docs HAVING most REGEXP '(a?){1000}b'",
	} {
		asked = 0
		if _, err := takenRows(db, text); err != stop {
			t.Errorf("%s: the error is %v", text, err)
		}
	}
}

// takenRows runs a statement and takes its rows, as jsbridge does.
func takenRows(db *engine.DB, text string) (all []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			if err = engine.AsError(p); err == nil {
				panic(p)
			}
		}
	}()
	s, err := sql.Parse(text)
	if err != nil {
		return nil, err
	}
	rows, err := s.Run(db, nil)
	if err != nil {
		return nil, err
	}
	for rows.Len() > 0 {
		all, _, _ = rows.Next(all, 0)
	}
	return all, nil
}

// TestConcatBytes: || makes no text beyond 64 MiB.
func TestConcatBytes(t *testing.T) {
	db := newDB(t)
	s, err := sql.Parse("SELECT " + list(70, " || ", func(int) string { return "?" }) + " AS x")
	if err != nil {
		t.Fatal(err)
	}
	params := msgpack.AppendArray(nil, 70)
	for range 70 {
		params = msgpack.AppendString(params, strings.Repeat("x", 1<<20))
	}
	if _, err := s.Run(db, params); !errors.Is(err, engine.CodeInvalid) || !strings.Contains(err.Error(), "more than 67108864 bytes") {
		t.Errorf("the error is %v", err)
	}
}
