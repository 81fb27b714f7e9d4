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
	for _, fields := range [][]string{{"a", "-s"}, {"-s", "a"}, {"_id", "-_id"}} {
		if _, err := db.Find("users", engine.Query{Fields: fields}); engine.CodeOf(err) != engine.CodeInvalid {
			t.Errorf("%v gave %v", fields, err)
		}
	}
	if _, err := db.LiveFind("users", engine.Query{Fields: []string{"-_id"}}); engine.CodeOf(err) != engine.CodeInvalid {
		t.Error(err)
	}
}
