package app

import (
	"context"
	"errors"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
)

// door is where a password is tried: at unlocking, and again for what asks for it once more. Wrong ones are counted together,
// wherever they come from: somebody in the unlocked room must not guess at the words faster than at the vault.
type door struct {
	now      func() time.Time
	turn     chan struct{}  // holds one: whoever has it tries
	attempts store.Attempts // of whoever has the turn
}

func newDoor(now func() time.Time) *door {
	d := &door{now: now, turn: make(chan struct{}, 1)}
	d.turn <- struct{}{}
	return d
}

// try lets check say whether a password fits, one at a time and not during a pause. When it does not, or may not be tried yet,
// the error is a *PauseError.
func (d *door) try(ctx context.Context, check func() error) error {
	select {
	case <-d.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { d.turn <- struct{}{} }()
	if wait := d.attempts.Wait(d.now()); wait > 0 {
		return &PauseError{Wait: wait}
	}
	err := check()
	switch {
	case errors.Is(err, store.ErrPassword):
		left, pause := d.attempts.Wrong(d.now())
		if left > 0 {
			pause = 0
		}
		return &PauseError{Wait: pause, Left: left}
	case err == nil:
		d.attempts.Right()
	}
	return err
}
