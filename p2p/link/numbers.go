package link

import "sync"

// numbers are those of the streams of one end of a link: ours count up, theirs are taken once. The initiator's are even, the
// responder's odd, so that the two never meet.
type numbers struct {
	initiator bool // which end this is

	mu   sync.Mutex
	next uint64 // guarded by mu: our next stream, halved
	seen window // guarded by mu: their streams, halved
}

// own takes the number of our next stream.
func (n *numbers) own() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	x := 2 * n.next
	if !n.initiator {
		x++
	}
	n.next++
	return x
}

// fresh says whether a number of theirs may still be used: of their parity, and not seen. It takes nothing.
func (n *numbers) fresh(x uint64) bool {
	if (x%2 == 0) == n.initiator {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seen.fresh(x / 2)
}

// take marks a number of theirs as seen; false when another stream was faster.
func (n *numbers) take(x uint64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.seen.take(x / 2)
}

// windowSize is how far back of the highest stream number an older one is still taken. Streams are opened in order and may
// overtake each other on the way, by no more than the few that a peer can have open at a time.
const windowSize = 256

// window remembers which stream numbers were used, in the manner of RFC 6479. The zero value has seen none.
type window struct {
	any  bool
	top  uint64
	bits [windowSize / 64]uint64 // bit n mod windowSize, for n in (top-windowSize, top]
}

// fresh says whether n was neither used nor left behind.
func (w *window) fresh(n uint64) bool {
	if !w.any || n > w.top {
		return true
	}
	return w.top-n < windowSize && w.bits[n%windowSize/64]&(1<<(n%64)) == 0
}

// take marks n as used; false if it is not fresh.
func (w *window) take(n uint64) bool {
	if !w.fresh(n) {
		return false
	}
	switch {
	case !w.any || n-w.top >= windowSize && n > w.top:
		w.bits = [windowSize / 64]uint64{}
		w.any, w.top = true, n
	case n > w.top:
		for i := w.top + 1; i <= n; i++ {
			w.bits[i%windowSize/64] &^= 1 << (i % 64)
		}
		w.top = n
	}
	w.bits[n%windowSize/64] |= 1 << (n % 64)
	return true
}
