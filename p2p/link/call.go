package link

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

// maxPatience is how many deadlines a reply may take in all, whatever progress its stream makes.
const maxPatience = 4

// pingDeadline is for callers without a deadline of their own.
const pingDeadline = 10 * time.Second

// Call asks the other end and returns what its handler returned. Sixteen calls are under way at a time, further ones wait.
// Errors: peer.ErrLater, peer.ErrRefused and peer.ErrNewer are answers; ErrGone says that the link is over and the request
// was not handled; peer.ErrUnreachable that no answer came, handled or not; a context's error is returned as it is.
func (l *Link) Call(ctx context.Context, k peer.Kind, body []byte) ([]byte, error) {
	lim, ok := k.Limits()
	if !ok || len(body) > lim.Body {
		return nil, fmt.Errorf("a %s of %d bytes cannot be sent", k, len(body))
	}
	if err := l.begin(ctx, k); err != nil {
		return nil, err
	}
	defer func() { <-l.asking }()
	answer, err := l.exchange(ctx, k, body, lim.Deadline)
	if err != nil {
		return nil, unanswered(k, err)
	}
	return parseReply(k, answer)
}

// Push sends a request that wants no reply and returns when libp2p has taken it. Errors as Call's.
func (l *Link) Push(ctx context.Context, k peer.Kind, body []byte) error {
	lim, ok := k.Limits()
	if !ok || len(body) > lim.Body {
		return fmt.Errorf("a %s of %d bytes cannot be sent", k, len(body))
	}
	if err := l.begin(ctx, k); err != nil {
		return err
	}
	defer func() { <-l.asking }()
	_, _, sent, err := l.send(ctx, k, body, false)
	if err != nil {
		return unanswered(k, err)
	}
	select {
	case <-sent.sent:
		if sent.err != nil {
			return unanswered(k, sent.err)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Ping returns when the other end has answered. Nothing that is under way on the link holds it up.
func (l *Link) Ping(ctx context.Context) error {
	_, err := l.exchange(ctx, kindPing, nil, pingDeadline)
	return err
}

// unanswered is the error of a request without an answer. How a stream was turned away must not look like an answer to what
// was asked on it.
func unanswered(k peer.Kind, err error) error {
	if errors.Is(err, ErrGone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", k, err)
	}
	return fmt.Errorf("%s: %w: %v", k, peer.ErrUnreachable, err)
}

// begin takes a token of the link.
func (l *Link) begin(ctx context.Context, k peer.Kind) error {
	l.speak(k)
	if l.expired() {
		l.Close()
	}
	select {
	case l.asking <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-l.done:
		return l.reason()
	}
}

// exchange sends a request and returns the body of its reply, status first.
func (l *Link) exchange(ctx context.Context, k peer.Kind, body []byte, deadline time.Duration) ([]byte, error) {
	w, a, _, err := l.send(ctx, k, body, true)
	if err != nil {
		return nil, err
	}
	defer a.forget(w.number)
	return a.answer(ctx, w, deadline)
}

// send puts a request on the stream of its lane. A stream that ended meanwhile is replaced once: nothing was sent on it.
func (l *Link) send(ctx context.Context, k peer.Kind, body []byte, wished bool) (*wish, *asked, *letter, error) {
	var last error
	for range 2 {
		a, err := l.pick(k).get(ctx)
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, nil, nil, err
		}
		w, sent, err := a.ask(k, body, wished)
		if err == nil {
			return w, a, sent, nil
		}
		if last = err; errors.Is(err, ErrGone) {
			break
		}
	}
	if !errors.Is(last, ErrGone) {
		last = fmt.Errorf("%w: %w", peer.ErrUnreachable, last)
	}
	return nil, nil, nil, last
}

// pick chooses a lane for a request: the emptiest of those that its kind may take.
func (l *Link) pick(k peer.Kind) *lane {
	first, last := laneOf(k)
	best := l.lanes[first]
	for i := first + 1; i <= last; i++ {
		if l.lanes[i].load() < best.load() {
			best = l.lanes[i]
		}
	}
	return best
}

// answer waits for the reply to w. The deadline runs from the last bytes of the stream: a long reply that takes its time is
// no failure, and neither is one that waits behind it.
func (a *asked) answer(ctx context.Context, w *wish, deadline time.Duration) ([]byte, error) {
	start := time.Now()
	timer := time.NewTimer(deadline)
	defer timer.Stop()
	for {
		select {
		case body, ok := <-w.reply:
			if !ok {
				return nil, a.lost()
			}
			return body, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
			rest := time.Until(a.progress().Add(deadline))
			if rest <= 0 || time.Since(start) > maxPatience*deadline {
				return nil, fmt.Errorf("no reply: %w", peer.ErrUnreachable)
			}
			timer.Reset(rest)
		}
	}
}

// lost is the error of a request whose stream ended before the reply. Only where the other end did not know the link, or
// said no to the stream, is it sure that nothing was handled.
func (a *asked) lost() error {
	err := a.failed()
	for _, known := range []error{errUnknown, peer.ErrRefused, peer.ErrLater, peer.ErrUnreachable} {
		if errors.Is(err, known) {
			return err
		}
	}
	return fmt.Errorf("the stream ended: %w: %w", peer.ErrUnreachable, err)
}
