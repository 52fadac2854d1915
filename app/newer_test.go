package app

import (
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

// attempted tells p how an attempt to reach o ended.
func (p *citizen) attempted(o *citizen, cause peer.Cause) {
	p.svc.HandleFact(peer.Attempt{Device: o.device, Peer: o.svc.me.peer, Addr: "/ip4/10.0.0.1/tcp/1", Cause: cause})
}

// sees is what p's contact page says of o.
func (p *citizen) sees(o *citizen) Contact {
	p.town.t.Helper()
	c, err := p.svc.People.Contact(p.town.t.Context(), o.id)
	p.town.must(err)
	return c
}

func TestANewerVersionIsSaidWhenTheHandshakeIsNewerAndOnlyThen(t *testing.T) {
	w, a, b := friends(t)
	w.cut(a, b)
	a.say(b, "one")
	a.attempted(b, peer.CauseTimeout)
	a.state(b, "one", Queued, ReasonOffline)
	a.attempted(b, peer.CauseNewer)
	a.state(b, "one", Queued, ReasonNewer)
	if c := a.sees(b); c.Problem != ReasonNewer || c.Cause != peer.CauseNewer {
		t.Errorf("bob: %q, %q", c.Problem, c.Cause)
	}
	a.attempted(b, peer.CauseClosed) // bob put the older version back
	a.state(b, "one", Queued, ReasonOffline)
	if c := a.sees(b); c.Problem != ReasonNone || c.Cause != peer.CauseClosed {
		t.Errorf("bob: %q, %q", c.Problem, c.Cause)
	}
	a.attempted(b, peer.CauseNewer)
	w.link(a, b)
	w.run()
	a.state(b, "one", Delivered, ReasonNone)
	if c := a.sees(b); c.Problem != ReasonNone || c.Cause != "" {
		t.Errorf("bob, who is linked: %q, %q", c.Problem, c.Cause)
	}
}

func TestARequestToANewerVersionSaysSo(t *testing.T) {
	w := newTown(t, "ann", "bob")
	a, b := w.all[0], w.all[1]
	a.ask(b, "hello bob")
	a.attempted(b, peer.CauseNewer)
	a.state(b, "hello bob", Queued, ReasonNewer)
	if c := a.sees(b); c.Problem != ReasonNewer {
		t.Errorf("bob: %q, %q", c.Problem, c.Cause)
	}
}

func TestWhatAPeerDoesNotSupportIsNoNewerVersion(t *testing.T) {
	w, a, b := friends(t)
	w.tap = func(c call) ([]byte, error, bool) { // an older one: it has never heard of comparing and of asking for keys
		if c.from == a && (c.kind == peer.Sync || c.kind == peer.KeyReq || c.kind == peer.Fetch) {
			return nil, peer.ErrNewer, true
		}
		return nil, nil, false
	}
	a.say(b, "one")
	w.leap(10 * time.Minute)
	a.say(b, "two")
	w.pass(time.Minute)
	b.wants(a, "hello bob", "one", "two")
	a.state(b, "two", Delivered, ReasonNone)
	if c := a.sees(b); c.Problem != ReasonNone {
		t.Errorf("bob: %q", c.Problem)
	}
	if a.refused("unknown_there") == 0 {
		t.Error("nothing was unknown there: the test shows nothing")
	}
}
