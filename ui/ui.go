// Package ui is the window. It knows the messenger and no network.
//
// Each screen is a package of its own below this one, made of widgets of ui/kit and sentences of ui/text; this package holds what
// they share: the shell around them, the pump that has them loaded again when something changed, the hands that do what a person
// asked for, errors turned into sentences, and the order in which all of it ends. Nothing here blocks Fyne's goroutine: what asks
// the messenger runs in the pump or the hands and comes back with one call.
package ui

import (
	"context"
	"os"
	"time"

	"fyne.io/fyne/v2"

	"github.com/cryptexq/cryptexq/app"
)

// Desk is what the program lays ready for the window.
type Desk struct {
	// Profile is the folder, locked, before it is unlocked. The window makes or opens the account in it, and closes it.
	Profile *app.Profile
	// Join runs node, API and service until ctx ends, and returns when all of them have. A return without an error before that
	// is the wish to end the program; after an error the window says so and offers to try again.
	Join func(ctx context.Context, s *app.Service) error
	// Show asks for the window to come to the front: a second start of the program does. May be nil.
	Show <-chan struct{}
	// Name is that of the profile, as the person called it.
	Name string
}

// Main shows the window and returns when it was closed, the core has ended, and the vault is closed.
func Main(a fyne.App, d Desk) {
	w := newWindow(a, d, system{do: fyne.Do, now: time.Now, exit: os.Exit, core: coreTime, watchdog: watchdogTime})
	a.Lifecycle().SetOnStarted(w.focusFirst) // before the first frame nothing can have the keyboard
	a.Lifecycle().SetOnEnteredForeground(func() { w.setActive(true) })
	a.Lifecycle().SetOnExitedForeground(func() { w.setActive(false) })
	w.win.ShowAndRun()
	w.finish()
}

// system is what the tests replace.
type system struct {
	do             func(func()) // runs something on Fyne's goroutine, and returns at once
	now            func() time.Time
	exit           func(code int)
	core, watchdog time.Duration // how long each part of the end may take
	minKDF         bool          // the least costly stretching of passwords
}
