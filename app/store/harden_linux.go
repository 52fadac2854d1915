package store

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Harden keeps this process's memory, which holds the keys of an open vault, from other programs of the same user and off
// the disk: not dumpable, so neither ptrace nor /proc/PID/mem, and no core dumps. Files that are made from now on are this
// user's alone. Call it first in main.
func Harden() error {
	unix.Umask(0o077)
	return errors.Join(
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
}

// machineMemory is the size of this machine's memory in bytes.
func machineMemory() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return defaultMemory
	}
	return uint64(info.Totalram) * uint64(info.Unit)
}
