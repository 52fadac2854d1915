//go:build !unix

package cli

import (
	"errors"
	"os"
)

// checksModes says that a file's mode tells nothing here.
const checksModes = false

// hideInput is not to be had here: a password comes from a file.
func hideInput(*os.File) (shown func(), err error) {
	return nil, errors.New("no terminal that can hide what is typed")
}

// isTerminal reports whether a person sits there.
func isTerminal(*os.File) bool { return false }

// freeSpace is not known here.
func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }

// clockKept says nothing: this system does not tell.
func clockKept() (kept, known bool) { return false, false }
