package app

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// keysOf asks p, as o, for the keys of entries of a log.
func (o *citizen) keysOf(p *citizen, log segment.ID, ranges ...wire.Range) ([]wire.IndexedKey, error) {
	reply, err := o.send(p, peer.KeyReq, wire.KeyRequest{Keys: &wire.KeyReq{Log: log, Ranges: ranges}}.Marshal())
	if err != nil {
		return nil, err
	}
	k, err := wire.ParseKeyReply(reply)
	p.town.must(err)
	return k.Keys, nil
}

func TestTheKeyOfOneMessageThatWasLostIsAskedFor(t *testing.T) {
	w, a, b := friends(t)
	w.cut(a, b)
	for i := range 3 {
		a.say(b, fmt.Sprint(i))
	}
	bodies := a.bodies(b)
	n := len(bodies)
	for _, i := range []int{n - 3, n - 1} {
		w.answerOf(a.send(b, peer.Deliver, bodies[i]))
	}
	row := b.logRow(a.logsOf(b, true)[0].ID)
	lost := 0
	b.update(func(tx *store.Tx) error {
		for i := range uint32(group.ChainLength) {
			if mk, err := tx.GapKey(row, 0, i); err != nil || mk == nil {
				continue
			}
			lost++
			if err := tx.DropGapKey(row, 0, i); err != nil {
				return err
			}
		}
		return nil
	})
	if lost != 1 {
		t.Fatalf("%d keys were kept for the gap", lost)
	}
	w.answerOf(a.send(b, peer.Deliver, bodies[n-2]))
	w.now = w.now.Add(holdBack * time.Millisecond)
	b.wants(a, "hello bob", "0", "2")
	w.link(a, b)
	w.pass(20 * time.Second)
	b.wants(a, "hello bob", "0", "1", "2")
	a.state(b, "2", Delivered, ReasonNone)
	if w.asked(b, a, peer.KeyReq) != 1 {
		t.Errorf("it was asked for %d times", w.asked(b, a, peer.KeyReq))
	}
}

func TestKeysAreGivenToWhoMayReadAndToNobodyElse(t *testing.T) {
	w := newTown(t, "ann", "bob", "eve", "dan")
	a, b, e, d := w.all[0], w.all[1], w.all[2], w.all[3]
	w.befriend(a, b)
	w.befriend(e, b) // a contact of bob's, and no member of his room with ann
	d.ask(b, "let me in")
	w.link(d, b)
	w.run()
	a.say(b, "one")
	b.say(a, "two")
	w.run()
	theirs, ours := a.logsOf(b, true)[0].ID, b.logsOf(a, true)[0].ID
	all := wire.Range{First: 0, Count: 100}
	for _, log := range []segment.ID{theirs, ours} {
		if keys, err := a.keysOf(b, log, all); err != nil || len(keys) < 3 {
			t.Errorf("a member is given %d keys, %v", len(keys), err)
		}
		for _, p := range []*citizen{e, d} {
			if keys, err := p.keysOf(b, log, all); err != nil || len(keys) != 0 {
				t.Errorf("%s, who is no member, is given %d keys, %v", p.name, len(keys), err)
			}
			if reply, err := p.send(b, peer.Fetch, wire.Fetch{Room: b.room(a), Log: log}.Marshal()); err != nil || len(reply) > 1 {
				t.Errorf("%s, who is no member, is given %d bytes of segments, %v", p.name, len(reply), err)
			}
		}
	}
	stranger := w.settle("sue")
	if keys, err := stranger.keysOf(b, theirs, all); !errors.Is(err, peer.ErrRefused) {
		t.Errorf("a stranger is given %d keys, %v", len(keys), err)
	}
	w.must(b.svc.People.Block(t.Context(), a.id))
	if keys, err := a.keysOf(b, ours, all); !errors.Is(err, peer.ErrRefused) {
		t.Errorf("who was blocked is given %d keys, %v", len(keys), err)
	}
}

func TestNoKeysAreGivenOfARoomThatWeHaveNotJoined(t *testing.T) {
	w, _, b, e := crowded(t)
	room := e.ask(b, "let me in")
	w.link(e, b)
	w.run()
	log := e.logsOf(b, true)[0].ID
	if keys, err := e.keysOf(b, log, wire.Range{First: 0, Count: 9}); err != nil || len(keys) != 0 {
		t.Errorf("before bob joined he gives %d keys, %v", len(keys), err)
	}
	for _, q := range []wire.KeyRequest{
		{Gate: &wire.GateReq{Room: room, Tag: b.gateTag(room)}},
		{Keys: &wire.KeyReq{Log: segment.ID{1}, Ranges: []wire.Range{{Count: 9}}}},
	} {
		if reply, err := e.send(b, peer.KeyReq, q.Marshal()); err != nil || len(reply) > 1 {
			t.Errorf("before bob joined he answers %d bytes, %v", len(reply), err)
		}
	}
	b.accept(e)
	w.run()
	if reply, err := e.send(b, peer.KeyReq, wire.KeyRequest{Gate: &wire.GateReq{Room: room, Tag: b.gateTag(room)}}.Marshal()); err != nil || len(reply) < 32 {
		t.Errorf("after it he answers %d bytes, %v", len(reply), err)
	}
}

// gateTag names a gate secret that p has for a room, zeros when there is none.
func (p *citizen) gateTag(id RoomID) (tag [16]byte) {
	p.town.t.Helper()
	p.view(func(r *store.Reader) error {
		room, _, err := r.Room(id)
		if err != nil {
			return err
		}
		all, err := r.Gates(room.Row)
		if len(all) > 0 {
			tag = [16]byte(all[0].Tag)
		}
		return err
	})
	return tag
}

func TestAnAnswerHasOneFrameOfKeysAtMost(t *testing.T) {
	w, a, b := friends(t)
	var drafts []Draft
	for i := range wire.MaxKeys + 300 {
		drafts = append(drafts, Draft{Text: fmt.Sprint(i)})
	}
	_, err := a.svc.Rooms.SendAll(t.Context(), a.room(b), drafts)
	w.must(err)
	w.run()
	log := a.logsOf(b, true)[0].ID
	keys, err := b.keysOf(a, log, wire.Range{First: 0, Count: 700}, wire.Range{First: 700, Count: 0xffff})
	if err != nil || len(keys) != wire.MaxKeys {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	for i, k := range keys {
		if k.Index != uint64(i) {
			t.Fatalf("key %d is that of %d", i, k.Index)
		}
	}
}
