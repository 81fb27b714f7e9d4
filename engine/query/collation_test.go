package query_test

import (
	"encoding/json"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/engine/query"
)

// TestCollation_Key: which texts are the same, and in which order they are.
func TestCollation_Key(t *testing.T) {
	for _, tt := range []struct {
		collation string
		ascending [][]string // those of a list are the same
	}{
		{"strength1", [][]string{{"", "\u0301"}, {"a2"}, {"ada", "Ada", "ÁDA", "A\u0301da"}, {"adam"}, {"ελενη", "Ελένη"}, {"й", "И"}}},
		{"strength2", [][]string{{"_"}, {"ada", "ADA"}, {"áda", "ÁDA"}, {"Adam"}, {"b"}, {"K", "k", "\u212a"}, {"straße", "STRAẞE"}, {"Žaba", "žaba"}, {"zoo"}}},
		{"strength3", [][]string{{"A"}, {"a"}, {"á"}, {"ab"}, {"B"}, {"b"}}},
		{"strength3numeric", [][]string{{"a2", "a02"}, {"a10", "a0010"}, {"a123456789"}, {"a1234567890"}, {"a99999999999999999999"}, {"a:"}, {"b1"}}},
		{"strength2numeric", [][]string{{"V1.2", "v1.02"}, {"v1.10"}, {"v10.1"}}},
	} {
		c, ok := query.ParseCollation(tt.collation)
		if !ok || c.String() != tt.collation {
			t.Fatalf("%s is read as %v", tt.collation, c)
		}
		key := func(text string) []byte { return c.Key(msgpack.AppendString(nil, text)) }
		for i, same := range tt.ascending {
			for _, text := range same {
				if msgpack.Compare(key(text), key(same[0])) != 0 {
					t.Errorf("%s: %q is not like %q", tt.collation, text, same[0])
				}
				if i > 0 && msgpack.Compare(key(tt.ascending[i-1][0]), key(text)) >= 0 {
					t.Errorf("%s: %q does not come before %q", tt.collation, tt.ascending[i-1][0], text)
				}
			}
		}
	}
	for _, bad := range []string{"", "strength", "strength0", "strength4", "strength22", "2", "numeric", "strength2 numeric"} {
		if _, ok := query.ParseCollation(bad); ok {
			t.Errorf("%q is read as a collation", bad)
		}
	}
}

// TestCollation_conditions: which documents meet a condition by a collation; its text
// means the same, and a name that only looks like a collation is a name.
func TestCollation_conditions(t *testing.T) {
	doc := packed(t, map[string]any{"name": "Ada", "tags": []any{"X", "é"}, "o": map[string]any{"s": "Ú"}, `n\strength2`: 1, "list": []any{map[string]any{"s": "B"}}})
	for _, tt := range []struct {
		where any
		want  bool
	}{
		{map[string]any{"name": "ADA"}, true},
		{map[string]any{"name": "ada", "tags": "x"}, true},
		{map[string]any{"name": map[string]any{"$ne": "aDA"}}, false},
		{map[string]any{"tags": "E"}, false},
		{map[string]any{"o": map[string]any{"s": "ú"}}, true},
		{map[string]any{"name": map[string]any{"$in": []any{"x", "ADA"}}}, true},
		{map[string]any{"name": map[string]any{"$gte": "ad", "$lt": "ADB"}}, true},
		{map[string]any{"list": map[string]any{"$elemMatch": map[string]any{"s": "b"}}}, true},
		{map[string]any{"tags": map[string]any{"$elemMatch": map[string]any{"$eq": "x"}}}, true},
		{map[string]any{"name": map[string]any{"$regex": "ada"}}, false},
		{"name between 'ac' and 'ADB'", true},
		{"name startsWith 'ad'", false},
		{"name = 'ADA' and not (tags in ('q'))", true},
		{[]any{"between", "name", "b", "C"}, false},
		{[]any{"between", "name", "a", "B"}, true},
		{map[string]any{"none": nil}, true},
		{"`n\\\\strength2` = 1", true},
	} {
		f, err := query.Parse(packed(t, []any{"collate", "strength2", tt.where}))
		if err != nil {
			t.Errorf("%v: %v", tt.where, err)
			continue
		}
		if got := f.Match(doc); got != tt.want {
			t.Errorf("%v, which is %s: %t", tt.where, f, got)
		}
		if again, err := query.ParseText(f.String()); err != nil || again.Match(doc) != tt.want {
			t.Errorf("%s: %v", f, err)
		}
	}
	if _, err := query.Parse(packed(t, []any{"collate", "strength9", map[string]any{"a": 1}})); err == nil {
		t.Error("strength9 is a collation")
	}
}

func packed(t *testing.T, v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return pack(t, string(text))
}
