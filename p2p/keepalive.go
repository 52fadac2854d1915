package p2p

import (
	"context"
	"fmt"
	"net"
	"time"

	ci "github.com/libp2p/go-libp2p/core/crypto"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"

	"github.com/cryptexq/cryptexq/p2p/tlspq"
)

// Links are asked for a sign of life by the keeper; the kernel is left with connections on which there is none. libp2p has it
// ask every 30 s from both ends, which is more than all else that an idle link costs, and lets nobody say otherwise.
const (
	keepAliveIdle, keepAliveInterval = 2 * time.Minute, 30 * time.Second
	keepAliveCount                   = 4
)

// patient is a security transport that has the kernel ask less often. It is the first that gets hold of a TCP connection.
type patient struct{ *tlspq.Transport }

var _ sec.SecureTransport = patient{}

// security is the constructor of tlspq's transport, made patient.
func security(refused func()) func(protocol.ID, ci.PrivKey, []upgrader.StreamMuxer) (patient, error) {
	return func(id protocol.ID, key ci.PrivKey, muxers []upgrader.StreamMuxer) (patient, error) {
		t, err := tlspq.New(refused)(id, key, muxers)
		return patient{t}, err
	}
}

// SecureInbound is that of tlspq.
func (p patient) SecureInbound(ctx context.Context, insecure net.Conn, id corepeer.ID) (sec.SecureConn, error) {
	if err := calm(insecure); err != nil {
		return nil, err
	}
	return p.Transport.SecureInbound(ctx, insecure, id)
}

// SecureOutbound is that of tlspq.
func (p patient) SecureOutbound(ctx context.Context, insecure net.Conn, id corepeer.ID) (sec.SecureConn, error) {
	if err := calm(insecure); err != nil {
		return nil, err
	}
	return p.Transport.SecureOutbound(ctx, insecure, id)
}

// calm sets how often the kernel asks. What is no TCP connection of our own, one through a proxy say, has nothing to set.
func calm(c net.Conn) error {
	t, ok := c.(interface {
		SetKeepAliveConfig(net.KeepAliveConfig) error
	})
	if !ok {
		return nil
	}
	err := t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount})
	if err != nil {
		return fmt.Errorf("setting the keepalive of a connection: %w", err)
	}
	return nil
}
