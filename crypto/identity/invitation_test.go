package identity

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func peerID(b byte) PeerID {
	return PeerIDOf(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, 32)).Public().(ed25519.PublicKey))
}

// fullInvitation has everything that an invitation can have.
func fullInvitation() *Invitation {
	i := &Invitation{
		Account:   AccountID(bytes.Repeat([]byte{1}, 32)),
		Peer:      peerID(1),
		Addresses: []string{"/ip4/192.0.2.1/udp/4001/quic-v1", "/ip6/2001:db8::1/tcp/4001"},
		Relays: []Relay{
			{Peer: peerID(2), Address: "/dns4/relay.example/tcp/443"},
			{Peer: peerID(3), Address: "/ip4/198.51.100.7/udp/9/quic-v1"},
		},
		Token:   [16]byte{5, 5, 5},
		Expires: 1_800_000_000,
	}
	i.Mailbox = &Mailbox{Peer: peerID(3), Address: "/ip4/198.51.100.7/udp/9/quic-v1", Slot: [16]byte{6}, WriteKey: [32]byte{7}}
	return i
}

// size is how many bytes a link encodes.
func size(t *testing.T, link string) int {
	t.Helper()
	return len(payload(t, link))
}

func payload(t *testing.T, link string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(link, linkScheme))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func linkOf(payload []byte) string { return linkScheme + base64.RawURLEncoding.EncodeToString(payload) }

func mustParse(t *testing.T, link string) *Invitation {
	t.Helper()
	i, err := ParseInvitation(link)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestAnInvitationComesBackFromItsLink(t *testing.T) {
	bare := &Invitation{Account: AccountID{9}, Peer: peerID(1), Expires: 1}
	first, elsewhere, alone := fullInvitation(), fullInvitation(), fullInvitation()
	first.Mailbox.Peer, first.Mailbox.Address = first.Relays[0].Peer, first.Relays[0].Address
	elsewhere.Relays = elsewhere.Relays[:1]
	elsewhere.Mailbox.Address = "/dns/mail.example/tcp/1"
	alone.Relays, alone.Addresses = nil, nil
	for name, want := range map[string]*Invitation{
		"bare": bare, "full, mailbox at the second relay": fullInvitation(), "mailbox at the first relay": first,
		"mailbox elsewhere": elsewhere, "mailbox alone": alone,
	} {
		link := want.Link()
		got := mustParse(t, link)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s comes back as something else", name, link)
		}
		if got.Link() != link || size(t, link) > maxInvitation {
			t.Errorf("%s: %d bytes, or another link", name, size(t, link))
		}
	}
}

func TestAMailboxAtARelayIsWrittenByReference(t *testing.T) {
	there, elsewhere := fullInvitation(), fullInvitation()
	elsewhere.Mailbox.Address = "/ip4/198.51.100.8/udp/9/quic-v1"
	if a, b := size(t, there.Link()), size(t, elsewhere.Link()); b-a != 39 { // key 32, kind 1, address 4, port 2
		t.Errorf("by reference %d bytes, in full %d", a, b)
	}
}

func TestWhatIsTooLongIsDroppedInOrder(t *testing.T) {
	long := func(n int) string { return "/dns/" + strings.Repeat("a", n) + "/tcp/1" }
	for _, row := range []struct {
		name                   string
		addresses, relays      int
		mailbox                bool
		address, relay, boxLen int // lengths of host names
	}{
		{"all fits", 2, 2, true, 1, 1, 1},
		{"second relay", 2, 1, true, 10, 20, 30},
		{"second address", 1, 1, true, 40, 10, 10},
		{"first address", 0, 1, true, 60, 40, 40},
		{"mailbox", 0, 1, false, 100, 100, 100},
		{"first relay", 0, 0, false, 250, 250, 250},
	} {
		i := &Invitation{Peer: peerID(1), Addresses: []string{long(row.address), "/dns6" + long(row.address)[4:]}}
		i.Relays = []Relay{{peerID(2), long(row.relay)}, {peerID(3), long(row.relay)}}
		i.Mailbox = &Mailbox{Peer: peerID(4), Address: long(row.boxLen)}
		link := i.Link()
		got := mustParse(t, link)
		if len(got.Addresses) != row.addresses || len(got.Relays) != row.relays || (got.Mailbox != nil) != row.mailbox || size(t, link) > maxInvitation {
			t.Errorf("%s: %d addresses, %d relays, mailbox %v, %d bytes", row.name, len(got.Addresses), len(got.Relays), got.Mailbox != nil, size(t, link))
		}
		if len(got.Addresses) > 0 && got.Addresses[0] != i.Addresses[0] || len(got.Relays) > 0 && got.Relays[0] != i.Relays[0] {
			t.Errorf("%s: what is left is not what came first", row.name)
		}
	}
}

// TestDroppingARelayKeepsItsMailbox: what was a reference is then written in full.
func TestDroppingARelayKeepsItsMailbox(t *testing.T) {
	i := fullInvitation()
	i.Relays[0].Address = "/dns/" + strings.Repeat("r", 70) + "/tcp/1"
	if len(i.compact().marshal()) <= maxInvitation {
		t.Fatal("nothing needs to be dropped: the test shows nothing")
	}
	got := mustParse(t, i.Link())
	if len(got.Relays) != 1 || !reflect.DeepEqual(got.Mailbox, i.Mailbox) {
		t.Errorf("%d relays, mailbox kept %v", len(got.Relays), got.Mailbox != nil)
	}
}

func TestALinkLeavesOutWhatItCannotCarry(t *testing.T) {
	i := fullInvitation()
	i.Addresses = []string{"/ip4/192.0.2.1/udp/1/quic-v1/webtransport", "/ip4/192.0.2.1/tcp/1", "/unix/x", "/ip4/192.0.2.2/tcp/1", "/ip4/192.0.2.3/tcp/1"}
	i.Relays = []Relay{{peerID(2), "nonsense"}, {PeerID{}, "/ip4/192.0.2.1/tcp/1"}, {peerID(3), "/ip4/192.0.2.1/tcp/1"}}
	i.Mailbox.Address = "/ip4/192.0.2.1/tcp/1/ws"
	got := mustParse(t, i.Link())
	if want := []string{i.Addresses[1], i.Addresses[3]}; !slices.Equal(got.Addresses, want) {
		t.Errorf("Addresses = %v, want %v", got.Addresses, want)
	}
	if len(got.Relays) != 1 || got.Relays[0] != i.Relays[2] || got.Mailbox != nil {
		t.Errorf("Relays = %v, mailbox %v", got.Relays, got.Mailbox != nil)
	}
}

func TestALinkThatIsCutOffSaysSo(t *testing.T) {
	link := fullInvitation().Link()
	for n := range len(link) {
		want := ErrCutOff
		if n < len(linkScheme) {
			want = ErrNotOurs
		}
		if _, err := ParseInvitation(link[:n]); !errors.Is(err, want) {
			t.Errorf("%d of %d characters: %v, want %v", n, len(link), err, want)
		}
	}
}

func TestLinksOfOthersOfNewerVersionsAndBrokenOnes(t *testing.T) {
	good := payload(t, fullInvitation().Link())
	with := func(at int, b byte) string {
		out := bytes.Clone(good)
		out[at] = b
		return linkOf(out)
	}
	const counts = 65
	for _, row := range []struct {
		name, link string
		want       error
	}{
		{"empty", "", ErrNotOurs},
		{"web address", "https://example.org/", ErrNotOurs},
		{"without scheme", base64.RawURLEncoding.EncodeToString(good), ErrNotOurs},
		{"next version", with(0, 2), ErrNewer},
		{"last version", with(0, 255), ErrNewer},
		{"version 0", with(0, 0), ErrMalformed},
		{"newer and short", linkOf([]byte{2}), ErrNewer},
		{"foreign character", linkScheme + "A!AA", ErrMalformed},
		{"standard base64", linkScheme + "ab+/", ErrMalformed},
		{"padding", linkOf(good) + "==", ErrMalformed},
		{"trailing byte", linkOf(append(bytes.Clone(good), 0)), ErrMalformed},
		{"three addresses", with(counts, 2|2<<2|3<<4|1), ErrMalformed},
		{"three relays", with(counts, 3<<2), ErrMalformed},
		{"high bits", with(counts, 0x40|good[counts]), ErrMalformed},
		{"mailbox at a missing relay", with(counts, 2|1<<2|3<<4), ErrMalformed},
		{"unknown kind of host", with(counts+1, 5<<1), ErrMalformed},
		{"port 0", linkOf(slices.Concat(good[:counts+6], []byte{0, 0}, good[counts+8:])), ErrMalformed},
	} {
		if _, err := ParseInvitation(row.link); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
}

func TestAMailboxHostNeedlesslyRepeatedIsRefused(t *testing.T) {
	c := fullInvitation().compact()
	good := c.marshal()
	c.relays = c.relays[:1]
	c.mailbox.host = c.relays[0]
	relay := c.relays
	c.relays = nil // so that marshal writes the host in full
	inFull := c.marshal()
	c.relays = relay
	byReference := c.marshal()
	at := len(inFull) - 24 - 48 - len(hostBytes(c.mailbox.host))
	repeated := slices.Concat(byReference[:65], []byte{2 | 1<<2 | mailboxHere<<4}, byReference[66:at], hostBytes(relay[0]), inFull[at:])
	if _, err := parseInvitation(repeated); !errors.Is(err, ErrMalformed) {
		t.Errorf("repeated host: %v, want ErrMalformed", err)
	}
	if _, err := parseInvitation(byReference); err != nil {
		t.Errorf("by reference: %v", err)
	}
	if _, err := parseInvitation(good); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

func hostBytes(h host) []byte {
	c := compact{relays: []host{h}}
	whole := c.marshal()
	return whole[66 : len(whole)-24]
}

func TestALinkSurvivesTheLineBreaksOfMail(t *testing.T) {
	link := fullInvitation().Link()
	wrapped := " \n" + link[:40] + "\r\n" + link[40:80] + "\n\t" + link[80:] + " \n"
	if got := mustParse(t, wrapped); got.Link() != link {
		t.Error("a wrapped link is another invitation")
	}
}

func TestALinkHasOneForm(t *testing.T) {
	link := (&Invitation{Peer: peerID(1), Addresses: []string{"/ip4/192.0.2.1/tcp/1"}}).Link()
	last := link[len(link)-1]
	if size(t, link)%3 == 0 {
		t.Fatal("the last character has no spare bits: the test shows nothing")
	}
	for c := byte(33); c < 127; c++ {
		bad := link[:len(link)-1] + string(c)
		if got, err := ParseInvitation(bad); c != last && err == nil && got.Link() != bad {
			t.Errorf("ending in %c instead of %c it is the same invitation", c, last)
		}
	}
}

func TestAnInvitationExpires(t *testing.T) {
	i := &Invitation{Expires: 100}
	for now, want := range map[uint64]bool{0: false, 99: false, 100: true, 101: true} {
		if got := i.Expired(now); got != want {
			t.Errorf("Expired(%d) = %v, want %v", now, got, want)
		}
	}
}
