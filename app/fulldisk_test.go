package app

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// used is how much is on somebody's disk.
func (p *citizen) used() (n int64) {
	for _, name := range p.disk.Files() {
		n += int64(len(p.disk.Bytes(name)))
	}
	return n
}

// tight lets somebody's disk grow by so much from now on.
func (p *citizen) tight(room int64) { p.disk.SetFull(max(1, p.used()+room)) }

func TestWhatDoesNotFitOnTheDiskIsNotSaidAndLeavesNothing(t *testing.T) {
	for _, linked := range []bool{true, false} {
		t.Run(fmt.Sprintf("linked %v", linked), func(t *testing.T) {
			w, a, b := friends(t)
			if !linked {
				w.cut(a, b)
			}
			said := []string{"hello bob"}
			failed := 0
			for i := range 24 { // the disk is full at ever other moments of a transaction
				text := fmt.Sprintf("message %d", i)
				a.tight(int64(i%12) * 9000)
				id, err := a.svc.Rooms.Send(t.Context(), a.room(b), Draft{Text: text})
				switch {
				case err == nil:
					said = append(said, text)
				case errors.Is(err, ErrFull):
					failed++
					if id != (MessageID{}) {
						t.Errorf("%q failed and has a name", text)
					}
				default:
					t.Fatalf("%q: %v", text, err)
				}
				if full := a.noticed("disk_full"); full != (err != nil) {
					t.Errorf("after %v it is told that the disk is full: %v", err, full)
				}
				a.wants(b, said...)
				if i%5 == 4 {
					w.run()
				}
			}
			if failed == 0 || len(said) < 2 {
				t.Fatalf("%d failed, %d were stored: the test shows nothing", failed, len(said))
			}
			a.disk.SetFull(0)
			w.link(a, b)
			w.leap(time.Minute)
			w.leap(time.Minute)
			a.say(b, "at last")
			w.run()
			b.wants(a, append(said, "at last")...)
			a.state(b, said[len(said)-1], Delivered, ReasonNone)
			if a.noticed("disk_full") {
				t.Error("the disk is still said to be full")
			}
			if st, err := a.svc.Owner.Status(t.Context()); err != nil || st.Queued != 0 {
				t.Errorf("%d queued, %v", st.Queued, err)
			}
		})
	}
}

func TestWhatDidNotFitIsForgottenByARestartToo(t *testing.T) {
	w, a, b := friends(t)
	a.tight(0)
	for range 3 {
		if _, err := a.svc.Rooms.Send(t.Context(), a.room(b), Draft{Text: "no room"}); !errors.Is(err, ErrFull) {
			t.Fatalf("writing to a full disk: %v", err)
		}
	}
	a.crash()
	a.start() // on the full disk
	a.wants(b, "hello bob")
	if a.noticed("rolled_back") {
		t.Error("a full disk is taken for one that was put back")
	}
	a.disk.SetFull(0)
	w.link(a, b)
	a.say(b, "one")
	w.leap(time.Minute)
	b.wants(a, "hello bob", "one")
	if b.noticed("forked") || b.noticed("peer_copied") {
		t.Errorf("bob is told %v", b.notices())
	}
}

func TestAReceiverWhoseDiskFillsUpConfirmsWhatItKeepsAndNothingElse(t *testing.T) {
	w, a, b := friends(t)
	want := []string{"hello bob"}
	later := 0
	w.after = func(c call) ([]byte, error) {
		if c.to == b && c.kind == peer.Deliver && c.err == nil {
			answer, err := wire.ParseAnswer(c.reply)
			w.must(err)
			if answer.Code == wire.AnswerLater && answer.Reason == wire.LaterDisk {
				later++
			}
		}
		return c.reply, c.err
	}
	for i := range 24 {
		text := fmt.Sprintf("message %d", i)
		want = append(want, text)
		a.say(b, text)
		b.tight(int64(i%12) * 9000)
		w.run()
		here := b.thread(a)
		for _, m := range a.messages(b) {
			if m.State == Delivered && !slices.Contains(here, m.Text) {
				t.Errorf("%q is said to be delivered, and is not here", m.Text)
			}
		}
		if !slices.Equal(here, want[:len(here)]) {
			t.Errorf("bob sees %q", here)
		}
		if i%3 == 2 {
			w.leap(40 * time.Second) // it is tried again
		}
	}
	if later == 0 || !b.noticed("disk_full") && len(b.thread(a)) < len(want) {
		t.Errorf("%d times later; bob is told %v", later, b.notices())
	}
	b.disk.SetFull(0)
	w.leap(time.Minute)
	w.leap(time.Minute)
	a.say(b, "at last")
	w.leap(time.Minute)
	b.wants(a, append(want, "at last")...)
	a.state(b, "message 23", Delivered, ReasonNone)
	if b.noticed("disk_full") {
		t.Error("the disk is still said to be full")
	}
}

func TestAReceiverWhosePowerGoesOnAFullDiskKeepsWhatItConfirmed(t *testing.T) {
	w, a, b := friends(t)
	a.say(b, "one")
	w.run()
	b.tight(0)
	a.say(b, "two")
	w.run()
	b.crash()
	b.start()
	b.wants(a, "hello bob", "one")
	b.disk.SetFull(0)
	w.link(a, b)
	w.leap(time.Minute)
	w.leap(time.Minute)
	b.wants(a, "hello bob", "one", "two")
	a.state(b, "two", Delivered, ReasonNone)
}

func TestARequestIsNotHalfAcceptedOnAFullDisk(t *testing.T) {
	for room := int64(0); room <= 500_000; room += 50_000 { // it takes several transactions: each of them may be the one that fails
		w := newTown(t, "ann", "bob")
		a, b := w.all[0], w.all[1]
		a.ask(b, "hello bob")
		w.link(a, b)
		w.run()
		b.tight(room)
		_, err := b.svc.People.Accept(t.Context(), a.id)
		if err != nil && !errors.Is(err, ErrFull) {
			t.Fatalf("with room for %d: %v", room, err)
		}
		fits := err == nil
		w.run()
		c, found := b.svc.People.Contact(t.Context(), a.id)
		if w.must(found); err == nil && c.State != Accepted {
			t.Errorf("with room for %d it was accepted, and is %q", room, c.State)
		}
		b.disk.SetFull(0)
		if c.State == Pending {
			b.accept(a)
		}
		w.leap(11 * time.Minute) // what was cut off in the middle is gone on with by itself
		w.leap(time.Minute)
		b.wants(a, "hello bob")
		a.state(b, "hello bob", Delivered, ReasonNone)
		if c, err = a.svc.People.Contact(t.Context(), b.id); err != nil || c.State != Accepted {
			t.Errorf("with room for %d, after it was accepted, ann sees %q, %v", room, c.State, err)
		}
		b.say(a, "hello ann")
		w.run()
		a.wants(b, "hello bob", "hello ann")
		if fits {
			return
		}
	}
	t.Error("it never fits: the test shows nothing")
}
