package link

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

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
		if n := l.numbers.own() / 2; n > laneCount {
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
