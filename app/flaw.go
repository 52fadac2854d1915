package app

import (
	"errors"
	"maps"
	"sync"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

// flaw is what is wrong with something that somebody sent. It is counted under its cause and changes nothing. Every error that
// is no flaw is ours, a disk that is full or a store that is closed: it undoes the transaction in which it came up, so that
// trouble of our own is never taken for malice of theirs, nor half a step kept.
type flaw struct {
	cause string
	err   error // nil when the cause says it all
}

// Error says what was refused.
func (f *flaw) Error() string {
	if f.err == nil {
		return "refused: " + f.cause
	}
	return "refused: " + f.cause + ": " + f.err.Error()
}

// Unwrap returns what was found, if anything more is known.
func (f *flaw) Unwrap() error { return f.err }

// badly is a flaw of which the cause says all.
func badly(cause string) error { return &flaw{cause: cause} }

// flawed makes a flaw of what a check found, nil of nil.
func flawed(cause string, err error) error {
	if err == nil {
		return nil
	}
	return &flaw{cause, err}
}

// excuse counts a flaw and takes it for dealt with: what else came with it counts all the same. Other errors stay.
func (c *core) excuse(err error) error {
	var f *flaw
	if !errors.As(err, &f) {
		return err
	}
	c.count(f.cause)
	return nil
}

// counted counts a flaw that stays an error.
func (c *core) counted(err error) error {
	var f *flaw
	if errors.As(err, &f) {
		c.count(f.cause)
	}
	return err
}

// refusal makes of a flaw what has the node answer no and count the cause.
func refusal(err error) error {
	var f *flaw
	if errors.As(err, &f) {
		return &peer.RefusedError{Cause: f.cause}
	}
	return err
}

// tally counts what was refused, in memory: a flood of what is worth nothing must not cost a sync each. Now and then it is
// added to the store.
type tally struct {
	mu sync.Mutex
	n  map[string]uint64 // by cause; guarded by mu
}

func (t *tally) add(cause string, n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[string]uint64{}
	}
	t.n[cause] += n
}

func (t *tally) counts() map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.n)
}

// take empties it.
func (t *tally) take() map[string]uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.n
	t.n = nil
	return n
}

// count adds one to what was refused for a cause.
func (c *core) count(cause string) {
	c.refused.add(cause, 1)
	c.hub.tell(Change{Kind: ChangedStatus})
}
