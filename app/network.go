package app

import (
	"context"
	"errors"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// Network is what carries frames to devices: the libp2p node, or the simulator's mesh. Tables are pushed down whole and
// kept by nobody; frames come up through the Service's handler methods, facts through HandleFact.
type Network interface {
	// SetPeers replaces the table of whom the node knows.
	SetPeers([]peer.Known)
	// SetTopics replaces the set of gossip topics that we take part in.
	SetTopics([]peer.Topic)
	// SetServices says what the node does for us and others. It may rebuild the host.
	SetServices(peer.Services) error
	// Call sends a frame and returns the reply's body. It may be called again after any error: nothing, or all of it, was done.
	Call(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) ([]byte, error)
	// Push sends a frame and waits for no answer.
	Push(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) error
	// CallBare asks somebody outside a link, where no account is shown.
	CallBare(ctx context.Context, to peer.Address, k peer.Kind, body []byte) ([]byte, error)
	// Publish gives a message to a topic: a hint, never a delivery.
	Publish(ctx context.Context, t peer.Topic, data []byte) error
	// Status is a snapshot of the node's figures.
	Status() peer.Status
}

// NearbyNetwork is a Network that can show our name to others nearby while it runs, or, by an empty one, hide it.
type NearbyNetwork interface {
	SetNearby(name string) error
}

// carrier is the network as couriers have it.
type carrier struct {
	*core
	net Network
}

// errUnanchored keeps what we have from leaving: of a segment of ours the anchor knows nothing yet. Put back to before it, this
// profile would write another story, and nobody would see that it had been put back.
var errUnanchored = errors.New("our newest segment is not safe from a rollback yet")

// Call asks a device. All that body says was read from the store before. What is not known there counts as refused: whether
// somebody runs a newer version is said by the handshake.
func (c carrier) Call(ctx context.Context, to identity.DeviceID, k peer.Kind, body []byte) ([]byte, error) {
	if !c.st.Anchored() {
		return nil, errUnanchored
	}
	reply, err := c.net.Call(ctx, to, k, body)
	if errors.Is(err, peer.ErrNewer) {
		c.count("unknown_there")
		return nil, &peer.RefusedError{Cause: "unknown_there"}
	}
	return reply, err
}
