package app

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// draft is a segment of ours in the making. What it reads stands in past.go. Nothing of it counts before commit.
type draft struct {
	pen     *pen
	ms      int64
	room    store.Room
	members int
	devices []store.Device // to whom it is owed
	gate    group.GateSecret
	log     store.Log
	fresh   bool   // the log is new
	cert    []byte // of a new log
	key     *composite.PrivateKey
	past    *segment.Tree
	deps    []segment.Dep
	cited   []store.Log
	sort    int64

	chain  store.Chain
	has    bool        // chain stands
	theirs store.Chain // the newest of the other side, in a room of two
	echo   bool        // and it calls for a new one of ours
	begun  []store.Chain
	causes []uint8

	made    *segment.Segment
	entries []store.Entry
	extra   int // entries before the first stroke: open and card
}

const (
	chainAge    = 600_000 // a chain is renewed when its first entry is older than this, or a minute for each member
	echoPause   = 60_000
	chainEnded  = 1 // as the time at which a chain began: a device that holds it was revoked, nothing more is written under it
	segmentRoom = segment.MaxSegment
)

// due says whether the next entry needs a chain of a new generation, and why.
func (d *draft) due() (cause uint8, yes bool) {
	switch {
	case !d.has:
		return wire.CauseFirst, true
	case d.chain.BeganAt == chainEnded:
		return wire.CauseRemoval, true
	case d.chain.Next >= group.ChainLength:
		return wire.CauseLength, true
	case d.chain.BeganAt > 0 && d.pen.since(d.chain.BeganAt) > max(chainAge, int64(d.members)*60_000):
		return wire.CauseAge, true
	case d.echo:
		return wire.CauseEcho, true
	}
	return 0, false
}

// step takes the key of the next entry, from a new generation where one is due.
func (d *draft) step() (mk group.MessageKey, err error) {
	if cause, yes := d.due(); yes {
		generation := uint32(0)
		if d.has {
			generation = d.chain.Generation + 1
		}
		c, err := group.NewChain(generation)
		if err != nil {
			return mk, err
		}
		d.chain = store.Chain{Log: d.log.Row, Generation: generation, Key: c.Key, MadeAt: d.ms, Echo: cause == wire.CauseEcho}
		d.has, d.echo = true, false
		d.begun, d.causes = append(d.begun, d.chain), append(d.causes, cause)
	}
	next, mk, err := group.Chain{Generation: d.chain.Generation, Next: d.chain.Next, Key: d.chain.Key}.Step()
	if err != nil {
		return mk, err
	}
	d.chain.Key, d.chain.Next = next.Key, next.Next
	if d.chain.BeganAt == 0 {
		d.chain.BeganAt = d.ms
	}
	return mk, nil
}

// fill seals as many strokes as fit one segment, builds it and signs it.
func (d *draft) fill(batch []*stroke) (n int, err error) {
	left := segmentRoom - segment.Overhead(d.fresh, len(d.deps))
	var raws [][]byte
	if d.fresh {
		for _, item := range d.opening() {
			raw, err := d.seal(item)
			if err != nil {
				return 0, err
			}
			raws = append(raws, raw)
			left -= len(raw)
			d.extra++
		}
	}
	for n < len(batch) && len(raws) < segment.MaxEntries {
		before := *d
		raw, err := d.seal(batch[n].item)
		if err != nil {
			return 0, err
		}
		if len(raw) > left {
			if len(raws) == 0 {
				return 0, ErrTooLong
			}
			*d = before
			break
		}
		raws = append(raws, raw)
		left -= len(raw)
		n++
	}
	d.made, err = segment.Build(segment.BuildParams{
		Key: d.key, Room: d.room.ID, Tag: d.gate.Tag(), Log: d.log.ID, K: uint64(d.log.HeadK + 1), First: uint64(d.log.Size),
		Prev: d.prev(), Past: d.past, Deps: d.deps, Entries: raws, Millis: uint64(d.ms),
	})
	if err != nil {
		return 0, fmt.Errorf("making a segment: %w", err)
	}
	return n, nil
}

func (d *draft) prev() (digest [32]byte) {
	copy(digest[:], d.log.HeadDigest)
	return digest
}

// opening is what a log begins with: the room, who writes, and their card.
func (d *draft) opening() []wire.Record {
	open := wire.Open{
		Genesis: d.room.Genesis, LogCertificate: d.cert, DeviceCertificate: d.pen.me.device.Certificate.Raw, AccountKey: d.pen.me.key.Bytes(),
	}
	card := d.pen.me.card()
	return []wire.Record{{Kind: wire.ItemOpen, Body: open.Marshal()}, {Kind: wire.ItemCard, Body: card.Marshal()}}
}

func (d *draft) seal(item wire.Record) ([]byte, error) {
	mk, err := d.step()
	if err != nil {
		return nil, err
	}
	kind := uint8(wire.EntryMessage)
	if item.Kind == wire.ItemControl {
		kind = wire.EntryControl
	}
	raw, prk, err := group.Seal(mk, d.room.ID, d.log.ID, kind, wire.MarshalRecords([]wire.Record{item}))
	if err != nil {
		return nil, fmt.Errorf("sealing an entry: %w", err)
	}
	d.entries = append(d.entries, store.Entry{
		Index: d.log.Size + int64(len(d.entries)), K: d.log.HeadK + 1, Leaf: segment.LeafHash(raw), Raw: raw, PRK: bytes.Clone(prk[:]), State: store.EntryOpened,
	})
	return raw, nil
}

// commit writes chain, CHAIN messages, entries and segment in the caller's transaction, and takes the ids of the messages.
func (d *draft) commit(tx *store.Tx, strokes []*stroke) error {
	d.entries = d.entries[:d.extra+len(strokes)]
	if err := d.commitLog(tx); err != nil {
		return err
	}
	if err := d.commitChains(tx); err != nil {
		return err
	}
	digest := segment.Digest(d.made.RawHeader)
	k, end := d.log.HeadK+1, d.log.Size+int64(len(d.entries))
	err := errors.Join(
		tx.AddSegment(store.Segment{Log: d.log.Row, K: k, Digest: digest, Header: d.made.RawHeader, Deps: d.made.RawDeps, First: d.log.Size, End: end, Sort: d.sort, At: d.ms}),
		tx.KeepSignature(d.log.Row, k, d.made.Signature, d.ms),
	)
	if err != nil {
		return err
	}
	if err := d.commitEntries(tx, strokes); err != nil {
		return err
	}
	next := d.past.Append(d.made.RawHeader)
	if n, root, ok := d.past.Block(d.made.RawHeader); ok {
		if err := tx.SetTreeBlock(d.log.Row, int64(n), root); err != nil {
			return err
		}
	}
	l := d.log
	l.HeadK, l.HeadDigest, l.WholeK, l.Size, l.Stored, l.Opened, l.Read = k, digest[:], k, end, end, end, end
	l.Tree, l.Edge = int64(next.Size()), next.Marshal()
	for _, cited := range d.cited {
		if err := tx.SetCited(cited.Row, cited.CitedK); err != nil {
			return err
		}
	}
	tx.OnCommit(func() {
		d.pen.hub.tell(Change{Kind: ChangedRoom, Room: d.room.ID}, Change{Kind: ChangedStatus})
		for _, dev := range d.devices {
			d.pen.links.hurry(dev.Digest)
		}
		d.pen.key, d.pen.keyOf = d.key, d.log.ID
	})
	return tx.SaveLog(l)
}

// commitLog checks that the log is as it was read, or makes it.
func (d *draft) commitLog(tx *store.Tx) error {
	now, found, err := tx.OwnLog(d.room.Row)
	if err != nil {
		return err
	}
	if found == d.fresh || found && (now.Row != d.log.Row || now.HeadK != d.log.HeadK) {
		return errChanged
	}
	if d.fresh {
		made, err := tx.AddLog(d.log, d.cert)
		if err != nil {
			return err
		}
		d.log.Row, d.chain.Log = made.Row, made.Row
	}
	return nil
}

// commitChains keeps the chain behind the last entry, and tells every entitled device of each one that began, from its start.
func (d *draft) commitChains(tx *store.Tx) error {
	for i, c := range d.begun {
		c.Log = d.log.Row
		if err := d.announce(tx, c, d.causes[i]); err != nil {
			return err
		}
	}
	if len(d.begun) > 0 {
		return errors.Join(tx.DropChains(d.log.Row, d.chain.Generation), tx.SaveChain(d.chain))
	}
	now, _, err := tx.NewestChain(d.log.Row)
	switch {
	case err != nil:
		return err
	case now.BeganAt == chainEnded:
		return errChanged // while the segment was being made
	}
	return tx.SaveChain(d.chain)
}

// announce tells a chain to those who may read from there on: not to devices that are new, or not on the newest list.
func (d *draft) announce(tx *store.Tx, c store.Chain, cause uint8) error {
	record := wire.Chain{Room: d.room.ID, Log: d.log.ID, Generation: c.Generation, Index: c.Next, Key: c.Key, Cause: cause}
	if d.fresh && cause == wire.CauseFirst {
		record.LogCertificate = d.cert
	}
	body := record.Marshal()
	devices, err := tx.RoomDevices(d.room.Row, d.pen.me.row)
	if err != nil {
		return err
	}
	for _, dev := range devices {
		if !dev.Trusted() {
			continue
		}
		if err := d.pen.sessions.queue(tx, dev, wire.Record{Kind: wire.RecordChain, Body: body}); err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) commitEntries(tx *store.Tx, strokes []*stroke) error {
	for i, e := range d.entries {
		e.Log = d.log.Row
		row, err := tx.AddEntry(e)
		if err != nil {
			return err
		}
		if i < d.extra {
			continue
		}
		s := strokes[i-d.extra]
		s.id = MessageID{Log: d.log.ID, Index: uint64(e.Index)}
		m := s.entry
		m.Row, m.Room, m.Sort, m.Tie, m.Index = row, d.room.Row, d.sort, tieOf(d.log.ID), e.Index
		m.Sender, m.SentAt, m.ReceiveAt = store.Own, d.ms, d.ms
		if err := tx.AddMessage(m); err != nil {
			return err
		}
	}
	if len(strokes) == 0 {
		return nil
	}
	return tx.NoteMessage(d.room.Row, d.sort, 0)
}

// tieOf orders messages of one sort value: the first six bytes of the log id, the same on every machine.
func tieOf(log segment.ID) int64 {
	var tie int64
	for _, b := range log[:6] {
		tie = tie<<8 | int64(b)
	}
	return tie
}
