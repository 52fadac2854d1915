package p2p

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/link"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	// A link that is silent for pingAfter is asked for a sign of life, and has this long to give one: on a local network a
	// killed process shows within eight seconds. QUIC by itself takes 30 s. Elsewhere a relayed path has 2 s round trip.
	pingAfter     = 2 * time.Second
	idleAfter     = 30 * time.Second
	pingLocal     = 5 * time.Second
	pingElsewhere = 12 * time.Second

	// A link on which nothing was said for idleAfter is asked less often, for ten of those are what an idle node pays for: a
	// question costs 330 bytes over TCP. On a local network there is no translator that forgets us, and the beacon tells who
	// comes back. The end that did not make the link lets the other one ask first, so that one of the two streams for
	// questions is enough.
	pingIdleLocal     = time.Minute
	pingIdleElsewhere = 30 * time.Second
	pingSecond        = 5 * time.Second

	// overslept is how late a deadline may be noticed before it is us who were away: suspended, or starved of a processor.
	overslept = 2 * time.Second

	keepEvery = 500 * time.Millisecond

	// spareFor is how long a link or a connection that another one has replaced is kept.
	spareFor = time.Minute

	// renewAgain is when an old link is tried again that could not be made anew.
	renewAgain = time.Minute
)

// keep looks after links: dead ones are ended, old ones made anew, spare ones let go.
func (s *station) keep(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	k := &keeper{station: s, renewed: make(map[identity.PeerID]time.Time), busy: make(map[*link.Link]bool)}
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		all := false
		select {
		case <-tick.C:
		case <-s.jolt: // the network has changed under them
			all = true
		case <-ctx.Done():
			return nil
		}
		for _, l := range s.pool.Links(identity.PeerID{}) {
			k.look(ctx, &work, l, all)
		}
		s.closeSpares()
	}
}

// keeper remembers which links are being worked on.
type keeper struct {
	station *station
	renewed map[identity.PeerID]time.Time // of the goroutine of keep: when a link was last to be made anew

	mu   sync.Mutex
	busy map[*link.Link]bool // guarded by mu
}

// look decides what a link needs.
func (k *keeper) look(ctx context.Context, work *sync.WaitGroup, l *link.Link, now bool) {
	if !k.station.connected(l.Peer()) {
		l.Close()
		return
	}
	silent := l.Silent()
	newest := k.station.pool.Newest(l.Peer()) == l
	var job func(context.Context, *link.Link)
	switch {
	case newest && l.Worn() && time.Since(k.renewed[l.Peer()]) > renewAgain:
		job = k.renew
	case newest && (silent > k.pause(l) || now):
		job = k.ping
	case !newest && silent > spareFor:
		l.Close()
	}
	if job == nil || !k.begin(l) {
		return
	}
	if newest && l.Worn() {
		k.renewed[l.Peer()] = time.Now()
	}
	work.Go(func() {
		defer k.end(l)
		job(ctx, l)
	})
}

// pause is how long a link may be silent before it is asked for a sign of life.
func (k *keeper) pause(l *link.Link) time.Duration {
	if l.Waits() || l.Idle() <= cmp.Or(k.station.node.lull, idleAfter) {
		return pingAfter
	}
	pause := pingIdleElsewhere
	if k.local(l) {
		pause = pingIdleLocal
	}
	if !l.Initiator() {
		pause += pingSecond
	}
	return pause
}

// local says whether a link runs over the local network.
func (k *keeper) local(l *link.Link) bool {
	path, _ := k.station.paths.best(l.Peer())
	return path == peer.Local
}

func (k *keeper) begin(l *link.Link) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.busy[l] {
		return false
	}
	k.busy[l] = true
	return true
}

func (k *keeper) end(l *link.Link) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.busy, l)
}

// ping asks for a sign of life. Without one, the connection that the question took is closed: if there is another, the link
// lives on and is asked over that; if not, it ends.
func (k *keeper) ping(ctx context.Context, l *link.Link) {
	patience := pingElsewhere
	if k.local(l) {
		patience = pingLocal
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asked := time.Now()
	err := l.Ping(ctx)
	if time.Since(asked) > patience+overslept {
		return // the answer may lie unread
	}
	if err == nil || errors.Is(err, link.ErrGone) || errors.Is(err, context.Canceled) || l.Silent() < patience {
		return // alive, over, or to be asked again
	}
	k.station.node.log.Info("a peer gives no sign of life", "peer", l.Peer().Short())
	if c := l.Conn(); c != nil {
		_ = c.Close() // with the last one ends the link
		return
	}
	_ = k.station.host.Network().ClosePeer(hostID(l.Peer()))
}

// renew makes a link anew. The old one serves until it is silent. Both ends may do so at once, and then have two new ones.
func (k *keeper) renew(ctx context.Context, l *link.Link) {
	id := identity.AccountOf(l.Hello().Account)
	if _, err := k.station.pool.Connect(ctx, link.Target{Peer: l.Peer(), Account: id}); err != nil {
		k.station.node.log.Info("a link could not be made anew", "peer", l.Peer().Short(), "err", err)
	}
}

// closeSpares closes connections that another one beside them has made needless: both ends dialled at once. Only the host
// with the smaller PeerID does, or each would close the other's.
func (s *station) closeSpares() {
	n := s.host.Network()
	for _, id := range n.Peers() {
		conns := n.ConnsToPeer(id)
		if len(conns) < 2 || s.host.ID() > id {
			continue
		}
		for _, c := range conns {
			if spare(c) && len(n.ConnsToPeer(id)) > 1 {
				_ = c.Close()
				break
			}
		}
	}
}

// spare says whether nothing has used a connection for a while.
func spare(c network.Conn) bool {
	return len(c.GetStreams()) == 0 && time.Since(c.Stat().Opened) > spareFor
}
