package app

import (
	"bytes"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// opener opens entries as their keys come, in the order of their chain, and hands each to its kind (items.go).
type opener struct {
	*core
	dir     *directory
	joined  func(tx *store.Tx, room store.Room, author store.Device) error                                     // their `open` came
	certify func(tx *store.Tx, room store.Room, d store.Device, id segment.ID, cert []byte) (store.Log, error) // whose log it is
	twin    func(tx *store.Tx) error                                                                           // another copy of this profile writes
	stir    func()                                                                                             // there is more to open
}

const (
	openBatch = 512  // entries that one transaction opens; the rest follows in another
	openLook  = 4096 // and entries that it looks at for them
	openRead  = 64   // and that it reads at a time
)

// pass is one going over entries of a log. What was looked up for one entry serves the next, and what moved is written once, by
// finish.
type pass struct {
	*opener
	tx     *store.Tx
	room   store.Room
	log    *store.Log
	author store.Device // row 0 while it is not known

	early bool // keys may be here that came before their entries
	chain store.Chain
	has   bool // chain is that of its generation, else there is none
	moved bool // chain is to be saved

	segment store.Segment
	millis  int64 // of its header

	number int64 // of a message whose entry came before its key; 0 when they came together
	opened int
	unread int
	newest int64 // place of the newest that is shown, 0 when none is
	holds  bool  // a message is held back
	turned bool  // a later generation than the first was opened
}

func (o *opener) pass(tx *store.Tx, room store.Room, l *store.Log) (*pass, error) {
	p := &pass{opener: o, tx: tx, room: room, log: l, chain: store.Chain{Log: -1}, segment: store.Segment{K: -1}}
	var err error
	if l.Device != 0 {
		if p.author, _, err = tx.DeviceRow(l.Device); err != nil {
			return nil, err
		}
	}
	p.early, err = tx.HasEarlyKeys(l.Row)
	return p, err
}

// open opens what is stored of a log and can be opened now.
func (o *opener) open(tx *store.Tx, room store.Room, l store.Log) error {
	_, err := o.openMore(tx, room, l)
	return err
}

// openMore is open, and says how many it opened.
func (o *opener) openMore(tx *store.Tx, room store.Room, l store.Log) (int, error) {
	p, err := o.pass(tx, room, &l)
	if err != nil {
		return 0, err
	}
	looked := 0
	for from := l.Opened; looked < openLook; {
		closed, err := tx.ClosedEntries(l.Row, from, openRead)
		if err != nil {
			return 0, err
		}
		if len(closed) > 0 {
			if p.number, err = tx.Numbers(int64(len(closed))); err != nil {
				return 0, err
			}
		}
		for _, e := range closed {
			if err := p.stored(e); err != nil {
				return 0, err
			}
			p.number++
			from = e.Index + 1
		}
		looked += len(closed)
		if p.opened >= openBatch {
			tx.OnCommit(o.stir)
			break
		}
		if len(closed) < openRead {
			break
		}
	}
	if err := p.finish(); err != nil {
		return 0, err
	}
	return p.opened, tx.SetOpened(l.Row, l.Opened)
}

// stored opens an entry that lies closed, if its key is here.
func (p *pass) stored(e store.Entry) error {
	plain, prk, state, err := p.try(e.Index, e.Raw)
	if err != nil || state == store.EntryClosed {
		return err
	}
	if err := p.tx.OpenEntry(e.Row, prk, state); err != nil || state != store.EntryOpened {
		return err
	}
	return p.take(e, plain)
}

// fresh stores an entry that has just come, opened if its key is here.
func (p *pass) fresh(e store.Entry) (err error) {
	var plain []byte
	if plain, e.PRK, e.State, err = p.try(e.Index, e.Raw); err != nil {
		return err
	}
	if e.Row, err = p.tx.AddEntry(e); err != nil || e.State != store.EntryOpened {
		return err
	}
	return p.take(e, plain)
}

// try opens an entry. It stays closed without a key; one that is not what its chain says is kept grey: closed to everybody, so
// that it blocks nothing.
func (p *pass) try(index int64, raw []byte) (plain, prk []byte, state int, err error) {
	e, err := group.ParseEntry(raw)
	if err != nil {
		p.count("entry_malformed")
		return nil, nil, store.EntryGrey, nil
	}
	if p.author.Row == 0 && index > 0 {
		return nil, nil, store.EntryClosed, nil // who writes is said by the first
	}
	if plain, prk, err = p.withEarly(index, e); err != nil || plain != nil {
		return plain, prk, store.EntryOpened, err
	}
	mk, found, err := p.key(e)
	if err != nil || !found {
		return nil, nil, store.EntryClosed, err
	}
	plain, key, err := group.Open(mk, p.room.ID, p.log.ID, e)
	if err != nil {
		p.count("entry_open")
		return nil, nil, store.EntryGrey, nil
	}
	p.turned = p.turned || e.Generation > 0
	return plain, bytes.Clone(key[:]), store.EntryOpened, nil
}

// withEarly opens an entry by a prk from KEYS; a wrong one is refused by the entry's own commitment.
func (p *pass) withEarly(index int64, e *group.Entry) (plain, prk []byte, err error) {
	if !p.early {
		return nil, nil, nil
	}
	key, found, err := p.tx.TakeKey(p.log.Row, index)
	if err != nil || !found {
		return nil, nil, err
	}
	if plain, err = group.OpenWith(key, p.room.ID, p.log.ID, e); err != nil {
		p.count("keys")
		return nil, nil, nil
	}
	return plain, bytes.Clone(key[:]), p.tx.DropGapKey(p.log.Row, e.Generation, e.Index)
}

// key takes the key of an entry from its chain; what the chain passes over on the way is kept while it is missing.
func (p *pass) key(e *group.Entry) (mk group.MessageKey, found bool, err error) {
	if err := p.turn(e.Generation); err != nil || !p.has {
		return mk, false, err
	}
	if e.Index < p.chain.Next {
		raw, err := p.tx.GapKey(p.log.Row, e.Generation, e.Index)
		if err != nil || raw == nil {
			return mk, false, err
		}
		mk = group.MessageKey{Generation: e.Generation, Index: e.Index, Key: [32]byte(raw)}
		return mk, true, p.tx.DropGapKey(p.log.Row, e.Generation, e.Index)
	}
	next, passed, mk, err := group.Chain{Generation: p.chain.Generation, Next: p.chain.Next, Key: p.chain.Key}.To(e.Index)
	if err != nil {
		return mk, false, nil // an index that no chain has
	}
	for _, k := range passed {
		if err := p.tx.AddGapKey(p.log.Row, k.Generation, k.Index, k.Key); err != nil {
			return mk, false, err
		}
	}
	p.chain.Key, p.chain.Next, p.moved = next.Key, next.Next, true
	return mk, true, nil
}

// turn puts the chain of a generation into hand.
func (p *pass) turn(generation uint32) (err error) {
	if p.chain.Log == p.log.Row && p.chain.Generation == generation {
		return nil
	}
	if err := p.saveChain(); err != nil {
		return err
	}
	if p.chain, p.has, err = p.tx.Chain(p.log.Row, generation); err == nil && !p.has {
		p.chain = store.Chain{Log: p.log.Row, Generation: generation}
	}
	return err
}

func (p *pass) saveChain() error {
	if !p.moved {
		return nil
	}
	p.moved = false
	return p.tx.SaveChain(p.chain)
}

// finish writes what moved: the chain, the room's newest place, and opened, which is the first entry, of those without a gap,
// that is still closed. The caller saves the log.
func (p *pass) finish() error {
	if err := p.saveChain(); err != nil {
		return err
	}
	if p.holds {
		p.tx.OnCommit(func() { // before, the clerk would find nothing yet
			p.held.Store(true)
			p.rouse()
		})
	}
	if p.newest > 0 {
		if err := p.tx.NoteMessage(p.room.Row, p.newest, p.unread); err != nil {
			return err
		}
	}
	l := p.log
	if l.Opened >= l.Stored {
		return nil
	}
	first, err := p.tx.FirstClosed(l.Row, l.Opened, l.Stored)
	if err != nil || first == l.Opened {
		return err
	}
	l.Opened = first
	if !p.turned {
		return nil
	}
	return p.forget()
}

// forget erases the chains of generations of which everything is opened: what is opened without a gap is of a later one. A later
// chain alone says nothing: it may come before the last entries of the one before it.
func (p *pass) forget() error {
	n, err := p.tx.CountChains(p.log.Row)
	if err != nil || n < 2 {
		return err
	}
	last, err := p.tx.Entries(p.log.Row, p.log.Opened-1, p.log.Opened)
	if err != nil || len(last) == 0 || last[0].Raw == nil {
		return err
	}
	e, err := group.ParseEntry(last[0].Raw)
	if err != nil {
		return nil // a grey one: its chain goes with the next
	}
	return p.tx.DropChains(p.log.Row, e.Generation)
}
