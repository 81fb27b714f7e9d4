//go:build !js

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/atomicdb-go/atomicdb/storage/httpapi"
)

// TestFront asks with tokens of two tenants, and sees which object is asked, and as whom.
func TestFront(t *testing.T) {
	tenants := map[string]*tenant{
		httpapi.HashToken("acme"):   {"acme", []string{"notes"}, false},
		httpapi.HashToken("reader"): {"other", []string{"*"}, true},
		httpapi.HashToken("wrong"):  {"a/b", []string{"*"}, true},
	}
	var told error
	f := &front{
		find: func(_ context.Context, hash string) (*tenant, error) {
			if hash == httpapi.HashToken("broken") {
				return nil, errors.New("KV is away")
			}
			return tenants[hash], nil
		},
		ask: func(object string, r *http.Request) (*http.Response, error) {
			if object == "other/down" {
				return nil, errors.New("the object is away")
			}
			body, err := io.ReadAll(r.Body)
			said := object + " " + r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization") + " " + string(body)
			return &http.Response{StatusCode: http.StatusCreated, Header: http.Header{"Etag": {`"1"`}}, Body: io.NopCloser(strings.NewReader(said))}, err
		},
		token: "write-token", readToken: "read-token",
		onError: func(err error) { told = err },
	}
	for _, c := range []struct {
		authorization, path string
		status              int
		want                string
	}{
		{"", "/health", 200, `{"status":"ok"}`},
		{"", "/notes/users/1", 401, "expected the header Authorization"},
		{"Basic acme", "/notes/users/1", 401, "expected the header Authorization"},
		{"Bearer ", "/notes/users/1", 401, "expected the header Authorization"},
		{"Bearer stranger", "/notes/users/1", 401, "the token is not known"},
		{"Bearer wrong", "/notes/users/1", 401, "the token is not known"},
		{"Bearer acme", "/", 404, "expected /{db}/"},
		{"Bearer acme", "/notes%2Fusers/1", 404, "expected /{db}/"},
		{"Bearer acme", "/tasks/users/1", 403, "not for this database"},
		{"bearer acme", "/notes/users/1", 201, "acme/notes POST /notes/users/1 Bearer write-token {}"},
		{"Bearer reader", "/any/users", 201, "other/any POST /any/users Bearer read-token {}"},
		{"Bearer broken", "/notes/users/1", 503, "cannot be reached"},
		{"Bearer reader", "/down/users", 503, "cannot be reached"},
	} {
		told = nil
		r := httptest.NewRequest("POST", c.path, strings.NewReader("{}"))
		r.Header.Set("Authorization", c.authorization)
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%q asks for %s: %d %s; want %d %s", c.authorization, c.path, w.Code, w.Body, c.status, c.want)
		}
		if (told != nil) != (c.status == 503) {
			t.Errorf("%q asks for %s: told of %v", c.authorization, c.path, told)
		}
		if w.Code == 201 && w.Header().Get("ETag") != `"1"` {
			t.Error("the headers of the object are missing")
		}
	}
}

func TestPrintToken(t *testing.T) {
	var out bytes.Buffer
	if err := printToken(&out, tenant{"acme", []string{"notes", "tasks"}, true}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	hash := httpapi.HashToken(strings.Fields(lines[0])[1])
	if want := `'{"tenant":"acme","databases":["notes","tasks"],"readOnly":true}'`; !strings.HasSuffix(lines[1], hash+" "+want) {
		t.Errorf("%s does not end in %s %s", lines[1], hash, want)
	}
	if want := "VALUES ('" + hash + "', 'acme', 'notes,tasks', 1)"; !strings.HasSuffix(lines[2], want) {
		t.Errorf("%s does not end in %s", lines[2], want)
	}
}
