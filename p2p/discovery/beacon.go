package discovery

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

const (
	// lookEvery is how often the interfaces are looked at: what has changed is announced within three seconds.
	lookEvery = 3 * time.Second

	// renewEvery is when sockets are opened anew though nothing seems to have changed: access points forget who joined a group.
	renewEvery = 10 * time.Minute

	// answerGap is the shortest time between two announcements (RFC 6762 section 6).
	answerGap = time.Second

	// Packets about our service that are looked at, of all senders together and of each; one costs about 2 us. All others,
	// of which a big network is full, are told from them before anything is counted.
	packetRate, packetBurst = 200, 400
	senderRate, senderBurst = 10, 40

	// maxSenders bounds the senders whose packets are counted apart; the others share one count.
	maxSenders = 512
)

// BeaconConfig joins a Beacon to its node.
type BeaconConfig struct {
	Peer    identity.PeerID
	Listen  func() []ma.Multiaddr // what we listen on now; 0.0.0.0 and :: are every address of an interface
	Found   func(Find)            // called from one goroutine for each answer heard, again and again; must not block
	Refused func(cause string)    // counts what was turned away
	Logger  *slog.Logger
	Port    int // 0: that of multicast DNS
}

// Beacon looks for others on the local networks and lets itself be found there.
type Beacon struct {
	config   BeaconConfig
	instance string
	announce chan struct{} // a token when somebody wants to know that we are here
	limit    *rate.Limiter
	senders  senders
}

// NewBeacon makes a beacon. It does nothing before Run.
func NewBeacon(c BeaconConfig) *Beacon {
	if c.Port == 0 {
		c.Port = mdnsPort
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	var name [16]byte
	_, _ = rand.Read(name[:])
	return &Beacon{
		config: c, instance: hex.EncodeToString(name[:]), announce: make(chan struct{}, 1),
		limit: rate.NewLimiter(packetRate, packetBurst),
	}
}

// Announce says at once that we are here.
func (b *Beacon) Announce() {
	select {
	case b.announce <- struct{}{}:
	default:
	}
}

// Run looks and answers until ctx ends. Whatever goes wrong is tried again: a machine without a network today has one
// tomorrow.
func (b *Beacon) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var told error
	for {
		err := b.session(ctx, Look())
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			told = nil
			continue // a change, or time to renew
		}
		if told == nil || told.Error() != err.Error() {
			b.config.Logger.Info("nobody can be found on the local network for now", "err", err)
		}
		told = err
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// session speaks on the interfaces of now until they change, or until it is time to open the sockets anew. Its error says
// why nothing could be opened, or why a socket broke.
func (b *Beacon) session(ctx context.Context, now Network) error {
	var sockets []*socket
	var errs []error
	for _, family := range []string{"udp4", "udp6"} {
		s, err := openSocket(family, b.config.Port, now.speaking())
		if err != nil {
			errs = append(errs, err) // a machine may have one family only
			continue
		}
		sockets = append(sockets, s)
	}
	if len(sockets) == 0 {
		return errors.Join(errs...)
	}
	g, ctx := errgroup.WithContext(ctx)
	asked := make(chan struct{}, 1)
	for _, s := range sockets {
		g.Go(func() error { return b.listen(s, now, asked) })
	}
	g.Go(func() error {
		defer func() {
			for _, s := range sockets {
				_ = s.conn.Close() // ends listen
			}
		}()
		return b.speak(ctx, sockets, now, asked)
	})
	err := g.Wait()
	if errors.Is(err, errRenew) {
		return nil
	}
	return err
}

var errRenew = errors.New("time to open the sockets anew")

// senders count the packets of each sender. The zero value is ready; it is safe for concurrent use.
type senders struct {
	mu     sync.Mutex
	all    map[netip.Addr]*rate.Limiter // guarded by mu
	others *rate.Limiter                // guarded by mu
}

// allow takes a token of a sender's. Who has not been heard for a while is forgotten when there is no room.
func (s *senders) allow(from netip.Addr, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all, s.others = make(map[netip.Addr]*rate.Limiter), rate.NewLimiter(senderRate, senderBurst)
	}
	l := s.all[from]
	if l == nil && len(s.all) >= maxSenders {
		maps.DeleteFunc(s.all, func(_ netip.Addr, l *rate.Limiter) bool { return l.TokensAt(now) >= senderBurst })
	}
	if l == nil && len(s.all) >= maxSenders {
		return s.others.AllowN(now, 1)
	}
	if l == nil {
		l = rate.NewLimiter(senderRate, senderBurst)
		s.all[from] = l
	}
	return l.AllowN(now, 1)
}

// listen takes packets until the socket is closed.
func (b *Beacon) listen(s *socket, now Network, asked chan<- struct{}) error {
	buf := make([]byte, maxPacket)
	for {
		n, from, err := s.read(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil // by speak, which knows why
		}
		if err != nil {
			return fmt.Errorf("listening for others: %w", err)
		}
		if !now.localIP(from) { // the port is open to the world on some machines
			b.config.Refused("mdns")
			continue
		}
		if !mentions(buf[:n]) {
			continue
		}
		if !b.senders.allow(from, time.Now()) || !b.limit.Allow() {
			b.config.Refused("mdns")
			continue
		}
		m, err := parseMessage(buf[:n])
		if err != nil {
			continue // somebody else's
		}
		if m.asks {
			select {
			case asked <- struct{}{}:
			default:
			}
		}
		b.report(m.finds, from, now)
	}
}

// report hands finds on, less ourselves, what is not on our networks, and what another machine says of this one's loopback:
// what listens there is not for others to have us dial.
func (b *Beacon) report(finds []Find, from netip.Addr, now Network) {
	own := now.Has(from.AsSlice())
	for _, f := range finds {
		if f.Peer == b.config.Peer {
			continue
		}
		kept := f.Addresses[:0]
		for _, s := range f.Addresses {
			if a, err := ma.NewMultiaddr(s); err == nil && now.Local(a) && (own || !manet.IsIPLoopback(a)) {
				kept = append(kept, s)
			}
		}
		if f.Addresses = kept; len(kept) > 0 {
			b.config.Found(f)
		}
	}
}

// speak asks and answers until it is time to renew.
func (b *Beacon) speak(ctx context.Context, sockets []*socket, now Network, asked <-chan struct{}) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	looked := time.Now()
	renew := time.NewTimer(renewEvery)
	defer renew.Stop()
	ask := time.NewTimer(0)
	defer ask.Stop()
	wait := time.Second // between questions: 1, 2, 4 ... 120 s
	answer := time.NewTimer(0)
	defer answer.Stop()
	again := true // the first announcement is repeated once: packets get lost
	due := true   // the timer of the answer runs
	var said time.Time
	promise := func(at time.Duration) {
		if !due { // one that is due already answers everybody
			due = true
			answer.Reset(max(at, time.Until(said.Add(answerGap))))
		}
	}
	for {
		select {
		case <-ctx.Done():
			b.say(sockets, 0)
			return ctx.Err()
		case <-renew.C:
			return errRenew
		case <-look.C:
			if sleptSince(&looked) || !now.Same(Look()) {
				return errRenew
			}
		case <-ask.C:
			b.ask(sockets)
			ask.Reset(wait + mathrand.N(wait/4))
			wait = min(2*wait, 2*time.Minute)
		case <-asked:
			promise(mathrand.N(100 * time.Millisecond))
		case <-b.announce:
			promise(0)
		case <-answer.C:
			b.say(sockets, answerTTL)
			said, due = time.Now(), false
			if again {
				again = false
				promise(answerGap)
			}
		}
	}
}

// ask sends the question out of every interface. What cannot be sent now is sent the next time.
func (b *Beacon) ask(sockets []*socket) {
	q, err := query()
	if err != nil {
		return
	}
	for _, s := range sockets {
		for _, i := range s.on {
			_ = s.send(q, i, b.config.Port)
		}
	}
}

// say tells every network our addresses on it, and no others.
func (b *Beacon) say(sockets []*socket, ttl uint32) {
	ours := b.config.Listen()
	for _, s := range sockets {
		for _, i := range s.on {
			if m, err := announcement(b.instance, b.config.Peer, i.on(ours), ttl); err == nil {
				_ = s.send(m, i, b.config.Port)
			}
		}
	}
}
