// Package jsontext reads texts of JSON as MessagePack. The parser is our own, because
// tidwall/gjson makes the wasm 237 kB larger (brotli), and JavaScript's parser loses
// digits of large integers.
package jsontext
