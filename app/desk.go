package app

import (
	"context"
	"errors"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/crypto/identity"
	"github.com/cryptexq/cryptexq/crypto/segment"
)

// desk answers DELIVER: it looks who brings what, checks the signature, has it shelved, and says what we have now. It never
// sends.
type desk struct {
	*core
	shelf  *shelf
	judge  *judge
	ledger *ledger
	links  *links
}

const (
	undecidedLogs  = 16      // logs of unknown authors that one room keeps
	undecidedBytes = 1 << 20 // and how much of each
	holdBack       = 5_000   // ms for which a message waits for its parents before it shows
)

// parcel is a segment on its way in, with what was looked up for it.
type parcel struct {
	from caller
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
		return nil, flawed("deliver_malformed", err)
	}
	p := &parcel{raw: len(frame.Segment)}
	if p.seg, err = segment.Parse(frame.Segment); err != nil {
		d.count("segment_malformed")
		return refused(wire.RefusedMalformed).Marshal(), nil
	}
	answer, err := d.take(ctx, from, frame.Room, p)
	if errors.Is(err, store.ErrFull) {
		return later(wire.LaterDisk).Marshal(), nil
	}
	if err != nil {
		return nil, err
	}
	if answer.Have != nil {
		d.links.tell(from, p.log.Row, *answer.Have, d.ms())
	}
	return answer.Marshal(), nil
}

// take checks the signature outside the transaction, with the key of the log, and has it stored. Of a log that was written in
// lately the key is at hand; else the store is asked first, so that nothing dear is done for nobody.
func (d *desk) take(ctx context.Context, from identity.DeviceID, room wire.RoomID, p *parcel) (answer *wire.Answer, err error) {
	if p.key = d.keys.ofLog(p.seg.Header.Log); p.key == nil {
		err = d.st.View(ctx, func(r *store.Reader) error {
			if answer, err = d.look(r, from, room, p); err == nil && answer == nil {
				answer, err = d.findKey(p)
			}
			return err
		})
		if err != nil || answer != nil {
			return answer, err
		}
	}
	if !p.seg.Verify(p.key) {
		d.count("signature")
		return refused(wire.RefusedSignature), nil
	}
	var f *flaw
	err = d.st.Update(ctx, func(tx *store.Tx) (err error) {
		if answer, err = d.look(&tx.Reader, from, room, p); err != nil || answer != nil {
			return err
		}
		answer, err = d.put(tx, p)
		errors.As(err, &f)
		return err
	})
	if f != nil {
		d.count(f.cause)
		return refused(wire.RefusedMalformed), nil
	}
	return answer, err
}

// look finds room and log, and answers at once what is not to be stored, or is stored.
func (d *desk) look(r *store.Reader, from identity.DeviceID, room wire.RoomID, p *parcel) (*wire.Answer, error) {
	var found bool
	var err error
	if p.from, found, err = callerOf(r, from); err != nil {
		return nil, err
	}
	if !found {
		return d.nobody(r)
	}
	if p.from.device.State != store.DeviceValid {
		return later(wire.LaterUnknown), nil // its list is on the way
	}
	if p.room, found, err = r.Room(room); err != nil || !found {
		return later(wire.LaterUnknown), err
	}
	if ok, err := r.IsMember(p.room.Row, p.from.device.Account); err != nil || !ok {
		return later(wire.LaterUnknown), err
	}
	if p.log, p.has, err = r.Log(p.seg.Header.Log); err != nil {
		return nil, err
	}
	if p.has && p.log.Room != p.room.Row {
		return refused(wire.RefusedMalformed), nil
	}
	if p.has {
		return d.known(r, p)
	}
	return nil, nil
}

// nobody answers a stranger, whose request comes first: there may be no room for another.
func (d *desk) nobody(r *store.Reader) (*wire.Answer, error) {
	n, err := r.CountAccounts(store.AccountAsks)
	if err != nil || n < maxRequests {
		return later(wire.LaterUnknown), err
	}
	return later(wire.LaterFull), nil
}

// known answers a segment that is here already, or lies beyond a fork.
func (d *desk) known(r *store.Reader, p *parcel) (*wire.Answer, error) {
	k := int64(p.seg.Header.K)
	s, found, err := r.Segment(p.log.Row, k)
	if err != nil {
		return nil, err
	}
	same := found && s.Digest == segment.Digest(p.seg.RawHeader)
	switch {
	case p.log.ForkK >= 0 && k >= p.log.ForkK && !same:
		return refused(wire.RefusedFork), nil
	case !same:
		return nil, nil
	case p.room.State == store.RoomOffered:
		return later(wire.LaterAsked), nil
	}
	return d.have(r, p)
}

func (d *desk) have(r *store.Reader, p *parcel) (*wire.Answer, error) {
	read, err := d.ledger.readTo(r, p.log)
	h := haveOf(p.log, read)
	return &wire.Answer{Code: wire.AnswerHave, Have: &h}, err
}

func (d *desk) findKey(p *parcel) (answer *wire.Answer, err error) {
	switch {
	case p.has && p.log.Key != nil:
		p.key, err = d.keys.parse(p.log.Key)
	case p.seg.Header.K == 0:
		if p.key, err = p.seg.LogKey(p.room.ID); err != nil {
			d.count("log_key")
			return refused(wire.RefusedMalformed), nil
		}
	default:
		return later(wire.LaterOrder), nil // the log's key travels with its first segment
	}
	return nil, err
}

// put stores a segment whose signature holds.
func (d *desk) put(tx *store.Tx, p *parcel) (answer *wire.Answer, err error) {
	if p.has && p.log.Seed != nil {
		return later(wire.LaterUnknown), d.judge.ours(tx, p.log)
	}
	if p.has {
		other, found, err := tx.Segment(p.log.Row, int64(p.seg.Header.K))
		if err != nil {
			return nil, err
		}
		if found {
			return refused(wire.RefusedFork), d.judge.conflict(tx, p.room, p.log, p.key, other, sideOf(p.seg))
		}
	}
	if answer, err = d.place(tx, p); err != nil || answer != nil {
		return answer, err
	}
	if !p.has {
		if p.log, err = tx.AddLog(store.Log{Room: p.room.Row, ID: p.seg.Header.Log, Key: p.key.Bytes()}, nil); err != nil {
			return nil, err
		}
	}
	if p.log.Key == nil {
		if err := tx.SetLogKey(p.log.Row, p.key.Bytes()); err != nil {
			return nil, err
		}
	}
	return d.store(tx, p)
}

// place says whether there is a place for the segment: of a request only the first is kept, of authors not yet known little.
func (d *desk) place(tx *store.Tx, p *parcel) (*wire.Answer, error) {
	if p.room.State == store.RoomOffered {
		kept, err := tx.HasSegments(p.room.Row)
		if err != nil || kept || p.seg.Header.K > 0 {
			return later(wire.LaterAsked), err
		}
	}
	if p.log.Device != 0 {
		return nil, nil
	}
	if p.has {
		size, err := tx.LogBytes(p.log.Row)
		if err != nil || size+int64(p.raw) > undecidedBytes {
			return later(wire.LaterUnknown), err
		}
		return nil, nil
	}
	logs, err := tx.Undecided(p.room.Row)
	if err != nil || len(logs) < undecidedLogs {
		return nil, err
	}
	d.count("undecided")
	return later(wire.LaterQuota), nil
}

func (d *desk) store(tx *store.Tx, p *parcel) (*wire.Answer, error) {
	forked, err := d.shelf.store(tx, p.room, &p.log, []volume{volumeOf(p.seg)})
	if err != nil {
		return nil, err
	}
	tx.OnCommit(func() {
		d.keys.keepLog(p.seg.Header.Log, p.key)
		d.hub.tell(Change{Kind: ChangedRoom, Room: p.room.ID}, Change{Kind: ChangedStatus})
		d.links.remind(p.from.device.Digest, d.ms()+replyLife) // unless the reply arrives, it is said again
	})
	switch {
	case forked:
		return refused(wire.RefusedFork), nil
	case p.room.State == store.RoomOffered:
		return later(wire.LaterAsked), nil
	}
	return d.have(&tx.Reader, p)
}
