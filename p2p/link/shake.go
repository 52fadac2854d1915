package link

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	corepeer "github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	msmux "github.com/multiformats/go-multistream"

	"github.com/cryptexq/cryptexq/crypto/handshake"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	// shakeDeadline covers three messages over a relayed path of 2 s round trip.
	shakeDeadline = 10 * time.Second

	// thirdDeadline is how long M3 may take after M2 left.
	thirdDeadline = 3 * time.Second

	// shakeMemory is the largest message each way.
	shakeMemory = 2 * handshake.MaxMessage
)

// shaker runs handshakes, both sides, and bounds what others can make of them.
type shaker struct {
	pool  *Pool
	local identity.PeerID
	slots slots
	waits waits
	bell  doorbell
}

func newShaker(p *Pool) *shaker {
	return &shaker{pool: p, local: p.config.Self.Device.Certificate.Peer, slots: newSlots(), bell: newDoorbell()}
}

// Target is whom a handshake is meant for.
type Target struct {
	Peer    identity.PeerID
	Account identity.AccountID // zero: whoever it is, found nearby
}

// Connect shakes hands with a host that libp2p is connected to and returns the new link, whose other end has proven to be
// there and to hold the keys. Errors: peer.ErrNewer, peer.ErrRefused, peer.ErrLater, peer.ErrUnreachable, ErrBroken,
// ErrIdentity, and what Config.Hello returned.
func (p *Pool) Connect(ctx context.Context, to Target) (*Link, error) {
	ctx, cancel := context.WithTimeout(ctx, shakeDeadline)
	defer cancel()
	if !p.enter() {
		return nil, errClosed
	}
	defer p.tasks.Done()
	defer p.shake(to.Peer)() // the other end may open streams before we have the link
	r, s, err := p.shaker.initiate(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("shaking hands with %s: %w", to.Peer.Short(), err)
	}
	l := newLink(p, r, to.Peer, s.Conn(), true)
	if !p.expect(l) || !p.spawn(func() { l.watch(s) }) {
		_ = s.Reset()
		return nil, errClosed
	}
	if err := l.greet(ctx); err != nil {
		l.close(codeRefused, err)
		return nil, err
	}
	if err := l.confirm(ctx); err != nil {
		l.close(codeUnknown, ErrGone)
		return nil, fmt.Errorf("shaking hands with %s: %w", to.Peer.Short(), err)
	}
	p.admit(l)
	return l, nil
}

// confirm waits for the first record from the other end: only then it is sure that it accepted M3.
func (l *Link) confirm(ctx context.Context) error {
	err := l.Ping(ctx)
	if err == nil {
		return nil
	}
	select {
	case <-l.done:
		err = l.reason()
	default:
	}
	if errors.Is(err, ErrGone) && !errors.Is(err, ErrLeaving) { // it did not take M3 for ours, or took it too late
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return err
}

// watch looks after the handshake's stream behind M3. The responder closes it, or resets it to say why it will not have us;
// then there is no use in waiting for its first record.
func (l *Link) watch(s network.Stream) {
	defer s.Close()
	_ = s.SetReadDeadline(time.Now().Add(shakeDeadline))
	_, err := io.Copy(io.Discard, io.LimitReader(s, handshake.MaxMessage))
	if se, ok := errors.AsType[*network.StreamError](err); ok && se.Remote {
		l.close(codeUnknown, remote(err))
	}
}

// initiate runs the three messages. The stream that it returns is the caller's to close.
func (h *shaker) initiate(ctx context.Context, to Target) (*handshake.Result, network.Stream, error) {
	s, err := h.dial(ctx, corepeer.ID(to.Peer[:]))
	if err != nil {
		return nil, nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = s.ResetWithError(codeLater) })()
	r, err := h.exchange(ctx, s, to)
	if err != nil {
		_ = s.ResetWithError(codeBroken)
		return nil, nil, err
	}
	return r, s, nil
}

func (h *shaker) exchange(ctx context.Context, s network.Stream, to Target) (*handshake.Result, error) {
	deadline, _ := ctx.Deadline()
	_ = s.SetDeadline(deadline)
	c := h.config(to.Peer)
	c.To, c.Nearby = to.Account, to.Account == identity.AccountID{}
	state, m1, err := handshake.Initiate(c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	if err := writeMessage(s, m1); err != nil {
		return nil, remote(err)
	}
	m2, err := readMessage(s)
	if err != nil {
		return nil, answerError(err)
	}
	m3, r, err := state.Next(m2)
	if err != nil {
		return nil, h.proofError(err)
	}
	if err := writeMessage(s, m3); err != nil {
		return nil, remote(err)
	}
	_ = s.CloseWrite()
	return r, nil
}

// dial opens the stream. A host that has another version of the protocol only is a newer one if the version is.
func (h *shaker) dial(ctx context.Context, to corepeer.ID) (network.Stream, error) {
	ctx = network.WithAllowLimitedConn(network.WithNoDial(ctx, "handshake"), "handshake")
	s, err := h.pool.host.NewStream(ctx, to, Handshake)
	switch _, unknown := errors.AsType[msmux.ErrNotSupported[protocol.ID]](err); {
	case err == nil:
	case unknown && h.newer(to):
		return nil, fmt.Errorf("%w: %w", peer.ErrNewer, err)
	case unknown:
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	default:
		return nil, remote(err)
	}
	if err := hold(s, HandshakeService, shakeMemory); err != nil {
		_ = s.Reset()
		return nil, err
	}
	return s, nil
}

// newer says whether identify has shown a handshake of a higher version than ours.
func (h *shaker) newer(id corepeer.ID) bool {
	all, err := h.pool.host.Peerstore().GetProtocols(id)
	if err != nil {
		return false
	}
	for _, proto := range all {
		if v, ok := strings.CutPrefix(string(proto), handshakePrefix); ok {
			if n, err := strconv.ParseUint(v, 10, 32); err == nil && n > handshakeVersion {
				return true
			}
		}
	}
	return false
}

// answerError is what went wrong when M2 did not come.
func answerError(err error) error {
	if errors.Is(err, errOversize) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
	return remote(err)
}

// proofError is what went wrong with M2. Whoever cannot prove to be whom we wanted has told us nothing; ErrAuth alone says
// not whether they are somebody else or a fool.
func (h *shaker) proofError(err error) error {
	switch {
	case errors.Is(err, handshake.ErrNewer), errors.Is(err, handshake.ErrSuite):
		return fmt.Errorf("%w: %w", peer.ErrNewer, err)
	case errors.Is(err, handshake.ErrPeer), errors.Is(err, handshake.ErrSelf), errors.Is(err, handshake.ErrAuth):
		h.pool.refuse("identity")
		return fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	h.pool.refuse("garbage")
	return fmt.Errorf("%w: %w", ErrBroken, err)
}

func (h *shaker) config(remote identity.PeerID) handshake.Config {
	return handshake.Config{
		Self: h.pool.config.Self.Device, Account: h.pool.config.Self.Account, List: h.pool.config.List(),
		LocalPeer: h.local, RemotePeer: remote,
	}
}

// respond is the stream handler of Handshake.
func (p *Pool) respond(ctx context.Context, s network.Stream) {
	ctx, cancel := context.WithTimeout(ctx, shakeDeadline)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = s.ResetWithError(codeLater) })()
	from := remotePeer(s)
	c, cause := p.shaker.admissible(s, from)
	if cause != "" {
		p.refuse(cause)
		_ = s.ResetWithError(c)
		return
	}
	defer p.shake(from)()
	r, c, cause := p.shaker.answer(ctx, s, from)
	if r == nil {
		p.refuse(cause)
		_ = s.ResetWithError(c)
		return
	}
	l := newLink(p, r, from, s.Conn(), false)
	if !p.expect(l) {
		return
	}
	if err := l.greet(ctx); err != nil {
		p.refuse(greetingCause(err))
		_ = s.ResetWithError(codeRefused)
		l.close(codeRefused, err)
		return
	}
	_ = s.Close()
	p.admit(l)
}

// greetingCause is what a refusal by the node is counted as.
func greetingCause(err error) string {
	if r, ok := errors.AsType[*peer.RefusedError](err); ok {
		return r.Cause
	}
	return "hello"
}

// admissible says whether a handshake may begin, before a byte of it is read; else what to answer and what to count.
func (h *shaker) admissible(s network.Stream, from identity.PeerID) (code, string) {
	if err := hold(s, HandshakeService, shakeMemory); err != nil {
		return codeLater, "limit"
	}
	_ = s.SetDeadline(time.Now().Add(shakeDeadline))
	switch h.pool.config.Class(from) {
	case peer.Blocked:
		return codeRefused, "blocked"
	case peer.Stranger:
		if !h.bell.allow(s.Conn(), time.Now()) {
			return codeLater, "rate"
		}
	}
	return 0, ""
}

// answer runs the responder's side: M1 in, M2 out, M3 in. Reading holds no slot.
func (h *shaker) answer(ctx context.Context, s network.Stream, from identity.PeerID) (*handshake.Result, code, string) {
	m1, err := readMessage(s)
	if err != nil {
		return nil, codeBroken, causeOf(err)
	}
	c := h.config(from)
	c.Nearby = h.pool.config.Nearby(s.Conn())
	if !handshake.CheckFilter(m1, c) {
		return nil, codeBroken, "filter"
	}
	known := h.pool.config.Class(from) != peer.Stranger
	state, err := handshake.Respond(c)
	if err != nil {
		return nil, codeBroken, "internal"
	}
	m2, _, err := h.compute(ctx, known, state, m1)
	if err != nil {
		return nil, codeBroken, shakeCause(err)
	}
	if err := writeMessage(s, m2); err != nil {
		return nil, codeBroken, causeOf(err)
	}
	m3, err := h.third(s)
	if err != nil {
		return nil, codeBroken, causeOf(err)
	}
	extra, r, err := h.compute(ctx, known, state, m3)
	if err != nil {
		return nil, codeBroken, shakeCause(err)
	}
	if extra != nil && writeMessage(s, extra) != nil {
		return nil, codeBroken, ""
	}
	return r, 0, ""
}

var errBusy = errors.New("no slot was free in time")

// compute takes one step of the handshake in a slot.
func (h *shaker) compute(ctx context.Context, known bool, s *handshake.State, in []byte) ([]byte, *handshake.Result, error) {
	free := h.slots.hold(ctx, known)
	if free == nil {
		return nil, nil, errBusy
	}
	defer free()
	return s.Next(in)
}

// third waits for M3 as one of at most maxWaiting.
func (h *shaker) third(s network.Stream) ([]byte, error) {
	w := h.waits.add(func() {
		h.pool.refuse("crowd")
		_ = s.ResetWithError(codeLater)
	})
	defer h.waits.remove(w)
	_ = s.SetReadDeadline(time.Now().Add(h.pool.patience.third))
	return readMessage(s)
}

// shakeCause is what a failed step is counted as.
func shakeCause(err error) string {
	switch {
	case errors.Is(err, errBusy):
		return "busy"
	case errors.Is(err, handshake.ErrFormat):
		return "garbage"
	case errors.Is(err, handshake.ErrNewer), errors.Is(err, handshake.ErrSuite):
		return "newer"
	}
	return "identity"
}

// writeMessage sends one message of a handshake behind its length.
func writeMessage(w io.Writer, m []byte) error {
	b := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(m)), uint16(len(m)))
	_, err := w.Write(append(b, m...))
	return err
}

// readMessage reads one message of at most handshake.MaxMessage bytes.
func readMessage(r io.Reader) ([]byte, error) {
	var n [2]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint16(n[:]))
	if size > handshake.MaxMessage {
		return nil, errOversize
	}
	m := make([]byte, size) // of the memory that hold has reserved
	_, err := io.ReadFull(r, m)
	return m, err
}

// hold puts a stream under the limits of its service and reserves its memory.
func hold(s network.Stream, service string, memory int) error {
	if err := s.Scope().SetService(service); err != nil {
		return fmt.Errorf("%w: %w", peer.ErrLater, err)
	}
	if err := s.Scope().ReserveMemory(memory, network.ReservationPriorityHigh); err != nil {
		return fmt.Errorf("%w: %w", peer.ErrLater, err)
	}
	return nil
}

// remotePeer is the host at the other end of a stream. The gater lets Ed25519 hosts in only, whose IDs have this length.
func remotePeer(s network.Stream) (id identity.PeerID) {
	copy(id[:], s.Conn().RemotePeer())
	return id
}
