package p2p

import (
	"bytes"
	"strings"
	"testing"
	"time"

	corepeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

// ordered returns two people who listen, the one with the smaller PeerID first: it dials, and redials, at once.
func ordered(t testing.TB, listen ...string) (a, b *person) {
	t.Helper()
	a, b = newPerson(t, listen...), newPerson(t, listen...)
	if bytes.Compare(a.self.Device.Certificate.Peer[:], b.self.Device.Certificate.Peer[:]) > 0 {
		a, b = b, a
	}
	return a, b
}

// TestACleanStopIsNoFault: who is left redials at once, into a host that is closing.
func TestACleanStopIsNoFault(t *testing.T) {
	t.Parallel()
	rounds := map[string]int{"tcp": 20, "udp": 2} // over UDP an attempt at nobody takes five seconds
	for _, over := range loopback {
		transport := strings.Split(over, "/")[3]
		t.Run(transport, func(t *testing.T) {
			for range rounds[transport] {
				a, b := ordered(t, over)
				befriend(t, a, b)
				talk(t, a, b)
				b.stop()
				a.eventually(t, 20*time.Second, "an attempt after the end", func(facts []peer.Fact) bool {
					f, ok := last[peer.Attempt](facts)
					return ok && f.Cause != ""
				})
				a.stop()
				a.showsNoFault(t)
				b.showsNoFault(t)
			}
		})
	}
}

// showsNoFault asserts that nothing of what a person was told, or counted, looks like an error of somebody or an attack.
func (p *person) showsNoFault(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.facts {
		switch f := x.(type) {
		case peer.Attempt:
			if f.Cause == peer.CauseBroken || f.Cause == peer.CauseRefused || f.Cause == peer.CauseIdentity {
				t.Errorf("a clean stop is told as %q", f.Cause)
			}
		case peer.Listening:
			if len(f.Addresses) == 0 {
				t.Error("who stops takes its addresses back")
			}
		case peer.RecordLearned:
			if n := len(recorded(t, f.Record)); n == 0 {
				t.Error("a record without an address was learnt of somebody who stopped")
			}
		}
	}
	if n := p.node.facts.refused(); len(n) > 0 {
		t.Errorf("refusals are counted: %v", n)
	}
}

// recorded are the addresses of a signed record.
func recorded(t testing.TB, raw []byte) []string {
	t.Helper()
	_, rec, err := record.ConsumeEnvelope(raw, corepeer.PeerRecordEnvelopeDomain)
	if err != nil {
		t.Fatal(err)
	}
	return texts(rec.(*corepeer.PeerRecord).Addrs)
}
