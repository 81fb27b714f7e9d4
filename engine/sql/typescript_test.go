package sql_test

import (
	"flag"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/atomicdb-go/atomicdb/engine/sql"
)

var rewrite = flag.Bool("update", false, "write npm/src/operations/statements.ts anew")

const statementsTwin = "../../npm/src/operations/statements.ts"

// TestTypeScriptTwin: JavaScript looks for the statements of the table.
func TestTypeScriptTwin(t *testing.T) {
	want := "// How the text of an SQL statement that writes begins, as engine/sql/parse.go lists the statements. Written by\n" +
		"// `go test ./engine/sql -run TestTypeScriptTwin -update`: edit that list, not this file.\n\n" +
		"/** Matches white space. */\n" +
		"export const spaces = /[" + spaces(`\u`, "") + "]*/y\n\n" +
		"/** Matches the first word of a statement that may change something, and of no other that the engine runs. */\n" +
		"export const writingWords = /" + words() + "/iy\n"
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

// spaces returns the characters of white space for a regular expression. A character
// by number is open, four hex digits, and closing, which JavaScript and Go write
// differently.
func spaces(open, closing string) string {
	number := func(r rune) string {
		digits := strconv.FormatInt(int64(r), 16)
		return open + strings.Repeat("0", 4-len(digits)) + digits + closing
	}
	var space strings.Builder
	for r := rune(0); r <= 0xffff; r++ {
		if unicode.IsSpace(r) {
			space.WriteString(number(r))
		}
	}
	return space.String()
}

func words() string { return `(?:` + strings.Join(sql.WritingStatements(), "|") + `)` }

// writing returns the regular expression of the texts that write: white space and
// comments, then a word. JavaScript passes over those by a loop, because its regular
// expressions run out of stack in long comments.
func writing() string {
	return `^(?:[` + spaces(`\x{`, "}") + `]|--[^\n]*\n|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)*` + words()
}

// In RE2 (?i) would also take ſ for an s, which neither the parser nor
// JavaScript does.
var writes = func() *regexp.Regexp {
	pattern := writing()
	words := strings.LastIndex(pattern, "(?:")
	anyCase := regexp.MustCompile("[a-z]").ReplaceAllStringFunc(pattern[words:], func(c string) string { return "[" + c + strings.ToUpper(c) + "]" })
	return regexp.MustCompile(pattern[:words] + anyCase)
}()

// TestWriting: the regular expression says what the parser says, of every text
// that is a statement.
func TestWriting(t *testing.T) {
	statements := []string{
		"SELECT 1", "select updated FROM inserts", "EXPLAIN SELECT * FROM t", "INSERT INTO t VALUES (?)", "insert into t (a) values (1)",
		"Update t SET a = 1", "DELETE FROM t", "CREATE INDEX ON t (a)", "dRoP INDEX ON t (a)", "SELECT 'x' AS \"insert\"",
	}
	before := []string{
		"", " ", "\n\t\v\f\r", "-- insert\n", "/* insert */", "/**/", "/***/", "/* * / **/", "-- a\n\n-- b\n", " /* a\n */ -- b\r\n ", "--\n/*-- */",
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.IsSpace(r) {
			before = append(before, string(r)+"/**/"+string(r))
		}
	}
	for _, text := range statements {
		for _, space := range before {
			checkWriting(t, space+text)
		}
	}
}

// checkWriting compares the two, if text is a statement.
func checkWriting(t *testing.T, text string) {
	t.Helper()
	s, err := sql.Parse(text)
	if err == nil && s.Writes() != writes.MatchString(text) {
		t.Errorf("%q: the parser says that it writes: %t; the regular expression says %t", text, s.Writes(), writes.MatchString(text))
	}
}
