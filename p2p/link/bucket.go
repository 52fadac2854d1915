package link

import (
	"net/netip"
	"sync"
	"time"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"golang.org/x/time/rate"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

const (
	// strangerHandshakes is how many handshakes a minute a stranger may begin, by PeerID and by network (/24 and /48), or,
	// over a circuit, by PeerID and by relay. One that works needs one.
	strangerHandshakes = 5

	// lanHandshakes takes the place of the limit by network for private addresses: behind a /24 of the Internet stands one
	// provider, in a private one stands everybody in the room.
	lanHandshakes = 30

	// Requests of a stranger with a link: 20 frames and 256 KiB a second. The burst of bytes takes one frame of
	// each kind that a stranger may send.
	strangerFrames, strangerBurst = 20, 100
	strangerBytes, bytesBurst     = 256 << 10, 1 << 20

	// throttlePause is how long a stranger who asks too much is not read: the time of one frame.
	throttlePause = time.Second / strangerFrames

	// maxBuckets bounds what is remembered of strangers, about 200 bytes each.
	maxBuckets = 4096
)

// buckets are token buckets by key. Idle ones fill up and are then forgotten; when there are too many that are not full, all
// newcomers share one.
type buckets struct {
	limit rate.Limit
	burst int

	mu     sync.Mutex
	byKey  map[string]*rate.Limiter // guarded by mu
	shared *rate.Limiter            // guarded by mu
	purged time.Time                // guarded by mu: the last purge
}

func newBuckets(perMinute int) *buckets {
	limit := rate.Every(time.Minute / time.Duration(perMinute))
	return &buckets{limit: limit, burst: perMinute, byKey: make(map[string]*rate.Limiter), shared: rate.NewLimiter(limit, perMinute)}
}

// take takes a token of key's bucket; false if it is empty.
func (b *buckets) take(key string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.byKey[key]
	if l == nil {
		if len(b.byKey) >= maxBuckets && now.Sub(b.purged) > time.Second { // it looks at all of them
			b.purge(now)
		}
		if len(b.byKey) >= maxBuckets {
			return b.shared.AllowN(now, 1)
		}
		l = rate.NewLimiter(b.limit, b.burst)
		b.byKey[key] = l
	}
	return l.AllowN(now, 1)
}

// purge forgets the full buckets. The caller holds mu.
func (b *buckets) purge(now time.Time) {
	b.purged = now
	for key, l := range b.byKey {
		if l.TokensAt(now) >= float64(b.burst) {
			delete(b.byKey, key)
		}
	}
}

// doorbell limits the handshakes of strangers.
type doorbell struct{ peers, networks, lan *buckets }

func newDoorbell() doorbell {
	return doorbell{newBuckets(strangerHandshakes), newBuckets(strangerHandshakes), newBuckets(lanHandshakes)}
}

// allow says whether a stranger at the end of c may begin a handshake now.
func (d doorbell) allow(c network.Conn, now time.Time) bool {
	if !d.peers.take(string(c.RemotePeer()), now) {
		return false
	}
	key, private := networkOf(c.RemoteMultiaddr())
	if private {
		return d.lan.take(key, now)
	}
	return d.networks.take(key, now)
}

// networkOf is the /24 or /48 that an address lies in, or the relay of a circuit, and whether it is private.
func networkOf(a ma.Multiaddr) (key string, private bool) {
	relay, rest := ma.SplitFunc(a, func(c ma.Component) bool { return c.Protocol().Code == ma.P_CIRCUIT })
	if rest != nil {
		if id, err := relay.ValueForProtocol(ma.P_P2P); err == nil {
			return "relay " + id, false
		}
		return "relay", false
	}
	ip, err := manet.ToIP(a)
	if err != nil {
		return "elsewhere", false
	}
	addr, _ := netip.AddrFromSlice(ip)
	addr = addr.Unmap()
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return "elsewhere", false
	}
	return prefix.String(), addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast()
}

// meter measures what one stranger asks on all links together.
type meter struct{ frames, bytes *rate.Limiter }

func newMeter() *meter {
	return &meter{rate.NewLimiter(strangerFrames, strangerBurst), rate.NewLimiter(strangerBytes, bytesBurst)}
}

// afford takes one frame of n bytes from the meter of p.
func (p *Pool) afford(id identity.PeerID, n int) bool {
	p.mu.Lock()
	g := p.peers[id]
	p.mu.Unlock()
	if g == nil {
		return false
	}
	now := time.Now()
	return g.meter.frames.AllowN(now, 1) && g.meter.bytes.AllowN(now, max(1, n))
}
