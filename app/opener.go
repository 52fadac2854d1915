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
	for _, e := range closed {
		ok, err := o.one(tx, room, l, author, e)
		if err != nil {
			return l, err
		}
		if !ok && e.Index >= l.Stored {
			break // beyond a gap, and without a key: what follows has none either
		}
	}
	return o.move(tx, l)
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
func (o *opener) one(tx *store.Tx, room store.Room, l store.Log, author store.Device, e store.Entry) (bool, error) {
	parsed, err := group.ParseEntry(e.Raw)
	if err != nil {
		return false, o.grey(tx, e, "entry_malformed")
	}
	if prk, found, err := tx.TakeKey(l.Row, e.Index); err != nil {
		return false, err
	} else if found {
		if ok, err := o.withKey(tx, room, l, author, e, prk); err != nil || ok {
			return ok, err
		}
	}
	mk, found, err := o.key(tx, l, parsed)
	if err != nil || !found {
		return false, err
	}
	plain, prk, err := group.Open(mk, room.ID, l.ID, parsed)
	if err != nil {
		return true, o.grey(tx, e, "entry_open")
	}
	if err := tx.DropGapKey(l.Row, parsed.Generation, parsed.Index); err != nil {
		return false, err
	}
	return true, o.accept(tx, room, l, author, e, plain, prk)
}

// grey keeps an entry that is not what its chain says: it stays closed to everybody, and blocks nothing.
func (o *opener) grey(tx *store.Tx, e store.Entry, cause string) error {
	return errors.Join(tx.OpenEntry(e.Row, nil, store.EntryGrey), o.count(tx, cause))
}

// key takes the key of an entry from its chain; what the chain passes over on the way is kept while it is missing.
func (o *opener) key(tx *store.Tx, l store.Log, e *group.Entry) (mk group.MessageKey, found bool, err error) {
	c, found, err := tx.Chain(l.Row, e.Generation)
	if err != nil || !found {
		return mk, false, err
	}
	if e.Index < c.Next {
		raw, err := tx.GapKey(l.Row, e.Generation, e.Index)
		if err != nil || raw == nil {
			return mk, false, err
		}
		return group.MessageKey{Generation: e.Generation, Index: e.Index, Key: [32]byte(raw)}, true, nil
	}
	next, passed, mk, err := group.Chain{Generation: c.Generation, Next: c.Next, Key: c.Key}.To(e.Index)
	if err != nil {
		return mk, false, nil // an index that no chain has
	}
	for _, p := range passed {
		if err := tx.AddGapKey(l.Row, p.Generation, p.Index, p.Key); err != nil {
			return mk, false, err
		}
	}
	c.Key, c.Next = next.Key, next.Next
	return mk, true, tx.SaveChain(c)
}

// withKey opens an entry by its prk, from KEYS; a wrong one is refused by the entry's own commitment.
func (o *opener) withKey(tx *store.Tx, room store.Room, l store.Log, author store.Device, e store.Entry, prk [32]byte) (bool, error) {
	parsed, err := group.ParseEntry(e.Raw)
	if err != nil {
		return false, nil
	}
	plain, err := group.OpenWith(prk, room.ID, l.ID, parsed)
	if err != nil {
		return false, o.count(tx, "keys")
	}
	if err := tx.DropGapKey(l.Row, parsed.Generation, parsed.Index); err != nil {
		return false, err
	}
	return true, o.accept(tx, room, l, author, e, plain, prk)
}

func (o *opener) accept(tx *store.Tx, room store.Room, l store.Log, author store.Device, e store.Entry, plain []byte, prk [32]byte) error {
	if err := tx.OpenEntry(e.Row, append([]byte(nil), prk[:]...), store.EntryOpened); err != nil {
		return err
	}
	records, err := wire.ParseRecords(plain)
	if err != nil || len(records) != 1 {
		return o.count(tx, "entry_records")
	}
	s, _, err := tx.Segment(l.Row, e.K)
	if err != nil {
		return err
	}
	h, err := segment.ParseHeader(s.Header)
	if err != nil {
		return err
	}
	i := item{room: room, log: l, author: author, entry: e, sort: s.Sort, ms: int64(h.Millis), body: records[0].Body}
	if l.WholeK < e.K {
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
	return tx.NoteMessage(i.room.Row, i.sort, 1)
}
