package p2p

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/discovery"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func TestServicesChangeWithAndWithoutANewHost(t *testing.T) {
	t.Parallel()
	a, b := newPerson(t), newPerson(t)
	befriend(t, a, b)
	before := a.node.at().host
	if err := a.node.SetServices(peer.Services{Listen: loopback, NearbyName: "Alice"}); err != nil {
		t.Fatal(err)
	}
	if a.node.at().host != before {
		t.Error("a name for people nearby made a new host")
	}
	talk(t, a, b)
	if err := a.node.SetServices(peer.Services{Listen: loopback[:1]}); err != nil {
		t.Fatal(err)
	}
	if a.node.at().host == before {
		t.Error("the host listens as before")
	}
	if l := a.node.Status().Listen; len(l) != 1 || !strings.Contains(l[0], "/tcp/") {
		t.Errorf("listening on %v", l)
	}
	talk(t, a, b)
	talk(t, b, a)
	if err := a.node.SetServices(peer.Services{Listen: []string{b.addresses(t)[0]}}); err == nil {
		t.Error("listening where somebody else does")
	}
	talk(t, a, b) // things are as they were
	if err := a.node.SetServices(peer.Services{Listen: []string{"/ip4/127.0.0.1/tcp/0/ws"}}); err == nil {
		t.Error("listening for web sockets")
	}
	if err := a.node.SetServices(peer.Services{Relay: true}); err == nil {
		t.Error("this version relays")
	}
}

func TestPortIsChosenOnceAndKept(t *testing.T) {
	p := idle(t, newSelf(t), peer.Services{})
	p.run(t)
	var port int
	p.eventually(t, 10*time.Second, "a port", func(facts []peer.Fact) bool {
		f, chosen := last[peer.PortChosen](facts)
		port = f.Port
		_, listening := last[peer.Listening](facts) // which comes once the node is at work
		return chosen && listening
	})
	listens := func(p *person) (tcp, quic bool) {
		for _, a := range p.node.at().host.Network().ListenAddresses() {
			tcp = tcp || a.String() == fmt.Sprintf("/ip4/0.0.0.0/tcp/%d", port)
			quic = quic || a.String() == fmt.Sprintf("/ip4/0.0.0.0/udp/%d/quic-v1", port)
		}
		return tcp, quic
	}
	if tcp, quic := listens(p); !tcp || !quic {
		t.Errorf("listens on TCP %v and QUIC %v of port %d", tcp, quic, port)
	}
	p.stop()
	self := p.self
	self.Port = port
	q := idle(t, self, peer.Services{})
	q.run(t)
	q.eventually(t, 10*time.Second, "listening", func(facts []peer.Fact) bool {
		_, ok := last[peer.Listening](facts)
		return ok
	})
	if tcp, quic := listens(q); !tcp || !quic {
		t.Error("listens elsewhere")
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if f, ok := last[peer.PortChosen](q.facts); ok {
		t.Errorf("chose port %d, too", f.Port)
	}
}

func TestRunLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	a, b := newPerson(t), newPerson(t)
	befriend(t, a, b)
	talk(t, a, b)
	if err := a.node.SetServices(peer.Services{Listen: loopback, MDNS: true, NearbyName: "Alice"}); err != nil {
		t.Fatal(err)
	}
	gone := peer.Known{Peer: newSelf(t).Device.Certificate.Peer, Class: peer.Contact, Addresses: []string{"/ip4/127.0.0.1/udp/9/quic-v1"}}
	a.node.SetPeers([]peer.Known{b.row(t, peer.Contact), gone}) // being dialled while the node stops
	hang := make(chan struct{})
	b.frame = func(ctx context.Context, _ identity.DeviceID, _ peer.Kind, _ []byte) ([]byte, error) {
		close(hang)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	asked := make(chan error, 1)
	go func() {
		_, err := a.node.Call(context.Background(), b.device(), peer.Fetch, nil)
		asked <- err
	}()
	<-hang
	b.stop()
	a.stop()
	if err := <-asked; err == nil {
		t.Error("an answer from somebody who has stopped")
	}
	settled(t, before)
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	good := newSelf(t)
	rows := map[string]Config{
		"no key":         {Self: peer.Self{Account: good.Account, Device: good.Device}},
		"no device":      {Self: peer.Self{Account: good.Account, Host: good.Host}},
		"a bad address":  {Self: good, Services: peer.Services{Listen: []string{"127.0.0.1:4001"}}},
		"a name":         {Self: good, Services: peer.Services{Listen: []string{"/dns4/localhost/tcp/1"}}},
		"a bad proxy":    {Self: good, Services: peer.Services{Proxy: "http://127.0.0.1:8080"}},
		"relay services": {Self: good, Services: peer.Services{Relay: true}},
	}
	for name, c := range rows {
		if _, err := Open(c); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	other := newSelf(t)
	n, err := Open(Config{Self: peer.Self{Account: good.Account, Device: good.Device, Host: other.Host}, Services: peer.Services{Listen: loopback}})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Run(t.Context(), &person{changed: make(chan struct{})}); err == nil {
		t.Error("ran with somebody else's host key")
	}
	if err := n.Run(t.Context(), nil); err == nil {
		t.Error("ran twice")
	}
}

// TestListeningNowhereIsSaidAndIsNotListeningEverywhere: an empty list is not nil.
func TestListeningNowhereIsSaidAndIsNotListeningEverywhere(t *testing.T) {
	t.Parallel()
	b := newPerson(t)
	if b.node.Status().DialOnly {
		t.Error("who listens is said to dial only")
	}
	a := idle(t, newSelf(t), peer.Services{Listen: []string{}})
	if a.node.Status().DialOnly {
		t.Error("a node that does not run is said to dial")
	}
	a.run(t)
	a.node.SetPeers([]peer.Known{b.row(t, peer.Contact)})
	a.reached(t, b, peer.Local)
	talk(t, a, b)
	if s := a.node.Status(); !s.DialOnly || len(s.Listen) != 0 {
		t.Errorf("Status = %+v, want nothing but dialling", s)
	}
	if err := a.node.SetServices(peer.Services{}); err != nil {
		t.Fatal(err)
	}
	if s := a.node.Status(); s.DialOnly || len(a.node.at().host.Network().ListenAddresses()) == 0 {
		t.Errorf("nil listens nowhere, too: %+v", s)
	}
	if err := a.node.SetServices(peer.Services{Listen: []string{}}); err != nil {
		t.Fatal(err)
	}
	if s := a.node.Status(); !s.DialOnly {
		t.Errorf("an empty list is taken for nil: %+v", s)
	}
	talk(t, a, b)
}

// TestNewListIsNamedByLaterHandshakes: a device list may change while the node runs.
func TestNewListIsNamedByLaterHandshakes(t *testing.T) {
	t.Parallel()
	a, b := newPerson(t), newPerson(t)
	met := make(chan identity.ListHead, 16)
	b.greet = func(h peer.Hello) (peer.Class, error) { met <- h.List; return peer.Contact, nil }
	a.node.SetPeers([]peer.Known{b.row(t, peer.Member)})
	talk(t, a, b)
	if got := <-met; got != a.self.List {
		t.Errorf("the first handshake names %v, want %v", got, a.self.List)
	}
	next := identity.ListHead{Counter: a.self.List.Counter + 1, Digest: [32]byte{7}}
	a.node.SetList(next)
	a.node.at().pool.Find(b.device()).Close()
	talk(t, a, b)
	if got := <-met; got != next {
		t.Errorf("a handshake after the change names %v, want %v", got, next)
	}
}

// TestNearbyIsSwitchedWhileLinksStand: hello is answered from then on, and no more from then on.
func TestNearbyIsSwitchedWhileLinksStand(t *testing.T) {
	t.Parallel()
	a, b := newPerson(t), newPerson(t)
	befriend(t, a, b)
	l := a.node.at().pool.Find(b.device())
	answers := func() bool {
		return slices.Contains(a.node.at().host.Mux().Protocols(), discovery.Hello)
	}
	settled := func(want bool) {
		t.Helper()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range 1000 {
			if answers() == want {
				return
			}
			<-tick.C
		}
		t.Fatalf("hello answered: %v, want %v", answers(), want)
	}
	settled(false)
	for _, name := range []string{"Alice", "", "Alice again"} {
		if err := a.node.SetNearby(name); err != nil {
			t.Fatal(err)
		}
		settled(name != "")
	}
	if a.node.at().pool.Find(b.device()) != l {
		t.Error("a name made a new link")
	}
	talk(t, a, b)
}

// TestNameThatIsSetDuringAChangeOfHostStands: whoever comes last is heard, whichever way.
func TestNameThatIsSetDuringAChangeOfHostStands(t *testing.T) {
	t.Parallel()
	a := newPerson(t)
	c := &change{services: peer.Services{Listen: loopback[:1], NearbyName: "old"}}
	a.node.mu.Lock()
	c.named = a.node.named
	a.node.mu.Unlock()
	if err := a.node.SetNearby("new"); err != nil {
		t.Fatal(err)
	}
	a.node.setServices(c)
	a.node.mu.Lock()
	defer a.node.mu.Unlock()
	if got := a.node.services.NearbyName; got != "new" {
		t.Errorf("the name is %q, want the one set last", got)
	}
}
