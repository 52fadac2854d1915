package p2p

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"golang.org/x/sync/errgroup"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/discovery"
	"github.com/cryptexq/cryptexq/p2p/link"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// station is one libp2p host and everything that lives as long as it.
type station struct {
	node   *Node
	host   host.Host
	gater  *gater
	ranker *ranker
	pool   *link.Pool
	dialer *discovery.Dialer
	paths  *paths
	scout  *scout
	thrift thrift

	jolt  chan struct{} // a token when the network has changed: links are to be tried
	moved chan struct{} // a token when the network has changed: our addresses have, too

	mu       sync.Mutex
	services peer.Services     // guarded by mu
	now      discovery.Network // guarded by mu
	said     []ma.Multiaddr    // guarded by mu: our addresses as others know them
	deaf     bool              // guarded by mu: we listen no more, and what was said stands: it holds after the next start
}

// newStation opens a host and makes what stands on it. Nothing is answered before run.
func newStation(n *Node, h Handler, services peer.Services) (*station, error) {
	s := &station{
		node: n, services: services,
		gater: newGater(n.table, n.facts.refuse), ranker: newRanker(), now: discovery.Look(),
		jolt: make(chan struct{}, 1), moved: make(chan struct{}, 1),
	}
	var err error
	if s.host, err = s.openHost(services); err != nil {
		return nil, fmt.Errorf("starting node: %w", err)
	}
	self := n.self.Device.Certificate.Peer
	if hostID(self) != s.host.ID() {
		_ = s.host.Close()
		return nil, errors.New("starting node: the certificate is for another host key")
	}
	s.pool = link.New(s.host, link.Config{
		Self: n.self, Logger: n.log, MaxAge: n.age,
		List:    n.list,
		Nearby:  func(c network.Conn) bool { return s.showsTo(c.RemoteMultiaddr()) },
		Class:   n.table.class,
		Hello:   h.HandleHello,
		Frame:   h.HandleFrame,
		Refused: n.facts.refuse,
		Changed: s.linkChanged,
	})
	s.dialer = discovery.NewDialer(self, attempts{s}.try)
	s.paths, s.scout = newPaths(s), newScout(s)
	return s, nil
}

// run is the station at work, until ctx ends and everything on it has returned. Nobody can connect any more once the first
// link ends: who was linked redials at once, and is to find a closed door, not a host that hangs up on them.
func (s *station) run(ctx context.Context) error {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		s.deafen()
		cancel()
	})()
	g, ctx := errgroup.WithContext(inner)
	s.host.Network().Notify(s.paths)
	s.countUnknown()
	s.peersChanged(nil)
	for _, part := range []func(context.Context) error{s.pool.Run, s.dialer.Run, s.keep, s.learn, s.watch, s.scout.run} {
		g.Go(func() error { return part(ctx) })
	}
	err := g.Wait()
	s.host.Network().StopNotify(s.paths)
	return errors.Join(err, s.close())
}

// family is a protocol that nobody speaks: under its name stands what counts streams of protocols that we do not have.
const family protocol.ID = "/cryptexq/1"

// countUnknown counts who asks for what is not here. The muxer asks each of its handlers in turn whether a protocol is its
// own; this one never says yes.
func (s *station) countUnknown() {
	s.host.SetStreamHandlerMatch(family, func(id protocol.ID) bool {
		switch name := string(id); {
		case id == link.Handshake, id == link.Protocol, id == discovery.Hello:
		case strings.HasPrefix(name, "/ipfs/"), strings.HasPrefix(name, "/libp2p/"):
		case strings.HasPrefix(name, "/cryptexq/"):
			s.node.facts.refuse("newer")
		default:
			s.node.facts.refuse("protocol")
		}
		return false
	}, func(st network.Stream) { _ = st.Reset() })
}

// deafen stops listening. Connections stay, and so do the addresses that others know.
func (s *station) deafen() {
	s.mu.Lock()
	s.deaf = true
	s.mu.Unlock()
	if n, ok := s.host.Network().(interface{ ListenClose(...ma.Multiaddr) }); ok {
		n.ListenClose(s.host.Network().ListenAddresses()...)
	}
}

// close closes the host.
func (s *station) close() error {
	if err := s.host.Close(); err != nil {
		return fmt.Errorf("closing host: %w", err)
	}
	return nil
}

// tuned are the services in force.
func (s *station) tuned() peer.Services {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.services
}

// showsTo says whether who is at a may learn our account without knowing it: while we show ourselves, and on the local
// network only. A PeerID is no secret; anybody who connects is told.
func (s *station) showsTo(a ma.Multiaddr) bool { return s.tuned().NearbyName != "" && s.local(a) }

// network is what the machine's interfaces look like.
func (s *station) network() discovery.Network {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// servicesChanged takes services that need no new host.
func (s *station) servicesChanged(v peer.Services) {
	s.mu.Lock()
	same := s.services.MDNS == v.MDNS && s.services.NearbyName == v.NearbyName
	s.services = v
	s.mu.Unlock()
	if !same {
		poke(s.scout.again)
	}
}

// What connections are protected for, and how much others are worth when some have to go.
const (
	protection  = "table"
	worthInvite = 50
	worthMember = 20
)

// peersChanged brings everything that depends on the table up to date. Who has moved is dialled soon.
func (s *station) peersChanged(moved []identity.PeerID) {
	conns := s.host.ConnManager()
	for _, r := range s.node.table.all() {
		s.value(conns, r)
		for _, l := range s.pool.Links(r.Peer) {
			if r.Class == peer.Blocked {
				l.Close()
			} else if r.Class != peer.Stranger {
				l.SetClass(r.Class)
			}
		}
		if r.Class == peer.Blocked {
			_ = s.host.Network().ClosePeer(hostID(r.Peer))
		}
	}
	s.dialer.Want(s.node.table.wanted())
	for _, id := range moved {
		s.hope(id)
	}
}

// hope says that there is reason to believe that a peer can be reached now.
func (s *station) hope(id identity.PeerID) {
	s.thrift.hope(id)
	s.dialer.Hope(id)
}

// value tells the connection manager what a peer is worth.
func (s *station) value(conns connmgr.ConnManager, r row) {
	id := hostID(r.Peer)
	if r.Class == peer.Contact || r.Class == peer.Relay {
		conns.Protect(id, protection)
		return
	}
	conns.Unprotect(id, protection)
	switch r.Class {
	case peer.Invited:
		conns.TagPeer(id, protection, worthInvite)
	case peer.Member:
		conns.TagPeer(id, protection, worthMember)
	default:
		conns.UntagPeer(id, protection)
	}
}

// linkChanged is told by the pool that a link came up or ended.
func (s *station) linkChanged(l *link.Link, up bool) {
	if up {
		if c := s.node.table.class(l.Peer()); c != peer.Stranger {
			l.SetClass(c)
		}
		if !s.connected(l.Peer()) { // the connection was gone before anybody knew of the link
			l.Close()
		}
		s.supplant(l)
	}
	s.paths.update(l.Peer(), l.Device())
	s.tellDialer(l.Peer())
}

// supplant closes the connections that were there before a new link's, if nothing has come over them for a while: whoever
// makes a new link beside one that serves has lost that one, and of a cable that was pulled at their end this machine sees
// nothing. libp2p would open streams over the old connection yet, for it has the most of them.
func (s *station) supplant(l *link.Link) {
	old := slices.DeleteFunc(s.pool.Links(l.Peer()), func(o *link.Link) bool { return o == l })
	if len(old) == 0 {
		return // another connection may be about to carry one: both ends have dialled at once
	}
	for _, o := range old {
		if o.Via() == l.Via() || o.Silent() < pingAfter {
			return // made anew over the same connection, or by both ends at once
		}
	}
	for _, c := range s.host.Network().ConnsToPeer(hostID(l.Peer())) {
		if c != l.Via() && c.Stat().Opened.Before(l.Via().Stat().Opened) {
			_ = c.Close()
		}
	}
}

// tellDialer tells the dialer whether there is a link with a host. It looks again after it has said that there is one: the
// end of a link may overtake its beginning.
func (s *station) tellDialer(id identity.PeerID) {
	if s.pool.Newest(id) != nil {
		s.dialer.Up(id)
	}
	if s.pool.Newest(id) == nil {
		s.dialer.Down(id)
	}
}

// reach returns a link with a device, and makes one if there is none.
func (s *station) reach(ctx context.Context, to identity.DeviceID) (*link.Link, error) {
	if l := s.pool.Find(to); l != nil {
		return l, nil
	}
	id, ok := s.node.table.host(to)
	if !ok {
		return nil, fmt.Errorf("device %s is not in the table: %w", to.Short(), peer.ErrUnreachable)
	}
	s.thrift.hope(id)
	if err := s.dialer.Reach(ctx, id); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if errors.Is(err, peer.ErrNewer) || errors.Is(err, peer.ErrUnreachable) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %v", peer.ErrUnreachable, err) // a refused handshake is no answer to a request
	}
	if l := s.pool.Find(to); l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("another device than %s answered: %w", to.Short(), peer.ErrUnreachable)
}

// tellable are our addresses as others are to know them: those listened on, and public ones that peers have seen us under.
func (s *station) tellable(listen, seen []ma.Multiaddr) []ma.Multiaddr {
	addrs := advertised(listen, discovery.Look(), seen)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.deaf {
		s.said = addrs
	}
	return slices.Clone(s.said)
}

// listening are the addresses listened on, as others could use them.
func (s *station) listening() []string {
	return texts(advertised(s.host.Network().ListenAddresses(), s.network(), nil))
}

// watch looks at the interfaces every three seconds. A change gives reason to hope for every peer, and to doubt every link.
func (s *station) watch(ctx context.Context) error {
	return discovery.Watch(ctx, s.network(), func(now discovery.Network) {
		s.mu.Lock()
		s.now = now
		s.mu.Unlock()
		s.ranker.moved(now)
		s.closeStranded(now)
		s.thrift.hopeAll()
		s.dialer.HopeAll()
		poke(s.jolt)
		poke(s.moved)
	})
}

// closeStranded closes the connections whose own end is an address that this machine has no more: nothing comes back there.
func (s *station) closeStranded(now discovery.Network) {
	if len(now.Interfaces) == 0 {
		return // they could not be read
	}
	for _, c := range s.host.Network().Conns() {
		if ip, err := manet.ToIP(c.LocalMultiaddr()); err == nil && !now.Has(ip) {
			_ = c.Close()
		}
	}
}

// local says whether a connection to a stays on the local network.
func (s *station) local(a ma.Multiaddr) bool { return s.network().Local(a) }

// connected says whether there is a connection of any kind with a host.
func (s *station) connected(id identity.PeerID) bool {
	return s.host.Network().Connectedness(hostID(id)) != network.NotConnected
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
