package identity

import (
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// plainAddresses are in the form in which go-multiaddr prints them.
var plainAddresses = []string{
	"/ip4/1.2.3.4/tcp/1",
	"/ip4/255.255.255.255/udp/65535/quic-v1",
	"/ip6/::/tcp/9",
	"/ip6/2001:db8::1/udp/65535/quic-v1",
	"/ip6/1:0:0:2::3/tcp/3",
	"/ip6/::ffff:1.2.3.4/tcp/4",
	"/dns/x/tcp/5",
	"/dns4/a.example/tcp/443",
	"/dns6/a_b-c.example/udp/1/quic-v1",
	"/dns/" + strings.Repeat("n", maxName) + "/tcp/1",
}

func TestPlainAddressesComeBackFromTheirBytes(t *testing.T) {
	for _, s := range plainAddresses {
		if err := CheckAddress(s); err != nil {
			t.Errorf("CheckAddress(%s): %v", s, err)
			continue
		}
		a, err := parseAddress(s)
		if err != nil || a.String() != s {
			t.Errorf("parseAddress(%s) = %s, %v", s, a, err)
		}
		var b cryptobyte.Builder
		a.add(&b)
		rest := cryptobyte.String(b.BytesOrPanic())
		got, err := readAddress(&rest)
		if err != nil || got != a || !rest.Empty() {
			t.Errorf("readAddress of %s = %s, %v, %d bytes left", s, got, err, len(rest))
		}
	}
}

func TestAnIPIsWrittenInItsShortestForm(t *testing.T) {
	for in, want := range map[string]string{
		"/ip6/2001:DB8:0:0:0:0:0:1/tcp/1": "/ip6/2001:db8::1/tcp/1",
		"/ip6/0:0:0:0:0:0:0:0/tcp/1":      "/ip6/::/tcp/1",
	} {
		if a, err := parseAddress(in); err != nil || a.String() != want {
			t.Errorf("parseAddress(%s) = %s, %v, want %s", in, a, err, want)
		}
	}
}

func TestOtherAddressesAreRefused(t *testing.T) {
	for _, s := range []string{
		"", "/", "nonsense", "ip4/1.2.3.4/tcp/1", " /ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/tcp/1/", "/ip4/1.2.3.4/tcp",
		"/ip4/1.2.3.4", "/ip4/1.2.3/tcp/1", "/ip4/::1/tcp/1", "/ip6/1.2.3.4/tcp/1", "/ip6/fe80::1%eth0/tcp/1",
		"/ip6zone/eth0/ip6/fe80::1/tcp/1", "/ip4/1.2.3.4/tcp/0", "/ip4/1.2.3.4/tcp/01", "/ip4/1.2.3.4/tcp/65536",
		"/ip4/1.2.3.4/tcp/-1", "/ip4/1.2.3.4/tcp/+1", "/ip4/1.2.3.4/tcp/", "/ip4/1.2.3.4/udp/1", "/ip4/1.2.3.4/udp/1/quic",
		"/ip4/1.2.3.4/tcp/1/quic-v1", "/ip4/1.2.3.4/tcp/1/ws", "/ip4/1.2.3.4/udp/1/quic-v1/webtransport",
		"/ip4/1.2.3.4/tcp/1/p2p/12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB", "/ip4/1.2.3.4/tcp/1/p2p-circuit",
		"/dnsaddr/x/tcp/1", "/dns//tcp/1", "/dns/a b/tcp/1", "/dns/ä/tcp/1", "/dns/a\x00/tcp/1", "/unix/x/tcp/1", "/onion3/x/tcp/1",
		"/dns/" + strings.Repeat("n", maxName+1) + "/tcp/1",
	} {
		if err := CheckAddress(s); err == nil {
			t.Errorf("CheckAddress(%q) passes", s)
		}
	}
}
