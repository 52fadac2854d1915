// Package link turns a libp2p connection into a link: a channel to one device of one account, post-quantum and mutually
// authenticated, on which frames are asked and answered.
//
// A handshake on a stream of its own (/cryptexq/hs/1, package handshake) gives both ends one secret. From it every later
// stream (/cryptexq/link/1) takes fresh keys:
//
//	stream  link id 16 | n 8, in clear; then records (package record)
//	frame   kind 1 | request 4 | length 4 | body, length <= 72 KiB; begins with a record
//	reply   the frame's kind with bit 7 set and its request; body = status 1 | what the handler returned
//	        status 0 done, 1 later, 2 refused, 3 kind unknown or content newer
//
// n is even from the handshake's initiator and odd from its responder; one seen is refused. Request 0 wants no reply. Kind
// 0 is the link's own: it is answered at once and shows that the other end lives. A stream carries the requests of the end
// that opened it, and their replies. Each end opens up to five, one a lane, so that a long reply holds up nothing else.
//
// A Link is bound to two PeerIDs and not to a connection: its streams run over whatever connection libp2p has to the peer,
// and it ends with the last of them. Two links with one device may stand at the same time, after both ends dialled at once
// or while one replaces the other; both work.
//
// Whatever a peer sends is bounded before it is held: lengths by kind, memory by libp2p's resource manager, requests at a
// time by link, handshakes by slot and by bucket, and every wait by a deadline. What is turned away is counted by cause.
package link

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/cryptexq/cryptexq/crypto/handshake"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	// MaxRequests is how many requests one end has under way on a link, and how many the other handles at once. It lets a
	// path of 50 ms carry 320 small requests a second, and bounds what a peer can make us hold to 1.2 MiB a link.
	MaxRequests = 16

	// MaxAge is the age at which a link is to be made anew, if Config says nothing else. It ends afterLife later, whatever its
	// use, should nobody have.
	MaxAge    = 24 * time.Hour
	afterLife = time.Hour

	// maxFrames is after how many frames a link is to be made anew: a frame has at most five records, so that no stream
	// of it comes near the 2^32 records after which package record refuses.
	maxFrames = 1 << 29
)

// ID names a link. It is derived from the link's secret and known to its two ends only.
type ID [16]byte

// Link is one end of a link. Its methods are safe for concurrent use.
type Link struct {
	pool      *Pool
	id        ID
	result    *handshake.Result
	initiator bool
	via       network.Conn
	hello     peer.Hello
	device    identity.DeviceID
	made      time.Time

	greeted chan struct{} // closed once the handler of Hello has returned; then class is set, or the link is closed
	done    chan struct{} // closed when the link ends
	asking  chan struct{} // a token for each request of ours under way
	serving chan struct{} // a token for each request of theirs being handled
	lanes   [laneCount]*lane

	numbers numbers

	heard  moment        // when the last bytes of this link came in
	spoke  moment        // when the last request went either way that belongs to a conversation
	frames atomic.Uint64 // both ways

	mu      sync.Mutex
	class   peer.Class        // guarded by mu
	streams map[resetter]bool // guarded by mu: what close resets; nil once closed
	err     error             // guarded by mu: why the link ended
}

// resetter is a stream seen from close.
type resetter interface{ reset(code) }

// newLink makes the link whose handshake r went over via.
func newLink(p *Pool, r *handshake.Result, remote identity.PeerID, via network.Conn, initiator bool) *Link {
	l := &Link{
		pool: p, id: r.LinkID(), result: r, initiator: initiator, via: via,
		hello:   peer.Hello{Account: r.Account, Certificate: r.Certificate, List: r.List, Peer: remote},
		device:  r.Certificate.ID(),
		made:    time.Now(),
		greeted: make(chan struct{}),
		done:    make(chan struct{}),
		asking:  make(chan struct{}, MaxRequests),
		serving: make(chan struct{}, MaxRequests),
		streams: make(map[resetter]bool),
		numbers: numbers{initiator: initiator},
	}
	for i := range l.lanes {
		l.lanes[i] = newLane(l)
	}
	l.heard.begin(l.made)
	l.spoke.begin(l.made)
	return l
}

// Device is whom the link leads to.
func (l *Link) Device() identity.DeviceID { return l.device }

// Peer is the host at the other end.
func (l *Link) Peer() identity.PeerID { return l.hello.Peer }

// Hello is what the handshake proved about the other end.
func (l *Link) Hello() peer.Hello { return l.hello }

// Initiator says whether this end began the handshake.
func (l *Link) Initiator() bool { return l.initiator }

// Done is closed when the link has ended.
func (l *Link) Done() <-chan struct{} { return l.done }

// Via is the connection that the handshake took. The link may outlive it.
func (l *Link) Via() network.Conn { return l.via }

// Conn is the connection that the link's pings take, or nil when none was sent yet.
func (l *Link) Conn() network.Conn {
	if a := l.lanes[lanePulse].current(); a != nil {
		return a.raw.Conn()
	}
	return nil
}

// Silent is how long ago the last bytes of this link came in. Time that the machine slept counts.
func (l *Link) Silent() time.Duration { return l.heard.ago() }

// Idle is how long ago somebody said something on the link: whether anybody would miss it soon. What devices tell each other
// by themselves does not count, nor does what they ask while it is answered: see Waits.
func (l *Link) Idle() time.Duration { return l.spoke.ago() }

// Waits says whether requests of ours have not been answered yet.
func (l *Link) Waits() bool { return len(l.asking) > 0 }

// speak notes a request of this kind, either way.
func (l *Link) speak(k peer.Kind) {
	if k == peer.Deliver || k == peer.Typing {
		l.spoke.touch()
	}
}

// Age is how long ago the handshake ended.
func (l *Link) Age() time.Duration { return time.Since(l.made) }

// Worn says whether the link is to be made anew by another handshake.
func (l *Link) Worn() bool { return l.Age() > l.pool.config.MaxAge || l.frames.Load() > maxFrames }

// expired says whether the link may not be used any more.
func (l *Link) expired() bool {
	return l.Age() > l.pool.config.MaxAge+afterLife || l.frames.Load() > 2*maxFrames
}

// Class is what the other end is to us.
func (l *Link) Class() peer.Class {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.class
}

// SetClass changes what the other end is to us, from the next frame on.
func (l *Link) SetClass(c peer.Class) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.class = c
}

// Close ends the link and everything under way on it.
func (l *Link) Close() { l.close(codeUnknown, errClosed) }

// close resets every stream with why, and makes err what calls under way return.
func (l *Link) close(why code, err error) {
	l.mu.Lock()
	streams := l.streams
	if streams == nil {
		l.mu.Unlock()
		return
	}
	l.streams, l.err = nil, err
	close(l.done)
	l.mu.Unlock()
	for s := range streams {
		s.reset(why)
	}
	l.pool.forget(l)
}

// add takes a stream into the link's keeping; false when the link has ended.
func (l *Link) add(s resetter) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams == nil {
		return false
	}
	l.streams[s] = true
	return true
}

func (l *Link) remove(s resetter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.streams, s)
}

// reason is why the link ended.
func (l *Link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// keys returns the key material of stream n, out and in as seen from this end.
func (l *Link) keys(n uint64) (out, in []byte) {
	return l.result.StreamKey(string(Protocol), n, l.initiator), l.result.StreamKey(string(Protocol), n, !l.initiator)
}

// touch notes that bytes of the link came in.
func (l *Link) touch() { l.heard.touch() }

// greet asks the node who this is, before any frame is looked at.
func (l *Link) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shakeDeadline)
	defer cancel()
	class, err := l.pool.config.Hello(ctx, l.hello)
	if err == nil && class == peer.Blocked {
		err = &peer.RefusedError{Cause: "blocked"}
	}
	if err != nil {
		return fmt.Errorf("greeting %s: %w", l.hello.Peer.Short(), err)
	}
	l.SetClass(class)
	return nil
}
