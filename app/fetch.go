package app

import (
	"context"
	"errors"

	"github.com/cryptexq/cryptexq/app/store"
	"github.com/cryptexq/cryptexq/app/wire"
	"github.com/cryptexq/cryptexq/crypto/composite"
	"github.com/cryptexq/cryptexq/p2p/peer"
)

const (
	gapPause  = 3_000 // ms for which the author's own sending may close a gap before it is asked for
	fetchSpan = 512   // segments asked for at once; the reply says when there are more
)

// fetch asks the device for one stretch of segments that is known to exist and is not here.
func (c *courier) fetch(ctx context.Context, a store.Account, d store.Device) (soon int64, err error) {
	var want *wire.Fetch
	var key *composite.PublicKey
	var row int64
	err = c.st.View(ctx, func(r *store.Reader) error {
		rooms, err := r.RoomsOf(a.Row)
		if err != nil {
			return err
		}
		for _, room := range rooms {
			logs, err := r.Logs(room.Row)
			if err != nil {
				return err
			}
			for _, l := range logs {
				f, at, err := c.missing(r, room, l, d)
				if err != nil {
					return err
				}
				if f == nil || at > c.ms() {
					if f != nil {
						soon = earlier(soon, at)
					}
					continue
				}
				if l.Key != nil {
					if key, err = c.keys.parse(l.Key); err != nil {
						return err
					}
				}
				want, row = f, l.Row
				return nil
			}
		}
		return nil
	})
	if err != nil || want == nil {
		return soon, errors.Join(err, errUnless(err != nil, errIdle))
	}
	return 0, c.fetchOne(ctx, *want, key, row)
}

// missing says which stretch of a log to ask a device for, and from when on.
func (c *courier) missing(r *store.Reader, room store.Room, l store.Log, d store.Device) (*wire.Fetch, int64, error) {
	if room.State != store.RoomOpen || l.ForkK >= 0 || c.waitsUntil(-l.Row) > c.ms() {
		return nil, 0, nil
	}
	from, to, since := l.Tree, int64(-1), int64(0)
	if l.HeadK >= l.Tree { // a hole below the newest
		above, err := r.Segments(l.Row, l.Tree, 1)
		if err != nil || len(above) == 0 {
			return nil, 0, err
		}
		to, since = above[0].K-1, above[0].At
	} else if named, at, err := r.Named(l.Row); err != nil || named <= l.HeadK {
		return nil, 0, err
	} else {
		to, since = named, at
	}
	if since > c.ms() {
		since = 0 // the clock was set back since
	}
	if l.Device == d.Row {
		since += gapPause
	}
	if to-from >= fetchSpan {
		from = to - fetchSpan + 1
	}
	return &wire.Fetch{Room: room.ID, Log: l.ID, From: uint64(from), To: uint64(to)}, since, nil
}

func (c *courier) fetchOne(ctx context.Context, want wire.Fetch, key *composite.PublicKey, row int64) error {
	reply, err := c.net.Call(ctx, c.link.device, peer.Fetch, want.Marshal())
	if err != nil {
		return err
	}
	f, err := wire.ParseFetched(reply)
	if err != nil {
		c.refuse(ctx, "fetched_malformed")
		c.links.wait(c.link, -row, c.ms()+fullPause, ReasonNone)
		return nil
	}
	if key == nil {
		if key, err = f.LogKey(want); err != nil {
			c.links.wait(c.link, -row, c.ms()+fullPause, ReasonNone)
			return nil
		}
	}
	heads, err := f.Check(want, key)
	if err != nil {
		c.refuse(ctx, "fetched")
	}
	if err != nil || len(heads) == 0 { // they lack it too
		c.links.wait(c.link, -row, c.ms()+fullPause, ReasonNone)
		return nil
	}
	return c.st.Update(ctx, func(tx *store.Tx) error { return c.archive.fetched(tx, row, f, heads) })
}

// askKeys asks the device for keys of entries that are stored and closed for a while: of its own logs first.
func (c *courier) askKeys(ctx context.Context, a store.Account, d store.Device) (soon int64, err error) {
	var q *wire.KeyReq
	var row int64
	err = c.st.View(ctx, func(r *store.Reader) error {
		rooms, err := r.RoomsOf(a.Row)
		if err != nil {
			return err
		}
		for _, room := range rooms {
			logs, err := r.Logs(room.Row)
			if err != nil {
				return err
			}
			for _, l := range logs {
				if l.Device == 0 || l.Opened >= l.Size || room.State != store.RoomOpen || c.waitsUntil(-l.Row) > c.ms() {
					continue
				}
				k, at, err := c.closed(r, l, d)
				if err != nil {
					return err
				}
				if k != nil && at > c.ms() {
					soon = earlier(soon, at)
					continue
				}
				if k != nil {
					q, row = k, l.Row
					return nil
				}
			}
		}
		return nil
	})
	if err != nil || q == nil {
		return soon, errors.Join(err, errUnless(err != nil, errIdle))
	}
	return 0, c.askKeysOf(ctx, d, *q, row)
}

// closed collects the entries of a log that wait for keys. The author is asked after a moment, others after ten seconds.
func (c *courier) closed(r *store.Reader, l store.Log, d store.Device) (*wire.KeyReq, int64, error) {
	entries, err := r.ClosedEntries(l.Row, l.Opened, keysTold)
	if err != nil || len(entries) == 0 {
		return nil, 0, err
	}
	s, found, err := r.Segment(l.Row, entries[0].K)
	if err != nil || !found {
		return nil, 0, err
	}
	at := s.At + keyPause
	if l.Device != d.Row {
		at = s.At + 10_000
	}
	if s.At > c.ms() {
		at = 0 // the clock was set back since
	}
	q := &wire.KeyReq{Log: l.ID}
	for _, e := range entries {
		if n := len(q.Ranges); n > 0 && int64(q.Ranges[n-1].First)+int64(q.Ranges[n-1].Count) == e.Index {
			q.Ranges[n-1].Count++
		} else if n < wire.MaxRanges {
			q.Ranges = append(q.Ranges, wire.Range{First: uint64(e.Index), Count: 1})
		}
	}
	return q, at, nil
}

func (c *courier) askKeysOf(ctx context.Context, d store.Device, q wire.KeyReq, row int64) error {
	reply, err := c.net.Call(ctx, c.link.device, peer.KeyReq, wire.KeyRequest{Keys: &q}.Marshal())
	if err != nil && !errors.Is(err, peer.ErrRefused) {
		return err
	}
	c.links.wait(c.link, -row, c.ms()+10_000, ReasonNone)
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
		c.links.wait(c.link, -row, 0, ReasonNone)
		return c.herald.useKeys(tx, room, l, d, k.Keys)
	})
}
