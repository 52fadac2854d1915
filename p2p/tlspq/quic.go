package tlspq

import (
	ma "github.com/multiformats/go-multiaddr"
	"github.com/quic-go/quic-go"

	"github.com/libp2p/go-libp2p/core/network"
)

// Hybrid reports whether the key exchange of an upgraded connection was hybrid. It is what InterceptUpgraded must ask, for
// a QUIC connection is keyed before anybody can look. Whatever is neither QUIC nor secured by Transport is not hybrid.
func Hybrid(c network.Conn) bool {
	if !IsQUIC(c.RemoteMultiaddr()) {
		return c.ConnState().Security == ID // Transport let no other group through
	}
	var q *quic.Conn
	return c.As(&q) && q.ConnectionState().TLS.CurveID == Group
}

// IsQUIC reports whether a connection to a runs over QUIC itself, not over a circuit that a QUIC connection carries.
func IsQUIC(a ma.Multiaddr) bool {
	last := 0
	ma.ForEach(a, func(c ma.Component) bool {
		switch c.Protocol().Code {
		case ma.P_QUIC_V1, ma.P_CIRCUIT:
			last = c.Protocol().Code
		}
		return true
	})
	return last == ma.P_QUIC_V1
}
