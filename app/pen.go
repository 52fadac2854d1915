package app

import (
	"context"
	"errors"
	"sync"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// pen writes our own log in one room. What is handed in while one segment is being made and synced shares the next: the first
// who finds nobody writing leads, writes for all that wait, and passes the lead on. So no goroutine waits for work, and one
// caller after another gives one segment each, the same in the simulator every time.
type pen struct {
	*core
	room     int64
	sessions *sessions
	links    *links
	turns    chan struct{} // holds one: whoever has it may touch the own log of the room, and what follows

	key   *composite.PrivateKey // of the log keyOf: unpacking it costs a fifth of a signature
	keyOf segment.ID

	mu      sync.Mutex
	waiting []*stroke // guarded by mu
}

// stroke is one entry to write, and what came of it.
type stroke struct {
	item  wire.Record
	after *stroke       // of the same call: when that fails, this one is not written
	done  chan struct{} // closed when err and the id are set
	id    MessageID
	err   error
	entry store.Message // the readable form, row and place filled in by the draft
}

func newPen(c *core, room int64, s *sessions, l *links) *pen {
	p := &pen{core: c, room: room, sessions: s, links: l, turns: make(chan struct{}, 1)}
	p.turns <- struct{}{}
	return p
}

// errChanged says that somebody ended the own log while a segment for it was being made: do it again.
var errChanged = errors.New("the own log changed")

// write appends items to the own log and returns when they are on disk, in their order: after one that failed none is written. A
// room's first segment begins with open and card.
func (p *pen) write(ctx context.Context, strokes ...*stroke) error {
	for i, s := range strokes {
		s.done = make(chan struct{})
		if i > 0 {
			s.after = strokes[i-1]
		}
	}
	p.mu.Lock()
	p.waiting = append(p.waiting, strokes...)
	p.mu.Unlock()
	last := strokes[len(strokes)-1]
	for {
		select {
		case <-last.done:
			return last.err
		case <-p.turns:
		}
		p.lead(ctx, last)
		p.turns <- struct{}{}
	}
}

// lead writes segments until one's own last stroke is done.
func (p *pen) lead(ctx context.Context, last *stroke) {
	for {
		select {
		case <-last.done:
			return
		default:
		}
		p.dropFollowers()
		p.mu.Lock()
		batch := p.waiting[:min(len(p.waiting), segment.MaxEntries)]
		p.mu.Unlock()
		if len(batch) == 0 {
			continue
		}
		n, err := p.segment(context.WithoutCancel(ctx), batch)
		if err != nil {
			n = len(batch) // nobody's message is tried again behind their back
		}
		p.finish(n, err)
	}
}

// dropFollowers answers those at the front whose predecessor in the same call failed.
func (p *pen) dropFollowers() {
	for {
		p.mu.Lock()
		var failed error
		if len(p.waiting) > 0 && p.waiting[0].after != nil {
			failed = p.waiting[0].after.err
		}
		p.mu.Unlock()
		if failed == nil {
			return
		}
		p.finish(1, failed)
	}
}

// finish answers the first n that wait.
func (p *pen) finish(n int, err error) {
	p.mu.Lock()
	batch := p.waiting[:n]
	p.waiting = p.waiting[n:]
	if len(p.waiting) == 0 {
		p.waiting = nil
	}
	p.mu.Unlock()
	for _, s := range batch {
		s.err, s.after = err, nil
		close(s.done)
	}
}

// open writes the first segment of our log in a room, if there is none: it says who we are, and that we are in.
func (p *pen) open(ctx context.Context) error {
	<-p.turns
	defer func() { p.turns <- struct{}{} }()
	var has bool
	err := p.st.View(ctx, func(r *store.Reader) (err error) {
		_, has, err = r.OwnLog(p.room)
		return err
	})
	if err != nil || has {
		return err
	}
	_, err = p.segment(ctx, nil)
	return err
}

// segment makes and stores one segment out of as many strokes as fit and returns how many.
func (p *pen) segment(ctx context.Context, batch []*stroke) (n int, err error) {
	for range 3 {
		d, err := p.draft(ctx)
		if err != nil {
			return 0, err
		}
		if n, err = d.fill(batch); err != nil {
			return 0, err
		}
		err = p.st.UpdateOwn(ctx, func(tx *store.Tx) error { return d.commit(tx, batch[:n]) })
		switch {
		case errors.Is(err, errChanged):
			continue
		case errors.Is(err, store.ErrAnchor):
			return n, nil // it is stored, and does not leave yet
		}
		return n, err
	}
	return 0, errChanged
}

// reanchor tries to write the anchor after one of ours was stored without. Until then nothing leaves this machine: put back to
// before, it would write another story.
func (c *core) reanchor(ctx context.Context) error {
	if c.st.Anchored() {
		return nil
	}
	return c.st.UpdateOwn(ctx, func(*store.Tx) error { return nil })
}
