// Package app is the messenger: who we are, whom we know, what was said, and what is still owed to whom.
//
// It knows neither libp2p nor Fyne. Above it, the window and the local API ask and are told only "this changed"; below
// it, the store keeps everything and a Network carries opaque frames. Nothing leaves this machine before it is on disk,
// nothing is acknowledged before it is on disk, and what is owed follows from cursors: there is no outbox.
//
// A Service is the door; behind it each noun has a type of its own. Work for one device is done by its courier, messages
// are written by the room's pen, pairwise sessions are kept by sessions, and incoming frames are stored by the desk.
package app

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
)

// Config is what a profile needs from outside. The zero value runs on the real disk, clock and logger.
type Config struct {
	Now    func() time.Time // default time.Now
	Disk   store.Disk       // default the real file system
	Logger *slog.Logger     // default discards
	Single bool             // one connection to the store: for the simulator
	Window int              // segments under way to one device at a time; default 16, the simulator says 1
}

func (c Config) filled() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Window == 0 {
		c.Window = 16
	}
	return c
}

// Errors that a caller branches on.
var (
	ErrNotFound  = errors.New("there is nobody and nothing of that name")
	ErrSelf      = errors.New("that is you")
	ErrKnown     = errors.New("already a contact")
	ErrExpired   = errors.New("this invitation has expired")
	ErrForeign   = errors.New("this is no CryptexQ invitation")
	ErrCutOff    = errors.New("this invitation is cut off")
	ErrNewer     = errors.New("made by a newer version")
	ErrTooLong   = errors.New("longer than a message can be")
	ErrEmpty     = errors.New("nothing to send")
	ErrBlocked   = errors.New("blocked")
	ErrApproval  = errors.New("a device that is not on the last device list waits for your yes")
	ErrWords     = errors.New("the words were saved and erased")
	ErrShort     = errors.New("a password has 10 characters or more")
	ErrNoRequest = errors.New("no request of theirs waits")
)

// AmbiguousError says that several people or rooms go by a name.
type AmbiguousError struct{ Matches []string }

// Error lists what it could mean.
func (e *AmbiguousError) Error() string { return fmt.Sprintf("could mean any of %q", e.Matches) }
