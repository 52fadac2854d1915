package discovery

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestSleepIsToldFromALateLook(t *testing.T) {
	rows := map[string]struct {
		mono, wall time.Duration
		want       bool
	}{
		"on time":                             {lookEvery, lookEvery, false},
		"a busy machine":                      {2 * lookEvery, 2 * lookEvery, false},
		"slept, and one clock stood still":    {lookEvery, time.Hour, true},
		"slept, and both clocks went on":      {time.Hour, time.Hour, true},
		"the wall clock was set back an hour": {lookEvery, -time.Hour, false},
	}
	for name, r := range rows {
		if got := slept(r.mono, r.wall); got != r.want {
			t.Errorf("%s: slept(%v, %v) = %v", name, r.mono, r.wall, got)
		}
	}
	last := time.Now().Add(-time.Hour)
	if !sleptSince(&last) || sleptSince(&last) {
		t.Error("an hour is noticed once")
	}
}

func TestNetworkHasItsOwnAddressesOnly(t *testing.T) {
	n := Network{Interfaces: []Interface{{Prefixes: []netip.Prefix{
		netip.MustParsePrefix("192.168.1.5/24"), netip.MustParsePrefix("fe80::1/64"),
	}}}}
	for text, want := range map[string]bool{
		"192.168.1.5": true, "192.168.1.6": false, "10.0.0.1": false, "fe80::1": true, "0.0.0.0": true, "::": true, "127.0.0.1": true,
	} {
		if got := n.Has(net.ParseIP(text)); got != want {
			t.Errorf("Has(%s) = %v, want %v", text, got, want)
		}
	}
	if n.Has(nil) {
		t.Error("no address is ours")
	}
}
