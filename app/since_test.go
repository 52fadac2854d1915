package app

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/p2p/peer"
)

// follower reads the chat of two as somebody does who only ever asks for what became visible since.
type follower struct {
	p, o *citizen
	last int64
	seen []string
}

func (p *citizen) follower(o *citizen) *follower {
	f := &follower{p: p, o: o}
	f.look()
	return f
}

// look reads on, a few at a time, and returns what is new.
func (f *follower) look() (fresh []string) {
	w := f.p.town
	w.t.Helper()
	for {
		upTo, err := f.p.svc.Rooms.LastSeen(w.t.Context())
		w.must(err)
		page, err := f.p.svc.Rooms.Messages(w.t.Context(), f.p.room(f.o), Page{Since: &f.last, Limit: 3})
		w.must(err)
		for _, m := range page {
			if m.Seen <= f.last || m.Seen > upTo {
				w.t.Errorf("%q has the number %d, after %d up to %d", m.Text, m.Seen, f.last, upTo)
			}
			f.last = m.Seen
			fresh = append(fresh, m.Text)
		}
		if len(page) < 3 {
			f.last = upTo
			f.seen = append(f.seen, fresh...)
			return fresh
		}
	}
}

// wants fails unless exactly these are new.
func (f *follower) wants(texts ...string) {
	f.p.town.t.Helper()
	if got := f.look(); !slices.Equal(got, texts) {
		f.p.town.t.Errorf("%s sees %q for the first time, want %q", f.p.name, got, texts)
	}
}

func TestWhoFollowsMissesNoMessageWhoseKeyComesLate(t *testing.T) {
	w, a, b := friends(t)
	f := b.follower(a)
	w.now = w.now.Add(11 * time.Minute) // a new chain is due
	stop := w.drop(a, peer.Control)
	for i := range 7 {
		a.say(b, fmt.Sprintf("locked %d", i))
	}
	w.run()
	b.say(a, "mine")
	f.wants("mine")
	stop()
	w.pass(time.Minute)
	f.wants("locked 0", "locked 1", "locked 2", "locked 3", "locked 4", "locked 5", "locked 6")
	b.say(a, "mine again")
	f.wants("mine again")
	f.wants()
}

func TestWhoFollowsMissesNoMessageThatWasHeldBack(t *testing.T) {
	for _, cut := range []bool{false, true} {
		w, a, b := friends(t)
		f := b.follower(a)
		g := forgerOf(a, a.room(b))
		one, two := g.segment(g.k, "one"), g.segment(g.k, "two")
		w.answerOf(a.send(b, peer.Deliver, g.deliver(two)))
		w.now = w.now.Add(time.Second)
		b.say(a, "mine")
		f.wants("mine")
		if cut { // what it waits for comes
			w.answerOf(a.send(b, peer.Deliver, g.deliver(one)))
			f.wants("two", "one")
		} else { // its time is over
			w.now = w.now.Add(holdBack * time.Millisecond)
			b.wants(a, "hello bob", "two", "mine")
			f.wants()
			_ = b.svc.clerk(t.Context())
			f.wants("two")
			b.wants(a, "hello bob", "two", "mine")
			w.answerOf(a.send(b, peer.Deliver, g.deliver(one)))
			f.wants("one")
		}
		b.say(a, "mine again")
		f.wants("mine again")
		b.off()
		b.start()
		w.run()
		f.wants()
	}
}

func TestAHeldMessageIsReleasedByTheNextStartAndOnAFullDiskAtTheNextChance(t *testing.T) {
	w, a, b := friends(t)
	f := b.follower(a)
	g := forgerOf(a, a.room(b))
	_, two := g.segment(g.k, "one"), g.segment(g.k, "two")
	w.answerOf(a.send(b, peer.Deliver, g.deliver(two)))
	b.off()
	w.now = w.now.Add(time.Hour)
	b.start()
	b.disk.SetFull(1)
	w.run()
	b.wants(a, "hello bob", "two")
	f.wants()
	b.disk.SetFull(0)
	w.pass(5 * time.Second)
	f.wants("two")
}

// The clerk may be asleep for half a minute when a message is held back: it must be woken, or nobody is told when it shows.
func TestWhoHoldsAMessageBackWakesTheClerk(t *testing.T) {
	w, a, b := friends(t)
	w.cut(a, b)
	select {
	case <-b.svc.stirred:
	default:
	}
	g := forgerOf(a, a.room(b))
	_, two := g.segment(g.k, "one"), g.segment(g.k, "two")
	w.answerOf(a.send(b, peer.Deliver, g.deliver(two)))
	select {
	case <-b.svc.stirred:
	default:
		t.Error("the clerk sleeps on")
	}
	if next := b.svc.clerk(t.Context()); next != w.now.UnixMilli()+holdBack {
		t.Errorf("it comes again in %d ms, want %d", next-w.now.UnixMilli(), holdBack)
	}
}
