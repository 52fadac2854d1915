// Package p2p is the node: it finds peers, keeps links with them and moves frames, and never knows what a frame means.
//
//	Node       what the messenger holds: tables go in (SetPeers, SetServices), facts come out (Handler), calls go across
//	station    one libp2p host and everything that lives as long as it; a change of what is listened on makes a new one
//	tlspq      TLS and QUIC with post-quantum key exchange only      link       authenticated links on top
//	discovery  who is near, and when to dial whom                    peer       the words shared with the messenger
//
// The node stores nothing: what must outlive the process is told as a Fact and comes back with the next table. Every
// goroutine it starts has ended when Run returns.
package p2p

import (
	"context"
	"log/slog"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Handler is what the node asks and tells, in the manner of net/http. Its methods are called from many goroutines at a
// time. None may call SetServices, which waits for them.
type Handler interface {
	// HandleHello is told who stands at the other end of a fresh link, before any frame, and says what they are to us. An
	// error ends the link: the peer is told that it was refused, and a *peer.RefusedError is counted under its cause.
	HandleHello(ctx context.Context, h peer.Hello) (peer.Class, error)

	// HandleFrame handles one request and returns the reply once everything is committed; it never sends. Up to sixteen run
	// at once for a link. The caller at the other end gets peer.ErrRefused for an error that is it, and a *peer.RefusedError
	// is counted under its cause; peer.ErrNewer for one that is that; peer.ErrLater for every other error. The body belongs
	// to the handler. The context ends with the deadline of the kind, and with Run.
	HandleFrame(ctx context.Context, from identity.DeviceID, k peer.Kind, body []byte) ([]byte, error)

	// HandleBare handles a request of somebody who shows no account: mailbox PUT and STATUS. It is not called yet.
	HandleBare(ctx context.Context, from identity.PeerID, k peer.Kind, body []byte) ([]byte, error)

	// ScreenTopic and HandleTopic judge a gossiped message, cheaply and inline, then dearly. They are not called yet.
	ScreenTopic(t peer.Topic, data []byte) peer.Verdict
	HandleTopic(ctx context.Context, t peer.Topic, data []byte) peer.Verdict

	// HandleFact is told what the node has learnt: in order, one at a time. It must not block.
	HandleFact(f peer.Fact)
}

// Config is what a node is made from.
type Config struct {
	Self     peer.Self
	Services peer.Services
	Logger   *slog.Logger // nil discards
}
