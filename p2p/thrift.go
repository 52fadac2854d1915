package p2p

import (
	"slices"
	"sync"

	ma "github.com/multiformats/go-multiaddr"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/tlspq"
)

const (
	// An attempt over QUIC at an address from which nothing comes sends about 13 KB in its five seconds, one over TCP 0.2 KB.
	// Who is away for days is tried once a minute: of attempts in a row that fail, wholeTries go everywhere, and of the others
	// one in wholeEvery does; the rest leave QUIC out where there is TCP.
	wholeTries, wholeEvery = 4, 10

	// maxThrift bounds the peers whose failures are counted.
	maxThrift = 4096
)

// thrift makes hopeless attempts cheap. Its zero value is ready.
type thrift struct {
	mu     sync.Mutex
	failed map[identity.PeerID]int // guarded by mu: attempts in a row
}

// of are the addresses worth dialling now.
func (t *thrift) of(id identity.PeerID, all []ma.Multiaddr) []ma.Multiaddr {
	t.mu.Lock()
	n := t.failed[id]
	t.mu.Unlock()
	if n < wholeTries || n%wholeEvery == 0 || !slices.ContainsFunc(all, notQUIC) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), tlspq.IsQUIC)
}

func notQUIC(a ma.Multiaddr) bool { return !tlspq.IsQUIC(a) }

// fail counts an attempt in vain.
func (t *thrift) fail(id identity.PeerID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil || len(t.failed) >= maxThrift {
		t.failed = make(map[identity.PeerID]int)
	}
	t.failed[id]++
}

// hope says that there is reason to believe that a peer can be reached now.
func (t *thrift) hope(id identity.PeerID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.failed, id)
}

// hopeAll is hope for every peer.
func (t *thrift) hopeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = nil
}
