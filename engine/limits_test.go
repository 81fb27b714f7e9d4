package engine

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/engine/query/token"
)

// TestLimitsTable: the manual's table of limits says what the engine does.
func TestLimitsTable(t *testing.T) {
	manual, err := os.ReadFile("../demo/docs/guide/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := Options{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	mebi := func(n int) string { return strconv.Itoa(n>>20) + " MiB" }
	for what, limit := range map[string]string{
		"size of a document":                    mebi(defaults.MaxDocumentBytes),
		"nesting of a document":                 strconv.Itoa(defaults.MaxDepth) + " levels",
		"memory for the work of one call":       mebi(int(defaults.MaxQueryMemory)),
		"text of a condition or SQL":            mebi(token.MaxTextBytes),
		"conditions in one condition":           thousands(token.MaxTerms),
		"conditions or expressions inside one":  thousands(token.MaxDepth),
		"a regular expression, a LIKE pattern":  strconv.Itoa(query.MaxPatternBytes>>10) + " KiB, and " + thousands(query.MaxPatternParts) + " parts when repetitions are written out",
		"names in a path":                       thousands(query.MaxPathNames),
		"name of a collection":                  thousands(maxNameBytes) + " bytes",
		"collections |":                         thousands(maxCollections),
		"indexes of a collection":               thousands(maxIndexes),
		"paths of an index":                     thousands(maxIndexPaths),
		"paths to sort by":                      thousands(MaxSortPaths),
		"paths to group by":                     thousands(MaxGroupPaths),
		"outputs of an aggregate; columns of a": thousands(MaxOutputs),
		"paths in `fields`":                     thousands(MaxFields),
	} {
		found := false
		for line := range strings.Lines(string(manual)) {
			if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| "+what) && len(cells) > 2 {
				found = true
				if cells[1] != limit && !strings.HasPrefix(cells[1], limit+";") {
					t.Errorf("the manual says of %q: %s; it is %s", what, cells[1], limit)
				}
			}
		}
		if !found {
			t.Errorf("the manual's table of limits lacks %q", what)
		}
	}
}

// thousands writes a number below a million as the manual does.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return strconv.Itoa(n/1000) + "," + strconv.Itoa(n%1000 + 1000)[1:]
}

// TestMaxCollections: a call that would create one collection too many is refused,
// and calls about those that exist go on.
func TestMaxCollections(t *testing.T) {
	db, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range maxCollections {
		if err := db.CreateCollection("c" + strconv.Itoa(i)); err != nil {
			t.Fatal(i, err)
		}
	}
	db.Cut(0)
	db.Confirm()
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d bytes a collection", (after.HeapAlloc-before.HeapAlloc)/maxCollections)
	doc := []byte("\x81\xa1a\x01")
	for what, create := range map[string]func(name string) error{
		"createCollection": db.CreateCollection,
		"insert":           func(name string) error { _, err := db.Insert(name, doc, false); return err },
		"createIndex":      func(name string) error { return db.CreateIndex(name, []string{"a"}, IndexOptions{}) },
	} {
		if err := create("c7"); err != nil {
			t.Errorf("%s of a collection that exists: %v", what, err)
		}
		if err := create("one more"); CodeOf(err) != CodeInvalid || !strings.Contains(err.Error(), "100000 collections") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := db.DropCollection("c3"); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateCollection("one more"); err != nil {
		t.Error(err)
	}
}
