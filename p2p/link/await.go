package link

import (
	"context"
	"time"

	"github.com/cryptexq/cryptexq/crypto/identity"
)

// shakes are the handshakes under way with one host.
type shakes struct {
	n    int
	held int // streams that wait for what comes of them
}

// shake notes that a handshake with a host is under way, until a little after what it returns is called: a stream that came
// behind M3 and is late must not be told that its link is unknown while the handshake's own stream is telling why.
func (p *Pool) shake(with identity.PeerID) (over func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shaking[with]
	if s == nil {
		s = new(shakes)
		p.shaking[with] = s
	}
	s.n++
	return func() {
		time.AfterFunc(p.patience.hold, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			if s.n--; s.n == 0 {
				delete(p.shaking, with)
			}
			p.wake()
		})
	}
}

// await returns the link with this ID if it leads to the host that asks, once that is greeted. An unknown one may still
// come while a handshake with that host is under way: the initiator opens streams at once behind M3. Of nobody else a
// stream is held, or strangers could take the places of those who are just making a link.
func (p *Pool) await(ctx context.Context, id ID, from identity.PeerID) (*Link, code, string) {
	p.mu.Lock()
	l, s := p.byID[id], p.shaking[from]
	switch {
	case l != nil:
		p.mu.Unlock()
		return p.awaitGreeting(ctx, l, from)
	case s == nil:
		p.mu.Unlock()
		return nil, codeUnknown, "unknown_link"
	case s.held >= maxHeldEach:
		p.mu.Unlock()
		return nil, codeLater, "busy"
	}
	s.held++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		s.held--
	}()
	return p.comes(ctx, id, from)
}

// comes waits for a link, as long as a handshake with its host is under way.
func (p *Pool) comes(ctx context.Context, id ID, from identity.PeerID) (*Link, code, string) {
	select {
	case p.held <- struct{}{}:
		defer func() { <-p.held }()
	default:
		return nil, codeLater, "busy"
	}
	timer := time.NewTimer(p.patience.hold)
	defer timer.Stop()
	for {
		p.mu.Lock()
		l, arrived, shaking := p.byID[id], p.arrived, p.shaking[from] != nil
		p.mu.Unlock()
		if l != nil {
			return p.awaitGreeting(ctx, l, from)
		}
		if !shaking {
			return nil, codeUnknown, "unknown_link"
		}
		select {
		case <-arrived:
		case <-timer.C:
			return nil, codeUnknown, "unknown_link"
		case <-ctx.Done():
			return nil, codeUnknown, ""
		}
	}
}

func (p *Pool) awaitGreeting(ctx context.Context, l *Link, from identity.PeerID) (*Link, code, string) {
	if l.hello.Peer != from {
		return nil, codeUnknown, "unknown_link"
	}
	select {
	case <-l.greeted:
		return l, 0, ""
	case <-l.done:
		return nil, codeRefused, "" // counted where it was refused
	case <-ctx.Done():
		return nil, codeUnknown, ""
	}
}
