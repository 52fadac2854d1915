package p2p

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/cryptexq/cryptexq/p2p/discovery"
	"github.com/cryptexq/cryptexq/p2p/tlspq"
)

const (
	// headStart is what an address that worked the last time has before all others: a round trip on most paths.
	headStart = 250 * time.Millisecond

	// tcpStart is what TCP has before QUIC on a local network, where it moves two to three times as much.
	tcpStart = 50 * time.Millisecond

	// maxGood bounds the addresses that are remembered to have worked.
	maxGood = 1024
)

// ranker says in which order the addresses of a peer are dialled: what worked first, then local ones, TCP before QUIC, then
// the others as libp2p would.
type ranker struct {
	mu    sync.Mutex
	local func(ma.Multiaddr) bool // guarded by mu
	good  map[string]bool         // guarded by mu: addresses that worked the last time
}

func newRanker() *ranker {
	return &ranker{local: discovery.Look().Local, good: make(map[string]bool)}
}

// moved tells the ranker what the network looks like now.
func (r *ranker) moved(now discovery.Network) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.local = now.Local
}

// worked remembers an address.
func (r *ranker) worked(a ma.Multiaddr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.good) >= maxGood {
		clear(r.good)
	}
	r.good[string(a.Bytes())] = true
}

// failed forgets an address.
func (r *ranker) failed(a ma.Multiaddr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.good, string(a.Bytes()))
}

// rank is a network.DialRanker.
func (r *ranker) rank(addrs []ma.Multiaddr) []network.AddrDelay {
	r.mu.Lock()
	var out []network.AddrDelay
	var near, far []ma.Multiaddr
	for _, a := range addrs {
		switch {
		case r.good[string(a.Bytes())]:
			out = append(out, network.AddrDelay{Addr: a})
		case r.local(a):
			near = append(near, a)
		default:
			far = append(far, a)
		}
	}
	r.mu.Unlock()
	wait := time.Duration(0)
	if len(out) > 0 {
		wait = headStart
	}
	for _, a := range near {
		d := network.AddrDelay{Addr: a, Delay: wait}
		if tlspq.IsQUIC(a) {
			d.Delay += tcpStart
		}
		out = append(out, d)
	}
	for _, d := range swarm.DefaultDialRanker(far) {
		d.Delay += wait
		out = append(out, d)
	}
	return out
}
