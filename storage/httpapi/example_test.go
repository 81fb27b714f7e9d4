// The output of an example goes through a file, which a page has not.

//go:build !js

package httpapi_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/httpapi"
)

// A server of one database, which is asked once.
func Example() {
	const token = "0bd2e4f6a8c01324" // from crypto/rand.Text, kept by clients
	handler, err := httpapi.New(httpapi.Options{
		Log:    func(name string) (storage.Log, error) { return storage.NewMemory(), nil }, // or a filelog
		Tokens: []httpapi.Token{{Hash: httpapi.HashToken(token), Databases: []string{"notes"}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer handler.Close()

	request := httptest.NewRequest(http.MethodPut, "/notes/notes/1", strings.NewReader(`{"title": "Hello"}`))
	request.Header.Set("Authorization", "Bearer "+token)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	fmt.Println(answer.Code, answer.Body)
	// Output: 201 {"_id": 1, "title": "Hello"}
}
