package app

import (
	"errors"
	"testing"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func TestStatusOfAStoreThatEndsIsAnError(t *testing.T) {
	w := newTown(t, "ann")
	a := w.all[0]
	a.svc.count("something")
	w.must(a.svc.st.Close())
	if _, err := a.svc.Owner.Status(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Status = %v, want %v", err, store.ErrClosed)
	}
}

// Two profiles of a machine without a network see each other all the same.
func TestWhoIsNearbyIsNotOutOfReach(t *testing.T) {
	w := newTown(t, "ann")
	a := w.all[0]
	online := func() bool {
		st, err := a.svc.Owner.Status(t.Context())
		w.must(err)
		return st.Online
	}
	a.svc.HandleFact(peer.Listening{Addresses: []string{"/ip4/127.0.0.1/tcp/1"}})
	if online() {
		t.Error("with a loopback alone there is a network")
	}
	a.svc.HandleFact(peer.Found{Peer: identity.PeerID{1}, Account: identity.AccountID{1}, Name: "Tove"})
	if !online() {
		t.Error("somebody is nearby, and nobody is within reach")
	}
}

func TestReadReceiptsAreSwitchedAndToldTogether(t *testing.T) {
	whole := false
	for room := int64(0); !whole && room < 1_000_000; room += 7000 { // the disk is full at ever other moments
		w, a, b := friends(t)
		a.tight(room)
		err := a.svc.Owner.SetReadReceipts(t.Context(), true)
		if err != nil && !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
		whole = err == nil
		if on := a.svc.me.saysRead(); on != whole {
			t.Errorf("after %v they are on: %v", err, on)
		}
		a.disk.SetFull(0)
		w.must(a.svc.Owner.SetReadReceipts(t.Context(), true))
		w.run()
		if flags := b.deviceOf(a).Flags; flags&cardReadReceipts == 0 {
			t.Errorf("with room for %d (%v) bob knows of flags %d", room, err, flags)
		}
		a.svc.me.setReceipts(false)
	}
	if !whole {
		t.Error("it never fits: the test shows nothing")
	}
}
