//go:build unix

package api

import (
	"io/fs"
	"os"
	"syscall"
)

// mine reports whether a file is the user's who runs the program.
func mine(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}
