//go:build !linux

package store

import "os"

// syncData is fsync, F_FULLFSYNC on macOS.
func syncData(f *os.File) error { return f.Sync() }
