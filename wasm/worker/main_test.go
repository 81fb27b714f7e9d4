//go:build darwin || linux

package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/storage/httpapi"
)

// TestMain_serves asks the handler of the native server, which keeps a file.
func TestMain_serves(t *testing.T) {
	folder := t.TempDir()
	handler, err := httpapi.New(optionsOf(folder, httpapi.HashToken("all")+", read:"+httpapi.HashToken("reader")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, token string
		status        int
	}{{"PUT", "reader", 403}, {"PUT", "all", 201}, {"GET", "reader", 200}, {"GET", "other", 401}} {
		r := httptest.NewRequest(c.method, "/notes/users/1", strings.NewReader(`{"name": "Ada"}`))
		r.Header.Set("Authorization", "Bearer "+c.token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s with the token %s: answered %d %s, want %d", c.method, c.token, w.Code, w.Body, c.status)
		}
	}
	if err := handler.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "notes.atomicdb")); err != nil {
		t.Error(err)
	}
	if _, err := httpapi.New(optionsOf(folder, "no hash")); err == nil {
		t.Error("what is no hash is taken for one")
	}
}
