// A page has no server and no files.

//go:build !js

package httpapi_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/atomicdb-go/atomicdb/storage/httpapi"
)

// TestOpenAPI asks the running server for everything that the description has, and holds
// each answer against it: its status, media type and body. What has no request here fails.
func TestOpenAPI(t *testing.T) {
	file, err := os.Open("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	description, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("openapi.json", description); err != nil {
		t.Fatal(err)
	}
	h := handler(t, options())
	asked := map[string]bool{} // "get /health 200"
	for _, c := range []struct{ path, line, body string }{
		{"/health", "GET /health", ""},
		{"/openapi.json", "GET /openapi.json", ""},
		{"/openapi.json", "GET /openapi.json", "wrong token"},
		{"/{db}/{collection}/{id}", "PUT /db/users/1", `{"name": "Ada"}`},
		{"/{db}/{collection}/{id}", "PUT /db/users/1", `{"name": "Ada"}`},
		{"/{db}/{collection}/{id}", "PUT /db/users/1", `{`},
		{"/{db}/{collection}/{id}", "GET /db/users/1", ""},
		{"/{db}/{collection}/{id}", "GET /db/users/1", "known"},
		{"/{db}/{collection}/{id}", "GET /db/users/2", ""},
		{"/{db}/{collection}/{id}", "PATCH /db/users/1", `{"age": 5}`},
		{"/{db}/{collection}/{id}", "PATCH /db/users/2", `{"age": 5}`},
		{"/{db}/{collection}", "POST /db/users", `{}`},
		{"/{db}/{collection}", "POST /db/users", `[{}, {"_id": "a"}]`},
		{"/{db}/{collection}", "POST /db/users", `[{"_id": "a"}]`},
		{"/{db}/query", "POST /db/query", `{"collection": "users"}`},
		{"/{db}/query", "POST /db/query", `{"collection": "users", "limit": 1}`},
		{"/{db}/query", "POST /db/query", `{"sql": "SELECT * FROM users"}`},
		{"/{db}/query", "POST /db/query", `{}`},
		{"/{db}/changes", "GET /db/changes?since=0&wait=false", ""},
		{"/{db}/changes", "GET /db/changes?since=-1", ""},
		{"/{db}/export", "GET /db/export", ""},
		{"/{db}/export", "GET /missing/export", ""},
		{"/{db}/{collection}/{id}", "DELETE /db/users/1", ""},
		{"/{db}/{collection}/{id}", "DELETE /db/users/1", ""},
	} {
		var headers []string
		switch c.body {
		case "wrong token":
			headers = []string{"Authorization: Bearer wrong"}
		case "known":
			headers = []string{"If-None-Match: *"}
		}
		w := do(t, h, c.line, c.body, headers...)
		method, _, _ := strings.Cut(strings.ToLower(c.line), " ")
		responses := at(description, "paths", c.path, method, "responses")
		status := fmt.Sprint(w.Code)
		if at(responses, status) == nil {
			status = "default"
		}
		response := at(responses, status)
		if response == nil || (status == "default") != (w.Code >= 400) {
			t.Errorf("%s: the status %d is not described", c.line, w.Code)
			continue
		}
		asked[method+" "+c.path+" "+status] = true
		kind := strings.Split(w.Header().Get("Content-Type"), ";")[0]
		pointer := "#/paths/" + strings.ReplaceAll(c.path, "/", "~1") + "/" + method + "/responses/" + status
		if reference, ok := at(response, "$ref").(string); ok {
			pointer = reference
			response = at(description, strings.Split(strings.TrimPrefix(reference, "#/"), "/")...)
		}
		content := at(response, "content")
		if content == nil {
			if w.Body.Len() > 0 {
				t.Errorf("%s: a body that is not described: %s", c.line, w.Body)
			}
			continue
		}
		if at(content, kind) == nil {
			t.Errorf("%s: the media type %q is not described", c.line, kind)
			continue
		}
		if kind == "text/event-stream" {
			continue
		}
		schema, err := compiler.Compile("openapi.json" + pointer + "/content/" + strings.ReplaceAll(kind, "/", "~1") + "/schema")
		if err != nil {
			t.Fatal(err)
		}
		body, err := jsonschema.UnmarshalJSON(w.Body)
		if err == nil {
			err = schema.Validate(body)
		}
		if err != nil {
			t.Errorf("%s: the body is not as described: %v", c.line, err)
		}
	}
	for path, item := range at(description, "paths").(map[string]any) {
		for method, operation := range item.(map[string]any) {
			for status := range at(operation, "responses").(map[string]any) {
				if !asked[method+" "+path+" "+status] {
					t.Errorf("nothing was asked that %s %s answers with %s", method, path, status)
				}
			}
		}
	}
	for _, route := range httpapi.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if at(description, "paths", path, strings.ToLower(method)) == nil {
			t.Errorf("%s is not described", route)
		}
	}

	// doc.go lists the same.
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`(?m)^//\t([A-Z]+) +(/\S*)`).FindAllStringSubmatch(string(doc), -1) {
		if at(description, "paths", match[2], strings.ToLower(match[1])) == nil {
			t.Errorf("doc.go has %s %s, which is not described", match[1], match[2])
		}
	}
}

// at returns what keys lead to; nil for nothing.
func at(v any, keys ...string) any {
	for _, key := range keys {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

// FuzzBody: no body makes a request panic, hang or answer what is no JSON.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{}`, `[{"a": 1.5e3}]`, `{"collection": "users", "where": {"a": {"$in": [1, "b"]}}, "sort": ["-a"]}`, `{"sql": "SELECT * FROM users WHERE a = ?", "params": [1]}`,
		`{"a": {"$date": "2026-11-29T00:00:00Z"}, "b": {"$literal": {"$date": 1}}}`, `{"$set": {"a.b": "é\u0000\ud800"}}`, "\x81\xa1a\x01", "{\"a\": 1}\n{}"} {
		for method := range byte(6) {
			f.Add(method, seed)
		}
	}
	opts := options()
	opts.OnError = nil
	h, err := httpapi.New(opts)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, n byte, body string) {
		line := []string{"PUT /db/users/1", "PATCH /db/users/1", "POST /db/users", "POST /db/query", "POST /db/users", "PUT /db/users/1"}[n%6]
		headers := []string{"Accept: application/json"}
		switch {
		case n%6 == 4:
			headers = append(headers, "Content-Type: application/x-ndjson")
		case n%6 == 5 || n&64 != 0:
			headers = append(headers, "Content-Type: application/msgpack")
		}
		w := do(t, h, line, body, headers...)
		if w.Code >= 500 || w.Code < 200 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s of %q answered %d %s", line, body, w.Code, w.Body)
		}
	})
}
