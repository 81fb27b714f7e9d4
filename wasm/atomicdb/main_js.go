package main

import "github.com/atomicdb-go/atomicdb/jsbridge"

func main() {
	jsbridge.Start()
	select {} // the exported functions and Promises are called from now on
}
