// Command mutants lists the small changes of Go files that mutants.mjs tries, as JSON: where each is, and what would be
// written there. It runs no test and changes no file.
package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
)

// A Mutant replaces the bytes from Start to End of File by Text.
type Mutant struct {
	File  string `json:"file"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	Line  int    `json:"line"`
	Kind  string `json:"kind"`
	Text  string `json:"text"`
}

func main() {
	mutants := []Mutant{}
	for _, name := range os.Args[1:] {
		source, err := os.ReadFile(name)
		if err != nil {
			fail(err)
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, source, 0)
		if err != nil {
			fail(err)
		}
		f := &finder{name: name, source: source, at: files.File(file.Pos())}
		ast.Inspect(file, f.visit)
		mutants = append(mutants, f.found...)
	}
	if err := json.NewEncoder(os.Stdout).Encode(mutants); err != nil {
		fail(err)
	}
}

func fail(err error) {
	os.Stderr.WriteString(err.Error() + "\n")
	os.Exit(1)
}

// A finder collects the mutants of one file.
type finder struct {
	name   string
	source []byte
	at     *token.File
	found  []Mutant
}

// swaps has for each operator the ones that a slip would put there.
var swaps = map[token.Token][]string{
	token.EQL: {"!="}, token.NEQ: {"=="},
	token.LSS: {"<=", ">="}, token.LEQ: {"<", ">"},
	token.GTR: {">=", "<="}, token.GEQ: {">", "<"},
	token.LAND: {"||"}, token.LOR: {"&&"},
	token.ADD: {"-"}, token.SUB: {"+"}, token.MUL: {"+"}, token.QUO: {"*"}, token.REM: {"*"},
	token.AND: {"|"}, token.OR: {"&"}, token.XOR: {"&"}, token.AND_NOT: {"&"},
	token.SHL: {">>"}, token.SHR: {"<<"},
	token.ADD_ASSIGN: {"-=", "="}, token.SUB_ASSIGN: {"+=", "="}, token.OR_ASSIGN: {"&=", "="}, token.AND_ASSIGN: {"|="},
	token.INC: {"--"}, token.DEC: {"++"},
}

// others has for each word that stands alone the one that it is confused with.
var others = map[string]string{"true": "false", "false": "true", "break": "continue", "continue": "break"}

func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec:
		return false
	case *ast.BinaryExpr:
		f.swap(n.OpPos, n.Op)
	case *ast.IncDecStmt:
		f.swap(n.TokPos, n.Tok)
	case *ast.AssignStmt:
		f.swap(n.TokPos, n.Tok)
		if n.Tok == token.ASSIGN && len(n.Lhs) == 1 {
			f.add("assignment dropped", n.Lhs[0].Pos(), n.Lhs[0].End(), "_")
		}
	case *ast.IfStmt:
		f.add("condition flipped", n.Cond.Pos(), n.Cond.End(), "!("+f.text(n.Cond)+")")
	case *ast.ExprStmt:
		f.add("call dropped", n.Pos(), n.End(), "")
	case *ast.DeferStmt:
		f.add("call dropped", n.Pos(), n.End(), "")
	case *ast.BranchStmt:
		if other, ok := others[n.Tok.String()]; ok && n.Label == nil {
			f.add("branch", n.Pos(), n.End(), other)
		}
	case *ast.Ident:
		if other, ok := others[n.Name]; ok {
			f.add("constant", n.Pos(), n.End(), other)
		}
	case *ast.BasicLit:
		if number, err := strconv.ParseInt(n.Value, 0, 64); n.Kind == token.INT && err == nil {
			f.add("constant", n.Pos(), n.End(), strconv.FormatInt(number+1, 10))
			f.add("constant", n.Pos(), n.End(), strconv.FormatInt(number-1, 10))
		}
	case *ast.ReturnStmt:
		f.returned(n)
	}
	return true
}

// returned replaces what a statement returns: an error by none, another value by zero.
func (f *finder) returned(n *ast.ReturnStmt) {
	for _, value := range n.Results {
		switch v := value.(type) {
		case *ast.Ident:
			if v.Name == "err" {
				f.add("error ignored", v.Pos(), v.End(), "nil")
			} else if v.Name != "nil" && others[v.Name] == "" {
				f.add("return replaced", v.Pos(), v.End(), "nil")
				f.add("return replaced", v.Pos(), v.End(), "0")
			}
		case *ast.CallExpr:
			f.add("return replaced", v.Pos(), v.End(), "nil")
		}
	}
}

func (f *finder) swap(pos token.Pos, op token.Token) {
	for _, other := range swaps[op] {
		f.add(op.String()+" to "+other, pos, pos+token.Pos(len(op.String())), other)
	}
}

func (f *finder) add(kind string, from, to token.Pos, text string) {
	f.found = append(f.found, Mutant{f.name, f.at.Offset(from), f.at.Offset(to), f.at.Line(from), kind, text})
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.at.Offset(n.Pos()):f.at.Offset(n.End())])
}
