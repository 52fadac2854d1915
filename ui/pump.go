package ui

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cryptexq/cryptexq/app"
)

const (
	// frame is how long changes are collected before they are shown: the length of a frame. 20 000 single calls would freeze the
	// window for seconds, and any peer could make them.
	frame = 16 * time.Millisecond
	// longestRest bounds the rest after a load that took long.
	longestRest = 250 * time.Millisecond
	// settling is how long after a change of a room it is looked at again: the messenger holds a message for five seconds whose
	// parents are missing, and tells nobody when it lets it go.
	settling = 5200 * time.Millisecond
	// ageing is how often everything is looked at again though nothing changed: "5 minutes ago" grows old, and people leave the
	// network without a word.
	ageing = time.Minute
)

// part is a part of the window that shows something of the messenger.
type part interface {
	// Load asks for what changed (everything when nothing is named) away from Fyne's goroutine, and returns what is to be done on
	// it; nil for nothing.
	Load(ctx context.Context, changed []app.Change) (apply func(), err error)
}

// pump has the parts loaded again when something changed. It is the only one that knows the watcher: it collects changes for a
// frame, lets every part ask away from Fyne's goroutine, and applies what they found with one call on it.
type pump struct {
	do     func(func())
	parts  []part
	failed func(error) // on Fyne's goroutine: something could not be read

	mu    sync.Mutex
	all   bool // everything is to be loaded; guarded by mu
	wake  chan struct{}
	later <-chan time.Time // when a room is looked at again; nil for never
	rest  time.Duration    // how long changes are collected next
}

func newPump(do func(func()), failed func(error), parts ...part) *pump {
	return &pump{do: do, parts: parts, failed: failed, wake: make(chan struct{}, 1)}
}

// again has everything loaded.
func (p *pump) again() {
	p.mu.Lock()
	p.all = true
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// everything takes the wish of again.
func (p *pump) everything() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.all
	p.all = false
	return all
}

// run loads everything once, then what changes, until ctx ends.
func (p *pump) run(ctx context.Context, w *app.Watcher) {
	defer w.Close()
	news := make(chan []app.Change)
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { p.watch(ctx, w, news) })
	minute := time.NewTicker(ageing)
	defer minute.Stop()
	p.again()
	for {
		var changed []app.Change
		select {
		case <-ctx.Done():
			return
		case changed = <-news:
		case <-p.wake:
		case <-minute.C:
			p.again()
		case <-p.later:
			p.later = nil
			p.again()
		}
		p.collect(ctx, news, &changed)
		start := time.Now()
		p.turn(ctx, changed)
		p.rest = min(max(time.Since(start), frame), longestRest) // a flood of changes gets half of the time at most
	}
}

// watch hands on what the watcher tells. While nobody takes it the watcher goes on collecting.
func (p *pump) watch(ctx context.Context, w *app.Watcher, news chan<- []app.Change) {
	for {
		changed, err := w.Next(ctx)
		if err != nil {
			return
		}
		select {
		case news <- changed:
		case <-ctx.Done():
			return
		}
	}
}

// collect adds what comes within a frame, or within the time that the last load took.
func (p *pump) collect(ctx context.Context, news <-chan []app.Change, changed *[]app.Change) {
	timer := time.NewTimer(max(p.rest, frame))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case more := <-news:
			*changed = append(*changed, more...)
		case <-timer.C:
			return
		}
	}
}

// turn loads and applies once.
func (p *pump) turn(ctx context.Context, changed []app.Change) {
	if p.everything() {
		changed = nil
	} else if len(changed) == 0 {
		return
	}
	if p.later == nil && hasRoom(changed) {
		p.later = time.After(settling)
	}
	var applies []func()
	var failed error
	for _, x := range p.parts {
		apply, err := x.Load(ctx, changed)
		if err != nil && failed == nil {
			failed = err
		}
		if apply != nil {
			applies = append(applies, apply)
		}
	}
	if failed != nil && ctx.Err() == nil && !errors.Is(failed, context.Canceled) {
		applies = append(applies, func() { p.failed(failed) })
	}
	p.apply(ctx, applies)
}

// apply does all of it in one call on Fyne's goroutine, and waits for that: a window that is behind is not given more.
func (p *pump) apply(ctx context.Context, applies []func()) {
	if len(applies) == 0 || ctx.Err() != nil {
		return
	}
	done := make(chan struct{})
	p.do(func() {
		defer close(done)
		if ctx.Err() != nil {
			return
		}
		for _, f := range applies {
			f()
		}
	})
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func hasRoom(changed []app.Change) bool {
	for _, c := range changed {
		if c.Kind == app.ChangedRoom {
			return true
		}
	}
	return false
}
