package app

import (
	"slices"
	"sync"

	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// links is what we know of the devices that are connected now: nothing of it outlives a connection.
type links struct {
	mu      sync.Mutex
	all     map[identity.DeviceID]*link      // guarded by mu, as all below
	hellos  map[identity.DeviceID]peer.Hello // of links that are not announced yet
	causes  map[identity.PeerID]peer.Cause   // of the last attempt that failed
	network bool                             // this machine has addresses
	changed func()                           // a link came or went: wakes who runs couriers; set once
}

// link is one connected device. What its courier remembers stands in visits.go.
type link struct {
	device identity.DeviceID
	peer   identity.PeerID
	wake   chan struct{} // holds one
	ended  chan struct{} // closed when the link went

	path  peer.Path  // guarded by the mutex of links, as all below
	hello peer.Hello // who was proven to stand at the other end
	memory
}

func newLinks() *links {
	return &links{
		all: map[identity.DeviceID]*link{}, hellos: map[identity.DeviceID]peer.Hello{}, causes: map[identity.PeerID]peer.Cause{},
		network: true, changed: func() {},
	}
}

const (
	// maxHellos bounds the handshakes of which no link was announced: each holds two unpacked keys, 72 KiB, and a link is announced
	// within milliseconds.
	maxHellos = 128

	// maxCauses bounds the attempts that are remembered.
	maxCauses = 4096
)

// met remembers who was proven to stand at the end of a link.
func (l *links) met(h peer.Hello) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.all[h.Certificate.ID()]; k != nil {
		k.hello, k.selfAsked = h, false
		return
	}
	for id := range l.hellos {
		if len(l.hellos) < maxHellos {
			break
		}
		delete(l.hellos, id) // most are of links that never came to be
	}
	l.hellos[h.Certificate.ID()] = h
}

// set takes a change of path.
func (l *links) set(f peer.PathChanged) {
	l.mu.Lock()
	defer func() { l.mu.Unlock(); l.changed() }()
	old := l.all[f.Device]
	if f.Path == peer.None {
		if old != nil {
			close(old.ended)
			delete(l.all, f.Device)
		}
		return
	}
	delete(l.causes, f.Peer)
	if old != nil {
		old.path = f.Path
		return
	}
	l.all[f.Device] = &link{
		device: f.Device, peer: f.Peer, path: f.Path, hello: l.hellos[f.Device], wake: make(chan struct{}, 1), ended: make(chan struct{}),
		memory: newMemory(),
	}
	delete(l.hellos, f.Device)
}

// hurry wakes the courier of a device.
func (l *links) hurry(d identity.DeviceID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.all[d]; k != nil {
		k.rouse()
	}
}

// hurryAll wakes all of them.
func (l *links) hurryAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.all {
		k.rouse()
	}
}

func (k *link) rouse() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// list returns the links in the order of their devices, so that one who steps them does it the same way every time.
func (l *links) list() []*link {
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := make([]*link, 0, len(l.all))
	for _, k := range l.all {
		rows = append(rows, k)
	}
	slices.SortFunc(rows, func(a, b *link) int { return slices.Compare(a.device[:], b.device[:]) })
	return rows
}

func (l *links) path(d identity.DeviceID) peer.Path {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.all[d]; k != nil {
		return k.path
	}
	return peer.None
}

// gone reports whether the link has ended: after a quick reconnection the device has another one, and another courier.
func (k *link) gone() bool {
	select {
	case <-k.ended:
		return true
	default:
		return false
	}
}

// tell notes what we said of a log to a device. reply is when, for what went out in a reply; see said.
func (l *links) tell(d identity.DeviceID, log int64, h wire.Have, reply int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.all[d]; k != nil {
		k.told[log] = said{h, reply}
	}
}

// resume sends every log again that was put off.
func (l *links) resume(d identity.DeviceID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.all[d]; k != nil {
		clear(k.waits)
		k.rouse()
	}
}

// reason says why a connected device does not take what it is owed.
func (l *links) reason(d identity.DeviceID, now int64) Reason {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.all[d]
	if k == nil {
		return ReasonNone
	}
	why := ReasonNone
	for _, w := range k.waits {
		if w.until > now && w.why > why { // the same one whatever the order of the map
			why = w.why
		}
	}
	return why
}

func (l *links) attempt(f peer.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.Cause == "" {
		delete(l.causes, f.Peer)
	} else if _, had := l.causes[f.Peer]; had || len(l.causes) < maxCauses {
		l.causes[f.Peer] = f.Cause
	}
}

// cause is why the last attempt to reach a peer failed, nothing when it did not.
func (l *links) cause(p identity.PeerID) peer.Cause {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.causes[p]
}

// causeOf is why the last attempts to reach any of these failed: of several the cause that tells most.
func (l *links) causeOf(hosts []identity.PeerID) (most peer.Cause) {
	for _, p := range hosts {
		if c := l.cause(p); c.Tells() > most.Tells() {
			most = c
		}
	}
	return most
}

// answered reports whether the last attempt to reach a peer failed at the other end, and not for want of a network here.
func (l *links) answered(p identity.PeerID) bool {
	switch l.cause(p) {
	case "", peer.CauseOffline, peer.CauseNoAddress:
		return false
	}
	return true
}

func (l *links) online() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.network
}

func (l *links) setOnline(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.network = on
}
