package app

import (
	"context"
	"errors"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/group"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	keyPause    = 2_000  // ms after which the author is asked for a key, whose CHAIN may be under way
	holderPause = 10_000 // and anybody else
)

// askKeys asks the device for keys of entries that are stored and closed for a while: of its own logs first. Where the chain is
// here all the same, there was only more than one transaction opens.
func (c *courier) askKeys(r *store.Reader, v *visit) (errand, error) {
	logs, err := r.Unopened(v.device.Account)
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		q, at, err := c.closed(r, l, v.device)
		if err != nil {
			return nil, err
		}
		switch {
		case at > c.ms():
			v.again(at)
		case q == nil:
		case q.Ranges == nil:
			return func(ctx context.Context) error { return c.openRest(ctx, l) }, nil
		default:
			return func(ctx context.Context) error { return c.askKeysOf(ctx, v.device, *q, l.Row) }, nil
		}
	}
	return nil, nil
}

// closed collects the entries of a log that wait for keys, and from when on to ask for them; no ranges at all when they could be
// opened. Of a log whose author is not known only the first counts: it says who they are.
func (c *courier) closed(r *store.Reader, l store.Log, d store.Device) (*wire.KeyReq, int64, error) {
	if until := c.links.waitsUntil(c.link, -l.Row); until > c.ms() {
		return nil, until, nil
	}
	entries, err := r.ClosedEntries(l.Row, l.Opened, keysTold)
	if err != nil || len(entries) == 0 {
		return nil, 0, err
	}
	if l.Device == 0 {
		if entries = entries[:1]; entries[0].Index != 0 {
			return nil, 0, nil
		}
	}
	q := &wire.KeyReq{Log: l.ID}
	if can, err := canOpen(r, l, entries[0]); err != nil || can {
		return q, 0, err
	}
	s, found, err := r.Segment(l.Row, entries[0].K)
	if err != nil || !found {
		return nil, 0, err
	}
	at := s.At + holderPause
	if l.Device == d.Row {
		at = s.At + keyPause
	}
	if s.At > c.ms() {
		at = 0 // the clock was set back since
	}
	for _, e := range entries {
		if n := len(q.Ranges); n > 0 && int64(q.Ranges[n-1].First)+int64(q.Ranges[n-1].Count) == e.Index {
			q.Ranges[n-1].Count++
		} else if n < wire.MaxRanges {
			q.Ranges = append(q.Ranges, wire.Range{First: uint64(e.Index), Count: 1})
		}
	}
	return q, at, nil
}

// canOpen reports whether the chain of a closed entry is here and has not gone past it.
func canOpen(r *store.Reader, l store.Log, e store.Entry) (bool, error) {
	parsed, err := group.ParseEntry(e.Raw)
	if err != nil || l.Device == 0 {
		return err != nil, nil
	}
	chain, found, err := r.Chain(l.Row, parsed.Generation)
	return found && chain.Next <= parsed.Index, err
}

func (c *courier) openRest(ctx context.Context, l store.Log) error {
	return c.st.Update(ctx, func(tx *store.Tx) error {
		now, found, err := tx.LogRow(l.Row)
		if err != nil || !found {
			return err
		}
		room, _, err := tx.RoomRow(now.Room)
		if err != nil {
			return err
		}
		n, err := c.archive.shelf.reader.openMore(tx, room, now)
		if n == 0 {
			c.links.wait(c.link, -l.Row, c.ms()+fullPause, ReasonNone)
		}
		tx.OnCommit(func() { c.hub.tell(Change{Kind: ChangedRoom, Room: room.ID}) })
		return err
	})
}

func (c *courier) askKeysOf(ctx context.Context, d store.Device, q wire.KeyReq, row int64) error {
	reply, err := c.net.Call(ctx, c.link.device, peer.KeyReq, wire.KeyRequest{Keys: &q}.Marshal())
	if err != nil && !errors.Is(err, peer.ErrRefused) {
		return err
	}
	c.links.wait(c.link, -row, c.ms()+holderPause, ReasonNone)
	k, err := wire.ParseKeyReply(reply)
	if err != nil || len(k.Keys) == 0 {
		return nil
	}
	return c.st.Update(ctx, func(tx *store.Tx) error {
		l, found, err := tx.LogRow(row)
		if err != nil || !found {
			return err
		}
		room, _, err := tx.RoomRow(l.Room)
		if err != nil {
			return err
		}
		some, err := c.herald.useKeys(tx, room, l, d, k.Keys)
		if some { // there may be more at once; who sends keys that open nothing is not asked again at once
			tx.OnCommit(func() { c.links.takes(c.link, -row) })
		}
		return err
	})
}
