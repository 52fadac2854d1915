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
	hellos  map[identity.DeviceID]peer.Hello // of links that may not be announced yet
	causes  map[identity.PeerID]peer.Cause   // of the last attempt that failed
	network bool                             // this machine has addresses
	changed func()                           // a link came or went, or has work: wakes who runs couriers
}

// link is one connected device. Its fields are guarded by the mutex of links.
type link struct {
	device identity.DeviceID
	peer   identity.PeerID
	path   peer.Path
	addr   string
	hello  peer.Hello
	wake   chan struct{} // holds one
	ended  chan struct{} // closed when the link went

	arrived  bool             // what waits for it was made due
	fresh    bool             // SYNC is still to be asked
	told     map[int64]said   // by row of their log: what we last said that we have
	waits    map[int64]int64  // by row of our log: not before this time, ms
	waitsFor map[int64]Reason // and why
	dirty    bool             // woken since the last step began
}

func newLinks() *links {
	return &links{
		all: map[identity.DeviceID]*link{}, hellos: map[identity.DeviceID]peer.Hello{}, causes: map[identity.PeerID]peer.Cause{},
		network: true, changed: func() {},
	}
}

// met remembers who was proven to stand at the end of a link.
func (l *links) met(h peer.Hello) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.hellos) > 4096 {
		clear(l.hellos) // strangers only: those with a link are kept in it
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
		old.path, old.addr = f.Path, f.Addr
		return
	}
	l.all[f.Device] = &link{
		device: f.Device, peer: f.Peer, path: f.Path, addr: f.Addr, hello: l.hellos[f.Device], wake: make(chan struct{}, 1),
		ended: make(chan struct{}), fresh: true, dirty: true, told: map[int64]said{}, waits: map[int64]int64{}, waitsFor: map[int64]Reason{},
	}
}

// hurry wakes the courier of a device; all of them for the zero device.
func (l *links) hurry(d identity.DeviceID) {
	l.mu.Lock()
	for id, k := range l.all {
		if d == (identity.DeviceID{}) || d == id {
			k.dirty = true
			select {
			case k.wake <- struct{}{}:
			default:
			}
		}
	}
	l.mu.Unlock()
	l.changed()
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

// said is a HAVE that went out. One that went out as a reply may have been lost without our knowing: reply is when, in ms,
// and 0 for one that was answered.
type said struct {
	have  wire.Have
	reply int64
}

// replyLife is how long a HAVE in a reply counts as said before it is said again in a frame of its own.
const replyLife = 5_000

// tell notes what we said of a log to a device.
func (l *links) tell(d identity.DeviceID, log int64, h wire.Have, reply int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.all[d]; k != nil {
		k.told[log] = said{h, reply}
	}
}

// wait puts the sending of a log to a device off, and says why.
func (l *links) wait(k *link, log, until int64, why Reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.waits[log], k.waitsFor[log] = until, why
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

// resume sends every log again that was put off.
func (l *links) resume(d identity.DeviceID) {
	l.mu.Lock()
	if k := l.all[d]; k != nil {
		clear(k.waits)
		clear(k.waitsFor)
	}
	l.mu.Unlock()
	l.hurry(d)
}

// reason says why a connected device does not take what it is owed.
func (l *links) reason(d identity.DeviceID) Reason {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.all[d]; k != nil {
		for _, why := range k.waitsFor {
			if why != ReasonNone {
				return why
			}
		}
	}
	return ReasonNone
}

func (l *links) attempt(f peer.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.Cause == "" {
		delete(l.causes, f.Peer)
	} else if len(l.causes) < 4096 {
		l.causes[f.Peer] = f.Cause
	}
}

// cause is why the last attempt to reach a peer failed, nothing when it did not.
func (l *links) cause(p identity.PeerID) peer.Cause {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.causes[p]
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
