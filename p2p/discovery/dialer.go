package discovery

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	// yield is how long the host with the larger PeerID lets the other one dial first: two that dial at once end up with two
	// connections.
	yield = time.Second

	// Back-off between attempts to reach one peer. One whose link ended within missedFor is tried more often: what came
	// between may be a cable or an access point, of which this machine sees nothing, and then nothing tells when it is over.
	backoffFirst, backoffMissed, backoffLast = time.Second, 6 * time.Second, time.Minute
	missedFor                                = 5 * time.Minute

	// doomed is how old an attempt is that a change of network ends: what it sent before may have gone nowhere, and TCP waits
	// longer each time before it sends again. A younger one goes on, or a network that changes all the time would let none
	// come to its end.
	doomed = 3 * time.Second

	// dialing is how many peers are tried at a time. An attempt at one who is gone takes up to 15 s.
	dialing = 16
)

// Dialer keeps wanted peers connected. What trying means, the node knows: try makes a link, and calls Up for it before it
// returns nil, or says why not.
type Dialer struct {
	self identity.PeerID
	try  func(context.Context, identity.PeerID) error
	wake chan struct{}

	mu    sync.Mutex
	peers map[identity.PeerID]*goal // guarded by mu: wanted, or being reached because somebody asked
	busy  int                       // guarded by mu: attempts under way
	over  error                     // guarded by mu: set when Run has ended
}

// goal is one peer to reach.
type goal struct {
	wanted bool
	up     bool
	trying bool
	began  time.Time     // of the attempt under way
	abort  func()        // ends it
	over   bool          // it was ended so that another one can begin
	again  bool          // something spoke for another attempt during this one
	due    time.Time     // of the next attempt; zero without one
	wait   time.Duration // the last back-off; 0 after a success or a reason for hope
	lost   time.Time     // when the last link ended; zero without one
	failed time.Time     // end of the last attempt that failed
	err    error         // of that
	asked  []chan error  // who waits for the outcome
}

// NewDialer makes a dialer for the host self.
func NewDialer(self identity.PeerID, try func(context.Context, identity.PeerID) error) *Dialer {
	return &Dialer{self: self, try: try, wake: make(chan struct{}, 1), peers: make(map[identity.PeerID]*goal)}
}

// Run dials until ctx ends, and returns when every attempt has.
func (d *Dialer) Run(ctx context.Context) error {
	var attempts sync.WaitGroup
	defer attempts.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		for {
			id, g, at := d.next(time.Now())
			if g == nil {
				timer.Reset(time.Until(at))
				break
			}
			attempt, abort := context.WithCancel(ctx)
			d.begin(g, abort)
			attempts.Go(func() {
				defer abort()
				d.finish(id, g, d.try(attempt, id))
			})
		}
		select {
		case <-timer.C:
		case <-d.wake:
		case <-ctx.Done():
			d.giveUp(ctx.Err())
			return nil
		}
	}
}

// Want replaces the set of peers to keep connected. Who is new in it is dialled.
func (d *Dialer) Want(ids []identity.PeerID) {
	defer d.poke()
	d.mu.Lock()
	defer d.mu.Unlock()
	wanted := make(map[identity.PeerID]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
		if g := d.goal(id); !g.wanted {
			g.wanted, g.wait = true, 0
			g.schedule(d.courtesy(id))
		}
	}
	for id, g := range d.peers {
		if !wanted[id] && g.wanted {
			g.wanted = false
			d.drop(id, g)
		}
	}
}

// Up says that a link with a peer stands: there is nothing to do until Down.
func (d *Dialer) Up(id identity.PeerID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g := d.peers[id]
	if g == nil {
		return
	}
	g.up, g.wait, g.due, g.err = true, 0, time.Time{}, nil
	g.tell(nil)
	d.drop(id, g) // one who is not wanted is remembered by nobody
}

// Down says that the last link with a peer has ended.
func (d *Dialer) Down(id identity.PeerID) {
	defer d.poke()
	d.mu.Lock()
	defer d.mu.Unlock()
	if g := d.peers[id]; g != nil && g.up {
		g.up, g.lost = false, time.Now()
		g.schedule(d.courtesy(id))
	}
}

// Hope says that there is reason to believe that a peer can be reached now: its back-off starts over.
func (d *Dialer) Hope(id identity.PeerID) {
	defer d.poke()
	d.mu.Lock()
	defer d.mu.Unlock()
	if g := d.peers[id]; g != nil {
		d.hope(id, g)
	}
}

// HopeAll is Hope for every peer: the network has changed. Attempts that have lasted for a while begin anew.
func (d *Dialer) HopeAll() {
	defer d.poke()
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, g := range d.peers {
		d.hope(id, g)
		if g.trying && g.abort != nil && time.Since(g.began) > doomed {
			g.over = true
			g.abort()
		}
	}
}

// hope brings the next attempt forward. The caller holds mu.
func (d *Dialer) hope(id identity.PeerID, g *goal) {
	g.wait, g.again = 0, g.trying
	if at := time.Now().Add(d.courtesy(id)); !g.up && !g.trying && g.wanted && (g.due.IsZero() || at.Before(g.due)) {
		g.due = at
	}
}

// Reach tries a peer now, wanted or not, whatever its back-off, and returns what came of it: nil when a link stands, as far
// as the dialer was told. Who was tried in vain within the last second is not tried again: the error is that of then.
func (d *Dialer) Reach(ctx context.Context, id identity.PeerID) error {
	d.mu.Lock()
	g := d.goal(id)
	if err := cmp.Or(d.over, g.lately(time.Now())); err != nil || g.up {
		d.mu.Unlock()
		return err
	}
	outcome := make(chan error, 1)
	g.asked = append(g.asked, outcome)
	if !g.trying && (g.due.IsZero() || time.Until(g.due) > yield) {
		g.wait, g.due = 0, time.Now()
	}
	d.mu.Unlock()
	d.poke()
	select {
	case err := <-outcome:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// next takes a goal that is due, those first for which somebody waits, or says when to look again.
func (d *Dialer) next(now time.Time) (identity.PeerID, *goal, time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := now.Add(backoffLast)
	var best identity.PeerID
	var g *goal
	for id, o := range d.peers {
		switch {
		case o.trying:
		case o.due.IsZero():
			d.drop(id, o)
		case o.due.After(now):
			if o.due.Before(at) {
				at = o.due
			}
		case g == nil || len(o.asked) > len(g.asked):
			best, g = id, o
		}
	}
	if g == nil || d.busy >= dialing && (len(g.asked) == 0 || d.busy >= 2*dialing) {
		return best, nil, at // the end of an attempt wakes Run
	}
	g.trying, g.again, g.due = true, false, time.Time{}
	d.busy++
	return best, g, now
}

// begin notes how an attempt is ended before its time.
func (d *Dialer) begin(g *goal, abort func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g.began, g.abort, g.over = time.Now(), abort, false
}

// finish notes what came of an attempt.
func (d *Dialer) finish(id identity.PeerID, g *goal, err error) {
	defer d.poke()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy--
	g.trying, g.abort = false, nil
	if err != nil && g.over && !g.up { // it says nothing; who waits for an outcome waits for that of the next one
		if g.schedule(d.courtesy(id)); len(g.asked) > 0 {
			g.due = time.Now()
		}
		d.drop(id, g)
		return
	}
	g.tell(err)
	if err == nil {
		g.schedule(backoffFirst) // unless it is up: then it came down during the attempt
		d.drop(id, g)
		return
	}
	g.failed, g.err = time.Now(), err
	if g.again {
		g.wait = 0
	}
	longest := backoffLast
	if !g.lost.IsZero() && time.Since(g.lost) < missedFor {
		longest = backoffMissed
	}
	g.wait = min(max(2*g.wait, backoffFirst), longest)
	g.schedule(g.wait*4/5 + rand.N(g.wait*2/5)) // a fifth up or down: peers that went down together do not come back together
	d.drop(id, g)
}

// schedule sets the next attempt at a peer that is wanted and not there. The caller holds mu.
func (g *goal) schedule(in time.Duration) {
	if g.wanted && !g.up && !g.trying {
		g.due = time.Now().Add(in)
	}
}

// courtesy is how long to wait before dialling a peer that may be dialling us: nothing if our PeerID is the smaller one.
func (d *Dialer) courtesy(id identity.PeerID) time.Duration {
	if bytes.Compare(d.self[:], id[:]) < 0 {
		return 0
	}
	return yield
}

// goal returns the goal of a peer, made if need be. The caller holds mu.
func (d *Dialer) goal(id identity.PeerID) *goal {
	g := d.peers[id]
	if g == nil {
		g = new(goal)
		d.peers[id] = g
	}
	return g
}

// drop forgets a peer that nobody wants and nobody waits for, unless it is to be remembered that it was tried lately. The
// caller holds mu.
func (d *Dialer) drop(id identity.PeerID, g *goal) {
	if !g.wanted && !g.trying && len(g.asked) == 0 && g.due.IsZero() && g.lately(time.Now()) == nil {
		delete(d.peers, id)
	}
}

// lately is the error of an attempt that is not worth repeating yet.
func (g *goal) lately(now time.Time) error {
	if now.Sub(g.failed) < backoffFirst {
		return g.err
	}
	return nil
}

// tell gives everybody who waits the outcome. The caller holds mu.
func (g *goal) tell(err error) {
	for _, c := range g.asked {
		c <- err
	}
	g.asked = nil
}

// giveUp tells everybody who waits that it is over.
func (d *Dialer) giveUp(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = fmt.Errorf("%w: %w", peer.ErrUnreachable, err)
	for _, g := range d.peers {
		g.tell(d.over)
	}
}

func (d *Dialer) poke() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}
