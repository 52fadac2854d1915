package p2p

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/quic-go/quic-go"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/link"
	"github.com/cryptexq/cryptexq/p2p/peer"
	"github.com/cryptexq/cryptexq/p2p/tlspq"
)

// dialDeadline covers every address of a peer, in the order of the ranker. libp2p dials eight at a time and gives up on each
// after dialEach, on local ones after 5 s: maxDialed take two turns. Past the deadline it does not say why any of them failed.
const dialDeadline, dialEach = 20 * time.Second, 9 * time.Second

// hungUp is how soon the other end closes a connection that it has just made with somebody whom it will not have. libp2p
// does not say why a connection has ended to who opens a stream on it.
const hungUp = 2 * time.Second

// attempts makes links for the dialer, and tells what came of it.
type attempts struct{ station *station }

// try makes a link with a peer of the table.
func (a attempts) try(ctx context.Context, id identity.PeerID) error {
	s := a.station
	if s.pool.Newest(id) != nil {
		s.tellDialer(id) // they were faster
		return nil
	}
	r, ok := s.node.table.row(id)
	if !ok || r.Class == peer.Blocked {
		return fmt.Errorf("%s is not in the table: %w", id.Short(), peer.ErrUnreachable)
	}
	dialled := time.Time{}
	if !s.connected(id) {
		if err := a.connect(ctx, &r); err != nil {
			return err
		}
		dialled = time.Now()
	}
	l, err := s.pool.Connect(ctx, link.Target{Peer: id, Account: r.Account})
	if err != nil && ctx.Err() != nil {
		return err // it was we who gave up, which says nothing about them
	}
	if err != nil {
		cause := shakeCause(err)
		switch {
		case s.connected(id):
		case dialled.IsZero() && (cause == peer.CauseTimeout || cause == peer.CauseBroken):
			cause = peer.CauseClosed // a connection of before has ended under the handshake: they have stopped
		case cause == peer.CauseTimeout && time.Since(dialled) < hungUp:
			cause = peer.CauseRefused
		}
		a.tell(&r, s.paths.address(id), cause, err)
		if cause == peer.CauseTimeout && s.pool.Newest(id) == nil {
			_ = s.host.Network().ClosePeer(hostID(id)) // it may be dead: the next attempt is to dial
		}
		return err
	}
	if c := l.Conn(); c != nil {
		s.ranker.worked(c.RemoteMultiaddr())
	}
	a.tell(&r, s.paths.address(id), "", nil)
	return nil
}

// connect makes a connection, to the addresses of the row and those that were learnt since.
func (a attempts) connect(ctx context.Context, r *row) error {
	s := a.station
	addrs := r.addresses(s.scout.at(r.Peer))
	now := s.network()
	if len(addrs) == 0 {
		a.tell(r, "", peer.CauseNoAddress, nil)
		return fmt.Errorf("no address of %s: %w", r.Peer.Short(), peer.ErrUnreachable)
	}
	if !now.Online() && !slices.ContainsFunc(addrs, manet.IsIPLoopback) {
		a.tell(r, "", peer.CauseOffline, nil)
		return fmt.Errorf("no network here: %w", peer.ErrUnreachable)
	}
	if len(r.Addresses) > 0 { // the one that worked stands first
		s.ranker.worked(addrs[0])
	}
	addrs = s.thrift.of(r.Peer, addrs)
	dial, cancel := context.WithTimeout(ctx, dialDeadline)
	defer cancel()
	start := time.Now()
	id := hostID(r.Peer)
	if sw, ok := s.host.Network().(*swarm.Swarm); ok {
		sw.Backoff().Clear(id) // there is one back-off, and it is the dialer's
	}
	s.host.Peerstore().ClearAddrs(id) // what identify brought comes back with the table
	s.host.Peerstore().AddAddrs(id, addrs, peerstore.TempAddrTTL)
	_, err := s.host.Network().DialPeer(dial, id)
	if err == nil {
		s.thrift.hope(r.Peer)
		return nil
	}
	if ctx.Err() == nil { // or it was we who gave up
		s.thrift.fail(r.Peer)
		a.tellFailures(r, addrs, err, start)
	}
	return fmt.Errorf("dialling %s: %w", r.Peer.Short(), errors.Join(peer.ErrUnreachable, err))
}

// tellFailures tells why each address failed, or why all did: what tells most last. A QUIC timeout, which comes late, must
// not hide that a machine answered over TCP.
func (a attempts) tellFailures(r *row, addrs []ma.Multiaddr, err error, start time.Time) {
	s := a.station
	failed, ok := errors.AsType[*swarm.DialError](err)
	if !ok || len(failed.DialErrors) == 0 {
		cause := a.cause(r.Peer, err, start)
		for _, addr := range addrs {
			a.tell(r, addr.String(), cause, err)
		}
		return
	}
	var all []failure
	for _, te := range failed.DialErrors {
		if errors.Is(te.Cause, swarm.ErrDialToSelf) {
			continue // an address of theirs that is ours, too: 127.0.0.1, or a private one
		}
		s.ranker.failed(te.Address)
		all = append(all, failure{te.Address.String(), a.cause(r.Peer, te.Cause, start), te.Cause})
	}
	slices.SortStableFunc(all, func(x, y failure) int { return x.cause.Tells() - y.cause.Tells() })
	for _, f := range all {
		a.tell(r, f.addr, f.cause, f.err)
	}
	if len(all) == 0 {
		a.tell(r, "", peer.CauseNoAddress, err)
	}
}

// failure is what came of one address.
type failure struct {
	addr  string
	cause peer.Cause
	err   error
}

// tell tells what came of an attempt at one address. Without a cause it worked.
func (a attempts) tell(r *row, addr string, cause peer.Cause, err error) {
	n := a.station.node
	if cause != "" {
		n.log.Debug("could not reach a peer", "peer", r.Peer.Short(), "cause", string(cause), "err", err)
	}
	n.facts.tell(peer.Attempt{Device: r.Device, Peer: r.Peer, Addr: addr, Cause: cause})
}

// cause puts the failure of a dial in a word.
func (a attempts) cause(id identity.PeerID, err error, start time.Time) peer.Cause {
	s := a.station
	switch {
	case errors.Is(err, tlspq.ErrClassical), s.gater.wasClassical(hostID(id), start):
		return peer.CauseClassical
	case isType[sec.ErrPeerIDMismatch](err):
		return peer.CauseIdentity
	case errors.Is(err, syscall.ECONNREFUSED):
		return peer.CauseClosed
	case isGated(err):
		return peer.CauseRefused
	case !s.network().Online():
		return peer.CauseOffline
	case errors.Is(err, swarm.ErrNoAddresses), errors.Is(err, swarm.ErrNoGoodAddresses), errors.Is(err, swarm.ErrNoTransport):
		return peer.CauseNoAddress
	case isTimeout(err), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, context.Canceled):
		return peer.CauseTimeout
	}
	return peer.CauseBroken
}

// shakeCause puts the failure of a handshake in a word.
func shakeCause(err error) peer.Cause {
	switch {
	case errors.Is(err, peer.ErrNewer):
		return peer.CauseNewer
	case errors.Is(err, link.ErrIdentity):
		return peer.CauseIdentity
	case errors.Is(err, peer.ErrRefused), errors.Is(err, peer.ErrLater), isGated(err):
		return peer.CauseRefused
	case errors.Is(err, link.ErrLeaving):
		return peer.CauseClosed
	case errors.Is(err, link.ErrBroken):
		return peer.CauseBroken
	}
	return peer.CauseTimeout
}

// isGated says whether the other end closed a connection because it will not have us.
func isGated(err error) bool {
	c, ok := errors.AsType[*network.ConnError](err)
	return ok && c.Remote && c.ErrorCode == network.ConnGated
}

func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		isType[*quic.IdleTimeoutError](err) || isType[*quic.HandshakeTimeoutError](err) || netTimeout(err)
}

func netTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

func isType[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
