package schema_test

import (
	"bytes"
	"encoding/json"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/schema"
)

// pack returns JSON as MessagePack. Numbers are integers where MessagePack has them.
func pack(t testing.TB, text string) []byte {
	t.Helper()
	return appendValue(nil, parse(t, text))
}

func parse(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return msgpack.AppendNil(b)
	case bool:
		return msgpack.AppendBool(b, v)
	case string:
		return msgpack.AppendString(b, v)
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return msgpack.AppendInt(b, n)
		}
		if n, err := strconv.ParseUint(v.String(), 10, 64); err == nil {
			return msgpack.AppendUint(b, n)
		}
		x, _ := v.Float64()
		return msgpack.AppendFloat(b, x)
	case []any:
		b = msgpack.AppendArray(b, len(v))
		for _, element := range v {
			b = appendValue(b, element)
		}
		return b
	}
	m := v.(map[string]any)
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	b = msgpack.AppendMap(b, len(m))
	for _, name := range names {
		b = appendValue(msgpack.AppendString(b, name), m[name])
	}
	return b
}

func compile(t testing.TB, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Compile(pack(t, text), schema.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// compact returns v as JSON on one line.
func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(v)
	return strings.TrimSpace(b.String())
}
