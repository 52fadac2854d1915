package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	corepeer "github.com/libp2p/go-libp2p/core/peer"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

// A lane is one stream of ours on a link and what goes over it. What is small never waits behind what is long.
const (
	lanePulse = iota // the link's own pings, which must not wait for anything
	laneQuick        // small both ways
	laneOrder        // what is best handled in the order of sending
	laneBulkA        // long replies, on the emptier of two
	laneBulkB
	laneCount
)

const (
	// laneIdle is when the end that opened a stream finishes it, and serveIdle when the other end has had enough. To end one
	// and to begin another costs over a kilobyte: what is asked every five minutes keeps its stream.
	laneIdle  = 6 * time.Minute
	serveIdle = 10 * time.Minute
)

// laneOf says which lanes a kind may take, first to last.
func laneOf(k peer.Kind) (first, last int) {
	switch k {
	case kindPing:
		return lanePulse, lanePulse
	case peer.Have, peer.Typing, peer.Hint, peer.SelfInfo, peer.Cert:
		return laneQuick, laneQuick
	case peer.Deliver, peer.Control:
		return laneOrder, laneOrder
	}
	return laneBulkA, laneBulkB
}

type lane struct {
	link    *Link
	opening chan struct{} // one token: who holds it opens the stream

	mu  sync.Mutex
	cur *asked // guarded by mu; nil before the first request and after an end
}

func newLane(l *Link) *lane { return &lane{link: l, opening: make(chan struct{}, 1)} }

// load is how many requests are under way.
func (n *lane) load() int {
	a := n.current()
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.waiting)
}

func (n *lane) current() *asked {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cur
}

// get returns the lane's stream and opens it if there is none.
func (n *lane) get(ctx context.Context) (*asked, error) {
	if a := n.current(); a != nil {
		return a, nil
	}
	select {
	case n.opening <- struct{}{}:
		defer func() { <-n.opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if a := n.current(); a != nil {
		return a, nil
	}
	a, err := n.open(ctx)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.cur = a
	n.mu.Unlock()
	if !n.link.pool.spawn(a.read) {
		a.fail(errClosed)
		return nil, errClosed
	}
	return a, nil
}

// open makes a libp2p stream on a connection that is there: links do not dial.
func (n *lane) open(ctx context.Context) (*asked, error) {
	l := n.link
	ctx, cancel := context.WithTimeout(ctx, shakeDeadline)
	defer cancel()
	ctx = network.WithAllowLimitedConn(network.WithNoDial(ctx, "link"), "link")
	raw, err := l.pool.host.NewStream(ctx, corepeer.ID(l.hello.Peer[:]), Protocol)
	if err != nil {
		return nil, fmt.Errorf("opening a stream: %w: %w", peer.ErrUnreachable, err)
	}
	if err := hold(raw, Service, streamMemory); err != nil {
		_ = raw.Reset()
		return nil, fmt.Errorf("opening a stream: %w", err)
	}
	number := l.numbers.own()
	out, in := l.keys(number)
	s, err := newStream(l.pool, raw, greeting(l.id, number), out, in)
	if err != nil {
		_ = raw.Reset()
		return nil, fmt.Errorf("opening a stream: %w", err)
	}
	a := &asked{stream: s, lane: n, waiting: make(map[uint32]*wish), used: time.Now()}
	if !l.add(a) {
		a.stream.reset(codeUnknown)
		return nil, l.reason()
	}
	return a, nil
}

// asked is a stream that carries our requests and brings their replies.
type asked struct {
	*stream
	lane *lane

	mu      sync.Mutex
	next    uint32           // guarded by mu
	waiting map[uint32]*wish // guarded by mu: requests without a reply yet; nil once failed
	used    time.Time        // guarded by mu: the last request
	heard   time.Time        // guarded by mu: the last bytes
	err     error            // guarded by mu: why it failed
}

// wish is a request that waits for its reply.
type wish struct {
	kind   peer.Kind
	number uint32
	reply  chan []byte // takes the body of the reply, status first; closed when none can come
}

// ask sends a request, or with wished false one that wants no reply; then the wish has the number 0.
func (a *asked) ask(k peer.Kind, body []byte, wished bool) (*wish, *letter, error) {
	a.mu.Lock()
	if a.waiting == nil {
		a.mu.Unlock()
		return nil, nil, a.failed()
	}
	w := &wish{kind: k, reply: make(chan []byte, 1)}
	for wished && (w.number == 0 || a.waiting[w.number] != nil) {
		a.next++
		w.number = a.next
	}
	if wished {
		a.waiting[w.number] = w
	}
	a.used = time.Now()
	a.mu.Unlock()
	l, err := a.pen.put(request(k, w.number, body))
	if err != nil {
		a.end(fmt.Errorf("%w: %w", peer.ErrUnreachable, err))
		return nil, nil, err
	}
	a.lane.link.frames.Add(1)
	return w, l, nil
}

func (a *asked) forget(number uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, number)
}

// read takes replies until the stream ends.
func (a *asked) read() {
	for {
		if err := a.await(laneIdle); err != nil {
			if !timedOut(err) {
				a.fail(err)
				return
			}
			if a.retire() {
				return
			}
			continue
		}
		if err := a.one(); err != nil {
			a.lane.link.pool.refuse(causeOf(err))
			a.fail(err)
			return
		}
	}
}

// one takes one reply. A reply to nothing is dropped: its request was given up.
func (a *asked) one() error {
	h, err := a.head()
	if err != nil {
		return err
	}
	a.touch()
	if h.kind&peer.ReplyBit == 0 {
		return errors.New("a request where replies belong")
	}
	body, release, err := a.body(h.length)
	if err != nil {
		return err
	}
	defer release() // the caller has it now, and is ourselves
	a.touch()
	a.mu.Lock()
	w := a.waiting[h.request]
	if w != nil && w.kind == h.kind&^peer.ReplyBit {
		delete(a.waiting, h.request)
		w.reply <- body
	}
	a.mu.Unlock()
	return nil
}

func (a *asked) touch() {
	a.lane.link.touch()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.heard = time.Now()
}

// progress is when the last bytes of the stream came in.
func (a *asked) progress() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.heard
}

// retire finishes a stream that nobody needs; false when somebody does.
func (a *asked) retire() bool {
	a.mu.Lock()
	if len(a.waiting) > 0 || time.Since(a.used) < laneIdle {
		a.mu.Unlock()
		return false
	}
	a.waiting, a.err = nil, errStream
	a.mu.Unlock()
	a.end(errStream)
	a.pen.finish()
	_ = a.raw.Close()
	return true
}

// fail ends the stream; everything that waits gets to know why. A link that the other end does not know ends with it.
func (a *asked) fail(err error) {
	if errors.Is(err, io.EOF) {
		err = errStream
	} else {
		err = remote(err)
	}
	a.end(err)
	a.stream.reset(codeBroken)
	if errors.Is(err, errUnknown) || errors.Is(err, ErrLeaving) {
		a.lane.link.close(codeUnknown, err)
	}
}

// reset is how the link ends the stream.
func (a *asked) reset(c code) {
	a.end(errClosed)
	a.stream.reset(c)
}

func (a *asked) end(err error) {
	a.mu.Lock()
	if a.err == nil {
		a.err = err
	}
	waiting := a.waiting
	a.waiting = nil
	a.mu.Unlock()
	for _, w := range waiting {
		close(w.reply)
	}
	a.lane.mu.Lock()
	if a.lane.cur == a {
		a.lane.cur = nil
	}
	a.lane.mu.Unlock()
	a.lane.link.remove(a)
}

// failed is why the stream ended.
func (a *asked) failed() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}
