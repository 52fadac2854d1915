package app

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/ratchet"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// crowded is a town of two contacts, and of eve, who makes trouble for bob.
func crowded(t *testing.T) (w *town, a, b, e *citizen) {
	t.Helper()
	w = newTown(t, "ann", "bob", "eve")
	a, b, e = w.all[0], w.all[1], w.all[2]
	w.befriend(a, b)
	return w, a, b, e
}

// undone runs fn in a transaction that comes to nothing.
func (p *citizen) undone(fn func(tx *store.Tx)) {
	p.town.t.Helper()
	stop := errors.New("undone")
	err := p.svc.st.Update(p.town.t.Context(), func(tx *store.Tx) error {
		fn(tx)
		return stop
	})
	if !errors.Is(err, stop) {
		p.town.t.Fatal(err)
	}
}

// logRow is what p's store calls a log.
func (p *citizen) logRow(id segment.ID) (row int64) {
	p.town.t.Helper()
	p.view(func(r *store.Reader) error {
		l, found, err := r.Log([32]byte(id))
		if row = l.Row; err == nil && !found {
			err = errors.New("no such log")
		}
		return err
	})
	return row
}

// queued seals messages of records for o on p's session, and keeps them from being sent.
func (p *citizen) queued(o *citizen, n int, record wire.Record) (msgs [][]byte) {
	p.town.t.Helper()
	d := p.deviceOf(o)
	p.update(func(tx *store.Tx) error {
		for range n {
			if err := p.svc.sessions.queue(tx, d, record); err != nil {
				return err
			}
		}
		return nil
	})
	p.view(func(r *store.Reader) error {
		due, err := r.DueControl(d.Row, 1<<60, n)
		for _, c := range due {
			msgs = append(msgs, c.Bytes)
		}
		return err
	})
	if len(msgs) != n {
		p.town.t.Fatalf("%d messages of %d are queued", len(msgs), n)
	}
	return msgs
}

// parked counts the messages that p keeps for later, and their bytes.
func (p *citizen) parked(sid []byte, from, n int64) (count int, size int) {
	p.town.t.Helper()
	p.view(func(r *store.Reader) error {
		for i := from; i < from+n; i++ {
			raw, err := r.ParkedControl(sid, i)
			if err != nil {
				return err
			}
			if raw != nil {
				count, size = count+1, size+len(raw)
			}
		}
		return nil
	})
	return count, size
}

func TestMessagesOfASessionThatComeEarlyAreKeptWithinBounds(t *testing.T) {
	gate := wire.Gate{Secret: [32]byte{1}}
	for _, row := range []struct {
		name   string
		n      int
		record func(p *citizen) wire.Record
	}{
		{"many", 300, func(*citizen) wire.Record { return wire.Record{Kind: wire.RecordGate, Body: gate.Marshal()} }},
		{"large", 140, func(p *citizen) wire.Record { return cardRecord(p.svc.me) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			w, a, b, _ := crowded(t)
			stop := w.drop(a, peer.Control)
			msgs := a.queued(b, row.n, row.record(a))
			head, err := ratchet.ParseHead(msgs[0])
			w.must(err)
			for _, msg := range msgs[1:] {
				reply, err := a.send(b, peer.Control, msg)
				w.must(err)
				if receipt, err := ratchet.ParseReceipt(reply); err != nil || receipt.NR != head.I {
					t.Fatalf("a message ahead of its turn is answered %x, %v", reply, err)
				}
			}
			count, size := b.parked(head.SID[:], int64(head.I), int64(row.n))
			if count == 0 || count > 256 || size > 1<<20 || count == row.n-1 {
				t.Errorf("%d messages of %d are kept, %d bytes", count, row.n-1, size)
			}
			if n := b.refused("ctl_parked"); n != uint64(row.n-1-count) {
				t.Errorf("%d are counted, %d came and %d are kept", n, row.n-1, count)
			}
			stop()
			w.pass(time.Minute)
			if left, _ := b.parked(head.SID[:], 0, int64(head.I)+int64(row.n)); left != 0 {
				t.Errorf("%d are kept for ever", left)
			}
			if state, err := ratchet.Parse(b.sessionsWith(a)[0].State); err != nil || state.Received() < head.I+uint64(row.n) {
				t.Errorf("%d of %d were opened in the end, %v", state.Received(), head.I+uint64(row.n), err)
			}
			w.converse(a, b, "one")
		})
	}
}

func TestKeysThatComeBeforeTheirEntriesAreKeptWithinBounds(t *testing.T) {
	w, a, b, _ := crowded(t)
	log := a.logsOf(b, true)[0]
	row := b.logRow(log.ID)
	for part := range 3 {
		keys := wire.Keys{Log: log.ID}
		for i := range wire.MaxKeys {
			keys.Keys = append(keys.Keys, wire.IndexedKey{Index: uint64(1000 + part*wire.MaxKeys + i), PRK: [32]byte{1}})
		}
		a.tell(b, wire.Record{Kind: wire.RecordKeys, Body: keys.Marshal()})
	}
	kept := 0
	b.undone(func(tx *store.Tx) {
		for i := range int64(3 * wire.MaxKeys) {
			if _, found, err := tx.TakeKey(row, 1000+i); err == nil && found {
				kept++
			}
		}
	})
	if kept != 2048 {
		t.Errorf("%d keys are kept, want 2048", kept)
	}
	w.converse(a, b, "one")
}

func TestKeysThatAChainPassesOverAreKeptWhileTheGapIsOpen(t *testing.T) {
	w, a, b, _ := crowded(t)
	f := forgerOf(a, a.room(b))
	first := f.chain.Next
	var all []*segment.Segment
	want := b.thread(a)
	for f.chain.Next < group.ChainLength {
		var texts []string
		for range min(50, int(group.ChainLength-f.chain.Next)) {
			texts = append(texts, fmt.Sprintf("message %d", len(want)))
			want = append(want, texts[len(texts)-1])
		}
		all = append(all, f.segment(f.k, texts...))
	}
	row := b.logRow(f.log)
	gap := func() (n int) {
		b.view(func(r *store.Reader) error {
			for i := range uint32(group.ChainLength + 10) {
				mk, err := r.GapKey(row, f.chain.Generation, i)
				if err != nil {
					return err
				}
				if mk != nil {
					n++
				}
			}
			return nil
		})
		return n
	}
	last := all[len(all)-1]
	if got := w.answerOf(a.send(b, peer.Deliver, f.deliver(last))); got.Code != wire.AnswerHave {
		t.Fatalf("the last is answered %+v", got)
	}
	if n, want := gap(), group.ChainLength-int(first)-int(last.Header.Count); n != want || n >= 256 {
		t.Errorf("%d keys are kept for the gap, want %d", n, want)
	}
	for _, s := range all[:len(all)-1] {
		if got := w.answerOf(a.send(b, peer.Deliver, f.deliver(s))); got.Code != wire.AnswerHave {
			t.Fatalf("what closes the gap is answered %+v", got)
		}
	}
	if n := gap(); n != 0 {
		t.Errorf("%d keys are left when the gap is closed", n)
	}
	b.wants(a, want...)
}

func TestLogsThatSomebodyOnlyNamesAreBounded(t *testing.T) {
	w, a, b, e := crowded(t)
	w.befriend(e, b)
	room := e.room(b)
	state := wire.RoomState{Room: room}
	for i := range 300 {
		state.Haves = append(state.Haves, wire.Have{Log: segment.ID{0xee, byte(i), byte(i >> 8)}, Stored: 1, HeadK: 7, HeadDigest: [32]byte{1}})
	}
	body := wire.Sync{Three: &wire.Sync3{Rooms: []wire.RoomState{state}}}.Marshal()
	before := len(w.calls)
	for range 12 { // an hour
		_, err := e.send(b, peer.Sync, body)
		w.must(err)
		w.leap(5 * time.Minute)
	}
	var n int
	b.view(func(r *store.Reader) error {
		row, _, err := r.Room(room)
		if err != nil {
			return err
		}
		logs, err := r.Undecided(row.Row)
		n = len(logs)
		return err
	})
	if n != undecidedLogs {
		t.Errorf("%d logs are kept of which nothing is known", n)
	}
	asked := 0
	for _, c := range w.calls[before:] {
		if c.from == b && c.kind == peer.Fetch {
			asked++
		}
	}
	if asked > 12*undecidedLogs {
		t.Errorf("they are asked for %d times", asked)
	}
	w.converse(a, b, "one")
	w.converse(e, b, "two")
}

func TestADamagedFileIsToldOnce(t *testing.T) {
	_, a, _ := friends(t)
	for range 2 {
		a.svc.try("keeping the store", fmt.Errorf("checked: %w", &DamagedError{File: "data.db"}))
	}
	st, err := a.svc.Owner.Status(t.Context())
	if err != nil || len(st.Notices) != 1 || st.Notices[0].Code != "damaged" || st.Notices[0].Subject != "data.db" {
		t.Errorf("notices %+v, %v", st.Notices, err)
	}
	a.svc.Owner.Dismiss("damaged", "data.db")
	if a.noticed("damaged") {
		t.Error("it stays when it was understood")
	}
}
