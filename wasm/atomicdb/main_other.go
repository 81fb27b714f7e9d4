//go:build !js

package main

func main() {
	println("atomicdb runs in JavaScript hosts: GOOS=js GOARCH=wasm go build ./wasm/atomicdb")
}
