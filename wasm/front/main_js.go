package main

import (
	"net/http"
	"syscall/js"

	"github.com/syumai/workers"
	"github.com/syumai/workers/cloudflare"
)

func main() {
	f, err := newFront()
	if err != nil {
		logError(err)
		workers.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			refuse(w, http.StatusServiceUnavailable, "unavailable", "the Worker is not configured; its log says what is missing")
		}))
		return
	}
	workers.Serve(f)
}

func newFront() (*front, error) {
	find, err := newFind()
	if err != nil {
		return nil, err
	}
	objects, err := cloudflare.NewDurableObjectNamespace("DATABASES")
	if err != nil {
		return nil, err
	}
	return &front{
		find: find,
		ask: func(name string, r *http.Request) (*http.Response, error) {
			object, err := objects.Get(objects.IdFromName(name))
			if err != nil {
				return nil, err
			}
			return object.Fetch(r)
		},
		token:     cloudflare.Getenv("OBJECT_TOKEN"),
		readToken: cloudflare.Getenv("OBJECT_READ_TOKEN"),
		onError:   logError,
	}, nil
}

func logError(err error) { js.Global().Get("console").Call("error", err.Error()) }
