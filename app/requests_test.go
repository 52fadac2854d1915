package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func TestARequestIsAcceptedAndTwoTalk(t *testing.T) {
	w, a, b := friends(t)
	a.say(b, "how are you")
	w.run()
	b.say(a, "well, and you")
	w.run()
	a.say(b, "well")
	w.run()
	all := []string{"hello bob", "how are you", "well, and you", "well"}
	a.wants(b, all...)
	b.wants(a, all...)
	a.state(b, "well", Delivered, ReasonNone)
	b.state(a, "well, and you", Delivered, ReasonNone)
}

func TestRequestsThatCrossAcceptEachOther(t *testing.T) {
	w := newTown(t, "ann", "bob")
	a, b := w.all[0], w.all[1]
	a.ask(b, "hello bob")
	b.ask(a, "hello ann")
	w.link(a, b)
	w.run()
	w.pass(10 * time.Second)
	for _, p := range [][2]*citizen{{a, b}, {b, a}} {
		c, err := p[0].svc.People.Contact(context.Background(), p[1].id)
		w.must(err)
		if c.State != Accepted {
			t.Errorf("%s is %q to %s", p[1].name, c.State, p[0].name)
		}
	}
	if x, y := fmt.Sprint(a.thread(b)), fmt.Sprint(b.thread(a)); x != y || len(a.thread(b)) != 2 {
		t.Errorf("ann sees %s, bob sees %s", x, y)
	}
	a.state(b, "hello bob", Delivered, ReasonNone)
	b.state(a, "hello ann", Delivered, ReasonNone)
}

// probes are frames of every kind that somebody who asked can send, with what it is answered.
func (p *citizen) probes(o *citizen, frames []call) (answers []string) {
	for _, c := range frames {
		reply, err := p.send(o, c.kind, c.body)
		answers = append(answers, fmt.Sprintf("%v: %x, %v", c.kind, reply, err))
	}
	class, err := o.hello(p)
	answers = append(answers, fmt.Sprintf("hello: %v, %v", class, err))
	o.town.run()
	for _, k := range o.peers {
		if k.Account == p.id {
			answers = append(answers, fmt.Sprintf("known as %v", k.Class))
		}
	}
	return answers
}

func TestDecliningCannotBeToldFromSilence(t *testing.T) {
	for _, token := range []bool{true, false} {
		t.Run(fmt.Sprintf("invited %v", token), func(t *testing.T) {
			w := newTown(t, "ann", "bob")
			a, b := w.all[0], w.all[1]
			room := a.ask(b, "hello bob")
			if !token { // it used the token up, or never had one
				b.update(func(tx *store.Tx) error { return tx.AddInvitation([32]byte{1}, 0, 1) })
			}
			w.link(a, b)
			w.run()
			w.pass(time.Minute)
			log := a.logsOf(b, true)[0]
			frames := []call{
				{kind: peer.Have, body: wire.Haves{haveOf(log, 0)}.Marshal()},
				{kind: peer.Sync, body: wire.Sync{One: &wire.Sync1{}}.Marshal()},
				{kind: peer.Fetch, body: wire.Fetch{Room: room, Log: log.ID, From: 0, To: 0}.Marshal()},
				{kind: peer.KeyReq, body: wire.KeyRequest{Keys: &wire.KeyReq{Log: log.ID, Ranges: []wire.Range{{First: 0, Count: 1}}}}.Marshal()},
				{kind: peer.SelfInfo},
				{kind: peer.Control, body: []byte("nonsense")},
			}
			for _, k := range []peer.Kind{peer.Deliver, peer.Control} {
				for _, body := range w.sent(a, b, k) {
					frames = append(frames, call{kind: k, body: body})
				}
			}
			waits := a.probes(b, frames)
			w.must(b.svc.People.Decline(context.Background(), a.id))
			before := len(w.calls)
			w.pass(time.Minute)
			for _, c := range w.calls[before:] {
				if c.from == b {
					t.Errorf("after declining, bob sent %v", c.kind)
				}
			}
			declined := a.probes(b, frames)
			if fmt.Sprint(waits) != fmt.Sprint(declined) {
				t.Errorf("while it waits:\n%q\nafter it was declined:\n%q", waits, declined)
			}
			a.state(b, "hello bob", Queued, ReasonAsked)
		})
	}
}

func TestWhoWasDeclinedCanBeAcceptedAfterAll(t *testing.T) {
	w := newTown(t, "ann", "bob")
	a, b := w.all[0], w.all[1]
	a.ask(b, "hello bob")
	w.link(a, b)
	w.run()
	w.must(b.svc.People.Decline(context.Background(), a.id))
	w.pass(2 * time.Minute)
	b.accept(a)
	w.pass(2 * time.Minute)
	b.wants(a, "hello bob")
	a.state(b, "hello bob", Delivered, ReasonNone)
}

func TestWhoIsBlockedIsNotHeard(t *testing.T) {
	w, a, b := friends(t)
	a.say(b, "one")
	w.run()
	w.must(b.svc.People.Block(context.Background(), a.id))
	a.say(b, "two")
	w.run()
	w.pass(time.Minute)
	b.wants(a, "hello bob", "one")
	if m := a.message(b, "two"); m.State != Queued {
		t.Errorf("a message to who blocked us is %v", m.State)
	}
	for _, c := range w.calls {
		if _, err := a.send(b, c.kind, c.body); c.from == a && !errors.Is(err, peer.ErrRefused) {
			t.Errorf("%v of a blocked person: %v, want a refusal", c.kind, err)
		}
	}
	if class, err := b.hello(a); class != peer.Blocked || err != nil {
		t.Errorf("a blocked person at the door is %v, %v", class, err)
	}
	if _, err := b.svc.Rooms.Send(context.Background(), b.room(a), Draft{Text: "still there?"}); !errors.Is(err, ErrBlocked) {
		t.Errorf("writing to a blocked person: %v", err)
	}
	w.must(b.svc.People.Unblock(context.Background(), a.id))
	w.pass(2 * time.Minute)
	b.wants(a, "hello bob", "one", "two")
	a.state(b, "two", Delivered, ReasonNone)
}

func TestWhoWasBlockedIsWhatTheyWereWhenUnblocked(t *testing.T) {
	w := newTown(t, "ann", "bob")
	a, b := w.all[0], w.all[1]
	a.ask(b, "hello bob")
	w.link(a, b)
	w.run()
	for _, row := range []struct {
		who, whom *citizen
		want      Relation
	}{{b, a, Pending}, {a, b, Requested}} {
		w.must(row.who.svc.People.Block(context.Background(), row.whom.id))
		w.must(row.who.svc.People.Unblock(context.Background(), row.whom.id))
		c, err := row.who.svc.People.Contact(context.Background(), row.whom.id)
		w.must(err)
		if c.State != row.want {
			t.Errorf("to %s, %s is %q after unblocking, want %q", row.who.name, row.whom.name, c.State, row.want)
		}
	}
}

func TestATokenCountsForTheFirstWhoBringsItAndAgainAfterAReset(t *testing.T) {
	w := newTown(t, "ann", "bob", "eve")
	a, b, e := w.all[0], w.all[1], w.all[2]
	link, _, err := b.svc.People.Invite(context.Background(), 24*time.Hour)
	w.must(err)
	for _, p := range []*citizen{a, e} {
		_, err := p.svc.People.Add(context.Background(), link, "hello from "+p.name)
		w.must(err)
		w.link(p, b)
		w.run()
	}
	brought := func() map[string]bool {
		all, err := b.svc.People.Requests(context.Background())
		w.must(err)
		names := map[string]bool{}
		for _, q := range all {
			names[q.Name] = q.Token
		}
		return names
	}
	want := map[string]bool{"ann": true, "eve": false}
	if got := brought(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("who brought a token: %v, want %v", got, want)
	}
	a.update(func(tx *store.Tx) error { return tx.DropSessions() })
	w.pass(time.Minute)
	if got := brought(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("after a reset, who brought a token: %v, want %v", got, want)
	}
}

func TestAnExpiredTokenDoesNotCount(t *testing.T) {
	w := newTown(t, "ann", "bob")
	a, b := w.all[0], w.all[1]
	a.ask(b, "hello bob")
	w.now = w.now.Add(48 * time.Hour)
	w.link(a, b)
	w.run()
	all, err := b.svc.People.Requests(context.Background())
	w.must(err)
	if len(all) != 1 || all[0].Token {
		t.Errorf("requests: %+v", all)
	}
}

// crowd has n strangers ask, as far as the store knows.
func (p *citizen) crowd(n int) {
	p.update(func(tx *store.Tx) error {
		for i := range n {
			id := [32]byte{0xff, byte(i), byte(i >> 8)}
			if _, err := tx.AddAccount(id, store.AccountAsks, p.svc.ms()); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestTwoHundredStrangersMayAskAndAllWhoWereInvited(t *testing.T) {
	w := newTown(t, "ann", "bob", "eve", "dan")
	a, b, e, d := w.all[0], w.all[1], w.all[2], w.all[3]
	b.crowd(maxRequests - 1)
	first, _, err := b.svc.People.Invite(context.Background(), time.Hour)
	w.must(err)
	second, _, err := b.svc.People.Invite(context.Background(), time.Hour)
	w.must(err)
	for _, row := range []struct {
		who  *citizen
		link string
		in   bool
	}{{a, first, true}, {e, first, false}, {d, second, true}} {
		_, err := row.who.svc.People.Add(context.Background(), row.link, "hello")
		w.must(err)
		w.link(row.who, b)
		w.run()
		if got := b.deviceOf(row.who).Row != 0; got != row.in {
			t.Errorf("%s is among those who ask: %v, want %v", row.who.name, got, row.in)
		}
	}
	if n := b.refused("requests_full"); n != 1 {
		t.Errorf("%d were turned away as too many", n)
	}
	e.state(b, "hello", Queued, ReasonAsked)
	b.update(func(tx *store.Tx) error { // somebody decides about two of them
		all, err := tx.Accounts(store.AccountAsks)
		if err != nil {
			return err
		}
		for _, a := range all[:2] {
			if err := tx.SetAccountState(a.Row, store.AccountDeclined, 0); err != nil {
				return err
			}
		}
		return nil
	})
	w.pass(time.Hour)
	if b.deviceOf(e).Row == 0 {
		t.Error("with room again, who was turned away still is")
	}
}

func TestARequestKeepsOneSegmentUntilItIsAccepted(t *testing.T) {
	w := newTown(t, "ann", "bob")
	a, b := w.all[0], w.all[1]
	a.ask(b, "one")
	w.link(a, b)
	w.run()
	a.say(b, "two")
	a.say(b, "three")
	w.pass(5 * time.Minute)
	for _, l := range b.logsOf(a, false) {
		if l.HeadK != 0 {
			t.Errorf("of a request segments up to %d are kept", l.HeadK)
		}
	}
	all, err := b.svc.People.Requests(context.Background())
	w.must(err)
	if len(all) != 1 || all[0].Text != "one" || all[0].Name != "ann" || !all[0].Token {
		t.Errorf("requests: %+v", all)
	}
	if rooms, err := b.svc.Rooms.Rooms(context.Background()); err != nil || len(rooms) != 1 {
		t.Errorf("rooms of who is asked: %v, %v", rooms, err)
	}
	for _, text := range []string{"one", "two", "three"} {
		a.state(b, text, Queued, ReasonAsked)
	}
	b.accept(a)
	w.pass(2 * time.Minute)
	b.wants(a, "one", "two", "three")
	a.state(b, "three", Delivered, ReasonNone)
}

func TestARequestCannotFillTheStoreWithLogs(t *testing.T) {
	w := newTown(t, "ann", "bob")
	a, b := w.all[0], w.all[1]
	room := a.ask(b, "one")
	w.link(a, b)
	w.run()
	for range 3 {
		f := newForger(a, room)
		if _, err := a.send(b, peer.Deliver, f.deliver(f.segment(0, "more"))); err != nil {
			t.Fatal(err)
		}
	}
	segments := 0
	for _, l := range b.logsOf(a, false) {
		segments += int(l.HeadK) + 1
	}
	if segments != 1 {
		t.Errorf("a request has %d segments", segments)
	}
}

func TestAStrangerWhoDoesNotAskLeavesNothing(t *testing.T) {
	w := newTown(t, "ann", "bob")
	a, b := w.all[0], w.all[1]
	w.run()
	init := a.initTo(b, nil)
	before := b.disk.Stats().Syncs
	if _, err := a.send(b, peer.Control, init); err != nil {
		t.Fatalf("an INIT of a stranger: %v; it must not be told", err)
	}
	for i := range 40 {
		body := bytes.Repeat([]byte{byte(i)}, 200)
		for k := peer.Kind(0); k < 20; k++ {
			_, _ = a.send(b, k, body)
		}
	}
	b.view(func(r *store.Reader) error {
		if _, found, err := r.Account(a.id); err != nil || found {
			t.Errorf("a stranger has an account here: %v", err)
		}
		if _, found, err := r.Device(a.device); err != nil || found {
			t.Errorf("a stranger has a device here: %v", err)
		}
		return nil
	})
	if n := b.disk.Stats().Syncs - before; n != 0 {
		t.Errorf("garbage of a stranger cost %d syncs", n)
	}
	if n := b.refused("init_stranger"); n != 1 {
		t.Errorf("%d INITs of strangers are counted", n)
	}
}

func TestWhoSaidYesAndLostPowerEntersTheRoomLater(t *testing.T) {
	w := newTown(t, "ann", "bob")
	a, b := w.all[0], w.all[1]
	a.ask(b, "hello bob")
	w.link(a, b)
	w.run()
	b.update(func(tx *store.Tx) error { // what Accept commits first
		acc, _, err := tx.Account(a.id)
		if err != nil {
			return err
		}
		if err := tx.SetAccountState(acc.Row, store.AccountContact, 0); err != nil {
			return err
		}
		_, err = openDirect(tx, b.svc.core, acc, store.RoomOpen)
		return err
	})
	b.crash()
	b.start()
	w.link(a, b)
	w.pass(2 * time.Minute)
	c, err := a.svc.People.Contact(context.Background(), b.id)
	w.must(err)
	if c.State != Accepted {
		t.Errorf("who was accepted sees %q", c.State)
	}
	a.state(b, "hello bob", Delivered, ReasonNone)
}
