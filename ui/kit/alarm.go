package kit

import (
	"time"

	"fyne.io/fyne/v2"
)

// alarm calls back once, after a while, on Fyne's goroutine. The zero value is ready.
type alarm struct {
	after func(time.Duration, func()) (stop func()) // nil is the clock of this computer
	stops func()
}

// set calls f after d, and not what was set before.
func (a *alarm) set(d time.Duration, f func()) {
	a.stop()
	after := a.after
	if after == nil {
		after = realTime
	}
	a.stops = after(d, f)
}

// stop sees to it that nothing is called.
func (a *alarm) stop() {
	if a.stops != nil {
		a.stops()
		a.stops = nil
	}
}

// realTime is the clock of this computer. What was stopped while it was on its way to Fyne's goroutine is not called any more.
func realTime(d time.Duration, f func()) (stop func()) {
	stopped := false // touched on Fyne's goroutine only
	t := time.AfterFunc(d, func() {
		fyne.Do(func() {
			if !stopped {
				f()
			}
		})
	})
	return func() {
		stopped = true
		t.Stop()
	}
}
