package link

import (
	"sync/atomic"
	"time"
)

// moment is when something happened last, by two clocks. The monotonic one stands still while the machine sleeps, and the
// wall clock can be set back: by either alone a dead link would pass for one that was heard of just now. The zero value is
// not usable; a moment is safe for concurrent use.
type moment struct {
	start time.Time    // of the monotonic clock; set once
	mono  atomic.Int64 // ns since start
	wall  atomic.Int64 // unix ns
}

// begin makes the moment now.
func (m *moment) begin(now time.Time) {
	m.start = now
	m.set(now)
}

// touch makes the moment now.
func (m *moment) touch() { m.set(time.Now()) }

func (m *moment) set(now time.Time) {
	m.mono.Store(int64(now.Sub(m.start)))
	m.wall.Store(now.UnixNano())
}

// ago is how long ago it was, by the clock that says longer.
func (m *moment) ago() time.Duration {
	now := time.Now()
	return max(now.Sub(m.start)-time.Duration(m.mono.Load()), time.Duration(now.UnixNano()-m.wall.Load()))
}
