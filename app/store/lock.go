package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const lockName = "lock"

// Lock is the lock of a profile's folder, held until Close or until the process ends.
type Lock struct{ release func() error }

// LockProfile takes the lock of the profile in dir, making the folder when there is none. When another process has it the
// error is an *InUseError.
func LockProfile(dir string) (*Lock, error) { return lockProfile(OS{}, dir) }

func lockProfile(d Disk, dir string) (*Lock, error) {
	if err := d.MakeDir(dir); err != nil {
		return nil, err
	}
	release, holder, err := d.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return nil, err
	}
	if release == nil {
		return nil, &InUseError{holder}
	}
	return &Lock{release}, nil
}

// Close releases the lock. It may be called again.
func (l *Lock) Close() error {
	if l == nil || l.release == nil {
		return nil
	}
	release := l.release
	l.release = nil
	return release()
}

// Lock serves Disk: the file holds the number of the process that has it.
func (OS) Lock(name string) (release func() error, holder int, err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, err
	}
	taken, err := lockFile(f)
	if err != nil || !taken {
		if err == nil {
			holder = readHolder(f)
		}
		f.Close()
		return nil, holder, err
	}
	if err := writeHolder(f); err != nil {
		f.Close()
		return nil, 0, err
	}
	return f.Close, 0, nil
}

func readHolder(f *os.File) int {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return pid
}

func writeHolder(f *os.File) error {
	pid := strconv.Itoa(os.Getpid()) + "\n"
	_, err := f.WriteAt([]byte(pid), 0)
	return errors.Join(err, f.Truncate(int64(len(pid))))
}
