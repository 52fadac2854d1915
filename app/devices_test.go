package app

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// phone is another machine on somebody's account: made from the words a minute from now, and not linked to anybody. Its own list
// names nothing but itself.
func (w *town) phone(a *citizen) *citizen {
	w.t.Helper()
	w.pass(time.Minute)
	return w.settleAs(a.name, a.words)
}

// pair puts two machines of one account on one list, and takes both through a start.
func (w *town) pair(a, p *citizen) {
	w.t.Helper()
	w.pass(time.Second)
	both := a.signs(uint64(a.svc.ms()), a.listed(identity.StateValid), p.listed(identity.StateValid))
	a.adopts(both)
	p.adopts(both)
}

// meets has the machine p, of an account that b knows, write to b.
func (w *town) meets(p, b *citizen, text string) {
	w.t.Helper()
	p.ask(b, text)
	w.link(p, b)
	w.run()
	w.pass(10 * time.Second)
}

// saidNothingTo fails if anything that opens what b writes has reached p: a chain, a key, or a segment.
func (b *citizen) saidNothingTo(p *citizen) {
	p.town.t.Helper()
	for _, c := range p.town.calls {
		if c.from == b && c.to == p && c.kind == peer.Deliver {
			p.town.t.Errorf("%s sent a segment to a device that nobody said yes to", b.name)
		}
		if c.from == p && c.to == b && (c.kind == peer.KeyReq || c.kind == peer.Fetch) && len(c.reply) > 4 {
			p.town.t.Errorf("%s answered %v with %d bytes", b.name, c.kind, len(c.reply))
		}
	}
	if n := p.refused("log_certificate"); n > 0 {
		p.town.t.Errorf("%d chains of %s's reached it, of a log that it does not know", n, b.name)
	}
	p.view(func(r *store.Reader) error {
		room, found, err := r.Room(wire.DirectGenesis(p.id, b.id).ID())
		if err != nil || !found {
			return err
		}
		logs, err := r.Logs(room.Row)
		for _, l := range logs {
			if l.Seed != nil {
				continue
			}
			if n, err := r.CountChains(l.Row); err != nil || n > 0 {
				p.town.t.Errorf("it has %d chains of %s's, %v", n, b.name, err)
			}
			if early, err := r.HasEarlyKeys(l.Row); err != nil || early {
				p.town.t.Errorf("it has keys of %s's, %v", b.name, err)
			}
		}
		return err
	})
}

func TestANewDeviceOfAnAccountIsGivenNothingBeforeAYes(t *testing.T) {
	w, a, b := friends(t)
	p := w.phone(a)
	w.pair(a, p)
	w.meets(p, b, "from the phone")
	w.link(a, b)
	w.run()
	b.wants(a, "hello bob", "from the phone")
	b.say(a, "one")
	w.run()
	w.pass(time.Minute)
	a.wants(b, "hello bob", "from the phone", "one") // bob tells her laptop what her phone said
	p.wants(b, "from the phone")
	if m := b.message(a, "one"); m.State != Queued || m.Waiting != ReasonApproval || m.DeliveredTo != 1 || m.Of != 2 {
		t.Errorf("it is %v, waits for %q, is at %d of %d", m.State, m.Waiting, m.DeliveredTo, m.Of)
	}
	c, err := b.svc.People.Contact(t.Context(), a.id)
	w.must(err)
	if !c.Approve || !b.noticed("device") {
		t.Errorf("bob is not asked: %+v, %v", c, b.notices())
	}
	w.pass(11 * time.Minute)
	b.say(a, "under another chain")
	w.run()
	room := b.room(a)
	for _, l := range b.logsOf(a, true) {
		for _, q := range []call{
			{kind: peer.Fetch, body: wire.Fetch{Room: room, Log: l.ID}.Marshal()},
			{kind: peer.KeyReq, body: wire.KeyRequest{Keys: &wire.KeyReq{Log: l.ID, Ranges: []wire.Range{{Count: 9}}}}.Marshal()},
		} {
			if reply, err := p.send(b, q.kind, q.body); err == nil && len(reply) > 4 {
				t.Errorf("%v is answered with %d bytes", q.kind, len(reply))
			}
		}
	}
	b.saidNothingTo(p)
	w.must(b.svc.People.Approve(t.Context(), a.id))
	w.run()
	w.pass(10 * time.Second)
	b.state(a, "one", Delivered, ReasonNone)
	if got := p.thread(b); !slices.Contains(got, "one") {
		t.Errorf("after the yes it sees %q", got)
	}
	b.say(a, "two")
	w.run()
	b.state(a, "two", Delivered, ReasonNone)
	if c, err = b.svc.People.Contact(t.Context(), a.id); err != nil || c.Approve || b.noticed("device") {
		t.Errorf("bob is still asked: %+v, %v, %v", c, err, b.notices())
	}
}

func TestADeviceThatIsOnNoListIsNotHeard(t *testing.T) {
	w, a, b := friends(t)
	p := w.phone(a)
	w.pass(time.Minute)
	a.adopts(a.signs(uint64(a.svc.ms()), a.listed(identity.StateValid))) // she knows of no phone
	w.link(a, b)
	w.run()
	w.pass(10 * time.Second)
	p.ask(b, "from the phone")
	if class, err := b.hello(p); class != peer.Blocked || err != nil {
		t.Errorf("at the door it is %v, %v", class, err)
	}
	if n := b.refused("revoked_device"); n == 0 {
		t.Error("it is not counted")
	}
	f := newForger(p, b.room(a)) // whoever finds a way in all the same
	segment := f.segment(0, "hear me")
	init := p.initTo(b, []wire.Record{f.chainRecord(f.chain)})
	_, _ = p.send(b, peer.Control, init)
	if got := w.answerOf(p.send(b, peer.Deliver, f.deliver(segment))); got.Code != wire.AnswerLater {
		t.Errorf("its segment is answered %+v", got)
	}
	b.say(a, "one")
	w.run()
	b.wants(a, "hello bob", "one")
	b.state(a, "one", Delivered, ReasonNone) // by every device that counts
	b.saidNothingTo(p)
}

func TestARestoredAccountTakesThePlaceOfTheLostDevice(t *testing.T) {
	w, a, b := friends(t)
	a.say(b, "before")
	w.run()
	p := w.phone(a)
	w.meets(p, b, "this is my new phone")
	b.wants(a, "hello bob", "before", "this is my new phone")
	if d := b.deviceOf(a); d.State != store.DeviceRevoked {
		t.Errorf("the lost device is in state %d", d.State)
	}
	if _, err := b.svc.Rooms.Send(t.Context(), b.room(a), Draft{Text: "too soon"}); !errors.Is(err, ErrApproval) {
		t.Errorf("writing before the yes: %v", err)
	}
	b.saidNothingTo(p)
	w.must(b.svc.People.Approve(t.Context(), a.id))
	b.say(a, "welcome back")
	w.run()
	b.state(a, "welcome back", Delivered, ReasonNone)
	if got := p.thread(b); !slices.Contains(got, "welcome back") {
		t.Errorf("the phone sees %q", got)
	}
}

func TestARevokedDeviceIsNeitherHeardNorTold(t *testing.T) {
	w, a, b := friends(t)
	a.say(b, "before")
	w.run()
	p := w.phone(a)
	w.meets(p, b, "my laptop was stolen")
	w.must(b.svc.People.Approve(t.Context(), a.id))
	w.run()
	before := len(w.calls)
	thread := b.thread(a)
	a.say(b, "I am still her") // on the link that it had
	b.say(a, "not for the thief")
	w.run()
	w.pass(time.Minute)
	b.wants(a, append(thread, "not for the thief")...)
	for _, c := range w.calls[before:] {
		if c.from == b && c.to == a {
			t.Errorf("the revoked device is sent %v", c.kind)
		}
		if c.from == a && c.to == b && !errors.Is(c.err, peer.ErrRefused) {
			t.Errorf("%v of the revoked device: %v, want a refusal", c.kind, c.err)
		}
	}
	if class, err := b.hello(a); class != peer.Blocked || err != nil {
		t.Errorf("at the door it is %v, %v", class, err)
	}
	for _, k := range b.peers {
		if want := map[identity.DeviceID]peer.Class{a.device: peer.Blocked, p.device: peer.Contact}[k.Device]; k.Class != want {
			t.Errorf("the node takes device %s for %v, want %v", k.Device.Short(), k.Class, want)
		}
	}
	a.off()
	a.start()
	if w.link(a, b) {
		t.Error("it gets a link again")
	}
}

func TestNothingMoreIsWrittenUnderAChainThatARevokedDeviceHolds(t *testing.T) {
	w, a, b := friends(t)
	p := w.phone(a)
	w.pair(a, p)
	w.meets(p, b, "from the phone")
	w.must(b.svc.People.Approve(t.Context(), a.id))
	w.pass(2 * time.Minute) // past the pause of echoes
	b.say(a, "to both of you")
	w.run()
	if cause, yes := (&draft{has: true, chain: store.Chain{BeganAt: chainEnded}}).due(); !yes || cause != wire.CauseRemoval {
		t.Errorf("a chain that was ended is renewed: %v, for cause %d", yes, cause)
	}
	held := b.generation(a)
	b.say(a, "and this")
	w.run()
	if b.generation(a) != held {
		t.Fatal("a chain was renewed for another reason")
	}
	p.adopts(p.signs(uint64(p.svc.ms()), a.listed(identity.StateRevoked), p.listed(identity.StateValid)))
	w.link(p, b)
	w.run()
	b.say(a, "to the phone alone")
	w.run()
	if now := b.generation(a); now != held+1 {
		t.Errorf("bob writes under chain %d; the revoked device holds %d", now, held)
	}
	b.state(a, "to the phone alone", Delivered, ReasonNone)
	if got := p.thread(b); !slices.Contains(got, "to the phone alone") {
		t.Errorf("the phone sees %q", got)
	}
	if p.noticed("peer_copied") || len(b.notices()) > 0 {
		t.Errorf("somebody is told %v, %v", p.notices(), b.notices())
	}
}

func TestAChainThatEndsWhileASegmentIsMadeTakesTheSegmentAlong(t *testing.T) {
	w, a, b := friends(t)
	var room store.Room
	id := b.room(a)
	b.view(func(r *store.Reader) (err error) {
		room, _, err = r.Room(id)
		return err
	})
	body := wire.Text{Body: "one"}
	strokes := []*stroke{{item: wire.Record{Kind: wire.ItemText, Body: body.Marshal()}, entry: store.Message{Kind: int(wire.ItemText), Body: "one"}}}
	d, err := b.svc.Rooms.pen(room.Row).draft(t.Context())
	w.must(err)
	if n, err := d.fill(strokes); n != 1 || err != nil || len(d.begun) > 0 {
		t.Fatalf("%d strokes, %v, %d chains", n, err, len(d.begun))
	}
	account := b.deviceOf(a).Account
	b.update(func(tx *store.Tx) error { return endChains(tx, account) })
	if err := b.svc.st.UpdateOwn(t.Context(), func(tx *store.Tx) error { return d.commit(tx, strokes) }); !errors.Is(err, errChanged) {
		t.Errorf("committing under the old chain: %v", err)
	}
	held := b.generation(a)
	b.say(a, "one")
	w.run()
	if b.generation(a) != held+1 {
		t.Error("it is written under the old chain")
	}
	a.wants(b, "hello bob", "one")
}

// generation is that of the chain on which p writes to o.
func (p *citizen) generation(o *citizen) (g uint32) {
	p.town.t.Helper()
	for _, l := range p.logsOf(o, true) {
		p.view(func(r *store.Reader) error {
			c, _, err := r.NewestChain(l.Row)
			g = max(g, c.Generation)
			return err
		})
	}
	return g
}

func TestDevicesOfOneAccountAreBounded(t *testing.T) {
	w, a, b := friends(t)
	for range maxDevices + 3 {
		o := a.another()
		if _, err := b.svc.HandleHello(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	var n int64
	b.view(func(r *store.Reader) error {
		d, _, err := r.Device(a.device)
		if err == nil {
			n, err = r.CountDevices(d.Account)
		}
		return err
	})
	if n != maxDevices {
		t.Errorf("%d devices are kept, want %d", n, maxDevices)
	}
	if got := b.refused("too_many_devices"); got != 4 {
		t.Errorf("%d were turned away, want 4", got)
	}
	w.converse(a, b, "one")
}

// another is the hello of a device that p's account certifies and that nobody runs.
func (p *citizen) another() peer.Hello {
	p.town.t.Helper()
	key, err := composite.GenerateKey()
	p.town.must(err)
	host, err := newHostKey()
	p.town.must(err)
	index, err := identity.NewIndex()
	p.town.must(err)
	cert, err := identity.IssueCertificate(p.owner(), key, host, identity.CertificateTemplate{Index: index, TopSuite: identity.Suite})
	p.town.must(err)
	return peer.Hello{Account: p.owner().Public(), Certificate: cert, List: p.svc.Self().List, Peer: cert.Peer}
}
