package httpapi

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
)

// Options configure a Handler. Log must be given.
type Options struct {
	// Log opens the log of a database. Its name has been checked: 1 to 64 letters,
	// digits, - and _. An error with CodeNotFound says that there is no such database.
	Log func(name string) (storage.Log, error)

	// Tokens are those that are known. None: only /health is served.
	Tokens []Token

	// Session configures the databases.
	Session storage.SessionOptions

	// Origins are the origins of pages that may call, such as "https://example.com"; "*"
	// means all. None: no page of another origin may.
	Origins []string

	// MaxBodyBytes refuses larger bodies. 0 means 16 MiB.
	MaxBodyBytes int64
	// MaxResults is how many documents or rows an answer may have. 0 means 1,000.
	MaxResults int
	// Timeout is how long a request may look at documents, or wait for others. Changes are
	// followed for longer. 0 means 10 s.
	Timeout time.Duration

	// NoWait ends the changes that are followed with what there is, as ?wait=false does:
	// for hosts in which no request may wait.
	NoWait bool

	// OnError is told of errors of which clients hear only that there was one.
	OnError func(*http.Request, error)
}

// A Handler serves databases. It opens one when it is first asked for. Close it.
type Handler struct {
	opts   Options
	grants []grant
	mux    *http.ServeMux

	mu   sync.Mutex
	open map[string]*database // nil: the Handler is closed
}

// A database is one that is open.
type database struct {
	session *storage.Session
	ctx     context.Context // of the request that has the session; guarded by its lock
}

// openapi describes the API.
//
//go:embed openapi.json
var openapi []byte

// New returns a Handler, or CodeInvalid if opts cannot be honoured.
func New(opts Options) (*Handler, error) {
	if opts.Log == nil {
		return nil, engine.Fail(engine.CodeInvalid, "httpapi", "Log", "it is missing")
	}
	if opts.MaxBodyBytes < 0 || opts.MaxResults < 0 || opts.Timeout < 0 {
		return nil, engine.Fail(engine.CodeInvalid, "httpapi", "Options", "a limit is below 0")
	}
	if opts.MaxBodyBytes == 0 {
		opts.MaxBodyBytes = 16 << 20
	}
	if opts.MaxResults == 0 {
		opts.MaxResults = 1000
	}
	if opts.Timeout == 0 {
		opts.Timeout = 10 * time.Second
	}
	grants, err := grantsOf(opts.Tokens)
	if err != nil {
		return nil, err
	}
	h := &Handler{opts: opts, grants: grants, mux: http.NewServeMux(), open: map[string]*database{}}
	for _, route := range h.routes() {
		h.mux.HandleFunc(route.method+" "+route.path, h.handler(route))
	}
	h.mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		send(w, http.StatusOK, "application/json", []byte(`{"status": "ok"}`))
	})
	h.mux.HandleFunc("/", h.refuse)
	return h, nil
}

// A route answers the requests of one method to one path.
type route struct {
	method, path string
	writes       bool // it needs a token that is not ReadOnly
	isLong       bool // Timeout does not hold
	answer       func(*request) error
}

// routes are all but /health. A path with {db} needs a token for that database.
func (h *Handler) routes() []route {
	return []route{
		{method: "GET", path: "/openapi.json", answer: describe},
		{method: "GET", path: "/{db}/{collection}/{id}", answer: getDocument},
		{method: "PUT", path: "/{db}/{collection}/{id}", writes: true, answer: putDocument},
		{method: "PATCH", path: "/{db}/{collection}/{id}", writes: true, answer: patchDocument},
		{method: "DELETE", path: "/{db}/{collection}/{id}", writes: true, answer: deleteDocument},
		{method: "POST", path: "/{db}/{collection}", writes: true, answer: insertDocuments},
		{method: "POST", path: "/{db}/query", answer: runQuery},
		{method: "GET", path: "/{db}/changes", isLong: true, answer: followChanges},
		{method: "GET", path: "/{db}/export", answer: exportDocuments},
	}
}

// refuse answers what no route takes: with the methods that the path has, if it has any.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request) {
	var methods []string
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "POST"} {
		other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := h.mux.Handler(other); strings.HasPrefix(pattern, method+" ") {
			methods = append(methods, method)
		}
	}
	if methods == nil {
		h.fail(w, r, engine.Fail(engine.CodeNotFound, r.URL.Path, "", "there is nothing at this path"))
		return
	}
	allowed := strings.Join(methods, ", ")
	h.fail(w, r, &problem{http.StatusMethodNotAllowed, "method_not_allowed", "expected " + allowed, [2]string{"Allow", allowed}})
}

// A request is one that is being answered.
type request struct {
	*http.Request
	h     *Handler
	w     http.ResponseWriter
	token Token
	db    *database
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		p := recover()
		if p == http.ErrAbortHandler {
			panic(p)
		}
		if p != nil { // the session has undone what the request had changed
			h.fail(w, r, engine.Fail(engine.CodeInternal, "httpapi", r.URL.Path, engine.PanicText(p)))
		}
	}()
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if h.allowOrigin(w, r) {
		return
	}
	h.mux.ServeHTTP(w, r)
}

// allowOrigin says which origins may read the answer, and reports whether the request
// has asked for nothing else.
func (h *Handler) allowOrigin(w http.ResponseWriter, r *http.Request) (isPreflight bool) {
	if len(h.opts.Origins) == 0 {
		return false
	}
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(h.opts.Origins, origin) && !slices.Contains(h.opts.Origins, "*") {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "ETag, Location")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	w.Header().Set("Access-Control-Allow-Methods", "GET, PUT, PATCH, DELETE, POST")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// handler does what is the same for all routes.
func (h *Handler) handler(route route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, err := h.authorise(r)
		if err == nil && strings.HasPrefix(route.path, "/{db}") {
			err = token.check(r.PathValue("db"), route.writes)
		}
		if err != nil {
			h.fail(w, r, err)
			return
		}
		if !route.isLong {
			ctx, cancel := context.WithTimeout(r.Context(), h.opts.Timeout)
			defer cancel()
			r = r.WithContext(ctx)
		}
		r.Body = http.MaxBytesReader(w, r.Body, h.opts.MaxBodyBytes)
		q := &request{Request: r, h: h, w: w, token: token}
		if strings.HasPrefix(route.path, "/{db}") {
			q.db, err = h.database(r.PathValue("db"))
		}
		if err == nil {
			err = route.answer(q)
		}
		if err != nil {
			h.fail(w, r, err)
		}
	}
}

var isName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// database returns a database, which it opens if it is not open yet.
func (h *Handler) database(name string) (*database, error) {
	if !isName.MatchString(name) {
		return nil, invalid("db", "the name of a database has 1 to 64 letters, digits, - and _")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		return nil, engine.Fail(engine.CodeClosed, name, "", "the server is closing")
	}
	if db := h.open[name]; db != nil {
		return db, nil
	}
	log, err := h.opts.Log(name)
	if err != nil {
		return nil, err
	}
	db := &database{}
	opts := h.opts.Session
	also := opts.Engine.Interrupted
	opts.Engine.Interrupted = func(first bool) error {
		if db.ctx != nil && db.ctx.Err() != nil {
			return ended(db.ctx)
		}
		if also != nil {
			return also(first)
		}
		return nil
	}
	if db.session, err = storage.Open(log, opts); err != nil {
		return nil, err
	}
	h.open[name] = db
	return db, nil
}

func ended(ctx context.Context) error {
	return &engine.Error{Code: engine.CodeTimeout, Op: "request", Err: context.Cause(ctx)}
}

// Close closes all databases. Requests that follow changes end.
func (h *Handler) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		return nil
	}
	var errs []error
	for _, db := range h.open {
		errs = append(errs, db.session.Close())
	}
	h.open = nil
	return errors.Join(errs...)
}

// view calls read with the engine, and update calls work and stores what it changes.
func (q *request) view(read func(*engine.DB) error) error {
	return q.db.session.View(func(db *engine.DB) error { return q.run(db, read) })
}

func (q *request) update(work func(*engine.DB) error) error {
	return q.db.session.Update(func(db *engine.DB) error { return q.run(db, work) })
}

func (q *request) run(db *engine.DB, do func(*engine.DB) error) (err error) {
	ctx := q.Context()
	if ctx.Err() != nil { // waiting for the session may have taken a while
		return ended(ctx)
	}
	q.db.ctx = ctx
	defer func() {
		q.db.ctx = nil
		if p := recover(); p != nil {
			if err = engine.AsError(p); err == nil {
				panic(p)
			}
		}
	}()
	return do(db)
}

func describe(q *request) error {
	send(q.w, http.StatusOK, "application/json", openapi)
	return nil
}
