package app

import (
	"context"
	"errors"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// desk takes segments of others: checks, stores, opens what it has keys for, and says what it has. It never sends.
type desk struct {
	*core
	reader *opener
	sorter *sorter
	ledger *ledger
	links  *links
	stir   func(d identity.DeviceID) // something of ours is due to a device
}

const (
	undecidedLogs  = 16      // logs of unknown authors that one room keeps
	undecidedBytes = 1 << 20 // and how much of each
	holdBack       = 5_000   // ms for which a message waits for its parents before it shows
)

// parcel is a segment on its way in, with what was looked up for it.
type parcel struct {
	from store.Device
	room store.Room
	log  store.Log
	has  bool // log is known
	seg  *segment.Segment
	raw  int // its size
	key  *composite.PublicKey
}

func later(reason uint8) *wire.Answer { return &wire.Answer{Code: wire.AnswerLater, Reason: reason} }

func refused(reason uint8) *wire.Answer {
	return &wire.Answer{Code: wire.AnswerRefused, Reason: reason}
}

func have(l store.Log, readTo int64) *wire.Answer {
	h := haveOf(l, readTo)
	return &wire.Answer{Code: wire.AnswerHave, Have: &h}
}

// haveOf is our HAVE of a log. read is told to those only who tell us.
func haveOf(l store.Log, read int64) wire.Have {
	h := wire.Have{Log: l.ID, Stored: uint64(l.Stored), Opened: uint64(l.Opened), Read: uint64(read), HeadK: wire.NoHead}
	if l.HeadK >= 0 {
		h.HeadK, h.HeadDigest = uint64(l.HeadK), [32]byte(l.HeadDigest)
	}
	return h
}

// deliver answers a DELIVER frame.
func (d *desk) deliver(ctx context.Context, from identity.DeviceID, body []byte) ([]byte, error) {
	frame, err := wire.ParseDeliver(body)
	if err != nil {
		return nil, refusedFrame("deliver_malformed")
	}
	answer, err := d.take(ctx, from, frame)
	if errors.Is(err, store.ErrFull) {
		answer, err = later(wire.LaterDisk), nil
		d.noteFull()
	}
	if err != nil {
		return nil, err
	}
	if answer.Have != nil {
		d.told(ctx, from, *answer.Have)
	}
	return answer.Marshal(), nil
}

// told remembers what the reply says, so that it is not said again in a frame of its own.
func (d *desk) told(ctx context.Context, to identity.DeviceID, h wire.Have) {
	_ = d.st.View(ctx, func(r *store.Reader) error {
		l, found, err := r.Log([32]byte(h.Log))
		if err == nil && found {
			d.links.tell(to, l.Row, h, d.ms())
		}
		return err
	})
}

func (d *desk) noteFull() {
	if d.notes.add(Notice{Code: "disk_full", At: d.now()}) {
		d.log.Error("the disk is full: what was accepted is kept, nothing more is taken")
	}
	d.hub.tell(Change{Kind: ChangedStatus})
}

func (d *desk) take(ctx context.Context, from identity.DeviceID, frame wire.Deliver) (answer *wire.Answer, err error) {
	p := &parcel{raw: len(frame.Segment)}
	if p.seg, err = segment.Parse(frame.Segment); err != nil {
		d.refuse(ctx, "segment_malformed")
		return refused(wire.RefusedMalformed), nil
	}
	err = d.st.View(ctx, func(r *store.Reader) error {
		answer, err = d.look(r, from, frame.Room, p)
		return err
	})
	if err != nil || answer != nil {
		return answer, err
	}
	if !p.seg.Verify(p.key) {
		d.refuse(ctx, "signature")
		return refused(wire.RefusedSignature), nil
	}
	err = d.st.Update(ctx, func(tx *store.Tx) error {
		answer, err = d.put(tx, p)
		return err
	})
	return answer, err
}

// look finds room, log and key, and answers at once what needs no signature to be checked.
func (d *desk) look(r *store.Reader, from identity.DeviceID, room wire.RoomID, p *parcel) (*wire.Answer, error) {
	var found bool
	var err error
	if p.from, found, err = r.Device(from); err != nil || !found {
		return later(wire.LaterUnknown), err
	}
	if p.room, found, err = r.Room(room); err != nil || !found {
		return later(wire.LaterUnknown), err
	}
	if ok, err := r.IsMember(p.room.Row, p.from.Account); err != nil || !ok {
		return later(wire.LaterUnknown), err
	}
	if p.log, p.has, err = r.Log(p.seg.Header.Log); err != nil {
		return nil, err
	}
	if p.has && p.log.Room != p.room.Row {
		return refused(wire.RefusedMalformed), nil
	}
	if p.has {
		if answer, err := d.known(r, p); err != nil || answer != nil {
			return answer, err
		}
	}
	return d.findKey(p)
}

// known answers a segment that is here already, or lies beyond a fork.
func (d *desk) known(r *store.Reader, p *parcel) (*wire.Answer, error) {
	k := int64(p.seg.Header.K)
	if p.log.ForkK >= 0 && k >= p.log.ForkK {
		return refused(wire.RefusedFork), nil
	}
	s, found, err := r.Segment(p.log.Row, k)
	if err != nil || !found || s.Digest != segment.Digest(p.seg.RawHeader) {
		return nil, err
	}
	if p.room.State == store.RoomOffered {
		return later(wire.LaterAsked), nil
	}
	read, err := d.ledger.readTo(r, p.log)
	return have(p.log, read), err
}

func (d *desk) findKey(p *parcel) (answer *wire.Answer, err error) {
	switch {
	case p.has && p.log.Key != nil:
		p.key, err = d.keys.parse(p.log.Key)
	case p.seg.Header.K == 0:
		if p.key, err = p.seg.LogKey(p.room.ID); err != nil {
			return refused(wire.RefusedMalformed), nil
		}
	default:
		return later(wire.LaterOrder), nil // the log's key travels with its first segment
	}
	return nil, err
}

// put stores a segment whose signature holds. What look saw may have changed: everything is asked again.
func (d *desk) put(tx *store.Tx, p *parcel) (answer *wire.Answer, err error) {
	if p.log, p.has, err = tx.Log(p.seg.Header.Log); err != nil {
		return nil, err
	}
	if p.has {
		if answer, err = d.known(&tx.Reader, p); err != nil || answer != nil {
			return answer, err
		}
	}
	if answer, err = d.room(tx, p); err != nil || answer != nil {
		return answer, err
	}
	if !p.has {
		l := store.Log{Room: p.room.Row, ID: p.seg.Header.Log, Key: p.key.Bytes()}
		if p.log, err = tx.AddLog(l); err != nil {
			return nil, err
		}
	}
	if p.log.Key == nil {
		if err := tx.SetLogKey(p.log.Row, p.key.Bytes()); err != nil {
			return nil, err
		}
	}
	if other, found, err := tx.Segment(p.log.Row, int64(p.seg.Header.K)); err != nil {
		return nil, err
	} else if found {
		return refused(wire.RefusedFork), d.conflict(tx, p, other)
	}
	return d.store(tx, p)
}

// room says whether there is a place for the segment: of a request only the first is kept, of authors not yet known little.
func (d *desk) room(tx *store.Tx, p *parcel) (*wire.Answer, error) {
	if p.room.State == store.RoomOffered && p.seg.Header.K > 0 {
		return later(wire.LaterAsked), nil
	}
	if p.log.Device != 0 {
		return nil, nil
	}
	logs, err := tx.Undecided(p.room.Row)
	if err != nil {
		return nil, err
	}
	if !p.has && len(logs) >= undecidedLogs {
		return later(wire.LaterQuota), d.count(tx, "undecided")
	}
	if p.has {
		size, err := tx.LogBytes(p.log.Row)
		if err != nil || size+int64(p.raw) > undecidedBytes {
			return later(wire.LaterUnknown), err
		}
	}
	return nil, nil
}

func (d *desk) store(tx *store.Tx, p *parcel) (*wire.Answer, error) {
	h := p.seg.Header
	if err := d.checkPlaces(tx, p); err != nil {
		return refused(wire.RefusedMalformed), d.count(tx, "chain_order")
	}
	sort, _, err := d.sorter.sortOf(&tx.Reader, p.log, h, p.seg.Deps)
	if err != nil {
		return nil, err
	}
	k := int64(h.K)
	err = errors.Join(
		tx.AddSegment(store.Segment{
			Log: p.log.Row, K: k, Digest: segment.Digest(p.seg.RawHeader), Header: p.seg.RawHeader, Deps: p.seg.RawDeps,
			First: int64(h.First), End: int64(h.Next()), Sort: sort, At: d.ms(),
		}),
		tx.AddSignature(p.log.Row, k, p.seg.Signature, d.ms()),
	)
	if err != nil {
		return nil, err
	}
	for i, raw := range p.seg.Entries {
		e := store.Entry{Log: p.log.Row, Index: int64(h.First) + int64(i), K: k, Leaf: segment.LeafHash(raw), Raw: raw, State: store.EntryClosed}
		if _, err := tx.AddEntry(e); err != nil {
			return nil, err
		}
	}
	return d.settle(tx, p)
}

// settle moves everything that a new segment moves: what is contiguous, open, whole; and answers.
func (d *desk) settle(tx *store.Tx, p *parcel) (*wire.Answer, error) {
	l, forked, err := d.sorter.advance(tx, p.log, int64(p.seg.Header.K))
	if err != nil {
		return nil, err
	}
	if forked {
		return refused(wire.RefusedFork), tx.SaveLog(l)
	}
	if err := tx.SaveLog(l); err != nil {
		return nil, err
	}
	if l.Device != 0 {
		if l, err = d.reader.open(tx, p.room, l); err != nil {
			return nil, err
		}
	}
	if err := d.sorter.whole(tx, p.room); err != nil {
		return nil, err
	}
	tx.OnCommit(func() {
		d.hub.tell(Change{Kind: ChangedRoom, Room: p.room.ID})
		d.stir(p.from.Digest)
	})
	if p.room.State == store.RoomOffered {
		return later(wire.LaterAsked), nil
	}
	read, err := d.ledger.readTo(&tx.Reader, l)
	return have(l, read), err
}

// checkPlaces refuses entries whose chain places do not follow each other, or the entry before them where it is here.
func (d *desk) checkPlaces(tx *store.Tx, p *parcel) error {
	var last *group.Entry
	before, err := tx.Entries(p.log.Row, int64(p.seg.Header.First)-1, int64(p.seg.Header.First))
	if err != nil {
		return err
	}
	if len(before) == 1 && before[0].Raw != nil {
		if last, err = group.ParseEntry(before[0].Raw); err != nil {
			return err
		}
	}
	for _, raw := range p.seg.Entries {
		e, err := group.ParseEntry(raw)
		if err != nil {
			return err
		}
		if last == nil && p.seg.Header.First == 0 && (e.Generation != 0 || e.Index != 0) {
			return errOrder
		}
		if last != nil && !follows(last, e) {
			return errOrder
		}
		last = e
	}
	return nil
}

var errOrder = errors.New("entries that skip a place in their chain")

func follows(a, b *group.Entry) bool {
	return b.Generation == a.Generation && b.Index == a.Index+1 || b.Generation == a.Generation+1 && b.Index == 0
}

// conflict keeps the proof that a device signed two histories, and freezes its log from the fork on.
func (d *desk) conflict(tx *store.Tx, p *parcel, other store.Segment) error {
	k := int64(p.seg.Header.K)
	l := p.log
	l.State, l.ForkK = store.LogFrozen, k
	if err := tx.SaveLog(l); err != nil {
		return err
	}
	if err := d.count(tx, "fork"); err != nil {
		return err
	}
	if err := d.prove(tx, p, other); err != nil {
		return err
	}
	name, err := authorOf(&tx.Reader, l)
	if err != nil {
		return err
	}
	tx.OnCommit(func() { d.hub.tell(Change{Kind: ChangedRoom, Room: p.room.ID}) })
	return d.notice(tx, auditForked, "forked", name)
}

const evidenceFork = 1

func (d *desk) prove(tx *store.Tx, p *parcel, other store.Segment) error {
	k := uint64(other.K)
	at, sig, err := tx.NewestSignature(p.log.Row, other.K)
	if err != nil || at < 0 {
		return err // the signature that covers it went with a rollback of ours: the freeze stands, the proof is for who has it
	}
	signed, _, err := tx.Segment(p.log.Row, at)
	if err != nil {
		return err
	}
	side := segment.Side{Header: signed.Header, Signature: sig}
	if at != other.K {
		side.Leaf = segment.LeafHash(other.Header)
		if side.Path, err = segment.ProveInclusion(uint64(at), k, sourceOf(&tx.Reader, p.log)); err != nil {
			return err
		}
	}
	fork, err := segment.NewFork(p.room.ID, p.key, k, side, segment.Side{Header: p.seg.RawHeader, Signature: p.seg.Signature})
	if err != nil {
		return err
	}
	id := fork.ID()
	return tx.AddEvidence(store.Evidence{ID: id[:], Kind: evidenceFork, Room: p.room.Row, Accused: p.log.ID, Raw: fork.Marshal(), At: d.ms()})
}

// sourceOf gives a log's headers to the functions that prove.
func sourceOf(r *store.Reader, l store.Log) segment.Source {
	return segment.Source{
		Leaf: func(i uint64) ([32]byte, error) {
			s, found, err := r.Segment(l.Row, int64(i))
			if err != nil || !found {
				return [32]byte{}, errors.Join(err, errWhen(!found, "a header is missing"))
			}
			return segment.LeafHash(s.Header), nil
		},
		Block: func(n uint64) (root [32]byte, ok bool) {
			raw, err := r.TreeBlock(l.Row, int64(n))
			if err != nil || len(raw) != len(root) {
				return root, false
			}
			return [32]byte(raw), true
		},
	}
}

// authorOf names the person whose log it is.
func authorOf(r *store.Reader, l store.Log) (string, error) {
	dev, found, err := r.DeviceRow(l.Device)
	if err != nil || !found {
		return "", err
	}
	a, _, err := r.AccountRow(dev.Account)
	return a.Name(), err
}
