// Package tlspq secures connections with TLS 1.3 and nothing but a hybrid post-quantum key exchange, X25519MLKEM768.
//
// go-libp2p offers that group by default and falls back to X25519 without a word when the other side does not know it: a
// recording of such a connection is plaintext to whoever has a quantum computer later. Here is no fallback. TCP gets a
// SecureTransport of our own, for libp2ptls.New has no hook. QUIC builds its TLS configuration out of reach, so what was
// agreed on is looked at afterwards, before the first stream (Hybrid). A classical peer is refused on both and counted.
//
// TLS authenticates a libp2p host by Ed25519 and no more: who a peer is, is settled by the handshake on a stream.
package tlspq

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	ci "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/upgrader"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
)

// ID is the protocol of the multistream negotiation, that of stock libp2p: the wire format is the same.
const ID = libp2ptls.ID

// Group is the only key exchange that is accepted.
const Group = tls.X25519MLKEM768

// ErrClassical says that a peer offers no post-quantum key exchange.
var ErrClassical = errors.New("the peer offers no post-quantum key exchange")

// Transport is a libp2p security transport for TCP. It keeps no state between connections and is safe for concurrent use.
type Transport struct {
	identity *libp2ptls.Identity
	local    peer.ID
	muxers   []string
	refused  func() // called once for each classical peer turned away; may be nil
}

var _ sec.SecureTransport = (*Transport)(nil)

// Constructor is what libp2p.Security wants: it makes the transport once host key and muxers are known.
type Constructor = func(id protocol.ID, key ci.PrivKey, muxers []upgrader.StreamMuxer) (*Transport, error)

// New returns the constructor of a transport that calls refused for every classical peer.
func New(refused func()) Constructor {
	return func(_ protocol.ID, key ci.PrivKey, muxers []upgrader.StreamMuxer) (*Transport, error) {
		local, err := peer.IDFromPrivateKey(key)
		if err != nil {
			return nil, fmt.Errorf("reading host key: %w", err)
		}
		identity, err := libp2ptls.NewIdentity(key)
		if err != nil {
			return nil, fmt.Errorf("making TLS certificate: %w", err)
		}
		names := make([]string, 0, len(muxers))
		for _, m := range muxers {
			names = append(names, string(m.ID))
		}
		return &Transport{identity: identity, local: local, muxers: names, refused: refused}, nil
	}
}

// ID names the protocol in the negotiation of security transports.
func (t *Transport) ID() protocol.ID { return ID }

// SecureInbound runs the server's side. The caller closes insecure after an error. A peer that offers no hybrid group
// gets the alert handshake_failure, and ErrClassical is returned.
func (t *Transport) SecureInbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	config, key := t.config(p)
	classical := false
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		classical = !slices.Contains(hello.SupportedCurves, Group)
		if m, ok := t.preferred(hello.SupportedProtos); ok {
			config.NextProtos = []string{m} // TLS would let the server's preference win; libp2p wants the client's
		}
		return config, nil
	}
	c, err := t.shake(ctx, tls.Server(insecure, config), key)
	if err != nil && classical {
		return nil, t.refuse()
	}
	return c, err
}

// SecureOutbound runs the client's side. TLS 1.3 lets a client finish before the server has judged its certificate: a
// refusal of ours shows at the first Read.
func (t *Transport) SecureOutbound(ctx context.Context, insecure net.Conn, p peer.ID) (sec.SecureConn, error) {
	config, key := t.config(p)
	c, err := t.shake(ctx, tls.Client(insecure, config), key)
	if err != nil && noCommonGroup(err) {
		return nil, t.refuse()
	}
	return c, err
}

func (t *Transport) refuse() error {
	if t.refused != nil {
		t.refused()
	}
	return ErrClassical
}

func (t *Transport) config(p peer.ID) (*tls.Config, <-chan ci.PubKey) {
	config, key := t.identity.ConfigForPeer(p)
	config.CurvePreferences = []tls.CurveID{Group}
	config.NextProtos = append(slices.Clone(t.muxers), config.NextProtos...)
	return config, key
}

// preferred returns the first muxer of the client that we speak, too.
func (t *Transport) preferred(offered []string) (string, bool) {
	for _, m := range offered {
		if slices.Contains(t.muxers, m) {
			return m, true
		}
	}
	return "", false
}

// noCommonGroup tells the alert handshake_failure of the other side from other errors. We offer one group, and every
// cipher suite and signature scheme of TLS 1.3 that Go knows, so that this alert means the group. The type of an alert
// received over TCP is not exported, its text has been the same since Go 1.0.
func noCommonGroup(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error" && strings.Contains(op.Err.Error(), "handshake failure")
}

func (t *Transport) shake(ctx context.Context, c *tls.Conn, key <-chan ci.PubKey) (sec.SecureConn, error) {
	if err := c.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	state := c.ConnectionState()
	if state.Version != tls.VersionTLS13 || state.CurveID != Group {
		_ = c.Close()
		return nil, t.refuse()
	}
	var remote ci.PubKey
	select {
	case remote = <-key: // filled while the certificate was checked, which is behind us
	default:
	}
	if remote == nil {
		_ = c.Close()
		return nil, errors.New("TLS: the peer showed no host key")
	}
	id, err := peer.IDFromPublicKey(remote)
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("TLS: reading the peer's host key: %w", err)
	}
	muxer := state.NegotiatedProtocol
	if muxer == "libp2p" { // the peer does not negotiate muxers early
		muxer = ""
	}
	return &conn{Conn: c, local: t.local, remote: id, key: remote, muxer: protocol.ID(muxer)}, nil
}

// conn is a TLS connection with the two identities that libp2p asks for.
type conn struct {
	*tls.Conn
	local, remote peer.ID
	key           ci.PubKey
	muxer         protocol.ID
}

func (c *conn) LocalPeer() peer.ID         { return c.local }
func (c *conn) RemotePeer() peer.ID        { return c.remote }
func (c *conn) RemotePublicKey() ci.PubKey { return c.key }
func (c *conn) ConnState() network.ConnectionState {
	return network.ConnectionState{Security: ID, StreamMultiplexer: c.muxer, UsedEarlyMuxerNegotiation: c.muxer != ""}
}
