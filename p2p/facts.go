package p2p

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	// maxFacts bounds what waits for a handler that blocks although it must not; beyond it, what comes again anyway is dropped.
	maxFacts = 4096

	// maxCauses bounds the causes that are counted apart.
	maxCauses = 256

	// countEvery is how often refusals are told: a flood makes one fact a second.
	countEvery = time.Second
)

// facts carries what was learnt to the handler, in order, without ever making the one who learnt it wait.
type facts struct {
	wake chan struct{}

	mu     sync.Mutex
	queue  []peer.Fact       // guarded by mu
	counts map[string]uint64 // guarded by mu: refusals not told yet
	total  map[string]uint64 // guarded by mu: since Open
	closed bool              // guarded by mu
}

func newFacts() *facts {
	return &facts{wake: make(chan struct{}, 1), counts: make(map[string]uint64), total: make(map[string]uint64)}
}

// tell queues a fact.
func (f *facts) tell(x peer.Fact) {
	f.mu.Lock()
	if r, ok := x.(peer.RecordLearned); ok {
		f.supersede(r)
	}
	if len(f.queue) < maxFacts || !dispensable(x) {
		f.queue = append(f.queue, x)
	}
	f.mu.Unlock()
	f.poke()
}

// supersede takes out a record of the same peer that waits: nobody needs the older one, and a peer can make them as fast as
// it likes. The caller holds mu.
func (f *facts) supersede(r peer.RecordLearned) {
	f.queue = slices.DeleteFunc(f.queue, func(x peer.Fact) bool {
		old, ok := x.(peer.RecordLearned)
		return ok && old.Peer == r.Peer
	})
}

// dispensable facts come again by themselves.
func dispensable(x peer.Fact) bool {
	switch x.(type) {
	case peer.Found, peer.Attempt, peer.Refused:
		return true
	}
	return false
}

// refuse counts something that was turned away.
func (f *facts) refuse(cause string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.total[cause] == 0 && len(f.total) >= maxCauses {
		cause = "other"
	}
	f.counts[cause]++
	f.total[cause]++
}

// refused is a copy of all counts since Open.
func (f *facts) refused() map[string]uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.total)
}

// run tells facts until close, and then those that are left.
func (f *facts) run(handle func(peer.Fact)) error {
	tick := time.NewTicker(countEvery)
	defer tick.Stop()
	for {
		queue, closed := f.take()
		for _, x := range queue {
			handle(x)
		}
		if closed && len(queue) == 0 {
			return nil
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-f.wake:
		case <-tick.C:
			f.flush()
		}
	}
}

func (f *facts) take() (queue []peer.Fact, closed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	queue, f.queue = f.queue, nil
	return queue, f.closed
}

// flush turns the counts into facts.
func (f *facts) flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for cause, n := range f.counts {
		if len(f.queue) < maxFacts {
			f.queue = append(f.queue, peer.Refused{Cause: cause, N: n})
		}
	}
	clear(f.counts)
}

// close makes run return once everything was told.
func (f *facts) close() {
	f.flush()
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.poke()
}

func (f *facts) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}
