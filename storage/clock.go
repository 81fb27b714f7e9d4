//go:build !js

package storage

import "time"

// hostTime returns the milliseconds since 1970; 0 before.
func hostTime() uint64 { return uint64(max(0, time.Now().UnixMilli())) }
