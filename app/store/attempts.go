package store

import "time"

// Pauses between wrong passwords.
const (
	freeAttempts = 5                // wrong passwords before the first pause
	firstPause   = time.Minute      // after that many; doubles with each further one
	longestPause = 15 * time.Minute // for a person who is really trying to remember
)

// Attempts slows down the trying of passwords. It lives in memory: somebody with the disk in hand is held up by the cost of
// stretching alone, this is for the unlocked room. The zero value is ready; it is not safe for concurrent use.
type Attempts struct {
	wrong int
	until time.Time
}

// Wait is how long the next try has to wait at now; 0 means it may be made.
func (a *Attempts) Wait(now time.Time) time.Duration { return max(0, a.until.Sub(now)) }

// Wrong records a wrong password at now. left is how many more can be tried before a pause, and pause how long it will be
// or, when left is 0, is from now on.
func (a *Attempts) Wrong(now time.Time) (left int, pause time.Duration) {
	a.wrong++
	if a.wrong < freeAttempts {
		return freeAttempts - a.wrong, firstPause
	}
	pause = firstPause
	for range a.wrong - freeAttempts {
		if pause = min(2*pause, longestPause); pause == longestPause {
			break
		}
	}
	a.until = now.Add(pause)
	return 0, pause
}

// Right forgets the wrong ones.
func (a *Attempts) Right() { *a = Attempts{} }
