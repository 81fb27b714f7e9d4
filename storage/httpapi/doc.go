// Package httpapi serves databases over HTTP. It is a plain http.Handler over sessions,
// and openapi.json describes it.
//
//	handler, err := httpapi.New(httpapi.Options{
//		Log:    func(name string) (storage.Log, error) { return filelog.Open(name + ".atomicdb") },
//		Tokens: []httpapi.Token{{Hash: httpapi.HashToken(token), Databases: []string{"notes"}}},
//	})
//	http.ListenAndServe("127.0.0.1:8080", handler)
//
// Without a token nothing is served but GET /health.
//
//	GET    /{db}/{collection}/{id}  a document
//	PUT    /{db}/{collection}/{id}  stores a document
//	PATCH  /{db}/{collection}/{id}  changes fields, or by MongoDB's operators
//	DELETE /{db}/{collection}/{id}  removes it
//	POST   /{db}/{collection}       inserts a document, an array of them, or NDJSON
//	POST   /{db}/query              a page of documents, or SQL
//	GET    /{db}/changes            server-sent events, from a number on
//	GET    /{db}/export             all documents as one file
//	GET    /openapi.json            the description
//	GET    /health
//
// # Documents
//
// They are JSON, or MessagePack where Content-Type and Accept say application/msgpack.
// What JSON lacks is written as in a file of documents: {"$date": …}, {"$binary": …}; see
// FORMAT.md. An {id} of digits is an integer; in double quotes it is a text: %225%22.
//
// # Errors
//
// An error is application/problem+json with a code: one of package engine, or
// unauthorized, forbidden, precondition_failed, too_large, unsupported_media_type,
// not_acceptable, method_not_allowed.
//
// # Reading the source
//
// Handler (handler.go) has the routes and what holds for all of them. documents.go,
// query.go and changes.go answer; body.go and json.go read what clients send.
package httpapi
