package app

import (
	"errors"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// opener opens stored entries as their keys come, in the order of their chain, and hands each to its kind.
type opener struct {
	*core
	dir    *directory
	joined func(tx *store.Tx, room store.Room, author store.Device) error // their `open` came
}

// openBatch bounds what one transaction opens; the rest follows with the next key or segment.
const openBatch = 512

// round is one opening of what is closed in a log. It remembers what all its entries share, and writes that once: a burst
// brings 64 entries of one segment and one chain at a time.
type round struct {
	room   store.Room
	log    store.Log
	author store.Device
	early  bool                    // keys came before their entries
	chains map[uint32]*store.Chain // by generation, moved here and saved at the end; nil where there is none
	k      int64                   // of seg and head, -1 before the first
	seg    store.Segment
	head   *segment.Header
	shown  int
	sort   int64 // the highest that was shown
}

func newRound(room store.Room, l store.Log, author store.Device) *round {
	return &round{room: room, log: l, author: author, chains: map[uint32]*store.Chain{}, k: -1}
}

// open opens every entry of a log that it has a key for, and moves opened.
func (o *opener) open(tx *store.Tx, room store.Room, l store.Log) (store.Log, error) {
	author, found, err := tx.DeviceRow(l.Device)
	if err != nil || !found {
		return l, err
	}
	closed, err := tx.ClosedEntries(l.Row, l.Opened, openBatch)
	if err != nil {
		return l, err
	}
	w := newRound(room, l, author)
	if w.early, err = tx.HasEarlyKeys(l.Row); err != nil {
		return l, err
	}
	for _, e := range closed {
		ok, err := o.one(tx, w, e)
		if err != nil {
			return l, err
		}
		if !ok && e.Index >= l.Stored {
			break // beyond a gap, and without a key: what follows has none either
		}
	}
	if err := w.save(tx); err != nil {
		return l, err
	}
	return o.move(tx, l)
}

// save writes what the entries of a round share.
func (w *round) save(tx *store.Tx) error {
	for _, c := range w.chains {
		if c == nil {
			continue
		}
		if err := tx.SaveChain(*c); err != nil {
			return err
		}
	}
	if w.shown == 0 {
		return nil
	}
	return tx.NoteMessage(w.room.Row, w.sort, w.shown)
}

// header is the segment that holds an entry, and what its header says.
func (w *round) header(tx *store.Tx, k int64) (store.Segment, *segment.Header, error) {
	if w.k == k {
		return w.seg, w.head, nil
	}
	s, _, err := tx.Segment(w.log.Row, k)
	if err != nil {
		return s, nil, err
	}
	h, err := segment.ParseHeader(s.Header)
	if err == nil {
		w.k, w.seg, w.head = k, s, h
	}
	return s, h, err
}

// move sets opened to the first entry, of those without a gap, that is still closed.
func (o *opener) move(tx *store.Tx, l store.Log) (store.Log, error) {
	first, err := tx.FirstClosed(l.Row, l.Opened, l.Stored)
	if err != nil || first == l.Opened {
		return l, err
	}
	l.Opened = first
	tx.OnCommit(func() { o.hub.tell(Change{Kind: ChangedStatus}) })
	if err := o.forget(tx, l); err != nil {
		return l, err
	}
	return l, tx.SetOpened(l.Row, first)
}

// forget erases the chains of generations of which everything is opened: what is opened without a gap is of a later one.
// A later chain alone says nothing: it may come before the last entries of the one before it.
func (o *opener) forget(tx *store.Tx, l store.Log) error {
	n, err := tx.CountChains(l.Row)
	if err != nil || n < 2 || l.Opened == 0 {
		return err
	}
	last, err := tx.Entries(l.Row, l.Opened-1, l.Opened)
	if err != nil || len(last) == 0 || last[0].Raw == nil {
		return err
	}
	e, err := group.ParseEntry(last[0].Raw)
	if err != nil {
		return nil // a grey one: its chain goes with the next
	}
	return tx.DropChains(l.Row, e.Generation)
}

// one opens an entry if its key is here.
func (o *opener) one(tx *store.Tx, w *round, e store.Entry) (bool, error) {
	parsed, err := group.ParseEntry(e.Raw)
	if err != nil {
		return false, o.grey(tx, e, "entry_malformed")
	}
	if w.early {
		if prk, found, err := tx.TakeKey(w.log.Row, e.Index); err != nil {
			return false, err
		} else if found {
			if ok, err := o.withKey(tx, w, e, prk); err != nil || ok {
				return ok, err
			}
		}
	}
	mk, found, kept, err := o.key(tx, w, parsed)
	if err != nil || !found {
		return false, err
	}
	plain, prk, err := group.Open(mk, w.room.ID, w.log.ID, parsed)
	if err != nil {
		return true, o.grey(tx, e, "entry_open")
	}
	if kept {
		if err := tx.DropGapKey(w.log.Row, parsed.Generation, parsed.Index); err != nil {
			return false, err
		}
	}
	return true, o.accept(tx, w, e, plain, prk)
}

// grey keeps an entry that is not what its chain says: it stays closed to everybody, and blocks nothing.
func (o *opener) grey(tx *store.Tx, e store.Entry, cause string) error {
	return errors.Join(tx.OpenEntry(e.Row, nil, store.EntryGrey), o.count(tx, cause))
}

// key takes the key of an entry from its chain; what the chain passes over on the way is kept while it is missing. kept says
// that it was among those.
func (o *opener) key(tx *store.Tx, w *round, e *group.Entry) (mk group.MessageKey, found, kept bool, err error) {
	c, known := w.chains[e.Generation]
	if !known {
		read, found, err := tx.Chain(w.log.Row, e.Generation)
		if err != nil {
			return mk, false, false, err
		}
		if found {
			c = &read
		}
		w.chains[e.Generation] = c
	}
	if c == nil {
		return mk, false, false, nil
	}
	if e.Index < c.Next {
		raw, err := tx.GapKey(w.log.Row, e.Generation, e.Index)
		if err != nil || raw == nil {
			return mk, false, false, err
		}
		return group.MessageKey{Generation: e.Generation, Index: e.Index, Key: [32]byte(raw)}, true, true, nil
	}
	next, passed, mk, err := group.Chain{Generation: c.Generation, Next: c.Next, Key: c.Key}.To(e.Index)
	if err != nil {
		return mk, false, false, nil // an index that no chain has
	}
	for _, p := range passed {
		if err := tx.AddGapKey(w.log.Row, p.Generation, p.Index, p.Key); err != nil {
			return mk, false, false, err
		}
	}
	c.Key, c.Next = next.Key, next.Next
	return mk, true, false, nil
}

// withKey opens an entry by its prk, from KEYS; a wrong one is refused by the entry's own commitment.
func (o *opener) withKey(tx *store.Tx, w *round, e store.Entry, prk [32]byte) (bool, error) {
	parsed, err := group.ParseEntry(e.Raw)
	if err != nil {
		return false, nil
	}
	plain, err := group.OpenWith(prk, w.room.ID, w.log.ID, parsed)
	if err != nil {
		return false, o.count(tx, "keys")
	}
	if err := tx.DropGapKey(w.log.Row, parsed.Generation, parsed.Index); err != nil {
		return false, err
	}
	return true, o.accept(tx, w, e, plain, prk)
}

func (o *opener) accept(tx *store.Tx, w *round, e store.Entry, plain []byte, prk [32]byte) error {
	if err := tx.OpenEntry(e.Row, append([]byte(nil), prk[:]...), store.EntryOpened); err != nil {
		return err
	}
	records, err := wire.ParseRecords(plain)
	if err != nil || len(records) != 1 {
		return o.count(tx, "entry_records")
	}
	s, h, err := w.header(tx, e.K)
	if err != nil {
		return err
	}
	i := item{round: w, room: w.room, log: w.log, author: w.author, entry: e, sort: s.Sort, ms: int64(h.Millis), body: records[0].Body}
	if w.log.WholeK < e.K {
		i.hold = s.At + holdBack
	}
	k, ok := kinds(records[0].Kind)
	if !ok {
		return o.show(tx, i, kindUnknown, "", records[0].Body)
	}
	return k.handle(o, tx, i)
}

// takeOpen is how somebody enters a room: who they are, in their own words and signatures.
func (o *opener) takeOpen(tx *store.Tx, i item) error {
	open, err := wire.ParseOpen(i.body)
	if err != nil {
		return o.count(tx, "open")
	}
	if string(open.Genesis) != string(i.room.Genesis) {
		return o.count(tx, "open")
	}
	return o.joined(tx, i.room, i.author)
}

func (o *opener) takeCard(tx *store.Tx, i item) error {
	c, err := wire.ParseCard(i.body)
	if err != nil {
		return o.count(tx, "card")
	}
	if err := o.dir.takeCard(tx, i.author, c); err != nil {
		return o.count(tx, "card")
	}
	return nil
}

func (o *opener) takeText(tx *store.Tx, i item) error {
	t, err := wire.ParseText(i.body)
	if err != nil {
		return o.count(tx, "text")
	}
	return o.show(tx, i, int(wire.ItemText), cleanText(t.Body), nil)
}

func (o *opener) show(tx *store.Tx, i item, kind int, body string, payload []byte) error {
	m := store.Message{
		Row: i.entry.Row, Room: i.room.Row, Sort: i.sort, Tie: tieOf(i.log.ID), Index: i.entry.Index, Sender: i.author.Account,
		Kind: kind, SentAt: i.ms, ReceiveAt: o.ms(), Body: body, Payload: payload, Hold: i.hold,
	}
	if err := tx.AddMessage(m); err != nil {
		return err
	}
	i.round.shown, i.round.sort = i.round.shown+1, max(i.round.sort, i.sort)
	return nil
}
