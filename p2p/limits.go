package p2p

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/x/rate"

	"github.com/cryptexq/cryptexq/p2p/discovery"
	"github.com/cryptexq/cryptexq/p2p/link"
)

const (
	// lowWater and highWater are between how many connections the connection manager keeps us; protected ones do not count
	// among those it may close.
	lowWater, highWater = 64, 96

	// perAddress is how many connections one address may have, whatever network it is in: one host that fills the places of
	// its whole network would shut out its neighbours. perLoopback is for all of this machine, where tests and several
	// profiles of one person live.
	perAddress, perLoopback = 16, 256
)

// newConnManager closes connections that nobody needs.
func newConnManager() (*connmgr.BasicConnMgr, error) {
	return connmgr.NewConnManager(lowWater, highWater, connmgr.WithGracePeriod(20*time.Second))
}

// newResourceManager bounds memory, streams and connections: of all, of a protocol, of a peer.
func newResourceManager(refuse func(cause string)) (network.ResourceManager, error) {
	limits := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&limits)
	limit(&limits, link.Service, rcmgr.BaseLimit{StreamsInbound: 2048, StreamsOutbound: 2048, Streams: 4096, Memory: 64 << 20},
		rcmgr.BaseLimit{StreamsInbound: 16, StreamsOutbound: 16, Streams: 32, Memory: 4 << 20})
	limit(&limits, link.HandshakeService, rcmgr.BaseLimit{StreamsInbound: 1100, StreamsOutbound: 128, Streams: 1200, Memory: 48 << 20},
		rcmgr.BaseLimit{StreamsInbound: 4, StreamsOutbound: 4, Streams: 8, Memory: 1 << 20})
	limit(&limits, discovery.HelloService, rcmgr.BaseLimit{StreamsInbound: 64, StreamsOutbound: 64, Streams: 128, Memory: 1 << 20},
		rcmgr.BaseLimit{StreamsInbound: 4, StreamsOutbound: 4, Streams: 4, Memory: 64 << 10})
	loopback4, loopback6 := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")
	m, err := rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits.AutoScale()),
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithMetrics(blocks{refuse}),
		rcmgr.WithLimitPerSubnet([]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: perAddress}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 64, ConnCount: perAddress}, {PrefixLength: 48, ConnCount: 4 * perAddress}}),
		rcmgr.WithNetworkPrefixLimit([]rcmgr.NetworkPrefixLimit{{Network: loopback4, ConnCount: perLoopback}},
			[]rcmgr.NetworkPrefixLimit{{Network: loopback6, ConnCount: perLoopback}}),
		rcmgr.WithConnRateLimiters(&rate.Limiter{
			NetworkPrefixLimits: []rate.PrefixLimit{{Prefix: loopback4}, {Prefix: loopback6}},
			SubnetRateLimiter: rate.SubnetLimiter{
				IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: rate.Limit{RPS: 1, Burst: 2 * perAddress}}},
				IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 64, Limit: rate.Limit{RPS: 1, Burst: 2 * perAddress}}},
				GracePeriod:      time.Minute,
			},
		}))
	if err != nil {
		return nil, fmt.Errorf("making resource manager: %w", err)
	}
	return m, nil
}

// limit sets what a service may use in all, and for one peer.
func limit(l *rcmgr.ScalingLimitConfig, service string, all, peer rcmgr.BaseLimit) {
	l.AddServiceLimit(service, all, rcmgr.BaseLimitIncrease{Memory: all.Memory})
	l.AddServicePeerLimit(service, peer, rcmgr.BaseLimitIncrease{})
}

// blocks counts what the resource manager turns away before one of our protocols sees it. What it refuses to a protocol is
// counted there.
type blocks struct{ refuse func(cause string) }

var _ rcmgr.MetricsReporter = blocks{}

func (b blocks) BlockConn(network.Direction, bool)          { b.refuse("connections") }
func (b blocks) BlockStream(corepeer.ID, network.Direction) { b.refuse("streams") }
func (b blocks) BlockPeer(corepeer.ID)                      { b.refuse("connections") }
func (b blocks) BlockProtocol(protocol.ID)                  { b.refuse("streams") }
func (b blocks) BlockProtocolPeer(protocol.ID, corepeer.ID) { b.refuse("streams") }
func (blocks) AllowConn(network.Direction, bool)            {}
func (blocks) AllowStream(corepeer.ID, network.Direction)   {}
func (blocks) AllowPeer(corepeer.ID)                        {}
func (blocks) AllowProtocol(protocol.ID)                    {}
func (blocks) AllowService(string)                          {}
func (blocks) AllowMemory(int)                              {}
func (blocks) BlockService(string)                          {}
func (blocks) BlockServicePeer(string, corepeer.ID)         {}
func (blocks) BlockMemory(int)                              {}
