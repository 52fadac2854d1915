package app

import "github.com/cryptexq/cryptexq/app/store"

// What can be wrong with a vault: the store's own errors under names that the window and the command line may know.
var (
	ErrPassword   = store.ErrPassword // it does not fit
	ErrNone       = store.ErrNone     // there is no vault in the folder
	ErrExists     = store.ErrExists   // there is one already
	ErrNewerVault = store.ErrNewer    // a newer version wrote it
	ErrFull       = store.ErrFull     // the disk has no room; all that was accepted is kept
	ErrClosed     = store.ErrClosed   // the vault was closed
)

type (
	// DamagedError says which file of the vault is not as it was written, and what can be done.
	DamagedError = store.DamagedError
	// ForeignError says which file has the name of one of the vault's and is something else.
	ForeignError = store.ForeignError
	// InUseError says which process has the profile.
	InUseError = store.InUseError
	// Remedy is what a person can do about a file that cannot be used.
	Remedy = store.Remedy
)

// The remedies.
const (
	RemedyCopy    = store.RemedyCopy
	RemedyRestore = store.RemedyRestore
	RemedyMove    = store.RemedyMove
	RemedyUpdate  = store.RemedyUpdate
)

// Harden closes this process's memory to other processes of the same user, and to core dumps, where the system can.
func Harden() error { return store.Harden() }
