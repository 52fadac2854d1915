package p2p

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

// silentUDP is an address of this machine from which no QUIC answer comes.
const silentUDP = "/ip4/127.0.0.1/udp/9/quic-v1"

// TestWhatTellsMostComesLast: a QUIC timeout comes long after TCP was refused, and must not hide that.
func TestWhatTellsMostComesLast(t *testing.T) {
	t.Parallel()
	overTCP := func(all []string) []string {
		return slices.DeleteFunc(all, func(s string) bool { return strings.Contains(s, "quic") })
	}
	dead, other := stranger(t), stranger(t)
	closed := knownAs(dead)
	closed.Addresses = overTCP(closed.Addresses)
	_ = dead.Close()
	taken := closed
	taken.Addresses = overTCP(texts(other.Addrs()))
	rows := map[string]struct {
		row  peer.Known
		want peer.Cause
	}{
		"nobody listens there any more": {closed, peer.CauseClosed},
		"somebody else answers there":   {taken, peer.CauseIdentity},
	}
	for name, r := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newPerson(t)
			r.row.Addresses = append(slices.Clone(r.row.Addresses), silentUDP)
			a.node.SetPeers([]peer.Known{r.row})
			var causes []peer.Cause
			a.eventually(t, 20*time.Second, "both addresses tried", func(facts []peer.Fact) bool {
				causes = nil
				for _, x := range facts {
					if f, ok := x.(peer.Attempt); ok {
						causes = append(causes, f.Cause)
					}
				}
				return len(causes) >= 2
			})
			if want := []peer.Cause{peer.CauseTimeout, r.want}; !slices.Equal(causes[:2], want) {
				t.Errorf("told %q, want %q: who keeps the last keeps the best", causes[:2], want)
			}
		})
	}
}
