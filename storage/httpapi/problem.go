package httpapi

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/engine/msgpack"
	"github.com/atomicdb-go/atomicdb/storage/docfile"
)

// A problem is an answer that says what went wrong; see RFC 9457.
type problem struct {
	status int
	code   string
	detail string
	header [2]string // one more header; empty: none
}

func (p *problem) Error() string { return p.detail }

// Problems that are not errors of a database.
func unauthorized(detail string) error {
	return &problem{http.StatusUnauthorized, "unauthorized", detail, [2]string{"WWW-Authenticate", "Bearer"}}
}

func forbidden(detail string) error {
	return &problem{status: http.StatusForbidden, code: "forbidden", detail: detail}
}

func preconditionFailed(detail string) error {
	return &problem{status: http.StatusPreconditionFailed, code: "precondition_failed", detail: detail}
}

func tooLarge(bytes int64) error {
	return &problem{status: http.StatusRequestEntityTooLarge, code: "too_large", detail: "the body is more than " + strconv.FormatInt(bytes, 10) + " bytes"}
}

func invalid(target, why string) error { return engine.Fail(engine.CodeInvalid, target, "", why) }

// statuses are those of the codes of a database.
var statuses = map[engine.Code]int{
	engine.CodeInvalid:      http.StatusBadRequest,
	engine.CodeSchema:       http.StatusUnprocessableEntity,
	engine.CodeDuplicateID:  http.StatusConflict,
	engine.CodeUnique:       http.StatusConflict,
	engine.CodeRelationship: http.StatusConflict,
	engine.CodeConflict:     http.StatusConflict,
	engine.CodeNotFound:     http.StatusNotFound,
	engine.CodeQuota:        http.StatusInsufficientStorage,
	engine.CodeTimeout:      http.StatusServiceUnavailable,
	engine.CodeClosed:       http.StatusServiceUnavailable,
	engine.CodeUnsupported:  http.StatusNotImplemented,
}

// problemOf returns what a client is told of an error. What only an operator can mend
// has no details, which may name files: isHidden says so.
func problemOf(err error) (p *problem, isHidden bool) {
	if errors.As(err, &p) {
		return p, false
	}
	code := engine.CodeOf(err)
	if status, ok := statuses[code]; ok {
		return &problem{status: status, code: string(code), detail: err.Error()}, false
	}
	return &problem{status: http.StatusInternalServerError, code: string(code), detail: "the database cannot answer; its log says why"}, true
}

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	p, isHidden := problemOf(err)
	if isHidden && h.opts.OnError != nil {
		h.opts.OnError(r, err)
	}
	if p.header[0] != "" {
		w.Header().Set(p.header[0], p.header[1])
	}
	body := msgpack.AppendMap(nil, 4)
	for _, field := range [][2]string{{"title", http.StatusText(p.status)}, {"code", p.code}, {"detail", p.detail}} {
		body = msgpack.AppendString(msgpack.AppendString(body, field[0]), field[1])
	}
	body = msgpack.AppendInt(msgpack.AppendString(body, "status"), int64(p.status))
	send(w, p.status, "application/problem+json", docfile.AppendJSON(nil, body))
}

func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) // the client may be gone
}
