package link

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// The protocols of this package, and the names under which libp2p's resource manager limits them.
const (
	Handshake protocol.ID = handshakePrefix + "1"
	Protocol  protocol.ID = "/cryptexq/link/1"

	HandshakeService = "cryptexq.hs"
	Service          = "cryptexq.link"
)

// The version in Handshake; a host that offers higher ones only is newer than we are.
const (
	handshakePrefix  = "/cryptexq/hs/"
	handshakeVersion = 1
)

// maxLinks is how many links with one device are kept: one in use, one that replaces it, and as many again when both ends
// dialled at once.
const maxLinks = 4

// Config joins a Pool to its node. The functions are called from many goroutines at a time.
type Config struct {
	Self   peer.Self
	Logger *slog.Logger  // nil discards
	MaxAge time.Duration // when a link is worn; 0: the package's MaxAge

	// List is our newest device list, asked for each handshake; nil: that of Self.
	List func() identity.ListHead
	// Nearby says whether handshakes are answered that name us by PeerID alone, and so anybody is told our account who is at
	// the other end of c.
	Nearby func(c network.Conn) bool
	// Class says what a host is to us before it has proven anything: peer.Stranger if it is in no table.
	Class func(identity.PeerID) peer.Class
	// Hello is told who stands at the other end of a fresh link and says what they are to us; an error ends the link.
	Hello func(context.Context, peer.Hello) (peer.Class, error)
	// Frame handles a request and returns the reply, or an error as Handler.HandleFrame of the node does.
	Frame func(context.Context, identity.DeviceID, peer.Kind, []byte) ([]byte, error)
	// Refused counts something that was turned away.
	Refused func(cause string)
	// Changed is told that a link came up or ended.
	Changed func(l *Link, up bool)
}

// Pool makes, serves and keeps the links of one libp2p host.
type Pool struct {
	host   host.Host
	config Config
	shaker *shaker
	held   chan struct{}        // a token for each stream that waits for its link to come
	begun  chan context.Context // holds the context of Run once it runs: streams that come before wait for it

	patience patience

	mu      sync.Mutex
	running bool                        // guarded by mu
	byID    map[ID]*Link                // guarded by mu: greeted or not
	peers   map[identity.PeerID]*guest  // guarded by mu: who has a link
	devices map[identity.DeviceID]*Link // guarded by mu: the newest greeted link with each
	shaking map[identity.PeerID]*shakes // guarded by mu: with whom handshakes are under way
	arrived chan struct{}               // guarded by mu: closed and replaced when a link comes, or a handshake ends

	tasks sync.WaitGroup // every goroutine; added to under mu while running
}

// patience is how long others are waited for.
type patience struct {
	stall time.Duration // stallDeadline
	third time.Duration // thirdDeadline
	hold  time.Duration // holdUnknown
}

// guest is who has links with us.
type guest struct {
	links []*Link // greeted ones, the newest last
	meter *meter
}

// New makes a pool for h. Streams are taken from now on, for libp2p tells others at once what a host speaks, but they wait
// for Run.
func New(h host.Host, c Config) *Pool {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MaxAge == 0 {
		c.MaxAge = MaxAge
	}
	if c.List == nil {
		c.List = func() identity.ListHead { return c.Self.List }
	}
	p := &Pool{
		running: true,
		host:    h, config: c, held: make(chan struct{}, maxHeld), begun: make(chan context.Context, 1),
		patience: patience{stall: stallDeadline, third: thirdDeadline, hold: holdUnknown},
		byID:     make(map[ID]*Link),
		peers:    make(map[identity.PeerID]*guest),
		devices:  make(map[identity.DeviceID]*Link),
		shaking:  make(map[identity.PeerID]*shakes),
		arrived:  make(chan struct{}),
	}
	p.shaker = newShaker(p)
	h.SetStreamHandler(Handshake, p.task(p.respond))
	h.SetStreamHandler(Protocol, p.task(p.accept))
	return p
}

// Run answers until ctx ends, then ends every link and returns when every goroutine of the pool has. It runs once.
func (p *Pool) Run(ctx context.Context) error {
	p.begun <- ctx
	<-ctx.Done()
	// The handlers stay: who shakes hands with a host that is stopping is to hear that, and not that it speaks another protocol.
	p.mu.Lock()
	p.running = false
	var all []*Link
	for _, l := range p.byID {
		all = append(all, l)
	}
	p.mu.Unlock()
	for _, l := range all {
		l.close(codeLeaving, errClosed)
	}
	p.resetStreams()
	p.tasks.Wait()
	return nil
}

// resetStreams ends what belongs to no link yet: handshakes, and streams that wait for a link.
func (p *Pool) resetStreams() {
	for _, c := range p.host.Network().Conns() {
		for _, s := range c.GetStreams() {
			if id := s.Protocol(); id == Handshake || id == Protocol {
				_ = s.ResetWithError(codeLeaving)
			}
		}
	}
}

// task makes a stream handler whose goroutine Run waits for.
func (p *Pool) task(f func(context.Context, network.Stream)) network.StreamHandler {
	return func(s network.Stream) {
		var ctx context.Context
		select {
		case ctx = <-p.begun:
			p.begun <- ctx
		case <-time.After(shakeDeadline):
			_ = s.ResetWithError(codeLater)
			return
		}
		if !p.enter() {
			_ = s.ResetWithError(codeLeaving)
			return
		}
		defer p.tasks.Done()
		f(ctx, s)
	}
}

// spawn runs f in a goroutine that Run waits for; false when the pool has ended.
func (p *Pool) spawn(f func()) bool {
	if !p.enter() {
		return false
	}
	go func() {
		defer p.tasks.Done()
		f()
	}()
	return true
}

func (p *Pool) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running {
		p.tasks.Add(1)
	}
	return p.running
}

// refuse counts a cause; an empty one is none. What is turned away because we are stopping is nobody's fault.
func (p *Pool) refuse(cause string) {
	p.mu.Lock()
	running := p.running
	p.mu.Unlock()
	if cause != "" && running {
		p.config.Refused(cause)
	}
}

// expect takes in a link whose other end has not been greeted yet: its streams wait from now on.
func (p *Pool) expect(l *Link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running {
		return false
	}
	p.byID[l.id] = l
	p.wake()
	return true
}

// wake has everybody look again who waits for a link. The caller holds mu.
func (p *Pool) wake() {
	close(p.arrived)
	p.arrived = make(chan struct{})
}

// admit makes a greeted link one that is used.
func (p *Pool) admit(l *Link) {
	p.mu.Lock()
	if p.byID[l.id] != l { // ended meanwhile
		p.mu.Unlock()
		return
	}
	g := p.peers[l.hello.Peer]
	if g == nil {
		g = &guest{meter: newMeter()}
		p.peers[l.hello.Peer] = g
	}
	g.links = append(g.links, l)
	p.devices[l.device] = l
	var old *Link
	if len(g.links) > maxLinks {
		old = g.links[0]
	}
	p.mu.Unlock()
	close(l.greeted)
	if old != nil {
		old.Close()
	}
	p.config.Changed(l, true)
}

// forget is called by a link that has ended.
func (p *Pool) forget(l *Link) {
	p.mu.Lock()
	delete(p.byID, l.id)
	admitted := false
	if g := p.peers[l.hello.Peer]; g != nil {
		if i := slices.Index(g.links, l); i >= 0 {
			g.links = slices.Delete(g.links, i, i+1)
			admitted = true
		}
		if len(g.links) == 0 {
			delete(p.peers, l.hello.Peer)
		}
		p.replace(l, g)
	}
	p.mu.Unlock()
	if admitted {
		p.config.Changed(l, false)
	}
}

// replace makes the newest link that is left with l's device the one to use. The caller holds mu.
func (p *Pool) replace(l *Link, g *guest) {
	if p.devices[l.device] != l {
		return
	}
	delete(p.devices, l.device)
	for _, o := range g.links {
		if o.device == l.device {
			p.devices[l.device] = o
		}
	}
}

// Find returns the newest link with a device, or nil.
func (p *Pool) Find(id identity.DeviceID) *Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.devices[id]
}

// Newest returns the newest link with a host, or nil.
func (p *Pool) Newest(id identity.PeerID) *Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g := p.peers[id]; g != nil {
		return g.links[len(g.links)-1]
	}
	return nil
}

// Links returns the links with a host, the oldest first, or all links if id is zero.
func (p *Pool) Links(id identity.PeerID) []*Link {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id != (identity.PeerID{}) {
		if g := p.peers[id]; g != nil {
			return slices.Clone(g.links)
		}
		return nil
	}
	var all []*Link
	for _, g := range p.peers {
		all = append(all, g.links...)
	}
	return all
}
