package p2p

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	ci "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"

	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

var loopback = []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"}

// person is somebody with a node, and what the node told them.
type person struct {
	node *Node
	self peer.Self
	stop func() // ends the node and waits for it

	mu      sync.Mutex
	facts   []peer.Fact   // guarded by mu
	greeted int           // guarded by mu
	changed chan struct{} // guarded by mu: closed when something was noted

	greet func(peer.Hello) (peer.Class, error)
	frame func(context.Context, identity.DeviceID, peer.Kind, []byte) ([]byte, error)
}

func newSelf(t testing.TB) peer.Self {
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
	return peer.Self{Account: account.Public(), Device: &identity.Device{Certificate: cert, Key: device}, Host: key}
}

// idle is a person whose node does not run yet.
func idle(t testing.TB, self peer.Self, services peer.Services) *person {
	t.Helper()
	n, err := Open(Config{Self: self, Services: services})
	if err != nil {
		t.Fatal(err)
	}
	return &person{node: n, self: self, changed: make(chan struct{})}
}

// run starts the node.
func (p *person) run(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.node.Run(ctx, p) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(p.stop)
}

// newPerson is somebody on loopback only.
func newPerson(t testing.TB, listen ...string) *person {
	t.Helper()
	if listen == nil {
		listen = loopback
	}
	p := idle(t, newSelf(t), peer.Services{Listen: listen})
	p.run(t)
	p.addresses(t)
	return p
}

func (p *person) note(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *person) HandleHello(_ context.Context, h peer.Hello) (peer.Class, error) {
	p.note(func() { p.greeted++ })
	if p.greet != nil {
		return p.greet(h)
	}
	return peer.Contact, nil
}

func (p *person) HandleFrame(ctx context.Context, from identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
	if p.frame != nil {
		return p.frame(ctx, from, k, body)
	}
	return append([]byte("re "), body...), nil
}

func (p *person) HandleBare(context.Context, identity.PeerID, peer.Kind, []byte) ([]byte, error) {
	return nil, peer.ErrRefused
}
func (p *person) ScreenTopic(peer.Topic, []byte) peer.Verdict { return peer.Ignore }
func (p *person) HandleTopic(context.Context, peer.Topic, []byte) peer.Verdict {
	return peer.Ignore
}
func (p *person) HandleFact(f peer.Fact) { p.note(func() { p.facts = append(p.facts, f) }) }

var _ Handler = (*person)(nil)

// eventually waits until cond holds for what the person was told.
func (p *person) eventually(t testing.TB, within time.Duration, what string, cond func(facts []peer.Fact) bool) {
	t.Helper()
	end := time.After(within)
	for {
		p.mu.Lock()
		ok, changed := cond(p.facts), p.changed
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-end:
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Fatalf("not within %v: %s; facts %v; refused %v", within, what, show(p.facts), p.node.facts.refused())
		}
	}
}

func show(facts []peer.Fact) string {
	var b strings.Builder
	for _, f := range facts {
		switch f := f.(type) {
		case peer.PathChanged:
			fmt.Fprintf(&b, "\n  path %v %s", f.Path, f.Addr)
		case peer.Attempt:
			fmt.Fprintf(&b, "\n  attempt %q %s", f.Cause, f.Addr)
		default:
			fmt.Fprintf(&b, "\n  %T", f)
		}
	}
	return b.String()
}

// last is the newest fact of a type.
func last[F peer.Fact](facts []peer.Fact) (f F, ok bool) {
	for _, x := range slices.Backward(facts) {
		if f, ok = x.(F); ok {
			return f, true
		}
	}
	return f, false
}

func (p *person) id() identity.PeerID         { return p.self.Device.Certificate.Peer }
func (p *person) device() identity.DeviceID   { return p.self.Device.Certificate.ID() }
func (p *person) account() identity.AccountID { return p.self.Device.Certificate.Account }

// addresses waits until the person listens and says where.
func (p *person) addresses(t testing.TB) (out []string) {
	t.Helper()
	p.eventually(t, 10*time.Second, "listening", func(facts []peer.Fact) bool {
		l, ok := last[peer.Listening](facts)
		out = l.Addresses
		return ok && len(out) > 0
	})
	return out
}

// row is how others know the person.
func (p *person) row(t testing.TB, c peer.Class) peer.Known {
	t.Helper()
	return peer.Known{Account: p.account(), Device: p.device(), Peer: p.id(), Class: c, Addresses: p.addresses(t)}
}

// reached waits until a path to o is, or is not, there.
func (p *person) reached(t testing.TB, o *person, want peer.Path) {
	t.Helper()
	p.eventually(t, 15*time.Second, fmt.Sprintf("path %v", want), func(facts []peer.Fact) bool {
		for _, x := range slices.Backward(facts) {
			if f, ok := x.(peer.PathChanged); ok && f.Peer == o.id() {
				return f.Path == want && f.Device == o.device()
			}
		}
		return false
	})
}

// tried waits for an attempt at a peer with this outcome.
func (p *person) tried(t testing.TB, id identity.PeerID, cause peer.Cause) (a peer.Attempt) {
	t.Helper()
	p.eventually(t, 20*time.Second, fmt.Sprintf("an attempt that ends %q", cause), func(facts []peer.Fact) bool {
		for _, x := range facts {
			if f, ok := x.(peer.Attempt); ok && f.Peer == id && f.Cause == cause {
				a = f
				return true
			}
		}
		return false
	})
	return a
}

// refused waits until Status counts something under a cause, and a fact has told it.
func (p *person) refused(t testing.TB, cause string) {
	t.Helper()
	p.eventually(t, 10*time.Second, "refused for "+cause, func(facts []peer.Fact) bool {
		return slices.ContainsFunc(facts, func(x peer.Fact) bool {
			f, ok := x.(peer.Refused)
			return ok && f.Cause == cause && f.N > 0
		})
	})
	if p.node.Status().Refused[cause] == 0 {
		t.Errorf("Status does not count %q", cause)
	}
}

// befriend makes two people contacts of each other and waits for the link.
func befriend(t testing.TB, a, b *person) {
	t.Helper()
	ra, rb := a.row(t, peer.Contact), b.row(t, peer.Contact)
	a.node.SetPeers([]peer.Known{rb})
	b.node.SetPeers([]peer.Known{ra})
	a.reached(t, b, peer.Local)
	b.reached(t, a, peer.Local)
}

// talk asserts that a request gets through.
func talk(t testing.TB, a, b *person) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if out, err := a.node.Call(ctx, b.device(), peer.Have, []byte("hello")); err != nil || string(out) != "re hello" {
		t.Errorf("Call = %q, %v", out, err)
	}
}

// stranger is a libp2p host that is none of ours.
func stranger(t testing.TB, opts ...libp2p.Option) host.Host {
	t.Helper()
	h, err := libp2p.New(append(opts, libp2p.ListenAddrStrings(loopback...), libp2p.DisableRelay(), libp2p.DisableMetrics())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// knownAs is a row for a host that has no account.
func knownAs(h host.Host) peer.Known {
	id, _ := peerID(h.ID())
	return peer.Known{Account: identity.AccountID{1}, Device: identity.DeviceID{2}, Peer: id, Class: peer.Contact, Addresses: texts(h.Addrs())}
}

// settled waits until no more goroutines run than before, and shows them if they do.
func settled(t testing.TB, before int) {
	t.Helper()
	if n, ok := sinks(runtime.NumGoroutine, before); !ok {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before:\n%s", n, before, buf[:runtime.Stack(buf, true)])
	}
}

// sinks waits until a number is no higher than most; it returns the last, and whether that is.
func sinks(number func() int, most int) (n int, ok bool) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 250 {
		if n = number(); n <= most {
			return n, true
		}
		<-tick.C
	}
	return n, false
}

// rsaHost is one whose key is none of ours.
func rsaHost(t testing.TB) host.Host {
	t.Helper()
	k, _, err := ci.GenerateRSAKeyPair(2048, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return stranger(t, libp2p.Identity(k))
}
