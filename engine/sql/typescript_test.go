package sql_test

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/atomicdb-go/atomicdb/engine/sql"
)

var rewrite = flag.Bool("update", false, "write npm/src/operations/statements.ts anew")

const statementsTwin = "../../npm/src/operations/statements.ts"

// TestTypeScriptTwin: JavaScript looks for the statements of the table.
func TestTypeScriptTwin(t *testing.T) {
	want := "// The first words of SQL statements that write, as engine/sql/parse.go lists them. Written by\n" +
		"// `go test ./engine/sql -run TestTypeScriptTwin -update`: edit that list, not this file.\n\n" +
		"/** Matches the first word of a statement that may change something, and of no other that the engine runs. */\n" +
		"export const writingWord = /^(?:" + strings.Join(sql.WritingStatements(), "|") + ")$/i\n"
	if *rewrite {
		if err := os.WriteFile(statementsTwin, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(statementsTwin)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is stale; run: go test ./engine/sql -run TestTypeScriptTwin -update", statementsTwin)
	}
}

var tokenOfText = regexp.MustCompile("['\"`;(),]|--|/\\*|[\\pL\\pN_$]+")

// isWriting is what npm/src/operations/writing-sql.ts does to tell by a text whether it
// writes, without parsing it.
func isWriting(text string) bool {
	is := func(word string, of ...string) bool {
		return slices.ContainsFunc(of, func(other string) bool {
			return len(word) == len(other) && strings.EqualFold(word, other)
		})
	}
	const first, afterWith, decided = 0, 1, 2
	verb, depth, closed := first, 0, false
	for at := 0; ; {
		place := tokenOfText.FindStringIndex(text[at:])
		if place == nil {
			return false
		}
		word := text[at+place[0] : at+place[1]]
		at += place[1]
		end := map[string]string{"'": "'", `"`: `"`, "`": "`", "--": "\n", "/*": "*/"}[word]
		switch {
		case end != "":
			i := strings.Index(text[at:], end)
			if i < 0 {
				return false
			}
			at += i + len(end)
		case word == ";":
			verb, depth, closed = first, 0, false
		case word == ",":
			closed = false
		case word == "(":
			depth++
		case word == ")":
			depth--
			closed = depth == 0
		default:
			if verb == first || verb == afterWith && closed && depth == 0 {
				switch {
				case is(word, sql.WritingStatements()...):
					return true
				case verb == first && is(word, "with"):
					verb = afterWith
				case verb == first || !is(word, "as"):
					verb = decided
				}
			}
			closed = false
		}
	}
}

// TestWriting: JavaScript says what the parser says, of every text that is a
// statement.
func TestWriting(t *testing.T) {
	statements := []string{
		"SELECT 1", "select updated FROM inserts", "EXPLAIN SELECT * FROM t", "INSERT INTO t VALUES (?)", "insert into t (a) values (1)",
		"Update t SET a = 1", "DELETE FROM t", "CREATE INDEX ON t (a)", "dRoP INDEX ON t (a)", "SELECT 'x' AS \"insert\"", "VALUES (1)", "REPLACE INTO t (a) VALUES (1)",
		"WITH a AS (SELECT 1) SELECT * FROM a", "WITH RECURSIVE a(x), b AS (SELECT (1)) SELECT 1", "WITH a(x) AS (SELECT 1), insert AS (SELECT 2) SELECT (1) update FROM a",
		"WITH a(x) AS NOT MATERIALIZED (SELECT (1)), b AS (SELECT 2) INSERT INTO t SELECT * FROM a", "WITH \"a)\" AS (SELECT ')' AS x) DELETE FROM t",
		"WITH a AS (SELECT 1 AS delete) SELECT delete FROM a", "with a as (select 1) UPDATE t SET a = 1", "SELECT 1; SELECT 2", "SELECT ';' AS a; DELETE FROM t", "SELECT ';delete' AS a",
		"BEGIN; INSERT INTO t (a) VALUES (1); COMMIT", "BEGIN; SELECT 1; END;", "SELECT 1; -- ;\n; /* ' */ WITH a AS (SELECT 1) DELETE FROM t", "SELECT 'it''s' AS a, `;update` FROM t; SELECT 1",
		"SELECT (1) AS a; drop table t", "CREATE TABLE t (a)", "SELECT 1 -- ; DELETE FROM t", "SELECT 1 /* ; DELETE FROM t */",
	}
	before := []string{
		"", " ", "\n\t\v\f\r", "-- insert\n", "/* insert */", "/**/", "/***/", "/* * / **/", "-- a\n\n-- b\n", " /* a\n */ -- b\r\n ", "--\n/*-- */", ";",
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.IsSpace(r) {
			before = append(before, string(r)+"/**/"+string(r))
		}
	}
	parsed := 0
	for _, text := range statements {
		for _, space := range before {
			if checkWriting(t, space+text) {
				parsed++
			}
		}
		checkWriting(t, strings.ReplaceAll(text, " ", "\u00a0"))
	}
	if parsed < len(statements)*len(before)*9/10 {
		t.Errorf("only %d texts are statements", parsed)
	}
}

// checkWriting compares the two, if text is a statement.
func checkWriting(t *testing.T, text string) bool {
	t.Helper()
	s, err := sql.Parse(text)
	if err == nil && s.Writes() != isWriting(text) {
		t.Errorf("%q: the parser says that it writes: %t; JavaScript says %t", text, s.Writes(), isWriting(text))
	}
	return err == nil
}
