package docfile_test

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/query"
	"github.com/atomicdb-go/atomicdb/storage/docfile"
)

func open(t testing.TB) *engine.DB {
	t.Helper()
	db, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// load returns a DB with the documents of file.
func load(t testing.TB, file []byte, kind docfile.Type) *engine.DB {
	t.Helper()
	f, err := docfile.Parse(file, kind, 100)
	if err != nil {
		t.Fatal(err)
	}
	db := open(t)
	if err := f.Store(db); err != nil {
		t.Fatal(err)
	}
	return db
}

func write(t testing.TB, db *engine.DB, kind docfile.Type) []byte {
	t.Helper()
	file, err := docfile.Write(db, kind)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPython(t *testing.T) {
	text := read(t, "plain.json")
	db := load(t, text, docfile.JSON)
	var want map[string][]map[string]any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for name, docs := range want {
		if n, err := db.Count(name, nil, 0); err != nil || n != len(docs) {
			t.Errorf("%s has %d documents, %v; want %d", name, n, err, len(docs))
		}
	}
	// The same data as MessagePack leads to the same file.
	other := load(t, read(t, "data.msgpack"), docfile.MessagePack)
	if a, b := write(t, db, docfile.JSON), write(t, other, docfile.JSON); !bytes.Equal(a, b) {
		t.Errorf("JSON and MessagePack differ:\n%s\n%s", a, b)
	}
	// Apart from the ids, it is exactly what Python wrote.
	var got map[string][]map[string]any
	if err := json.Unmarshal(write(t, db, docfile.JSON), &got); err != nil {
		t.Fatal(err)
	}
	for name := range got {
		for _, doc := range got[name] {
			delete(doc, "_id")
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read %v\nwant %v", got, want)
	}
}

// Embedded, because these tests also run in a browser, where there are no files.
//
//go:embed testdata/python
var python embed.FS

func read(t testing.TB, name string) []byte {
	t.Helper()
	file, err := python.ReadFile("testdata/python/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestWrite(t *testing.T) {
	db := open(t)
	insert(t, db, "users", `{"_id": "ada", "n": 1, "x": 1.0, "y": -2.5e-9, "big": 18446744073709551615, "text": "a\"\\\n\u0001é"}`)
	insert(t, db, "users", `{"_id": 7, "when": {"$date": "2026-11-23T18:00:00.5Z"}, "raw": {"$binary": {"base64": "AAE=", "subType": "00"}}, "nan": NaN}`)
	insert(t, db, "users", `{"_id": 8, "looks": {"$literal": {"$date": 5}}, "no": {"b": 1, "$date": "2026-11-23"}, "two": {"$literal": {"$date": {"$date": "2026-11-23"}, "b": 1}}, "all": [true, false, null, [], {}]}`)
	if err := db.CreateCollection("empty"); err != nil {
		t.Fatal(err)
	}
	if err := db.CreateIndex("users", []string{"n"}, engine.IndexOptions{Name: "by n", Unique: true, Sparse: true}); err != nil {
		t.Fatal(err)
	}
	const want = `{"empty": [],
"users": [
{"_id": "ada", "n": 1, "x": 1.0, "y": -2.5e-09, "big": 18446744073709551615, "text": "a\"\\\n\u0001é"},
{"_id": 7, "when": {"$date": "2026-11-23T18:00:00.5Z"}, "raw": {"$binary": {"base64": "AAE=", "subType": "00"}}, "nan": {"$numberDouble": "NaN"}},
{"_id": 8, "looks": {"$literal": {"$date": 5}}, "no": {"b": 1, "$date": "2026-11-23"}, "two": {"$literal": {"$date": {"$date": "2026-11-23"}, "b": 1}}, "all": [true, false, null, [], {}]}],
"_catalog": [
{"_id": "users", "indexes": [{"paths": ["n"], "unique": true, "sparse": true, "name": "by n"}]}]}
`
	if got := string(write(t, db, docfile.JSON)); got != want {
		t.Errorf("wrote\n%s\nwant\n%s", got, want)
	}
	for _, kind := range []docfile.Type{docfile.JSON, docfile.MessagePack} {
		again := load(t, write(t, db, kind), kind)
		if got := string(write(t, again, docfile.JSON)); got != want {
			t.Errorf("%s: read back\n%s\nwant\n%s", kind, got, want)
		}
		plan, err := again.Explain("users", engine.Query{Where: condition(t, "n = 1")})
		if err != nil || len(plan.Index) == 0 {
			t.Errorf("%s: the index is lost: %v, %v", kind, plan, err)
		}
	}
}

func condition(t *testing.T, text string) *query.Filter {
	t.Helper()
	f, err := query.ParseText(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func insert(t *testing.T, db *engine.DB, collection, document string) {
	t.Helper()
	f, err := docfile.Parse([]byte(`{"`+collection+`": [`+document+`]}`), docfile.JSON, 100)
	if err == nil {
		err = f.Store(db)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestParse_ids(t *testing.T) {
	db := load(t, []byte(`{"a": [{"n": 1}, {"_id": 1, "n": 2}, {"n": 3}]}`), docfile.JSON)
	const want = `{"a": [
{"_id": 1, "n": 2},
{"_id": 2, "n": 1},
{"_id": 3, "n": 3}]}
`
	if got := string(write(t, db, docfile.JSON)); got != want {
		t.Errorf("read %s\nwant %s", got, want)
	}
}

func TestParse_wrong(t *testing.T) {
	deep := strings.Repeat("[", 1e6)
	for _, tt := range []struct{ file, want string }{
		{``, "line 1 column 1: expected a value"},
		{`[]`, "expected an object of collections, each an array of documents, not array"},
		{`{"a": 5}`, `collection "a": expected an array of documents, not number`},
		{`{"a": [{}, 5]}`, `collection "a", document 2: expected an object, not number`},
		{"{\"a\": [\n  {\"b\" 1}]}", "line 2 column 8: expected :"},
		{`{"a": [{"b": 1}`, "line 1 column 16: expected , or ]"},
		{`{"a": [{"b": 1,}]}`, "line 1 column 16: expected a name in double quotes"},
		{`{"a": []} x`, "line 1 column 11: expected the end"},
		{`{"a": [{"b": 1e999}]}`, "line 1 column 14: the number is too large"},
		{`{"a": [{"b": 01}]}`, "line 1 column 15: expected , or }"},
		{`{"a": [{"b": "x}]}`, "the text has no end"},
		{"{\"a\": [{\"b\": \"\xff\"}]}", "the text is not UTF-8"},
		{`{"a": [{"b": "\x"}]}`, "there is no such escape"},
		{`{"a": [{"b": 1, "b": 2}]}`, `the name "b" stands twice in one object`},
		{`{"a": [], "a": []}`, `the name "a" stands twice in one object`},
		{`{"a": [{"_id": 7}, {"n": 1}, {"_id": 7}]}`, `collection "a": two documents have the _id 7`},
		{`{"a": [{"_id": "7"}, {"_id": 7}], "b": [{"_id": "x"}, {"_id": "x"}]}`, `collection "b": two documents have the _id "x"`},
		{`{"a": [{"b": {"$date": "yesterday"}}]}`, "this is no $date"},
		{`{"a": [{"b": {"$literal": 5}}]}`, "expected an object"},
		{`{"a": [{"b": {"$literal": {}, "c": 1}}]}`, "expected }"},
		{`{"a": ` + deep, "objects and arrays nest too deep"},
		{`{"a": [{"b": ` + strings.Repeat(`{"b": `, 1e6), "objects and arrays nest too deep"},
		{`{"_catalog": [{"_id": 5}]}`, `collection "_catalog": expected`},
	} {
		_, err := docfile.Parse([]byte(tt.file), docfile.JSON, 100)
		if engine.CodeOf(err) != engine.CodeInvalid || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.40s: %v, want %s", tt.file, err, tt.want)
		}
	}
	// The same number in two widths.
	if _, err := docfile.Parse([]byte("\x81\xa1a\x92\x81\xa3_id\x07\x81\xa3_id\xcd\x00\x07"), docfile.MessagePack, 100); err == nil || !strings.Contains(err.Error(), "two documents have the _id 7") {
		t.Errorf("two widths of an _id: %v", err)
	}
	for _, file := range []string{"", "\xc0", "\x81\xa1a\x91\x80\x00", "\x81\xa1a\x91\x01", "\xdf\xff\xff\xff\xff", strings.Repeat("\x91", 1e6)} {
		if _, err := docfile.Parse([]byte(file), docfile.MessagePack, 100); engine.CodeOf(err) != engine.CodeInvalid {
			t.Errorf("%.20q: %v, want invalid", file, err)
		}
	}
	if _, err := docfile.Parse(nil, "xml", 100); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("a type that is none: %v", err)
	}
}

// TestStore_whole: the last document of the file is refused.
func TestStore_whole(t *testing.T) {
	db := open(t)
	insert(t, db, "a", `{"_id": 1, "n": 1}`)
	before := write(t, db, docfile.JSON)
	f, err := docfile.Parse([]byte(`{"a": [{"_id": 1, "n": 2}], "b": [{"_id": 2}, {"_id": true}]}`), docfile.JSON, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Store(db); engine.CodeOf(err) != engine.CodeInvalid {
		t.Errorf("stored with %v, want invalid", err)
	}
	if after := write(t, db, docfile.JSON); !bytes.Equal(before, after) {
		t.Errorf("changed %s to %s", before, after)
	}
}

var seed = flag.Uint64("seed", 0, "replay one failing run of TestJSON_likeGo; 0 picks a new seed")

// TestJSON_likeGo compares random documents with encoding/json, both ways.
func TestJSON_likeGo(t *testing.T) {
	for *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("replay: go test ./storage/docfile -run '^%s$' -seed %d", t.Name(), *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	for range 3000 {
		doc := map[string]any{"_id": r.IntN(1000), "v": randomValue(r, 4)}
		text, err := json.Marshal(map[string]any{"c": []any{doc}})
		if err != nil {
			t.Fatal(err)
		}
		file := write(t, load(t, text, docfile.JSON), docfile.JSON)
		var want, got any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(file, &got); err != nil {
			t.Fatalf("%s is no JSON: %v", file, err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("read and wrote %s, want %s", file, text)
		}
		// And against a MessagePack library.
		packed := write(t, load(t, text, docfile.JSON), docfile.MessagePack)
		var unpacked map[string][]map[string]any
		if err := msgpack.Unmarshal(packed, &unpacked); err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(unpacked); !sameJSON(again, text) {
			t.Fatalf("as MessagePack it is %s, want %s", again, text)
		}
	}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && fmt.Sprint(x) == fmt.Sprint(y)
}

func randomValue(r *rand.Rand, depth int) any {
	switch n := r.IntN(9); {
	case n == 0:
		return nil
	case n == 1:
		return r.IntN(2) == 0
	case n == 2:
		return r.IntN(100) - 50
	case n == 3:
		return int64(r.Uint64())
	case n == 4:
		return math.Ldexp(r.Float64()-0.5, r.IntN(200)-100)
	case n == 5:
		return randomText(r)
	case depth == 0:
		return "leaf"
	case n == 6:
		list := make([]any, r.IntN(40))
		for i := range list {
			list[i] = randomValue(r, 0)
		}
		return list
	default:
		m := map[string]any{}
		for range r.IntN(20) {
			m["k"+randomText(r)] = randomValue(r, depth-1)
		}
		return m
	}
}

func randomText(r *rand.Rand) string {
	units := []rune("ab\"\\/\n\t\x00\x1f é東😀\u2028<&")
	text := make([]rune, r.IntN(40))
	for i := range text {
		text[i] = units[r.IntN(len(units))]
	}
	return string(text)
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"plain.json", "data.msgpack"} {
		f.Add(read(f, name))
	}
	for _, text := range []string{`{"a": [{"b": {"$date": {"$numberLong": "5"}}}]}`, `{"a": [{"\ud83d\ude00": "\ud83d"}]}`, `{"_catalog": [{"_id": "a", "indexes": [{"paths": ["b"]}]}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, kind := range []docfile.Type{docfile.JSON, docfile.MessagePack} {
			parsed, err := docfile.Parse(file, kind, 20)
			if err != nil {
				continue
			}
			db := open(t)
			if parsed.Store(db) != nil {
				continue
			}
			if err := db.Check(); err != nil {
				t.Fatal(err)
			}
			// The documents can be written and read back without a change.
			text := write(t, db, docfile.JSON)
			again, err := docfile.Parse(text, docfile.JSON, 120)
			if err != nil {
				t.Fatalf("%q was written and is refused: %v", text, err)
			}
			other := open(t)
			if err := again.Store(other); err != nil {
				t.Fatalf("%q was written and is not stored: %v", text, err)
			}
			if !bytes.Equal(write(t, other, docfile.JSON), text) {
				t.Fatalf("%q is read back as %q", text, write(t, other, docfile.JSON))
			}
		}
	})
}

// TestSchemas: a schema and its options come back, and documents of the file must fit.
func TestSchemas(t *testing.T) {
	for _, kind := range []docfile.Type{docfile.JSON, docfile.MessagePack} {
		const text = `{"users":[{"_id":1,"name":"Ada"}],"none":[],"_catalog":[{"_id":"users","schema":{"required":["name"],"mine":1},"schemaOptions":{"strict":false,"defaults":true,"schemas":[{"$id":"https://x.org/a","title":"A"}]}},{"_id":"none","schema":false}]}`
		f, err := docfile.Parse([]byte(text), docfile.JSON, 100)
		if err != nil {
			t.Fatal(err)
		}
		db, err := engine.New(engine.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Store(db); err != nil {
			t.Fatal(err)
		}
		file, err := docfile.Write(db, kind)
		if err != nil {
			t.Fatal(err)
		}
		if f, err = docfile.Parse(file, kind, 100); err != nil {
			t.Fatal(err)
		}
		again, _ := engine.New(engine.Options{})
		if err := f.Store(again); err != nil {
			t.Fatal(err)
		}
		source, options, err := again.Schema("users")
		want, _, _ := db.Schema("users")
		if err != nil || source == nil || string(source) != string(want) || !options.Lenient || !options.Defaults || len(options.Schemas) != 1 {
			t.Errorf("%s: %q, %v, %v", file, source, options, err)
		}
		if source, _, _ := again.Schema("none"); source == nil {
			t.Errorf("%s: the schema false is lost", file)
		}
	}
	f, err := docfile.Parse([]byte(`{"users":[{"_id":1}],"_catalog":[{"_id":"users","schema":{"required":["name"]}}]}`), docfile.JSON, 100)
	if err != nil {
		t.Fatal(err)
	}
	db, _ := engine.New(engine.Options{})
	if err := f.Store(db); !errors.Is(err, engine.CodeSchema) || db.HasChanges() {
		t.Errorf("a document that breaks the schema of its file: %v", err)
	}
}
