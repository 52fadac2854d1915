package link

import (
	"context"
	"math/rand/v2"
	"sync"
)

const (
	// computing is how many handshakes are computed at a time, each about 1.2 ms; strangers hold at most half of them.
	computing = 16

	// maxWaiting is how many handshakes wait for M3 at a time, each 200 bytes of state beside its stream. In a flood each
	// new one throws out one at random: who floods cannot choose whom.
	maxWaiting = 1024
)

// slots are the places where a handshake is computed.
type slots struct {
	all       chan struct{}
	strangers chan struct{}
}

func newSlots() slots {
	return slots{all: make(chan struct{}, computing), strangers: make(chan struct{}, computing/2)}
}

// hold waits for a slot and returns what frees it; nil when ctx ended first.
func (s slots) hold(ctx context.Context, known bool) (free func()) {
	if !known {
		select {
		case s.strangers <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
	}
	select {
	case s.all <- struct{}{}:
	case <-ctx.Done():
		if !known {
			<-s.strangers
		}
		return nil
	}
	return func() {
		<-s.all
		if !known {
			<-s.strangers
		}
	}
}

// waits are the handshakes that wait for M3.
type waits struct {
	mu  sync.Mutex
	all []*wait // guarded by mu
}

type wait struct {
	at    int    // guarded by waits.mu: index in all, or -1
	evict func() // called without locks
}

// add takes a handshake in; evict is called if it has to go before its time.
func (w *waits) add(evict func()) *wait {
	e := &wait{evict: evict}
	w.mu.Lock()
	var victim *wait
	if len(w.all) >= maxWaiting {
		victim = w.all[rand.IntN(len(w.all))]
		w.drop(victim)
	}
	e.at = len(w.all)
	w.all = append(w.all, e)
	w.mu.Unlock()
	if victim != nil {
		victim.evict()
	}
	return e
}

// remove says whether e was still waiting.
func (w *waits) remove(e *wait) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.at < 0 {
		return false
	}
	w.drop(e)
	return true
}

// drop takes e out. The caller holds mu.
func (w *waits) drop(e *wait) {
	last := len(w.all) - 1
	w.all[e.at] = w.all[last]
	w.all[e.at].at = e.at
	w.all[last] = nil
	w.all = w.all[:last]
	e.at = -1
}
