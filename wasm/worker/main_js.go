package main

import (
	"bytes"
	"net/http"
	"strings"
	"syscall/js"

	"github.com/atomicdb-go/atomicdb/engine"
	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/httpapi"
)

// compactAfter is how many bytes of batches an object keeps: it is woken often, and
// reading the log takes longer the more records there are.
const compactAfter = 128 << 10

// main takes what worker.mjs has put into globalThis.atomicdbObject, and puts the
// function there that answers requests.
func main() {
	object := js.Global().Get("atomicdbObject")
	name := ""
	if given := object.Get("name"); given.Type() == js.TypeString { // older runtimes do not tell
		name = given.String()
		name = name[strings.LastIndexByte(name, '/')+1:] // before it is the tenant; see command front
	}
	log := &sqlLog{sql: object.Get("sql")}
	handler, err := httpapi.New(httpapi.Options{
		Log: func(asked string) (storage.Log, error) {
			if name != "" && asked != name {
				return nil, engine.Fail(engine.CodeNotFound, "open", asked, "this object holds another database")
			}
			return log, log.create()
		},
		Tokens:  tokensOf(object.Get("tokens").String()),
		Session: storage.SessionOptions{CompactAfter: compactAfter},
		NoWait:  true,
		OnError: func(_ *http.Request, err error) { js.Global().Get("console").Call("error", err.Error()) },
	})
	if err != nil {
		object.Set("error", err.Error())
		return
	}
	object.Set("answer", js.FuncOf(func(_ js.Value, args []js.Value) any { return answer(handler, args) }))
	select {}
}

// answer takes method, URL, headers as [name, value, …] and the bytes of the body, and
// returns [status, headers, bytes].
func answer(handler http.Handler, args []js.Value) any {
	body := make([]byte, args[3].Length())
	js.CopyBytesToGo(body, args[3])
	w := &response{header: http.Header{}, status: http.StatusOK}
	r, err := http.NewRequest(args[0].String(), args[1].String(), bytes.NewReader(body))
	if err != nil {
		return []any{http.StatusBadRequest, []any{}, js.Null()}
	}
	for i := 0; i < args[2].Length(); i += 2 {
		r.Header.Add(args[2].Index(i).String(), args[2].Index(i+1).String())
	}
	handler.ServeHTTP(w, r)
	var headers []any
	for name, values := range w.header {
		for _, value := range values {
			headers = append(headers, []any{name, value})
		}
	}
	out := js.Global().Get("Uint8Array").New(w.body.Len())
	js.CopyBytesToJS(out, w.body.Bytes())
	return []any{w.status, headers, out}
}

// A response is an answer that is kept until it is whole.
type response struct {
	header  http.Header
	status  int
	isBegun bool
	body    bytes.Buffer
}

func (w *response) Header() http.Header { return w.header }

func (w *response) WriteHeader(status int) {
	if !w.isBegun {
		w.status, w.isBegun = status, true
	}
}

func (w *response) Write(b []byte) (int, error) {
	w.isBegun = true
	return w.body.Write(b)
}

// Flush implements http.Flusher. The answer goes out as a whole.
func (w *response) Flush() {}
