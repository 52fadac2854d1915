package app

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// bodies are the DELIVER frames of p's log in the room with o, as p would send them.
func (p *citizen) bodies(o *citizen) (all [][]byte) {
	p.town.t.Helper()
	room := p.room(o)
	logs := p.logsOf(o, true)
	l := logs[len(logs)-1]
	p.view(func(r *store.Reader) error {
		segments, err := r.Segments(l.Row, 0, 1000)
		for _, s := range segments {
			body, err := bodyOf(r, l, s)
			if err != nil {
				return err
			}
			all = append(all, wire.Deliver{Room: room, Segment: body}.Marshal())
		}
		return err
	})
	return all
}

// asked counts the frames of a kind that p sent to o.
func (w *town) asked(p, o *citizen, k peer.Kind) (n int) {
	for _, c := range w.calls {
		if c.from == p && c.to == o && c.kind == k {
			n++
		}
	}
	return n
}

// behind has b know of messages of a's that it does not have: the first comes, and the newest.
func behind(t *testing.T, size, n int) (w *town, a, b *citizen, want []string) {
	t.Helper()
	w, a, b = friends(t)
	w.cut(a, b)
	want = []string{"hello bob"}
	for i := range n {
		text := fmt.Sprintf("%d %s", i, bytes.Repeat([]byte{'x'}, size))
		a.say(b, text)
		want = append(want, text)
	}
	bodies := a.bodies(b)
	w.answerOf(a.send(b, peer.Deliver, bodies[len(bodies)-1]))
	w.now = w.now.Add(holdBack * time.Millisecond)
	b.wants(a, "hello bob", want[n])
	w.swallow(a, peer.Deliver) // ann says no more of it by herself
	w.drop(a, peer.Deliver)
	return w, a, b, want
}

func TestALongGapIsFetchedInManyReplies(t *testing.T) {
	w, a, b, want := behind(t, 9000, 40)
	gaps, err := b.svc.Rooms.Gaps(t.Context(), b.room(a))
	if err != nil || len(gaps) != 1 || gaps[0].Missing != 39 || gaps[0].Asking != 0 {
		t.Errorf("without a link the gaps are %+v, %v", gaps, err)
	}
	b.off()
	b.start() // it is not forgotten
	w.link(a, b)
	left := 39
	w.after = func(c call) ([]byte, error) {
		if c.kind == peer.Fetch && len(c.reply) > wire.MaxBody {
			t.Errorf("a reply has %d bytes", len(c.reply))
		}
		if gaps, err := b.svc.Rooms.Gaps(t.Context(), b.room(a)); err == nil && len(gaps) == 1 {
			if gaps[0].Missing > left || gaps[0].Asking != 1 {
				t.Errorf("the gap grows: %+v, it was %d", gaps[0], left)
			}
			left = gaps[0].Missing
		}
		return c.reply, c.err
	}
	w.pass(30 * time.Second)
	if n := w.asked(b, a, peer.Fetch); n < 4 || n > 12 {
		t.Errorf("%d requests", n)
	}
	b.wants(a, want...)
	if gaps, err = b.svc.Rooms.Gaps(t.Context(), b.room(a)); err != nil || len(gaps) != 0 {
		t.Errorf("the gap is closed, and shown: %+v, %v", gaps, err)
	}
}

func TestALieInPlaceOfWhatIsFetchedChangesNothing(t *testing.T) {
	w, a, b, want := behind(t, 100, 6)
	other := w.settle("eve")
	w.befriend(other, b)
	foreign := w.sent(other, b, peer.Deliver)[0]
	lies := []struct {
		name string
		tell func(f *wire.Fetched)
	}{
		{"nothing", func(f *wire.Fetched) { *f = wire.Fetched{} }},
		{"fewer at the front", func(f *wire.Fetched) { f.Segments = f.Segments[1:] }},
		{"one left out", func(f *wire.Fetched) { f.Segments = append(f.Segments[:1], f.Segments[2:]...) }},
		{"an entry changed", func(f *wire.Fetched) { e := f.Segments[1].Entries[0]; e[len(e)-1] ^= 1 }},
		{"deps changed", func(f *wire.Fetched) { f.Segments[0].Deps = append([]byte{1}, make([]byte, 73)...) }},
		{"a header changed", func(f *wire.Fetched) { f.Segments[1].Header[segment.HeaderSize-1] ^= 1 }},
		{"a false signature", func(f *wire.Fetched) { f.Signature[7] ^= 1 }},
		{"the proof cut", func(f *wire.Fetched) { f.Inclusion = nil }},
		{"somebody else's", func(f *wire.Fetched) {
			d, err := wire.ParseDeliver(foreign)
			w.must(err)
			s, err := segment.Parse(d.Segment)
			w.must(err)
			*f = wire.Fetched{Header: s.RawHeader, Signature: s.Signature, Key: s.Key, Segments: []wire.FetchedSegment{{Header: s.RawHeader, Deps: s.RawDeps, Entries: s.Entries}}}
		}},
	}
	w.link(a, b)
	for _, lie := range lies {
		told := false
		w.after = func(c call) ([]byte, error) {
			if c.kind != peer.Fetch || c.from != b || c.err != nil {
				return c.reply, c.err
			}
			f, err := wire.ParseFetched(bytes.Clone(c.reply))
			w.must(err)
			if len(f.Segments) < 3 {
				return c.reply, nil
			}
			lie.tell(&f)
			told = true
			return f.Marshal(), nil
		}
		w.leap((fullPause + gapPause) * time.Millisecond)
		if got := b.thread(a); !told || len(got) != 2 {
			t.Fatalf("%s: told %v; bob sees %.100q", lie.name, told, got)
		}
		if b.noticed("forked") || b.noticed("copied") {
			t.Fatalf("%s: bob is told %v", lie.name, b.notices())
		}
	}
	if n := b.refused("fetched"); int(n) != len(lies)-1 { // of nothing, nothing is wrong
		t.Errorf("%d lies are counted of %d", n, len(lies))
	}
	w.after = nil
	w.leap(5 * time.Minute) // what is not there after all is asked for again when it is named again
	w.leap(fullPause * time.Millisecond)
	b.wants(a, want...)
}

func TestGarbageInPlaceOfWhatIsAskedForIsAskedForAgainLater(t *testing.T) {
	for _, k := range []peer.Kind{peer.Fetch, peer.KeyReq, peer.Sync, peer.SelfInfo, peer.Deliver, peer.Control, peer.Have} {
		t.Run(k.String(), func(t *testing.T) {
			w, a, b := friends(t)
			n := 0
			w.after = func(c call) ([]byte, error) {
				if c.kind != k {
					return c.reply, c.err
				}
				if n++; n > 40 {
					t.Errorf("%v is asked for %d times", k, n)
					return nil, peer.ErrUnreachable
				}
				return []byte{byte(n), 0xff}, nil
			}
			w.cut(a, b)
			w.now = w.now.Add(time.Hour)
			a.say(b, "one")
			w.link(a, b)
			w.leap(time.Second)
			w.after = nil
			w.cut(a, b)
			w.link(a, b)
			w.pass(2 * time.Minute)
			b.say(a, "two")
			w.run()
			a.wants(b, "hello bob", "one", "two")
			b.wants(a, "hello bob", "one", "two")
		})
	}
}

func TestSegmentsThatOurOwnStoreLostComeBack(t *testing.T) {
	w, a, b := friends(t)
	old := b.halt()
	b.start()
	w.link(a, b)
	want := []string{"hello bob"}
	for i := range 30 {
		text := fmt.Sprint(i)
		a.say(b, text)
		w.now = w.now.Add(time.Minute)
		w.run()
		want = append(want, text)
	}
	a.state(b, "29", Delivered, ReasonNone)
	w.pass(11 * time.Minute) // and ann keeps no more signatures than she needs
	w.must(a.svc.keep(t.Context()))
	b.putBackAll(old)
	b.wants(a, "hello bob")
	before := w.asked(b, a, peer.Fetch)
	w.link(a, b)
	w.pass(2 * time.Minute)
	b.wants(a, want...)
	if w.asked(b, a, peer.Fetch) == before {
		t.Error("nothing was fetched: the test shows nothing")
	}
	a.state(b, "29", Delivered, ReasonNone)
	w.converse(a, b, "after it")
}

func TestWhoPutsEverythingOffForEverHoldsNobodyElseUp(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer func(c call) ([]byte, error)
	}{
		{"later", func(c call) ([]byte, error) {
			if c.kind == peer.Deliver {
				return wire.Answer{Code: wire.AnswerLater, Reason: wire.LaterQuota}.Marshal(), nil
			}
			return nil, peer.ErrLater
		}},
		{"an unknown reason", func(c call) ([]byte, error) { return wire.Answer{Code: wire.AnswerLater, Reason: 200}.Marshal(), nil }},
		{"never", func(call) ([]byte, error) { return nil, peer.ErrLater }},
		{"refused", func(call) ([]byte, error) { return nil, &peer.RefusedError{Cause: "whim"} }},
		{"unreachable", func(call) ([]byte, error) { return nil, peer.ErrUnreachable }},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, a, b, e := crowded(t)
			w.befriend(e, b)
			n := 0
			w.tap = func(c call) ([]byte, error, bool) {
				if c.to != e {
					return nil, nil, false
				}
				n++
				reply, err := row.answer(c)
				return reply, err, true
			}
			b.say(e, "are you there")
			for i := range 5 {
				text := fmt.Sprint(i)
				a.say(b, text)
				b.say(a, "heard "+text)
				w.leap(10 * time.Second)
				a.state(b, text, Delivered, ReasonNone)
				b.state(a, "heard "+text, Delivered, ReasonNone)
			}
			if n == 0 || n > 200 {
				t.Errorf("eve was asked %d times in a minute", n)
			}
			if m := b.message(e, "are you there"); m.State != Queued || m.Waiting == ReasonNone {
				t.Errorf("what eve does not take is %v, waiting for %q", m.State, m.Waiting)
			}
			w.tap = nil
			w.leap(2 * time.Minute)
			w.leap(time.Minute)
			w.leap(5 * time.Minute)
			b.state(e, "are you there", Delivered, ReasonNone)
		})
	}
}
