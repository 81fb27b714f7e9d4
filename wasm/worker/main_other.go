//go:build !js

package main

import (
	"crypto/rand"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/atomicdb-go/atomicdb/storage"
	"github.com/atomicdb-go/atomicdb/storage/filelog"
	"github.com/atomicdb-go/atomicdb/storage/httpapi"
)

// Natively, the same handler serves a folder of files.
func main() {
	folder := flag.String("folder", ".", "where the databases are: `folder`/notes.atomicdb")
	address := flag.String("address", "127.0.0.1:8080", "where to listen")
	newToken := flag.Bool("token", false, "print a new token, and its hash for the environment variable TOKENS")
	flag.Parse()
	if *newToken {
		token := rand.Text()
		fmt.Println("token", token)
		fmt.Println("hash ", httpapi.HashToken(token))
		return
	}
	handler, err := httpapi.New(optionsOf(*folder, os.Getenv("TOKENS")))
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("http://", listener.Addr(), "/health") // with port 0, the one that was free
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute}
	log.Fatal(server.Serve(listener))
}

func optionsOf(folder, tokens string) httpapi.Options {
	return httpapi.Options{
		Log:     func(name string) (storage.Log, error) { return filelog.Open(filepath.Join(folder, name+".atomicdb")) },
		Tokens:  tokensOf(tokens),
		OnError: func(r *http.Request, err error) { log.Print(r.Method, " ", r.URL.Path, ": ", err) },
	}
}
