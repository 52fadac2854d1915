package p2p

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cryptexq/cryptexq/p2p/netlab"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// found waits until somebody of this name was found nearby.
func (p *person) found(t testing.TB, o *person, name string, within time.Duration) (f peer.Found) {
	t.Helper()
	p.eventually(t, within, name+" nearby", func(facts []peer.Fact) bool {
		for _, x := range slices.Backward(facts) {
			if g, ok := x.(peer.Found); ok && g.Peer == o.id() && g.Name == name && g.Account == o.account() {
				f = g
				return true
			}
		}
		return false
	})
	return f
}

func TestPeopleNearbyFindEachOtherAndMeet(t *testing.T) {
	t.Parallel()
	if !netlab.AloneOnLoopback(t) {
		return
	}
	start := time.Now()
	a := idle(t, newSelf(t), peer.Services{MDNS: true, NearbyName: "Alice"})
	b := idle(t, newSelf(t), peer.Services{MDNS: true, NearbyName: "Bob"})
	hidden := idle(t, newSelf(t), peer.Services{MDNS: true})
	a.run(t)
	b.run(t)
	hidden.run(t)
	atB := a.found(t, b, "Bob", 5*time.Second)
	b.found(t, a, "Alice", 5*time.Second)
	t.Logf("found each other after %v", time.Since(start).Round(time.Millisecond))
	if len(atB.Addresses) == 0 {
		t.Fatal("found without an address")
	}
	// What Nearby gave is enough for a handshake: the device is not known yet.
	a.node.SetPeers([]peer.Known{{Account: atB.Account, Peer: atB.Peer, Class: peer.Invited, Addresses: atB.Addresses}})
	a.reached(t, b, peer.Local)
	talk(t, a, b)
	for _, p := range []*person{a, b} {
		p.mu.Lock()
		for _, x := range p.facts {
			if f, ok := x.(peer.Found); ok && f.Peer == hidden.id() {
				t.Errorf("somebody who hides was found as %q", f.Name)
			}
		}
		p.mu.Unlock()
	}
	// Who steps out of hiding is found without anybody starting anew.
	if err := hidden.node.SetServices(peer.Services{MDNS: true, NearbyName: "Carol"}); err != nil {
		t.Fatal(err)
	}
	a.found(t, hidden, "Carol", 40*time.Second)
}

// TestContactsOnTheSameNetworkNeedNoAddress knows each other by name only, as after both have moved.
func TestContactsOnTheSameNetworkNeedNoAddress(t *testing.T) {
	t.Parallel()
	if !netlab.AloneOnLoopback(t) {
		return
	}
	a, b := idle(t, newSelf(t), peer.Services{MDNS: true}), idle(t, newSelf(t), peer.Services{MDNS: true})
	a.run(t)
	b.run(t)
	a.node.SetPeers([]peer.Known{{Account: b.account(), Device: b.device(), Peer: b.id(), Class: peer.Contact}})
	b.node.SetPeers([]peer.Known{{Account: a.account(), Device: a.device(), Peer: a.id(), Class: peer.Contact}})
	start := time.Now()
	a.reached(t, b, peer.Local)
	b.reached(t, a, peer.Local)
	t.Logf("a link after %v", time.Since(start).Round(time.Millisecond))
	talk(t, a, b)
}

// TestNetworkThatGoesAndComesIsToldAndUsed has a network only while the loopback is one.
func TestNetworkThatGoesAndComesIsToldAndUsed(t *testing.T) {
	t.Parallel()
	if !netlab.AloneOnLoopback(t) {
		return
	}
	a, b := idle(t, newSelf(t), peer.Services{MDNS: true}), idle(t, newSelf(t), peer.Services{MDNS: true})
	listening := func(some bool) func([]peer.Fact) bool {
		return func(facts []peer.Fact) bool {
			l, ok := last[peer.Listening](facts)
			return ok && (len(l.Addresses) > 0) == some
		}
	}
	if err := netlab.SetLoopback(unix.IFF_UP); err != nil { // a machine without a network
		t.Fatal(err)
	}
	a.run(t)
	b.run(t)
	a.eventually(t, 10*time.Second, "listening nowhere", listening(false))
	far := peer.Known{Account: b.account(), Device: b.device(), Peer: b.id(), Class: peer.Contact, Addresses: []string{"/ip4/192.0.2.1/tcp/1"}}
	a.node.SetPeers([]peer.Known{far})
	b.node.SetPeers([]peer.Known{{Account: a.account(), Device: a.device(), Peer: a.id(), Class: peer.Contact}})
	a.tried(t, b.id(), peer.CauseOffline)
	if err := netlab.SetLoopback(unix.IFF_UP | unix.IFF_MULTICAST); err != nil {
		t.Fatal(err)
	}
	a.eventually(t, 10*time.Second, "listening somewhere", listening(true))
	a.reached(t, b, peer.Local)
	talk(t, a, b)
}
