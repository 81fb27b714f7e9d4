//go:build cgo && (darwin || linux)

package lmdblog

import "syscall"

// isDiskFull reports whether the disk of the file at path has less room than
// LMDB may need for one page.
func isDiskFull(path string) bool {
	var disk syscall.Statfs_t
	err := syscall.Statfs(path, &disk)
	return err == nil && disk.Bavail*uint64(disk.Bsize) < 64<<10
}
