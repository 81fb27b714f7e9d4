package jsbridge

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// TestImports keeps packages out of the engine's wasm that cost too much. Timers of
// package time are fatal there: see the package comment. fmt costs every
// download 120 kB, and Go's crypto packages reserve 32 MiB of memory at start
// (golang/go issue 78321).
func TestImports(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("there are no processes here")
	}
	list := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{.Imports}}", "../wasm/atomicdb")
	list.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string]string{} // of each linked package
	for line := range strings.Lines(string(out)) {
		linked, its, _ := strings.Cut(line, " ")
		imports[linked] = its
	}
	if _, isJS := imports["syscall/js"]; !isJS {
		t.Fatal("not the imports of a JavaScript program")
	}
	for _, unwanted := range strings.Fields("time context fmt log os encoding/json text/template math/rand crypto crypto/rand crypto/sha256 net") {
		if _, isLinked := imports[unwanted]; isLinked {
			t.Errorf("wasm/atomicdb links %s", unwanted)
		}
	}
	// The packages below storage named *log are for the Go programs that import them.
	for linked := range imports {
		if strings.Contains(linked, "/storage/") && strings.HasSuffix(linked, "log") {
			t.Errorf("wasm/atomicdb links %s, which is for Go programs", linked)
		}
	}
}
