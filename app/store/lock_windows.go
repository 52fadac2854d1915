package store

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes the lock of an open file until it is closed, or says that somebody has it. It locks one byte far beyond
// the number in it, so that others can read that.
func lockFile(f *os.File) (taken bool, err error) {
	const exclusive = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	at := windows.Overlapped{OffsetHigh: 1}
	err = windows.LockFileEx(windows.Handle(f.Fd()), exclusive, 0, 1, 0, &at)
	if err == windows.ERROR_LOCK_VIOLATION {
		return false, nil
	}
	return err == nil, err
}
