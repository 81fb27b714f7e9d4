package schema_test

import (
	"flag"
	"math"
	"math/rand"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/schema"
)

var seed = flag.Int64("schema.seed", 0, "seed of TestOracle and TestQuickWay; 0: a new one")

// TestQuickWay compares the quick way to see that a value fits with the slow one, for
// documents whose schemas are such as people write, in all the ways that MessagePack
// has to write them.
func TestQuickWay(t *testing.T) {
	start := *seed
	rounds := 1
	if start == 0 {
		start, rounds = time.Now().UnixNano(), 600
	}
	valid, invalid := 0, 0
	for round := range rounds {
		s := start + int64(round)
		g := plainGenerator{rand.New(rand.NewSource(s))}
		source := pack(t, g.object(2))
		quick := compileBytes(t, source)
		slow, err := schema.CompileSlowly(source, schema.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			doc := g.document(2)
			have, want := quick.CheckDocument(doc), slow.CheckDocument(doc)
			if faultsText(have) != faultsText(want) {
				t.Fatalf("schema %x\ndocument %x\nhave   %v\nslowly %v\nreplay: go test ./engine/schema -run TestQuickWay -schema.seed %d", source, doc, have, want, s)
			}
			if have == nil {
				valid++
			} else {
				invalid++
			}
		}
	}
	t.Logf("seed %d: %d valid, %d invalid", start, valid, invalid)
	if *seed == 0 && (valid < 1000 || invalid < 1000) {
		t.Error("the random schemas accept or refuse nearly everything")
	}
}

type plainGenerator struct{ *rand.Rand }

// names have lengths around those of the words that keys are compared by; some differ in
// one byte, at each end and between.
var names = []string{
	"_id", "", "a", "b", "ab", "sixchr", "sevench", "sevencx", "eightchr", "xightchr", "fifteen letters", "fifteen lettexs", "sixteen letters!", "sixteen lexters!",
	"a name of more than two words", "a name of more xhan two words", "a name whose length is not in its first byte", "b name whose length is not in its first byte", "ä", "ö",
}

func (g plainGenerator) name() string { return names[g.Intn(len(names))] }

func (g plainGenerator) oneOf(list ...string) string { return list[g.Intn(len(list))] }

// object returns a schema of objects.
func (g plainGenerator) object(depth int) string {
	var properties, required []string
	used := map[string]bool{}
	for range g.Intn(14) {
		name := g.name()
		if g.Intn(5) > 0 && !used[name] {
			properties = append(properties, strconv.Quote(name)+`: `+g.schema(depth-1))
		} else if g.Intn(4) == 0 && !used[name] {
			required = append(required, strconv.Quote(name))
		}
		used[name] = true
	}
	keywords := []string{`"properties": {` + strings.Join(properties, ", ") + `}`, `"required": [` + strings.Join(required, ", ") + `]`}
	switch g.Intn(10) {
	case 0, 1:
		keywords = append(keywords, `"additionalProperties": `+g.oneOf("false", "true", g.schema(depth-1)))
	case 2:
		keywords = append(keywords, g.oneOf(`"minProperties": 2`, `"maxProperties": 4`))
	case 3:
		keywords = append(keywords, g.oneOf(`"patternProperties": {"^a": `+g.schema(depth-1)+`}`, `"propertyNames": {"maxLength": 9}`, `"dependentRequired": {"a": ["b"]}`, `"unevaluatedProperties": false`, `"anyOf": [{"required": ["a"]}, {"required": ["b"]}, {}]`))
	}
	g.Shuffle(len(keywords), func(i, j int) { keywords[i], keywords[j] = keywords[j], keywords[i] })
	return `{` + g.oneOf("", `"type": "object", `) + strings.Join(keywords, ", ") + `}`
}

func (g plainGenerator) schema(depth int) string {
	if depth > 0 && g.Intn(4) == 0 {
		return g.object(depth)
	}
	if depth > 0 && g.Intn(4) == 0 {
		return `{"type": "array", "items": ` + g.schema(depth-1) + g.oneOf("", `, "minItems": 1`, `, "maxItems": 2`, `, "uniqueItems": true`, `, "prefixItems": [{"type": "integer"}]`, `, "contains": {"const": 1}`) + `}`
	}
	return g.oneOf(
		`true`, `{}`, `{"type": "string"}`, `{"type": "integer"}`, `{"type": "number"}`, `{"type": "boolean"}`, `{"type": "null"}`, `{"type": ["string", "null"]}`, `{"type": ["integer", "array"]}`,
		`{"minLength": `+strconv.Itoa(g.Intn(6))+`}`, `{"maxLength": `+strconv.Itoa(g.Intn(6))+`}`, `{"type": "string", "minLength": 1, "maxLength": 30}`, `{"minLength": 3, "maxLength": 12}`,
		`{"minimum": `+strconv.Itoa(g.Intn(260)-130)+`}`, `{"exclusiveMaximum": `+strconv.Itoa(g.Intn(260)-130)+`}`, `{"type": "integer", "minimum": 0, "maximum": 100}`, `{"multipleOf": 2}`, `{"minimum": 0.5}`,
		`{"format": "date-time"}`, `{"type": "string", "format": "email"}`, `{"pattern": "^a"}`, `{"enum": ["a", 1, null, [1], "2024-05-17T10:30:00.000Z"]}`, `{"const": 2}`,
		`{"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "object"}]}`, `{"not": {"type": "null"}}`,
	)
}

// document returns a document, mostly with an _id in front.
func (g plainGenerator) document(depth int) []byte {
	var fields []byte
	count := 0
	used := map[string]bool{}
	if g.Intn(8) > 0 {
		fields, count, used["_id"] = g.value(g.text(nil, "_id"), 0), 1, true
	}
	// Mostly in one order, as the documents of a program have their fields.
	from, step := 0, 1
	if g.Intn(4) == 0 {
		from, step = g.Intn(len(names)), 7
	}
	for i := range names {
		if name := names[(from+i*step)%len(names)]; g.Intn(3) == 0 && !used[name] {
			fields = g.value(g.text(fields, name), depth-1)
			count++
		}
	}
	return append(msgpack.AppendMap(nil, count), fields...)
}

// text appends a text, now and then with a length that takes more bytes than it needs.
func (g plainGenerator) text(b []byte, s string) []byte {
	switch g.Intn(20) {
	case 0:
		return append(append(b, 0xd9, byte(len(s))), s...)
	case 1:
		return append(append(b, 0xda, 0, byte(len(s))), s...)
	}
	return msgpack.AppendString(b, s)
}

func (g plainGenerator) value(b []byte, depth int) []byte {
	kinds := 9
	if depth <= 0 {
		kinds = 7
	}
	switch g.Intn(kinds) {
	case 0:
		return msgpack.AppendNil(b)
	case 1:
		return msgpack.AppendBool(b, g.Intn(2) == 0)
	case 2:
		return msgpack.AppendInt(b, int64(g.Intn(1<<g.Intn(20)+1)-g.Intn(200)))
	case 3:
		return msgpack.AppendFloat(b, []float64{0, 0.5, -0.5, 2, 1e300, math.NaN(), math.Inf(1)}[g.Intn(7)])
	case 4:
		return msgpack.AppendDate(b, []int64{g.Int63n(4e12), g.Int63n(4e12) * 1000, g.Int63n(4e15) - 2e15}[g.Intn(3)])
	case 5, 6:
		return g.text(b, g.oneOf("", "a", "ab", "abc", "äöü", "😀😀😀", "twelve chars", "more than thirty-one bytes of a text", "ada@example.com", "2024-05-17T10:30:00Z", "2024-02-30T10:30:00.000Z"))
	case 7:
		n := g.Intn(4)
		b = msgpack.AppendArray(b, n)
		for range n {
			b = g.value(b, depth-1)
		}
		return b
	}
	return append(b, g.document(depth-1)...)
}

// TestQuickFormats compares the quick ways of formats with the slow ones.
func TestQuickFormats(t *testing.T) {
	for _, f := range []struct {
		name        string
		quick, slow func([]byte) bool
		seeds       []string
		letters     string
	}{
		{"date-time", schema.IsDateTime, schema.IsDateTimeSlowly, []string{"2024-05-17T10:30:00Z", "2024-05-17T10:30:00.123Z", "2024-02-29T23:59:60Z", "1999-12-31t00:00:00+01:00"}, "0123456789:-.TZtz+/; @Jn"},
		{"email", schema.IsEmail, schema.IsEmailSlowly, []string{"ada@example.com", "a.b+c@d-e.f", "x@xn--4ca.de", "a@" + strings.Repeat("b", 61) + ".c", `"a b"@[127.0.0.1]`, "a@b"}, "aZ09@.-+!\"[] é\x00"},
	} {
		r := rand.New(rand.NewSource(1))
		accepted := 0
		for n := range 40_000 {
			text := []byte(f.seeds[n%len(f.seeds)])
			for range r.Intn(4) { // replace, insert or remove a letter
				at := r.Intn(len(text))
				letter := f.letters[r.Intn(len(f.letters))]
				switch r.Intn(3) {
				case 0:
					text[at] = letter
				case 1:
					text = append(text[:at], append([]byte{letter}, text[at:]...)...)
				case 2:
					text = append(text[:at], text[at+1:]...)
				}
				if len(text) == 0 {
					break
				}
			}
			want := f.slow(text)
			if have := f.quick(text); have != want {
				t.Fatalf("%s %q: quickly %v, slowly %v", f.name, text, have, want)
			}
			if want {
				accepted++
			}
		}
		if accepted < 2_000 {
			t.Errorf("%s: only %d texts are accepted", f.name, accepted)
		}
	}
}
