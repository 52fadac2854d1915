package p2p

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	quictransport "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/cryptexq/cryptexq/p2p/peer"
	"github.com/cryptexq/cryptexq/p2p/tlspq"
)

// agent is what identify tells of the software. It is the same for every version.
const agent = "cryptexq"

// openHost makes a libp2p host that listens as services say.
func (s *station) openHost(services peer.Services) (host.Host, error) {
	listen, err := parseListen(services.Listen)
	if err != nil {
		return nil, err
	}
	port, chosen := 0, false
	if services.Listen == nil && services.Proxy == "" {
		if port, chosen, err = s.node.choosePort(); err != nil {
			return nil, err
		}
		listen = onPort(port)
	} else if err := checkFree(listen); err != nil {
		return nil, err
	}
	h, err := s.newHost(listen, services.Proxy)
	if err != nil {
		return nil, err
	}
	got := h.Network().ListenAddresses()
	if len(listen) > 0 && len(got) == 0 || services.Listen != nil && len(got) < len(listen) {
		_ = h.Close()
		return nil, fmt.Errorf("listening on %q: not all of these addresses can be listened on", texts(listen))
	}
	if chosen {
		s.node.keepPort(port)
	}
	return h, nil
}

func (s *station) newHost(listen []ma.Multiaddr, proxy string) (host.Host, error) {
	transport, err := transports(proxy)
	if err != nil {
		return nil, err
	}
	conns, err := newConnManager()
	if err != nil {
		return nil, fmt.Errorf("making connection manager: %w", err)
	}
	resources, err := newResourceManager(s.node.facts.refuse)
	if err != nil {
		return nil, err
	}
	var self atomic.Pointer[host.Host]
	h, err := libp2p.New(
		libp2p.Identity(s.node.key), transport,
		libp2p.Security(tlspq.ID, security(func() { s.node.facts.refuse("classical") })),
		libp2p.Muxer(yamux.ID, muxer()),
		libp2p.ListenAddrs(listen...),
		libp2p.ConnectionGater(s.gater), libp2p.ConnectionManager(conns), libp2p.ResourceManager(resources),
		libp2p.UserAgent(agent), libp2p.Ping(false), libp2p.DisableRelay(), libp2p.DisableMetrics(),
		// A detector that stops dialling over UDP or IPv6 after a hundred failures takes contacts who are asleep for a broken
		// network, and does not start again by itself.
		libp2p.UDPBlackHoleSuccessCounter(nil), libp2p.IPv6BlackHoleSuccessCounter(nil),
		libp2p.SwarmOpts(swarm.WithDialRanker(s.ranker.rank), swarm.WithDialTimeout(dialEach)),
		libp2p.AddrsFactory(func(all []ma.Multiaddr) []ma.Multiaddr {
			if h := self.Load(); h != nil {
				return s.tellable((*h).Network().ListenAddresses(), all)
			}
			return s.tellable(all, nil) // of a host in the making
		}))
	if err != nil {
		return nil, fmt.Errorf("making host: %w", err)
	}
	self.Store(&h)
	return h, nil
}

// muxEvery is how often yamux asks for a sign of life, where nothing else came in, and how often it measures the round trip:
// links have pings of their own. By default it does each every 30 s from both ends, which is more than all else that an
// idle connection costs.
const muxEvery = 10 * time.Minute

func muxer() *yamux.Transport {
	t := *yamux.DefaultTransport
	t.KeepAliveInterval, t.MeasureRTTInterval = muxEvery, muxEvery
	return &t
}

// transports are TCP and QUIC, or TCP through a proxy.
func transports(proxy string) (libp2p.Option, error) {
	if proxy == "" {
		return libp2p.ChainOptions(libp2p.Transport(tcp.NewTCPTransport), libp2p.Transport(quictransport.NewTransport)), nil
	}
	d, err := parseProxy(proxy)
	if err != nil {
		return nil, err
	}
	return libp2p.Transport(tcp.NewTCPTransport, throughProxy(d)), nil
}
