package p2p

import (
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// paths knows how each device with a link is reached, tells changes, and ends links whose last connection is gone. It is
// libp2p's notifiee.
type paths struct {
	station *station

	mu  sync.Mutex
	now map[identity.DeviceID]way // guarded by mu
}

// way is how a device is reached.
type way struct {
	peer identity.PeerID
	path peer.Path
	addr string
}

var _ network.Notifiee = (*paths)(nil)

func newPaths(s *station) *paths {
	return &paths{station: s, now: make(map[identity.DeviceID]way)}
}

// update looks at a device anew. Looking and telling are one step, so that facts tell the changes in their order.
func (p *paths) update(id identity.PeerID, device identity.DeviceID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	is := way{peer: id}
	if p.station.pool.Find(device) != nil {
		is.path, is.addr = p.best(id)
	}
	was, known := p.now[device]
	if is == was || is.path == peer.None && !known {
		return
	}
	if is.path == peer.None {
		delete(p.now, device)
	} else {
		p.now[device] = is
	}
	p.station.node.facts.tell(peer.PathChanged{Device: device, Peer: id, Path: is.path, Addr: is.addr})
}

// best is the best of the connections with a host.
func (p *paths) best(id identity.PeerID) (path peer.Path, addr string) {
	for _, c := range p.station.host.Network().ConnsToPeer(hostID(id)) {
		if is := p.pathOf(c); !c.IsClosed() && is > path {
			path, addr = is, c.RemoteMultiaddr().String()
		}
	}
	return path, addr
}

// address is that of the best connection with a host, or empty.
func (p *paths) address(id identity.PeerID) string {
	_, addr := p.best(id)
	return addr
}

func (p *paths) pathOf(c network.Conn) peer.Path {
	a := c.RemoteMultiaddr()
	switch _, err := a.ValueForProtocol(ma.P_CIRCUIT); {
	case err == nil:
		return peer.Relayed
	case p.station.network().Local(a):
		return peer.Local
	}
	return peer.Direct
}

// count is how many devices have a link, and how many of these a local one.
func (p *paths) count() (all, local int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.now {
		if w.path == peer.Local {
			local++
		}
	}
	return len(p.now), local
}

// Connected notes a connection that may be a better way.
func (p *paths) Connected(_ network.Network, c network.Conn) { p.moved(c) }

// Disconnected notes the end of a connection. Links end with the last one.
func (p *paths) Disconnected(n network.Network, c network.Conn) {
	id, ok := peerID(c.RemotePeer())
	if ok && n.Connectedness(c.RemotePeer()) == network.NotConnected {
		for _, l := range p.station.pool.Links(id) {
			l.Close()
		}
		return
	}
	p.moved(c)
}

func (p *paths) moved(c network.Conn) {
	if id, ok := peerID(c.RemotePeer()); ok {
		for _, l := range p.station.pool.Links(id) {
			p.update(id, l.Device())
		}
	}
}

// Listen and ListenClose are of no interest here.
func (*paths) Listen(network.Network, ma.Multiaddr)      {}
func (*paths) ListenClose(network.Network, ma.Multiaddr) {}
