package app

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func TestOfWhoAsksNoMessagesAreKeptThatComeEarly(t *testing.T) {
	w, a, b, e := crowded(t)
	e.ask(b, "let me in")
	w.link(e, b)
	w.run()
	stop := w.drop(e, peer.Control)
	msgs := e.queued(b, 20, cardRecord(e.svc.me))
	head, err := ratchet.ParseHead(msgs[0])
	w.must(err)
	for _, msg := range msgs[1:] {
		_, err := e.send(b, peer.Control, msg)
		w.must(err)
	}
	if n, size := b.parked(head.SID[:], 0, int64(head.I)+20); n != 0 {
		t.Errorf("of somebody who is not let in %d messages are kept, %d bytes", n, size)
	}
	stop()
	w.pass(time.Minute)
	b.accept(e)
	w.converse(a, b, "one")
	w.converse(e, b, "two")
}

func TestOfWhoAsksFewLogsAndChainsAreKept(t *testing.T) {
	w, a, b, e := crowded(t)
	room := e.ask(b, "let me in")
	w.link(e, b)
	w.run()
	row := b.logRow(e.logsOf(b, true)[0].ID)
	own := forgerOf(e, room)
	for range 10 {
		var records []wire.Record
		for range 30 {
			next, err := group.NewChain(own.chain.Generation + 1)
			w.must(err)
			own.chain = next
			records = append(records, own.chainRecord(next))
		}
		e.tell(b, records[:3]...)
		for _, r := range records[3:] {
			e.tell(b, r)
		}
	}
	for range 20 {
		f := newForger(e, room)
		e.tell(b, f.chainRecord(f.chain))
	}
	var logs, chains int64
	device := b.deviceOf(e)
	b.view(func(r *store.Reader) error {
		l, _, err := r.LogRow(row)
		if err != nil {
			return err
		}
		if logs, err = r.CountLogs(l.Room, device.Row); err == nil {
			chains, err = r.CountChains(row)
		}
		return err
	})
	if logs == 0 || logs > askingLogs || chains == 0 || chains > askingChains {
		t.Errorf("of somebody who is not let in %d logs and %d chains are kept", logs, chains)
	}
	w.converse(a, b, "one")
	b.accept(e)
	w.run()
	w.pass(time.Minute)
	if got := b.thread(e); len(got) != 1 || got[0] != "let me in" {
		t.Errorf("of who was let in after all bob sees %q", got)
	}
}

func TestARequestIsAsLargeAsAMessageAtMost(t *testing.T) {
	w, a, b, e := crowded(t)
	long := strings.Repeat("x", MaxText)
	link, _, err := b.svc.People.Invite(t.Context(), time.Hour)
	w.must(err)
	if _, err := e.svc.People.Add(t.Context(), link, long+"x"); !errors.Is(err, ErrTooLong) {
		t.Errorf("asking with more than a message holds: %v", err)
	}
	hello := strings.Repeat("x", 12_000) // with who she is, all that one segment holds
	_, err = e.svc.People.Add(t.Context(), link, hello)
	w.must(err)
	w.link(e, b)
	w.run()
	before := b.used()
	for i := range 40 { // and then more and more, which is not kept
		w.must(e.svc.People.Rename(t.Context(), b.id, fmt.Sprint(i)))
		_, err := e.svc.Rooms.Send(t.Context(), e.room(b), Draft{Text: long})
		w.must(err)
		w.leap(time.Minute)
	}
	if grown := b.used() - before; grown > 2<<20 {
		t.Errorf("somebody who asks made the disk %d bytes fuller", grown)
	}
	all, err := b.svc.People.Requests(t.Context())
	if err != nil || len(all) != 1 || all[0].Text != hello {
		t.Errorf("%d requests, %v", len(all), err)
	}
	w.converse(a, b, "one")
}

func TestWhatIsTooLargeIsRefusedAndWritesNothing(t *testing.T) {
	w, a, b, e := crowded(t)
	w.befriend(e, b)
	captured := map[peer.Kind][]byte{}
	for _, c := range w.calls {
		captured[c.kind] = c.body
	}
	syncs := b.disk.Stats().Syncs
	for k := peer.Kind(0); k < 20; k++ {
		for _, n := range []int{1 << 16, peer.MaxBody, 1 << 20} {
			for _, body := range [][]byte{make([]byte, n), append(bytes.Clone(captured[k]), make([]byte, n)...)} {
				reply, err := e.send(b, k, body)
				if k == peer.SelfInfo || k == peer.Typing || k == peer.Hint { // whose bodies the node bounds, and nobody reads
					continue
				}
				if err == nil && len(reply) > 2 || err != nil && !errors.Is(err, peer.ErrRefused) {
					t.Errorf("%v of %d bytes: %d bytes, %v", k, len(body), len(reply), err)
				}
			}
		}
	}
	if n := b.disk.Stats().Syncs - syncs; n != 0 {
		t.Errorf("it cost %d syncs", n)
	}
	w.converse(a, b, "one")
}

func TestAStrangerAtTheDoorCostsNoSync(t *testing.T) {
	w, a, b, e := crowded(t)
	w.run()
	syncs := b.disk.Stats().Syncs
	self := e.svc.Self()
	for i := range maxHellos + 100 {
		cert := *self.Device.Certificate
		cert.Raw = fmt.Append(bytes.Clone(cert.Raw), i)
		class, err := b.svc.HandleHello(t.Context(), peer.Hello{Account: self.Account, Certificate: &cert, List: self.List, Peer: cert.Peer})
		if class != peer.Stranger || err != nil {
			t.Fatalf("a stranger at the door is %v, %v", class, err)
		}
	}
	if n := b.disk.Stats().Syncs - syncs; n != 0 {
		t.Errorf("strangers at the door cost %d syncs", n)
	}
	b.svc.links.mu.Lock()
	n := len(b.svc.links.hellos)
	b.svc.links.mu.Unlock()
	if n > maxHellos {
		t.Errorf("%d handshakes are remembered", n)
	}
	w.converse(a, b, "one")
}

func TestFactsAreRememberedWithinBounds(t *testing.T) {
	w, a, b, _ := crowded(t)
	for i := range 3 * maxFacts {
		id := identity.PeerID{1, byte(i), byte(i >> 8)}
		b.svc.HandleFact(peer.Found{Peer: id, Account: identity.AccountID{1, byte(i), byte(i >> 8)}, Name: fmt.Sprint(i)})
		b.svc.HandleFact(peer.PathChanged{Device: identity.DeviceID{1}, Peer: id, Path: peer.Direct, Addr: fmt.Sprintf("/ip4/10.1.2.3/tcp/%d", i)})
		b.svc.HandleFact(peer.Attempt{Peer: id, Cause: peer.CauseClosed})
	}
	b.svc.HandleFact(peer.PathChanged{Device: identity.DeviceID{1}, Path: peer.None})
	b.svc.mu.Lock()
	facts := len(b.svc.facts)
	b.svc.mu.Unlock()
	b.svc.links.mu.Lock()
	causes := len(b.svc.links.causes)
	b.svc.links.mu.Unlock()
	near, err := b.svc.People.Nearby(t.Context())
	if err != nil || len(near) > maxNearby || causes > maxCauses || facts > maxFacts {
		t.Errorf("%d nearby, %d causes, %d facts, %v", len(near), causes, facts, err)
	}
	before := b.used()
	w.run()
	if grown := b.used() - before; grown > 1<<20 {
		t.Errorf("what the network told of strangers takes %d bytes", grown)
	}
	w.converse(a, b, "one")
}

func TestNoticesAreBoundedAndOursAreNeverCrowdedOut(t *testing.T) {
	w, a, b, e := crowded(t)
	w.befriend(e, b)
	f := forgerOf(e, e.room(b))
	for i := range maxNotices + 20 { // under ever new names she brings a second chain
		card := e.svc.me.card()
		card.Name = fmt.Sprintf("eve the %dth", i)
		other, err := group.NewChain(f.chain.Generation)
		w.must(err)
		d := e.deviceOf(b)
		e.update(func(tx *store.Tx) error {
			return e.svc.sessions.queue(tx, d, wire.Record{Kind: wire.RecordCard, Body: card.Marshal()}, f.chainRecord(other))
		})
		if i%20 == 19 {
			w.run()
		}
	}
	w.run()
	all := b.svc.Owner.Notices()
	if len(all) < 100 || len(all) > maxNotices {
		t.Fatalf("%d notices", len(all))
	}
	twin := forgerOf(b, b.room(a)) // somebody else has a copy of bob's profile
	if _, err := a.send(b, peer.Deliver, twin.deliver(twin.segment(twin.k, "from the other copy"))); err != nil {
		t.Fatal(err)
	}
	if !b.noticed("copied") {
		t.Error("with a board full of eve, bob is not told that his profile was copied")
	}
	b.tight(0)
	if _, err := b.svc.Rooms.Send(t.Context(), b.room(a), Draft{Text: "no room"}); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	b.disk.SetFull(0)
	if !b.noticed("disk_full") {
		t.Error("or that his disk is full")
	}
	b.off()
	b.start()
	if n := len(b.svc.Owner.Notices()); n > maxNotices+2 || !b.noticed("copied") {
		t.Errorf("after a start there are %d", n)
	}
	w.link(a, b)
	w.run()
	w.converse(a, b, "one")
}
