package discovery

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestOneSenderCannotUseUpWhatAllMaySay(t *testing.T) {
	var s senders
	now := time.Now()
	noisy, quiet := netip.MustParseAddr("192.168.1.6"), netip.MustParseAddr("192.168.1.7")
	taken := 0
	for range 1000 {
		if s.allow(noisy, now) {
			taken++
		}
	}
	if taken != senderBurst || !s.allow(quiet, now) {
		t.Errorf("%d packets of one sender in a moment, want %d; another one: %v", taken, senderBurst, s.allow(quiet, now))
	}
	if !s.allow(noisy, now.Add(time.Second)) {
		t.Error("a sender is never heard again")
	}
	taken = 0
	for i := range 4 * maxSenders {
		if s.allow(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(i)))), now) {
			taken++
		}
	}
	if len(s.all) > maxSenders || taken > maxSenders+senderBurst {
		t.Errorf("%d senders are remembered, %d packets taken of ever new ones", len(s.all), taken)
	}
	s.allow(quiet, now.Add(time.Minute))
	if len(s.all) > maxSenders {
		t.Errorf("%d senders are remembered", len(s.all))
	}
}

func TestMessagesAboutOthersAreToldAtALook(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                  false,
		"_cryptexq":                         true,
		"x_CryptexQ\x04_udp":                true,
		"__cryptexq":                        true,
		"_cryptex":                          false,
		"_ipps\x04_tcp\x05local":            false,
		"_cryptex_cryptex_cryptex_cryptexz": false,
	} {
		if got := mentions([]byte(text)); got != want {
			t.Errorf("mentions(%q) = %v, want %v", text, got, want)
		}
	}
	if mentions(bytes.Repeat([]byte{'_'}, maxPacket)) {
		t.Error("underscores alone are about us")
	}
}

// TestNobodyElseSaysWhatListensOnOurLoopback: what others announce is dialled, and behind the loopback stands what trusts
// this machine alone.
func TestNobodyElseSaysWhatListensOnOurLoopback(t *testing.T) {
	var found []string
	b := NewBeacon(BeaconConfig{Found: func(f Find) { found = append(found, f.Addresses...) }})
	now := Network{Interfaces: []Interface{{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.168.1.5/24")}}}}
	said := []string{"/ip4/127.0.0.1/tcp/6379", "/ip6/::1/tcp/6379", "/ip4/192.168.1.9/tcp/1", "/ip4/8.8.8.8/tcp/1"}
	say := func(from string) []string {
		found = nil
		b.report([]Find{{Peer: someone, Addresses: slices.Clone(said)}}, netip.MustParseAddr(from), now)
		return found
	}
	if got := say("192.168.1.9"); !slices.Equal(got, said[2:3]) {
		t.Errorf("another machine has us dial %v", got)
	}
	for _, own := range []string{"192.168.1.5", "127.0.0.1"} {
		if got := say(own); !slices.Equal(got, said[:3]) {
			t.Errorf("somebody else on this machine is found at %v", got)
		}
	}
}
