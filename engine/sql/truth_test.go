package sql_test

import (
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/sql"
)

// The values of the documents of truths, as SQL writes them; "" for a missing field.
var truthValues = []string{"", "NULL", "0", "1", "2", "'1'", "'a'", "TRUE", "FALSE"}

// truths returns a DB with one document for each pair of values a and b.
func truths(t *testing.T) *engine.DB {
	t.Helper()
	db, err := engine.New(engine.Options{ColumnThreshold: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range truthValues {
		for _, b := range truthValues {
			doc := m{}
			for name, v := range map[string]string{"a": a, "b": b} {
				switch v {
				case "":
				case "NULL":
					doc[name] = nil
				case "TRUE", "FALSE":
					doc[name] = v == "TRUE"
				case "'1'", "'a'":
					doc[name] = strings.Trim(v, "'")
				default:
					doc[name] = int(v[0] - '0')
				}
			}
			if _, err := db.Insert("t", encode(t, doc), false); err != nil {
				t.Fatal(err)
			}
		}
	}
	return db
}

// TestTruth: a condition on fields, as a filter, as an expression and of literals has one
// of three values, the same everywhere; AND, OR and NOT follow SQL's tables.
func TestTruth(t *testing.T) {
	db := truths(t)
	conditions := []string{"a = 1", "a <> 1", "1 <> a", "a < 1", "a >= 1", "a IN (1, 2)", "a IN (1, NULL)", "a NOT IN (1)", "a NOT IN (1, NULL)", "a IN ()", "a NOT IN ()",
		"a BETWEEN 1 AND 2", "a NOT BETWEEN 1 AND 2", "a BETWEEN NULL AND 1", "a NOT BETWEEN 2 AND NULL", "a LIKE 'a%'", "a NOT LIKE '1'", "a IS NULL", "a IS NOT NULL", "a IS 1", "a IS NOT 'a'",
		"a IS DISTINCT FROM 1", "a IS NOT DISTINCT FROM NULL", "a IS TRUE", "a IS NOT TRUE", "a IS FALSE", "a IS NOT FALSE", "a = NULL", "a <> NULL", "NULL < a", "a", "NOT a",
		"a STARTSWITH 'a'", "a NOT REGEXP '1'", "a TYPE int", "a NOT EXISTS", "a IS MISSING",
		"a = b", "a <> b", "a < b", "a IS b", "a IS NOT b", "a IN (b, 1)", "a NOT IN (b, NULL)", "a NOT BETWEEN b AND 1", "a NOT BETWEEN 1 AND b"}
	conditions = append(conditions, "a = 1 AND b = 1", "a <> 1 OR b <> 1", "NOT (a = 1 AND b < a)", "NOT (a > 1 OR b IS NULL)", "a = 1 AND NULL", "a = 1 OR NULL", "NOT (a <> b AND NULL)", "(a > 0) = (b > 0)", "(a > 0) IS NOT (b > 0)", "(a > 0) = 1",
		"CASE WHEN a <> 1 THEN b = 1 ELSE b <> 1 END")
	for _, text := range conditions {
		kinds := map[string]int{}
		for kind, where := range map[string]string{
			"true": text, "true of NOT": "NOT (" + text + ")", "unknown": "(" + text + ") IS NULL",
		} {
			n, err := run(t, db, "SELECT COUNT(*) AS n FROM t WHERE "+where, nil)
			if err != nil {
				t.Fatalf("%s: %v", where, err)
			}
			for _, slow := range []string{
				"SELECT COUNT(*) AS n FROM t WHERE CASE WHEN 1 THEN " + where + " END",
				"SELECT COUNT(CASE WHEN " + where + " THEN 1 END) AS n FROM t",
				"SELECT COALESCE(SUM(" + where + "), 0) AS n FROM t",
			} {
				if again, err := run(t, db, slow, nil); err != nil || again != n {
					t.Errorf("%s\n%s, %v; as a condition %s", slow, again, err, n)
				}
			}
			for _, digit := range strings.Trim(n, "{n: }") {
				kinds[kind] = 10*kinds[kind] + int(digit-'0')
			}
		}
		if sum := kinds["true"] + kinds["true of NOT"] + kinds["unknown"]; sum != len(truthValues)*len(truthValues) {
			t.Errorf("%s is true, false or unknown of %d documents: %v", text, sum, kinds)
		}
	}
	for text, want := range map[string]string{
		"NULL = 1": "null", "NULL <> NULL": "null", "NOT NULL": "null", "1 IN (2, NULL)": "null", "1 NOT IN (2, NULL)": "null", "1 NOT IN (1, NULL)": "false", "NULL IN ()": "false",
		"NULL AND 0 = 1": "false", "NULL AND 1 = 1": "null", "NULL OR 1 = 1": "true", "NULL OR 0 = 1": "null", "3 BETWEEN NULL AND 2": "false", "1 BETWEEN NULL AND 2": "null",
		"NULL IS NULL": "true", "NULL IS 1": "false", "1 IS NOT NULL": "true", "2 IS TRUE": "true", "NULL IS NOT TRUE": "true", "0 IS FALSE": "true", "NULL LIKE 'a'": "null", "'a' LIKE NULL": "null",
		"NULL IS DISTINCT FROM 1": "true", "NULL IS NOT DISTINCT FROM NULL": "true", "1 = '1'": "false", "1 <> '1'": "true", "(1 = 1) = 1": "true", "(1 = 1) + 1": "2", "NOT 2": "false", "NOT 0": "true", "1 AND 2": "true", "0 OR NULL": "null",
		"CASE NULL WHEN NULL THEN 1 ELSE 2 END": "2", "CASE WHEN NULL THEN 1 ELSE 2 END": "2", "CASE 3 WHEN 3 THEN 1 END": "1",
	} {
		if got, err := run(t, db, "SELECT "+text+" AS v", nil); err != nil || got != "{v: "+want+"}" {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}

// TestTruth_plans: conditions that leave out what is unknown are answered by columns and
// indexes.
func TestTruth_plans(t *testing.T) {
	db := truths(t)
	for _, text := range []string{"a <> 1", "NOT a < 1", "a NOT IN (1, 2)", "NOT (a = 1 OR b = 1)", "a IS NOT NULL", "a IS NOT 1", "a"} {
		if where, err := sql.WhereOf(db, "SELECT * FROM t WHERE "+text); err != nil || where == nil {
			t.Errorf("%s is no filter: %v", text, err)
		}
		if got, err := run(t, db, "EXPLAIN SELECT * FROM t WHERE "+text, nil); err != nil || !strings.Contains(got, "columns(") {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}
