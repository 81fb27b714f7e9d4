package engine_test

import (
	"reflect"
	"testing"

	"github.com/atomicdb-go/atomicdb/engine"
)

// TestProjection: fields that are returned, or left out.
func TestProjection(t *testing.T) {
	db := newDB(t, engine.Options{})
	insert(t, db, M{"_id": "x", "a": M{"b": 1, "c": 2}, "list": []any{M{"b": 1, "c": 2}, 5, []any{M{"b": 3}}}, "s": "t"})
	list := []any{map[string]any{"c": int64(2)}, int64(5), []any{map[string]any{}}}
	for _, tt := range []struct {
		fields []string
		want   map[string]any
	}{
		{[]string{"s"}, map[string]any{"_id": "x", "s": "t"}},
		{[]string{"s", "-_id"}, map[string]any{"s": "t"}},
		{[]string{"_id"}, map[string]any{"_id": "x"}},
		{[]string{"-list", "-a.b"}, map[string]any{"_id": "x", "a": map[string]any{"c": int64(2)}, "s": "t"}},
		{[]string{"-_id", "-list.b", "-a", "-s.x", "-none"}, map[string]any{"list": list, "s": "t"}},
		{[]string{"_id", "-list", "-list.b", "-a"}, map[string]any{"_id": "x", "s": "t"}},
		{[]string{"-_id"}, map[string]any{"a": map[string]any{"b": int64(1), "c": int64(2)}, "list": []any{map[string]any{"b": int64(1), "c": int64(2)}, int64(5), []any{map[string]any{"b": int64(3)}}}, "s": "t"}},
	} {
		if got := find(t, db, engine.Query{Fields: tt.fields}); !reflect.DeepEqual(got, []any{tt.want}) {
			t.Errorf("%v returns %v, want %v", tt.fields, got, tt.want)
		}
	}
	for _, tt := range []struct {
		fields []string
		slices []engine.Slice
		want   map[string]any
	}{
		{nil, []engine.Slice{{"list", 0, 1}}, map[string]any{"_id": "x", "a": map[string]any{"b": int64(1), "c": int64(2)}, "list": []any{map[string]any{"b": int64(1), "c": int64(2)}}, "s": "t"}},
		{[]string{"s"}, []engine.Slice{{"list", -2, 1}}, map[string]any{"_id": "x", "s": "t", "list": []any{int64(5)}}},
		{[]string{"-a", "-s", "-_id"}, []engine.Slice{{"list", -9, 2}}, map[string]any{"list": []any{map[string]any{"b": int64(1), "c": int64(2)}, int64(5)}}},
		{[]string{"_id"}, []engine.Slice{{"list", 9, 2}, {"s", 0, 1}}, map[string]any{"_id": "x", "list": []any{}, "s": "t"}},
		{[]string{"-_id", "-a", "-s", "-list.c"}, []engine.Slice{{"list", 0, 0}}, nil},
		{[]string{"-_id", "s"}, []engine.Slice{{"a.b", 0, 0}, {"list.b", 0, 1}}, map[string]any{"s": "t", "a": map[string]any{"b": int64(1)}, "list": []any{map[string]any{"b": int64(1)}, []any{map[string]any{"b": int64(3)}}}}},
	} {
		q := engine.Query{Fields: tt.fields, Slices: tt.slices}
		if tt.want == nil {
			if _, err := db.Find("users", q); engine.CodeOf(err) != engine.CodeInvalid {
				t.Errorf("%v with %v gave %v", tt.fields, tt.slices, err)
			}
		} else if got := find(t, db, q); !reflect.DeepEqual(got, []any{tt.want}) {
			t.Errorf("%v with %v returns %v, want %v", tt.fields, tt.slices, got, tt.want)
		}
	}
	for _, fields := range [][]string{{"a", "-s"}, {"-s", "a"}, {"_id", "-_id"}} {
		if _, err := db.Find("users", engine.Query{Fields: fields}); engine.CodeOf(err) != engine.CodeInvalid {
			t.Errorf("%v gave %v", fields, err)
		}
	}
	if _, err := db.LiveFind("users", engine.Query{Fields: []string{"-_id"}}); engine.CodeOf(err) != engine.CodeInvalid {
		t.Error(err)
	}
}
