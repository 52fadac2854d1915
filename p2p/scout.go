package p2p

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/discovery"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	// Dials a minute that are made on the word of somebody on the local network: 32 in all. A part is kept for
	// peers in the table, so that who announces hundreds of strangers does not delay them.
	strangersPerMinute, knownPerMinute = 20, 12

	// maxLearnt bounds the peers whose addresses the beacon has brought; all are in the table.
	maxLearnt = 1024
)

// scout looks around on the local network, as services say.
type scout struct {
	station *station
	again   chan struct{} // a token when services have changed

	strangers, known *rate.Limiter // of the dials that finds may cause

	mu     sync.Mutex
	learnt map[identity.PeerID][]string // guarded by mu: addresses that the beacon heard, of peers in the table
}

func newScout(s *station) *scout {
	return &scout{
		station: s, again: make(chan struct{}, 1), learnt: make(map[identity.PeerID][]string),
		strangers: rate.NewLimiter(strangersPerMinute/60.0, strangersPerMinute),
		known:     rate.NewLimiter(knownPerMinute/60.0, knownPerMinute),
	}
}

// run looks around until ctx ends, and starts over when services change.
func (c *scout) run(ctx context.Context) error {
	for ctx.Err() == nil {
		round, cancel := context.WithCancel(ctx)
		g, round := errgroup.WithContext(round)
		c.look(round, g, c.station.tuned())
		select {
		case <-c.again:
		case <-ctx.Done():
		}
		cancel()
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// look starts what v asks for. Behind a proxy nothing shows on the local network.
func (c *scout) look(ctx context.Context, g *errgroup.Group, v peer.Services) {
	if v.Proxy != "" {
		return
	}
	hear := c.hear
	if v.NearbyName != "" {
		nearby := c.nearby(v.NearbyName)
		g.Go(func() error { return nearby.Run(ctx) })
		hear = func(f discovery.Find) { c.hear(f); nearby.Hear(f) }
	}
	if v.MDNS {
		n := c.station.node
		beacon := discovery.NewBeacon(discovery.BeaconConfig{
			Peer: n.self.Device.Certificate.Peer, Listen: c.station.host.Network().ListenAddresses,
			Found: hear, Refused: n.facts.refuse, Logger: n.log,
		})
		g.Go(func() error { return beacon.Run(ctx) })
	}
}

func (c *scout) nearby(name string) *discovery.Nearby {
	n := c.station.node
	card := discovery.Card{Account: n.self.Device.Certificate.Account, Name: name}
	return discovery.NewNearby(discovery.NearbyConfig{
		Host:    c.station.host,
		Card:    func() (discovery.Card, bool) { return card, true },
		Local:   c.station.local,
		Blocked: n.table.blocked,
		Dial:    c.strangers.Allow,
		Found:   func(f peer.Found) { n.facts.tell(f) },
		Refused: n.facts.refuse,
		Logger:  n.log,
	})
}

// hear takes a find of the beacon's. For somebody whom we want it is reason to dial, as long as dials are left; for all
// others, only Nearby cares.
func (c *scout) hear(f discovery.Find) {
	r, ok := c.station.node.table.row(f.Peer)
	if !ok || r.Class == peer.Blocked {
		return
	}
	c.mu.Lock()
	for id := range c.learnt {
		if len(c.learnt) < maxLearnt {
			break
		}
		delete(c.learnt, id)
	}
	c.learnt[f.Peer] = f.Addresses
	c.mu.Unlock()
	if c.station.pool.Newest(f.Peer) == nil && c.known.Allow() {
		c.station.hope(f.Peer)
	}
}

// at are the addresses of a host that the beacon heard last.
func (c *scout) at(id identity.PeerID) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.learnt[id]
}
