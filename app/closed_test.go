package app

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func closing(sid [16]byte, ns uint64) wire.Record {
	c := wire.Close{SID: sid, NS: ns}
	return wire.Record{Kind: wire.RecordClose, Body: c.Marshal()}
}

// has reports whether p holds a session with o.
func (p *citizen) hasSession(o *citizen, sid [16]byte) bool {
	return slices.ContainsFunc(p.sessionsWith(o), func(s store.Session) bool { return bytes.Equal(s.SID, sid[:]) })
}

func TestASessionThatWasClosedBeforeItsINITCameIsNotTaken(t *testing.T) {
	for _, sent := range []uint64{0, 3} {
		w, a, b := friends(t)
		early, init := a.sessionTo(b, 7, nil)
		w.now = w.now.Add(time.Second)
		late, closer := a.sessionTo(b, 8, []wire.Record{closing(early.ID(), sent)})
		for _, body := range [][]byte{closer, init, init} {
			reply, err := a.send(b, peer.Control, body)
			w.must(err)
			if &body[0] != &init[0] {
				continue
			}
			r, err := ratchet.ParseReceipt(reply)
			if err != nil || r.SID != early.ID() || r.NR != noSession {
				t.Errorf("the INIT of a session that was closed is answered %v, %v", r, err)
			}
		}
		if b.hasSession(a, early.ID()) || !b.hasSession(a, late.ID()) {
			t.Errorf("after %d messages: the closed one is there: %v; the later one: %v", sent, b.hasSession(a, early.ID()), b.hasSession(a, late.ID()))
		}
		if n := b.refused("init_closed"); n != 2 {
			t.Errorf("%d counted", n)
		}
		w.leap(15 * time.Minute)
		w.converse(a, b, "one", "two")
	}
}

func TestALateINITThatItsSenderClosedIsGivenUp(t *testing.T) {
	w, a, b := friends(t)
	a.loseSessions()
	held := w.swallow(a, peer.Control) // INITs come to nothing, and seem to have come
	w.leap(15 * time.Minute)
	d := a.deviceOf(b)
	a.update(func(tx *store.Tx) error { return a.svc.sessions.ensure(tx, d) })
	w.run()
	waits := a.sessionsWith(b)
	if len(waits) == 0 {
		t.Fatal("ann has begun no session")
	}
	w.leap(15 * time.Minute)
	a.update(func(tx *store.Tx) error { _, err := a.svc.sessions.begin(tx, d, 99); return err })
	held()
	var first [][]byte // the INIT of before comes last
	w.tap = func(c call) ([]byte, error, bool) {
		if c.from == a && ratchet.IsInit(c.body) && len(first) == 0 {
			first = append(first, c.body)
			return nil, peer.ErrUnreachable, true
		}
		return nil, nil, false
	}
	w.pass(20 * time.Minute)
	w.converse(a, b, "one", "two")
	for _, s := range a.sessionsWith(b)[1:] {
		a.view(func(r *store.Reader) error {
			if ok, err := r.HasControl(s.SID, -1); err != nil || ok {
				t.Errorf("an INIT of ann's is still on its way: %v", err)
			}
			return nil
		})
	}
	if x, y := a.sessionsWith(b)[0].SID, b.sessionsWith(a)[0].SID; !bytes.Equal(x, y) {
		t.Error("the two send on different sessions")
	}
}

func TestOfSessionsThatWereClosedUnseenFewAreRemembered(t *testing.T) {
	w, a, b := friends(t)
	var last [16]byte
	for i := range 200 {
		w.now = w.now.Add(time.Millisecond)
		last = [16]byte{1, byte(i)}
		a.tell(b, closing(last, 5))
	}
	d := b.deviceOf(a)
	kept := 0
	b.view(func(r *store.Reader) error {
		for i := range 200 {
			ok, err := r.ForwentSession(d.Row, []byte{1, byte(i), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
			w.must(err)
			if ok {
				kept++
			}
		}
		ok, err := r.ForwentSession(d.Row, last[:])
		if err != nil || !ok || kept != 64 {
			t.Errorf("%d are remembered, the last of them %v, %v", kept, ok, err)
		}
		return nil
	})
}

func TestASessionThatWeClosedAndNobodyKnowsIsNotWaitedFor(t *testing.T) {
	w, a, b := friends(t)
	w.cut(a, b)
	a.loseSessions()
	w.now = w.now.Add(15 * time.Minute)
	d, of := a.deviceOf(b), b.deviceOf(a)
	a.update(func(tx *store.Tx) error { return a.svc.sessions.ensure(tx, d) })
	mine := a.sessionsWith(b)[0]
	mine.DiesAt = w.now.Add(45 * 24 * time.Hour).UnixMilli()
	a.update(func(tx *store.Tx) error { return tx.SaveSession(mine) }) // closed on another one, which is lost since
	b.update(func(tx *store.Tx) error { return tx.ForgoSession(of.Row, mine.SID, w.now.UnixMilli()) })
	w.link(a, b)
	w.pass(15 * time.Minute)
	if a.hasSession(b, [16]byte(mine.SID)) {
		t.Error("it is still there")
	}
	w.converse(a, b, "one", "two")
}
