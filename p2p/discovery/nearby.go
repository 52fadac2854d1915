package discovery

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/time/rate"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	// Answers to hello: to all together, and to one peer, who has no reason to ask more than once in askAgain.
	answerRate, answerBurst   = 10, 20
	answerEach, answerOneself = 5 * time.Second, 4

	// asking is how many are asked at a time.
	asking = 8

	// maxAskers bounds the askers whose rate is remembered.
	maxAskers = 1024
)

// NearbyConfig joins a Nearby to its node.
type NearbyConfig struct {
	Host    host.Host
	Card    func() (Card, bool)        // what we answer; false: we do not show ourselves
	Local   func(ma.Multiaddr) bool    // whether a connection stays on the local network
	Blocked func(identity.PeerID) bool // whom to leave alone
	Dial    func() bool                // takes one of the dials that candidates get; false: none is left for now
	Found   func(peer.Found)           // somebody answered
	Refused func(cause string)
	Logger  *slog.Logger
}

// Nearby asks those whom the beacon finds who they are, and answers the same question, while we show ourselves.
type Nearby struct {
	config NearbyConfig
	heard  chan Find
	total  *rate.Limiter

	mu     sync.Mutex
	askers map[identity.PeerID]*rate.Limiter // guarded by mu
	purged time.Time                         // guarded by mu: the last purge
}

// NewNearby makes a Nearby. It does nothing before Run.
func NewNearby(c NearbyConfig) *Nearby {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Nearby{
		config: c, heard: make(chan Find, 64), total: rate.NewLimiter(answerRate, answerBurst),
		askers: make(map[identity.PeerID]*rate.Limiter),
	}
}

// Hear notes a find of the beacon's. It never blocks: what comes faster than it can be noted comes again.
func (n *Nearby) Hear(f Find) {
	select {
	case n.heard <- f:
	default:
	}
}

// Run asks and answers until ctx ends, and returns when nothing is under way.
func (n *Nearby) Run(ctx context.Context) error {
	var handlers sync.WaitGroup
	defer handlers.Wait()
	var mu sync.Mutex
	open := true
	n.config.Host.SetStreamHandler(Hello, func(s network.Stream) {
		mu.Lock()
		if !open {
			mu.Unlock()
			_ = s.Reset()
			return
		}
		handlers.Add(1)
		mu.Unlock()
		defer handlers.Done()
		defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
		n.answer(s)
	})
	defer func() {
		n.config.Host.RemoveStreamHandler(Hello)
		mu.Lock()
		open = false
		mu.Unlock()
	}()
	return n.ask(ctx)
}

// ask keeps the book and asks who is due.
func (n *Nearby) ask(ctx context.Context) error {
	b := newBook()
	type outcome struct {
		e  *entry
		ok bool
	}
	done := make(chan outcome)
	timer := time.NewTimer(0)
	defer timer.Stop()
	busy := 0
	defer func() {
		for ; busy > 0; busy-- {
			<-done
		}
	}()
	for {
		for busy < asking {
			e, at := b.next(time.Now())
			if e == nil {
				timer.Reset(time.Until(at))
				break
			}
			e.busy = true
			busy++
			find := e.find
			go func() { done <- outcome{e, n.meet(ctx, find)} }()
		}
		select {
		case f := <-n.heard:
			if !n.config.Blocked(f.Peer) {
				b.hear(f, time.Now())
			}
		case o := <-done:
			busy--
			o.e.asked(o.ok, time.Now())
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// meet asks one candidate, and connects to it if need be.
func (n *Nearby) meet(ctx context.Context, f Find) bool {
	id := corepeer.ID(f.Peer[:])
	h := n.config.Host
	if h.Network().Connectedness(id) != network.Connected {
		if !n.config.Dial() {
			return false
		}
		info := corepeer.AddrInfo{ID: id}
		for _, s := range f.Addresses {
			if a, err := ma.NewMultiaddr(s); err == nil {
				info.Addrs = append(info.Addrs, a)
			}
		}
		dial, cancel := context.WithTimeout(ctx, helloDeadline)
		defer cancel()
		if err := h.Connect(dial, info); err != nil {
			n.config.Logger.Debug("somebody nearby cannot be reached", "peer", f.Peer.Short(), "err", err)
			return false
		}
	}
	if !n.near(id) {
		return false
	}
	card, err := ask(ctx, h, id)
	if err != nil {
		n.config.Logger.Debug("somebody nearby does not say who they are", "peer", f.Peer.Short(), "err", err)
		return false
	}
	n.config.Found(peer.Found{Peer: f.Peer, Account: card.Account, Name: card.Name, Addresses: f.Addresses})
	return true
}

// near says whether some connection to a host stays on the local network.
func (n *Nearby) near(id corepeer.ID) bool {
	for _, c := range n.config.Host.Network().ConnsToPeer(id) {
		if n.config.Local(c.RemoteMultiaddr()) {
			return true
		}
	}
	return false
}

// answer says who we are to somebody on the local network.
func (n *Nearby) answer(s network.Stream) {
	var from identity.PeerID
	copy(from[:], s.Conn().RemotePeer())
	card, shown := n.config.Card()
	switch {
	case s.Scope().SetService(HelloService) != nil:
		n.config.Refused("limit")
	case !shown, n.config.Blocked(from):
		n.config.Refused("hello")
	case !n.config.Local(s.Conn().RemoteMultiaddr()):
		n.config.Refused("not_local")
	case !n.allow(from):
		n.config.Refused("rate")
	default:
		_ = answer(s, card)
		return
	}
	_ = s.ResetWithError(network.StreamRateLimited)
}

// allow takes a token of the asker's and one of all askers'.
func (n *Nearby) allow(from identity.PeerID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.askers[from]
	if l == nil {
		if len(n.askers) >= maxAskers {
			n.purge(time.Now())
		}
		if len(n.askers) >= maxAskers {
			return false
		}
		l = rate.NewLimiter(rate.Every(answerEach), answerOneself)
		n.askers[from] = l
	}
	return l.Allow() && n.total.Allow()
}

// purge forgets the askers who have not asked lately, once a second at most: it looks at all of them. The caller holds mu.
func (n *Nearby) purge(now time.Time) {
	if now.Sub(n.purged) < time.Second {
		return
	}
	n.purged = now
	for id, l := range n.askers {
		if l.TokensAt(now) >= answerOneself {
			delete(n.askers, id)
		}
	}
}
