package p2p

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/p2p/netlab"
)

// packets is how many went over lo so far.
func packets(t *testing.T) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if name, rest, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "lo" {
			n, err := strconv.Atoi(strings.Fields(rest)[1])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatal("there is no lo")
	return 0
}

// TestIdleLinkIsQuiet: neither the kernel nor yamux nor anybody else asks every 30 s whether a link lives that our own pings
// look after, once a minute on a local network.
func TestIdleLinkIsQuiet(t *testing.T) {
	t.Parallel()
	if !netlab.AloneOnLoopback(t) {
		return
	}
	const settle, watched = 4 * time.Second, 36 * time.Second
	a, b := idle(t, newSelf(t), childServices(loopback[0])), idle(t, newSelf(t), childServices(loopback[0]))
	a.node.lull, b.node.lull = time.Nanosecond, time.Nanosecond
	a.run(t)
	b.run(t)
	befriend(t, a, b)
	<-time.After(settle)
	before := packets(t)
	<-time.After(watched)
	if n := packets(t) - before; n > 2 {
		t.Errorf("%d packets in %v between two who say nothing", n, watched)
	}
	talk(t, a, b)
}
