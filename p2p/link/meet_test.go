package link

import (
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

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
	b.pool.config.Nearby = func(network.Conn) bool { return true }
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
