package discovery

import (
	"math/rand/v2"
	"time"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

const (
	// maxFound bounds the people nearby that are remembered. Beyond it any one gives way: on a network where somebody
	// announces thousands, nobody is shown reliably, and nothing is lost but a list.
	maxFound = 256

	// forgetAfter is how long somebody is remembered who does not answer, and whom the beacon does not hear any more: it asks
	// every two minutes.
	forgetAfter = 5 * time.Minute

	// askAgain is when somebody who answered is asked again: Found must come once a minute.
	askAgain = 40 * time.Second

	// retryFirst and retryLast bound the time between attempts to ask somebody who does not answer.
	retryFirst, retryLast = 3 * time.Second, 30 * time.Second
)

// book remembers whom the beacon heard and when they are to be asked. It is for one goroutine.
type book struct {
	entries map[identity.PeerID]*entry
}

type entry struct {
	find  Find
	heard time.Time
	due   time.Time // when to ask
	wait  time.Duration
	busy  bool // being asked
}

func newBook() *book { return &book{entries: make(map[identity.PeerID]*entry)} }

// hear notes a find. Somebody new, or somebody with other addresses, is due at once; so is somebody who did not answer
// lately, for being heard may mean that they do now.
func (b *book) hear(f Find, now time.Time) {
	e := b.entries[f.Peer]
	if e == nil {
		for id := range b.entries {
			if len(b.entries) < maxFound {
				break
			}
			if !b.entries[id].busy {
				delete(b.entries, id)
			}
		}
		if len(b.entries) >= maxFound {
			return
		}
		e = &entry{due: now}
		b.entries[f.Peer] = e
	}
	if e.wait > 0 && now.Add(retryFirst).Before(e.due) {
		e.due = now.Add(retryFirst)
	}
	e.find, e.heard = f, now
}

// next returns somebody who is due, or nil and when to look again.
func (b *book) next(now time.Time) (e *entry, at time.Time) {
	at = now.Add(askAgain)
	for id, e := range b.entries {
		switch {
		case e.busy:
		case now.Sub(e.heard) > forgetAfter && e.wait > 0:
			delete(b.entries, id)
		case !e.due.After(now):
			return e, now
		case e.due.Before(at):
			at = e.due
		}
	}
	return nil, at
}

// asked notes what came of asking.
func (e *entry) asked(ok bool, now time.Time) {
	e.busy = false
	if ok {
		e.wait, e.heard, e.due = 0, now, now.Add(askAgain)
		return
	}
	e.wait = min(max(2*e.wait, retryFirst), retryLast)
	e.due = now.Add(e.wait + rand.N(e.wait/4))
}
