//go:build cgo && !(darwin || js || linux)

package lmdblog

func isDiskFull(string) bool { return false }
