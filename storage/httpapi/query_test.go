// A page has no server and no files.

//go:build !js

package httpapi_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestQuery(t *testing.T) {
	h := handler(t, options())
	want(t, "POST", do(t, h, "POST /db/users", `[{"name": "Ada", "age": 36}, {"name": "Bob", "age": 20}, {"_id": "c", "name": "Cy", "age": 50}]`), 201, "")
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{`{"collection": "users", "where": {"age": {"$gte": 36}}, "fields": ["name"]}`, 200, `{"documents": [{"_id": 1, "name": "Ada"}, {"_id": "c", "name": "Cy"}]}`},
		{`{"collection": "users", "where": "age < 36"}`, 200, `{"documents": [{"_id": 2, "name": "Bob", "age": 20}]}`},
		{`{"collection": "users", "sort": ["-age"], "limit": 1, "fields": ["age"]}`, 200, `{"documents": [{"_id": "c", "age": 50}], "cursor": "`},
		{`{"collection": "nobody"}`, 200, `{"documents": []}`},
		{`{"sql": "SELECT name FROM users WHERE age > ? ORDER BY age", "params": [30]}`, 200, `{"rows": [{"name": "Ada"}, {"name": "Cy"}]}`},
		{`{"sql": "SELECT name FROM users WHERE age = :age", "params": {"age": 20}}`, 200, `{"rows": [{"name": "Bob"}]}`},
		{`{"sql": "UPDATE users SET age = 21 WHERE name = 'Bob'"}`, 200, `{"rows": [{"updated": 1}]}`},
		{`{"sql": "SELEKT"}`, 400, `invalid`},
		{`{"sql": 5}`, 400, `sql: expected a text`},
		{`{"sql": "SELECT 1", "where": "a"}`, 400, `it has \"where\"; expected sql, params`},
		{`{}`, 400, `collection: expected a text`},
		{`{"collection": "users", "where": "age >"}`, 400, `where: `},
		{`{"collection": "users", "where": {"a": {"$near": 1}}}`, 400, `$near`},
		{`{"collection": "users", "sort": "age"}`, 400, `sort: expected an array of texts`},
		{`{"collection": "users", "fields": [5]}`, 400, `fields: expected an array of texts`},
		{`{"collection": "users", "limit": 0}`, 400, `limit: expected 1 to 1000`},
		{`{"collection": "users", "limit": 1.5}`, 400, `limit: `},
		{`{"collection": "users", "cursor": "x"}`, 400, `cursor: it is not one of this query`},
		{`{"collection": "users", "fields": ["-_id"]}`, 400, `fields: the next page is found by _id`},
		{`{"collection": "users", "cursor": 5}`, 400, `cursor: `},
		{`{"collection": "users", "skip": 5}`, 400, `it has \"skip\"`},
	} {
		want(t, c.body, do(t, h, "POST /db/query", c.body), c.status, c.want)
	}
}

// TestPages: pages have each document once, and go on where documents are written between
// them.
func TestPages(t *testing.T) {
	h := handler(t, options())
	for i := range 10 {
		want(t, "POST", do(t, h, "POST /db/users", fmt.Sprintf(`[{"n": %d}, {"_id": "t%d", "n": %d}]`, i, i, i)), 201, "")
	}
	for _, query := range []string{`"where": {"n": {"$gte": 2}}`, `"sort": ["-n", "_id"], "where": {"n": {"$gte": 2}}`} {
		var ids []string
		cursor := ""
		for pages := 0; pages < 20; pages++ {
			w := do(t, h, "POST /db/query", `{"collection": "users", "limit": 3, `+query+cursor+`}`)
			var page struct {
				Documents []struct {
					ID any `json:"_id"`
				}
				Cursor string
			}
			if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 {
				t.Fatalf("answered %d %s, %v", w.Code, w.Body, err)
			}
			for _, d := range page.Documents {
				ids = append(ids, fmt.Sprint(d.ID))
			}
			if page.Cursor == "" {
				break
			}
			cursor = `, "cursor": "` + page.Cursor + `"`
			want(t, "the cursor of another query", do(t, h, "POST /db/query", `{"collection": "other", "limit": 3, `+query+cursor+`}`), 400, "cursor")
			if pages == 1 && !strings.Contains(query, "sort") { // before and behind where it is
				want(t, "DELETE", do(t, h, "DELETE /db/users/3", ""), 204, "")
				want(t, "DELETE", do(t, h, "DELETE /db/users/9", ""), 204, "")
				want(t, "PUT", do(t, h, "PUT /db/users/0", `{"n": 5}`), 201, "")
			}
		}
		got := strings.Join(ids, " ")
		want := "3 4 5 6 7 8 10 t2 t3 t4 t5 t6 t7 t8 t9"
		if strings.Contains(query, "sort") {
			if len(ids) != 15 {
				t.Errorf("pages of %s have %s", query, got)
			}
			continue
		}
		if got != want {
			t.Errorf("pages of %s have %s, want %s", query, got, want)
		}
	}
}

func TestChanges(t *testing.T) {
	h := handler(t, options())
	server := httptest.NewServer(h)
	defer server.Close()
	follow := func(query string, headers ...string) (*http.Response, *bufio.Scanner) {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/db/changes"+query, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return response, bufio.NewScanner(response.Body)
	}
	event := func(lines *bufio.Scanner) (text string) {
		for lines.Scan() && lines.Text() != "" {
			text += lines.Text() + "|"
		}
		return text
	}
	_, now := follow("")
	want(t, "POST", do(t, h, "POST /db/users", `[{"name": "Ada"}, {"name": "B\nob"}]`), 201, "")
	want(t, "PATCH", do(t, h, "PATCH /db/users/1", `{"age": 1}`), 200, "")
	want(t, "DELETE", do(t, h, "DELETE /db/users/2", ""), 204, "")
	all := []string{
		`event: change|data: {"collection": "users", "type": "insert", "id": 1, "document": {"_id": 1, "name": "Ada"}}|`,
		`event: change|id: 1|data: {"collection": "users", "type": "insert", "id": 2, "document": {"_id": 2, "name": "B\nob"}}|`,
		`event: change|id: 2|data: {"collection": "users", "type": "update", "id": 1, "document": {"_id": 1, "name": "Ada", "age": 1}}|`,
		`event: change|id: 3|data: {"collection": "users", "type": "remove", "id": 2}|`,
	}
	for name, c := range map[string]struct {
		lines *bufio.Scanner
		want  []string
	}{
		"from now on": {now, all},
		"since 0":     {second(follow("?since=0&wait=false")), all},
		"since 1":     {second(follow("?since=1&wait=false")), all[2:]},
		"again":       {second(follow("?since=0&wait=false", "Last-Event-ID", "2")), all[3:]},
		"since 3":     {second(follow("?since=3&wait=false")), nil},
	} {
		for _, want := range c.want {
			if got := event(c.lines); got != want {
				t.Errorf("%s: the event is %s, want %s", name, got, want)
			}
		}
		if name != "from now on" && c.lines.Scan() {
			t.Errorf("%s: there is more: %s", name, c.lines.Text())
		}
	}
	waitless := options()
	waitless.NoWait = true
	want(t, "where no request may wait", do(t, handler(t, waitless), "GET /db/changes?since=0", ""), 200, "")
	want(t, "since no number", do(t, h, "GET /db/changes?since=x", ""), 400, "since")
	want(t, "since a number to come", do(t, h, "GET /db/changes?since=99", ""), 404, "not_found")
	if response, _ := follow("?since=0"); response.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("the type is %s", response.Header.Get("Content-Type"))
	}
	if err := h.Close(); err != nil { // it ends who follows
		t.Error(err)
	}
	if now.Scan() {
		t.Errorf("after Close there is %s", now.Text())
	}
}

func second[A, B any](_ A, b B) B { return b }
