package p2p

import (
	"testing"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

func TestHopelessAttemptsLeaveQUICOutMostly(t *testing.T) {
	var s thrift
	both, alone := multi("/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.1/udp/1/quic-v1"), multi("/ip4/192.0.2.1/udp/1/quic-v1")
	id, other := identity.PeerID{1}, identity.PeerID{2}
	whole := 0
	for n := range 60 {
		all := len(s.of(id, both)) == 2
		if all {
			whole++
		}
		if n < wholeTries && !all {
			t.Errorf("attempt %d leaves something out", n)
		}
		if len(s.of(id, alone)) != 1 || len(s.of(other, both)) != 2 {
			t.Errorf("attempt %d leaves out all there is, or those of others", n)
		}
		s.fail(id)
	}
	if want := wholeTries + 5; whole != want {
		t.Errorf("%d of 60 attempts are whole, want %d", whole, want)
	}
	s.fail(id)
	if s.hope(id); len(s.of(id, both)) != 2 {
		t.Error("QUIC is left out when there is hope")
	}
	for range wholeTries {
		s.fail(id)
	}
	if s.hopeAll(); len(s.of(id, both)) != 2 {
		t.Error("QUIC is left out when the network has changed")
	}
	for n := range 3 * maxThrift {
		s.fail(identity.PeerID{3, byte(n), byte(n >> 8)})
	}
	if len(s.failed) > maxThrift {
		t.Errorf("%d peers are remembered", len(s.failed))
	}
}
