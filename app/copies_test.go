package app

import (
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// ownLogs counts p's logs in the room with o by state.
func (p *citizen) ownLogs(o *citizen) (open, ended int) {
	for _, l := range p.logsOf(o, true) {
		if l.State == store.LogOpen {
			open++
		} else {
			ended++
		}
	}
	return open, ended
}

// putBackAll puts a profile back to what it was, the anchor too: nothing on this disk tells.
func (p *citizen) putBackAll(files map[string][]byte) {
	p.off()
	p.putBack(files)
	p.start()
}

// halt turns a machine off in good order and returns its files.
func (p *citizen) halt() map[string][]byte {
	p.off()
	return p.files()
}

func TestAStoreThatWentBackBehindItsAnchorBeginsAnew(t *testing.T) {
	w, a, b := friends(t)
	old := a.halt()
	a.start()
	w.link(a, b)
	a.say(b, "one")
	w.run()
	b.say(a, "two")
	w.run()
	inc := a.svc.me.incarnation()
	log := a.logsOf(b, true)[0]
	a.off()
	for name, data := range old { // the database goes back, what knows of it does not
		if name != "/ann/anchor.cqv" {
			a.disk.Put(name, data)
		}
	}
	w.now = w.now.Add(time.Minute)
	a.start()
	if !a.noticed("rolled_back") {
		t.Errorf("ann is told %v", a.notices())
	}
	if a.svc.me.incarnation() <= inc {
		t.Error("inc did not rise")
	}
	if open, ended := a.ownLogs(b); open != 0 || ended != 1 {
		t.Errorf("%d logs are open, %d have ended", open, ended)
	}
	w.link(a, b)
	w.run()
	a.say(b, "three")
	w.run()
	w.pass(time.Minute)
	all := []string{"hello bob", "one", "two", "three"}
	b.wants(a, all...)
	a.wants(b, all...) // what was lost here came back from who has it
	a.state(b, "three", Delivered, ReasonNone)
	for _, l := range a.logsOf(b, true) {
		if l.ID != log.ID && !slices.Equal(l.Previous, log.ID[:]) {
			t.Error("the new log does not name the old one")
		}
	}
	if b.noticed("forked") || b.noticed("peer_copied") {
		t.Errorf("bob is told %v", b.notices())
	}
	a.off()
	a.start()
	if !a.noticed("rolled_back") {
		t.Error("the notice is gone after a start")
	}
	a.svc.Owner.Dismiss("rolled_back", "")
	a.off()
	a.start()
	if a.noticed("rolled_back") {
		t.Error("a notice that was dealt with is back")
	}
}

func TestAStoreThatWentBackWithItsAnchorIsNoticedByWhoHoldsMore(t *testing.T) {
	w, a, b := friends(t)
	old := a.halt()
	a.start()
	w.link(a, b)
	a.say(b, "one")
	w.run()
	b.say(a, "two")
	w.run()
	w.now = w.now.Add(time.Hour)
	a.putBackAll(old)
	a.wants(b, "hello bob")
	w.link(a, b)
	w.run()
	if !a.noticed("copied") {
		t.Errorf("ann is told %v", a.notices())
	}
	if open, ended := a.ownLogs(b); open != 0 || ended != 1 {
		t.Errorf("%d logs are open, %d have ended", open, ended)
	}
	a.say(b, "three")
	w.run()
	w.pass(time.Minute)
	all := []string{"hello bob", "one", "two", "three"}
	b.wants(a, all...)
	a.wants(b, all...)
	a.state(b, "three", Delivered, ReasonNone)
	if b.noticed("forked") {
		t.Error("an honest rollback is a fork")
	}
	w.converse(a, b, "four")
}

func TestACopiedProfileThatRunsTwiceInTurnIsNoticedAndLosesNothingInSilence(t *testing.T) {
	w, a, b := friends(t)
	copied := a.halt()
	first := copied
	second := copied
	turn := func(files map[string][]byte, texts ...string) map[string][]byte {
		t.Helper()
		a.putBack(files)
		w.now = w.now.Add(20 * time.Minute)
		a.start()
		for _, text := range texts { // away from the network: neither copy knows what the other did
			a.say(b, text)
		}
		w.link(a, b)
		w.run()
		w.pass(2 * time.Minute)
		b.say(a, "heard "+texts[0])
		w.run()
		w.pass(30 * time.Second)
		return a.halt()
	}
	first = turn(first, "1a", "1b")
	second = turn(second, "2a", "2b")
	a.putBack(second)
	a.start()
	if !a.noticed("copied") {
		t.Errorf("the second copy is told %v", a.notices())
	}
	for _, text := range []string{"2a", "2b"} { // they stand where 1a and 1b stand: they cannot arrive, and it is said
		if m := a.message(b, text); m.State != Queued || m.Waiting != ReasonOffline && m.Waiting != ReasonRefused {
			t.Errorf("%q of the second copy is %v, waiting %q", text, m.State, m.Waiting)
		}
	}
	second = a.halt()
	turn(second, "2c")
	first = turn(first, "1c")
	a.putBack(first)
	a.start()
	if !a.noticed("copied") {
		t.Errorf("the first copy is told %v", a.notices())
	}
	a.state(b, "1c", Queued, ReasonRefused) // in a log that bob froze: it cannot arrive either
	turn(a.halt(), "1d")
	if !b.noticed("forked") {
		t.Errorf("bob is told %v", b.notices())
	}
	got := b.thread(a)
	for _, text := range []string{"1a", "1b", "2c", "1d"} {
		if !slices.Contains(got, text) {
			t.Errorf("%q never arrived; bob sees %q", text, got)
		}
	}
	lowest := int64(1 << 60)
	for _, raw := range b.evidence(a) {
		fork, err := segment.ParseFork(raw)
		w.must(err)
		if err := fork.Check(); err != nil {
			t.Errorf("a proof does not hold: %v", err)
		}
		lowest = min(lowest, int64(fork.Index))
	}
	if !slices.ContainsFunc(b.logsOf(a, false), func(l store.Log) bool { return l.State == store.LogFrozen && l.ForkK == lowest }) {
		t.Errorf("no log is frozen at %d, the lowest fork that is proven", lowest)
	}
}

func TestALiarAboutOurHeadsNeitherAlarmsUsNorHasUsBeginLogs(t *testing.T) {
	w, a, b := friends(t)
	for i := range 20 {
		w.now = w.now.Add(time.Minute)
		a.say(b, "x")
		w.run()
		own := a.logsOf(b, true)
		h := haveOf(own[len(own)-1], 0)
		h.HeadK, h.HeadDigest = h.HeadK+uint64(i), [32]byte{1}
		_, err := b.send(a, peer.Have, wire.Haves{h}.Marshal())
		w.must(err)
		w.run()
	}
	if a.noticed("copied") {
		t.Error("a word that nobody can prove is an alarm")
	}
	if _, ended := a.ownLogs(b); ended > 3 {
		t.Errorf("%d logs were ended by it in 20 minutes", ended)
	}
	if n := a.refused("unproven"); n == 0 {
		t.Error("it is not counted")
	}
	w.pass(2 * time.Minute)
	if st, err := a.svc.Owner.Status(t.Context()); err != nil || st.Queued != 0 {
		t.Errorf("%d queued, %v", st.Queued, err)
	}
}

func TestALiarWhoRefusesEverythingAsForkedIsNoAlarm(t *testing.T) {
	w, a, b := friends(t)
	w.tap = func(c call) ([]byte, error, bool) {
		if c.from == a && c.kind == peer.Deliver {
			return wire.Answer{Code: wire.AnswerRefused, Reason: wire.RefusedFork}.Marshal(), nil, true
		}
		return nil, nil, false
	}
	a.say(b, "one")
	w.run()
	if a.noticed("copied") {
		t.Errorf("ann is told %v", a.notices())
	}
	a.state(b, "one", Queued, ReasonRefused)
}

func TestASegmentOfOursThatWeDidNotWriteIsProofEnough(t *testing.T) {
	w, a, b := friends(t)
	f := forgerOf(a, a.room(b)) // what another copy would write
	s := f.segment(f.k, "from the other copy")
	before := a.logsOf(b, true)[0].HeadK
	if _, err := b.send(a, peer.Deliver, f.deliver(s)); err != nil {
		t.Fatal(err)
	}
	if !a.noticed("copied") || a.logsOf(b, true)[0].HeadK != before {
		t.Errorf("ann is told %v", a.notices())
	}
	inc := a.svc.me.incarnation()
	w.now = w.now.Add(time.Minute)
	if _, err := b.send(a, peer.Deliver, f.deliver(s)); err != nil {
		t.Fatal(err)
	}
	if a.svc.me.incarnation() != inc {
		t.Error("the same segment again began everything anew")
	}
	w.converse(a, b, "one")
}
