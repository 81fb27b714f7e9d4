//go:build !js

package schema_test

import (
	"encoding/json"
	"math/rand"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/atomicdb-go/atomicdb/engine/schema"
)

// TestOracle compares answers with those of santhosh-tekuri/jsonschema, for random
// schemas and random values.
func TestOracle(t *testing.T) {
	start := *seed
	rounds := 1
	if start == 0 {
		start, rounds = time.Now().UnixNano(), 1000
	}
	valid, invalid, refused := 0, 0, 0
	for round := range rounds {
		s := start + int64(round)
		g := generator{rand.New(rand.NewSource(s))}
		source := map[string]any{"$defs": map[string]any{"x": g.schema(2), "y": g.schema(1)}}
		for k, v := range g.keywords(3) {
			source[k] = v
		}
		text := compact(source)
		ours, err := schema.Compile(pack(t, text), schema.Options{})
		if err != nil {
			if !strings.Contains(err.Error(), "without end") {
				t.Fatalf("%v\n%s\nreplay: go test ./engine/schema -run TestOracle -schema.seed %d", err, text, s)
			}
			refused++
			continue
		}
		slow, err := schema.CompileSlowly(pack(t, text), schema.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		if err := c.AddResource("s.json", parse(t, text)); err != nil {
			t.Fatal(err)
		}
		theirs, err := c.Compile("s.json")
		if err != nil {
			t.Fatalf("the oracle refuses %s: %v", text, err)
		}
		for range 20 {
			value := compact(g.value(3))
			have, want := ours.Check(pack(t, value)), theirs.Validate(parse(t, value))
			if (have == nil) != (want == nil) {
				t.Fatalf("schema %s\nvalue  %s\nhave   %v\noracle %v\nreplay: go test ./engine/schema -run TestOracle -schema.seed %d", text, value, have, want, s)
			}
			if err := slow.Check(pack(t, value)); faultsText(err) != faultsText(have) {
				t.Fatalf("schema %s\nvalue  %s\nhave   %v\nslowly %v\nreplay: go test ./engine/schema -run TestOracle -schema.seed %d", text, value, have, err, s)
			}
			if have == nil {
				valid++
			} else {
				invalid++
			}
		}
	}
	t.Logf("seed %d: %d valid, %d invalid, %d schemas refused as endless", start, valid, invalid, refused)
	if *seed == 0 && (valid < 2000 || invalid < 2000) {
		t.Error("the random schemas accept or refuse nearly everything")
	}
}

type generator struct{ *rand.Rand }

func (g generator) oneOf(list ...any) any { return list[g.Intn(len(list))] }
func (g generator) name() string          { return g.oneOf("a", "b", "c", "dd").(string) }
func (g generator) number() json.Number {
	return json.Number(g.oneOf("0", "1", "2", "-1", "0.5", "1.5", "1.0", "3", "1e2", "0.1", "0.3", "9007199254740993", "18446744073709551615").(string))
}

func (g generator) value(depth int) any {
	kinds := 7
	if depth <= 0 {
		kinds = 5
	}
	switch g.Intn(kinds) {
	case 0:
		return nil
	case 1:
		return g.Intn(2) == 0
	case 2:
		return g.number()
	case 3, 4:
		return g.text()
	case 5:
		list := []any{}
		for range g.Intn(4) {
			list = append(list, g.value(depth-1))
		}
		return list
	}
	m := map[string]any{}
	for range g.Intn(4) {
		m[g.name()] = g.value(depth - 1)
	}
	return m
}

func (g generator) text() string {
	return g.oneOf("", "a", "b", "aa", "äö", "😀", "2024-02-29", "2023-02-29", "a@b.c", "::1", "10:00:00Z").(string)
}

func (g generator) schema(depth int) any {
	if g.Intn(10) == 0 {
		return g.Intn(4) > 0
	}
	return g.keywords(depth)
}

func (g generator) list(depth int) []any {
	list := []any{}
	for range 1 + g.Intn(3) {
		list = append(list, g.schema(depth-1))
	}
	return list
}

func (g generator) properties(depth int) map[string]any {
	m := map[string]any{}
	for range 1 + g.Intn(3) {
		m[g.name()] = g.schema(depth - 1)
	}
	return m
}

func (g generator) keywords(depth int) map[string]any {
	m := map[string]any{}
	for range 1 + g.Intn(4) {
		kinds := 41
		if depth <= 0 {
			kinds = 20
		}
		switch g.Intn(kinds) {
		case 0, 1:
			m["type"] = g.oneOf("null", "boolean", "integer", "number", "string", "array", "object")
		case 2:
			m["type"] = []any{"object", g.oneOf("null", "integer", "string", "array")}
		case 3:
			m["enum"] = []any{g.value(1), g.value(1), g.value(2)}
		case 4:
			m["const"] = g.value(1)
		case 5:
			m["minimum"] = g.number()
		case 6:
			m["maximum"] = g.number()
		case 7:
			m["exclusiveMinimum"] = g.number()
		case 8:
			m["exclusiveMaximum"] = g.number()
		case 9:
			m["multipleOf"] = json.Number(g.oneOf("0.1", "0.5", "1", "2", "3", "0.01").(string))
		case 10:
			m["minLength"] = g.Intn(3)
		case 11:
			m["maxLength"] = g.Intn(3)
		case 12:
			m["pattern"] = g.oneOf("^a", "a$", "a|b", "^.$", `^\w*$`, "b")
		case 13:
			m["format"] = g.oneOf("date", "email", "ipv6", "time")
		case 14:
			m["required"] = []any{g.name()}
		case 15:
			m["uniqueItems"] = true
		case 16:
			m[g.oneOf("minItems", "maxItems").(string)] = g.Intn(3)
		case 17:
			m[g.oneOf("minProperties", "maxProperties").(string)] = g.Intn(3)
		case 18:
			m["dependentRequired"] = map[string]any{"a": []any{"b"}, g.oneOf("c", "dd").(string): []any{"a"}}
		case 19:
			m["$ref"] = g.oneOf("#/$defs/x", "#/$defs/y")
		case 20, 21, 22:
			m["properties"] = g.properties(depth)
		case 23:
			m["patternProperties"] = map[string]any{g.oneOf("^a", "d", ".").(string): g.schema(depth - 1)}
		case 24:
			m["additionalProperties"] = g.schema(depth - 1)
		case 25:
			m["propertyNames"] = g.schema(depth - 1)
		case 26:
			m["dependentSchemas"] = g.properties(depth)
		case 27:
			m["allOf"] = g.list(depth)
		case 28, 29:
			m["anyOf"] = g.list(depth)
		case 30:
			m["oneOf"] = g.list(depth)
		case 31:
			m["not"] = g.schema(depth - 1)
		case 32, 33:
			m["if"] = g.schema(depth - 1)
			m[g.oneOf("then", "else").(string)] = g.schema(depth - 1)
		case 34:
			m["prefixItems"] = g.list(depth)
		case 35:
			m["items"] = g.schema(depth - 1)
		case 36:
			m["contains"] = g.schema(depth - 1)
			if g.Intn(2) == 0 {
				m[g.oneOf("minContains", "maxContains").(string)] = g.Intn(3)
			}
		case 37, 38:
			m["unevaluatedProperties"] = g.oneOf(false, g.schema(depth-1))
		case 39, 40:
			m["unevaluatedItems"] = g.oneOf(false, g.schema(depth-1))
		}
	}
	return m
}
