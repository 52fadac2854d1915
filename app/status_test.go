package app

import (
	"errors"
	"testing"

	"github.com/cryptexq/cryptexq/app/store"
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
