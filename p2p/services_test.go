package p2p

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/crypto/identity"
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
