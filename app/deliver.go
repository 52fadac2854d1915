package app

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/segment"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

// outgoing is one segment to send.
type outgoing struct {
	log  store.Log
	k    int64
	body []byte
}

// bytesInFlight bounds what is under way to one device unacknowledged.
const bytesInFlight = 1 << 20

// deliver sends what a device lacks of our logs, a window of segments of one log at a time.
func (c *courier) deliver(r *store.Reader, v *visit) (errand, error) {
	logs, err := r.Owing(v.device.Row, v.device.Account)
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		if until := c.links.waitsUntil(c.link, l.Row); until > c.ms() {
			v.again(until)
			continue
		}
		parcels, err := c.batch(r, l, v.device)
		if err != nil {
			return nil, err
		}
		if len(parcels) > 0 {
			return func(ctx context.Context) error { return c.send(ctx, v.device, parcels) }, nil
		}
	}
	return nil, nil
}

// batch reads the next segments of a log for a device. While it does not know the log, the first goes alone: it carries the key. So
// does one that only asks whether there is room again, there or, for what is answered, here.
func (c *courier) batch(r *store.Reader, l store.Log, d store.Device) (all []outgoing, err error) {
	cursor, err := r.Cursor(l.Row, d.Row)
	if err != nil {
		return nil, err
	}
	first, found, err := r.SegmentAt(l.Row, cursor.Stored)
	if err != nil || !found {
		return nil, err
	}
	room, found, err := r.RoomRow(l.Room)
	if err != nil || !found || room.State != store.RoomOpen {
		return nil, err
	}
	limit := c.window
	if first.K == 0 || c.links.full(c.link, l.Row) || c.full.Load() {
		limit = 1
	}
	segments, err := r.Segments(l.Row, first.K, limit)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, s := range segments {
		body, err := bodyOf(r, l, s)
		if err != nil {
			return nil, err
		}
		if body == nil {
			break // its signature went when all had confirmed it: they fetch it under a newer one
		}
		deliver := wire.Deliver{Room: room.ID, Segment: body}
		all = append(all, outgoing{l, s.K, deliver.Marshal()})
		if size += len(body); size > bytesInFlight {
			break
		}
	}
	if len(all) == 0 && cursor.HeadK < l.HeadK {
		return c.newest(r, l, room)
	}
	return all, nil
}

// newest offers the newest segment alone, whose signature covers all before it.
func (c *courier) newest(r *store.Reader, l store.Log, room store.Room) ([]outgoing, error) {
	s, found, err := r.Segment(l.Row, l.HeadK)
	if err != nil || !found {
		return nil, err
	}
	body, err := bodyOf(r, l, s)
	if err != nil || body == nil {
		return nil, err
	}
	deliver := wire.Deliver{Room: room.ID, Segment: body}
	return []outgoing{{l, s.K, deliver.Marshal()}}, nil
}

// bodyOf puts a stored segment together again, nil when its own signature is gone.
func bodyOf(r *store.Reader, l store.Log, s store.Segment) ([]byte, error) {
	sig, err := r.Signature(l.Row, s.K)
	if err != nil || sig == nil {
		return nil, err
	}
	entries, err := r.Raws(l.Row, s.First, s.End)
	if err != nil || int64(len(entries)) != s.End-s.First {
		return nil, err
	}
	out := &segment.Segment{RawHeader: s.Header, RawDeps: s.Deps, Signature: sig, Entries: entries}
	if s.K == 0 {
		out.Key = l.Key
	}
	return out.Marshal(), nil
}

// send brings a window to the device and takes the answers. The first error ends it; what was answered counts.
func (c *courier) send(ctx context.Context, d store.Device, all []outgoing) error {
	answers := make([]*wire.Answer, len(all))
	var g errgroup.Group
	g.SetLimit(max(1, c.window))
	for i, o := range all {
		g.Go(func() error {
			reply, err := c.net.Call(ctx, c.link.device, peer.Deliver, o.body)
			if err != nil {
				return err
			}
			a, err := wire.ParseAnswer(reply)
			if err == nil {
				answers[i] = &a
			}
			return err
		})
	}
	failed := g.Wait()
	err := c.st.Update(ctx, func(tx *store.Tx) error { return c.answered(tx, d, all, answers) })
	log := all[0].log.Row
	switch {
	case errors.Is(failed, peer.ErrLater):
		c.links.wait(c.link, log, c.ms()+laterPause, ReasonUnderWay)
		failed = nil
	case errors.Is(failed, peer.ErrRefused):
		c.links.wait(c.link, log, c.ms()+askAgain, ReasonRefused)
		failed = nil
	}
	return errors.Join(err, failed)
}

// answered moves the cursor, puts the log off, or stops sending, as the device said. Of several receipts for one log the furthest
// says it all.
func (c *courier) answered(tx *store.Tx, d store.Device, all []outgoing, answers []*wire.Answer) error {
	var furthest *wire.Have
	for i, a := range answers {
		switch {
		case a == nil:
		case a.Code == wire.AnswerHave && a.Have.Log == all[i].log.ID:
			if furthest == nil || a.Have.Stored > furthest.Stored || a.Have.Stored == furthest.Stored && a.Have.Opened > furthest.Opened {
				furthest = a.Have
			}
		case a.Code == wire.AnswerLater:
			if err := c.putOff(tx, d, all[i].log, a.Reason); err != nil {
				return err
			}
		case a.Code == wire.AnswerRefused:
			if err := c.ledger.turnedDown(tx, d, all[i].log, all[i].k, a.Reason); err != nil {
				return err
			}
		}
	}
	if furthest == nil {
		return nil
	}
	c.links.takes(c.link, all[0].log.Row)
	return c.ledger.have(tx, d, *furthest, false)
}

// putOff waits as long as the reason for not taking a segment asks for.
func (c *courier) putOff(tx *store.Tx, d store.Device, l store.Log, reason uint8) error {
	until, why := c.ms()+laterPause, ReasonUnderWay
	switch reason {
	case wire.LaterAsked, wire.LaterFull: // full of requests: it waits for a person all the same
		until, why = c.ms()+askAgain, ReasonAsked
	case wire.LaterDisk:
		until, why = c.ms()+diskPause, ReasonFull
	case wire.LaterQuota:
		until, why = c.ms()+fullPause, ReasonFull
	case wire.LaterOrder: // it does not know the log: from the beginning
		if err := c.ledger.back(tx, d, l); err != nil {
			return err
		}
	}
	c.links.wait(c.link, l.Row, until, why)
	return nil
}

// confirm tells the author what we have of their logs when it is not what we told last.
func (c *courier) confirm(r *store.Reader, v *visit) (errand, error) {
	var due wire.Haves
	rows := map[segment.ID]int64{}
	logs, err := r.LogsBy(v.device.Row)
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		read, err := c.ledger.readTo(r, l)
		if err != nil {
			return nil, err
		}
		h := haveOf(l, read)
		now, at := c.links.unsaid(c.link, l.Row, h, c.ms())
		switch {
		case now && len(due) < wire.MaxHaves:
			due, rows[l.ID] = append(due, h), l.Row
		case at > 0:
			v.again(at)
		}
	}
	if len(due) == 0 {
		return nil, nil
	}
	return func(ctx context.Context) error {
		if _, err := c.net.Call(ctx, c.link.device, peer.Have, due.Marshal()); err != nil && !errors.Is(err, peer.ErrRefused) {
			return err
		}
		for _, h := range due {
			c.links.tell(c.link.device, rows[h.Log], h, 0)
		}
		return nil
	}, nil
}
