package p2p

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/cryptexq/cryptexq/p2p/tlspq"
)

// gater decides which connections stand: hosts with an Ed25519 key, not blocked, and keyed by a hybrid exchange.
type gater struct {
	table  *table
	refuse func(cause string)

	mu        sync.Mutex
	classical map[corepeer.ID]time.Time // guarded by mu: who turned out to be classical over QUIC, for the words of an attempt
}

var _ connmgr.ConnectionGater = (*gater)(nil)

// maxClassical bounds what is remembered of classical peers.
const maxClassical = 256

func newGater(t *table, refuse func(string)) *gater {
	return &gater{table: t, refuse: refuse, classical: make(map[corepeer.ID]time.Time)}
}

// InterceptPeerDial lets everybody be dialled who is not blocked.
func (g *gater) InterceptPeerDial(id corepeer.ID) bool { return g.welcome(id) == "" }

// InterceptAddrDial is content with every address: whose word it is, is judged before it gets here.
func (g *gater) InterceptAddrDial(corepeer.ID, ma.Multiaddr) bool { return true }

// InterceptAccept knows nothing yet; the resource manager limits by address.
func (g *gater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured has no objections. A connection that is closed here ends without a word, and the other side cannot tell
// being turned away from a broken network.
func (g *gater) InterceptSecured(network.Direction, corepeer.ID, network.ConnMultiaddrs) bool {
	return true
}

// InterceptUpgraded knows who it is and how the connection was keyed, which QUIC does out of our reach. What it refuses is
// closed with network.ConnGated.
func (g *gater) InterceptUpgraded(c network.Conn) (bool, control.DisconnectReason) {
	if cause := g.welcome(c.RemotePeer()); cause != "" {
		g.refuse(cause)
		return false, 0
	}
	if tlspq.Hybrid(c) {
		return true, 0
	}
	g.refuse("classical")
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.classical) >= maxClassical {
		clear(g.classical)
	}
	g.classical[c.RemotePeer()] = time.Now()
	return false, 0
}

// wasClassical says whether a peer was turned away since a moment for its key exchange.
func (g *gater) wasClassical(id corepeer.ID, since time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.classical[id].Before(since) && !g.classical[id].IsZero()
}

// welcome is why a host may not connect, or empty.
func (g *gater) welcome(id corepeer.ID) (cause string) {
	p, ok := peerID(id)
	switch {
	case !ok:
		return "key_type"
	case g.table.blocked(p):
		return "blocked"
	}
	return ""
}
