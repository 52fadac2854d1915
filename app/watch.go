package app

import (
	"context"
	"sync"
)

// hub tells watchers what changed. It never blocks and never loses the last state: a watcher holds a set, not a queue.
type hub struct {
	mu  sync.Mutex
	all map[*Watcher]bool // guarded by mu
}

// Watcher collects what changed since it was last asked.
type Watcher struct {
	hub  *hub
	wake chan struct{} // holds one

	mu   sync.Mutex
	set  map[Change]bool // guarded by mu
	list []Change        // in the order in which they came first; guarded by mu
}

func (h *hub) watch() *Watcher {
	w := &Watcher{hub: h, wake: make(chan struct{}, 1), set: map[Change]bool{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.all == nil {
		h.all = map[*Watcher]bool{}
	}
	h.all[w] = true
	return w
}

func (h *hub) tell(changes ...Change) {
	h.mu.Lock()
	all := make([]*Watcher, 0, len(h.all))
	for w := range h.all {
		all = append(all, w)
	}
	h.mu.Unlock()
	for _, w := range all {
		w.add(changes)
	}
}

func (w *Watcher) add(changes []Change) {
	w.mu.Lock()
	for _, c := range changes {
		if !w.set[c] {
			w.set[c] = true
			w.list = append(w.list, c)
		}
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Next waits until something changed and returns it, each change once.
func (w *Watcher) Next(ctx context.Context) ([]Change, error) {
	for {
		if changes := w.take(); len(changes) > 0 {
			return changes, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-w.wake:
		}
	}
}

func (w *Watcher) take() []Change {
	w.mu.Lock()
	defer w.mu.Unlock()
	changes := w.list
	w.list, w.set = nil, map[Change]bool{}
	return changes
}

// Close ends the watching.
func (w *Watcher) Close() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	delete(w.hub.all, w)
}
