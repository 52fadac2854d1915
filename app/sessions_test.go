package app

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// sessionsWith is what p's store holds of sessions with o, the highest first.
func (p *citizen) sessionsWith(o *citizen) (all []store.Session) {
	p.town.t.Helper()
	d := p.deviceOf(o)
	p.view(func(r *store.Reader) (err error) {
		all, err = r.Sessions(d.Row)
		return err
	})
	return all
}

// loseSessions erases everything that p holds of sessions.
func (p *citizen) loseSessions() {
	p.town.t.Helper()
	p.update(func(tx *store.Tx) error { return tx.DropSessions() })
}

// converse has both write under new chains, whose keys need a session, and fails unless both read everything.
func (w *town) converse(a, b *citizen, texts ...string) {
	w.t.Helper()
	before := a.thread(b)
	for _, text := range texts {
		w.now = w.now.Add(11 * time.Minute)
		a.say(b, text+" ?")
		w.run()
		b.say(a, text+" !")
		w.run()
		before = append(before, text+" ?", text+" !")
	}
	w.pass(time.Minute)
	a.wants(b, before...)
	b.wants(a, before...)
}

func TestASessionThatOneSideLostIsBegunAnew(t *testing.T) {
	w, a, b := friends(t)
	w.converse(a, b, "one")
	a.loseSessions()
	w.converse(a, b, "two", "three")
	b.loseSessions()
	w.converse(a, b, "four", "five")
	if x, y := a.sessionsWith(b)[0].SID, b.sessionsWith(a)[0].SID; !bytes.Equal(x, y) {
		t.Error("the two send on different sessions")
	}
	if n := len(w.all[0].notices()) + len(b.notices()); n != 0 {
		t.Errorf("it was told as %v, %v", a.notices(), b.notices())
	}
}

func TestASessionThatBothLostIsBegunAnew(t *testing.T) {
	w, a, b := friends(t)
	a.loseSessions()
	b.loseSessions()
	w.converse(a, b, "one", "two")
	if x, y := a.sessionsWith(b)[0].SID, b.sessionsWith(a)[0].SID; !bytes.Equal(x, y) {
		t.Error("the two send on different sessions")
	}
}

func TestAHigherIncBeginsASessionAnew(t *testing.T) {
	w, a, b := friends(t)
	old := b.sessionsWith(a)[0].SID
	inc := b.deviceOf(a).Inc
	w.now = w.now.Add(time.Hour)
	a.update(func(tx *store.Tx) error { return a.svc.me.beginAnew(tx, a.svc.ms()) })
	w.cut(a, b)
	w.link(a, b)
	w.run()
	if got := b.deviceOf(a).Inc; got <= inc {
		t.Errorf("inc is %d, was %d", got, inc)
	}
	if bytes.Equal(old, b.sessionsWith(a)[0].SID) {
		t.Error("the session is the old one")
	}
	w.converse(a, b, "one")
	if own := a.logsOf(b, true); len(own) != 2 || own[0].State == own[1].State {
		t.Errorf("ann has %d logs", len(own))
	}
}

func TestALowerIncIsRefused(t *testing.T) {
	w, a, b := friends(t)
	before := len(b.sessionsWith(a))
	d := b.deviceOf(a)
	b.update(func(tx *store.Tx) error { return tx.SetDeviceInc(d.Row, d.Inc+1) })
	_, init := a.sessionTo(b, 7, nil)
	if _, err := a.send(b, peer.Control, init); err != nil {
		t.Fatal(err)
	}
	if n := len(b.sessionsWith(a)); n != before || b.refused("old_inc") != 1 {
		t.Errorf("%d sessions, was %d; counted %d", n, before, b.refused("old_inc"))
	}
	_ = w
}

func TestSessionsAreNotBegunAnewWithoutEnd(t *testing.T) {
	w, a, b := friends(t)
	begun := func() int {
		n := 0
		for _, c := range w.calls {
			if c.from == a && c.kind == peer.Control && ratchet.IsInit(c.body) {
				n++
			}
		}
		return n
	}
	start := begun()
	hour := func() int {
		before := begun()
		for range 120 {
			if all := a.sessionsWith(b); len(all) > 0 { // bob says, over his own link, that he knows none
				_, err := b.send(a, peer.Control, ratchet.Receipt{SID: [16]byte(all[0].SID), NR: noSession}.Marshal())
				w.must(err)
			}
			w.now = w.now.Add(30 * time.Second)
			w.run()
		}
		return begun() - before
	}
	if n := hour(); n < 2 || n > 4 {
		t.Errorf("%d sessions were begun in the first hour", n)
	}
	if n := hour() + hour() + hour() + hour(); n > 4 {
		t.Errorf("%d sessions were begun in four more hours", n)
	}
	if n := a.refused("session_reset"); n == 0 || begun() == start {
		t.Errorf("%d resets are counted", n)
	}
}

func TestAnINITIsTakenOnce(t *testing.T) {
	w, a, b := friends(t)
	for _, body := range w.sent(a, b, peer.Control) {
		if !ratchet.IsInit(body) {
			continue
		}
		before := fmt.Sprint(b.sessionsWith(a))
		for range 3 {
			if _, err := a.send(b, peer.Control, body); err != nil {
				t.Error(err)
			}
		}
		if got := fmt.Sprint(b.sessionsWith(a)); got != before {
			t.Error("an INIT that came again changed something")
		}
	}
	e := w.settle("eve")
	for _, c := range slices.Clone(w.calls) { // somebody else brings it
		if c.from == a && ratchet.IsInit(c.body) {
			_, _ = e.send(b, peer.Control, c.body)
			_, _ = e.send(a, peer.Control, c.body)
		}
	}
	fresh := a.initTo(b, nil)
	if _, err := e.send(b, peer.Control, fresh); err != nil {
		t.Error(err)
	}
	if n := b.refused("init_foreign"); n != 1 {
		t.Errorf("INITs of other devices than the link's: %d counted", n)
	}
	b.view(func(r *store.Reader) error {
		if _, found, err := r.Account(e.id); found || err != nil {
			t.Error("eve is somebody to bob")
		}
		return nil
	})
}

func TestAnINITForAPrekeyOfBeforeIsRefused(t *testing.T) {
	w, a, b := friends(t)
	old := a.initTo(b, nil)
	b.update(func(tx *store.Tx) error { return b.svc.me.beginAnew(tx, b.svc.ms()) })
	before := len(b.sessionsWith(a))
	if _, err := a.send(b, peer.Control, old); err != nil {
		t.Fatal(err)
	}
	if len(b.sessionsWith(a)) != before || b.refused("init") != 1 {
		t.Errorf("%d sessions, was %d; counted %d", len(b.sessionsWith(a)), before, b.refused("init"))
	}
	w.now = w.now.Add(100 * 24 * time.Hour)
	gone := a.initTo(b, nil)
	b.update(func(tx *store.Tx) error { return b.svc.me.renew(tx, b.svc.ms()) })
	b.update(func(tx *store.Tx) error { return tx.DropPrekeys(b.svc.ms() + keyLife) })
	if _, err := a.send(b, peer.Control, gone); err != nil {
		t.Fatal(err)
	}
	if len(b.sessionsWith(a)) != before || b.refused("init") != 2 {
		t.Errorf("for a prekey that is gone: %d sessions, was %d; counted %d", len(b.sessionsWith(a)), before, b.refused("init"))
	}
}

func TestAFloodOfINITsIsBounded(t *testing.T) {
	w, a, b := friends(t)
	for i := range 30 {
		_, init := a.sessionTo(b, uint32(100+i), nil)
		if _, err := a.send(b, peer.Control, init); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(b.sessionsWith(a)); n > maxSessions {
		t.Errorf("%d sessions", n)
	}
	if n := b.refused("init_flood"); n < 20 {
		t.Errorf("%d INITs were refused", n)
	}
	_ = w
}

func TestAMessageOfASessionIsTakenOnce(t *testing.T) {
	w, a, b := friends(t)
	w.converse(a, b, "one", "two")
	before := b.sessionsWith(a)[0].State
	n := 0
	for _, body := range w.sent(a, b, peer.Control) {
		if !ratchet.IsInit(body) {
			n++
			if reply, err := a.send(b, peer.Control, body); err != nil || len(reply) != ratchet.ReceiptSize {
				t.Errorf("a message that came again is answered %x, %v", reply, err)
			}
		}
	}
	if n < 2 || !bytes.Equal(before, b.sessionsWith(a)[0].State) {
		t.Errorf("%d messages came again, and changed the session", n)
	}
	if b.noticed("peer_copied") {
		t.Error("the same bytes raise an alarm")
	}
}

func TestOtherBytesForAnOldNumberAreAnAlarm(t *testing.T) {
	w, a, b := friends(t)
	files := a.files()
	w.converse(a, b, "one")
	a.off()
	a.putBack(files)
	key := a.disk.Bytes("/ann/anchor.cqv") // the anchor goes back with everything else: nobody notices here
	if key == nil {
		t.Fatal("no anchor")
	}
	a.start()
	d := a.deviceOf(b)
	a.update(func(tx *store.Tx) error { return a.svc.sessions.queue(tx, d, cardRecord(a.svc.me)) })
	var msg []byte
	a.view(func(r *store.Reader) error {
		due, err := r.DueControl(d.Row, 1<<60, 10)
		for _, c := range due {
			msg = c.Bytes
		}
		return err
	})
	if msg == nil {
		t.Fatal("nothing to send")
	}
	if _, err := a.send(b, peer.Control, msg); err != nil {
		t.Fatal(err)
	}
	if !b.noticed("peer_copied") {
		t.Errorf("bob is told %v", b.notices())
	}
}

func TestAForgedMessageChangesNothingAndThreeBeginANewSession(t *testing.T) {
	w, a, b := friends(t)
	d := a.deviceOf(b)
	var msg []byte
	a.update(func(tx *store.Tx) error { return a.svc.sessions.queue(tx, d, cardRecord(a.svc.me)) })
	a.view(func(r *store.Reader) error {
		due, err := r.DueControl(d.Row, 1<<60, 10)
		msg = due[len(due)-1].Bytes
		return err
	})
	forged := bytes.Clone(msg)
	forged[len(forged)-1] ^= 1
	row := b.sessionsWith(a)[0]
	for i := range copiesToReset {
		if n := len(b.sessionsWith(a)); n != 1 {
			t.Fatalf("after %d copies there are %d sessions", i, n)
		}
		if _, err := a.send(b, peer.Control, forged); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(row.State, b.sessionsWith(a)[len(b.sessionsWith(a))-1].State) {
		t.Error("a forged message changed the session")
	}
	if n := len(b.sessionsWith(a)); n != 2 || b.refused("session_reset") != 1 {
		t.Errorf("after three copies there are %d sessions", n)
	}
	if _, err := a.send(b, peer.Control, msg); err != nil {
		t.Fatal(err)
	}
	w.run()
	w.converse(a, b, "one")
}

func TestMessagesOfASessionMayComeInAnyOrder(t *testing.T) {
	w, a, b := friends(t)
	d := a.deviceOf(b)
	for range 5 {
		a.update(func(tx *store.Tx) error { return a.svc.sessions.queue(tx, d, cardRecord(a.svc.me)) })
	}
	var msgs [][]byte
	a.view(func(r *store.Reader) error {
		due, err := r.DueControl(d.Row, 1<<60, 10)
		for _, c := range due {
			msgs = append(msgs, c.Bytes)
		}
		return err
	})
	slices.Reverse(msgs)
	var last []byte
	for _, msg := range msgs {
		reply, err := a.send(b, peer.Control, msg)
		w.must(err)
		last = reply
	}
	receipt, err := ratchet.ParseReceipt(last)
	w.must(err)
	state, err := ratchet.Parse(b.sessionsWith(a)[0].State)
	w.must(err)
	if receipt.NR != state.Received() || len(msgs) != 5 {
		t.Errorf("the receipt says %d, the session %d", receipt.NR, state.Received())
	}
	w.converse(a, b, "one")
}

func TestASecondChainForAGenerationIsAnAlarmAndTheFirstIsKept(t *testing.T) {
	w, a, b := friends(t)
	f := forgerOf(a, a.room(b))
	other, err := group.NewChain(f.chain.Generation)
	w.must(err)
	a.tell(b, f.chainRecord(f.chain)) // the same chain, further on: nothing
	if b.noticed("peer_copied") {
		t.Fatal("the same chain further on is an alarm")
	}
	a.tell(b, f.chainRecord(other))
	if !b.noticed("peer_copied") {
		t.Errorf("bob is told %v", b.notices())
	}
	w.converse(a, b, "one")
}

func TestOnlyTheDeviceOfALogBringsItsChain(t *testing.T) {
	w, a, b := friends(t)
	b.say(a, "mine")
	w.run()
	theirs := forgerOf(b, a.room(b))
	record := wire.Chain{Room: theirs.room, Log: theirs.log, Generation: 9, Key: [32]byte{1}, Cause: wire.CauseFirst, LogCertificate: theirs.certificate()}
	before := b.refused("chain_foreign")
	a.tell(b, wire.Record{Kind: wire.RecordChain, Body: record.Marshal()})
	if n := b.refused("chain_foreign") + b.refused("log_certificate"); n != before+1 {
		t.Errorf("a chain for bob's own log, from ann, is counted %d times", n-before)
	}
	f := newForger(a, a.room(b))
	wrong := wire.Chain{Room: f.room, Log: f.log, Key: [32]byte{1}, Cause: wire.CauseFirst, LogCertificate: theirs.certificate()}
	a.tell(b, wire.Record{Kind: wire.RecordChain, Body: wrong.Marshal()})
	if b.refused("log_certificate") == 0 {
		t.Error("a chain with somebody else's certificate is not counted")
	}
	for _, l := range b.logsOf(a, false) {
		if l.ID == f.log {
			t.Error("it made a log")
		}
	}
}

func TestWrongKeysOpenNothingAndAreNotAskedForAtOnce(t *testing.T) {
	w, a, b := friends(t)
	w.now = w.now.Add(time.Hour)
	w.swallow(a, peer.Control)
	a.say(b, "one")
	w.run()
	w.after = func(c call) ([]byte, error) {
		if c.kind != peer.KeyReq || c.from != b {
			return c.reply, c.err
		}
		k, err := wire.ParseKeyReply(c.reply)
		w.must(err)
		for i := range k.Keys {
			k.Keys[i].PRK[0] ^= 1
		}
		return k.Marshal(), nil
	}
	before := len(w.calls)
	w.pass(8 * time.Second)
	asked := 0
	for _, c := range w.calls[before:] {
		if c.kind == peer.KeyReq {
			asked++
		}
	}
	if asked != 1 || b.refused("keys") != 1 {
		t.Errorf("asked %d times, %d wrong keys are counted", asked, b.refused("keys"))
	}
	b.wants(a, "hello bob")
	a.state(b, "one", Queued, ReasonKey)
	w.after = nil
	w.pass(time.Minute)
	b.wants(a, "hello bob", "one")
}

func TestANewSessionSaysAllThatIsNotOpenedHoweverLongThatIs(t *testing.T) {
	w, a, b := friends(t)
	w.cut(a, b)
	for i := range 6 { // logs that ended, each with a certificate of 9 KB
		w.now = w.now.Add(time.Hour)
		a.say(b, fmt.Sprintf("message %d", i))
		a.update(func(tx *store.Tx) error { return a.svc.me.beginAnew(tx, a.svc.ms()) })
	}
	w.link(a, b)
	w.run()
	w.pass(time.Minute)
	b.wants(a, "hello bob", "message 0", "message 1", "message 2", "message 3", "message 4", "message 5")
	a.state(b, "message 0", Delivered, ReasonNone)
}

func TestThirtyDaysOfSilenceAndANewerPrekeyBeginASessionAnew(t *testing.T) {
	w, a, b := friends(t)
	old := a.sessionsWith(b)[0].SID
	w.swallow(a, peer.Control)
	w.now = w.now.Add(time.Hour)
	a.say(b, "one") // with a chain that never gets through
	w.run()
	b.update(func(tx *store.Tx) error { return b.svc.me.renew(tx, b.svc.ms()) })
	for range 5 {
		w.now = w.now.Add(7 * 24 * time.Hour)
		w.run()
		w.cut(a, b)
		w.link(a, b)
		bundle := b.svc.me.self()
		a.update(func(tx *store.Tx) error {
			_, err := a.svc.dir.learn(tx, bundle)
			return err
		})
		w.run()
	}
	if all := a.sessionsWith(b); len(all) == 0 || bytes.Equal(all[0].SID, old) {
		t.Error("the session is still the old one")
	}
}
