package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	// holdUnknown is how long a stream of an unknown link waits: M3 may be behind it.
	holdUnknown = 3 * time.Second

	// maxHeld bounds the streams that wait for a link, of all peers together, maxHeldEach those of one: an initiator needs one
	// before it knows that the link stands.
	maxHeld, maxHeldEach = 256, 4
)

var errReplay = errors.New("this stream number was used before")

// served is a stream of theirs: it brings requests and takes our replies.
type served struct {
	*stream
	link   *Link
	number uint64
}

func (s *served) reset(c code) { s.stream.reset(c) }

// accept is the stream handler of Protocol.
func (p *Pool) accept(ctx context.Context, raw network.Stream) {
	if err := hold(raw, Service, streamMemory); err != nil {
		p.refuse("limit")
		_ = raw.ResetWithError(codeLater)
		return
	}
	s, c, cause := p.greeted(ctx, raw)
	if s == nil {
		p.refuse(cause)
		_ = raw.ResetWithError(c)
		return
	}
	defer s.link.remove(s)
	err := s.serve(ctx)
	if err == nil {
		s.pen.finish()
		_ = raw.Close()
		return
	}
	p.refuse(causeOf(err))
	if errors.Is(err, ErrGone) {
		s.reset(codeUnknown)
		return
	}
	s.reset(codeBroken)
}

// greeted finds the link that a stream belongs to. Without one it says with which code to reset the stream, and what to
// count, if anything.
func (p *Pool) greeted(ctx context.Context, raw network.Stream) (s *served, c code, cause string) {
	_ = raw.SetReadDeadline(time.Now().Add(shakeDeadline))
	var b [greetingSize]byte
	if _, err := io.ReadFull(raw, b[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, codeBroken, "garbage"
		}
		return nil, codeBroken, causeOf(err)
	}
	id, n := parseGreeting(b)
	l, c, cause := p.await(ctx, id, remotePeer(raw))
	if l == nil {
		return nil, c, cause
	}
	if !l.numbers.fresh(n) {
		return nil, codeBroken, "replay"
	}
	out, in := l.keys(n)
	st, err := newStream(p, raw, nil, out, in)
	if err != nil {
		return nil, codeBroken, "internal"
	}
	s = &served{stream: st, link: l, number: n}
	if !l.add(s) {
		return nil, codeUnknown, ""
	}
	return s, 0, ""
}

// serve handles requests until the stream ends: nil when the other end finished it, or left it idle.
func (s *served) serve(ctx context.Context) error {
	for first := true; ; first = false {
		if err := s.await(serveIdle); err != nil {
			if timedOut(err) {
				return nil
			}
			return err
		}
		h, err := s.head()
		if errors.Is(err, io.EOF) { // a FIN record
			return nil
		}
		if err != nil {
			return err
		}
		if first && !s.link.numbers.take(s.number) { // a record has opened: the number was theirs to use
			return errReplay
		}
		s.link.touch()
		s.link.frames.Add(1)
		if err := s.request(ctx, h); err != nil {
			return err
		}
	}
}

// request reads and handles one request, in a goroutine where it may take long. An error ends the stream.
func (s *served) request(ctx context.Context, h head) error {
	if h.kind == kindPing && h.length == 0 {
		return s.answer(h, statusDone)
	}
	s.link.speak(h.kind)
	lim, known := h.kind.Limits()
	switch {
	case h.kind&peer.ReplyBit != 0, h.kind == kindPing:
		return fmt.Errorf("kind %d where requests belong", h.kind)
	case !known:
		return s.turnAway(h, "kind", statusUnknown)
	case h.length > lim.Body:
		return fmt.Errorf("%s: %w", h.kind, errOversize)
	case s.link.expired():
		return ErrGone
	}
	if s.link.Class() == peer.Stranger {
		if !lim.Stranger {
			return s.turnAway(h, "stranger", statusRefused)
		}
		if !s.link.pool.afford(s.link.hello.Peer, h.length) {
			return s.throttle(ctx, h)
		}
	}
	return s.take(ctx, h, lim)
}

// take reads the body once there is a free hand and memory for it, and lets the hand do the rest.
func (s *served) take(ctx context.Context, h head, lim peer.Limits) error {
	select {
	case s.link.serving <- struct{}{}:
	case <-ctx.Done():
		return ErrGone
	case <-s.link.done:
		return ErrGone
	}
	body, release, err := s.body(h.length)
	if err != nil {
		<-s.link.serving
		if errors.Is(err, errMemory) {
			return s.turnAway(h, "limit", statusLater)
		}
		return err
	}
	s.link.touch()
	ok := s.link.pool.spawn(func() {
		defer func() { release(); <-s.link.serving }()
		s.handle(ctx, h, lim, body)
	})
	if !ok {
		release()
		<-s.link.serving
		return ErrGone
	}
	return nil
}

// handle asks the node and sends what it says. The hand is free again only when the reply is on its way, so that who does
// not read replies gets no further requests handled.
func (s *served) handle(ctx context.Context, h head, lim peer.Limits, body []byte) {
	ctx, cancel := context.WithTimeout(ctx, lim.Deadline)
	defer cancel()
	p := s.link.pool
	out, err := p.config.Frame(ctx, s.link.device, h.kind, body)
	if err == nil && len(out)+1 > peer.MaxBody {
		err = fmt.Errorf("the reply to %s has %d bytes", h.kind, len(out))
	}
	if err != nil {
		out = nil
		p.failed(s.link.device, h.kind, err)
	}
	if h.request == 0 {
		return
	}
	if l, err := s.pen.put(reply(h, statusOf(err), out)); err == nil {
		<-l.sent
	}
}

// failed counts a refusal under its cause, and logs what is neither a refusal nor a wish to be asked later.
func (p *Pool) failed(from identity.DeviceID, k peer.Kind, err error) {
	if r, ok := errors.AsType[*peer.RefusedError](err); ok {
		p.refuse(r.Cause)
		return
	}
	switch {
	case errors.Is(err, peer.ErrRefused):
		p.refuse("refused")
	case errors.Is(err, peer.ErrNewer):
		p.refuse("newer")
	case errors.Is(err, peer.ErrLater), errors.Is(err, context.Canceled):
	default:
		p.config.Logger.Warn("a request failed here", "device", from.Short(), "kind", k, "err", err)
	}
}

// turnAway skips the body of a request and answers it by a status alone.
func (s *served) turnAway(h head, cause string, st status) error {
	s.link.pool.refuse(cause)
	if err := s.skip(h.length); err != nil {
		return err
	}
	return s.answer(h, st)
}

// throttle tells a stranger who asks too much to come later, and reads on only when the bucket has filled up again: who
// floods us fills their own buffers.
func (s *served) throttle(ctx context.Context, h head) error {
	if err := s.turnAway(h, "rate", statusLater); err != nil {
		return err
	}
	t := time.NewTimer(throttlePause)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
	case <-s.link.done:
	}
	return ErrGone
}

// answer sends a status alone and waits until it is on its way: a flood of what needs no handler must not pile up replies.
func (s *served) answer(h head, st status) error {
	if h.request == 0 {
		return nil
	}
	l, err := s.pen.put(reply(h, st, nil))
	if err != nil {
		return err
	}
	<-l.sent
	return l.err
}
