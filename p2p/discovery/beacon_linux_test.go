package discovery

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/sys/unix"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/netlab"
)

// lit is a running beacon.
type lit struct {
	*Beacon
	id    identity.PeerID
	found chan Find
	stop  func()
}

func light(t *testing.T, n byte, listen func() []ma.Multiaddr) *lit {
	t.Helper()
	l := &lit{id: identity.PeerIDOf(slices.Repeat([]byte{n}, 32)), found: make(chan Find, 64)}
	l.Beacon = NewBeacon(BeaconConfig{
		Peer: l.id, Listen: listen, Refused: func(string) {},
		Found: func(f Find) {
			select {
			case l.found <- f:
			default:
			}
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	l.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(l.stop)
	return l
}

// hears waits until l has heard of o, at these addresses.
func (l *lit) hears(t *testing.T, o *lit, within time.Duration, want ...string) {
	t.Helper()
	end := time.After(within)
	for {
		select {
		case f := <-l.found:
			if f.Peer == o.id && slices.Equal(f.Addresses, want) {
				return
			}
		case <-end:
			t.Fatalf("not found within %v", within)
		}
	}
}

func everywhere(port string) func() []ma.Multiaddr {
	return func() []ma.Multiaddr {
		a, _ := ma.NewMultiaddr("/ip4/0.0.0.0/tcp/" + port)
		return []ma.Multiaddr{a}
	}
}

func TestBeaconsFindEachOtherOnALoopbackAlone(t *testing.T) {
	if !netlab.AloneOnLoopback(t) {
		return
	}
	if n := Look(); !n.Online() || len(n.speaking()) != 1 {
		t.Fatalf("the laboratory has the interfaces %+v", n.Interfaces)
	}
	start := time.Now()
	a := light(t, 1, everywhere("4001"))
	b := light(t, 2, everywhere("4002"))
	a.hears(t, b, 5*time.Second, "/ip4/127.0.0.1/tcp/4002")
	b.hears(t, a, 5*time.Second, "/ip4/127.0.0.1/tcp/4001")
	t.Logf("found each other after %v", time.Since(start))
	select {
	case f := <-a.found:
		if f.Peer == a.id {
			t.Error("found itself")
		}
	default:
	}
}

func TestBeaconFindsALateComerAtOnce(t *testing.T) {
	if !netlab.AloneOnLoopback(t) {
		return
	}
	a := light(t, 1, everywhere("4001"))
	b := light(t, 2, everywhere("4002"))
	a.hears(t, b, 5*time.Second, "/ip4/127.0.0.1/tcp/4002")
	b.stop()
	c := light(t, 3, everywhere("4003"))
	a.hears(t, c, 3*time.Second, "/ip4/127.0.0.1/tcp/4003")
	c.hears(t, a, 3*time.Second, "/ip4/127.0.0.1/tcp/4001")
}

// TestBeaconComesBackWithTheNetwork starts without any network, which kills the libraries for ever.
func TestBeaconComesBackWithTheNetwork(t *testing.T) {
	if !netlab.AloneOnLoopback(t) {
		return
	}
	if err := netlab.SetLoopback(0); err != nil {
		t.Fatal(err)
	}
	a, b := light(t, 1, everywhere("4001")), light(t, 2, everywhere("4002"))
	select {
	case f := <-a.found:
		t.Fatalf("found %v without a network", f)
	case <-time.After(500 * time.Millisecond):
	}
	for range 2 {
		if err := netlab.SetLoopback(unix.IFF_UP | unix.IFF_MULTICAST); err != nil {
			t.Fatal(err)
		}
		a.hears(t, b, 3*lookEvery, "/ip4/127.0.0.1/tcp/4002")
		b.hears(t, a, 3*lookEvery, "/ip4/127.0.0.1/tcp/4001")
		if err := netlab.SetLoopback(0); err != nil { // and again
			t.Fatal(err)
		}
		for len(a.found) > 0 {
			<-a.found
		}
		for len(b.found) > 0 {
			<-b.found
		}
	}
}
