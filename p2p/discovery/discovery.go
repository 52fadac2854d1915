// Package discovery finds others on the local network, and decides when to dial whom.
//
//	Beacon   multicast DNS (RFC 6762, 6763) under a service name of our own: who is here, as a bare PeerID and addresses
//	Nearby   /cryptexq/hello/1: asks those whom the beacon found, and answers, with name and account
//	Dialer   keeps wanted peers connected: order, back-off, when to start over
//	Network  what the machine's interfaces look like, and whether that has changed
//
// What is found is a claim of whoever sent the packet: it feeds the dialer, and nothing is believed before a handshake.
// The multicast DNS here is small and our own, on x/net. The library that go-libp2p takes for it finds nobody, and says
// nothing, on a machine where either IPv4 or IPv6 multicast is missing, spins when a socket breaks, and keeps every name
// that anybody announces for as long as its sender likes.
package discovery

import (
	"github.com/cryptexq/cryptexq/crypto/identity"
)

// Find is somebody whom the beacon heard: on this network, by what they say.
type Find struct {
	Peer      identity.PeerID
	Addresses []string // plain TCP and QUIC multiaddresses on local networks, without /p2p; at most maxAddresses
}

// maxAddresses is how many addresses of one peer are announced, taken, and dialled: TCP and QUIC over IPv4 and IPv6 on
// two interfaces.
const maxAddresses = 8
