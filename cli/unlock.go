package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cryptexq/cryptexq/app"
	"github.com/cryptexq/cryptexq/app/api"
)

// unlock opens the vault with the password, or with the 24 words in its place. On a terminal it asks again after one that does
// not fit, and waits out the pauses; what a file says is tried once.
func (c *console) unlock(ctx context.Context, p *app.Profile) (*app.Service, error) {
	given, found, err := c.passwordGiven()
	if err != nil {
		return nil, err
	}
	if found {
		return once(open(ctx, p, given))
	}
	for {
		typed, err := c.ask(ctx, "Password: ")
		if err != nil {
			return nil, err
		}
		s, err := open(ctx, p, typed)
		var wrong *app.PauseError
		if !errors.As(err, &wrong) {
			return s, err
		}
		c.complain(ctx, err)
		if err := pause(ctx, wrong.Wait); err != nil {
			return nil, err
		}
	}
}

// open tries a secret and wipes it. One that reads as 24 words may be a password all the same.
func open(ctx context.Context, p *app.Profile, secret []byte) (*app.Service, error) {
	defer clear(secret)
	if len(bytes.Fields(secret)) == kitWords {
		if s, err := p.UnlockWords(ctx, string(secret)); err == nil {
			return s, nil
		}
	}
	return p.Unlock(ctx, secret)
}

// kitWords is how many words open a vault in place of its password.
const kitWords = 24

// once takes out of an error how many tries are left before a pause: the next process counts from the start.
func once(s *app.Service, err error) (*app.Service, error) {
	if errors.Is(err, app.ErrPassword) {
		err = &api.Error{Code: api.CodePassword, Message: err.Error()}
	}
	return s, err
}

// blameDisk says of an error that nobody has a word for that the disk is full, where it is: a database cannot always tell.
func (c *console) blameDisk(err error) error {
	const nothing = 256 << 10 // too little to open a vault in
	if err == nil || api.Describe(err).Code != api.CodeFailed {
		return err
	}
	if free, lookErr := freeSpace(c.place.data); lookErr == nil && free < nothing {
		return fmt.Errorf("%w: %w", app.ErrFull, err)
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
