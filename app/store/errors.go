package store

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/ncruces/go-sqlite3"

	"github.com/cryptexq/cryptexq/crypto/vault"
)

var (
	// ErrPassword says that the password, or the key of the words, does not open the vault.
	ErrPassword = vault.ErrPassword
	// ErrNewer says that the vault was written by a later version of the program, which must be used to open it.
	ErrNewer = errors.New("made by a newer version of this program")
	// ErrNone says that there is no vault in the folder.
	ErrNone = errors.New("there is no vault here")
	// ErrExists says that there is a vault in the folder already: it is never overwritten.
	ErrExists = errors.New("there is a vault here already")
	// ErrFull says that the disk is full. Nothing of the transaction was kept, all that was accepted before is, and the
	// store goes on when there is room.
	ErrFull = errors.New("disk full")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("store is closed")
	// ErrAnchor says that a transaction was committed and is durable, but that the anchor could not be written after it.
	// What it made must not leave this machine until a later Update or Maintain has written the anchor.
	ErrAnchor = errors.New("stored, but its anchor was not written")
)

// Remedy is what a person can do about a file that cannot be used. The sentence for it is made by whoever shows it.
type Remedy uint8

// What can be done.
const (
	RemedyNone    Remedy = iota
	RemedyCopy           // put back a copy of the file, or restore a backup
	RemedyRestore        // keep the file, restore a backup into a new profile
	RemedyMove           // move the file away, or use another folder
	RemedyUpdate         // use a newer version of the program
)

// String is a clause for logs.
func (r Remedy) String() string {
	switch r {
	case RemedyCopy:
		return "put back a copy of it, or restore a backup"
	case RemedyRestore:
		return "keep it as it is and restore a backup into a new profile"
	case RemedyMove:
		return "move it away, or use another folder"
	case RemedyUpdate:
		return "use a newer version of this program"
	}
	return "nothing can be done"
}

// DamagedError says that a file of the vault is not as it was written. The file is left as it is.
type DamagedError struct {
	File   string // its name in the profile's folder
	Remedy Remedy
	Err    error // cause, may be nil
}

// Error names the file, what can be done, and the cause.
func (e *DamagedError) Error() string {
	s := e.File + " is damaged: " + e.Remedy.String()
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *DamagedError) Unwrap() error { return e.Err }

// ForeignError says that a file has the name of a file of the vault and is something else.
type ForeignError struct {
	File   string
	Remedy Remedy
}

// Error names the file and what can be done.
func (e *ForeignError) Error() string {
	return e.File + " is not of this vault: " + e.Remedy.String()
}

// InUseError says that another process has the profile.
type InUseError struct{ PID int }

// Error names the process.
func (e *InUseError) Error() string {
	return fmt.Sprintf("this profile is in use by process %d", e.PID)
}

// diagnose turns what SQLite says into the errors of this package, and leaves other errors as they are.
func (s *Store) diagnose(err error) error {
	var known *DamagedError
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, ErrFull):
		return err
	case errors.Is(err, sqlite3.FULL), errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, sqlite3.IOERR_DATA), errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB):
		return &DamagedError{s.header.Live, RemedyRestore, err}
	}
	return err
}
