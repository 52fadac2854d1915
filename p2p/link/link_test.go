package link

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	ci "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	quictransport "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// party is somebody with a real host on loopback and a pool.
type party struct {
	host host.Host
	pool *Pool
	self peer.Self
	stop func() // ends the pool and waits for it

	mu      sync.Mutex
	classes map[identity.PeerID]peer.Class
	greeted []peer.Hello
	refused map[string]int
	ups     int
	downs   int
	changed chan struct{}

	hello func(peer.Hello) (peer.Class, error)
	frame func(context.Context, identity.DeviceID, peer.Kind, []byte) ([]byte, error)
}

func newSelf(t testing.TB) (peer.Self, ed25519.PrivateKey) {
	t.Helper()
	account, err := composite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	device, err := composite.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := identity.IssueCertificate(account, device, key, identity.CertificateTemplate{Index: 1})
	if err != nil {
		t.Fatal(err)
	}
	return peer.Self{Account: account.Public(), Device: &identity.Device{Certificate: cert, Key: device}, Host: key}, key
}

// newHost is a host over one transport, so that a test says which it means.
func newHost(t testing.TB, key ed25519.PrivateKey, over string) host.Host {
	t.Helper()
	k, err := ci.UnmarshalEd25519PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	opts := []libp2p.Option{libp2p.Identity(k), libp2p.DisableRelay(), libp2p.DisableMetrics(), libp2p.Security(libp2ptls.ID, libp2ptls.New)}
	if over == "quic" {
		opts = append(opts, libp2p.Transport(quictransport.NewTransport), libp2p.ListenAddrStrings("/ip4/127.0.0.1/udp/0/quic-v1"))
	} else {
		opts = append(opts, libp2p.Transport(tcp.NewTCPTransport), libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"))
	}
	h, err := libp2p.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func newParty(t testing.TB, over string) *party {
	t.Helper()
	self, key := newSelf(t)
	p := &party{
		host: newHost(t, key, over), self: self,
		classes: make(map[identity.PeerID]peer.Class), refused: make(map[string]int), changed: make(chan struct{}),
	}
	p.pool = New(p.host, Config{
		Self:   self,
		Nearby: func() bool { return false },
		Class: func(id identity.PeerID) peer.Class {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.classes[id]
		},
		Hello: func(_ context.Context, h peer.Hello) (peer.Class, error) {
			p.note(func() { p.greeted = append(p.greeted, h) })
			if p.hello != nil {
				return p.hello(h)
			}
			return peer.Contact, nil
		},
		Frame: func(ctx context.Context, from identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
			if p.frame == nil {
				return slices.Concat([]byte("re "), body), nil
			}
			return p.frame(ctx, from, k, body)
		},
		Refused: func(cause string) { p.note(func() { p.refused[cause]++ }) },
		Changed: func(_ *Link, up bool) {
			p.note(func() {
				if up {
					p.ups++
				} else {
					p.downs++
				}
			})
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.pool.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(p.stop)
	p.answers(t)
	return p
}

// answers waits until Run has begun.
func (p *party) answers(t testing.TB) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		if len(p.pool.begun) > 0 {
			return
		}
		<-tick.C
	}
	t.Fatal("the pool does not run")
}

// note changes what the party has seen and wakes who waits for it.
func (p *party) note(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
}

// eventually waits until cond holds; it is looked at whenever the party notes something.
func (p *party) eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	end := time.After(15 * time.Second)
	for {
		p.mu.Lock()
		ok, changed := cond(), p.changed
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-end:
			t.Fatalf("it never happened: %s; refused %v", what, p.refused)
		}
	}
}

// counted waits for n refusals with a cause.
func (p *party) counted(t testing.TB, cause string, n int) {
	t.Helper()
	p.eventually(t, fmt.Sprintf("%d refused for %q", n, cause), func() bool { return p.refused[cause] >= n })
}

func (p *party) id() identity.PeerID         { return p.self.Device.Certificate.Peer }
func (p *party) account() identity.AccountID { return p.self.Device.Certificate.Account }
func (p *party) device() identity.DeviceID   { return p.self.Device.Certificate.ID() }
func (p *party) target() Target              { return Target{Peer: p.id(), Account: p.account()} }
func (p *party) info() corepeer.AddrInfo {
	return corepeer.AddrInfo{ID: p.host.ID(), Addrs: p.host.Addrs()}
}

// connect joins two hosts by libp2p only.
func connect(t testing.TB, a, b host.Host) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := a.Connect(ctx, corepeer.AddrInfo{ID: b.ID(), Addrs: b.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

// join makes a link from a to b.
func join(t testing.TB, a, b *party) *Link {
	t.Helper()
	connect(t, a.host, b.host)
	l, err := a.pool.Connect(t.Context(), b.target())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func each(t *testing.T, f func(t *testing.T, over string)) {
	for _, over := range []string{"tcp", "quic"} {
		t.Run(over, func(t *testing.T) { f(t, over) })
	}
}

func TestCallReachesTheHandlerAndBack(t *testing.T) {
	each(t, func(t *testing.T, over string) {
		a, b := newParty(t, over), newParty(t, over)
		l := join(t, a, b)
		out, err := l.Call(t.Context(), peer.Have, []byte("hello"))
		if err != nil || string(out) != "re hello" {
			t.Fatalf("Call = %q, %v", out, err)
		}
		if l.Device() != b.device() {
			t.Error("the link leads to another device")
		}
		b.eventually(t, "b has the link", func() bool { return b.ups == 1 })
		back := b.pool.Newest(a.id())
		if out, err := back.Call(t.Context(), peer.Deliver, []byte("there")); err != nil || string(out) != "re there" {
			t.Fatalf("Call on the same link from the other end = %q, %v", out, err)
		}
		if h := b.greeted[0]; identity.AccountOf(h.Account) != a.account() || h.Peer != a.id() || h.Certificate.ID() != a.device() {
			t.Error("b was told of somebody else")
		}
	})
}

func TestLongestBodiesPass(t *testing.T) {
	each(t, func(t *testing.T, over string) {
		a, b := newParty(t, over), newParty(t, over)
		l := join(t, a, b)
		long := make([]byte, peer.MaxBody)
		b.frame = func(_ context.Context, _ identity.DeviceID, _ peer.Kind, body []byte) ([]byte, error) {
			return body[1:], nil
		}
		_, _ = rand.Read(long)
		out, err := l.Call(t.Context(), peer.Sync, long)
		if err != nil || !slices.Equal(out, long[1:]) {
			t.Fatalf("Call with %d bytes: %d bytes, %v", len(long), len(out), err)
		}
		if _, err := l.Call(t.Context(), peer.Sync, make([]byte, peer.MaxBody+1)); err == nil {
			t.Error("a longer one passes")
		}
	})
}

func TestErrorsOfTheHandlerComeBack(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	l := join(t, a, b)
	rows := []struct {
		name string
		err  error
		want error
	}{
		{"later", peer.ErrLater, peer.ErrLater},
		{"refused", peer.ErrRefused, peer.ErrRefused},
		{"refused for a cause", &peer.RefusedError{Cause: "signature"}, peer.ErrRefused},
		{"newer", fmt.Errorf("record 99: %w", peer.ErrNewer), peer.ErrNewer},
		{"disk full", errors.New("no space left on device"), peer.ErrLater},
	}
	for _, r := range rows {
		b.frame = func(context.Context, identity.DeviceID, peer.Kind, []byte) ([]byte, error) { return nil, r.err }
		out, err := l.Call(t.Context(), peer.Control, nil)
		if out != nil || !errors.Is(err, r.want) {
			t.Errorf("%s: Call = %q, %v, want %v", r.name, out, err, r.want)
		}
		for _, other := range []error{peer.ErrLater, peer.ErrRefused, peer.ErrNewer, peer.ErrUnreachable} {
			if other != r.want && errors.Is(err, other) {
				t.Errorf("%s: the error is %v, too", r.name, other)
			}
		}
	}
	b.counted(t, "signature", 1)
	b.counted(t, "refused", 1)
	b.counted(t, "newer", 1)
}

func TestEmptyReplyIsNoError(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	l := join(t, a, b)
	b.frame = func(context.Context, identity.DeviceID, peer.Kind, []byte) ([]byte, error) { return nil, nil }
	if out, err := l.Call(t.Context(), peer.Typing, []byte{1}); err != nil || len(out) != 0 {
		t.Errorf("Call = %q, %v", out, err)
	}
}

func TestPushIsHandledAndNotAnswered(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	l := join(t, a, b)
	got := make(chan string, 1)
	b.frame = func(_ context.Context, _ identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
		got <- k.String() + " " + string(body)
		return []byte("nobody reads this"), nil
	}
	if err := l.Push(t.Context(), peer.Typing, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "typing x" {
		t.Errorf("pushed %q", s)
	}
}

// TestLongReplyHoldsUpNothing lets fifteen requests of the bulk lanes hang and asks small things meanwhile.
func TestLongReplyHoldsUpNothing(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	l := join(t, a, b)
	hang := make(chan struct{})
	started := make(chan struct{}, MaxRequests)
	b.frame = func(_ context.Context, _ identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
		if k == peer.Fetch {
			started <- struct{}{}
			<-hang
			return make([]byte, 64<<10), nil
		}
		return body, nil
	}
	var wg sync.WaitGroup
	for range MaxRequests - 1 {
		wg.Go(func() {
			if _, err := l.Call(t.Context(), peer.Fetch, []byte("x")); err != nil {
				t.Error(err)
			}
		})
	}
	for range MaxRequests - 1 {
		<-started
	}
	for range 100 {
		if _, err := l.Call(t.Context(), peer.Have, []byte("quick")); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(hang)
	wg.Wait()
}

func TestManyCallsShareFewStreams(t *testing.T) {
	each(t, func(t *testing.T, over string) {
		a, b := newParty(t, over), newParty(t, over)
		l := join(t, a, b)
		var wg sync.WaitGroup
		for i := range 400 {
			wg.Go(func() {
				k := []peer.Kind{peer.Have, peer.Deliver, peer.Fetch, peer.Sync}[i%4]
				body := fmt.Appendf(nil, "%d", i)
				if out, err := l.Call(t.Context(), k, body); err != nil || string(out) != "re "+string(body) {
					t.Errorf("Call %d = %q, %v", i, out, err)
				}
			})
		}
		wg.Wait()
		if n := l.number() / 2; n > laneCount {
			t.Errorf("%d streams for 400 calls", n)
		}
	})
}

func TestSimultaneousHandshakesMakeTwoWorkingLinks(t *testing.T) {
	each(t, func(t *testing.T, over string) {
		a, b := newParty(t, over), newParty(t, over)
		connect(t, a.host, b.host)
		var wg sync.WaitGroup
		for _, pair := range [][2]*party{{a, b}, {b, a}} {
			wg.Go(func() {
				if _, err := pair[0].pool.Connect(t.Context(), pair[1].target()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		a.eventually(t, "two links at a", func() bool { return a.ups == 2 })
		b.eventually(t, "two links at b", func() bool { return b.ups == 2 })
		for _, l := range append(a.pool.Links(b.id()), b.pool.Links(a.id())...) {
			if _, err := l.Call(t.Context(), peer.Have, nil); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestClosedLinkIsNoticedAtTheOtherEnd(t *testing.T) {
	each(t, func(t *testing.T, over string) {
		a, b := newParty(t, over), newParty(t, over)
		l := join(t, a, b)
		b.eventually(t, "b has the link", func() bool { return b.ups == 1 })
		back := b.pool.Newest(a.id())
		if err := back.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.Close()
		b.eventually(t, "b lost the link", func() bool { return b.downs == 1 })
		if _, err := back.Call(t.Context(), peer.Have, nil); !errors.Is(err, ErrGone) {
			t.Errorf("Call on an ended link: %v, want ErrGone", err)
		}
	})
}

func TestRefusalByTheNodeReachesTheInitiator(t *testing.T) {
	each(t, func(t *testing.T, over string) {
		a, b := newParty(t, over), newParty(t, over)
		b.hello = func(peer.Hello) (peer.Class, error) { return 0, &peer.RefusedError{Cause: "revoked"} }
		connect(t, a.host, b.host)
		if _, err := a.pool.Connect(t.Context(), b.target()); !errors.Is(err, peer.ErrRefused) {
			t.Errorf("Connect = %v, want ErrRefused", err)
		}
		b.counted(t, "revoked", 1)
		if a.ups+b.ups != 0 {
			t.Error("somebody was told of a link")
		}
	})
}

func TestStreamsWaitForASlowGreeting(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	asked, answer := make(chan struct{}), make(chan struct{})
	b.hello = func(peer.Hello) (peer.Class, error) { close(asked); <-answer; return peer.Contact, nil }
	connect(t, a.host, b.host)
	linked := make(chan error, 1)
	go func() {
		_, err := a.pool.Connect(t.Context(), b.target())
		linked <- err
	}()
	<-asked
	select {
	case err := <-linked:
		t.Fatalf("Connect is back before the greeting: %v", err)
	default:
	}
	close(answer)
	if err := <-linked; err != nil {
		t.Fatal(err)
	}
}

func TestWrongAccountIsNotTalkedTo(t *testing.T) {
	a, b, c := newParty(t, "tcp"), newParty(t, "tcp"), newParty(t, "tcp")
	connect(t, a.host, b.host)
	_, err := a.pool.Connect(t.Context(), Target{Peer: b.id(), Account: c.account()})
	if !errors.Is(err, ErrBroken) { // b's filter does not know c's name, and says no more than that
		t.Errorf("Connect = %v, want ErrBroken", err)
	}
	b.counted(t, "filter", 1)
	if len(b.greeted) != 0 {
		t.Error("b greeted somebody")
	}
}

func TestNearbyFilterIsOffUnlessSwitchedOn(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	connect(t, a.host, b.host)
	if _, err := a.pool.Connect(t.Context(), Target{Peer: b.id()}); err == nil {
		t.Error("found by PeerID alone")
	}
	b.pool.config.Nearby = func() bool { return true }
	if _, err := a.pool.Connect(t.Context(), Target{Peer: b.id()}); err != nil {
		t.Error(err)
	}
}

func TestNewerVersionIsRecognised(t *testing.T) {
	a := newParty(t, "tcp")
	_, key := newSelf(t)
	h := newHost(t, key, "tcp")
	h.SetStreamHandler("/cryptexq/hs/2", nil)
	connect(t, a.host, h)
	_, err := a.pool.Connect(t.Context(), Target{Peer: identity.PeerIDOf(key.Public().(ed25519.PublicKey)), Account: a.account()})
	if !errors.Is(err, peer.ErrNewer) {
		t.Errorf("Connect = %v, want ErrNewer", err)
	}
	_, key = newSelf(t)
	h = newHost(t, key, "tcp")
	connect(t, a.host, h)
	_, err = a.pool.Connect(t.Context(), Target{Peer: identity.PeerIDOf(key.Public().(ed25519.PublicKey)), Account: a.account()})
	if !errors.Is(err, ErrBroken) || errors.Is(err, peer.ErrNewer) {
		t.Errorf("Connect to a host of another kind = %v, want ErrBroken", err)
	}
}

func TestCallEndsWithItsContext(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	l := join(t, a, b)
	hang := make(chan struct{})
	defer close(hang)
	b.frame = func(ctx context.Context, _ identity.DeviceID, _ peer.Kind, _ []byte) ([]byte, error) {
		select {
		case <-hang:
		case <-ctx.Done():
		}
		return nil, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := l.Call(ctx, peer.Fetch, nil); done <- err }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Call = %v, want Canceled", err)
	}
	if err := l.Ping(t.Context()); err != nil {
		t.Errorf("the link did not survive it: %v", err)
	}
}

func TestStrangersAskOnlyWhatStrangersMay(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	b.hello = func(peer.Hello) (peer.Class, error) { return peer.Stranger, nil }
	l := join(t, a, b)
	for k := peer.Kind(1); k < 16; k++ {
		lim, ok := k.Limits()
		if !ok {
			continue
		}
		_, err := l.Call(t.Context(), k, []byte("x"))
		if lim.Stranger && err != nil {
			t.Errorf("%s: %v", k, err)
		}
		if !lim.Stranger && !errors.Is(err, peer.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", k, err)
		}
	}
	b.counted(t, "stranger", 1)
	b.pool.Newest(a.id()).SetClass(peer.Contact)
	if _, err := l.Call(t.Context(), peer.Fetch, []byte("x")); err != nil {
		t.Errorf("a raised class does not count: %v", err)
	}
}

func TestStrangersAreThrottledAndContactsAreNot(t *testing.T) {
	for _, class := range []peer.Class{peer.Stranger, peer.Contact} {
		a, b := newParty(t, "tcp"), newParty(t, "tcp")
		b.hello = func(peer.Hello) (peer.Class, error) { return class, nil }
		l := join(t, a, b)
		later := 0
		for range strangerBurst + 20 {
			_, err := l.Call(t.Context(), peer.SelfInfo, nil)
			if errors.Is(err, peer.ErrLater) {
				later++
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if (later > 0) != (class == peer.Stranger) {
			t.Errorf("class %d: %d of %d requests put off", class, later, strangerBurst+20)
		}
	}
}

func TestLinkEndsWhenNobodyMadeItAnew(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "tcp")
	l := join(t, a, b)
	b.eventually(t, "b has the link", func() bool { return b.ups == 1 })
	if l.Worn() {
		t.Error("a new link is worn")
	}
	back := b.pool.Newest(a.id())
	back.made = back.made.Add(-MaxAge - time.Minute)
	if !back.Worn() || back.expired() {
		t.Error("a link is worn after a day, and may be used until it is made anew")
	}
	honest(t, l)
	back.made = back.made.Add(-afterLife)
	if _, err := l.Call(t.Context(), peer.Have, nil); !errors.Is(err, ErrGone) {
		t.Errorf("Call on a link that the other end holds for too old: %v, want ErrGone", err)
	}
	if _, err := back.Call(t.Context(), peer.Have, nil); !errors.Is(err, ErrGone) {
		t.Errorf("Call on a link that is too old: %v, want ErrGone", err)
	}
}

func TestNothingIsLeftAfterRun(t *testing.T) {
	a, b := newParty(t, "tcp"), newParty(t, "quic")
	c := newParty(t, "tcp")
	_ = join(t, a, c)
	_ = b
	if _, err := a.pool.Newest(c.id()).Call(t.Context(), peer.Have, nil); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*party{a, b, c} {
		p.stop()
		if n := len(p.pool.byID) + len(p.pool.peers); n != 0 {
			t.Errorf("%d links are left", n)
		}
		if p.pool.enter() {
			t.Error("a stopped pool takes up work")
		}
	}
}

func BenchmarkCall(b *testing.B) {
	for _, over := range []string{"tcp", "quic"} {
		for _, size := range []int{64, 16 << 10} {
			b.Run(fmt.Sprintf("%s/%d", over, size), func(b *testing.B) {
				x, y := newParty(b, over), newParty(b, over)
				y.frame = func(_ context.Context, _ identity.DeviceID, _ peer.Kind, body []byte) ([]byte, error) {
					return body[:32], nil
				}
				l := join(b, x, y)
				body := make([]byte, size)
				b.SetBytes(int64(size))
				for b.Loop() {
					if _, err := l.Call(b.Context(), peer.Deliver, body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkCallParallel(b *testing.B) {
	for _, over := range []string{"tcp", "quic"} {
		b.Run(over, func(b *testing.B) {
			x, y := newParty(b, over), newParty(b, over)
			y.frame = func(_ context.Context, _ identity.DeviceID, _ peer.Kind, body []byte) ([]byte, error) {
				return body[:32], nil
			}
			l := join(b, x, y)
			body := make([]byte, 4<<10)
			b.SetBytes(int64(len(body)))
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := l.Call(b.Context(), peer.Deliver, body); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkHandshake(b *testing.B) {
	x, y := newParty(b, "tcp"), newParty(b, "tcp")
	connect(b, x.host, y.host)
	y.classes[x.id()] = peer.Contact
	for b.Loop() {
		l, err := x.pool.Connect(b.Context(), y.target())
		if err != nil {
			b.Fatal(err)
		}
		l.Close()
	}
}
