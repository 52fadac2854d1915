package p2p

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ma "github.com/multiformats/go-multiaddr"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/discovery"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func multi(all ...string) (out []ma.Multiaddr) {
	for _, s := range all {
		out = append(out, ma.StringCast(s))
	}
	return out
}

func TestFactsAreToldInOrder(t *testing.T) {
	f := newFacts()
	var told []int
	done := make(chan error, 1)
	go func() {
		done <- f.run(func(x peer.Fact) { told = append(told, x.(peer.PortChosen).Port) })
	}()
	for i := range 1000 {
		f.tell(peer.PortChosen{Port: i})
	}
	f.close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(told) != 1000 || !slices.IsSorted(told) {
		t.Errorf("%d facts, in order %v", len(told), slices.IsSorted(told))
	}
}

func TestAFloodOfRefusalsIsOneFactASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFacts()
		var mu sync.Mutex
		var told []peer.Refused
		done := make(chan error, 1)
		go func() {
			done <- f.run(func(x peer.Fact) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, x.(peer.Refused))
			})
		}()
		for range 5 {
			for range 1000 {
				f.refuse("garbage")
			}
			time.Sleep(countEvery)
		}
		synctest.Wait()
		mu.Lock()
		n, sum := len(told), uint64(0)
		for _, r := range told {
			sum += r.N
		}
		mu.Unlock()
		if n > 5 || sum != 5000 || f.refused()["garbage"] != 5000 {
			t.Errorf("%d facts that tell of %d refusals; %d in all", n, sum, f.refused()["garbage"])
		}
		f.close()
		<-done
	})
}

func TestFactsAreBoundedWhenNobodyTakesThem(t *testing.T) {
	f := newFacts()
	for range 3 * maxFacts {
		f.tell(peer.Found{})
	}
	f.tell(peer.PathChanged{})
	if len(f.queue) != maxFacts+1 {
		t.Errorf("%d facts wait, want %d and the one that must not be lost", len(f.queue), maxFacts)
	}
	for i := range uint64(100) { // a peer makes new records of itself as fast as it likes
		f.tell(peer.RecordLearned{Peer: identity.PeerID{1}, Seq: i})
		f.tell(peer.RecordLearned{Peer: identity.PeerID{2}, Seq: i})
	}
	if n := len(f.queue); n != maxFacts+3 {
		t.Errorf("%d facts wait, want one record for each peer beside the %d before", n, maxFacts+1)
	}
	if r, ok := last[peer.RecordLearned](f.queue); !ok || r.Seq != 99 {
		t.Errorf("the record that waits is number %d, want the newest", r.Seq)
	}
	for i := range 2 * maxCauses {
		f.refuse(fmt.Sprint(i))
	}
	if n := len(f.refused()); n > maxCauses+1 {
		t.Errorf("%d causes are counted apart", n)
	}
}

func TestTableGivesAddressesInOrder(t *testing.T) {
	worked, invited, heard := "/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/udp/2/quic-v1", "/ip4/10.0.0.3/tcp/3"
	r := row{Known: peer.Known{Class: peer.Contact, Addresses: []string{worked, "nonsense", "/ip4/192.0.2.9/tcp/1/ws", invited}}}
	r.recorded = multi("/ip4/192.0.2.4/tcp/4", worked)
	want := []string{worked, invited, heard, "/ip4/192.0.2.4/tcp/4"}
	if got := texts(r.addresses([]string{heard})); !slices.Equal(got, want) {
		t.Errorf("addresses = %v, want %v", got, want)
	}
	for i := range 100 {
		r.Addresses = append(r.Addresses, fmt.Sprintf("/ip4/192.0.2.5/tcp/%d", i+1))
	}
	if n := len(r.addresses(nil)); n != maxDialed {
		t.Errorf("%d addresses of a contact", n)
	}
	r.Class = peer.Invited
	if n := len(r.addresses(nil)); n != maxInvited {
		t.Errorf("%d addresses of somebody invited", n)
	}
}

func TestTableIsReplacedWhole(t *testing.T) {
	tab := newTable()
	a, b := identity.PeerIDOf(bytes.Repeat([]byte{1}, 32)), identity.PeerIDOf(bytes.Repeat([]byte{2}, 32))
	tab.set([]peer.Known{{Peer: a, Device: identity.DeviceID{1}, Class: peer.Contact}, {Peer: b, Class: peer.Member}})
	if w := tab.wanted(); len(w) != 1 || w[0] != a {
		t.Errorf("wanted %v", w)
	}
	if !tab.newer(a, 7) || tab.newer(a, 7) || tab.newer(a, 6) || !tab.newer(a, 8) {
		t.Error("a record is news once")
	}
	moved := tab.set([]peer.Known{{Peer: a, Device: identity.DeviceID{1}, Class: peer.Blocked, Addresses: []string{"/ip4/192.0.2.1/tcp/1"}}})
	if len(moved) != 1 || moved[0] != a {
		t.Errorf("moved %v", moved)
	}
	if !tab.blocked(a) || tab.class(b) != peer.Stranger || len(tab.wanted()) != 0 || tab.newer(b, 1) {
		t.Error("something of the old table is left")
	}
	if p, ok := tab.host(identity.DeviceID{1}); !ok || p != a {
		t.Error("the device is not where it was")
	}
	if moved := tab.set([]peer.Known{{Peer: a, Addresses: []string{"/ip4/192.0.2.1/tcp/1"}}}); len(moved) != 0 {
		t.Errorf("moved %v without a change of address", moved)
	}
}

func TestRankerPrefersWhatWorkedThenLocalTCP(t *testing.T) {
	r := newRanker()
	all := multi("/ip4/8.8.8.8/udp/1/quic-v1", "/ip4/192.168.1.2/udp/1/quic-v1", "/ip4/192.168.1.2/tcp/1", "/ip4/8.8.8.8/tcp/1")
	delays := func() map[string]time.Duration {
		out := make(map[string]time.Duration)
		for _, d := range r.rank(slices.Clone(all)) {
			out[d.Addr.String()] = d.Delay
		}
		return out
	}
	d := delays()
	if len(d) != len(all) || d["/ip4/192.168.1.2/tcp/1"] != 0 || d["/ip4/192.168.1.2/udp/1/quic-v1"] != tcpStart || d["/ip4/8.8.8.8/udp/1/quic-v1"] != 0 {
		t.Errorf("delays %v", d)
	}
	r.worked(all[3])
	for a, wait := range delays() {
		if (wait == 0) != (a == all[3].String()) {
			t.Errorf("%s waits %v when another address has worked", a, wait)
		}
	}
	r.failed(all[3])
	if d := delays(); d["/ip4/192.168.1.2/tcp/1"] != 0 {
		t.Errorf("delays %v after the good address failed", d)
	}
}

func iface(flags net.Flags, prefixes ...string) discovery.Interface {
	i := discovery.Interface{Interface: net.Interface{Flags: flags}}
	for _, p := range prefixes {
		i.Prefixes = append(i.Prefixes, netip.MustParsePrefix(p))
	}
	return i
}

func TestAdvertisedAddresses(t *testing.T) {
	lo := iface(net.FlagUp|net.FlagLoopback, "127.0.0.1/8", "::1/128")
	lab := iface(net.FlagUp|net.FlagLoopback|net.FlagMulticast, "127.0.0.1/8")
	lan := iface(net.FlagUp, "192.168.1.5/24", "fe80::1/64", "2001:db8::5/64")
	every := multi("/ip4/0.0.0.0/tcp/1", "/ip6/::/udp/1/quic-v1")
	rows := []struct {
		name         string
		listen, seen []ma.Multiaddr
		on           []discovery.Interface
		want         string
	}{
		{"on a network", every, nil, []discovery.Interface{lo, lan}, "/ip4/192.168.1.5/tcp/1 /ip6/2001:db8::5/udp/1/quic-v1"},
		{"without one", every, nil, []discovery.Interface{lo}, ""},
		{"in a laboratory", every, nil, []discovery.Interface{lab}, "/ip4/127.0.0.1/tcp/1"},
		{"on the loopback by name", multi("/ip4/127.0.0.1/tcp/1"), nil, []discovery.Interface{lo}, "/ip4/127.0.0.1/tcp/1"},
		{"seen from outside", every[:1], multi("/ip4/8.8.4.4/tcp/1", "/ip4/192.168.1.5/tcp/1"), []discovery.Interface{lan}, "/ip4/192.168.1.5/tcp/1 /ip4/8.8.4.4/tcp/1"},
		{"listening on nothing", nil, multi("/ip4/8.8.4.4/tcp/1"), []discovery.Interface{lan}, ""},
	}
	for _, r := range rows {
		got := texts(advertised(r.listen, discovery.Network{Interfaces: r.on}, r.seen))
		want := strings.Fields(r.want)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", r.name, got, want)
		}
	}
}

// socks is a SOCKS5 server without a password that takes note of whom it was asked for.
func socks(t *testing.T) (address string, asked chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked = make(chan string, 64)
	var open sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); open.Wait() })
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer c.Close()
				to, err := socksAnswer(c)
				if err != nil {
					return
				}
				defer to.Close()
				asked <- to.RemoteAddr().String()
				open.Go(func() { _, _ = io.Copy(to, c); _ = to.Close() })
				_, _ = io.Copy(c, to)
			})
		}
	})
	return l.Addr().String(), asked
}

// socksAnswer does what RFC 1928 says for CONNECT to an IPv4 address.
func socksAnswer(c net.Conn) (net.Conn, error) {
	var head [3]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, err
	}
	if _, err := c.Write([]byte{5, 0}); err != nil {
		return nil, err
	}
	var req [10]byte
	if _, err := io.ReadFull(c, req[:]); err != nil {
		return nil, err
	}
	to, err := net.Dial("tcp", netip.AddrPortFrom(netip.AddrFrom4([4]byte(req[4:8])), uint16(req[8])<<8|uint16(req[9])).String())
	if err != nil {
		return nil, err
	}
	_, err = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return to, err
}

func TestEverythingGoesThroughTheProxy(t *testing.T) {
	t.Parallel()
	address, asked := socks(t)
	b := newPerson(t)
	a := idle(t, newSelf(t), peer.Services{Proxy: "socks5://" + address, MDNS: true, NearbyName: "Alice"})
	a.run(t)
	a.node.SetPeers([]peer.Known{b.row(t, peer.Contact)})
	a.reached(t, b, peer.Local)
	talk(t, a, b)
	if to := <-asked; !strings.Contains(strings.Join(b.addresses(t), " "), strings.ReplaceAll(to, ":", "/tcp/")) {
		t.Errorf("the proxy was asked for %s", to)
	}
	if l := a.node.Status().Listen; len(l) != 0 {
		t.Errorf("listens on %v behind a proxy", l)
	}
	for _, c := range a.node.at().host.Network().Conns() {
		if !strings.Contains(c.RemoteMultiaddr().String(), "/tcp/") {
			t.Errorf("a connection past the proxy: %v", c.RemoteMultiaddr())
		}
	}
}

func TestProxyErrorsDoNotRepeatThePassword(t *testing.T) {
	for _, s := range []string{"http://me:secret@127.0.0.1:1", "socks5://me:secret@", "://me:secret@x", "socks5://me:secret@h:1/path"} {
		_, err := parseProxy(s)
		if err == nil {
			t.Errorf("%q is taken", s)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in %q", err)
		}
	}
}

// TestAccountIsShownOnTheLocalNetworkOnly: a PeerID is told to everybody who connects, and by it a handshake can be asked for
// that says who we are.
func TestAccountIsShownOnTheLocalNetworkOnly(t *testing.T) {
	s := &station{now: discovery.Network{Interfaces: []discovery.Interface{iface(net.FlagUp, "192.168.1.5/24")}}}
	near, far := multi("/ip4/192.168.1.9/tcp/1")[0], multi("/ip4/8.8.8.8/tcp/1")[0]
	if s.showsTo(near) {
		t.Error("shown while we hide")
	}
	s.services.NearbyName = "Alice"
	if !s.showsTo(near) {
		t.Error("hidden from people nearby while we show ourselves")
	}
	if s.showsTo(far) {
		t.Error("shown to the Internet")
	}
}
