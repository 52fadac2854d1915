package app

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store/crashfs"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

func TestAMessageIsQueuedUntilItsReceiverHasStoredAndOpenedIt(t *testing.T) {
	w, a, b := friends(t)
	w.cut(a, b)
	a.say(b, "one")
	a.state(b, "one", Queued, ReasonOffline)
	w.link(a, b)
	w.after = func(c call) ([]byte, error) { // at no moment is it claimed before it is true
		if c.to == b && c.kind == peer.Deliver && a.message(b, "one").State != Queued {
			t.Error("delivered before the author had a receipt")
		}
		return c.reply, c.err
	}
	w.run()
	a.state(b, "one", Delivered, ReasonNone)
	if m := a.message(b, "one"); m.DeliveredTo != 1 || m.Of != 1 {
		t.Errorf("delivered to %d of %d", m.DeliveredTo, m.Of)
	}
}

func TestAMessageThatWaitsForItsKeyIsNotDelivered(t *testing.T) {
	w, a, b := friends(t)
	w.now = w.now.Add(time.Hour) // the next message begins a new chain
	again := w.swallow(a, peer.Control)
	stop := w.drop(b, peer.KeyReq)
	a.say(b, "one")
	w.run()
	b.wants(a, "hello bob")
	a.state(b, "one", Queued, ReasonKey)
	stop()
	again()
	w.pass(time.Minute)
	b.wants(a, "hello bob", "one")
	a.state(b, "one", Delivered, ReasonNone)
}

func TestAKeyThatIsLateIsAskedFor(t *testing.T) {
	w, a, b := friends(t)
	w.now = w.now.Add(time.Hour)
	w.swallow(a, peer.Control)
	a.say(b, "one")
	w.run()
	b.wants(a, "hello bob")
	w.pass(9 * time.Second)
	b.wants(a, "hello bob", "one")
	a.state(b, "one", Delivered, ReasonNone)
}

func TestReadIsSaidOnlyWhenBothSaySo(t *testing.T) {
	for _, row := range []struct {
		ann, bob bool
		want     Delivery
	}{{false, false, Delivered}, {true, false, Delivered}, {false, true, Delivered}, {true, true, Read}} {
		t.Run(fmt.Sprintf("author %v, reader %v", row.ann, row.bob), func(t *testing.T) {
			w, a, b := friends(t)
			w.must(a.svc.Owner.SetReadReceipts(t.Context(), row.ann))
			w.must(b.svc.Owner.SetReadReceipts(t.Context(), row.bob))
			w.run()
			a.say(b, "one")
			w.run()
			a.state(b, "one", Delivered, ReasonNone)
			w.must(b.svc.Rooms.MarkRead(t.Context(), b.room(a), b.message(a, "one").Key))
			w.pass(10 * time.Second)
			a.state(b, "one", row.want, ReasonNone)
			a.say(b, "two")
			w.pass(10 * time.Second)
			a.state(b, "two", Delivered, ReasonNone)
			for _, c := range w.calls {
				if c.from == b && c.kind == peer.Have && row.want != Read {
					haves, err := wire.ParseHaves(c.body)
					w.must(err)
					for _, h := range haves {
						if h.Read != 0 {
							t.Errorf("it was told that %d were read", h.Read)
						}
					}
				}
			}
			room, err := b.svc.Rooms.Room(t.Context(), b.room(a))
			w.must(err)
			if room.Unread != 1 {
				t.Errorf("%d unread, want 1", room.Unread)
			}
		})
	}
}

func TestEachReasonOfWaitingIsSaid(t *testing.T) {
	w, a, b := friends(t)
	a.say(b, "x")
	w.run()
	later := func(reason uint8) func(c call) ([]byte, error, bool) {
		return func(c call) ([]byte, error, bool) {
			if c.kind != peer.Deliver {
				return nil, nil, false
			}
			return wire.Answer{Code: wire.AnswerLater, Reason: reason}.Marshal(), nil, true
		}
	}
	for _, row := range []struct {
		why   Reason
		cause func()
		mend  func()
	}{
		{ReasonOffline, func() { w.cut(a, b) }, func() { w.link(a, b) }},
		{ReasonNetwork, func() {
			w.cut(a, b)
			a.svc.HandleFact(peer.Listening{})
		}, func() {
			a.svc.HandleFact(peer.Listening{Addresses: []string{"/ip4/10.0.0.2/tcp/1"}})
			w.link(a, b)
		}},
		{ReasonFull, func() { w.tap = later(wire.LaterDisk) }, func() { w.tap = nil }},
		{ReasonUnderWay, func() { w.tap = later(wire.LaterUnknown) }, func() { w.tap = nil }},
	} {
		row.cause()
		text := "waits for " + string(row.why)
		a.say(b, text)
		w.run()
		a.state(b, text, Queued, row.why)
		row.mend()
		w.pass(2 * time.Minute)
		a.state(b, text, Delivered, ReasonNone)
	}
	w.tap = func(c call) ([]byte, error, bool) {
		if c.kind != peer.Deliver {
			return nil, nil, false
		}
		return wire.Answer{Code: wire.AnswerRefused, Reason: wire.RefusedMalformed}.Marshal(), nil, true
	}
	a.say(b, "refused")
	w.run()
	w.tap = nil
	w.pass(time.Minute)
	a.state(b, "refused", Queued, ReasonRefused)
	w.must(a.svc.People.Block(t.Context(), b.id))
	a.state(b, "refused", Queued, ReasonBlocked)
}

func TestAReceiptLeavesOnlyAfterItsSegmentIsSynced(t *testing.T) {
	w, a, b := friends(t)
	const wal = "-wal"
	var events []crashfs.Event
	w.tap = func(c call) ([]byte, error, bool) {
		if c.to == b && c.kind == peer.Deliver {
			events = nil
		}
		return nil, nil, false
	}
	b.disk.Trace(func(e crashfs.Event) { events = append(events, e) })
	checked := 0
	w.after = func(c call) ([]byte, error) {
		if c.to != b || c.kind != peer.Deliver {
			return c.reply, c.err
		}
		written, synced := -1, -1
		for i, e := range events {
			if bytes.HasSuffix([]byte(e.Name), []byte(wal)) {
				switch e.Op {
				case crashfs.Write:
					written = i
				case crashfs.Sync:
					synced = i
				}
			}
		}
		if written < 0 || synced < written {
			t.Errorf("the receipt left after %v", events)
		}
		for _, name := range b.disk.Files() {
			if n := b.disk.Unsynced(name); bytes.HasSuffix([]byte(name), []byte(wal)) && n > 0 {
				t.Errorf("the receipt left with %d writes of %s not synced", n, name)
			}
		}
		checked++
		return c.reply, c.err
	}
	for i := range 5 {
		a.say(b, fmt.Sprint(i))
		w.run()
	}
	b.disk.Trace(nil)
	if checked < 5 {
		t.Fatalf("%d receipts were looked at", checked)
	}
}

func TestASegmentLeavesOnlyAfterItsAnchorIsSynced(t *testing.T) {
	w, a, b := friends(t)
	var events []crashfs.Event
	a.disk.Trace(func(e crashfs.Event) { events = append(events, e) })
	checked := false
	w.tap = func(c call) ([]byte, error, bool) {
		if c.from != a || c.kind != peer.Deliver || checked {
			return nil, nil, false
		}
		checked = true
		last := map[string]crashfs.Op{}
		for _, e := range events {
			last[e.Name[len(e.Name)-4:]] = e.Op
		}
		if last["-wal"] != crashfs.Sync || last[".cqv"] != crashfs.Sync {
			t.Errorf("a segment left after %v", events)
		}
		return nil, nil, false
	}
	a.say(b, "one")
	w.run()
	a.disk.Trace(nil)
	if !checked {
		t.Fatal("nothing left")
	}
}

func TestWhatWasDeliveredSurvivesTheReceiversPowerCut(t *testing.T) {
	w, a, b := friends(t)
	for i := range 10 {
		text := fmt.Sprintf("message %d", i)
		a.say(b, text)
		w.run()
		a.state(b, text, Delivered, ReasonNone)
		b.crash()
		b.start()
		if !slices.Contains(b.thread(a), text) {
			t.Errorf("%q was delivered, and is gone", text)
		}
		w.link(a, b)
		w.run()
	}
}

func TestAThousandMissedMessagesArriveInOrder(t *testing.T) {
	w, a, b := friends(t)
	w.cut(a, b)
	var drafts []Draft
	want := []string{"hello bob"}
	for i := range 1000 {
		text := fmt.Sprintf("message %d", i)
		drafts, want = append(drafts, Draft{Text: text}), append(want, text)
	}
	_, err := a.svc.Rooms.SendAll(t.Context(), a.room(b), drafts)
	w.must(err)
	st, err := a.svc.Owner.Status(t.Context())
	w.must(err)
	if st.Queued != 1000 {
		t.Errorf("%d queued", st.Queued)
	}
	w.link(a, b)
	w.run()
	b.wants(a, want...)
	a.state(b, "message 999", Delivered, ReasonNone)
	if st, err = a.svc.Owner.Status(t.Context()); err != nil || st.Queued != 0 {
		t.Errorf("%d queued, %v", st.Queued, err)
	}
}

func TestAFullDiskTakesNothingMoreAndKeepsWhatItTook(t *testing.T) {
	w, a, b := friends(t)
	a.say(b, "before")
	w.run()
	b.disk.SetFull(1)
	for i := range 3 {
		a.say(b, fmt.Sprintf("while full %d", i))
	}
	w.run()
	b.wants(a, "hello bob", "before")
	a.state(b, "while full 0", Queued, ReasonFull)
	if !b.noticed("disk_full") {
		t.Errorf("the receiver is told %v", b.notices())
	}
	if _, err := b.svc.Rooms.Send(t.Context(), b.room(a), Draft{Text: "no room"}); !errors.Is(err, ErrFull) {
		t.Errorf("writing to a full disk: %v", err)
	}
	b.disk.SetFull(0)
	w.pass(2 * time.Minute)
	want := []string{"hello bob", "before", "while full 0", "while full 1", "while full 2"}
	b.wants(a, want...)
	a.state(b, "while full 2", Delivered, ReasonNone)
	if b.noticed("disk_full") {
		t.Error("the disk is still said to be full")
	}
	b.say(a, "room again")
	w.run()
	a.wants(b, append(want, "room again")...)
}

func TestNothingLeavesBeforeTheAnchorOfASegmentIsWritten(t *testing.T) {
	w, a, b := friends(t)
	log := a.logsOf(b, true)[0]
	a.disk.FailSyncs(1, a.dir+"/anchor.cqv")
	a.say(b, "one")
	b.say(a, "two")
	before := len(w.calls)
	w.pass(10 * time.Second)
	for _, c := range w.calls[before:] {
		if c.from == a {
			t.Errorf("%v left", c.kind)
		}
		if c.to == a && c.reply != nil {
			t.Errorf("%v was answered", c.kind)
		}
	}
	fetch := wire.Fetch{Room: a.room(b), Log: log.ID, From: uint64(log.HeadK + 1), To: uint64(log.HeadK + 1)}
	keys := wire.KeyRequest{Keys: &wire.KeyReq{Log: log.ID, Ranges: []wire.Range{{First: uint64(log.Size), Count: 1}}}}
	for _, q := range []struct {
		kind peer.Kind
		body []byte
	}{
		{peer.Sync, wire.Sync{One: &wire.Sync1{}}.Marshal()},
		{peer.Sync, wire.Sync{Three: &wire.Sync3{Rooms: []wire.RoomState{{Room: a.room(b)}}}}.Marshal()},
		{peer.Fetch, fetch.Marshal()},
		{peer.KeyReq, keys.Marshal()},
		{peer.SelfInfo, nil},
		{peer.Have, wire.Haves{{Log: log.ID, HeadK: wire.NoHead}}.Marshal()},
	} {
		if reply, err := b.send(a, q.kind, q.body); !errors.Is(err, peer.ErrLater) || reply != nil {
			t.Errorf("%v meanwhile: %d bytes, %v", q.kind, len(reply), err)
		}
	}
	a.disk.FailSyncs(0)
	w.pass(5 * time.Second)
	a.state(b, "one", Delivered, ReasonNone)
	b.state(a, "two", Delivered, ReasonNone)
}
