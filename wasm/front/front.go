package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/atomicdb-go/atomicdb/storage/httpapi"
)

// A tenant is what a token stands for.
type tenant struct {
	Tenant    string   `json:"tenant"`
	Databases []string `json:"databases"` // "*" means all
	ReadOnly  bool     `json:"readOnly"`
}

// A front is a handler that sends requests on to objects.
type front struct {
	// find returns the tenant of the token that has a hash, or nil if there is none.
	find func(ctx context.Context, hash string) (*tenant, error)
	// ask has an object answer.
	ask func(object string, r *http.Request) (*http.Response, error)
	// token and readToken are those that objects know.
	token, readToken string
	// onError is told of errors of which clients hear only that there was one.
	onError func(error)
}

var isName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ServeHTTP implements http.Handler.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/health" {
		send(w, http.StatusOK, "application/json", map[string]any{"status": "ok"})
		return
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "unauthorized", "expected the header Authorization: Bearer and a token")
		return
	}
	// Only hashes are compared, so the time tells nothing of a token.
	t, err := f.find(r.Context(), httpapi.HashToken(token))
	if err != nil {
		f.fail(w, err)
		return
	}
	if t == nil || !isName.MatchString(t.Tenant) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "unauthorized", "the token is not known")
		return
	}
	database, _, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	switch {
	case !isName.MatchString(database):
		refuse(w, http.StatusNotFound, "not_found", "expected /{db}/…; the name of a database has 1 to 64 letters, digits, - and _")
		return
	case !slices.Contains(t.Databases, database) && !slices.Contains(t.Databases, "*"):
		refuse(w, http.StatusForbidden, "forbidden", "the token is not for this database")
		return
	}
	token = f.token
	if t.ReadOnly {
		token = f.readToken
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := f.ask(t.Tenant+"/"+database, r)
	if err != nil {
		f.fail(w, err)
		return
	}
	header := w.Header()
	for name, values := range answer.Header {
		header[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	io.Copy(w, answer.Body) // the client may be gone
}

func (f *front) fail(w http.ResponseWriter, err error) {
	f.onError(err)
	refuse(w, http.StatusServiceUnavailable, "unavailable", "the database cannot be reached; the log of the Worker says why")
}

// refuse answers with a problem; see RFC 9457.
func refuse(w http.ResponseWriter, status int, code, detail string) {
	send(w, status, "application/problem+json", map[string]any{"title": http.StatusText(status), "status": status, "code": code, "detail": detail})
}

func send(w http.ResponseWriter, status int, contentType string, content map[string]any) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(content)
}
