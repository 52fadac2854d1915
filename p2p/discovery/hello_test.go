package discovery

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func newHost(t testing.TB) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay(), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func peerID(h host.Host) (id identity.PeerID) {
	copy(id[:], h.ID())
	return id
}

// somebody is a host that shows itself nearby, and what it found.
type somebody struct {
	host    host.Host
	nearby  *Nearby
	found   chan peer.Found
	refused chan string
	shown   atomic.Bool
	local   atomic.Bool
	blocked atomic.Pointer[identity.PeerID]
}

func newSomebody(t testing.TB, name string) *somebody {
	t.Helper()
	s := &somebody{host: newHost(t), found: make(chan peer.Found, 16), refused: make(chan string, 64)}
	s.shown.Store(true)
	s.local.Store(true)
	s.nearby = NewNearby(NearbyConfig{
		Host:    s.host,
		Card:    func() (Card, bool) { return Card{Account: identity.AccountID{1, 2, 3}, Name: name}, s.shown.Load() },
		Local:   func(ma.Multiaddr) bool { return s.local.Load() },
		Blocked: func(id identity.PeerID) bool { b := s.blocked.Load(); return b != nil && *b == id },
		Dial:    func() bool { return true },
		Found:   func(f peer.Found) { s.found <- f },
		Refused: func(c string) { s.refused <- c },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.nearby.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

func (s *somebody) find() Find {
	f := Find{Peer: peerID(s.host)}
	for _, a := range s.host.Addrs() {
		f.Addresses = append(f.Addresses, a.String())
	}
	return f
}

func TestWhoIsFoundIsAskedAndShown(t *testing.T) {
	a, b := newSomebody(t, "Alice"), newSomebody(t, "Böb \u202eevil\n")
	a.nearby.Hear(b.find())
	select {
	case f := <-a.found:
		if f.Name != "Böb evil" || f.Account != (identity.AccountID{1, 2, 3}) || f.Peer != peerID(b.host) || len(f.Addresses) == 0 {
			t.Errorf("found %+v", f)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was found")
	}
}

func TestHelloIsRefused(t *testing.T) {
	rows := map[string]struct {
		set   func(b *somebody, asker identity.PeerID)
		cause string
	}{
		"while we do not show ourselves":   {func(b *somebody, _ identity.PeerID) { b.shown.Store(false) }, "hello"},
		"from outside the local network":   {func(b *somebody, _ identity.PeerID) { b.local.Store(false) }, "not_local"},
		"to somebody whom we have blocked": {func(b *somebody, id identity.PeerID) { b.blocked.Store(&id) }, "hello"},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			a, b := newHost(t), newSomebody(t, "Bob")
			r.set(b, peerID(a))
			if err := a.Connect(t.Context(), corepeer.AddrInfo{ID: b.host.ID(), Addrs: b.host.Addrs()}); err != nil {
				t.Fatal(err)
			}
			if c, err := ask(t.Context(), a, b.host.ID()); err == nil {
				t.Errorf("answered %+v", c)
			}
			if cause := <-b.refused; cause != r.cause {
				t.Errorf("counted as %q, want %q", cause, r.cause)
			}
		})
	}
}

func TestWhoAsksTooOftenIsNotAnswered(t *testing.T) {
	a, b := newHost(t), newSomebody(t, "Bob")
	if err := a.Connect(t.Context(), corepeer.AddrInfo{ID: b.host.ID(), Addrs: b.host.Addrs()}); err != nil {
		t.Fatal(err)
	}
	for i := range answerOneself + 1 {
		_, err := ask(t.Context(), a, b.host.ID())
		if (err == nil) != (i < answerOneself) {
			t.Errorf("question %d: %v", i, err)
		}
	}
	if cause := <-b.refused; cause != "rate" {
		t.Errorf("counted as %q", cause)
	}
}

func TestLiarsAreNotShown(t *testing.T) {
	account := bytes.Repeat([]byte{1}, 32)
	rows := map[string][]byte{
		"nothing":         nil,
		"no name":         account,
		"a name too long": append(bytes.Clone(account), strings.Repeat("a", maxName+1)...),
		"a line break":    append(bytes.Clone(account), "Bob\nAlice"...),
		"text that turns": append(bytes.Clone(account), "Bob\u202e"...),
		"no UTF-8":        append(bytes.Clone(account), 'B', 0xff),
		"blanks around":   append(bytes.Clone(account), " Bob"...),
		"megabytes":       append(bytes.Clone(account), make([]byte, 2<<20)...),
	}
	a := newHost(t)
	for name, bytes := range rows {
		h := newHost(t)
		h.SetStreamHandler(Hello, func(s network.Stream) {
			_, _ = s.Write(bytes)
			_ = s.Close()
		})
		if err := a.Connect(t.Context(), corepeer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}); err != nil {
			t.Fatal(err)
		}
		if c, err := ask(t.Context(), a, h.ID()); err == nil {
			t.Errorf("%s: taken as %+v", name, c)
		}
	}
}

func TestGarbageOnHelloChangesNothing(t *testing.T) {
	a, b := newHost(t), newSomebody(t, "Bob")
	if err := a.Connect(t.Context(), corepeer.AddrInfo{ID: b.host.ID(), Addrs: b.host.Addrs()}); err != nil {
		t.Fatal(err)
	}
	s, err := a.NewStream(t.Context(), b.host.ID(), Hello)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.SetDeadline(time.Now().Add(time.Second)) // nobody reads it
	_, _ = s.Write(make([]byte, 1<<20))
	if _, err := ask(t.Context(), a, b.host.ID()); err != nil {
		t.Errorf("asking after it: %v", err)
	}
}

func FuzzParseCard(f *testing.F) {
	f.Add(Card{Name: "Alice"}.marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCard(b)
		if err != nil {
			return
		}
		if !bytes.Equal(c.marshal(), b) {
			t.Fatalf("%x parsed and built again is %x", b, c.marshal())
		}
	})
}

func TestBookAsksAgainAndForgets(t *testing.T) {
	now := time.Now()
	b := newBook()
	b.hear(Find{Peer: self}, now)
	e, _ := b.next(now)
	if e == nil {
		t.Fatal("somebody new is not due")
	}
	e.asked(true, now)
	if got, at := b.next(now); got != nil || at.Sub(now) > time.Minute {
		t.Errorf("due again at %v, want within a minute", at.Sub(now))
	}
	e, _ = b.next(now.Add(askAgain))
	if e == nil {
		t.Fatal("somebody who answered is not asked again")
	}
	wait := time.Duration(0)
	for now = now.Add(askAgain); ; {
		e.asked(false, now)
		if e.wait < wait || e.wait > retryLast {
			t.Fatalf("wait %v after %v", e.wait, wait)
		}
		wait = e.wait
		now = e.due
		next, _ := b.next(now)
		if next == nil {
			break
		}
		if now.Sub(e.heard) > 2*forgetAfter {
			t.Fatal("never forgotten")
		}
	}
	if len(b.entries) != 0 {
		t.Error("still in the book")
	}
}

func TestBookIsBounded(t *testing.T) {
	now := time.Now()
	b := newBook()
	for i := range 10 * maxFound {
		b.hear(Find{Peer: identity.PeerID{36: byte(i >> 8), 37: byte(i)}}, now)
	}
	if len(b.entries) != maxFound {
		t.Errorf("%d entries, want %d", len(b.entries), maxFound)
	}
	newest := identity.PeerID{36: byte((10*maxFound - 1) >> 8), 37: byte((10*maxFound - 1) & 0xff)}
	if b.entries[newest] == nil {
		t.Error("whoever comes late is not taken in")
	}
}
