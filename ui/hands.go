package ui

import (
	"context"
	"sync"
)

// hands do what a person asked for, away from Fyne's goroutine, one thing after the other: messages are sent in the order in which
// they were written. What is asked for before the account is open waits.
type hands struct {
	do   func(func())
	wake chan struct{}

	mu    sync.Mutex
	queue []errand // guarded by mu
}

// errand is one thing to do, and whom to tell.
type errand struct {
	work func(context.Context) error
	done func(error) // on Fyne's goroutine
}

func newHands(do func(func())) *hands {
	return &hands{do: do, wake: make(chan struct{}, 1)}
}

// act puts something at the end of the queue. It never blocks.
func (h *hands) act(work func(context.Context) error, done func(error)) {
	h.mu.Lock()
	h.queue = append(h.queue, errand{work, done})
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// next takes the first of the queue.
func (h *hands) next() (errand, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.queue) == 0 {
		return errand{}, false
	}
	e := h.queue[0]
	h.queue = h.queue[1:]
	return e, true
}

// run works until ctx ends, and then does what is still in the queue: what was sent before the window was closed is sent.
func (h *hands) run(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-h.wake:
		}
		h.work(ctx)
	}
}

// work empties the queue. The end of ctx does not cut anything in the middle; it ends the telling.
func (h *hands) work(ctx context.Context) {
	for e, ok := h.next(); ok; e, ok = h.next() {
		err := e.work(context.WithoutCancel(ctx))
		h.do(func() {
			if ctx.Err() == nil {
				e.done(err)
			}
		})
	}
}
