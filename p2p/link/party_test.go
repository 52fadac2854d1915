package link

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	ci "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
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
		Nearby: func(network.Conn) bool { return false },
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
