//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package filelog

import (
	"errors"
	"os"
	"syscall"
)

const canLock = true

// lockFile waits for the file's lock, shared with other readers or exclusive. The
// lock belongs to the open file, not to the process, so two Logs of one process
// exclude each other too. unlockFile ends it, and so does closing the file.
func lockFile(file *os.File, alone bool) error {
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	return flock(file, how)
}

func unlockFile(file *os.File) { _ = flock(file, syscall.LOCK_UN) }

func flock(file *os.File, how int) error {
	for {
		err := syscall.Flock(int(file.Fd()), how)
		if err != syscall.EINTR { // a signal that the program handles
			return err
		}
	}
}

// isFull reports whether err means that there is no room on the disk, in the
// user's quota, or in the process's limit for one file.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
