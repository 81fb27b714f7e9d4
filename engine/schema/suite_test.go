//go:build !js

package schema_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	_ "github.com/google/jsonschema-go/jsonschema" // carries the required tests of the official suite

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/schema"
)

// suiteFolder is the environment variable that names a copy of
// https://github.com/json-schema-org/JSON-Schema-Test-Suite, with the folders tests
// and remotes. Without it, the tests run that a Go module carries: the required
// ones, of an older commit.
const suiteFolder = "JSON_SCHEMA_TEST_SUITE"

// leftOut says why groups of the suite are not run, by what the name of the file and
// the description begin with.
var leftOut = []struct{ file, group, why string }{
	{"format.json", "", "asks that format asserts nothing; here it does"},
	{"vocabulary.json", "schema that uses custom metaschema with with no validation", "$vocabulary chooses nothing"},
	{"optional/cross-draft.json", "", "schemas of older drafts are read as 2020-12"},
}

func TestSuite(t *testing.T) {
	tests, remotes := os.Getenv(suiteFolder), ""
	if tests != "" {
		tests, remotes = filepath.Join(tests, "tests/draft2020-12"), filepath.Join(tests, "remotes")
	} else {
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/google/jsonschema-go").Output()
		if err != nil || len(dir) == 0 {
			t.Skipf("the module that carries the suite is not there, and %s is not set: %v", suiteFolder, err)
		}
		tests = filepath.Join(strings.TrimSpace(string(dir)), "jsonschema/testdata/draft2020-12")
		remotes = filepath.Join(tests, "../remotes")
		t.Logf("%s is not set: only the required tests run", suiteFolder)
	}
	others := readRemotes(t, remotes)
	run, passed, skipped := 0, 0, map[string]int{}
	err := filepath.WalkDir(tests, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		name, _ := filepath.Rel(tests, path)
		r, p := runFile(t, filepath.ToSlash(name), path, others, skipped)
		run, passed = run+r, passed+p
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	for why, n := range skipped {
		left += n
		t.Logf("left out %d: %s", n, why)
	}
	t.Logf("JSON Schema's suite: %d cases run, %d of them passed, %d left out", run, passed, left)
	if passed < 1000 {
		t.Error("the suite has more cases than that: the test looks in the wrong folder")
	}
}

func runFile(t *testing.T, name, path string, others map[string][]byte, skipped map[string]int) (run, passed int) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var groups []struct {
		Description string
		Schema      json.RawMessage
		Tests       []struct {
			Description string
			Data        json.RawMessage
			Valid       bool
		}
	}
	if err := json.Unmarshal(text, &groups); err != nil {
		t.Fatal(err)
	}
groups:
	for _, g := range groups {
		for _, l := range leftOut {
			if l.file == name && strings.HasPrefix(g.Description, l.group) {
				skipped[l.file+": "+l.why] += len(g.Tests)
				continue groups
			}
		}
		packed := pack(t, string(g.Schema))
		if strings.Contains(string(g.Schema), `"__proto__"`) {
			skipped["no document of AtomicDB has a field named __proto__"] += len(g.Tests)
			continue
		}
		s, err := schema.Compile(packed, schema.Options{Lenient: true, Others: others})
		if err != nil {
			t.Errorf("%s: %s: %v", name, g.Description, err)
			continue
		}
		slow, err := schema.CompileSlowly(packed, schema.Options{Lenient: true, Others: others})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range g.Tests {
			v := pack(t, string(c.Data))
			if _, err := msgpack.Validate(v, 100); err != nil {
				skipped["no document of AtomicDB has a field named __proto__"]++
				continue
			}
			run++
			if err := s.Check(v); (err == nil) != c.Valid {
				t.Errorf("%s: %s: %s: %s is %v, want %v: %v", name, g.Description, c.Description, c.Data, err == nil, c.Valid, err)
				continue
			}
			if have, want := faultsText(s.Check(v)), faultsText(slow.Check(v)); have != want {
				t.Errorf("%s: %s: %s: have %s, slowly %s", name, g.Description, c.Description, have, want)
				continue
			}
			passed++
		}
	}
	return run, passed
}

// readRemotes returns the schemas that the suite serves under http://localhost:1234.
func readRemotes(t *testing.T, folder string) map[string][]byte {
	others := map[string][]byte{}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		others["http://localhost:1234/"+filepath.ToSlash(name)] = pack(t, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return others
}

// TestMetaschemas writes metaschemas.go of the copies that the Go module has,
// and fails if it was another.
func TestMetaschemas(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/google/jsonschema-go").Output()
	if err != nil || len(dir) == 0 {
		t.Skipf("the module that carries the metaschemas is not there: %v", err)
	}
	folder := filepath.Join(strings.TrimSpace(string(dir)), "jsonschema/meta-schemas/draft2020-12")
	all := map[string]any{}
	for _, name := range strings.Fields("schema meta/applicator meta/content meta/core meta/format-annotation meta/meta-data meta/unevaluated meta/validation") {
		text, err := os.ReadFile(filepath.Join(folder, name+".json"))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = parse(t, string(text))
	}
	want := "package schema\n\n// metaschemas are the schemas of schemas, by what follows metaschemaAddress, as one\n// MessagePack map. TestMetaschemas has written it.\nconst metaschemas = " +
		strconv.Quote(string(appendValue(nil, all))) + "\n"
	if have, _ := os.ReadFile("metaschemas.go"); string(have) != want {
		if err := os.WriteFile("metaschemas.go", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Error("metaschemas.go was another; it is written now")
	}
}
