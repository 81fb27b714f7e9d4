//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package filelog

import (
	"errors"
	"os"
)

// canLock is false, so Open makes no file that nothing would protect. Windows
// could lock a file, but not rename another over it while it is open.
const canLock = false

func lockFile(*os.File, bool) error { return errors.ErrUnsupported }

func unlockFile(*os.File) {}

func isFull(error) bool { return false }
