package jsbridge

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var rewrite = flag.Bool("update", false, "write npm/src/engine/ops.ts anew")

const twin = "../npm/src/engine/ops.ts"

// TestTypeScriptTwin: npm/src/engine/ops.ts says the same of the ops as ops.go.
func TestTypeScriptTwin(t *testing.T) {
	want := typeScript()
	if *rewrite {
		if err := os.WriteFile(twin, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(twin)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is stale; run: go test ./jsbridge -run TestTypeScriptTwin -update", twin)
	}
}

// typeScript returns the source of npm/src/engine/ops.ts.
func typeScript() string {
	var b strings.Builder
	b.WriteString("// The calls of the engine, as jsbridge/ops.go lists them. Written by\n" +
		"// `go test ./jsbridge -run TestTypeScriptTwin -update`: edit that list, not this file.\n\n" +
		"/** Changes with the list. An engine whose number is another one comes from another release. */\n" +
		"export const protocol = 0x" + strconv.FormatUint(uint64(protocol()), 16) + "\n\n" +
		"/** The largest input of one call, in bytes; larger ones are sent in pieces. */\n" +
		"export const maxInput = " + strconv.Itoa(maxInput) + "\n\n" +
		"/** The number of each call. Each takes one MessagePack array of the arguments named here. */\n" +
		"export const Op = {\n")
	for i, o := range ops {
		b.WriteString("  /**\n   * " + o.doc + "\n   *\n   * `[" + strings.Join(o.args, ", ") + "]` → " + o.result + ".\n   */\n" +
			"  " + o.name + ": " + strconv.Itoa(i+1) + ",\n")
	}
	b.WriteString("} as const\n\n/** The number of a call. */\nexport type Op = (typeof Op)[keyof typeof Op]\n\n" +
		"/** The calls that change documents, collections or indexes. */\n" +
		"export const writingOps: ReadonlySet<Op> = new Set<Op>([")
	list := func(is func(o op) bool) {
		separator := ""
		for _, o := range ops {
			if is(o) {
				b.WriteString(separator + "Op." + o.name)
				separator = ", "
			}
		}
		b.WriteString("])\n")
	}
	list(func(o op) bool { return o.writes })
	b.WriteString("\n/** The calls that leave all documents where they are in memory. */\nexport const readingOps: ReadonlySet<Op> = new Set<Op>([")
	list(func(o op) bool { return !o.writes && !o.moves })
	b.WriteString("\n/** The calls about whose cached answers `stillValid` can tell. */\nexport const cachedOps: ReadonlySet<Op> = new Set<Op>([")
	list(func(o op) bool { return o.stillValid != nil })
	return b.String()
}

// TestErrorCodes: JavaScript's type ErrorCode lists exactly the engine's codes.
func TestErrorCodes(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../engine/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ours []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Code" && len(spec.Values) == 1 {
				text, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				ours = append(ours, text)
			}
		}
		return true
	})

	source, err := os.ReadFile("../npm/src/atomicdb-error.ts")
	if err != nil {
		t.Fatal(err)
	}
	union := regexp.MustCompile(`(?s)type ErrorCode\s*=(.*?)\n\n`).FindSubmatch(source)
	if union == nil {
		t.Fatal("npm/src/atomicdb-error.ts has no type ErrorCode")
	}
	var theirs []string
	for _, line := range strings.Split(string(union[1]), "\n") {
		line, _, _ = strings.Cut(line, "//")
		for _, m := range regexp.MustCompile(`'([a-z_]+)'`).FindAllStringSubmatch(line, -1) {
			theirs = append(theirs, m[1])
		}
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	if len(ours) == 0 || !slices.Equal(ours, theirs) {
		t.Errorf("the engine has the codes %v,\nnpm/src/atomicdb-error.ts has %v", ours, theirs)
	}
}

// TestOpTable: names are unique JavaScript names, every op fits the one-byte
// array header that args.start expects, and nothing is undocumented.
func TestOpTable(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range ops {
		if seen[o.name] || !regexp.MustCompile(`^[a-z][A-Za-z]*$`).MatchString(o.name) {
			t.Errorf("op %q: the name is taken, or is not a name", o.name)
		}
		seen[o.name] = true
		if len(o.args) > 15 || o.doc == "" || o.result == "" || o.run == nil {
			t.Errorf("op %s lacks a field", o.name)
		}
	}
}
