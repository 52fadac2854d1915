package p2p

import (
	"context"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/cryptexq/cryptexq/p2p/discovery"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Dials a minute that are made on the word of somebody on the local network: 32 in all (network.md). A part is kept for
// peers in the table, so that who announces hundreds of strangers does not delay them.
const strangersPerMinute, knownPerMinute = 20, 12

// hopes limits the dials that finds may cause.
type hopes struct{ strangers, known *rate.Limiter }

func newHopes() *hopes {
	return &hopes{
		strangers: rate.NewLimiter(strangersPerMinute/60.0, strangersPerMinute),
		known:     rate.NewLimiter(knownPerMinute/60.0, knownPerMinute),
	}
}

// discover runs what finds others near, as services say, and starts over when they change.
func (s *station) discover(ctx context.Context) error {
	for ctx.Err() == nil {
		round, cancel := context.WithCancel(ctx)
		g, round := errgroup.WithContext(round)
		s.discoverAs(round, g, s.tuned())
		select {
		case <-s.retuned:
		case <-ctx.Done():
		}
		cancel()
		if err := g.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// discoverAs starts what v asks for. Behind a proxy nothing shows on the local network.
func (s *station) discoverAs(ctx context.Context, g *errgroup.Group, v peer.Services) {
	if v.Proxy != "" {
		return
	}
	card := discovery.Card{Account: s.node.self.Device.Certificate.Account, Name: v.NearbyName}
	var nearby *discovery.Nearby
	if v.NearbyName != "" {
		nearby = discovery.NewNearby(discovery.NearbyConfig{
			Host:    s.host,
			Card:    func() (discovery.Card, bool) { return card, true },
			Local:   s.local,
			Blocked: s.node.table.blocked,
			Dial:    s.hopes.strangers.Allow,
			Found:   func(f peer.Found) { s.node.facts.tell(f) },
			Refused: s.node.facts.refuse,
			Logger:  s.node.log,
		})
		g.Go(func() error { return nearby.Run(ctx) })
	}
	if !v.MDNS {
		return
	}
	beacon := discovery.NewBeacon(discovery.BeaconConfig{
		Peer:   s.node.self.Device.Certificate.Peer,
		Listen: s.host.Network().ListenAddresses,
		Found: func(f discovery.Find) {
			s.heard(f)
			if nearby != nil {
				nearby.Hear(f)
			}
		},
		Refused: s.node.facts.refuse,
		Logger:  s.node.log,
	})
	g.Go(func() error { return beacon.Run(ctx) })
}
