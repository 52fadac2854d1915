package app

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// evidence is what p holds of proofs about the room of two with o.
func (p *citizen) evidence(o *citizen) (raws [][]byte) {
	p.town.t.Helper()
	p.view(func(r *store.Reader) error {
		room, _, err := r.Room(wire.DirectGenesis(p.id, o.id).ID())
		if err != nil {
			return err
		}
		ids, err := r.EvidenceIDs(room.Row)
		for _, id := range ids {
			raw, err := r.Evidence(id)
			if err != nil {
				return err
			}
			raws = append(raws, raw)
		}
		return err
	})
	return raws
}

// wantsProof fails unless p holds one proof that o forked at k, which convinces anybody.
func (p *citizen) wantsProof(o *citizen, k uint64) {
	p.town.t.Helper()
	raws := p.evidence(o)
	if len(raws) != 1 {
		p.town.t.Fatalf("%s holds %d proofs", p.name, len(raws))
	}
	fork, err := segment.ParseFork(raws[0])
	p.town.must(err)
	if err := fork.Check(); err != nil {
		p.town.t.Errorf("the proof does not hold: %v", err)
	}
	if fork.Index != k {
		p.town.t.Errorf("the proof is about segment %d, want %d", fork.Index, k)
	}
	if !p.noticed("forked") {
		p.town.t.Errorf("%s is told %v", p.name, p.notices())
	}
}

func TestTwoSegmentsOfOneNumberFreezeALogWithAProof(t *testing.T) {
	w, a, b := friends(t)
	for i := range 3 {
		a.say(b, fmt.Sprint(i))
		w.run()
	}
	room := a.room(b)
	two := forgerOf(a, room)
	other := *two
	if got := w.answerOf(a.send(b, peer.Deliver, two.deliver(two.segment(two.k, "said")))); got.Code != wire.AnswerHave {
		t.Fatalf("the first is answered %+v", got)
	}
	k := other.k
	forked := other.segment(k, "unsaid")
	if got := w.answerOf(a.send(b, peer.Deliver, other.deliver(forked))); got.Code != wire.AnswerRefused || got.Reason != wire.RefusedFork {
		t.Errorf("the second is answered %+v", got)
	}
	b.wantsProof(a, k)
	b.wants(a, "hello bob", "0", "1", "2", "said")
	for _, m := range b.messages(a) {
		if m.Forked != (m.Text == "said") {
			t.Errorf("%q is shown as forked: %v", m.Text, m.Forked)
		}
	}
	for _, f := range []*forger{two, &other} { // nothing goes on beyond
		if got := w.answerOf(a.send(b, peer.Deliver, f.deliver(f.segment(f.k, "more")))); got.Code != wire.AnswerRefused || got.Reason != wire.RefusedFork {
			t.Errorf("beyond the fork: %+v", got)
		}
	}
	if n := len(b.evidence(a)); n != 1 {
		t.Errorf("%d proofs", n)
	}
	log := b.logsOf(a, false)[0]
	if log.State != store.LogFrozen || log.ForkK != int64(k) {
		t.Errorf("the log is in state %d, forked at %d", log.State, log.ForkK)
	}
}

func TestAForkOfWhatIsLongPastIsProvenByTheSignatureThatCoversIt(t *testing.T) {
	w, a, b := friends(t)
	room := a.room(b)
	early := forgerOf(a, room)
	for i := range 20 {
		a.say(b, fmt.Sprint(i))
		w.run()
	}
	forked := early.segment(early.k, "rewritten")
	k := early.k - 1
	if got := w.answerOf(a.send(b, peer.Deliver, early.deliver(forked))); got.Reason != wire.RefusedFork {
		t.Errorf("it is answered %+v", got)
	}
	b.wantsProof(a, k)
}

func TestAForkIsNoticedEvenWhereASignatureIsMissing(t *testing.T) {
	w, a, b := friends(t)
	f := forgerOf(a, a.room(b))
	var all []*segment.Segment
	var states []forger
	for i := range 4 {
		states = append(states, *f)
		all = append(all, f.segment(f.k, fmt.Sprint(i)))
	}
	for _, i := range []int{0, 3, 2} { // 1 is missing: nothing proves that the signatures cover one another
		if got := w.answerOf(a.send(b, peer.Deliver, f.deliver(all[i]))); got.Code != wire.AnswerHave {
			t.Fatalf("segment %d is answered %+v", i, got)
		}
	}
	other := states[2]
	if got := w.answerOf(a.send(b, peer.Deliver, other.deliver(other.segment(other.k, "other")))); got.Reason != wire.RefusedFork {
		t.Errorf("it is answered %+v", got)
	}
	b.wantsProof(a, states[2].k)
}

func TestAHeaderThatDoesNotContinueThePastFreezesTheLog(t *testing.T) {
	w, a, b := friends(t)
	f := forgerOf(a, a.room(b))
	one := f.segment(f.k, "one")
	other := *f
	two := f.segment(f.k, "two")
	other.segment(other.k, "a two that nobody gets")
	bad := other.segment(other.k, "behind it")
	for _, s := range []*segment.Segment{one, bad} {
		if got := w.answerOf(a.send(b, peer.Deliver, f.deliver(s))); got.Code != wire.AnswerHave {
			t.Fatalf("it is answered %+v", got)
		}
	}
	if got := w.answerOf(a.send(b, peer.Deliver, f.deliver(two))); got.Code != wire.AnswerRefused || got.Reason != wire.RefusedFork {
		t.Errorf("what closes the gap is answered %+v", got)
	}
	log := b.logsOf(a, false)[0]
	if k := int64(bad.Header.K); log.State != store.LogFrozen || log.ForkK != k || log.Tree != k {
		t.Errorf("the log is in state %d, forked at %d, its tree has %d; want %d", log.State, log.ForkK, log.Tree, k)
	}
	if log.Stored != int64(two.Header.Next()) {
		t.Errorf("%d entries are stored, want those before the fork", log.Stored)
	}
	if !b.noticed("forked") {
		t.Errorf("bob is told %v", b.notices())
	}
	b.wants(a, "hello bob", "one", "two")
}

func TestSegmentsMayComeInAnyOrder(t *testing.T) {
	w, a, b := friends(t)
	f := forgerOf(a, a.room(b))
	var all []*segment.Segment
	want := []string{"hello bob"}
	for i := range 8 {
		text := fmt.Sprint(i)
		all, want = append(all, f.segment(f.k, text)), append(want, text)
	}
	for _, i := range []int{5, 3, 7, 1, 6, 2, 4, 0} {
		got := w.answerOf(a.send(b, peer.Deliver, f.deliver(all[i])))
		if got.Code != wire.AnswerHave {
			t.Fatalf("segment %d is answered %+v", i, got)
		}
		if i != 0 && got.Have.Stored != all[0].Header.First {
			t.Errorf("with a gap %d entries are said to be stored", got.Have.Stored)
		}
	}
	b.wants(a, want...)
	log := b.logsOf(a, false)[0]
	if log.Stored != log.Size || log.Opened != log.Size || log.WholeK != log.HeadK {
		t.Errorf("the log: %+v", log)
	}
}

func TestAGapIsShownHeldBackAndFetched(t *testing.T) {
	w, a, b := friends(t)
	f := forgerOf(a, a.room(b))
	one, two, three := f.segment(f.k, "one"), f.segment(f.k, "two"), f.segment(f.k, "three")
	w.answerOf(a.send(b, peer.Deliver, f.deliver(one)))
	w.answerOf(a.send(b, peer.Deliver, f.deliver(three)))
	b.wants(a, "hello bob", "one")
	gaps, err := b.svc.Rooms.Gaps(t.Context(), b.room(a))
	w.must(err)
	if len(gaps) != 1 || gaps[0].Missing != 1 || gaps[0].Name != "ann" || gaps[0].Asking != 1 {
		t.Errorf("gaps: %+v", gaps)
	}
	watch := b.svc.Watch()
	defer watch.Close()
	w.now = w.now.Add(holdBack * time.Millisecond)
	_ = b.svc.clerk(t.Context())
	b.wants(a, "hello bob", "one", "three")
	if changes := watch.take(); !slices.Contains(changes, Change{ChangedRoom, b.room(a)}) {
		t.Errorf("nobody is told that a held message shows: %v", changes)
	}
	w.answerOf(a.send(b, peer.Deliver, f.deliver(two)))
	b.wants(a, "hello bob", "one", "two", "three")
	if gaps, err = b.svc.Rooms.Gaps(t.Context(), b.room(a)); err != nil || len(gaps) != 0 {
		t.Errorf("gaps: %+v, %v", gaps, err)
	}
}

func TestWhatTheAuthorDoesNotBringIsFetched(t *testing.T) {
	w, a, b := friends(t)
	w.cut(a, b)
	want := []string{"hello bob"}
	for i := range 30 {
		text := fmt.Sprint(i)
		a.say(b, text)
		want = append(want, text)
	}
	w.tap = func(c call) ([]byte, error, bool) { // of all that ann brings, only the newest arrives
		if c.from != a || c.kind != peer.Deliver {
			return nil, nil, false
		}
		d, err := wire.ParseDeliver(c.body)
		w.must(err)
		s, err := segment.Parse(d.Segment)
		w.must(err)
		lost := int64(s.Header.K) < a.logsOf(b, true)[0].HeadK
		return wire.Answer{Code: wire.AnswerLater, Reason: wire.LaterUnknown}.Marshal(), nil, lost
	}
	w.link(a, b)
	w.pass(time.Minute)
	b.wants(a, want...)
	a.state(b, "29", Delivered, ReasonNone)
	log := b.logsOf(a, false)[0]
	b.view(func(r *store.Reader) error { // and can be proven to others
		at, sig, err := r.NewestSignature(log.Row, 0)
		if err != nil || at != log.HeadK || sig == nil {
			t.Errorf("the newest signature is of %d, %v; the head is %d", at, err, log.HeadK)
		}
		return nil
	})
}

func TestAMadeUpParentHoldsAMessageBackForFiveSeconds(t *testing.T) {
	w, a, b := friends(t)
	f := forgerOf(a, a.room(b))
	f.deps = []segment.Dep{{Log: segment.ID{0xee}, K: 7, Digest: [32]byte{1}}}
	w.answerOf(a.send(b, peer.Deliver, f.deliver(f.segment(f.k, "one"))))
	b.wants(a, "hello bob")
	w.now = w.now.Add(holdBack * time.Millisecond)
	b.wants(a, "hello bob", "one")
	b.say(a, "what is that")
	w.run()
	w.now = w.now.Add(31 * 24 * time.Hour)
	f.deps = nil
	w.answerOf(a.send(b, peer.Deliver, f.deliver(f.segment(f.k, "two"))))
	b.wants(a, "hello bob", "one", "what is that", "two") // after 30 days nobody waits for it any more
}

func TestEntriesThatClaimThePlacesOfOthersAreRefused(t *testing.T) {
	w, a, b := friends(t)
	f := forgerOf(a, a.room(b))
	behind := *f
	behind.k++ // one number further on, at the places of the next
	behind.past = behind.past.Append([]byte("x"))
	overlap := behind.build(behind.entry(textRecord("overlap")))
	if got := w.answerOf(a.send(b, peer.Deliver, f.deliver(f.segment(f.k, "one")))); got.Code != wire.AnswerHave {
		t.Fatalf("%+v", got)
	}
	if got := w.answerOf(a.send(b, peer.Deliver, behind.deliver(overlap))); got.Code != wire.AnswerRefused || got.Reason != wire.RefusedMalformed {
		t.Errorf("entries at places that are taken are answered %+v", got)
	}
	b.wants(a, "hello bob", "one")
}

func TestEntriesThatSkipPlacesInTheirChainAreRefused(t *testing.T) {
	w, a, b := friends(t)
	f := forgerOf(a, a.room(b))
	f.chain, _, _ = f.chain.Step()
	if got := w.answerOf(a.send(b, peer.Deliver, f.deliver(f.segment(f.k, "one")))); got.Code != wire.AnswerRefused || got.Reason != wire.RefusedMalformed {
		t.Errorf("it is answered %+v", got)
	}
	if n := b.refused("chain_order"); n != 1 {
		t.Errorf("%d are counted", n)
	}
	b.wants(a, "hello bob")
}

func TestLogsOfNobodyAreBounded(t *testing.T) {
	w, a, b := friends(t)
	answers := map[uint8]int{}
	for range undecidedLogs + 4 {
		f := newForger(a, a.room(b))
		answers[w.answerOf(a.send(b, peer.Deliver, f.deliver(f.segment(0, "who am I")))).Code]++
	}
	if answers[wire.AnswerHave] != undecidedLogs || answers[wire.AnswerLater] != 4 {
		t.Errorf("answers by code: %v", answers)
	}
	b.wants(a, "hello bob")
	var full bool
	w2, c, d := friends(t)
	f := newForger(c, c.room(d))
	big := make([]byte, 30_000)
	for i := range big {
		big[i] = 'x'
	}
	for k := uint64(0); k < 50 && !full; k++ {
		got := w2.answerOf(c.send(d, peer.Deliver, f.deliver(f.segment(k, string(big)))))
		full = got.Code == wire.AnswerLater
	}
	if !full {
		t.Error("a log of nobody grows without end")
	}
	var size int64
	d.view(func(r *store.Reader) error {
		l, _, err := r.Log([32]byte(f.log))
		if err == nil {
			size, err = r.LogBytes(l.Row)
		}
		return err
	})
	if size > undecidedBytes {
		t.Errorf("it has %d bytes", size)
	}
	c.tell(d, f.chainRecord(f.chain)) // now it is somebody's
	if got := w2.answerOf(c.send(d, peer.Deliver, f.deliver(f.segment(f.k, "it is me")))); got.Code == wire.AnswerRefused {
		t.Errorf("of somebody it is answered %+v", got)
	}
}

func TestALogOfNobodyIsShownWhenItsKeyComes(t *testing.T) {
	w, a, b := friends(t)
	f := newForger(a, a.room(b))
	start := f.chain
	for k := range uint64(3) {
		if got := w.answerOf(a.send(b, peer.Deliver, f.deliver(f.segment(k, fmt.Sprint(k))))); got.Code != wire.AnswerHave || got.Have.Opened != 0 {
			t.Fatalf("it is answered %+v", got)
		}
	}
	b.wants(a, "hello bob")
	a.tell(b, f.chainRecord(start))
	b.wants(a, "hello bob", "0", "1", "2")
}
