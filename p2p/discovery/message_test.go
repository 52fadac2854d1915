package discovery

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	ma "github.com/multiformats/go-multiaddr"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

var someone = identity.PeerIDOf(bytes.Repeat([]byte{7}, 32))

func addrs(t testing.TB, all ...string) (out []ma.Multiaddr) {
	t.Helper()
	for _, s := range all {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

func TestAnnouncementSaysWhoAndWhere(t *testing.T) {
	said := []string{"/ip4/192.168.1.5/tcp/4001", "/ip4/192.168.1.5/udp/4001/quic-v1", "/ip6/fd00::5/tcp/4001"}
	b, err := announcement("x1", someone, addrs(t, said...), answerTTL)
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseMessage(b)
	if err != nil || m.asks || len(m.finds) != 1 {
		t.Fatalf("parseMessage = %+v, %v", m, err)
	}
	if f := m.finds[0]; f.Peer != someone || !slices.Equal(f.Addresses, said) {
		t.Errorf("found %v at %v", f.Peer, f.Addresses)
	}
	if len(b) > 512 {
		t.Errorf("an announcement has %d bytes", len(b))
	}
}

func TestGoodbyeIsNoFind(t *testing.T) {
	b, err := announcement("x1", someone, addrs(t, "/ip4/10.0.0.1/tcp/1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := parseMessage(b); !errors.Is(err, errNotOurs) {
		t.Errorf("parseMessage = %+v, %v", m, err)
	}
}

func TestQueryAsks(t *testing.T) {
	b, err := query()
	if err != nil {
		t.Fatal(err)
	}
	if m, err := parseMessage(b); err != nil || !m.asks {
		t.Errorf("parseMessage = %+v, %v", m, err)
	}
}

// textOf is a message with TXT records as somebody else might send them.
func textOf(t testing.TB, name string, texts ...string) []byte {
	t.Helper()
	n, err := dnsmessage.NewName(name)
	if err != nil {
		t.Fatal(err)
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{Response: true})
	h := dnsmessage.ResourceHeader{Name: n, Class: dnsmessage.ClassINET, TTL: 100}
	if err := errors.Join(b.StartAnswers(), b.TXTResource(h, dnsmessage.TXTResource{TXT: texts})); err != nil {
		t.Fatal(err)
	}
	out, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOnlyPlainLocalAddressesAreTaken(t *testing.T) {
	p2p := "/p2p/" + someone.String()
	rows := []struct {
		name, text string
		taken      bool
	}{
		{"TCP", "dnsaddr=/ip4/10.0.0.1/tcp/1" + p2p, true},
		{"QUIC", "dnsaddr=/ip6/fd00::1/udp/1/quic-v1" + p2p, true},
		{"a name to resolve", "dnsaddr=/dns4/example.com/tcp/1" + p2p, false},
		{"a list of names", "dnsaddr=/dnsaddr/example.com" + p2p, false},
		{"a circuit", "dnsaddr=/ip4/10.0.0.1/tcp/1" + p2p + "/p2p-circuit" + p2p, false},
		{"a web socket", "dnsaddr=/ip4/10.0.0.1/tcp/1/ws" + p2p, false},
		{"no port", "dnsaddr=/ip4/10.0.0.1" + p2p, false},
		{"no peer", "dnsaddr=/ip4/10.0.0.1/tcp/1", false},
		{"no address", "dnsaddr=" + p2p, false},
		{"another key", "addr=/ip4/10.0.0.1/tcp/1" + p2p, false},
		{"a peer of another kind", "dnsaddr=/ip4/10.0.0.1/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N", false},
		{"nothing", "", false},
	}
	for _, r := range rows {
		m, err := parseMessage(textOf(t, "abc."+service, r.text))
		if taken := err == nil && len(m.finds) == 1; taken != r.taken {
			t.Errorf("%s: taken %v, want %v", r.name, taken, r.taken)
		}
	}
	if _, err := parseMessage(textOf(t, "abc._p2p._udp.local.", rows[0].text)); !errors.Is(err, errNotOurs) {
		t.Errorf("another service: %v, want errNotOurs", err)
	}
}

func TestOneRecordNamesOnePeerAndFewAddresses(t *testing.T) {
	var texts []string
	for i := range 40 {
		texts = append(texts, "dnsaddr=/ip4/10.0.0."+strings.Repeat("1", 1+i%2)+"/tcp/"+strings.Repeat("2", 1+i%4)+"/p2p/"+someone.String())
		texts = append(texts, "dnsaddr=/ip4/10.0.9.9/tcp/9/p2p/"+identity.PeerIDOf(bytes.Repeat([]byte{byte(i)}, 32)).String())
	}
	m, err := parseMessage(textOf(t, "abc."+service, texts...))
	if err != nil || len(m.finds) != 1 {
		t.Fatalf("parseMessage = %+v, %v", m, err)
	}
	if f := m.finds[0]; f.Peer != someone || len(f.Addresses) > maxAddresses {
		t.Errorf("found %v with %d addresses", f.Peer.Short(), len(f.Addresses))
	}
}

func TestEachNetworkHearsItsOwnAddressesOnly(t *testing.T) {
	lan := Interface{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.1.5/24"), netip.MustParsePrefix("fe80::1/64"), netip.MustParsePrefix("fd00::5/64")}}
	listen := addrs(t, "/ip4/0.0.0.0/tcp/1", "/ip6/::/udp/1/quic-v1", "/ip4/10.0.0.1/tcp/2", "/ip4/192.168.1.5/tcp/3", "/ip4/0.0.0.0/tcp/1/ws")
	want := []string{"/ip4/192.168.1.5/tcp/1", "/ip6/fd00::5/udp/1/quic-v1", "/ip4/192.168.1.5/tcp/3"}
	var got []string
	for _, a := range lan.on(listen) {
		got = append(got, a.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("on = %v, want %v", got, want)
	}
}

func TestLocal(t *testing.T) {
	n := Network{Interfaces: []Interface{{Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.7/28")}}}}
	rows := map[string]bool{
		"/ip4/127.0.0.1/tcp/1": true, "/ip4/10.9.8.7/udp/1/quic-v1": true, "/ip6/fe80::1/tcp/1": true, "/ip6/fd12::1/tcp/1": true,
		"/ip4/203.0.113.2/tcp/1": true, "/ip4/203.0.113.99/tcp/1": false, "/ip4/8.8.8.8/tcp/1": false, "/dns4/localhost/tcp/1": false,
		"/ip6/::ffff:10.0.0.1/tcp/1":                                   true,
		"/ip4/10.0.0.1/tcp/1/p2p/" + someone.String() + "/p2p-circuit": false,
	}
	for s, want := range rows {
		if got := n.Local(addrs(t, s)[0]); got != want {
			t.Errorf("Local(%s) = %v, want %v", s, got, want)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	q, err := query()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(q)
	f.Add(textOf(f, "abc."+service, "dnsaddr=/ip4/10.0.0.1/tcp/1/p2p/"+someone.String()))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMessage(b)
		if err != nil {
			return
		}
		if !mentions(b) {
			t.Fatal("a message about our service is told apart from one at a look")
		}
		if len(m.finds) > maxRecords {
			t.Fatalf("%d finds in one message", len(m.finds))
		}
		for _, find := range m.finds {
			if len(find.Addresses) == 0 || len(find.Addresses) > maxAddresses {
				t.Fatalf("%d addresses", len(find.Addresses))
			}
			again, err := announcement("x", find.Peer, addrs(t, find.Addresses...), 1)
			if err != nil {
				continue // too long for us to say
			}
			back, err := parseMessage(again)
			if err != nil || len(back.finds) != 1 || back.finds[0].Peer != find.Peer {
				t.Fatalf("%v announced and parsed again is %v, %v", find, back, err)
			}
		}
	})
}
