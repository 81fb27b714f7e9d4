// A page has no server and no files.

//go:build !js

package httpapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/httpapi"
)

const token, readToken, otherToken = "a-token-for-all", "a-token-for-reading", "a-token-for-another"

// options serve databases in memory, but one that is not there.
func options() httpapi.Options {
	var mu sync.Mutex
	logs := map[string]*storage.Memory{}
	return httpapi.Options{
		Log: func(name string) (storage.Log, error) {
			mu.Lock()
			defer mu.Unlock()
			switch {
			case name == "missing":
				return nil, engine.Fail(engine.CodeNotFound, name, "", "there is no such database")
			case name == "broken":
				return nil, engine.Fail(engine.CodeStorage, "open", "/secret/path", "the disk is gone")
			case logs[name] == nil:
				logs[name] = storage.NewMemory()
			}
			return logs[name].Share(), nil
		},
		Tokens: []httpapi.Token{
			{Hash: httpapi.HashToken(token), Databases: []string{"*"}},
			{Hash: httpapi.HashToken(readToken), Databases: []string{"db"}, ReadOnly: true},
			{Hash: httpapi.HashToken(otherToken), Databases: []string{"other"}},
		},
	}
}

func handler(t *testing.T, opts httpapi.Options) *httpapi.Handler {
	t.Helper()
	h, err := httpapi.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// do sends a request: "PUT /db/users/1", a body, and headers as "Name: value". The token is
// one for all, unless a header says another.
func do(t testing.TB, h http.Handler, line, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// want compares the status, and what the body has in it.
func want(t *testing.T, what string, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || !strings.Contains(w.Body.String(), body) {
		t.Errorf("%s: answered %d %s, want %d and %s in it", what, w.Code, w.Body, status, body)
	}
	if status >= 400 {
		var p struct {
			Title, Code, Detail string
			Status              int
		}
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != status || p.Code == "" || p.Title == "" || p.Detail == "" || strings.TrimSpace(p.Detail) != p.Detail || w.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: the problem is %s %s, %v", what, w.Header().Get("Content-Type"), w.Body, err)
		}
	}
}

func TestDocuments(t *testing.T) {
	h := handler(t, options())
	for _, c := range []struct {
		line, body string
		status     int
		want       string
		headers    []string
	}{
		{"GET /db/users/1", "", 404, `"code": "not_found"`, nil},
		{"PUT /db/users/1", `{"name": "Ada", "since": {"$date": "2026-11-29T18:00:00Z"}}`, 201, `{"_id": 1, "name": "Ada", "since": {"$date": "2026-11-29T18:00:00Z"}}`, nil},
		{"PUT /db/users/1", `{"_id": 1, "name": "Ada", "age": 36}`, 200, `{"_id": 1, "name": "Ada", "age": 36}`, nil},
		{"PUT /db/users/1", `{"_id": 2}`, 400, `its _id is another one`, nil},
		{"PUT /db/users/1", `[]`, 400, `expected an object`, nil},
		{"PUT /db/users/1", `{"a": 1, "a": 2}`, 400, `has the name \"a\" twice`, nil},
		{"PUT /db/users/1", `{"a": {"$date": "soon"}}`, 400, `this is no $date`, nil},
		{"PUT /db/users/1", `{"a": 1e999}`, 400, `is too large`, nil},
		{"PUT /db/users/1", `{"a": 1`, 400, `it is not JSON`, nil},
		{"PUT /db/users/1", ``, 400, `it is not JSON`, nil},
		{"PUT /db/users/1", `{"__proto__": 1}`, 400, `invalid`, nil},
		{"PUT /db/users/1", "{\"a\": \"\xff\"}", 400, `invalid`, nil},
		{"GET /db/users/1", "", 200, `{"_id": 1, "name": "Ada", "age": 36}`, nil},
		{"GET /db/users/%221%22", "", 404, `not_found`, nil},
		{"PUT /db/users/%221%22", `{}`, 201, `{"_id": "1"}`, nil},
		{"PUT /db/users/%22", `{}`, 400, `no JSON text`, nil},
		{"PUT /db/users/01", `{}`, 201, `{"_id": "01"}`, nil},
		{"PUT /db/users/a%2Fb", `{}`, 201, `{"_id": "a/b"}`, nil},
		{"PATCH /db/users/1", `{"$inc": {"age": 1}, "$set": {"a.b": [1, 2.0, 18446744073709551615]}}`, 200, `{"_id": 1, "name": "Ada", "age": 37, "a": {"b": [1, 2.0, 18446744073709551615]}}`, nil},
		{"PATCH /db/users/1", `{"$jump": {"age": 1}}`, 400, `$jump`, nil},
		{"PATCH /db/users/5", `{"age": 1}`, 404, `users/5`, nil},
		{"DELETE /db/users/01", "", 204, ``, nil},
		{"DELETE /db/users/01", "", 404, `not_found`, nil},
		{"POST /db/users", `{"name": "Bob"}`, 201, `{"_id": 2}`, nil},
		{"POST /db/users", `[{"name": "Cy"}, {"_id": "x"}]`, 201, `{"ids": [3, "x"]}`, nil},
		{"POST /db/users", `[]`, 201, `{"ids": []}`, nil},
		{"POST /db/users", "{\"n\": 1}\n\n{\"n\": 2}", 201, `{"ids": [4, 5]}`, []string{"Content-Type: application/x-ndjson"}},
		{"POST /db/users", "{\"n\": 1}\n{", 400, `line 2: it is not JSON`, []string{"Content-Type: application/x-ndjson"}},
		{"POST /db/users", `[{"name": "Di"}, {"_id": 1}]`, 409, `duplicate_id`, nil},
		{"POST /db/users", `[{"name": "Di"}, 5]`, 400, `invalid`, nil},
		{"POST /db/users", `5`, 400, `invalid`, nil},
		{"POST /db/users", `{}`, 415, `unsupported_media_type`, []string{"Content-Type: text/plain"}},
		{"POST /db/users", `{}`, 415, `Content-Encoding`, []string{"Content-Encoding: gzip"}},
		{"PUT /db/users/1", `{}`, 415, `unsupported_media_type`, []string{"Content-Type: application/x-ndjson"}},
		{"PUT /db/users/1", `{}`, 406, `not_acceptable`, []string{"Accept: text/html"}},
		{"GET /db/users/1", ``, 200, `"name": "Ada"`, []string{"Accept: text/html, */*;q=0.1"}}, // it was not stored
		{"PUT /db/users/1/2", `{}`, 404, `not_found`, nil},
		{"POST /db/users/1", `{}`, 405, `method_not_allowed`, nil},
		{"DELETE /health", ``, 405, `method_not_allowed`, nil},
		{"GET /missing/users/1", ``, 404, `there is no such database`, nil},
		{"GET /a.b/users/1", ``, 400, `the name of a database`, nil},
		{"GET /db/export", ``, 200, `{"_id": 2, "name": "Bob"}`, nil},
		{"GET /openapi.json", ``, 200, `"openapi"`, nil},
	} {
		w := do(t, h, c.line, c.body, c.headers...)
		want(t, c.line+" "+c.body, w, c.status, c.want)
	}
	if w := do(t, h, "POST /db/users", `{"_id": "5"}`); w.Header().Get("Location") != "/db/users/%225%22" {
		t.Errorf("the Location is %s", w.Header().Get("Location"))
	} else {
		want(t, "GET of the Location", do(t, h, "GET "+w.Header().Get("Location"), ""), 200, `{"_id": "5"}`)
	}
}

func TestMessagePack(t *testing.T) {
	h := handler(t, options())
	body, err := msgpack.Marshal(map[string]any{"name": "Ada", "bytes": []byte{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	const in, out = "Content-Type: application/msgpack", "Accept: application/msgpack"
	w := do(t, h, "PUT /db/users/1", string(body), in, out)
	var doc map[string]any
	if err := msgpack.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != 201 || doc["name"] != "Ada" || w.Header().Get("Content-Type") != "application/msgpack" {
		t.Errorf("PUT answered %d %v, %v", w.Code, doc, err)
	}
	want(t, "GET as JSON", do(t, h, "GET /db/users/1", ""), 200, `{"$binary": {"base64": "AAE=", "subType": "00"}}`)
	for _, bad := range []string{"", "\xc1", string(body[:5]), string(body) + "\x00", "\x81\x01\x01", strings.Repeat("\x91", 1000) + "\xc0", "\xdf\xff\xff\xff\xff", "\xdd\xff\xff\xff\xff"} {
		want(t, "PUT of bad MessagePack", do(t, h, "PUT /db/users/1", bad, in), 400, `"code": "invalid"`)
		want(t, "POST of bad MessagePack", do(t, h, "POST /db/users", bad, in), 400, `"code": "invalid"`)
		want(t, "a query of bad MessagePack", do(t, h, "POST /db/query", bad, in), 400, `"code": "invalid"`)
	}
	many, _ := msgpack.Marshal([]map[string]any{{"n": 1}, {"n": 2}})
	want(t, "POST of two", do(t, h, "POST /db/users", string(many), in), 201, `{"ids": [2, 3]}`)
	export := do(t, h, "GET /db/export", "", out)
	var file map[string][]map[string]any
	if err := msgpack.Unmarshal(export.Body.Bytes(), &file); err != nil || len(file["users"]) != 3 {
		t.Errorf("the export is %v, %v", file, err)
	}
}

func TestVersions(t *testing.T) {
	h := handler(t, options())
	first := do(t, h, "PUT /db/users/1", `{"n": 1}`).Header().Get("ETag")
	packed := do(t, h, "GET /db/users/1", "", "Accept: application/msgpack").Header().Get("ETag")
	if first == "" || first == packed {
		t.Errorf("the versions are %s and %s", first, packed)
	}
	want(t, "GET of what is known", do(t, h, "GET /db/users/1", "", `If-None-Match: "x", `+first), 304, "")
	want(t, "GET of what is not known", do(t, h, "GET /db/users/1", "", `If-None-Match: "x"`), 200, `"n": 1`)
	want(t, "PUT of a new one that is there", do(t, h, "PUT /db/users/1", `{}`, "If-None-Match: *"), 412, "precondition_failed")
	want(t, "PUT of a new one", do(t, h, "PUT /db/users/2", `{}`, "If-None-Match: *"), 201, "")
	want(t, "PUT over the version", do(t, h, "PUT /db/users/1", `{"n": 2}`, "If-Match: "+packed), 200, `"n": 2`)
	for _, line := range []string{"PUT /db/users/1", "PATCH /db/users/1", "DELETE /db/users/1", "GET /db/users/1"} {
		want(t, line+" over an old version", do(t, h, line, `{"n": 3}`, "If-Match: "+first), 412, "precondition_failed")
	}
	want(t, "PUT over nothing", do(t, h, "PUT /db/users/9", `{}`, "If-Match: *"), 412, "precondition_failed")
	want(t, "GET", do(t, h, "GET /db/users/1", ""), 200, `{"_id": 1, "n": 2}`)
	want(t, "PATCH", do(t, h, "PATCH /db/users/1", `{"n": 3}`, "If-Match: *"), 200, `{"_id": 1, "n": 3}`)
}

func TestTokens(t *testing.T) {
	h := handler(t, options())
	for _, c := range []struct {
		line, authorization string
		status              int
	}{
		{"GET /health", "", 200}, {"HEAD /health", "", 200},
		{"GET /db/users/1", "", 401}, {"GET /openapi.json", "", 401}, {"GET /db/users/1", "Bearer wrong", 401}, {"GET /db/users/1", "Bearer", 401},
		{"GET /db/users/1", "Basic " + token, 401}, {"GET /db/users/1", "Bearer " + httpapi.HashToken(token), 401}, {"GET /db/users/1", "bearer " + token, 404},
		{"GET /db/users/1", "Bearer " + readToken, 404}, {"PUT /db/users/1", "Bearer " + readToken, 403}, {"POST /db/users", "Bearer " + readToken, 403},
		{"GET /db/users/1", "Bearer " + otherToken, 403}, {"GET /other/users/1", "Bearer " + otherToken, 404}, {"GET /db/changes", "Bearer " + otherToken, 403},
	} {
		if w := do(t, h, c.line, "{}", "Authorization: "+c.authorization); w.Code != c.status || c.status == 401 && w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s with %q: answered %d %s, want %d", c.line, c.authorization, w.Code, w.Body, c.status)
		}
	}
	want(t, "SQL that reads", do(t, h, "POST /db/query", `{"sql": "SELECT 1 AS n FROM users"}`, "Authorization: Bearer "+readToken), 200, "rows")
	want(t, "SQL that writes", do(t, h, "POST /db/query", `{"sql": "DELETE FROM users"}`, "Authorization: Bearer "+readToken), 403, "reading alone")

	none := options()
	none.Tokens = nil
	h = handler(t, none)
	want(t, "health without tokens", do(t, h, "GET /health", ""), 200, "ok")
	for _, line := range []string{"GET /db/users/1", "PUT /db/users/1", "POST /db/query", "GET /db/changes", "GET /db/export", "GET /openapi.json"} {
		want(t, line+" without tokens", do(t, h, line, "{}", "Authorization: Bearer "), 403, "no token is configured")
	}
}

func TestNew_refuses(t *testing.T) {
	for what, change := range map[string]func(*httpapi.Options){
		"log":   func(o *httpapi.Options) { o.Log = nil },
		"hash":  func(o *httpapi.Options) { o.Tokens[0].Hash = token },
		"empty": func(o *httpapi.Options) { o.Tokens[0].Hash = "" },
		"limit": func(o *httpapi.Options) { o.MaxResults = -1 },
	} {
		opts := options()
		change(&opts)
		if _, err := httpapi.New(opts); engine.CodeOf(err) != engine.CodeInvalid {
			t.Errorf("New with a wrong %s returned %v", what, err)
		}
	}
}

func TestOrigins(t *testing.T) {
	opts := options()
	opts.Origins = []string{"https://example.com"}
	h := handler(t, opts)
	for origin, allowed := range map[string]string{"https://example.com": "https://example.com", "https://evil.example": "", "null": ""} {
		w := do(t, h, "OPTIONS /db/users/1", "", "Origin: "+origin, "Access-Control-Request-Method: PUT", "Authorization: ")
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != allowed || (w.Code == 204) != (allowed != "") {
			t.Errorf("a preflight of %s: answered %d, allowed %q", origin, w.Code, got)
		}
		if got := do(t, h, "GET /db/users/1", "", "Origin: "+origin).Header().Get("Access-Control-Allow-Origin"); got != allowed {
			t.Errorf("a GET of %s: allowed %q", origin, got)
		}
	}
	if w := do(t, handler(t, options()), "GET /db/users/1", "", "Origin: https://example.com"); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("without origins, one is allowed")
	}
}

func TestErrors_areNotTold(t *testing.T) {
	opts := options()
	var told []string
	opts.OnError = func(_ *http.Request, err error) { told = append(told, err.Error()) }
	w := do(t, handler(t, opts), "GET /broken/users/1", "")
	want(t, "GET of a broken database", w, 500, `"code": "storage"`)
	if strings.Contains(w.Body.String(), "secret") || len(told) != 1 || !strings.Contains(told[0], "secret") {
		t.Errorf("the client is told %s, and OnError %q", w.Body, told)
	}
}

func TestLimits(t *testing.T) {
	opts := options()
	opts.MaxBodyBytes, opts.MaxResults, opts.Timeout = 200, 2, 1
	h := handler(t, opts)
	want(t, "a late request", do(t, h, "GET /db/users/1", ""), 503, `"code": "timeout"`)
	opts.Timeout = 0
	h = handler(t, opts)
	want(t, "a large body", do(t, h, "POST /db/users", `{"a": "`+strings.Repeat("a", 200)+`"}`), 413, `"code": "too_large"`)
	want(t, "POST", do(t, h, "POST /db/users", `[{}, {}, {}]`), 201, "ids")
	want(t, "many rows", do(t, h, "POST /db/query", `{"sql": "SELECT * FROM users"}`), 400, "3 rows, more than 2")
	want(t, "a large page", do(t, h, "POST /db/query", `{"collection": "users", "limit": 3}`), 400, "1 to 2")
	want(t, "a page", do(t, h, "POST /db/query", `{"collection": "users"}`), 200, `{"documents": [{"_id": 1}, {"_id": 2}], "cursor": "`)
	opts.MaxBodyBytes = 64 << 20
	h = handler(t, opts)
	for _, deep := range []string{strings.Repeat("[", 10<<20), strings.Repeat(`{"a":`, 1<<20), strings.Repeat("[", 401) + strings.Repeat("]", 401), `{"a": ` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + "}"} {
		for _, line := range []string{"PUT /db/users/1", "POST /db/users", "POST /db/query"} {
			want(t, line+" of deep JSON", do(t, h, line, deep), 400, `"code": "invalid"`)
		}
	}
	want(t, "brackets in a text", do(t, h, "PUT /db/users/1", `{"a": "`+strings.Repeat(`[\"`, 500)+`"}`), 200, "")
}

// TestServer also uses a connection, and many requests at once.
func TestServer(t *testing.T) {
	h := handler(t, options())
	server := httptest.NewServer(h)
	defer server.Close()
	var wait sync.WaitGroup
	for range 42 {
		wait.Go(func() {
			r, _ := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/db/users", strings.NewReader(`{"n": 1}`))
			r.Header.Set("Authorization", "Bearer "+token)
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			if b, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 201 {
				t.Errorf("answered %d %s, %v", response.StatusCode, b, err)
			}
		})
	}
	wait.Wait()
	want(t, "count", do(t, h, "POST /db/query", `{"sql": "SELECT count(*) AS n FROM users"}`), 200, `{"rows": [{"n": 42}]}`)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	want(t, "after Close", do(t, h, "GET /db/users/1", ""), 503, `"code": "closed"`)
}
