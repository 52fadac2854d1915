package app

import (
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// memory is what the courier of a link remembers between its steps. It is guarded by the mutex of links.
type memory struct {
	here      bool            // what waits for the device was made due
	selfAsked bool            // SELF was asked for since the last handshake
	compared  int64           // when our stores were last compared, ms; 0 never
	told      map[int64]said  // by row of their log: what we last said that we have
	waits     map[int64]wait  // by row of our log, and of theirs made negative
	claims    map[int64]int64 // by row of a log: a header that the device says to hold, and that we do not
	asleep    int64           // until when the courier rests, ms; 0 while it works
	due       int64           // when it was asked to look again, ms; 0 never
}

func newMemory() memory {
	return memory{told: map[int64]said{}, waits: map[int64]wait{}, claims: map[int64]int64{}}
}

// said is a HAVE that went out. One that went out as a reply may have been lost without our knowing: reply is when, in ms, and 0
// for one that was answered.
type said struct {
	have  wire.Have
	reply int64
}

// replyLife is how long a HAVE in a reply counts as said before it is said again in a frame of its own.
const replyLife = 5_000

// wait is until when something is put off, in ms, and why.
type wait struct {
	until int64
	why   Reason
}

// rise notes that a courier begins a step: what it was asked to look at until now, it will.
func (l *links) rise(k *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.asleep, k.due = 0, 0
}

// sleep notes until when a courier rests, and returns that: it may have been asked to come earlier meanwhile.
func (l *links) sleep(k *link, until int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.due > 0 {
		until = min(until, k.due)
	}
	k.asleep = max(1, until)
	return until
}

// remind has the courier of a device look again at a time. It is woken only if it would sleep longer.
func (l *links) remind(d [32]byte, at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.all[d]
	if k == nil {
		return
	}
	if k.due == 0 || at < k.due {
		k.due = at
	}
	if at < k.asleep {
		k.rouse()
	}
}

// first reports whether a courier has not yet made due what waits for its device.
func (l *links) first(k *link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !k.here
}

func (l *links) arrived(k *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.here = true
}

// helloOf is who stands at the other end, and whether SELF was asked for since.
func (l *links) helloOf(k *link) (h peer.Hello, asked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return k.hello, k.selfAsked
}

func (l *links) askedSelf(k *link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.selfAsked = true
}

// compareAt is when stores are to be compared again, in ms.
func (l *links) compareAt(k *link) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k.compared == 0 {
		return 0
	}
	return k.compared + syncEvery
}

func (l *links) comparedAt(k *link, now int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.compared = max(1, now)
}

// wait puts something off, and says why.
func (l *links) wait(k *link, log, until int64, why Reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.waits[log] = wait{until, why}
}

// takes notes that the device takes again what was put off.
func (l *links) takes(k *link, log int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(k.waits, log)
}

func (l *links) waitsUntil(k *link, log int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return k.waits[log].until
}

// full reports whether a log was put off because there was no room for it.
func (l *links) full(k *link, log int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return k.waits[log].why == ReasonFull
}

// unsaid reports whether a HAVE has to be said, or when it will have to be because it went out in a reply only.
func (l *links) unsaid(k *link, log int64, h wire.Have, now int64) (due bool, soon int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := k.told[log]
	if last.have != h || last.reply > now { // or the clock was set back
		return true, 0
	}
	if last.reply == 0 {
		return false, 0
	}
	return now-last.reply >= replyLife, last.reply + replyLife
}

// claim notes that a device says to hold a header that we do not, or another one for that place: its courier asks for it.
func (l *links) claim(d [32]byte, log, head int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.all[d]; k != nil {
		k.claims[log] = head
		k.rouse()
	}
}

// claimed is one of the claims of a device, the one of the lowest row; ok is false when there is none.
func (l *links) claimed(k *link) (log, head int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for row, h := range k.claims {
		if !ok || row < log {
			log, head, ok = row, h, true
		}
	}
	return log, head, ok
}

// unclaim forgets a claim that was followed.
func (l *links) unclaim(k *link, log int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(k.claims, log)
}
