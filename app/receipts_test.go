package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// readers is a town of two contacts who both say what they read.
func readers(t *testing.T) (w *town, a, b *citizen) {
	t.Helper()
	w, a, b = friends(t)
	for _, p := range w.all {
		w.must(p.svc.Owner.SetReadReceipts(t.Context(), true))
	}
	w.run()
	return w, a, b
}

// reads has p read the chat with o up to a message.
func (p *citizen) reads(o *citizen, text string) {
	p.town.t.Helper()
	p.town.must(p.svc.Rooms.MarkRead(p.town.t.Context(), p.room(o), p.message(o, text).Key))
}

func TestReadGoesBothWays(t *testing.T) {
	w, a, b := readers(t)
	for i := range 3 {
		for _, p := range [][2]*citizen{{a, b}, {b, a}} {
			from, to := p[0], p[1]
			text := fmt.Sprintf("%s %d", from.name, i)
			from.say(to, text)
			w.run()
			from.state(to, text, Delivered, ReasonNone)
			to.reads(from, text)
			w.run()
			from.state(to, text, Read, ReasonNone)
		}
	}
}

func TestNothingIsReadThatNobodyRead(t *testing.T) {
	w, a, b := readers(t)
	a.say(b, "one")
	a.say(b, "two")
	w.run()
	w.pass(10 * time.Minute)
	b.wants(a, "hello bob", "one", "two")
	b.svc.HandleFact(peer.Listening{}) // and nothing that is done meanwhile reads it
	b.say(a, "not looked at yet")
	w.pass(time.Minute)
	for _, text := range []string{"one", "two"} {
		a.state(b, text, Delivered, ReasonNone)
	}
	b.reads(a, "one")
	w.pass(time.Minute)
	a.state(b, "one", Read, ReasonNone)
	a.state(b, "two", Delivered, ReasonNone)
}

func TestReadNeverGoesBack(t *testing.T) {
	w, a, b := readers(t)
	texts := []string{"one", "two", "three"}
	for _, text := range texts {
		a.say(b, text)
	}
	w.run()
	read := map[string]bool{}
	w.after = func(c call) ([]byte, error) {
		for _, m := range a.messages(b) {
			if m.State == Read {
				read[m.Text] = true
			} else if read[m.Text] {
				t.Errorf("%q was read, and is %v after %v of %s", m.Text, m.State, c.kind, c.from.name)
			}
		}
		return c.reply, c.err
	}
	b.reads(a, "two")
	w.run()
	b.reads(a, "one") // somebody scrolls up
	w.pass(10 * time.Second)
	b.off()
	b.start()
	w.link(a, b)
	w.pass(10 * time.Minute)
	a.say(b, "four")
	w.pass(10 * time.Second)
	b.reads(a, "three")
	w.pass(10 * time.Second)
	a.crash()
	a.start()
	w.link(a, b)
	w.pass(10 * time.Second)
	for _, text := range texts {
		a.state(b, text, Read, ReasonNone)
	}
	a.state(b, "four", Delivered, ReasonNone)
}

func TestReadIsNeverClaimedBeforeDelivered(t *testing.T) {
	w, a, b := readers(t)
	log := a.logsOf(b, true)[0]
	stop := w.drop(a, peer.Deliver)
	a.say(b, "one")
	w.run()
	for _, h := range []wire.Have{haveOf(log, 99), {Log: log.ID, Stored: 99, Read: 99, HeadK: wire.NoHead}, {Log: log.ID, Opened: 99, Read: 99, HeadK: wire.NoHead}} {
		h.Read = 99
		if _, err := b.send(a, peer.Have, wire.Haves{h}.Marshal()); err != nil {
			t.Fatal(err)
		}
		if m := a.message(b, "one"); m.State != Queued || m.DeliveredTo != 0 {
			t.Errorf("of what is not stored, or not opened, somebody says it is read: %v, %d", m.State, m.DeliveredTo)
		}
	}
	stop()
	w.pass(10 * time.Minute) // the next comparison says what is true
	a.state(b, "one", Delivered, ReasonNone)
}

func TestAMessageThatWaitsForItsKeyIsNotRead(t *testing.T) {
	w, a, b := readers(t)
	w.now = w.now.Add(time.Hour)
	again := w.swallow(a, peer.Control)
	stop := w.drop(b, peer.KeyReq)
	a.say(b, "one")
	w.run()
	b.say(a, "where are you?")
	b.reads(a, "where are you?") // the newest place in the thread: what lies closed before it was not seen
	w.pass(30 * time.Second)
	a.state(b, "one", Queued, ReasonKey)
	stop()
	again()
	w.pass(time.Minute)
	b.wants(a, "hello bob", "one", "where are you?")
	a.state(b, "one", Delivered, ReasonNone)
	if room, err := b.svc.Rooms.Room(t.Context(), b.room(a)); err != nil || room.Unread != 1 {
		t.Errorf("%d unread, %v", room.Unread, err)
	}
	b.reads(a, "where are you?")
	w.run()
	a.state(b, "one", Read, ReasonNone)
}

func TestSwitchedOffReadIsNeitherSaidNorShown(t *testing.T) {
	for _, who := range []string{"the reader", "the author"} {
		t.Run(who, func(t *testing.T) {
			w, a, b := readers(t)
			a.say(b, "one")
			w.run()
			b.reads(a, "one")
			w.run()
			a.state(b, "one", Read, ReasonNone)
			p := map[string]*citizen{"the reader": b, "the author": a}[who]
			w.must(p.svc.Owner.SetReadReceipts(t.Context(), false))
			w.run()
			before := len(w.calls)
			a.say(b, "two")
			w.run()
			b.reads(a, "two")
			w.pass(10 * time.Minute)
			a.state(b, "two", Delivered, ReasonNone)
			for _, c := range w.calls[before:] {
				if c.from == b && c.kind == peer.Have {
					haves, err := wire.ParseHaves(c.body)
					w.must(err)
					for _, h := range haves {
						if h.Read != 0 {
							t.Errorf("it is said that %d were read", h.Read)
						}
					}
				}
			}
			b.off()
			b.start()
			if id, err := p.svc.Owner.Identity(t.Context()); err != nil || id.ReadReceipts {
				t.Errorf("after a start it is switched on again: %v, %v", id.ReadReceipts, err)
			}
		})
	}
}
