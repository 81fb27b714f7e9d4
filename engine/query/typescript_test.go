package query_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/query"
)

var rewrite = flag.Bool("update", false, "write npm/src/query/operators.ts anew")

const operatorsTwin = "../../npm/src/query/operators.ts"

// TestTypeScriptTwin: the condition builder has the operators of the table.
func TestTypeScriptTwin(t *testing.T) {
	want := typeScript()
	if *rewrite {
		if err := os.WriteFile(operatorsTwin, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(operatorsTwin)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is stale; run: go test ./engine/query -run TestTypeScriptTwin -update", operatorsTwin)
	}
}

var takes = map[query.Takes]string{
	query.TakesValue: "value", query.TakesEnds: "ends", query.TakesList: "list", query.TakesText: "text", query.TakesPattern: "pattern",
	query.TakesYes: "yes", query.TakesType: "type", query.TakesSize: "size", query.TakesCondition: "condition",
}

// typeScript returns the source of npm/src/query/operators.ts.
func typeScript() string {
	var b strings.Builder
	b.WriteString("// The operators of conditions, as engine/query/operators.go lists them. Written by\n" +
		"// `go test ./engine/query -run TestTypeScriptTwin -update`: edit that list, not this file.\n\n" +
		"/**\n * What each operator takes after the path, how it is written in a text, and the name of the\n * operator that holds exactly where it does not, if there is one.\n */\n" +
		"export const operators = {\n")
	for _, o := range query.Operators() {
		b.WriteString("  " + o.Name + ": ['" + takes[o.Takes] + "', '" + o.Text + "'")
		if opposite := query.OperatorOf(o.Op, !o.Negates); opposite != nil && !o.Negates {
			b.WriteString(", '" + opposite.Name + "'")
		}
		b.WriteString("],\n")
	}
	b.WriteString("} as const\n\n/** The name of an operator. */\nexport type Operator = keyof typeof operators\n\n" +
		"/** The names of the operators that take any of `T`. */\n" +
		"export type Taking<T extends (typeof operators)[Operator][0]> = { [O in Operator]: (typeof operators)[O][0] extends T ? O : never }[Operator]\n\n" +
		"/** The types that `type` knows. */\n" +
		"export const types = ['" + strings.ReplaceAll(query.KnownTypes, ", ", "', '") + "']\n")
	return b.String()
}

// TestOperators: no two operators are called the same in a spelling, names are
// ones that the builder can have, and what the spellings rely on holds.
func TestOperators(t *testing.T) {
	names := regexp.MustCompile(`^[a-z][A-Za-z]*$`)
	signs := regexp.MustCompile(`^[=!<>]+$`)
	seen := map[string]bool{}
	unique := func(name string) {
		if seen[name] {
			t.Errorf("two operators are called %s", name)
		}
		seen[name] = name != ""
	}
	for _, o := range query.Operators() {
		unique("builder: " + o.Name)
		unique("text: " + o.Text)
		if o.Also != "" {
			unique("text: " + o.Also)
		}
		if o.Filter != "" {
			unique(o.Filter)
		}
		isWord := names.MatchString(strings.TrimPrefix(o.Text, "not "))
		if !names.MatchString(o.Name) || !isWord && !signs.MatchString(o.Text) || o.Filter != "" && !strings.HasPrefix(o.Filter, "$") {
			t.Errorf("operator %s, %q in text and %q in filters: that is no name", o.Name, o.Text, o.Filter)
		}
		if isWord && o.Negates != strings.HasPrefix(o.Text, "not ") {
			t.Errorf("operator %s is %q in text, where a word is negated by the word not", o.Name, o.Text)
		}
		if o.Negates && query.OperatorOf(o.Op, false) == nil {
			t.Errorf("operator %s negates one that is not in the table", o.Name)
		}
		if takes[o.Takes] == "" {
			t.Errorf("operator %s takes something that has no name in TypeScript", o.Name)
		}
	}
	for op := query.OpEq; op <= query.OpSize; op++ {
		if query.OperatorOf(op, false) == nil {
			t.Errorf("operator %d is not in the table", op)
		}
	}
}
