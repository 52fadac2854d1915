package p2p

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	ci "github.com/libp2p/go-libp2p/core/crypto"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/link"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Node is a peer of the network. Its methods are safe for concurrent use, before, during and after Run.
type Node struct {
	self  peer.Self
	key   ci.PrivKey
	log   *slog.Logger
	age   time.Duration // at which links are made anew; 0: link.MaxAge
	lull  time.Duration // without talk for this long a link is idle; 0: idleAfter
	facts *facts
	table *table

	changes chan change   // takes services that need a new station
	ended   chan struct{} // closed when Run is back

	mu       sync.Mutex
	head     identity.ListHead // guarded by mu: our newest device list
	services peer.Services     // guarded by mu: those in force, or wanted before Run
	named    uint64            // guarded by mu: how often NearbyName was set
	station  *station          // guarded by mu; nil while there is none
	running  bool              // guarded by mu
	port     int               // guarded by mu: 0 until one was chosen
}

// change asks Run for a new station.
type change struct {
	services peer.Services
	named    uint64 // as it was when the services were asked for
	done     chan error
}

// errEnded says that the node does not run.
var errEnded = fmt.Errorf("the node is not running: %w", peer.ErrUnreachable)

// Open makes a node. It opens no socket and starts nothing; it fails when the configuration cannot work.
func Open(c Config) (*Node, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	quiet := slog.New(LogHandler(c.Logger.Handler())) // libp2p's errors are full of addresses
	key, err := ci.UnmarshalEd25519PrivateKey(c.Self.Host)
	if err != nil {
		return nil, fmt.Errorf("opening node: reading host key: %w", err)
	}
	if c.Self.Device == nil || c.Self.Device.Certificate == nil || c.Self.Device.Key == nil || c.Self.Account == nil {
		return nil, errors.New("opening node: it needs a device, its certificate and the account key")
	}
	if err := checkServices(c.Services); err != nil {
		return nil, fmt.Errorf("opening node: %w", err)
	}
	return &Node{
		self: c.Self, key: key, log: quiet, facts: newFacts(), table: newTable(),
		services: c.Services, head: c.Self.List, port: c.Self.Port,
		changes: make(chan change), ended: make(chan struct{}),
	}, nil
}

// Run is the node at work, until ctx ends and every goroutine that it started has returned. It may be called once. It fails
// when none of the addresses asked for can be listened on.
func (n *Node) Run(ctx context.Context, h Handler) error {
	n.mu.Lock()
	if n.running {
		n.mu.Unlock()
		return errors.New("running node: it ran before")
	}
	n.running = true
	services := n.services
	n.mu.Unlock()
	var g errgroup.Group
	g.Go(func() error { return n.facts.run(h.HandleFact) })
	g.Go(func() error {
		defer n.facts.close() // the last facts of the last station are told, too
		defer close(n.ended)
		return n.stations(ctx, h, services)
	})
	return g.Wait()
}

// stations runs one station after the other.
func (n *Node) stations(ctx context.Context, h Handler, services peer.Services) error {
	s, err := newStation(n, h, services)
	if err != nil {
		return err
	}
	begun := func() {}
	for {
		c, err := n.runStation(ctx, s, begun)
		if c == nil {
			return err
		}
		var refused error
		if s, refused = newStation(n, h, c.services); refused != nil {
			if s, err = newStation(n, h, services); err != nil { // back to what worked
				c.done <- errors.Join(refused, err)
				return err
			}
		} else {
			services = c.services
			n.setServices(c)
		}
		begun = func() { c.done <- refused }
	}
}

// runStation runs s until ctx ends or somebody wants another one. It calls begun when the station is at work.
func (n *Node) runStation(ctx context.Context, s *station, begun func()) (*change, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	n.setStation(s) // before run: who sets a table meanwhile is heard by one of the two
	defer n.setStation(nil)
	done := make(chan error, 1)
	go func() { done <- s.run(ctx) }()
	begun()
	select {
	case err := <-done:
		return nil, err
	case c := <-n.changes:
		n.setStation(nil)
		cancel()
		return &c, <-done
	}
}

// setStation makes s the one that calls go to, and gives it the services that were set while it was made.
func (n *Node) setStation(s *station) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.station = s
	n.tune()
}

// tune gives the station the services in force. The caller holds mu, so that the last of them is the last it hears.
func (n *Node) tune() {
	if n.station != nil {
		n.station.servicesChanged(n.services)
	}
}

// setServices makes those of a change the ones in force. A name that was set since it was asked for stands.
func (n *Node) setServices(c *change) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.named != c.named {
		c.services.NearbyName = n.services.NearbyName
	}
	n.services = c.services
}

// list is our newest device list.
func (n *Node) list() identity.ListHead {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.head
}

// at returns the station, or nil.
func (n *Node) at() *station {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.station
}

// SetPeers replaces the table of peers. Wanted ones are dialled, links get their new class, blocked peers are cut off.
func (n *Node) SetPeers(rows []peer.Known) {
	moved := n.table.set(rows)
	if s := n.at(); s != nil {
		s.peersChanged(moved)
	}
}

// SetServices says what the node is to do from now on. A change of what it listens on, or of the proxy, makes a new host:
// links end and come back. It returns when the change is in force, or with the reason why things stay as they were.
func (n *Node) SetServices(v peer.Services) error {
	if err := checkServices(v); err != nil {
		return fmt.Errorf("changing services: %w", err)
	}
	v.Listen = slices.Clone(v.Listen)
	n.mu.Lock()
	n.named++
	c := change{v, n.named, make(chan error, 1)}
	soft := !n.running || sameListen(n.services.Listen, v.Listen) && n.services.Proxy == v.Proxy
	if soft {
		n.services = v
		n.tune()
	}
	n.mu.Unlock()
	if soft {
		return nil
	}
	select {
	case n.changes <- c:
	case <-n.ended:
		return errEnded
	}
	select {
	case err := <-c.done:
		return err
	case <-n.ended:
		return errEnded
	}
}

// sameListen tells nil, which is everywhere, from an empty list, which is nowhere.
func sameListen(a, b []string) bool { return (a == nil) == (b == nil) && slices.Equal(a, b) }

// SetNearby changes the name that people nearby are told, and nothing else: links stay as they are. An empty one hides us
// again. Like all tables it may be set before, during and after Run. It never fails.
func (n *Node) SetNearby(name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.named++
	n.services.NearbyName = name
	n.tune()
	return nil
}

// SetList says which device list of our account is the newest. Handshakes from now on name it; links that stand do not
// hear of it.
func (n *Node) SetList(head identity.ListHead) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.head = head
}

// Call asks a device and returns what its handler returned. Without a link it tries to make one, whatever the back-off.
// Errors: peer.ErrLater and peer.ErrRefused are the peer's answers; peer.ErrNewer says that it runs a newer version, or that
// the request is newer than it; peer.ErrUnreachable that no answer came, though the request may have been handled; the
// context's own errors. It may be called again after any of them.
func (n *Node) Call(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
	var out []byte
	err := n.across(ctx, to, func(l *link.Link) (err error) {
		out, err = l.Call(ctx, k, body)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Push sends a request that wants no reply, and returns when it is on its way. Errors are those of Call, less the answers.
func (n *Node) Push(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) error {
	return n.across(ctx, to, func(l *link.Link) error { return l.Push(ctx, k, body) })
}

// across runs f on a link with a device. A link that turns out to be over is replaced, twice at most: by one that is there,
// by a new one.
func (n *Node) across(ctx context.Context, to identity.DeviceID, f func(*link.Link) error) error {
	var last error
	for range 3 {
		s := n.at()
		if s == nil {
			return errEnded
		}
		l, err := s.reach(ctx, to)
		if err != nil {
			return err
		}
		if last = f(l); !errors.Is(last, link.ErrGone) {
			return last
		}
	}
	return fmt.Errorf("%w: %w", peer.ErrUnreachable, last)
}

// CallBare sends a request to somebody who is no contact, without showing who we are. No service behind it is part of this
// version, and it says so.
func (n *Node) CallBare(context.Context, peer.Address, peer.Kind, []byte) ([]byte, error) {
	return nil, fmt.Errorf("mailboxes are not part of this version: %w", peer.ErrUnreachable)
}

// SetTopics says which topics to listen to. There is no gossip in this version: links carry everything, and nothing is kept
// of what is set here.
func (n *Node) SetTopics([]peer.Topic) {}

// ErrNoGossip is what Publish returns: this version has no gossip, which never was more than a hint.
var ErrNoGossip = errors.New("gossip is not part of this version; links carry everything")

// Publish gossips data on a topic. It returns ErrNoGossip.
func (n *Node) Publish(context.Context, peer.Topic, []byte) error { return ErrNoGossip }

// Status is a snapshot of the node's figures.
func (n *Node) Status() peer.Status {
	out := peer.Status{Refused: n.facts.refused()}
	if s := n.at(); s != nil {
		out.Peers, out.LAN = s.paths.count()
		out.Listen = s.listening()
		v := s.tuned()
		out.DialOnly = len(v.Listen) == 0 && (v.Listen != nil || v.Proxy != "")
	}
	return out
}

// checkServices refuses what this version cannot do, rather than pretend.
func checkServices(v peer.Services) error {
	if v.Relay || v.Rendezvous || v.Public {
		return errors.New("relay, rendezvous and public reachability are not part of this version")
	}
	if _, err := parseListen(v.Listen); err != nil {
		return err
	}
	if v.Proxy != "" {
		_, err := parseProxy(v.Proxy)
		return err
	}
	return nil
}
