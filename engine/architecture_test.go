package engine_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestLayering: wasm → jsbridge → storage → engine import downwards only, only the
// files for JavaScript import syscall/js, and the engine has no hidden inputs.
func TestLayering(t *testing.T) {
	const module = "github.com/atomicdb-go/atomicdb/"
	mayImport := map[string]string{ // folder → folders of ours it may use
		"engine":   "engine",
		"storage":  "engine storage",
		"jsbridge": "engine storage jsbridge",
		"wasm":     "engine storage jsbridge wasm",
		"npm":      "", // npm/scripts: what make calls
	}
	// In these folders, and there only in *_js.go, which Go builds for JavaScript alone.
	const mayTouchJS = "storage jsbridge wasm"
	// Time and randomness are arguments, so that replaying the log is exact; the
	// caller owns the goroutines, so nothing needs a lock. The others cost every
	// download: fmt alone adds 120 kB of compressed wasm.
	const neverInEngine = "context encoding/json fmt log math/rand math/rand/v2 os reflect sync time"

	seen := 0
	walkGo(t, func(path string) {
		folder, _, _ := strings.Cut(path, "/")
		isTest := strings.HasSuffix(path, "_test.go")
		isJS := strings.HasSuffix(path, "_js.go") || strings.HasSuffix(path, "_js_test.go")

		allowed, isLayer := mayImport[folder]
		if !isLayer || folder == "npm" && !strings.HasPrefix(path, "npm/scripts/") {
			t.Errorf("%s: Go lives in engine, storage, jsbridge, wasm and npm/scripts", path)
			return
		}
		seen++
		for _, imported := range importsOf(t, path) {
			ours, isOurs := strings.CutPrefix(imported, module)
			target, _, _ := strings.Cut(ours, "/")
			switch {
			case isOurs && !hasWord(allowed, target):
				t.Errorf("%s imports %s; %s may import only: %s", path, ours, folder, allowed)
			case imported == "syscall/js" && !(isJS && hasWord(mayTouchJS, folder)):
				t.Errorf("%s imports syscall/js; only *_js.go in %s may", path, mayTouchJS)
			case folder == "engine" && !isTest && hasWord(neverInEngine, imported):
				t.Errorf("%s imports %s; the engine never may", path, imported)
			}
		}
	})
	if seen == 0 {
		t.Error("found no Go file: the test looks in the wrong folder")
	}
}

// TestReadingTheSource: the files that doc.go sends a reader to are there.
func TestReadingTheSource(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range strings.FieldsFunc(string(doc), func(r rune) bool { return strings.ContainsRune(" ():;,\n", r) }) {
		if strings.HasSuffix(word, ".go") {
			if _, err := os.Stat(word); err != nil {
				t.Errorf("doc.go names %s: %v", word, err)
			}
		}
	}
}

// TestTopLevel: the top level holds what was agreed and nothing else.
func TestTopLevel(t *testing.T) {
	agreed := strings.Fields(".ci .github .gitignore CHANGELOG.md LICENSE Makefile README.md demo engine go.mod go.sum jsbridge npm storage wasm")
	// Files of git, a worktree or an editor are not part of the project.
	const tolerated = ".git .DS_Store .idea .vscode"

	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if !hasWord(tolerated, entry.Name()) {
			names = append(names, entry.Name())
		}
	}
	for _, name := range names {
		if !slices.Contains(agreed, name) {
			t.Errorf("%s is at the top level; agreed there: %v", name, agreed)
		}
	}
	for _, name := range agreed {
		if !slices.Contains(names, name) {
			t.Errorf("%s is missing at the top level", name)
		}
	}
}

// walkGo visits every Go file of the project by its path from the top.
func walkGo(t *testing.T, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && hasWord("node_modules dist .git .build", entry.Name()) {
			return filepath.SkipDir
		}
		if !entry.IsDir() && filepath.Ext(path) == ".go" {
			visit(strings.TrimPrefix(filepath.ToSlash(path), "../"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// importsOf returns the import paths of the file at path, counted from the top.
func importsOf(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", path), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range file.Imports {
		paths = append(paths, strings.Trim(spec.Path.Value, "`\""))
	}
	return paths
}

func hasWord(words, word string) bool {
	return strings.Contains(" "+words+" ", " "+word+" ")
}
