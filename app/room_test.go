package app

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func TestMessagesFlowAgainWithinSecondsAfterThereIsRoom(t *testing.T) {
	w, a, b := friends(t)
	b.disk.SetFull(1)
	for i := range 40 {
		a.say(b, string(rune('a'+i%26)))
	}
	w.pass(5 * time.Minute) // however long it lasted
	if !b.noticed("disk_full") {
		t.Errorf("bob is told %v", b.notices())
	}
	a.state(b, "b", Queued, ReasonFull)
	asked := len(w.calls)
	w.pass(time.Minute)
	if asked = len(w.calls) - asked; asked > 120 {
		t.Errorf("a full disk was asked %d times in a minute", asked)
	}
	b.disk.SetFull(0)
	w.pass(5 * time.Second)
	if n := len(b.thread(a)); n != 41 {
		t.Errorf("5 s after there is room %d of 41 messages are here", n)
	}
	if b.noticed("disk_full") {
		t.Error("the disk is still said to be full")
	}
}

func TestAFullDiskIsToldWhateverFindsIt(t *testing.T) {
	for _, row := range []struct {
		name string
		do   func(w *town, a, b *citizen)
	}{
		{"a setting", func(_ *town, a, _ *citizen) { _ = a.svc.Owner.SetSetting(t.Context(), "x", "y") }},
		{"a receipt", func(w *town, a, b *citizen) { b.say(a, "one"); w.run() }},
		{"a comparison", func(_ *town, a, b *citizen) { _ = a.svc.People.Compared(t.Context(), b.id) }},
		{"an invitation", func(_ *town, a, _ *citizen) { _, _, _ = a.svc.People.Invite(t.Context(), time.Hour) }},
		{"what the network told", func(w *town, a, _ *citizen) { a.svc.HandleFact(peer.PortChosen{Port: 4242}); w.run() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, a, b := friends(t)
			a.disk.SetFull(1)
			row.do(w, a, b)
			if !a.noticed("disk_full") {
				t.Errorf("ann is told %v", a.notices())
			}
			a.disk.SetFull(0)
			w.pass(5 * time.Second) // and nobody writes anything
			if a.noticed("disk_full") {
				t.Error("the disk is still said to be full")
			}
		})
	}
}

func TestWhatTheNetworkToldIsWrittenDownWhenThereIsRoom(t *testing.T) {
	w, a, _ := friends(t)
	a.disk.SetFull(1)
	a.svc.HandleFact(peer.PortChosen{Port: 4242})
	w.pass(10 * time.Second)
	a.disk.SetFull(0)
	w.pass(5 * time.Second)
	a.view(func(r *store.Reader) error {
		if port, err := r.Number("port"); err != nil || port != 4242 {
			t.Errorf("the port is %d, %v", port, err)
		}
		return nil
	})
}

func TestACourierRestsShortlyWhereRoomMayComeBack(t *testing.T) {
	for _, row := range []struct {
		err  error
		want time.Duration
	}{
		{store.ErrFull, 3 * time.Second},
		{peer.ErrLater, 3 * time.Second},
		{errUnanchored, 3 * time.Second},
		{peer.ErrUnreachable, 30 * time.Second},
		{context.DeadlineExceeded, 30 * time.Second},
	} {
		if got := restOf(errors.Join(errors.New("serving"), row.err), 30*time.Second); got != row.want {
			t.Errorf("after %v it rests %v, want %v", row.err, got, row.want)
		}
	}
	if got := restOf(peer.ErrLater, time.Second); got != time.Second {
		t.Errorf("a short rest became %v", got)
	}
}
